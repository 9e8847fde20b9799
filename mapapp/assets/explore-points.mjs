// Charts that are read without a pointer: one stop of the tab key, arrows from point to point, Enter opens what is behind one.
const STEPS = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: 1, ArrowDown: -1, Home: -Infinity, End: Infinity };

// A point has what is `said` of it, and `opens` where there is something behind it; `beside` gives the chart above or below.
export function readable(chart, { label, points, mark, unmark, open, beside = () => null }) {
  const at = () => Math.min(Number(chart.dataset.point ?? points.length), points.length - 1);
  const told = { role: "slider", "aria-label": label, "aria-describedby": "point-keys", "aria-valuemin": 1, "aria-valuemax": points.length };
  for (const [name, said] of Object.entries(told)) chart.setAttribute(name, said);
  const go = (n) => {
    chart.dataset.point = Math.min(Math.max(n, 0), points.length - 1);
    chart.setAttribute("aria-valuenow", at() + 1);
    chart.setAttribute("aria-valuetext", points[at()].said);
  };
  go(at());
  chart.onfocus = () => chart.matches(":focus-visible") && mark(at());
  chart.onblur = unmark;
  chart.onkeydown = (event) => {
    const step = STEPS[event.key];
    const next = event.key === "ArrowUp" ? beside(-1) : event.key === "ArrowDown" ? beside(1) : null;
    if (next) {
      next.dataset.point = at();
      next.focus();
    } else if (step) {
      go(at() + step);
      mark(at());
    } else if (["Enter", " "].includes(event.key)) {
      if (points[at()].opens) open(at());
    } else return;
    event.preventDefault();
  };
}

// What is said of the point that the keyboard is at, beside it, and over a dialog too.
export function tell(said, box) {
  const card = document.getElementById("reading");
  untell();
  card.textContent = said;
  card.showPopover();
  const own = card.getBoundingClientRect();
  const left = Math.max(Math.min(box.left, innerWidth - own.width - 8), 8);
  card.style.transform = `translate(${Math.round(left)}px, ${Math.round(Math.max(box.top - own.height - 6, 8))}px)`;
}

export const untell = () => document.getElementById("reading").hidePopover();
