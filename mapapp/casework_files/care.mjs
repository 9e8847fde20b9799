// The list of who visits people that are offered care: masked records, and the visits made.
import { bringAlong } from "./halves.mjs";
import { identity } from "./identity.mjs";
import { ask, day, el, go, newKey, notice, number, once, say, state, t, to, told, whyOf } from "./desk.mjs";

const at = (id) => document.getElementById(id);
const body = document.querySelector("#records tbody");
const page = { rows: [], open: null, turn: 0, today: "" };
const group = (key) => told.groups[key]?.name ?? key;

function row(one) {
  const made = el("tr", { "data-id": String(one.id), class: one.id === page.open ? "open" : "", tabindex: "0" }, [
    el("td", {}, el("b", {}, one.name)),
    el("td", {}, group(one.group)),
    el("td", {}, one.grid),
    el("td", { class: "wide" }, one.offered ?? ""),
    el("td", {}, say("care_status", one.status)),
    el("td", {}, day(one.visited_on)),
    el("td", { class: one.is_late ? "late" : "" }, day(one.due_on) || t("care_no_visit")),
  ]);
  made.addEventListener("click", () => open(one.id));
  made.addEventListener("keydown", (event) => { if (event.key === "Enter") open(one.id); });
  return made;
}

async function load() {
  const turn = (page.turn += 1);
  document.body.classList.add("loading");
  try {
    const said = await ask(`/care/list?group=${encodeURIComponent(at("group").value)}`);
    if (turn !== page.turn) return;
    Object.assign(page, { rows: said.rows, today: said.today });
    at("count").textContent = t("care_count", { n: number(said.n), late: number(said.n_late) });
    body.replaceChildren(...(said.rows.length ? said.rows.map(row)
      : [el("tr", { class: "empty" }, el("td", { colspan: "7" }, t("care_empty")))]));
    document.body.classList.remove("failed");
  } catch (error) {
    document.body.classList.add("failed");
    at("count").textContent = whyOf(error);
  } finally {
    if (turn === page.turn) document.body.classList.remove("loading");
  }
}

function visitForm(one) {
  const key = newKey();
  const when = el("input", { type: "date", name: "visited_on", required: true, max: page.today, value: page.today });
  const status = el("select", { name: "status", required: true },
    told.statuses.map((word) => el("option", { value: word }, say("care_status", word))));
  status.value = one.status ?? "at_home";
  const found = el("textarea", { name: "found", rows: "3", maxlength: "2000" });
  const send = el("button", { class: "first" }, t("care_visit"));
  const form = el("form", {}, el("label", {}, el("span", {}, t("care_day")), el("day-field", {}, when)),
    el("label", {}, el("span", {}, t("care_status")), status), el("label", {}, el("span", {}, t("care_found")), found), send);
  form.addEventListener("submit", once(send, async () => {
    await ask(`/care/one/${one.id}/visit`, { key, visited_on: when.value, status: status.value, found: found.value });
    notice(t("care_visited_now"), "note");
    await load();
    await open(one.id);
  }));
  return form;
}

async function open(id) {
  const one = page.rows.find((row) => row.id === id);
  page.open = one ? id : null;
  go({ one: page.open }, { push: false });
  document.body.classList.toggle("has-case", Boolean(one));
  for (const made of body.rows) made.classList.toggle("open", Number(made.dataset.id) === page.open);
  if (!one) {
    at("case").replaceChildren(el("p", { class: "empty" }, t("care_none_open")));
    return;
  }
  const { visits } = await ask(`/care/one/${id}/visits`);
  if (page.open !== id) return;
  const about = told.groups[one.group] ?? {};
  const close = el("button", { class: "plain", "aria-label": t("care_close") }, "×");
  close.addEventListener("click", () => open(null));
  const facts = [["care_grid", one.grid], ["care_offered", one.offered], ["care_unit", about.department], ["care_due", day(one.due_on) || t("care_no_visit")]];
  at("case").replaceChildren(
    el("header", {}, el("h2", {}, one.name), el("small", {}, group(one.group)), close),
    el("section", {}, identity(one)),
    el("section", {}, el("dl", {}, facts.flatMap(([key, value]) => [el("dt", {}, t(key)), el("dd", {}, value || "–")]))),
    el("section", {}, el("h3", {}, t("care_visit_now")), visitForm(one)),
    el("section", {}, el("h3", {}, t("care_visits")), visits.length
      ? el("ol", { class: "log" }, visits.map((visit) => el("li", {}, el("time", {}, day(visit.visited_on)),
        el("b", {}, say("care_status", visit.status)), el("span", {}, visit.account), visit.found ? el("p", {}, visit.found) : null)))
      : el("p", { class: "hint" }, t("care_no_visits"))),
  );
  at("case").focus({ preventScroll: true });
}

at("take").addEventListener("click", once(at("take"), async () => {
  const { address } = await ask("/care/lists", { group: at("group").value });
  window.open(to(address), "_blank", "noopener");
}));
at("group").addEventListener("change", () => {
  go({ group: at("group").value }, { push: false });
  open(null);
  load();
});
at("group").value = state().get("group") ?? "";
await load();
if (state().has("one")) await open(Number(state().get("one")));
bringAlong();
document.body.classList.add("ready");
