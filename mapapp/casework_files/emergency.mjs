// The emergency command: an area is chosen by pointer or keyboard, its address is the page's, the answer stands beside.
import { ask, el, notice, once, t, told, whyOf } from "./desk.mjs";
import { COLOURS, NO_MAP, makeEmergencyMap } from "./emergency-map.mjs";
import { features, ringName, showAnswer } from "./emergency-panel.mjs";
import { fillSheet } from "./emergency-sheet.mjs";

const at = (id) => document.getElementById(id);
const KINDS = ["circle", "shape", "grids"];
const page = { kind: "circle", corners: [], said: null, asked: {}, label: "", marked: null, names: new Map(), turn: 0, hits: [], hit: -1 };
const round = (value) => Math.round(value * 1e6) / 1e6;

const state = () => new URLSearchParams(window.location.search);
let map = NO_MAP;

// The area that the address names; the language goes along.
function go(changes) {
  const said = state();
  for (const key of ["lon", "lat", "r", "shape", "grids", "name"]) said.delete(key);
  for (const [key, value] of Object.entries(changes)) if (value !== "") said.set(key, value);
  history.pushState(null, "", `?${said}`);
  load();
}

// The answer says what happens to it: loading, empty, stale (the former area stays), failed.
function mark(kind, error) {
  const host = at("answer");
  host.dataset.shows = kind ?? "";
  host.setAttribute("aria-busy", String(kind === "loading"));
  host.querySelector(":scope > .shows")?.remove();
  if (!kind) return;
  const refused = error?.status === 404 ? "grids" : error?.why;
  const why = error && (told.words[`near_why_${refused}`] ?? whyOf(error));
  const again = error && el("button", { type: "button", on: { click: load } }, t("near_again"));
  const line = el("p", { class: "shows", role: error ? "alert" : "status" }, t(`near_${kind}`, { why }), again);
  if (page.said) host.prepend(line);
  else host.replaceChildren(line);
}

async function load() {
  const turn = (page.turn += 1);
  const asked = state();
  const kind = asked.has("grids") ? "grids" : asked.has("shape") ? "shape" : asked.has("lon") ? "circle" : null;
  languageLink();
  if (!kind) return show(null);
  choose(kind);
  mark("loading");
  try {
    const said = await ask(`/command/nearby?${asked}`);
    if (turn !== page.turn) return;
    Object.assign(page, { asked: Object.fromEntries(asked), label: (asked.get("name") ?? "").slice(0, 60) });
    show(said);
  } catch (error) {
    if (turn === page.turn) mark(page.said ? "stale" : "failed", error);
  }
}

function show(said) {
  Object.assign(page, { said, corners: [], marked: null });
  corners();
  for (const id of ["sheet-button", "link"]) at(id).disabled = !said;
  mark(null);
  if (!said) {
    at("answer").dataset.shows = "empty";
    at("answer").replaceChildren(el("p", { class: "empty" }, t("near_empty")));
  } else {
    for (const one of said.grids.rows) page.names.set(one.code, one.name);
    said.area.codes.forEach((code, i) => page.names.set(code, said.area.names[i]));
    if (said.area.kind === "circle") Object.assign(at("lon"), { value: round(said.area.lon) }), (at("lat").value = round(said.area.lat)), (at("r").value = said.area.r);
    showAnswer(at("answer"), said, page.label, { hot: (id) => map.hot(id), pick });
  }
  drawMap(said);
  chips();
  document.body.classList.add("ready");
  document.body.dataset.turn = String(page.turn);
}

function drawMap(said) {
  map.area(said?.area ?? null, said?.grids.rows ?? [], said ? ringName(said) : "");
  map.found(said ? features(said) : []);
  if (said) map.fit(said.area.box);
}

// A row that is clicked stays marked on the map.
function pick(id) {
  page.marked = id;
  for (const one of document.querySelectorAll("#answer [data-spot]")) one.classList.toggle("marked", one.dataset.spot === id);
  map.hot(id);
}

function choose(kind) {
  page.kind = kind;
  for (const one of document.querySelectorAll(".command [data-kind]")) one.setAttribute("aria-selected", String(one.dataset.kind === kind));
  for (const one of KINDS) at(`by-${one}`).hidden = one !== kind;
  map.map?.doubleClickZoom[kind === "shape" ? "disable" : "enable"]();
}

