// The answer beside the map, section by section, and the words both it and the printed sheet use.
import { category, el, moment, say, t, to, told } from "./desk.mjs";

const number = new Intl.NumberFormat(told.lang === "zh" ? "zh-CN" : "en-GB");
export const count = (n) => number.format(n);

export function metres(m) {
  if (m === null || m === undefined) return t("near_grid_only");
  if (m < 0.5) return t("near_inside");
  return m < 9950 ? t("near_m", { n: count(m < 100 ? Math.round(m) : Math.round(m / 10) * 10) }) : t("near_km", { n: (m / 1000).toFixed(1) });
}

const whole = new Intl.DateTimeFormat(told.lang === "zh" ? "zh-CN" : "en-GB", {
  dateStyle: "medium", timeStyle: "short", timeZone: told.zone,
});
export const day = (iso) => whole.format(new Date(iso)).replace(", ", " ");

const length = (m) => (m % 1000 === 0 ? t("near_km", { n: m / 1000 }) : t("near_m", { n: count(m) }));

// What the area is called: after the place searched for, else the grid in its middle.
export function nameOf(said, label) {
  const name = label || said.area.names[0] || said.grids.rows[0]?.name || t("near_point");
  if (said.area.kind === "circle") return t("near_around", { name, m: length(said.area.r) });
  if (said.area.kind === "shape") return t("near_in_shape", { name });
  const n = said.area.codes.length;
  return t(n > 1 ? "near_in_many" : "near_in_grids", { name, n });
}

export const ringName = (said) => (said.area.kind === "circle" ? length(said.area.r) : "");

export function peopleSentences(said) {
  const { all, care, missing, month } = said.people;
  const level = (one) => (one.level === "small" ? "" : t("near_care_level", { n: count(one.n_grids), level: t(`level_${one.level}`) }));
  const whole = (one) => (one.n_whole === null ? "" : t("near_care_whole", { n: one.n_whole }));
  return {
    snapped: all ? t("near_snapped", { n: count(all.n_grids), people: all.n, whole: all.n_whole, off: count(all.off_by) }) : t("near_no_people"),
    total: all ? t("near_n_people", { n: all.n }) : "—",
    care: care.map((one) => ({ name: one.name, n: t("near_n_people", { n: one.n }), more: level(one) || whole(one) })),
    missing: missing.length ? t("near_care_missing", { names: missing.join(t("near_and")) }) : "",
    month: month ? t("near_month", { month }) : "",
  };
}

export const counted = (n, kind) => t(n === 1 ? `near_one_${kind}` : `near_n_${kind}`, { n: count(n) });
export const kindCount = (one) => `${category(one.category)} ${counted(one.n, "events")}`;
export const details = (row) => row.told.map(([label, value]) => `${label} ${value}`).join(" · ");
export const beyond = (said) => (said.grids.share < 0.995 ? t("near_beyond", { share: Math.max(1, Math.round((1 - said.grids.share) * 100)) }) : "");
export const sources = (said) => said.sources.map((one) => t("near_source", { ...one, moment: one.loaded_at ? day(one.loaded_at) : "—" }));

// When the oldest of the data behind an answer came in.
export function age(said) {
  const oldest = said.sources.map((one) => one.loaded_at).filter(Boolean).sort()[0];
  return oldest ? t("near_as_of", { moment: day(oldest) }) : "";
}

// Points of an answer for the map; ids tie them to the rows of the panel.
export function features(said) {
  const made = [];
  const put = (kind, id, order, name, row) => row.lon !== null && made.push({
    type: "Feature", geometry: { type: "Point", coordinates: [row.lon, row.lat] }, properties: { id, kind, name, order },
  });
  said.events.rows.forEach((row, n) => put(row.is_late ? "late" : "event", `event-${n}`, row.is_late ? 2 : 1, category(row.category), row));
  for (const part of ["resource", "protected"]) {
    for (const group of said[part === "resource" ? "resources" : "protected"]) {
      group.rows.forEach((row, n) => put(part, `${part}-${group.category}-${n}`, part === "resource" ? 3 : 4, row.name, row));
    }
  }
  return made;
}

const figure = (name, value, note, kind = "") => el("div", { class: `figure ${kind}` }, el("span", {}, name), el("b", {}, value), el("small", {}, note));

function spot(id, on, ...inside) {
  const hot = () => on.hot(id);
  const cold = () => on.hot(null);
  return el("li", { tabindex: "0", "data-spot": id, on: { mouseenter: hot, focus: hot, mouseleave: cold, blur: cold, click: () => on.pick(id) } }, ...inside);
}

