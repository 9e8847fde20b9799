// One call: how it stands, the levels it comes to, its departments, and what may be done about it.
import { ask, department, el, left, moment, newKey, notice, once, say, t, told } from "./desk.mjs";

const place = (rung) => [say("call_level", rung.level), told.names[rung.code] ?? rung.name].filter(Boolean).join(" ");

export function standing(one) {
  if (one.answered_at) return el("em", { class: "tag good" }, t("call_was_answered", { at: moment(one.answered_at), by: one.answered_by }));
  if (one.is_late) return el("em", { class: "tag late" }, t("call_last_is_late"));
  return one.n_up ? el("em", { class: "tag warm" }, t("call_went_up", { n: one.n_up })) : el("em", { class: "tag" }, t("call_waits"));
}

// The levels a call comes to; the one that has it stands out, by words too.
export function ladder(one) {
  const now = Date.now();
  const how = (rung) => {
    if (rung.is_here) return one.is_late ? t("call_holds_late", { at: moment(rung.begins) }) : t("call_holds", { at: moment(rung.begins), left: left(rung.ends) });
    if (rung.is_passed_on) return t("call_passed_on", { at: moment(rung.ends) });
    if (one.answered_at) return "";
    return new Date(rung.ends) < now ? t("call_let_pass") : t("call_from", { at: moment(rung.begins) });
  };
  return el("ol", { class: "ladder" }, one.ladder.map((rung) => el("li", { class: rung.is_here ? "here" : "", "data-level": rung.level, "aria-current": rung.is_here ? "step" : null },
    el("b", {}, place(rung)), " ", el("span", {}, how(rung)))));
}

export function departments(one) {
  const chip = (of, n) => {
    const words = of.in_at ? t("call_is_in", { at: moment(of.in_at) }) : of.is_late ? t("call_in_late", { late: left(of.ends) }) : t("call_not_in");
    return el("li", { class: `tag ${of.in_at ? "good" : of.is_late ? "late" : "warm"}`, "data-department": of.key },
      `${n === 0 ? `${t("call_leads")} ` : ""}${department(of.key)} · ${words}`);
  };
  return one.departments.length ? el("ul", { class: "chips" }, one.departments.map(chip)) : null;
}

// What whoever looks may do about a call, each once.
export function acts(one, done) {
  const button = (what, isFirst, body) => {
    const made = el("button", { class: isFirst ? "first" : "", "data-act": what }, t(`call_${what}`));
    made.addEventListener("click", once(made, async () => {
      await ask(`/calls/one/${one.id}/${what}`, body);
      notice(t("case_noted"), "note");
      await done();
    }));
    return made;
  };
  const offered = [
    one.can_report_in ? button("report_in", true, {}) : null,
    one.can_answer ? button("answer", !one.can_report_in, {}) : null,
    one.can_pass_on ? button("pass_on", false, { from: one.held_by }) : null,
  ].filter(Boolean);
  return offered.length ? el("div", { class: "row" }, offered) : null;
}

// Departments that work on a case together, the first leading; the command centre calls them.
export function together(one, joint, again) {
  if (!joint.calls.length && !joint.can_call) return null;
  const shown = joint.calls.map((call) => el("div", { class: "joint" }, el("p", {}, call.what), departments(call), acts(call, again)));
  return el("section", { class: "together" }, el("h3", {}, t("call_together")), shown, joint.can_call ? callForm(one, again) : null);
}

function callForm(one, again) {
  const key = newKey();
  const first = one.department ?? one.routed;
  const boxes = Object.entries(told.departments).map(([name, words]) => el("label", { class: "line" },
    el("input", { type: "checkbox", value: name, checked: name === first, disabled: name === first }), el("span", {}, words)));
  const what = el("textarea", { rows: "2", maxlength: "500", required: true, "aria-label": t("call_what"), placeholder: t("call_what") });
  const button = el("button", { class: "first", type: "submit" }, t("call_departments"));
  const form = el("form", {}, el("p", { class: "hint" }, first ? t("call_lead_is", { name: department(first) }) : ""), el("div", { class: "boxes" }, boxes), what, el("div", { class: "row" }, button));
  form.addEventListener("submit", once(button, async () => {
    const others = [...form.querySelectorAll("input:checked")].map((box) => box.value).filter((name) => name !== first);
    await ask("/calls/new", { key, case: one.id, what: what.value.trim(), departments: [first, ...others].filter(Boolean) });
    notice(t("case_noted"), "note");
    await again();
  }));
  return el("details", {}, el("summary", {}, t("call_departments")), form);
}
