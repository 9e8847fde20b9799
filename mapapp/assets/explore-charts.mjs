// Sparklines, small multiples and the trend of the explore page. Classes and colours come with the values.
const SVG = "http://www.w3.org/2000/svg";

export function sparks({ codes, values, labels, periods }) {
  const at = new Map(codes.map((code, i) => [code, i]));
  document.querySelectorAll("td.spark").forEach((cell) => {
    const row = values[at.get(cell.dataset.code)] ?? [];
    const known = row.filter((value) => value !== null);
    if (known.length < 2) return;
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const y = (value) => 18 - ((value - low) / (high - low || 1)) * 16;
    const points = row.map((value, i) => (value === null ? null : `${2 + (i * 76) / (row.length - 1)},${y(value)}`));
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 80 20");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${labels[0]} – ${labels.at(-1)}: ${known.map((v) => +v.toFixed(2)).join(", ")}`);
    const line = document.createElementNS(SVG, "polyline");
    line.setAttribute("points", points.filter(Boolean).join(" "));
    const end = document.createElementNS(SVG, "circle");
    const last = points.filter(Boolean).at(-1).split(",");
    for (const [name, value] of Object.entries({ cx: last[0], cy: last[1], r: 2.2 })) end.setAttribute(name, value);
    svg.append(line, end, ...points.map((point, i) => point && month(cell.dataset.code, periods[i], labels[i], row[i], i, row.length)).filter(Boolean));
    cell.replaceChildren(svg);
  });
}

// a strip over one month of a sparkline: says its number, and opens what is behind it
function month(code, period, label, value, i, n) {
  const strip = document.createElementNS(SVG, "rect");
  const width = 76 / (n - 1);
  for (const [name, said] of Object.entries({ x: 2 + (i - 0.5) * width, y: 0, width, height: 20 })) strip.setAttribute(name, said);
  Object.assign(strip.dataset, { rows: code, period });
  strip.append(document.createElementNS(SVG, "title"));
  strip.firstChild.textContent = `${label} ${+value.toFixed(2)}`;
  return strip;
}

export function multiples(host, months, outlines, told, open) {
  const { periods, labels, codes, classes, colours } = months;
  host.replaceChildren(
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
    margin: { l: 3.5 * rem, r: 1.6 * rem, t: 0.5 * rem, b: 2 * rem },
    height: 16 * rem,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("--text"), size: 0.87 * rem, family: getComputedStyle(document.body).fontFamily },
    xaxis: { type: "category", gridcolor: colour("--edge"), linecolor: colour("--edge"), tickvals: labels.filter((_, i) => i % 4 === 0), tickangle: 0 },
    yaxis: { title: { text: unit }, gridcolor: colour("--edge"), rangemode: "tozero" },
    showlegend: false,
  };
  let plot = host.querySelector(".plot");
  if (!plot) host.replaceChildren((plot = Object.assign(document.createElement("div"), { className: "plot" })));
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", `${title}, ${name}: ${labels.map((label, i) => `${label} ${said[i]}`).join("; ")}`);
  await Plotly.react(plot, traces, layout, { displayModeBar: false, responsive: true });
  plot.removeAllListeners("plotly_click");
  plot.on("plotly_click", ({ points }) => open(months.periods[points[0].pointIndex]));
}
