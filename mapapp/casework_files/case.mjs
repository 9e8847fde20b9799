// One case: what it is, where it stands, its clock, the steps allowed now and nothing else, log, photos, what is near.
import { together } from "./call.mjs";
import { showEcho } from "./echo.mjs";
import { authors } from "./fold.mjs";
import { identity } from "./identity.mjs";
import { ask, category, department, el, left, moment, newKey, notice, once, say, t, told } from "./desk.mjs";

const OPENERS = ["grid_worker", "case_officer"];
let turn = 0;

export async function showCase(host, id, page, isWanted = () => true) {
  const mine = (turn += 1);
  if (!id) {
    host.replaceChildren(el("p", { class: "empty" }, t("case_none_open")));
    return;
  }
  if (host.dataset.id !== String(id)) host.replaceChildren(el("p", { class: "empty" }, t("case_loading")));
  let one;
  let joint;
  try {
    [one, joint] = await Promise.all([ask(`/cases/one/${id}`), ask(`/calls/about/${id}`)]);
  } catch (error) {
    if (mine === turn) host.replaceChildren(head(id, null, page), el("p", { class: "empty" }, t(`case_why_${error.why ?? "failed"}`)));
    return;
  }
  if (mine !== turn || !isWanted()) return;
  host.dataset.id = String(id);
  const again = async () => {
    await showCase(host, id, page);
    await page.changed();
  };
  const people = OPENERS.includes(told.role) ? await ask(`/care/case/${id}`).catch(() => []) : [];
  if (mine !== turn) return;
  host.replaceChildren(
    ...[head(id, one, page), facts(one), whom(people, id), steps(one, again), together(one, joint, again), visitBack(one, again), showEcho(one, again), photos(one, again), authors(one, page), log(one), ties(one), near(one, page)].filter(Boolean),
  );
}

const close = (page) => {
  const button = el("button", { class: "plain close", "aria-label": t("case_close") }, "×");
  button.addEventListener("click", page.close);
  return button;
};

const head = (id, one, page) => el("header", {},
  el("h2", {}, one ? category(one.category) : `${id}`),
  one ? el("i", { class: `state ${one.state}` }, say("state", one.state)) : null,
  one?.outcome ? el("i", { class: "outcome" }, say("outcome", one.outcome)) : null,
  one?.is_urgent ? el("em", { class: "urgent" }, t("case_urgent")) : null,
  one?.is_sensitive ? el("em", { class: "urgent" }, t("case_sensitive")) : null,
  el("small", {}, `${id}`), close(page));

// Whom the case is about: masked, opened field by field.
const whom = (people, id) => people.length ? el("section", {}, el("h3", {}, t("care_people")),
  people.map((person) => [el("b", {}, say("care_kind", person.kind)), identity(person, id)])) : null;

function clock(one) {
  const isOpen = !["closed", "refused"].includes(one.state);
  if (!one.promise?.amount) { // delivered with a deadline and no promise, or neither
    return one.due_at ? `${t("case_due")} ${moment(one.due_at)}${isOpen ? ` · ${left(one.due_at)}` : ""}` : t("clock_none");
  }
  const amount = t("clock_promise", { n: one.promise.amount, unit: t(`clock_${one.promise.unit}`) });
  if (!one.due_at) return `${amount} · ${t("clock_stands")}`;
  const due = `${amount} · ${t("case_due")} ${moment(one.due_at)}`;
  return (isOpen ? `${due} · ${left(one.due_at)}` : due) + (one.promise.is_provisional ? ` · ${t("clock_provisional")}` : "");
}

function placeOf(path) {
  const names = path.map(({ code, name }) => told.names[code] ?? name);
  return names.slice(1).join(" › ") || names[0];
}

function facts(one) {
  const rows = [
    ["case_place", placeOf(one.path)],
    ["case_reported", `${moment(one.reported_at)} · ${say("channel", one.channel)}`],
    ["case_department", department(one.department) || t("case_nobody")],
    ["case_clock", clock(one)],
  ];
  const isLate = one.due_at && new Date(one.due_at) < Date.now() && !["closed", "refused"].includes(one.state);
  return el("section", {}, el("p", { class: "summary" }, one.summary || t("case_no_words")),
    el("dl", {}, rows.map(([key, text]) => [el("dt", {}, t(key)), el("dd", { class: key === "case_clock" && isLate ? "late" : "" }, text)])));
}

// A button for each step; one that needs something opens its fields first.
function steps(one, again) {
  const host = el("section", { class: "steps" });
  const form = el("div", {});
  const buttons = one.steps.map((step, n) => {
    const button = el("button", { class: n === 0 ? "first" : "", "data-step": step.step }, say("step", step.step));
    const key = newKey();
    const asks = step.needs.filter((need) => ["reason", "department", "until", "outcome", "original"].includes(need));
    const send = async (more) => {
      await ask(`/cases/one/${one.id}/step`, { key, step: step.step, version: one.version, ...more });
      notice(t("case_done", { step: say("step", step.step) }), "note");
      await again();
    };
    button.addEventListener("click", asks.length ? () => openForm(form, step, asks, one, send) : once(button, () => send({})));
    return button;
  });
  host.append(el("h3", {}, t("case_steps")), el("div", { class: "row" }, buttons.length ? buttons : t("case_no_steps")), form);
  return host;
}

