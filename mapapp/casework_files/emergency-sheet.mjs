// The sheet that is printed: one page of A4, black on white, filled when it is asked for.
import { category, el, t, told } from "./desk.mjs";
import { beyond, count, day, details, metres, nameOf, peopleSentences, sources } from "./emergency-panel.mjs";

const ROWS = { protected: 3, resource: 3, contacts: 7, workers: 7 };

const more = (n) => (n > 0 ? el("p", { class: "more" }, t("near_more", { n: count(n) })) : null);

const found = (part, list) => list.filter((group) => group.rows.length).map((group) => el("div", { class: `group ${part}` },
  el("h4", {}, el("i", {}), category(group.category), part === "protected" ? ` ${count(group.n)}` : ""),
  el("ol", {}, group.rows.slice(0, ROWS[part]).map((row) => el("li", {}, el("b", {}, row.name), el("u", {}, metres(row.m)), el("small", {}, details(row))))),
  part === "protected" ? more(group.n - Math.min(group.rows.length, ROWS[part])) : null));

const posts = (list, most) => [
  el("ol", {}, list.slice(0, most).map((one) => el("li", {}, el("b", {}, one.name ?? one.kind), one.name ? ` ${one.kind} ` : " ", el("u", {}, one.phone ?? ""), el("small", {}, one.grids.slice(0, 2).join(t("near_and")))))),
  more(list.length - most),
];

export function fillSheet(host, said, label, picture, legend) {
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
        el("h3", {}, t("near_people"), " ", el("b", {}, said.people.all?.n ?? "—")),
        el("p", {}, people.snapped),
        el("dl", {}, people.care.map((one) => [el("dt", {}, one.name), el("dd", {}, one.n, el("small", {}, ` ${one.more}`))])),
        el("p", { class: "more" }, [people.missing, people.month, outside].filter(Boolean).join(" · ")),
        el("h3", {}, t("near_events"), ` ${count(said.events.n)} · ${t("near_late", { n: count(said.events.n_late) })}`),
        el("p", {}, said.events.by_category.slice(0, 8).map((one) => `${category(one.category)} ${count(one.n)}`).join(" · ")))),
    el("div", { class: "columns" },
      el("section", {}, el("h3", {}, t("near_protected")), found("protected", said.protected)),
      el("section", {}, el("h3", {}, t("near_resources")), found("resource", said.resources)),
      el("section", {}, el("h3", {}, t("near_contacts")), posts(said.contacts, ROWS.contacts),
        el("h3", {}, t("near_workers"), ` ${count(said.workers.length)}`), posts(said.workers, ROWS.workers))),
    el("footer", {}, el("p", {}, `${t("near_sources")}: ${sources(said).join(t("near_and"))}`), el("p", {}, `${t("near_measured")} · ${t("near_workers_note")}`)),
  );
}
