// What the pages of the closed loop share: texts, moments, elements, and asking the server.
import "./day.mjs";

export const told = JSON.parse(document.getElementById("told").textContent);

export const t = (key, filled = {}) =>
  (told.words[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => filled[name] ?? all);

export const say = (prefix, value) => (value ? told.words[`${prefix}_${value}`] ?? value : "");
export const category = (key) => told.categories[key] ?? key ?? "";
export const department = (key) => told.departments[key] ?? key ?? "";

// Moments of another year say which.
const locale = told.lang === "zh" ? "zh-CN" : "en-GB";
const parts = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: told.zone };
const [shown, dated, year] = [parts, { ...parts, year: "numeric" }, { year: "numeric", timeZone: told.zone }]
  .map((one) => new Intl.DateTimeFormat(locale, one));
export function moment(iso) {
  if (!iso) return "";
  const at = new Date(iso);
  return (year.format(at) === year.format(new Date()) ? shown : dated).format(at);
}

// A day without a time is the same day everywhere.
const whole = new Intl.DateTimeFormat(locale, { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" });
export const day = (iso) => (iso ? whole.format(new Date(iso)) : "");

export const number = new Intl.NumberFormat(locale).format;

// How long until a deadline, or since it passed: days when there are some, else hours, else minutes.
export function left(iso) {
  const minutes = Math.round((new Date(iso) - Date.now()) / 60000);
  const n = Math.abs(minutes);
  const [amount, unit] = n >= 2880 ? [Math.floor(n / 1440), "days"] : n >= 60 ? [Math.floor(n / 60), "hours"] : [n, "minutes"];
  return t(minutes < 0 ? `clock_late_${unit}` : `clock_left_${unit}`, { n: number(amount) });
}

// Another page in the same language.
export const to = (path) => (told.lang === "en" ? `${path}${path.includes("?") ? "&" : "?"}lang=en` : path);

// What the address says of the page is changed in it, and goes along into the other language.
export const state = () => new URLSearchParams(window.location.search);
export function go(changes, { push = true } = {}) {
  const said = state();
  for (const [key, value] of Object.entries(changes)) value ? said.set(key, value) : said.delete(key);
  history[push ? "pushState" : "replaceState"](null, "", said.size ? `?${said}` : window.location.pathname);
}
document.querySelector(".language").addEventListener("click", (event) => {
  const said = state();
  told.lang === "zh" ? said.set("lang", "en") : said.delete("lang");
  event.currentTarget.href = said.size ? `?${said}` : window.location.pathname;
});

export function el(tag, props = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") for (const [kind, run] of Object.entries(value)) made.addEventListener(kind, run);
    else if (name in made && typeof value !== "string") made[name] = value;
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...inside.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
  return made;
}

export function notice(text, kind = "alarm") {
  const host = document.getElementById("notice");
  host.className = kind;
  host.textContent = text;
  clearTimeout(host.timer);
  if (text) host.timer = setTimeout(() => { host.textContent = ""; }, kind === "alarm" ? 12000 : 4000);
}

// A key for one request: kept until there is an answer, so that sending it again does nothing twice.
export const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");

export const formToken = () => document.cookie.match(/(?:^|; )_csrf_token=([^;]+)/)?.[1] ?? "";

// Why something was refused, in the reader's words: the sentences of errors are English.
export function reason({ why, need, told: filled }) {
  const key = ["case_why", "near_why", "refused"].map((kind) => `${kind}_${why}`).find((one) => one in told.words);
  const more = told.words[`need_${need}`]; // every need has a text; no word of the program is ever shown
  return t(key ?? "case_failed", filled) + (more ? `: ${more}` : "");
}

export class Refused extends Error {
  constructor(status, said) {
    super(reason(said));
    Object.assign(this, { status, why: said.why, need: said.need, told: said.told, hint: said.hint });
  }
}

// What is said of something that did not come: where no answer came the browser's own words are no help.
export const whyOf = (error) => (error instanceof TypeError ? t("near_unheard") : error.message);

// `stays` keeps the page where it is when the session has ended.
export async function ask(path, body, { stays = false, signal } = {}) {
  const sent = body === undefined ? { signal } : {
    signal,
    method: "POST",
    headers: { "x-csrftoken": formToken(), ...(body instanceof FormData ? {} : { "content-type": "application/json" }) },
    body: body instanceof FormData ? body : JSON.stringify(body),
  };
  const answer = await fetch(path, sent);
  if (answer.status === 401 && !stays) {
    window.location.assign(`/sign-in?next=${encodeURIComponent(window.location.pathname + window.location.search)}`);
    throw new Refused(401, {});
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, said);
  return said;
}

// Do something once: the button is shut until there is an answer.
export const once = (button, run) => async (event) => {
  event?.preventDefault();
  if (button.disabled) return;
  button.disabled = true;
  button.classList.add("busy");
  try {
    await run(event);
  } catch (error) {
    notice(whyOf(error));
    if (error.why === "stale" || error.why === "gone") window.dispatchEvent(new Event("casework-changed"));
  } finally {
    button.disabled = false;
    button.classList.remove("busy");
  }
};

// Hear of changes, a second after the last of a burst. A stream that was lost names the last step it told; which data and
// grids are in force it says when it is back, and what was loaded meanwhile shows by that.
export function listen(run, kinds = ["step", "reset", "load"]) {
  let waiting = null;
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(run, 800);
  };
  let last = "";
  let held = "";
  const open = () => {
    const stream = new EventSource("/live" + (last ? `?since=${last}` : ""));
    for (const kind of kinds) {
      stream.addEventListener(kind, (event) => {
        last = event.lastEventId || last;
        soon();
      });
    }
    stream.addEventListener("hello", (event) => {
      last = event.lastEventId || last;
      const { version, edition } = JSON.parse(event.data);
      const now = `${version} ${edition}`;
      if (held && held !== now && kinds.includes("load")) soon();
      held = now;
    });
    stream.onerror = () => { if (stream.readyState === 2) setTimeout(open, 3000); };
  };
  open();
  window.addEventListener("casework-changed", run);
}
