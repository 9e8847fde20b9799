// The sheet that is printed: one page of A4, black on white, filled when it is asked for, with as many rows as fit.
import { category, el, t, told } from "./desk.mjs";
import { age, beyond, count, counted, day, details, kindCount, metres, nameOf, peopleSentences, sources } from "./emergency-panel.mjs";

const MOST = { protected: 3, resource: 3, contacts: 7, workers: 7 };
// What the margins leave of the height of A4, in pixels, and a little less: lines are broken anew on paper.
const HEIGHT = (270 / 25.4) * 96;
const COLUMNS = [["protected"], ["resource"], ["contacts", "workers"]];

const more = (n, kind) => (n > 0 ? el("p", { class: "more" }, t(`near_more_${kind}`, { n: count(n) })) : null);

const found = (part, list, most) => list.filter((group) => group.rows.length).map((group) => el("div", { class: `group ${part}` },
  el("h4", {}, el("i", {}), category(group.category), part === "protected" ? ` ${counted(group.n, "places")}` : ""),
  el("ol", {}, group.rows.slice(0, most).map((row) => el("li", {}, el("b", {}, row.name), el("u", {}, metres(row.m)), el("small", {}, details(row))))),
  part === "protected" ? more(group.n - Math.min(group.rows.length, most), "places") : null));

const without = (list) => {
  const names = list.filter((group) => !group.rows.length).map((group) => category(group.category));
  return names.length ? el("p", { class: "more" }, t("near_nothing", { names: names.join(t("near_and")) })) : null;
};

const posts = (list, most) => [
  el("ol", {}, list.slice(0, most).map((one) => el("li", {}, el("b", {}, one.name ?? one.kind), one.name ? ` ${one.kind} ` : " ", el("u", {}, one.phone ?? ""), el("small", {}, one.grids.slice(0, 2).join(t("near_and")))))),
  more(list.length - most, "people"),
];

// Rows are left out where the column is longest until it is one page, and last of all it is drawn smaller.
export function fillSheet(host, ...all) {
  const rows = { ...MOST };
  host.classList.add("measured");
  host.style.zoom = 1;
  write(host, rows, ...all);
  while (host.offsetHeight > HEIGHT) {
    const heights = [...host.querySelectorAll(".columns section")].map((one) => [one.lastElementChild.getBoundingClientRect().bottom, one]);
    const parts = COLUMNS.map((part, i) => [heights[i][0], part.toSorted((a, b) => rows[b] - rows[a])[0]]);
    const longest = parts.filter(([, part]) => rows[part] > 1).toSorted((a, b) => b[0] - a[0])[0];
    if (!longest) break;
    rows[longest[1]] -= 1;
    write(host, rows, ...all);
  }
  host.style.zoom = Math.min(1, HEIGHT / host.offsetHeight);
  host.classList.remove("measured");
}

function write(host, rows, said, label, picture, legend) {
  const people = peopleSentences(said);
  const outside = beyond(said);
  host.replaceChildren(
    el("header", {},
      el("h1", {}, `${told.city} · ${t("near_title")}`),
      el("h2", {}, nameOf(said, label)),
      el("p", {}, t("near_made", { moment: day(said.at), account: told.account }), told.notice ? ` · ${told.notice}` : "")),
    el("div", { class: "top-half" },
      el("figure", {}, picture ? el("img", { src: picture, alt: t("near_map") }) : null, el("figcaption", {}, legend.map((one) => el("span", {}, one.cloneNode(true))))),
      el("div", { class: "people" },
        el("h3", {}, t("near_people"), " ", el("b", {}, people.total)),
        el("p", {}, people.snapped),
        el("dl", {}, people.care.map((one) => [el("dt", {}, one.name), el("dd", {}, one.n, el("small", {}, ` ${one.more}`))])),
        el("p", { class: "more" }, [people.missing, people.month, outside].filter(Boolean).join(" · ")),
        el("h3", {}, t("near_events"), ` ${counted(said.events.n, "events")} · ${t("near_late", { n: count(said.events.n_late) })}`),
        el("p", {}, said.events.by_category.slice(0, 8).map(kindCount).join(" · ")))),
    el("div", { class: "columns" },
      el("section", {}, el("h3", {}, t("near_protected")), found("protected", said.protected, rows.protected), without(said.protected)),
      el("section", {}, el("h3", {}, t("near_resources")), found("resource", said.resources, rows.resource)),
      el("section", {}, el("h3", {}, t("near_contacts")), posts(said.contacts, rows.contacts),
        el("h3", {}, t("near_workers"), ` ${counted(said.workers.length, "people")}`), posts(said.workers, rows.workers))),
    el("footer", {}, el("p", {}, age(said)), el("p", {}, `${t("near_sources")}: ${sources(said).join(t("near_and"))}`), el("p", {}, `${t("near_measured")} · ${t("near_workers_note")}`)),
  );
}
