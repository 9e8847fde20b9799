// Names, numbers and phones: masked, and opened one at a time for a purpose. What was opened is masked again after a minute.
import { ask, el, once, say, t } from "./desk.mjs";

const FIELDS = ["name", "number", "phone"];
const PURPOSES = ["visit", "contact", "emergency", "correction"];
const SHOWN_FOR = 60000;

export function identity(one, caseId = null) {
  const purpose = el("select", { "aria-label": t("care_purpose") },
    [el("option", { value: "" }, t("care_purpose")), ...PURPOSES.map((word) => el("option", { value: word }, say("care_purpose", word)))]);
  const rows = FIELDS.filter((field) => one[field]).flatMap((field) => {
    const shown = el("span", { class: "masked" }, one[field]);
    const open = el("button", { "data-field": field }, t("care_open"));
    open.addEventListener("click", once(open, async () => {
      const said = await ask("/care/open", { row: one.row_id ?? one.id, field, purpose: purpose.value, case: caseId });
      shown.textContent = said.value || "–";
      shown.className = "opened";
      setTimeout(() => { shown.textContent = one[field]; shown.className = "masked"; }, SHOWN_FOR);
    }));
    return [el("dt", {}, t(`care_field_${field}`)), el("dd", { class: "row" }, shown, open)];
  });
  const buttons = () => rows.forEach((dd) => dd.querySelectorAll?.("button").forEach((button) => { button.disabled = !purpose.value; }));
  purpose.addEventListener("change", buttons);
  buttons();
  return el("div", { class: "identity" }, el("div", { class: "row" }, purpose, el("small", { class: "hint" }, t("care_logged"))), el("dl", {}, rows));
}
