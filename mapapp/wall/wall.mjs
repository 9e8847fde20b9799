// The wall: asks for what a grid and a scenario show, fills the panels, and lets live steps in as they happen.
import { openLive } from "./live.mjs";
import { createPulses } from "./pulses.mjs";
import { createTour } from "./tour.mjs";
import { bindKeys } from "./keys.mjs";
import { fillPanels, fillElements, fillFeed, build, show, fail } from "./panels.mjs";
import { createCharts } from "./charts.mjs";
import { clock } from "./locale.mjs";

const said = JSON.parse(document.getElementById("said").textContent);
const asked = new URLSearchParams(location.search);
const FEED_MOST = 30;
const REFRESH_MS = 4000;
const RENEW_MS = 300_000;
const PANELS = ["where", "elements", "today", "feed", "due", "ranking"];
// What a scenario is declared to lay over the map; without one the events.
const layersOf = (key) => said.scenarios.find((one) => one.key === key)?.layers ?? ["event"];
const state = {
  at: asked.get("at") ?? "",
  scenario: asked.get("scenario") ?? "",
  indicator: asked.get("indicator") ?? "",
  layers: asked.get("layers")?.split(",").filter((one) => one && one !== "none") ?? layersOf(asked.get("scenario")),
  names: null,
  edition: null,
  data: null,
  known: null,
  turn: 0,
  proof: Date.now(),
  steps: 0,
};
const pulses = createPulses(document.getElementById("pulses"));
const charts = createCharts(said);
const scenario = () => said.scenarios.find((one) => one.key === state.scenario) ?? null;

// map.mjs expects these of a page.
window.atlas = { last: null, prepare() {}, pick: (code) => go({ at: code }) };

async function ask(path, query) {
  const answer = await fetch(`${path}?${new URLSearchParams(query)}`);
  if (answer.status === 401) said.door ? location.assign(said.door) : location.reload(); // the session has ended
  if (!answer.ok) throw new Error(`${answer.status} ${path}`);
  state.proof = Date.now();
  return answer.json();
}

// From the beginning, as the server has the page now; one that does not answer would leave the screen to the browser.
async function renew() {
  const answer = await fetch(location.href).catch(() => null);
  if (answer?.ok) location.reload();
}

function address() {
  const [on, usual] = [state.layers.join(), layersOf(state.scenario).join()];
  const layers = on === usual ? "" : on || "none";
  const own = { at: state.at, scenario: state.scenario, indicator: state.indicator, layers, lang: said.lang === "zh" ? "" : said.lang };
  const kept = Object.entries(own).filter(([, value]) => value);
  const tour = asked.get("tour");
  if (tour) kept.push(["tour", tour]);
  history.replaceState(null, "", kept.length ? `?${new URLSearchParams(kept)}` : location.pathname);
  const to = new URLSearchParams(kept.filter(([key]) => key !== "lang" && key !== "tour"));
  if (said.lang === "zh") to.set("lang", "en");
  document.getElementById("language").href = `/wall${to.size ? `?${to}` : ""}`;
}

async function loadMap() {
  const query = { at: state.at, lang: said.lang, layers: state.layers.join(",") || "none", rows: "none", events: "open" };
  const indicator = state.indicator || scenario()?.indicators[0] || "open_events";
  query.indicator = indicator;
  const wanted = scenario()?.categories ?? [];
  if (wanted.length) query.categories = wanted.join();
  if (state.known) query.known = [state.known.language, state.known.style, state.known.defaults, state.known.drawn].join();
  const told = await ask("/api/view", query);
  if (query.at && query.at !== state.at) return; // somebody has gone on meanwhile
  const [before, style, view] = told.parts;
  state.known = before;
  view.title = document.title;
  window.atlas.last = { style: style ?? window.atlas.last.style, view };
  document.querySelector("#legend .body").replaceChildren(...told.panels.legend.map(build));
  show("legend", "there");
  window.dispatchEvent(new Event("atlas-view"));
}

async function loadPanels() {
  const { at, scenario: of } = state;
  const told = await ask("/api/watch", { at, scenario: of, lang: said.lang });
  if (state.data && told.page !== said.page) renew(); // this page is of another version than the server by now
  if (told.edition !== state.edition) await loadNames(told.edition);
  if (at !== state.at || of !== state.scenario) return; // somebody has gone on: an answer that comes late takes nobody back
  state.data = told;
  state.at = told.at;
  fillPanels(state, said, { go, fly });
  charts.draw(state.data);
}

// One part of the screen: whatever becomes of it, the others go on.
async function part(ids, read) {
  try {
    await read();
    return true;
  } catch (error) {
    console.info(error);
    ids.forEach((id) => fail(id, said, state.proof));
    return false;
  }
}

