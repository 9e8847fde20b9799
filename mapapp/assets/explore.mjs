// The explore page: asks for what the address says, fills the panels, and draws in order: figures, map, charts.
const page = document.documentElement;
const by = (id) => document.getElementById(id);
const state = { turn: 0, told: null, style: null, held: null, playing: 0, hasMap: false, charted: new Set() };

const search = (changes) => {
  const said = new URLSearchParams(window.location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === "") said.delete(key);
    else said.set(key, value);
  }
  return "?" + said.toString().replaceAll("%2C", ",");
};

const atlas = {
  last: null,
  prepare() {},
  pick: (code) => go(search({ at: code, level: null })),
};
window.atlas = atlas;

async function ask(path) {
  const answer = await fetch(path);
  if (answer.status === 401) window.location.reload(); // the session has ended: on to the sign-in page
  const told = await answer.json().catch(() => ({})); // a server that is in trouble may say so in other words
  if (!answer.ok) throw Object.assign(new Error(String(answer.status)), { told, status: answer.status });
  return told;
}

function go(to, { replace = false } = {}) {
  window.history[replace ? "replaceState" : "pushState"](null, "", to || window.location.pathname);
  load();
}

const words = () => state.told?.words ?? {};

const PARTS = ["choosers", "where", "mapped", "ranking", "time", "multiples", "trend", "exports"];
const CHARTS = ["multiples", "trend"];
// What these hold stays, whatever is said above it.
const KEEPING = ["where", "mapped", "time", "exports"];

const LATE_MS = 400; // what takes longer is said to be loading
const [AGAIN_MS, AGAIN_MOST_MS] = [5000, 60_000];
const waiting = () => PARTS.filter((id) => by(id).dataset.shows === "loading" && !by(id).querySelector(":scope > .state"));

// Each panel says what happens to it: loading, empty, stale (the former content stays), failed.
function mark(id, kind, why) {
  const panel = by(id);
  panel.dataset.shows = kind ?? "";
  if (kind === "loading") panel.setAttribute("aria-busy", "true");
  else panel.removeAttribute("aria-busy");
  panel.querySelector(":scope > .state")?.remove();
  if (kind && kind !== "loading") say(id, kind, why);
}

function say(id, kind, why) {
  const panel = by(id);
  const said = { ...words() }[`shows_${kind}`] ?? document.body.dataset[kind] ?? "";
  const line = Object.assign(document.createElement("p"), { className: "state", textContent: said.replace("{why}", why ?? "") });
  if (id === "where") line.setAttribute("role", kind === "failed" ? "alert" : "status"); // said once, and seen everywhere
  if (kind === "failed" || kind === "stale") {
    const again = Object.assign(document.createElement("button"), { type: "button", textContent: words().try_again ?? document.body.dataset.again });
    again.addEventListener("click", load);
    line.append(" ", again);
  }
  if (["failed", "empty"].includes(kind) && !KEEPING.includes(id)) panel.replaceChildren(line);
  else panel.prepend(line);
}

// Why something did not come, in the reader's words.
function why(error) {
  const told = error.told?.panels?.notice;
  if (told) window.elements.fill("notice", told);
  const isUnheard = error instanceof TypeError || error.status >= 500;
  return told ? by("notice").textContent : isUnheard ? (words().unheard ?? document.body.dataset.unheard) : error.message;
}

// Where nobody answered, or the server could not, it is asked again: not by all pages at once, and not what it refused.
function again({ status = 500 }) {
  clearTimeout(state.again);
  if (status < 500) return;
  state.again = setTimeout(load, state.pause * (1 + Math.random()), { isAgain: true });
  state.pause = Math.min(2 * state.pause, AGAIN_MOST_MS);
}

// What the page has: for another number on the same cells it is sent their colours, and the rest after them.
function known(address) {
  const { told, held } = state;
  return told && held ? `${address}${address ? "&" : "?"}known=${told.style},${told.cells}` : address;
}

// A link from another page may name a count of the legend that is to be opened; it is opened once.
let opened = new URLSearchParams(window.location.search).get("look");
if (opened) window.history.replaceState(null, "", search({ look: null }));

async function load({ isAgain = false } = {}) {
  const turn = (state.turn += 1);
  const address = window.location.search;
  clearTimeout(state.again);
  page.classList.remove("drawn");
  // Asked again by itself, the panels go on to say what they lack until it answers.
  if (!isAgain) {
    state.pause = AGAIN_MS;
    PARTS.forEach((id) => mark(id, "loading"));
  }
  setTimeout(() => turn === state.turn && waiting().forEach((id) => say(id, "loading")), state.told ? LATE_MS : 0);
  let answer;
  try {
    answer = await ask("/api/explore" + known(address));
    if (turn !== state.turn) return;
    show(answer);
    if (!answer.told.words) {
      const rest = await ask("/api/explore/rest" + address);
      if (turn !== state.turn) return;
      show(rest);
    }
  } catch (error) {
    if (turn === state.turn) failed(error);
    return;
  }
  if (opened && /^(unplaced|grids\/\w+)$/.test(opened)) look(opened, address);
  opened = null;
  await new Promise((done) => setTimeout(done)); // the figures are painted before the map asks for anything
  await drawMap();
  if (turn === state.turn) await charts(turn, address);
  if (turn === state.turn) page.classList.add("drawn");
}

