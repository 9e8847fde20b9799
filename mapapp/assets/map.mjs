// The map: applies the style and the view that Python made. No figure is worked out here and no colour chosen.
import { tellBase } from "./attribution.mjs";
import { nameCanvas } from "./canvas.mjs";
import { graphicsKind } from "./graphics.mjs";
import { inset } from "./room.mjs";

// Figures stand without the map: where its engine does not come, the page says so and goes on.
const engine = await import(document.getElementById("engine").href).catch(() => null);
const GlMap = engine?.Map;

const page = document.documentElement;
const state = { map: null, style: null, view: null, cells: new Map(), hover: null, rest: 0, drawn: 0, isMoved: false, box: null };

// Tiles have a layer for each level; a grid is known there by its number, which the engine finds sooner than a code.
const area = (sourceLayer, id) => ({ source: "grid", sourceLayer, id });
const border = (sourceLayer, id) => ({ source: "border", sourceLayer, id });

// Level and number of a cell, or of a grid above the cells that a click opens.
function known(code) {
  const { cells, shown, above } = state.view;
  const i = state.cells.get(code);
  return i === undefined ? [above.level, above.no[above.code.indexOf(code)]] : [shown, cells.no[i]];
}

// The same picture on every screen: one rem is 16 px at 1920 px.
const scale = () => parseFloat(getComputedStyle(page).fontSize) / 16;
const isSlow = () => page.classList.contains("no-gpu") || matchMedia("(prefers-reduced-motion: reduce)").matches;

function absolute(style) {
  if (style.sprite) style.sprite = window.location.origin + style.sprite;
  for (const source of Object.values(style.sources)) {
    if (source.tiles) source.tiles = source.tiles.map((address) => window.location.origin + address);
  }
  return style;
}

// The part of the screen that no panel covers.
function padding(map) {
  const taken = { top: 0, bottom: 0, left: 0, right: 0 };
  const edge = (selector, side, of) => {
    const box = document.querySelector(selector)?.getBoundingClientRect();
    if (box && box.width && box.width < innerWidth * 0.6) taken[side] = of(box);
  };
  edge(".side.left", "left", (box) => box.right);
  edge(".side.right", "right", (box) => innerWidth - box.left);
  const top = document.querySelector(".top")?.getBoundingClientRect();
  const foot = document.querySelector(".months")?.getBoundingClientRect();
  taken.top = top ? top.bottom : 0;
  taken.bottom = foot && foot.height ? innerHeight - foot.top : 0;
  const air = 24 * scale();
  return inset(map, Object.fromEntries(Object.entries(taken).map(([side, length]) => [side, length + air])));
}

function camera(view) {
  const [west, south, east, north] = view.box;
  const seen = state.map.cameraForBounds([[west, south], [east, north]], { padding: padding(state.map.getCanvas()), maxZoom: 17 });
  return { center: seen.center, zoom: Math.max(seen.zoom, view.floor) };
}

function move(view) {
  state.isMoved = false;
  state.box = view.box.join();
  state.map.easeTo({ ...camera(view), duration: isSlow() ? 0 : 220, essential: true });
}

// Another window: the same view in it, unless the reader has moved the map.
function resize() {
  if (!state.view) return; // scale and view come with the style
  state.map.setGlobalStateProperty("scale", scale());
  if (!state.isMoved) state.map.jumpTo(camera(state.view));
}

// Other shades of the cells that are there: only those that change are told.
function shade(view, before) {
  const { cells, shown } = view;
  cells.no.forEach((no, i) => {
    if (cells.shade[i] === before.cells.shade[i]) return;
    state.map.setFeatureState(area(shown, no), { shade: Number(cells.shade[i]) });
  });
}

function forget({ shown, level, above, beside }) {
  for (const one of new Set([shown, level, above?.level ?? shown, ...Object.keys(beside)])) {
    for (const source of ["grid", "border"]) state.map.removeFeatureState({ source, sourceLayer: one });
  }
}

function colour(view, before) {
  const { cells, frame, shown, above, beside } = view;
  const tell = (grid, told) => state.map.setFeatureState(grid, told);
  if (before) forget(before);
  state.cells.clear();
  state.hover = null;
  cells.code.forEach((tail, i) => {
    state.cells.set(frame + tail, i);
    tell(area(shown, cells.no[i]), { shade: Number(cells.shade[i]) });
    tell(border(shown, cells.no[i]), { cell: true });
  });
  above?.no.forEach((no) => tell(border(above.level, no), { near: true }));
  for (const [level, numbers] of Object.entries(beside)) numbers.forEach((no) => tell(area(level, no), { veil: true }));
  tell(border(view.level, view.no), { chosen: true });
}

