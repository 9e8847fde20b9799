// The desk of who works on cases: queues, table and map show the same rows; the case that is open stands beside them.
import { ask, category, department, el, go, left, listen, moment, newKey, notice, number, once, say, state, t, told } from "./desk.mjs";
import { showCase } from "./case.mjs";
import { makeFolding } from "./fold.mjs";
import { bringAlong } from "./halves.mjs";
import { makeMap } from "./map.mjs";

const page = { rows: [], picked: new Set(), at: -1, open: null, turn: 0, key: newKey() };
const at = (id) => document.getElementById(id);
const body = document.querySelector("#cases tbody");
const FILTERS = ["at", "category", "state", "clock"];
let map = { show() {} }; // rows stand without it, and it comes after them

function row(one, number) {
  const isOpen = !["closed", "refused"].includes(one.state);
  const isLate = isOpen && one.due_at && new Date(one.due_at) < Date.now();
  const due = one.due_at && isOpen ? left(one.due_at) : moment(one.closed_at);
  const tick = el("input", { type: "checkbox", checked: page.picked.has(one.id), "aria-label": t("case_pick", { id: one.id }) });
  tick.addEventListener("change", () => pick(one.id, tick.checked));
  const cells = [
    el("td", { class: "tick" }, tick),
    el("td", { class: "number" }, String(one.id), one.is_urgent ? el("em", { class: "urgent" }, t("case_urgent")) : null),
    el("td", {}, category(one.category)),
    el("td", {}, told.names[one.grid_code] ?? one.grid ?? one.grid_code),
    el("td", {}, el("i", { class: `state ${one.state}` }, say("state", one.state))),
    el("td", {}, department(one.department)),
    el("td", {}, moment(one.reported_at)),
    el("td", { class: isLate ? "late" : "" }, due),
  ];
  const made = el("tr", { "data-id": String(one.id), class: one.id === page.open ? "open" : "" }, cells);
  made.addEventListener("click", (event) => {
    if (event.target === tick) return;
    page.at = number;
    open(one.id);
  });
  return made;
}

function draw() {
  const rows = page.rows.map(row);
  body.replaceChildren(...(rows.length ? rows : [el("tr", { class: "empty" }, el("td", { colspan: "8" }, t("case_empty")))]));
  mark();
  map.show(page.rows, page.open);
}

// What the points of the map stand for.
function drawLegend() {
  const { kinds, chosen } = told.style;
  at("legend").replaceChildren(...[...kinds, ["chosen", chosen, t("case_is_chosen")]].map(([kind, colour, said]) => {
    const sign = el("i", { "data-kind": kind });
    sign.style.color = colour;
    return el("span", {}, sign, said);
  }));
}

function mark() {
  [...body.rows].forEach((one, n) => {
    one.classList.toggle("at", n === page.at);
    one.classList.toggle("open", Number(one.dataset.id) === page.open);
  });
  body.rows[page.at]?.scrollIntoView({ block: "nearest" });
  const bulk = document.querySelector(".bulk");
  bulk.hidden = !page.picked.size || told.role !== "dispatcher";
  at("picked").textContent = t("case_picked", { n: page.picked.size });
}

function pick(id, is) {
  is ? page.picked.add(id) : page.picked.delete(id);
  page.key = newKey();
  mark();
}

async function load() {
  const turn = (page.turn += 1);
  const asked = state();
  document.body.classList.add("loading");
  try {
    const said = await ask(`/cases/list?${asked}`);
    if (turn !== page.turn) return;
    page.rows = said.rows;
    const there = new Set(said.rows.map((one) => one.id));
    page.picked = new Set([...page.picked].filter((id) => there.has(id)));
    page.at = Math.min(page.at, said.rows.length - 1);
    at("count").textContent = t(said.n > said.rows.length ? "case_count_some" : "case_count", { n: number(said.n), shown: number(said.rows.length) });
    for (const tab of document.querySelectorAll("[data-queue]")) {
      tab.setAttribute("aria-selected", String(tab.dataset.queue === said.queue));
    }
    document.body.classList.remove("failed");
    draw();
  } catch (error) {
    document.body.classList.add("failed");
    at("count").textContent = t("case_list_failed");
  } finally {
    document.body.classList.remove("loading");
  }
  const counts = await ask("/cases/queues").catch(() => ({}));
  for (const tab of document.querySelectorAll("[data-queue]")) {
    tab.querySelector("b").textContent = tab.dataset.queue in counts ? number(counts[tab.dataset.queue]) : "";
  }
}

const doors = { close: () => open(null), open, changed: load };

async function open(id, { push = true } = {}) {
  page.open = id;
  if (push) go({ case: id });
  mark();
  document.body.classList.toggle("has-case", Boolean(id));
  map.show(page.rows, id);
  await showCase(at("case"), id, doors);
}

function fields() {
  const said = state();
  for (const id of FILTERS) at(id).value = said.get(id) ?? "";
}

