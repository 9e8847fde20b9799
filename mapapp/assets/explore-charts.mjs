// Sparklines, small multiples and the trend of the explore page. Classes and colours come with the values.
import { readable, tell, untell } from "./explore-points.mjs";

const SVG = "http://www.w3.org/2000/svg";

export function sparks(within, months, open) {
  const { codes, values, labels } = months;
  const at = new Map(codes.map((code, i) => [code, i]));
  within.querySelectorAll("table:has(td.spark)").forEach((table) => {
    const cells = [...table.querySelectorAll("td.spark")];
    const charts = cells.map((cell) => spark(cell, months, values[at.get(cell.dataset.code)] ?? [])).filter(Boolean);
    charts.forEach((chart, i) => {
      const name = chart.closest("tr").querySelector("th").textContent;
      const unmark = () => (untell(), chart.querySelector(".at")?.classList.remove("at"));
      chart.setAttribute("tabindex", i ? -1 : 0); // all of a table are one stop
      readable(chart, {
        label: `${name} ${labels[0]} – ${labels.at(-1)}`,
        points: [...chart.querySelectorAll("rect")].map((strip) => ({ said: strip.textContent, opens: strip.dataset.rows })),
        mark(n) {
          charts.forEach((one) => one.setAttribute("tabindex", one === chart ? 0 : -1));
          unmark();
          const strip = chart.querySelectorAll("rect")[n];
          strip.classList.add("at");
          tell(strip.textContent, strip.getBoundingClientRect());
        },
        unmark,
        open: (n) => open(chart.parentElement.dataset.code, months.periods[n]),
        beside: (step) => charts[i + step] ?? chart,
      });
    });
  });
}

function spark(cell, months, row) {
  const known = row.filter((value) => value !== null);
  if (known.length < 2) return null;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const y = (value) => 18 - ((value - low) / (high - low || 1)) * 16;
  const points = row.map((value, i) => (value === null ? null : `${2 + (i * 76) / (row.length - 1)},${y(value)}`));
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 80 20");
  const line = document.createElementNS(SVG, "polyline");
  line.setAttribute("points", points.filter(Boolean).join(" "));
  const end = document.createElementNS(SVG, "circle");
  const last = points.filter(Boolean).at(-1).split(",");
  for (const [name, value] of Object.entries({ cx: last[0], cy: last[1], r: 2.2 })) end.setAttribute(name, value);
  svg.append(line, end, ...row.map((value, i) => month(cell.dataset.code, months, value, i)));
  cell.replaceChildren(svg);
  return svg;
}

// a strip over one month of a sparkline: says its number, and opens what is behind it
function month(code, { periods, labels, unit, none }, value, i) {
  const strip = document.createElementNS(SVG, "rect");
  const width = 76 / (periods.length - 1);
  for (const [name, said] of Object.entries({ x: 2 + (i - 0.5) * width, y: 0, width, height: 20 })) strip.setAttribute(name, said);
  strip.dataset.period = periods[i];
  if (value !== null) strip.dataset.rows = code;
  strip.append(document.createElementNS(SVG, "title"));
  strip.firstChild.textContent = `${labels[i]} ${value === null ? none : `${written(value)} ${unit}`}`.trim();
  return strip;
}

const written = (value) => value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 });

export function multiples(host, months, outlines, told, open) {
  const { periods, labels, codes, classes, colours } = months;
  host.replaceChildren(
    ...keys(months.legend),
    ...periods.map((period, column) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "multiple" });
      const has = classes.filter((row) => row[column]).length;
      button.setAttribute("aria-label", `${labels[column]}: ${has}/${codes.length}`);
      button.setAttribute("aria-current", String(period === told.period));
      const canvas = document.createElement("canvas");
      const scale = (2 * 150) / Math.max(outlines.width, outlines.height);
      canvas.width = Math.ceil(outlines.width * scale);
      canvas.height = Math.ceil(outlines.height * scale);
      draw(canvas.getContext("2d"), scale, outlines.rings, codes, (i) => colours[classes[i][column]]);
      button.append(canvas, labels[column]);
      button.addEventListener("click", () => open(period));
      return button;
    }),
  );
}

