// What stands in the panels. Lists show as many whole rows as there is room for.
import { number, second, share as percent, time } from "./locale.mjs";

const STATES = ["reported", "accepted", "dispatched", "handling", "suspended", "handled", "checked", "closed", "refused"];

// A component as Python made it, as an element.
export function build(one) {
  if (one === null || typeof one !== "object") return document.createTextNode(one ?? "");
  const { children, className, style, ...rest } = one.props;
  const made = document.createElement(one.type);
  if (className) made.className = className;
  Object.assign(made.style, style);
  for (const [name, value] of Object.entries(rest)) made.setAttribute(name, value);
  made.append(...[children ?? []].flat().map(build));
  return made;
}

function tag(kind, className, ...inside) {
  const made = document.createElement(kind);
  if (className) made.className = className;
  made.append(...inside.filter((one) => one !== null && one !== undefined).map((one) => (typeof one === "number" ? String(one) : one)));
  return made;
}

function link(href, className, act, ...inside) {
  const made = tag("a", className, ...inside);
  made.href = href;
  made.addEventListener("click", (event) => {
    event.preventDefault();
    act();
  });
  return made;
}

export function show(id, kind, text = "") {
  const panel = document.getElementById(id);
  panel.dataset.state = kind;
  panel.querySelector(":scope > .state").textContent = text;
}

// What could not be read: a panel that was filled keeps what it shows and says since when that is old.
export function fail(id, said, since) {
  const isFilled = ["there", "empty", "stale"].includes(document.getElementById(id).dataset.state);
  if (isFilled) show(id, "stale", said.suffix.stale.replace("{at}", second(since)));
  else show(id, "failed", said.words.wall_failed);
}

function fill(id, rows, empty, small = "") {
  const panel = document.getElementById(id);
  const body = panel.querySelector(".body");
  const focused = [...body.children].indexOf(document.activeElement);
  panel.querySelector("h2 small").textContent = small;
  show(id, rows.length ? "there" : "empty", empty);
  body.replaceChildren(...rows);
  const foot = body.getBoundingClientRect().top + body.clientTop + body.clientHeight + 1;
  const ends = rows.map((row) => row.getBoundingClientRect().bottom); // all measured before any goes: one layout
  rows.slice(1).forEach((row, i) => ends[i + 1] > foot && row.remove());
  body.children[focused]?.focus();
}

function span(seconds, words) {
  const whole = Math.abs(seconds);
  if (whole < 3600) return `${Math.max(1, Math.round(whole / 60))}${words.wall_minutes}`;
  if (whole < 48 * 3600) return `${Math.round(whole / 3600)}${words.wall_hours_unit}`;
  return `${number(Math.round(whole / 86400))}${words.wall_days_unit}`;
}

const nameOf = (state, code) => state.names.at.get(code)?.name ?? code;
// A grid as it is known on the wall: the medium grid's name and, where it is finer, its own.
function whereOf(state, code) {
  const above = code.length > 12 ? `${nameOf(state, code.slice(0, 12))} ` : "";
  const own = nameOf(state, code);
  return own.startsWith(above.trim()) ? own : above + own;
}

export function fillFeed(state, said, { fly }, nNew = 0) {
  const rows = state.data.feed.map((one, i) => {
    const row = link(`?at=${one.grid_code}`, "event", () => fly(one.grid_code),
      tag("i", "dot"),
      tag("b", "", state.names.categories[one.category] ?? one.category),
      tag("span", "state-name", state.names.states[one.state]),
      tag("time", "", time(new Date(one.at))),
      tag("em", "", whereOf(state, one.grid_code)));
    row.dataset.state = one.state;
    if (i < nNew) row.classList.add("new");
    return row;
  });
  fill("feed", rows, said.words.wall_no_feed);
}

function fillWhere(state, said, { go }) {
  const scenario = said.scenarios.find((one) => one.key === state.scenario);
  const lengths = [4, 6, 9, 12, 15].filter((n) => n <= state.at.length && state.names.at.has(state.at.slice(0, n)));
  const steps = lengths.map((n) => {
    const code = state.at.slice(0, n);
    return code === state.at ? tag("b", "", nameOf(state, code)) : link(`?at=${code}`, "", () => go({ at: code }), nameOf(state, code), tag("i", "", "›"));
  });
  document.getElementById("path").replaceChildren(...steps);
  const rows = state.data.indicators.map((one, i) => {
    const chosen = state.indicator ? state.indicator === one.key : i === 0;
    return link("?", chosen ? "indicator here" : "indicator", () => go({ indicator: one.key }),
      tag("span", "", one.name), tag("b", "", one.value), tag("small", "", one.unit));
  });
  if (scenario) rows.unshift(tag("p", "question", scenario.question));
  fill("where", rows, "", state.data.level);
}

// A layer that is on is one of an element, or all of it under the element's own name.
const isOf = (said, layer, element) => layer === element || said.elements[layer] === element;
const isOn = (state, said, element) => state.layers.some((layer) => isOf(said, layer, element));

// The layers with all of an element off where any of it is on, else with the element on.
export function switched(state, said, element) {
  const others = state.layers.filter((layer) => !isOf(said, layer, element));
  return isOn(state, said, element) ? others : [...others, element];
}