function paint(view) {
  for (const [layer, opacity] of Object.entries(view.paint)) {
    const kind = layer === "label" ? "text-opacity" : /^(line|top)/.test(layer) ? "line-opacity" : "fill-opacity";
    if (state.map.getPaintProperty(layer, kind) !== opacity) state.map.setPaintProperty(layer, kind, opacity);
  }
}

function label(view) {
  const { cells, above } = view;
  const point = (lon, lat, properties) => ({
    type: "Feature",
    geometry: { type: "Point", coordinates: [lon, lat] },
    properties,
  });
  const isWall = document.body.matches(".wall"); // read from afar, its figures too
  const grown = isWall ? 1.12 : 1;
  const features = cells.name.map((name, i) => {
    const more = view.more ? { more: view.more[i], small: isWall ? 1 : 0.84 } : {};
    return point(cells.lon[i], cells.lat[i], { name, size: (above ? 12 : 13.5) * grown, order: 10 + i, ...more });
  });
  if (above) {
    above.name.forEach((name, i) => {
      features.push(point(above.lon[i], above.lat[i], { name, size: 19, order: i }));
    });
  }
  state.map.getSource("label").setData({ type: "FeatureCollection", features });
}

function apply(view) {
  const before = state.view;
  state.view = view;
  const lang = view.lang === "zh" ? "zh-CN" : "en";
  if (page.lang !== lang) page.lang = lang; // set anew it has the style of all elements worked out again
  document.title = view.title;
  const isSame = before && before.cells.code === view.cells.code && before.at === view.at; // the very same cells
  if (isSame) shade(view, before);
  else colour(view, before);
  paint(view);
  if (!isSame) label(view);
  if (state.box !== view.box.join()) move(view); // another style of the same part stays where the reader moved it
  card(null);
  state.drawn += 1;
  page.dataset.at = view.at;
  window.dispatchEvent(new CustomEvent("atlas-drawn", { detail: { map: state.map, view, fresh: !before } }));
}

// The card beside the pointer: names and figures of the cell under it.
function card(code, point) {
  const host = document.getElementById("hover");
  const i = state.cells.get(code);
  host.classList.toggle("shown", i !== undefined);
  if (i === undefined) return;
  const { cells, rows, above, hint, pick, at, names } = state.view;
  const target = code.slice(0, pick);
  const over = above?.name[above.code.indexOf(target)];
  const name = names?.[i] ?? cells.name[i];
  const line = (tag, text, kind) => Object.assign(document.createElement(tag), { textContent: text, className: kind ?? "" });
  const table = document.createElement("dl");
  for (const [key, name, unit] of rows) {
    table.append(line("dt", name), line("dd", cells[key]?.[i] ?? "…"));
    table.lastChild.append(line("small", unit));
  }
  const head = [line("b", name), line("code", code)];
  const foot = target === at ? [] : [line("p", hint.replace("%s", over ?? name))];
  host.replaceChildren(...head, table, ...foot);
  const box = host.getBoundingClientRect();
  const gap = 16 * scale();
  const room = state.map.getContainer().getBoundingClientRect();
  const [x, y] = [room.left + point.x, room.top + point.y];
  const left = x + gap + box.width > room.right ? Math.max(x - gap - box.width, 0) : x + gap;
  const top = Math.min(y + gap, innerHeight - box.height - gap);
  host.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
}

// A cell of the frame opens what a click there opens; one beside it moves sideways, to the grid of our own level.
function target(code) {
  const { frame, pick, at } = state.view;
  return code.startsWith(frame) ? code.slice(0, pick) : code.slice(0, at.length);
}

function under(event) {
  if (!state.view) return undefined;
  return state.map.queryRenderedFeatures(event.point, { layers: [`cell-${state.view.shown}`] })[0];
}