// what the colours stand for, where they are others than on the map
function keys(legend) {
  if (!legend.length) return [];
  const list = Object.assign(document.createElement("ul"), { className: "keys" });
  for (const [colour, text] of legend) {
    const swatch = document.createElement("i");
    swatch.style.background = colour;
    const row = document.createElement("li");
    row.append(swatch, text);
    list.append(row);
  }
  return [list];
}

function draw(context, scale, rings, codes, colour) {
  context.scale(scale, scale);
  context.lineWidth = 0.8 / scale;
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--panel");
  codes.forEach((code, i) => {
    context.beginPath();
    for (const ring of rings[code] ?? []) {
      for (let at = 0; at < ring.length; at += 2) context[at ? "lineTo" : "moveTo"](ring[at], ring[at + 1]);
      context.closePath();
    }
    context.fillStyle = colour(i);
    context.fill("evenodd");
    context.stroke();
  });
}

let engine = null;

function plotly() {
  engine ??= new Promise((done, failed) => {
    const script = Object.assign(document.createElement("script"), { src: document.body.dataset.charts });
    script.addEventListener("load", () => done(window.Plotly));
    script.addEventListener("error", () => {
      engine = null;
      failed(new Error("plotly"));
    });
    document.head.append(script);
  });
  return engine;
}

export async function trend(host, months, open) {
  const Plotly = await plotly();
  const look = getComputedStyle(document.documentElement);
  const rem = parseFloat(look.fontSize);
  const colour = (name) => look.getPropertyValue(name).trim();
  const { labels, own, own_said: said, name, title, unit } = months;
  const traces = [
    {
      type: "scatter",
      mode: "lines+markers",
      x: labels,
      y: own,
      name,
      text: said,
      hovertemplate: "%{x}<br>%{text}<extra></extra>",
      line: { color: colour("--accent"), width: 2.5 },
    },
  ];
  const layout = {
    margin: { l: 3.5 * rem, r: 1.6 * rem, t: 1.6 * rem, b: 2 * rem },
    height: 16 * rem,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("--text"), size: 0.87 * rem, family: getComputedStyle(document.body).fontFamily },
    xaxis: { type: "category", gridcolor: colour("--edge"), linecolor: colour("--edge"), tickvals: labels.filter((_, i) => i % 4 === 0), tickangle: 0 },
    yaxis: { gridcolor: colour("--edge"), rangemode: "tozero" },
    showlegend: false,
    hoverlabel: { bgcolor: colour("--panel"), bordercolor: colour("--accent"), font: { color: colour("--text") } },
    annotations: [{ text: unit, x: 0, y: 1, xref: "paper", yref: "paper", xanchor: "left", yanchor: "bottom", xshift: -3.4 * rem, yshift: 0.3 * rem, showarrow: false }],
  };
  let plot = host.querySelector(".plot");
  if (!plot) host.replaceChildren((plot = Object.assign(document.createElement("div"), { className: "plot" })));
  plot.setAttribute("tabindex", "0");
  await Plotly.react(plot, traces, layout, { displayModeBar: false, responsive: true });
  plot.removeAllListeners("plotly_click");
  plot.on("plotly_click", ({ points }) => open(months.periods[points[0].pointIndex]));
  const unmark = () => Plotly.Fx.unhover(plot);
  readable(plot, {
    label: `${title}, ${name} ${labels[0]} – ${labels.at(-1)}`,
    points: labels.map((label, i) => ({ said: `${label} ${said[i]} ${own[i] === null ? "" : unit}`.trim(), opens: own[i] !== null })),
    mark: (n) => (own[n] === null ? unmark() : Plotly.Fx.hover(plot, [{ curveNumber: 0, pointNumber: n }])),
    unmark,
    open: (n) => open(months.periods[n]),
  });
}