function openForm(host, step, asks, one, send) {
  const fields = Object.fromEntries(asks.map((need) => [need, field(need, one)]));
  const button = el("button", { class: "first", type: "submit" }, say("step", step.step));
  const cancel = el("button", { type: "button" }, t("case_cancel"));
  cancel.addEventListener("click", () => host.replaceChildren());
  const form = el("form", { "data-of": step.step }, asks.map((need) => el("label", {}, el("span", {}, say("need", need)), fields[need])), el("div", { class: "row" }, button, cancel));
  form.addEventListener("submit", once(button, () => {
    const said = Object.fromEntries(asks.map((need) => [need, form.elements[need].value.trim()]));
    if (said.until) said.until = new Date(said.until).toISOString();
    return send(said);
  }));
  host.replaceChildren(form);
  form.elements[asks[0]].focus();
}

function field(need, one) {
  if (need === "department") {
    const options = Object.entries(told.departments).map(([key, name]) => el("option", { value: key, selected: key === one.routed }, name));
    return el("select", { name: need, required: true }, options);
  }
  if (need === "outcome") {
    return el("select", { name: need }, told.outcomes.map((key) => el("option", { value: key }, say("outcome", key))));
  }
  if (need === "until") return el("day-field", { empty: t("choose_day") }, el("input", { name: need, type: "datetime-local", required: true }));
  if (need === "original") return el("input", { name: need, inputmode: "numeric", pattern: "[0-9]+", required: true });
  return el("textarea", { name: need, rows: "2", maxlength: "2000", required: true });
}

function visitBack(one, again) {
  if (!one.can_ask) return null;
  const reason = el("textarea", { rows: "2", maxlength: "500", placeholder: t("need_reason") });
  const button = (what, run) => {
    const made = el("button", { "data-do": what }, t(`case_back_${what}`));
    made.addEventListener("click", once(made, run));
    return made;
  };
  const phone = (what) => button(what, async () => {
    await ask(`/cases/one/${one.id}/ask`, { do: what, reason: reason.value.trim() });
    notice(t("case_noted"), "note");
    await again();
  });
  const link = button("link", async () => {
    const { token } = await ask(`/cases/one/${one.id}/ask`, { do: "link" });
    address.value = `${window.location.origin}/answer/${token}`;
    address.hidden = false;
    address.select();
  });
  const address = el("input", { class: "address", readonly: true, hidden: true, "aria-label": t("case_back_link") });
  const decline = one.wish && button("decline", async () => {
    await ask(`/cases/one/${one.id}/ask`, { do: "decline", visit: one.wish.visit_id, reason: reason.value.trim() });
    await again();
  });
  const known = one.is_satisfied === null ? t("case_back_open") : t(one.is_satisfied ? "case_back_was_yes" : "case_back_was_no");
  return el("section", { class: "steps" }, el("h3", {}, t("case_back")), el("p", {}, known, one.wish ? ` · ${t("case_wish")}: ${one.wish.reason ?? ""}` : ""),
    reason, el("div", { class: "row" }, phone("yes"), phone("no"), link, decline), address);
}

function photos(one, again) {
  const input = el("input", { type: "file", accept: "image/jpeg,image/png,image/webp", "aria-label": t("case_add_photo") });
  input.addEventListener("change", once(input, async () => {
    const form = new FormData();
    form.append("photo", input.files[0]);
    await ask(`/cases/one/${one.id}/photo`, form);
    await again();
  }));
  const shown = one.photos.map((photo, n) => el("a", { href: `/cases/photo/${photo.id}`, target: "_blank" },
    el("img", { src: `/cases/photo/${photo.id}`, alt: t("case_photo", { n: n + 1 }), loading: "lazy" })));
  return el("section", {}, el("h3", {}, t("case_photos")), el("div", { class: "photos" }, shown), el("label", { class: "upload" }, t("case_add_photo"), input));
}

function log(one) {
  const line = (step) => el("li", { class: step.state },
    el("time", { datetime: step.at }, moment(step.at)),
    el("b", {}, step.step ? say("step", step.step) : say("state", step.state)),
    el("span", {}, [say("role", step.actor), step.account?.startsWith("receipt ") ? "" : step.account, department(step.department)].filter(Boolean).join(" · ")),
    step.reason ? el("p", {}, step.reason) : null,
    step.until_at ? el("p", {}, `${say("need", "until")} ${moment(step.until_at)}`) : null,
    step.duplicate_of ? el("p", {}, `${say("need", "original")} ${step.duplicate_of}`) : null);
  return el("section", {}, el("h3", {}, t("case_log")), el("ol", { class: "log" }, one.log.map(line)));
}

function ties(one) {
  if (!one.linked.length) return null;
  const line = (tie) => el("li", {}, `${say("element", tie.element)}: `, tie.element === "person" ? t("case_people", { n: tie.n }) : `${tie.name ?? ""} ${category(tie.category)}`);
  return el("section", {}, el("h3", {}, t("case_linked")), el("ul", {}, one.linked.map(line)));
}

// What may be the same thing, beside each other: how far, how alike, in what state.
function near(one, page) {
  if (!one.near.length) return null;
  const line = (other) => {
    const button = el("button", { class: "near" },
      el("b", {}, `${other.id}`), el("i", { class: `state ${other.state}` }, say("state", other.state)),
      el("small", {}, t("case_near_how", { m: Math.round(other.distance_m), like: Math.round(other.like * 100) })),
      el("span", {}, other.summary ?? ""));
    button.addEventListener("click", () => page.open(other.id));
    return button;
  };
  return el("section", {}, el("h3", {}, t("case_near")), el("div", { class: "beside" }, one.near.map(line)));
}
