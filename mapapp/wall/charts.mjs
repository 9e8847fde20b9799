// Trends, drawn by plotly, which comes after the map is there.
import { mark, number } from "./locale.mjs";
import { show } from "./panels.mjs";

const AGAIN_MS = 15_000;

export function createCharts(said) {
  const own = { data: null, has: false, isDrawn: false, asked: false };
  const hosts = ["hours", "days"];
  const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
  // So many labels as have room, counted back from the last, which is now.
  const marks = (unit, x, room) => {
    const texts = x.map((at) => mark(unit, at));
    const widest = Math.max(...texts.map((text) => [...text].reduce((sum, one) => sum + (one > "\u2e7f" ? 1 : 0.62), 1.8)));
    const step = Math.ceil((x.length * widest) / room);
    const kept = x.map((_, i) => i).filter((i) => (x.length - 1 - i) % step === 0);
    return { tickvals: kept.map((i) => x[i]), ticktext: kept.map((i) => texts[i]) };
  };
  // Of a few events there are no halves.
  const steps = (most) => (most < 4 ? { dtick: 1 } : { nticks: 4 });
  function draw(data) {
    own.data = data;
    if (!own.has) return;
    for (const name of hosts) {
      const { x, n, closed } = data[name];
      const isEmpty = !n.some(Boolean);
      show(name, isEmpty ? "empty" : "there", isEmpty ? said.words.wall_no_trend : "");
      const host = document.querySelector(`#${name} > div`);
      const bars = { type: "bar", marker: { line: { width: 0 } }, hoverinfo: "skip" };
      const sums = [n, closed].map((some) => number(some.reduce((sum, one) => sum + one, 0)));
      host.setAttribute("role", "img"); // a picture to whoever sees it, its sums to whoever hears it
      host.setAttribute("aria-label", said.suffix.trend.replace("{of}", said.words[`wall_${name}`]).replace("{n}", sums[0]).replace("{closed}", sums[1]));
      const size = 0.86 * rem();
      window.Plotly.react(
        host,
        [
          { ...bars, x, y: n, name: said.words.wall_reported, marker: { color: "#2a84b0" } },
          { x, y: closed, type: "scatter", mode: "lines", name: said.words.wall_closed, line: { color: "#8ed1a0", width: 0.16 * rem(), shape: "spline", smoothing: 0.4 } },
        ],
        {
          width: host.clientWidth,
          height: host.clientHeight,
          margin: { l: 2.2 * rem(), r: 2 * rem(), t: 0.5 * rem(), b: 1.5 * rem() },
          paper_bgcolor: "rgba(0,0,0,0)",
          plot_bgcolor: "rgba(0,0,0,0)",
          font: { color: "#a3c0d8", size, family: getComputedStyle(document.body).fontFamily },
          showlegend: false,
          bargap: 0.25,
          xaxis: { type: "category", ...marks(name, x, host.clientWidth / size), tickangle: 0, fixedrange: true, showgrid: false },
          yaxis: { rangemode: "tozero", gridcolor: "rgba(120,180,220,0.14)", zeroline: false, fixedrange: true, ...steps(Math.max(...n)), tickformat: ",d" },
        },
        { staticPlot: true, displayModeBar: false },
      );
    }
    own.isDrawn = true;
  }
  return {
    get isDrawn() { return own.isDrawn; },
    draw,
    resize: () => own.data && draw(own.data),
    start(data) {
      if (own.asked) return;
      own.asked = true;
      const script = Object.assign(document.createElement("script"), { src: said.plotly });
      script.onload = () => {
        own.has = true;
        if (data()) draw(data());
      };
      script.onerror = () => {
        script.remove();
        own.asked = false;
        hosts.forEach((name) => show(name, "failed", said.words.wall_no_charts));
        setTimeout(() => this.start(data), AGAIN_MS);
      };
      document.head.append(script);
    },
  };
}