function failed(error) {
  const said = why(error);
  again(error);
  PARTS.forEach((id) => mark(id, !state.told ? "failed" : CHARTS.includes(id) && !state.charted.has(id) ? "failed" : "stale", said));
}

// The map says itself what it lacks: an engine, or WebGL.
async function drawMap() {
  if (state.hasMap) return;
  try {
    await import("/assets/map.mjs");
    state.hasMap = true;
    if (page.matches(".no-engine, .no-webgl")) mark("mapped", null);
  } catch (error) {
    mark("mapped", "failed", why(error));
  }
}

window.addEventListener("atlas-drawn", () => mark("mapped", state.told.is_empty ? "empty" : null));

// A whole answer, or one of its two parts.
function show({ panels, view, style, told: more, said }) {
  const told = (state.told = { ...state.told, ...more });
  const lang = told.language === "zh" ? "zh-CN" : "en";
  if (page.lang !== lang) page.lang = lang; // as in map.mjs
  page.dataset.theme = told.theme;
  page.classList.add("told");
  const focused = document.activeElement?.dataset?.set;
  for (const [id, content] of Object.entries(panels)) window.elements.fill(id, content);
  if (focused) document.querySelector(`[data-set="${focused}"]`)?.focus();
  if (view) draw(view, style, told);
  if (said) Object.assign(atlas.last.view.cells, said);
  if (more.words) finish(told);
}

function draw(view, style, told) {
  if (view.names) state.held = { names: view.names, cells: view.cells };
  const { code, no, name, lon, lat } = state.held.cells;
  view = { ...view, names: state.held.names, cells: { ...view.cells, code, no, name, lon, lat } };
  const isNew = state.style !== told.style;
  state.style = told.style;
  atlas.last = { style: isNew ? style : atlas.last.style, view };
  window.dispatchEvent(new Event("atlas-view"));
  if (page.matches(".no-engine, .no-webgl")) mark("mapped", null);
}

// Lists, tables and texts.
function finish(told) {
  ["choosers", "where", "ranking", "time", "exports"].forEach((id) => mark(id, null));
  if (told.is_empty) ["where", "ranking"].forEach((id) => mark(id, "empty"));
  document.querySelectorAll("[data-field]").forEach(field);
  const { time, multiples, trend, close, play, pause, search: sought, map_label: label, point_keys: keys } = told.words;
  by("search").placeholder = sought;
  by("search").setAttribute("aria-label", sought);
  by("map").setAttribute("aria-label", label);
  by("slider").setAttribute("aria-label", time);
  by("multiples-title").textContent = multiples;
  by("trend-title").textContent = trend;
  by("close").textContent = close;
  by("point-keys").textContent = keys;
  by("play").textContent = state.playing ? pause : play;
  by("found").replaceChildren();
  slide(told);
}

function field(place) {
  const input = Object.assign(document.createElement("input"), { type: "text", value: place.dataset.value });
  input.inputMode = "decimal";
  input.setAttribute("aria-label", place.dataset.label);
  input.dataset.set = place.dataset.field;
  place.replaceWith(input);
}

// time
function slide(told) {
  const slider = by("slider");
  const has = told.periods.length > 1;
  slider.disabled = by("play").disabled = !has;
  slider.max = Math.max(told.periods.length - 1, 0);
  slider.value = Math.max(told.periods.indexOf(told.period), 0);
  slid();
}

function slid() {
  const { labels, words: said } = state.told;
  const text = labels[by("slider").value] ?? said.no_periods;
  by("slid").textContent = text;
  by("slider").setAttribute("aria-valuetext", text);
  by("slider").style.setProperty("--at", `${(100 * by("slider").value) / (by("slider").max || 1)}%`);
}

const toPeriod = (at) => go(search({ period: state.told.periods[at] }), { replace: true });

function play(on) {
  clearTimeout(state.playing);
  state.playing = 0;
  const button = by("play");
  button.setAttribute("aria-pressed", String(on));
  button.textContent = on ? words().pause : words().play;
  if (!on) return;
  const slider = by("slider");
  if (Number(slider.value) === Number(slider.max)) slider.value = Math.max(slider.max - 12, 0);
  const step = () => {
    slider.value = Number(slider.value) + 1;
    slid();
    toPeriod(slider.value);
    state.playing = Number(slider.value) < Number(slider.max) ? setTimeout(step, 1200) : 0;
    if (!state.playing) play(false);
  };
  state.playing = setTimeout(step, 300);
}

