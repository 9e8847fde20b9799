// What is half written goes along into the other language: which form is open, and what stands in its fields.
import { told } from "./desk.mjs";

const KEPT = `draft ${told.account} ${window.location.pathname}`; // whoever signs out leaves none
const all = (selector) => [...document.querySelectorAll(selector)];
const fields = () => all("main :is(textarea, select, input:not([type=file]))").filter((one) => !one.closest(".filters, table"));

function isChanged(one) {
  if (one.type === "checkbox") return one.checked !== one.defaultChecked;
  return one.tagName === "SELECT" ? !one.selectedOptions[0]?.defaultSelected : one.value !== one.defaultValue;
}

function note() {
  const now = fields();
  const kept = now.map((one, n) => ({ n, value: one.value, checked: one.checked, nth: Number(one.dataset.nth ?? 0) }))
    .filter(({ n }) => isChanged(now[n]))
    .sort((a, b) => a.nth - b.nth); // the department that was named first leads
  const open = all("main details").map((one) => one.open);
  const step = document.querySelector("form[data-of]")?.dataset.of;
  sessionStorage.setItem(KEPT, JSON.stringify({ n: now.length, kept, open, step }));
}

// To be called once the page is there; where it is another one by now, nothing is filled in.
export function bringAlong() {
  document.querySelector(".language").addEventListener("click", note);
  const said = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  sessionStorage.removeItem(KEPT);
  if (!said) return;
  if (said.step) document.querySelector(`[data-step="${said.step}"]`)?.click();
  const now = fields();
  if (now.length !== said.n) return;
  all("main details").forEach((one, n) => { one.open = said.open[n] ?? one.open; });
  for (const { n, value, checked } of said.kept) {
    if (now[n].type === "checkbox") now[n].checked = checked;
    else now[n].value = value;
    for (const kind of ["input", "change"]) now[n].dispatchEvent(new Event(kind, { bubbles: true }));
  }
}