function groups(part, list, on) {
  return list.map((group) => el("div", { class: `group ${part}` },
    el("h4", {}, el("i", {}), category(group.category), el("em", {}, group.rows.length ? counted(group.n, "places") : t("near_none")), el("small", {}, group.department)),
    el("ol", {}, group.rows.map((row, n) => spot(`${part}-${group.category}-${n}`, on,
      el("b", {}, row.name), el("u", {}, metres(row.m)), el("small", {}, [details(row), row.grid].filter(Boolean).join(" · "))))),
    group.n > group.rows.length && part === "protected" ? el("p", { class: "hint" }, t("near_more_places", { n: count(group.n - group.rows.length) })) : null));
}

const post = (one) => el("li", {},
  el("b", {}, one.name ?? one.kind), one.name ? el("em", {}, one.kind) : null,
  one.phone ? el("a", { href: `tel:${one.phone}`, "aria-label": `${t("near_phone")} ${one.phone}` }, one.phone) : null,
  el("small", {}, one.grids.join(t("near_and"))));

function posts(title, note, list) {
  const isShut = list.length && list.every((one) => one.name === null);
  return el("section", { class: "posts" },
    el("h3", {}, title, el("em", {}, counted(list.length, "people")), note ? el("small", {}, note) : null),
    isShut ? el("p", { class: "hint" }, t("near_no_names")) : null,
    el("ul", {}, list.map(post)));
}

function events(said, on) {
  const { n, n_late: late, by_category: kinds, rows } = said.events;
  return el("section", { class: "events" },
    el("h3", {}, t("near_events"), el("em", {}, counted(n, "events")), late ? el("strong", {}, t("near_late", { n: count(late) })) : null),
    el("p", { class: "counted" }, kinds.map((one) => el("span", { class: one.n_late ? "late" : "" }, kindCount(one)))),
    el("ol", {}, rows.slice(0, 40).map((row, k) => spot(`event-${k}`, on,
      el("b", {}, category(row.category)), el("i", { class: `state ${row.state}` }, say("state", row.state)),
      row.is_late ? el("strong", {}, t("near_is_late")) : null, el("u", {}, metres(row.distance_m)),
      el("small", {}, row.grid, row.due_at ? ` · ${t("case_due")} ${moment(row.due_at)}` : ""),
      row.id ? el("a", { href: to(`/cases?case=${row.id}`), "aria-label": t("near_case", { id: row.id }) }, `${row.id}`) : null))));
}

export function showAnswer(host, said, label, on) {
  const people = peopleSentences(said);
  const n = (list) => list.reduce((sum, one) => sum + one.n, 0);
  const outside = beyond(said);
  host.replaceChildren(
    el("header", {}, el("h2", {}, nameOf(said, label)), el("time", {}, day(said.at)), el("p", { class: "age" }, age(said)), outside ? el("p", { class: "beyond" }, outside) : null),
    el("div", { class: "figures" },
      figure(t("near_people"), said.people.all?.n ?? "—", said.people.all ? t("near_people_unit") : ""),
      figure(t("near_protected"), count(n(said.protected)), t("near_places_inside"), "protected"),
      figure(t("near_events"), count(said.events.n), t("near_events_inside")),
      figure(t("near_is_late"), count(said.events.n_late), t("near_events_inside"), said.events.n_late ? "late" : "")),
    el("section", { class: "people" }, el("p", {}, people.snapped),
      people.care.length ? el("h4", {}, t("near_care")) : null,
      el("dl", {}, people.care.map((one) => [el("dt", {}, one.name), el("dd", {}, one.n, el("small", {}, one.more))])),
      el("p", { class: "hint" }, [people.missing, people.month].filter(Boolean).join(" · "))),
    el("section", {}, el("h3", {}, t("near_protected"), el("em", {}, counted(n(said.protected), "places"))), groups("protected", said.protected, on)),
    el("section", {}, el("h3", {}, t("near_resources"), el("small", {}, t("near_nearest"))), groups("resource", said.resources, on)),
    posts(t("near_contacts"), "", said.contacts),
    posts(t("near_workers"), t("near_workers_note"), said.workers),
    events(said, on),
    el("footer", {}, el("h4", {}, t("near_sources")), el("ul", {}, sources(said).map((one) => el("li", {}, one))), el("p", { class: "hint" }, t("near_measured"))),
  );
}
