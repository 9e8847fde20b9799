// Folding at the command centre: groups that may be one thing, side by side. Nothing folds without a click on its group.
import { ask, category, el, moment, newKey, once, say, t, told } from "./desk.mjs";

const RADIUS_M = 6371008.8;
let turn = 0;

export function makeFolding(dialog, state, doors) {
  const at = (name) => dialog.querySelector(`[data-at=${name}]`);
  const within = at("within");

  async function look() {
    const mine = (turn += 1);
    at("count").textContent = t("fold_looking");
    at("groups").replaceChildren();
    const asked = state();
    asked.delete("case");
    asked.set("within", within.value);
    try {
      const said = await ask(`/cases/alike?${asked}`);
      if (mine !== turn) return;
      const n = said.groups.reduce((sum, one) => sum + one.length, 0);
      at("count").textContent = t("fold_count", { compared: said.n_compared, all: said.n, n, groups: said.groups.length });
      at("groups").replaceChildren(...(said.groups.length ? said.groups.map((one, number) => group(one, number, look, doors))
        : [el("p", { class: "empty" }, t("fold_none"))]));
    } catch (error) {
      if (mine === turn) at("count").textContent = t("fold_failed");
    }
  }

  within.addEventListener("change", look);
  at("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", (event) => {
    const move = { j: 1, k: -1 }[event.key];
    if (!move || event.target.closest("select")) return;
    const buttons = [...dialog.querySelectorAll("[data-fold]")];
    const here = buttons.findIndex((one) => one.closest(".fold").contains(document.activeElement));
    const next = buttons[Math.max(0, Math.min(buttons.length - 1, here + move))];
    next?.focus();
    next?.closest(".fold").scrollIntoView({ block: "nearest" });
    event.preventDefault();
  });
  dialog.addEventListener("close", doors.changed);
  return () => {
    dialog.showModal();
    look();
  };
}

// One group: the leading case is chosen, single ones are taken out, and the button says what it will do.
function group(cases, number, look, doors) {
  const chosen = { leading: cases[0], out: new Set(), key: newKey() };
  const button = el("button", { class: "first", "data-fold": String(number) });
  const said = el("p", { role: "status" });
  const host = el("section", { class: "fold", "aria-label": t("fold_group", { n: number + 1 }) });
  const others = () => cases.filter((one) => one !== chosen.leading && !chosen.out.has(one.id));
  const draw = () => {
    const n = others().length;
    button.textContent = n ? t("fold_into", { n, id: chosen.leading.id }) : t("fold_nobody");
    button.disabled = !n;
    for (const one of cards) one.draw();
  };
  const change = () => {
    chosen.key = newKey();
    draw();
  };
  const cards = cases.map((one) => card(one, number, chosen, change));
  button.addEventListener("click", once(button, async () => {
    const body = { key: chosen.key, leading: [chosen.leading.id, chosen.leading.version], cases: others().map((one) => [one.id, one.version]) };
    try {
      done(await ask("/cases/fold", body));
    } catch (error) {
      const again = el("button", {}, t("fold_again"));
      again.addEventListener("click", look);
      said.replaceChildren(el("b", { class: "late" }, t(error.why ? "fold_changed" : "fold_not_sent")), " ", error.why ? again : "");
    }
  }));
  const done = ({ leading, authors }) => {
    const link = el("a", { href: `?case=${leading}` }, t("fold_open", { id: leading }));
    link.addEventListener("click", (event) => {
      event.preventDefault();
      doors.open(leading);
      host.closest("dialog").close();
    });
    host.classList.add("folded");
    host.replaceChildren(el("p", { role: "status", tabindex: "-1" }, t("fold_done", { n: others().length, id: leading, authors }), " ", link));
  };
  host.append(
    el("header", {}, el("h3", {}, `${category(cases[0].category)} · ${[...new Set(cases.map((one) => one.grid ?? one.grid_code))].slice(0, 3).join(" / ")}`), el("span", {}, t("fold_size", { n: cases.length })), button),
    said, el("div", { class: "cards" }, cards.map((one) => one.made)));
  draw();
  return host;
}

function card(one, number, chosen, change) {
  const lead = el("input", { type: "radio", name: `leading ${number}`, "aria-label": t("fold_lead", { id: one.id }) });
  const tick = el("input", { type: "checkbox", "aria-label": t("fold_in", { id: one.id }) });
  lead.addEventListener("change", () => {
    chosen.leading = one;
    chosen.out.delete(one.id);
    change();
  });
  tick.addEventListener("change", () => {
    tick.checked ? chosen.out.delete(one.id) : chosen.out.add(one.id);
    change();
  });
  const how = el("small", {});
  const shown = one.photos.slice(0, 3).map((id, n) => el("img", { src: `/cases/photo/${id}`, alt: t("case_photo", { n: n + 1 }), loading: "lazy" }));
  const made = el("article", { "data-id": String(one.id) },
    el("div", { class: "row" }, el("label", {}, tick, ` ${one.id}`), el("label", {}, lead, ` ${t("fold_leading")}`), el("i", { class: `state ${one.state}` }, say("state", one.state))),
    el("p", {}, one.summary), el("div", { class: "photos" }, shown),
    el("small", {}, `${one.grid ?? one.grid_code} · ${moment(one.reported_at)} · ${say("channel", one.channel)}`), how);
  const draw = () => {
    const leads = chosen.leading === one;
    lead.checked = leads;
    tick.checked = leads || !chosen.out.has(one.id);
    tick.disabled = leads;
    made.className = leads ? "leading" : chosen.out.has(one.id) ? "out" : "";
    const far = leads ? null : metres(one, chosen.leading);
    how.textContent = [t("fold_like", { like: Math.round(one.like * 100) }), far === null ? "" : t("fold_far", { m: far })].filter(Boolean).join(" · ");
  };
  return { made, draw };
}

// Metres between two cases, to two digits; nothing where a place is not known.
function metres(one, other) {
  if ([one, other].some((each) => each.lon === null || each.lat === null)) return null;
  const turned = (degrees) => (degrees * Math.PI) / 180;
  const x = turned(one.lon - other.lon) * Math.cos(turned(one.lat));
  const m = Math.hypot(x, turned(one.lat - other.lat)) * RADIUS_M;
  return new Intl.NumberFormat(told.lang === "zh" ? "zh-CN" : "en-GB", { maximumSignificantDigits: 2 }).format(m);
}

// Whom a case answers: everybody whose report was folded into it, by which way, and what they said of it.
export function authors(one, page) {
  if (!one.authors.length) return null;
  const isOver = ["closed", "refused"].includes(one.state);
  const line = (author) => {
    const link = el("button", { class: "plain" }, String(author.id));
    link.addEventListener("click", () => page.open(author.id));
    const answer = author.is_satisfied === null ? "" : t(author.is_satisfied ? "case_back_was_yes" : "case_back_was_no");
    return el("li", { "data-author": String(author.id) }, author.id === one.id ? el("b", {}, String(author.id)) : link,
      ` ${say("channel", author.channel)} · ${moment(author.reported_at)} · ${t(`fold_way_${author.way}`)}`, answer ? ` · ${answer}` : "");
  };
  return el("section", { class: "authors" }, el("h3", {}, t(isOver ? "fold_answered" : "fold_owed", { n: one.authors.length })), el("ul", {}, one.authors.map(line)));
}