// charts: after the map
async function charts(turn, address) {
  const { told } = state;
  if (!told.periods.length || told.is_empty) {
    CHARTS.forEach((id) => mark(id, "empty"));
    if (!told.periods.length) CHARTS.forEach((id) => (by(id).firstChild.textContent = told.words.no_periods));
    state.charted.clear();
    return;
  }
  const failing = (id, error) => turn === state.turn && (again(error), mark(id, state.charted.has(id) ? "stale" : "failed", why(error)));
  const drawn = (id) => (state.charted.add(id), mark(id, null));
  let months, outlines, draw;
  try {
    [months, outlines] = await Promise.all([ask("/api/explore/months" + address), ask(told.outlines)]);
    draw = await import("/assets/explore-charts.mjs");
  } catch (error) {
    return CHARTS.forEach((id) => failing(id, error));
  }
  if (turn !== state.turn) return;
  state.sparks = (within) => draw.sparks(within, months, behind);
  state.sparks(by("ranking"));
  const what = Object.assign(document.createElement("small"), { textContent: `${months.title} · ${months.unit}` });
  by("multiples-title").replaceChildren(told.words.multiples, " ", what);
  draw.multiples(by("multiples"), months, outlines, told, toMonth);
  drawn("multiples");
  state.trend = () => draw.trend(by("trend"), months, (period) => behind(told.at, period));
  try {
    await state.trend();
    if (turn === state.turn) drawn("trend");
  } catch (error) {
    failing("trend", error);
  }
}

const toMonth = (period) => go(search({ period }));

// what is behind a number: rows, or the grids that have it
const behind = (code, period) => look(`rows/${code}`, period ? search({ period }) : window.location.search);

// of what is looked at only one kind, or all of it again
function lookAtKind(only) {
  const { what, address } = state.looked;
  const said = new URLSearchParams(address);
  said.delete("only");
  if (only) said.set("only", only);
  look(what, "?" + said);
}

async function look(what, address) {
  state.looked = { what, address };
  const dialog = by("behind");
  by("rows").replaceChildren(Object.assign(document.createElement("p"), { className: "state", textContent: words().shows_loading }));
  if (dialog.open) by("close").focus(); // what was chosen in it is gone
  else dialog.showModal();
  try {
    const told = await ask(`/api/explore/${what}${address}`);
    window.elements.fill("rows", told.rows);
    state.sparks?.(by("rows"));
  } catch (error) {
    if (error.told?.panels) window.elements.fill("rows", error.told.panels.notice);
    else by("rows").textContent = words().shows_failed;
  }
}

// a picture as PNG is the SVG, drawn at twice its size
async function png(link) {
  const answer = await fetch(link.href);
  if (!answer.ok) throw new Error(String(answer.status));
  const name = answer.headers.get("content-disposition").match(/filename="(.*?)\.svg"/)[1];
  const url = URL.createObjectURL(new Blob([await answer.text()], { type: "image/svg+xml" }));
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width * 2, height: image.height * 2 });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(url);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const made = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${name}.png` });
  made.click();
  setTimeout(() => URL.revokeObjectURL(made.href), 10_000);
}

document.addEventListener("click", (event) => {
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const number = event.target.closest?.("[data-rows]");
  if (number) return void behind(number.dataset.rows, number.dataset.period);
  const counted = event.target.closest?.("[data-look]");
  if (counted) return void look(counted.dataset.look, window.location.search);
  const kind = event.target.closest?.("[data-only]");
  if (kind) return void lookAtKind(kind.dataset.only);
  const copy = event.target.closest?.("[data-copy]");
  if (copy) {
    event.preventDefault();
    navigator.clipboard?.writeText(copy.href).then(() => (copy.textContent = words().copied), () => {});
    return;
  }
  const picture = event.target.closest?.('[data-kind="png"]');
  if (picture) {
    event.preventDefault();
    png(picture).catch(() => (by("notice").textContent = words().file_failed));
    return;
  }
  const link = event.target.closest?.('a[href^="?"]');
  if (!link) return;
  event.preventDefault();
  by("behind").close();
  go(link.getAttribute("href"));
});

document.addEventListener("change", (event) => {
  const { set } = event.target.dataset;
  const frees = { indicator: { category: null, period: null, breaks: null }, classes: { breaks: null } }[set] ?? {};
  if (set) go(search({ [set]: event.target.value, ...frees }));
});

document.addEventListener("keydown", (event) => {
  const busy = event.target.closest?.("input, select, dialog");
  if (event.key === "Escape" && !busy && !by("behind").open && state.told?.up) atlas.pick(state.told.up);
});

let wait = 0;
by("search").addEventListener("input", (event) => {
  clearTimeout(wait);
  wait = setTimeout(async () => {
    const query = new URLSearchParams(window.location.search);
    query.set("sought", event.target.value);
    const told = await ask("/api/explore/search?" + query).catch(() => ({ found: [words().shows_failed] }));
    window.elements.fill("found", told.found);
  }, 150);
});
by("slider").addEventListener("input", slid);
by("slider").addEventListener("change", (event) => toPeriod(event.target.value));
by("play").addEventListener("click", () => play(!state.playing));
window.addEventListener("popstate", load);
window.addEventListener("resize", () => state.charted.has("trend") && state.trend());
load();