function hover(event) {
  const found = event && under(event);
  const code = found?.properties.code ?? null;
  const over = code && state.cells.has(code) ? target(code) : null;
  if (over !== state.hover) {
    if (state.hover) state.map.setFeatureState(border(...known(state.hover)), { hover: false });
    if (over) state.map.setFeatureState(border(...known(over)), { hover: true });
    state.hover = over;
    clearTimeout(state.rest);
    if (over && over !== state.view.at) state.rest = setTimeout(() => window.atlas.prepare(over), 90);
  }
  state.map.getCanvas().style.cursor = code ? "pointer" : "";
  card(code, event?.point);
}

function pick(code) {
  if (!code || code === state.view.at) return;
  clearTimeout(state.rest);
  window.atlas.pick(code);
}

function create({ style, view }) {
  const kind = GlMap ? graphicsKind() : "none";
  page.classList.toggle("no-gpu", kind !== "fast");
  page.classList.toggle("no-webgl", kind === "none" && Boolean(GlMap));
  page.classList.toggle("no-engine", !GlMap);
  if (kind === "none") return;
  const [west, south, east, north] = view.box;
  state.map = new GlMap({
    container: "map",
    style: absolute(structuredClone(style)),
    bounds: [[west, south], [east, north]],
    fitBoundsOptions: { padding: padding(document.getElementById("map")) },
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    renderWorldCopies: false,
    maxZoom: 18,
    minZoom: 6,
    fadeDuration: 0,
    maxCanvasSize: [7680, 4320],
    pixelRatio: kind === "slow" ? 1 : Math.min(devicePixelRatio, 2),
  });
  const { map } = Object.assign(state, { style });
  window.dispatchEvent(new CustomEvent("atlas-map", { detail: map })); // first, so that what lies above can take a click
  nameCanvas(map);
  map.keyboard.disableRotation();
  map.touchZoomRotate.disableRotation();
  map.on("style.load", () => {
    tellBase(map, map.getStyle().metadata);
    map.setGlobalStateProperty("scale", scale());
    state.view = null;
    apply(window.atlas.last.view);
  });
  map.on("mousemove", (event) => hover(event.defaultPrevented ? null : event));
  map.on("mouseout", () => hover(null));
  map.on("movestart", ({ originalEvent }) => {
    state.isMoved ||= Boolean(originalEvent);
    card(null);
  });
  map.on("click", (event) => {
    const found = event.defaultPrevented ? null : under(event);
    if (found) pick(target(found.properties.code));
  });
  map.on("resize", resize);
  map.once("idle", () => page.classList.add("ready"));
}

function receive() {
  const last = window.atlas.last;
  if (!last) return;
  if (!state.map) create(last);
  else if (last.style !== state.style) {
    state.style = last.style;
    state.view = null; // until the new style is there
    state.map.setStyle(absolute(structuredClone(last.style)), { diff: false });
  } else if (state.map.style?.loaded() || state.view) apply(last.view);
}

window.addEventListener("atlas-view", receive);
receive();

// For tests and benchmarks: to look at, not to steer by.
Object.defineProperty(window, "__map", {
  value: Object.freeze({
    get at() { return state.view?.at ?? null; },
    get drawn() { return state.drawn; },
    get idle() { return Boolean(state.map && state.view && state.map.loaded() && state.map.areTilesLoaded() && !state.map.isMoving()); },
    get cells() { return [...state.cells.keys()]; },
    shadeOf: (code) => state.map.getFeatureState(area(...known(code))).shade ?? null,
    // What the map drew at a point of the page: read in the frame that draws it, for later the canvas may be empty.
    colourAt(x, y) {
      return new Promise((done) => {
        state.map.once("render", () => {
          const gl = state.map.getCanvas().getContext("webgl2");
          const room = state.map.getContainer().getBoundingClientRect();
          const ratio = gl.drawingBufferWidth / room.width;
          const [left, up] = [(x - room.left) * ratio, gl.drawingBufferHeight - (y - room.top) * ratio];
          const pixel = new Uint8Array(4);
          gl.readPixels(Math.round(left), Math.round(up), 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
          done([...pixel.slice(0, 3)]);
        });
        state.map.triggerRepaint();
      });
    },
    pointOf(code) {
      const i = state.cells.get(code);
      const at = i === undefined ? null : state.map.project([state.view.cells.lon[i], state.view.cells.lat[i]]);
      const room = state.map.getContainer().getBoundingClientRect();
      return at && [room.left + at.x, room.top + at.y];
    },
  }),
});