async function load({ map = true } = {}) {
  const turn = (state.turn += 1);
  const figures = part([...PANELS, ...(charts.isDrawn ? ["hours", "days"] : [])], loadPanels);
  if (!state.data) await figures; // on a slow line the figures come first and the map after them
  await Promise.all([figures, map ? part(["legend"], loadMap) : null]);
  if (turn === state.turn && state.data) address();
  document.documentElement.dataset.loaded = String(turn);
}

async function loadNames(edition) {
  const told = await ask("/api/names", { lang: said.lang, edition });
  const at = new Map(told.code.map((code, i) => [code, { code, name: told.name[i], lon: told.lon[i], lat: told.lat[i] }]));
  state.names = { at, categories: told.categories, states: told.states };
  state.edition = told.edition;
}

function go(changes) {
  if ("scenario" in changes) Object.assign(state, { indicator: "", layers: layersOf(changes.scenario) });
  Object.assign(state, changes);
  if ("layers" in changes && state.data) fillElements(state, said, { go, fly });
  return load();
}

// On to the small grid of a step; its own medium grid is opened, so that it lies among its siblings.
function fly(code) {
  pulses.add(state.names?.at.get(code), "reported");
  return go({ at: code.length > 12 ? code.slice(0, 12) : code });
}

let refresh = null;
function refreshSoon() {
  const spread = Math.random() * (state.data?.spread_s ?? 0) * 1000; // not all screens at once
  refresh ??= setTimeout(async () => {
    refresh = null;
    await load({ map: false });
  }, REFRESH_MS + spread);
}

// Steps that come together are shown together, in the next frame.
let waiting = [];
function onStep(step) {
  if (waiting.push(step) === 1) requestAnimationFrame(showSteps);
}

function showSteps() {
  const steps = waiting;
  waiting = [];
  state.steps += steps.length;
  const wanted = scenario()?.categories;
  const ours = wanted?.length ? steps.filter((one) => wanted.includes(one.category)) : steps;
  for (const one of ours) pulses.add(state.names?.at.get(one.grid_code), one.state);
  const here = state.data ? ours.filter((one) => one.grid_code.startsWith(state.at)).reverse() : [];
  if (here.length) {
    state.data.feed = [...here, ...state.data.feed].slice(0, FEED_MOST);
    fillFeed(state, said, { go, fly }, here.length);
  }
  if (ours.length) refreshSoon();
}

const live = openLive({
  step: onStep,
  load: () => go({}),
  hello: ({ version, edition }) => state.data && (version !== state.data.version || edition !== state.data.edition) && go({}),
  reset: async () => {
    await load();
    return state.data?.cursor;
  },
  proof: () => (state.proof = Date.now()),
});

const tour = createTour({ state, said, go, seconds: Number(asked.get("tour")) || said.tour_s });
bindKeys({ state, said, go, tour, search: (sought) => ask("/api/names/search", { sought, lang: said.lang }) });
document.getElementById("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen().catch(() => {});
});

function tick() {
  document.getElementById("clock").textContent = clock(new Date());
  const old = Math.max(0, Math.round((Date.now() - state.proof) / 1000));
  const age = document.getElementById("age");
  const words = said.words;
  const told = old < 60 ? `${old}${words.wall_seconds}` : `${Math.floor(old / 60)}${words.wall_minutes}`;
  age.textContent = said.suffix.ago.replace("{n}", told);
  age.dataset.age = old > 300 ? "old" : old > 60 ? "late" : "fresh";
}
tick();
setInterval(tick, 1000);
setInterval(load, 30_000); // on the map too cases come and go

window.addEventListener("atlas-map", ({ detail }) => {
  pulses.follow(detail);
  detail.once("idle", () => charts.start(() => state.data));
});
// Lists hold whole rows only: whatever changes the room they have, they are filled anew.
let resized = null;
const room = new ResizeObserver(() => {
  clearTimeout(resized);
  resized = setTimeout(() => {
    if (!state.data) return;
    fillPanels(state, said, { go, fly });
    charts.resize();
  }, 200);
});
for (const one of document.querySelectorAll(".side, .months")) room.observe(one);

async function begin() {
  for (await load(); !state.data; await load()) await new Promise((done) => setTimeout(done, 3000));
  live.start(state.data.cursor);
  const hasMap = await import("/assets/layers.mjs").then(() => import("/assets/map.mjs")).then(() => true, () => false);
  const lacksEngine = !hasMap || document.documentElement.matches(".no-engine");
  if (lacksEngine) setInterval(renew, RENEW_MS);
  if (lacksEngine || document.documentElement.matches(".no-webgl")) charts.start(() => state.data);
  if (said.tours || asked.get("tour")) tour.start();
}
begin();

// For tests and benchmarks: to look at, not to steer by.
Object.defineProperty(window, "__wall", {
  value: Object.freeze({
    get at() { return state.at; },
    get steps() { return state.steps; },
    get last() { return live.last; },
    get pulses() { return pulses.count; },
    get scenario() { return state.scenario; },
    get ready() { return Boolean(state.data && live.isOpen && document.documentElement.classList.contains("ready") && charts.isDrawn); },
  }),
});
