// Calls: who holds each since when, which levels let their time pass, which departments have not reported in.
import { acts, departments, ladder, standing } from "./call.mjs";
import { bringAlong } from "./halves.mjs";
import { ask, department, el, listen, moment, newKey, once, t, to } from "./desk.mjs";

const at = (id) => document.getElementById(id);
let key = newKey();
let turn = 0;

const card = (one) => el("li", { "data-id": String(one.id), class: one.answered_at ? "done" : one.is_late ? "late" : one.n_up ? "warm" : "" },
  el("div", { class: "row" }, el("b", {}, one.grid), standing(one),
    one.event_id ? el("a", { class: "tag", href: to(`/cases?queue=all&case=${one.event_id}`) }, t("call_of_case", { id: one.event_id })) : null,
    el("small", { class: "hint" }, `${one.id} · ${moment(one.called_at)} · ${one.called_by}`)),
  el("p", { class: "summary" }, one.what), ladder(one), departments(one), acts(one, load));

async function load() {
  const mine = (turn += 1);
  try {
    const { rows } = await ask("/calls/list");
    if (mine !== turn) return;
    const open = rows.filter((one) => !one.answered_at);
    const late = open.filter((one) => one.is_late).length;
    at("n").textContent = open.length || "";
    at("count").textContent = open.length ? t("call_count", { n: open.length, late }) : t("call_none");
    at("open").replaceChildren(...open.map(card));
    const answered = rows.filter((one) => one.answered_at);
    at("answered-none").textContent = answered.length ? "" : t("call_answered_none");
    at("answered").replaceChildren(...answered.map(card));
    document.body.classList.remove("failed");
  } catch {
    document.body.classList.add("failed");
    at("count").textContent = t("case_list_failed");
  }
}

const named = [];
let nth = 0;
function chosen(box) {
  box.dataset.nth = nth += 1;
  if (box.checked) named.push(box.value);
  else named.splice(named.indexOf(box.value), 1);
  at("lead").textContent = named.length ? t("call_lead_is", { name: department(named[0]) }) : "";
}

at("form")?.addEventListener("change", (event) => { if (event.target.name === "department") chosen(event.target); });
at("grid")?.addEventListener("input", async () => {
  const sought = at("grid").value.trim();
  if (!sought || /^\d{4,15}$/.test(sought)) return;
  const found = await ask(`/cases/grids?q=${encodeURIComponent(sought)}`).catch(() => []);
  at("grids").replaceChildren(...found.map((one) => el("option", { value: one.code }, one.name)));
});
const send = at("form")?.querySelector("[type=submit]");
at("form")?.addEventListener("submit", once(send, async () => {
  await ask("/calls/new", { key, grid: at("grid").value.trim(), what: at("what").value.trim(), departments: named });
  key = newKey();
  named.length = 0;
  at("lead").textContent = "";
  at("form").reset();
  at("calling").open = false;
  await load();
}));

await load();
bringAlong();
listen(load, ["call", "reset"]);
setInterval(load, 30000); // time alone makes a call go up
document.body.classList.add("ready");
