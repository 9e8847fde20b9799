// What leaders see of the care register: published counts of each group and overdue visits, by grid.
import { ask, el, go, notice, number, state, t, told, whyOf } from "./desk.mjs";

const at = (id) => document.getElementById(id);
const [head, body] = [document.querySelector("#counts thead"), document.querySelector("#counts tbody")];
const groups = Object.entries(told.groups);
let turn = 0;

const people = (n) => (n === null || n === undefined ? el("span", { title: t("care_withheld") }, "—")
  : n ? t("about", { n: number(n) }) : t("under_ten"));
const late = (n) => (n ? t("care_up_to", { n: number(n) }) : "0");

async function load(code) {
  const mine = (turn += 1);
  try {
    const said = await ask(`/care/counts?at=${code}&lang=${told.lang}`);
    if (mine !== turn) return;
    go({ at: said.at === told.scope ? null : said.at }, { push: false });
    at("path").replaceChildren(...said.path.map((one) => {
      const link = el("button", { "aria-current": one.code === said.at ? "page" : null }, one.name);
      link.addEventListener("click", () => load(one.code));
      return link;
    }));
    head.replaceChildren(el("tr", {}, el("th", { scope: "col" }, t("care_grid")),
      groups.map(([, one]) => el("th", { scope: "col", title: `${one.department} · ${one.offers}` }, one.name)),
      el("th", { scope: "col" }, t("care_late"))));
    body.replaceChildren(...said.rows.map((one) => {
      const name = el("button", {}, one.name);
      name.disabled = said.level === "small";
      name.addEventListener("click", () => load(one.code));
      return el("tr", {}, el("th", { scope: "row" }, name), groups.map(([key]) => el("td", {}, people(one.counts[key]))),
        el("td", { class: one.late ? "late" : "" }, late(one.late)));
    }));
  } catch (error) {
    notice(whyOf(error));
  }
}

await load(state().get("at") ?? told.scope);
document.body.classList.add("ready");
