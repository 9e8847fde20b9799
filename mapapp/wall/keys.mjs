import { switched } from "./panels.mjs";

// Keys: arrows choose in the ranking and among the scenarios, Enter opens, Escape goes up, 1-5 switch the elements,
// / searches, F fills the screen, T starts and ends the tour.
const ELEMENTS = ["person", "event", "place", "thing", "organisation"];

export function bindKeys({ state, said, go, tour, search }) {
  const dialog = document.getElementById("search");
  const input = dialog.querySelector("input");
  const found = dialog.querySelector(".found");
  const rows = () => [...document.querySelectorAll("#ranking a")];
  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const now = all.indexOf(document.activeElement);
    all[now < 0 ? (by > 0 ? 0 : all.length - 1) : (now + by + all.length) % all.length].focus();
  };
  const turn = (by) => {
    const keys = ["", ...said.scenarios.map((one) => one.key)];
    go({ scenario: keys[(keys.indexOf(state.scenario) + by + keys.length) % keys.length] });
  };
  const up = () => {
    const lengths = [4, 6, 9, 12, 15].filter((n) => n < state.at.length && state.names.at.has(state.at.slice(0, n)));
    if (lengths.length) go({ at: state.at.slice(0, lengths.at(-1)) });
  };
  let typed = 0;
  const find = async () => {
    const sought = input.value.trim();
    const own = (typed += 1);
    const hits = sought ? await search(sought).catch(() => null) : [];
    if (own !== typed) return; // more has been typed meanwhile
    if (!hits) {
      found.textContent = said.words.wall_failed;
      return;
    }
    found.replaceChildren(...hits.map((one) => {
      const row = Object.assign(document.createElement("a"), { href: `?at=${one.code}`, textContent: one.name });
      row.append(Object.assign(document.createElement("code"), { textContent: one.code }));
      row.addEventListener("click", (event) => {
        event.preventDefault();
        dialog.close();
        go({ at: one.code });
      });
      return row;
    }));
    if (sought && !hits.length) found.textContent = said.words.wall_no_found;
  };
  let asked = null;
  input.addEventListener("input", () => (asked = find()));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      (asked ?? Promise.resolve()).then(() => found.querySelector("a")?.click());
    }
    if (event.key === "ArrowDown") found.querySelector("a")?.focus();
  });
  dialog.addEventListener("close", () => {
    typed += 1;
    input.value = "";
    found.replaceChildren();
  });
  const acts = {
    ArrowUp: () => step(-1),
    ArrowDown: () => step(1),
    ArrowLeft: () => turn(-1),
    ArrowRight: () => turn(1),
    Escape: up,
    "/": () => dialog.showModal(),
    f: () => document.getElementById("full").click(),
    t: () => tour.toggle(),
  };
  window.addEventListener("keydown", (event) => {
    if (dialog.open || event.ctrlKey || event.metaKey || event.altKey || !state.names) return;
    const element = ELEMENTS[Number(event.key) - 1];
    if (element) go({ layers: switched(state, said, element) });
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }, { capture: true });
}