function around(lon, lat, name = "") {
  const r = Number(at("r").value);
  if (!(r >= 50 && r <= 20000)) return at("r").reportValidity();
  return go({ lon: round(lon), lat: round(lat), r, name });
}

function click([lon, lat], code) {
  if (page.kind === "circle") around(lon, lat);
  else if (page.kind === "shape") {
    page.corners.push([round(lon), round(lat)]);
    corners();
  } else if (code) toggle(code);
}

function move(point) {
  if (page.kind === "shape" && page.corners.length) map.sketch(page.corners, point);
}

function corners() {
  at("corners").textContent = page.corners.length ? t("near_corners", { n: page.corners.length }) : "";
  at("finish").disabled = page.corners.length < 3;
  at("undo").disabled = !page.corners.length;
  if (page.corners.length) map.sketch(page.corners);
}

function finish() {
  const kept = page.corners.filter(([lon, lat], n, all) => !n || lon !== all[n - 1][0] || lat !== all[n - 1][1]);
  if (kept.length >= 3) go({ shape: kept.map((one) => one.join(",")).join(";") });
}

function finishDouble(event) {
  if (page.kind !== "shape") return;
  event.preventDefault();
  finish();
}

function undo() {
  page.corners.pop();
  if (!page.corners.length) map.sketch([]);
  corners();
}

const named = () => (state().get("grids") ?? "").split(",").filter(Boolean);

function toggle(code) {
  const codes = named();
  const left = codes.includes(code) ? codes.filter((one) => one !== code) : [...codes, code];
  if (left.length) return go({ grids: left.join(",") });
  return go({});
}

function chips() {
  at("chips").replaceChildren(...named().map((code) => el("li", {}, page.names.get(code) ?? code,
    el("button", { "aria-label": t("near_remove", { name: page.names.get(code) ?? code }), on: { click: () => toggle(code) } }, "×"))));
}

// Search: grids join the list or set the middle, places set the middle.
async function search() {
  const sought = at("sought").value.trim();
  const turn = (page.seek = (page.seek ?? 0) + 1);
  const found = sought ? await ask(`/command/search?q=${encodeURIComponent(sought)}`) : [];
  if (turn !== page.seek) return;
  page.hits = found;
  page.hit = page.hits.length ? 0 : -1;
  hits(sought);
}

function hits(sought) {
  const rows = page.hits.map((one, n) => el("div", { role: "option", id: `hit-${n}`, "aria-selected": String(n === page.hit), on: { mousedown: (event) => event.preventDefault(), click: () => take(one) } },
    el("b", {}, one.name), el("small", {}, [one.category ? told.categories[one.category] : "", one.above].filter(Boolean).join(" · "))));
  at("hits").replaceChildren(...(sought && !rows.length ? [el("p", { class: "empty" }, t("near_none_found"))] : rows));
  at("sought").setAttribute("aria-expanded", String(rows.length > 0));
  at("sought").setAttribute("aria-activedescendant", page.hit >= 0 ? `hit-${page.hit}` : "");
}

function take(one) {
  at("sought").value = "";
  page.hits = [];
  hits("");
  if (one.kind === "place") {
    choose("circle");
    around(one.lon, one.lat, one.name);
  } else {
    page.names.set(one.code, one.name);
    const codes = page.kind === "grids" ? named().filter((code) => code !== one.code) : [];
    go({ grids: [...codes, one.code].join(","), name: codes.length ? "" : one.name });
  }
}

function scale(metres) {
  const width = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000].findLast((one) => one <= metres) ?? 1;
  at("scale").firstElementChild.style.width = `${(100 * width) / metres}px`;
  at("scale").lastElementChild.textContent = width >= 1000 ? t("near_km", { n: width / 1000 }) : t("near_m", { n: width });
}

function languageLink() {
  const link = document.querySelector(".language");
  const said = state();
  if (told.lang === "zh") said.set("lang", "en");
  else said.delete("lang");
  // What is set and not yet asked for stands in no address: it goes along once.
  const draft = { kind: page.kind, r: at("r").value, corners: page.corners.map((one) => one.join(",")).join(";"), sought: at("sought").value, marked: page.marked ?? "", moved: map.moved };
  const kept = new URLSearchParams(Object.entries(draft).filter(([, value]) => value));
  link.href = `/command?${said}#${kept}`;
}