for (const id of FILTERS) {
  at(id).addEventListener("change", () => {
    go({ [id]: at(id).value.trim() });
    load();
  });
}
at("at").addEventListener("input", async () => {
  const sought = at("at").value.trim();
  if (!sought || /^\d{4,15}$/.test(sought)) return;
  const found = await ask(`/cases/grids?q=${encodeURIComponent(sought)}`).catch(() => []);
  at("grids").replaceChildren(...found.map((one) => el("option", { value: one.code }, one.name)));
});
for (const tab of document.querySelectorAll("[data-queue]")) {
  tab.addEventListener("click", () => {
    page.at = -1;
    go({ queue: tab.dataset.queue });
    load();
  });
}
at("all").addEventListener("change", () => {
  for (const one of page.rows) at("all").checked ? page.picked.add(one.id) : page.picked.delete(one.id);
  page.key = newKey();
  draw();
});
at("dispatch").addEventListener("click", once(at("dispatch"), async () => {
  const chosen = page.rows.filter((one) => page.picked.has(one.id)).map((one) => [one.id, one.version]);
  const said = await ask("/cases/dispatch", { key: page.key, cases: chosen, department: at("to").value });
  page.key = newKey();
  page.picked.clear();
  notice(t("case_dispatched", { n: said.done.length, failed: said.failed.length }), said.failed.length ? "alarm" : "note");
  await load();
}));

if (at("fold")) {
  const folding = makeFolding(at("folding"), state, { open, changed: load });
  at("fold").addEventListener("click", folding);
}

// Saved views: names for addresses, kept in this browser.
const views = () => JSON.parse(localStorage.getItem(`views ${told.account}`) ?? "{}");
function drawViews() {
  const keep = (kept) => { localStorage.setItem(`views ${told.account}`, JSON.stringify(kept)); drawViews(); };
  at("views").replaceChildren(...Object.entries(views()).map(([name, query]) => {
    const link = el("a", { href: query }, name);
    link.addEventListener("click", (event) => { event.preventDefault(); history.pushState(null, "", query); fields(); load(); });
    const gone = el("button", { class: "plain", "aria-label": t("case_forget", { name }) }, "×");
    gone.addEventListener("click", () => { const kept = views(); delete kept[name]; keep(kept); });
    return el("span", { class: "view" }, link, gone);
  }));
}
at("save").addEventListener("click", () => {
  const said = state();
  said.delete("case");
  const parts = [...FILTERS.map((id) => (id === "at" ? at(id).value : at(id).value && at(id).selectedOptions[0].text))].filter(Boolean);
  const tab = document.querySelector("[data-queue][aria-selected=true] span").textContent;
  localStorage.setItem(`views ${told.account}`, JSON.stringify({ ...views(), [[tab, ...parts].join(" · ")]: `?${said}` }));
  drawViews();
});

// Keyboard: j and k or the arrows move, Enter opens, x picks, Escape closes, / goes to the grid, digits choose queues.
document.addEventListener("keydown", (event) => {
  if (event.target.closest("dialog") || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea") || event.ctrlKey || event.metaKey || event.altKey) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const move = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  if (move && page.rows.length) {
    page.at = Math.max(0, Math.min(page.rows.length - 1, page.at + move));
    mark();
  } else if (event.key === "Enter" && page.rows[page.at] && !event.target.closest("button, a")) open(page.rows[page.at].id);
  else if (event.key === "x" && page.rows[page.at]) {
    pick(page.rows[page.at].id, !page.picked.has(page.rows[page.at].id));
    draw();
  } else if (event.key === "Escape" && page.open) open(null);
  else if (event.key === "/") at("at").focus();
  else if (/^[1-9]$/.test(event.key)) document.querySelectorAll("[data-queue]")[event.key - 1]?.click();
  else return;
  event.preventDefault();
});

window.addEventListener("popstate", () => {
  fields();
  load();
  open(Number(state().get("case")) || null, { push: false });
});

fields();
drawViews();
// What changed elsewhere shows at once; a form that somebody is filling in is left alone.
const isIdle = () => ![...document.querySelectorAll("#case textarea")].some((one) => one.value)
  && !document.querySelector("#case .steps form, #case details[open], #case :is(input, textarea, select):focus");

async function refresh() {
  await load();
  if (page.open && isIdle()) await showCase(at("case"), page.open, doors, isIdle); // looked at again when the answer is there
}

await load();
if (state().get("case")) await open(Number(state().get("case")), { push: false });
bringAlong();
listen(refresh);
try {
  map = await makeMap(told, (id) => open(id));
  map.show(page.rows, page.open);
  drawLegend();
} catch (error) {
  console.info(error);
  at("map").removeAttribute("role");
  at("map").replaceChildren(el("p", { class: "empty", role: "alert" }, error.message));
}
document.body.classList.add("ready");
setInterval(draw, 60000);