// The switches answer at once; the map follows.
export function fillElements(state, said, { go }) {
  const { open } = state.data;
  const rows = state.data.elements.map((one, i) => {
    const on = isOn(state, said, one.key);
    const note = one.key === "event" ? said.words.wall_open : "";
    const dot = tag("i", "dot");
    dot.style.background = one.colour;
    const row = link("?", on ? "element on" : "element", () => go({ layers: switched(state, said, one.key) }), dot, tag("span", "", one.name, tag("small", "", note)),
      tag("b", "", one.key === "event" ? number(open.n) : one.value), tag("kbd", "", String(i + 1)));
    row.setAttribute("role", "switch");
    row.setAttribute("aria-checked", String(on));
    return row;
  });
  fill("elements", rows, "");
}

function bar(states, most, names) {
  const made = tag("u", "bar");
  for (const state of STATES) {
    if (!states[state]) continue;
    const part = tag("i");
    part.dataset.state = state;
    part.title = `${names[state]} ${number(states[state])}`;
    part.style.width = `${(states[state] / most) * 100}%`;
    made.append(part);
  }
  return made;
}

function fillToday(state, said) {
  const sums = {};
  const isQuiet = !state.data.today.length; // just past midnight the last 24 hours say more
  const rows = (isQuiet ? state.data.last_24 : state.data.today).map(([category, states]) => {
    for (const [one, n] of Object.entries(states)) sums[one] = (sums[one] ?? 0) + n;
    return [category, states, Object.values(states).reduce((a, b) => a + b, 0)];
  });
  const total = isQuiet ? 0 : rows.reduce((sum, [, , n]) => sum + n, 0);
  const most = rows[0]?.[2] ?? 1;
  const { states: names, categories } = state.names;
  const { open } = state.data;
  const head = tag("div", "totals",
    tag("p", "", tag("b", "", number(total)), tag("small", "", said.words.wall_reported)),
    tag("p", "late", tag("b", "", number(open.n_late)), tag("small", "", said.words.wall_late)),
    tag("p", "waiting", tag("b", "", number(open.n_unanswered)), tag("small", "", said.words.wall_unanswered)));
  const key = tag("div", "key", ...STATES.filter((one) => sums[one]).map((one) => {
    const part = tag("span", "", tag("i", "dot"), `${names[one]} ${number(sums[one])}`);
    part.dataset.state = one;
    return part;
  }));
  const lines = rows.map(([category, states, n]) =>
    tag("div", "category", tag("span", "", categories[category] ?? category), tag("b", "", number(n)), bar(states, most, names)));
  const none = isQuiet ? [tag("p", "none", rows.length ? said.words.wall_no_today : said.words.wall_none_today)] : [];
  const closed = state.data.sensitive.map(([name, n, where]) => tag("div", "category", tag("span", "", name, tag("small", "", where)), tag("b", "", n)));
  const sealed = closed.length && !state.scenario ? [tag("div", "sensitive", tag("p", "", said.words.wall_sensitive), ...closed)] : [];
  fill("today", [head, ...none, key, ...sealed, ...lines], "");
}

function fillDue(state, said, { fly }) {
  const now = Date.now();
  const soon = state.data.due.filter((one) => Date.parse(one.due_at) >= now);
  const late = state.data.due.filter((one) => Date.parse(one.due_at) < now);
  // The next to fall due and the longest late by turns, so that both are seen however many rows there is room for.
  const mixed = Array.from({ length: Math.max(soon.length, late.length) }, (_, i) => [late[i], soon[i]]).flat().filter(Boolean);
  const rows = mixed.map((one) => {
    const left = (Date.parse(one.due_at) - now) / 1000;
    const told = (left < 0 ? said.suffix.late_by : said.suffix.left).replace("{n}", span(left, said.words));
    const row = link(`?at=${one.grid_code}`, "event", () => fly(one.grid_code),
      tag("i", "dot"),
      tag("b", "", state.names.categories[one.category] ?? one.category),
      tag("time", "", told),
      tag("em", "", whereOf(state, one.grid_code)));
    row.dataset.due = left < 0 ? "late" : left < 86400 ? "soon" : "later";
    return row;
  });
  fill("due", rows, said.words.wall_no_due, `${said.words.wall_late} ${number(state.data.open.n_late)}`);
}

function fillRanking(state, said, { go }) {
  const rows = state.data.ranking.map((one, i) => {
    const share = tag("u", "bar");
    const part = tag("i");
    part.dataset.state = one.share >= 0.5 ? "late" : "soon";
    part.style.width = `${one.share * 100}%`;
    share.append(part);
    const told = said.suffix.share.replace("{late}", number(one.late)).replace("{unanswered}", number(one.unanswered)).replace("{open}", number(one.open));
    return link(`?at=${one.code}`, "rank", () => go({ at: one.code }),
      tag("i", "", i + 1), tag("span", "", nameOf(state, one.code)), tag("b", "", percent(one.share)), share, tag("em", "", told));
  });
  fill("ranking", rows, said.words.wall_no_ranking, state.data.ranked);
}

function fillScenarios(state, said, { go }) {
  const all = [{ key: "", name: said.words.wall_everything, question: "" }, ...said.scenarios];
  const links = all.map((one) => {
    const made = link(one.key ? `/wall?scenario=${one.key}` : "/wall", one.key === state.scenario ? "here" : "", () => go({ scenario: one.key }), one.name);
    if (one.key === state.scenario) made.setAttribute("aria-current", "page");
    made.title = one.question;
    return made;
  });
  document.getElementById("scenarios").replaceChildren(...links);
}

export function fillPanels(state, said, acts) {
  fillScenarios(state, said, acts);
  fillWhere(state, said, acts);
  fillElements(state, said, acts);
  fillToday(state, said);
  fillFeed(state, said, acts);
  fillDue(state, said, acts);
  fillRanking(state, said, acts);
}