// What came along when the language was switched.
function takeUp(draft) {
  history.replaceState(null, "", window.location.pathname + window.location.search);
  if (KINDS.includes(draft.get("kind"))) choose(draft.get("kind"));
  if (draft.get("r")) at("r").value = draft.get("r");
  page.corners = (draft.get("corners") ?? "").split(";").map((one) => one.split(",").map(Number)).filter((one) => one.length === 2 && one.every(Number.isFinite));
  corners();
  if (draft.get("marked")) pick(draft.get("marked"));
  if (draft.get("sought")) at("sought").value = draft.get("sought");
  const moved = (draft.get("moved") ?? "").split(",").map(Number);
  if (moved.length === 3 && moved.every(Number.isFinite)) map.jump(moved);
}

function legend() {
  const rows = [["area", t("near_legend_area")], ["grids", t("near_legend_grids")], ["protected", t("near_protected")], ["resource", t("near_resources")],
    ["event", t("near_legend_event")], ["late", t("near_legend_late")]];
  at("legend").replaceChildren(...rows.map(([kind, name]) => el("li", { class: kind }, el("i", {}), name)));
  at("base").textContent = told.style.metadata?.attribution ?? "";
  for (const [kind, colour] of Object.entries(COLOURS)) document.documentElement.style.setProperty(`--${kind}`, colour);
}

async function print() {
  if (!page.said) return;
  await ask("/command/sheet", page.asked);
  const host = at("sheet");
  fillSheet(host, page.said, page.label, await map.picture(), [...at("legend").children]);
  await host.querySelector("img")?.decode();
  window.print();
}

for (const one of document.querySelectorAll(".command [data-kind]")) one.addEventListener("click", () => (choose(one.dataset.kind), chips(), corners()));
for (const one of document.querySelectorAll("[data-r]")) {
  one.addEventListener("click", () => {
    at("r").value = one.dataset.r;
    if (at("lon").value && at("lat").value) around(Number(at("lon").value), Number(at("lat").value), page.label);
  });
}
at("by-circle").addEventListener("submit", (event) => {
  event.preventDefault();
  if (at("lon").value && at("lat").value) around(Number(at("lon").value), Number(at("lat").value));
});
at("finish").addEventListener("click", finish);
at("undo").addEventListener("click", undo);
at("clear").addEventListener("click", () => go({}));
at("link").addEventListener("click", once(at("link"), async () => {
  await navigator.clipboard.writeText(window.location.href);
  notice(t("near_copied"), "note");
}));
at("sheet-button").addEventListener("click", once(at("sheet-button"), print));
at("sought").addEventListener("input", () => {
  clearTimeout(page.waiting);
  page.waiting = setTimeout(() => search().catch((error) => notice(whyOf(error))), 150);
});
at("sought").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && page.hits.length) {
    event.preventDefault();
    page.hit = (page.hit + step + page.hits.length) % page.hits.length;
    hits(at("sought").value);
  } else if (event.key === "Enter" && page.hit >= 0) take(page.hits[page.hit]);
  else if (event.key === "Escape") Object.assign(at("sought"), { value: "" }), search();
});
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, button, a, [data-spot]")) return;
  if (event.key === "/") event.preventDefault(), at("sought").focus();
  else if (page.kind === "shape" && event.key === "Enter") finish();
  else if (page.kind === "shape" && event.key === "Backspace") event.preventDefault(), undo();
});
window.addEventListener("popstate", load);

// For tests: to look at, not to steer by.
window.__emergency = Object.freeze({
  get idle() { return map.ready && map.map.loaded() && map.map.areTilesLoaded(); },
  pointOf(lon, lat) {
    const { left, top } = map.map.getContainer().getBoundingClientRect();
    const { x, y } = map.map.project([lon, lat]);
    return [left + x, top + y];
  },
});

// Figures first, the map after them.
legend();
choose("circle");
for (const kind of ["pointerdown", "focus", "click"]) document.querySelector(".language").addEventListener(kind, languageLink);
await load();
map = await makeEmergencyMap(told, { click, double: finishDouble, move, scale });
at("map-state").textContent = "";
choose(page.kind);
drawMap(page.said);
corners();
map.map?.fire("move");
if (window.location.hash) takeUp(new URLSearchParams(window.location.hash.slice(1)));
document.body.classList.add("whole");
