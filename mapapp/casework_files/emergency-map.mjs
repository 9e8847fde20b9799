import { tellBase } from "/assets/attribution.mjs";
import { nameCanvas } from "/assets/canvas.mjs";
import { inset } from "/assets/room.mjs";
import { graphicsKind } from "/assets/graphics.mjs";

// The map of the emergency command: the area, the grids it touches, what was found, and the pointer that chooses.
const AREA = "#4fd0e0";
export const COLOURS = { protected: "#ffd166", resource: "#7ee2a8", event: "#8fc7ff", late: "#ff8080" };
// What is drawn otherwise on paper.
const PAPER = [
  ["ground", "background-color", "#ffffff"], ["land", "fill-color", "#eef3f6"], ["small", "line-color", "#b9c6d0"], ["medium", "line-color", "#8fa3b3"],
  ["large", "line-color", "#5f7687"], ["county", "line-color", "#33485a"], ["area-line", "line-color", "#0b7285"], ["edge-small", "line-color", "#0b7285"],
  ["found", "circle-stroke-color", "#222222"], ["found-name", "text-color", "#111111"], ["found-name", "text-halo-color", "#ffffff"],
  ["grid-name", "text-color", "#4c6577"], ["grid-name", "text-halo-color", "#ffffff"],
  ["town-name", "text-color", "#33485a"], ["town-name", "text-halo-color", "#ffffff"],
  ["area-name", "text-color", "#0b4f5c"], ["area-name", "text-halo-color", "#ffffff"],
];
const FONT = ["Noto Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", "sans-serif"];
const collection = (features = []) => ({ type: "FeatureCollection", features });
const shape = (type, coordinates, properties = {}) => ({ type: "Feature", geometry: { type, coordinates }, properties });

const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

function layers() {
  const medium = { source: "grid", "source-layer": "medium", minzoom: 10, maxzoom: 12 };
  const small = { source: "grid", "source-layer": "small", minzoom: 12 };
  const none = ["in", ["get", "code"], ["literal", []]];
  const lit = { "fill-color": AREA, "fill-opacity": 0.2, "fill-antialias": false };
  const size = (n) => ["*", ["global-state", "scale"], n];
  return [
    { id: "pick-medium", type: "fill", ...medium, paint: { "fill-opacity": 0 } },
    { id: "pick-small", type: "fill", ...small, paint: { "fill-opacity": 0 } },
    { id: "lit-medium", type: "fill", ...medium, filter: none, paint: lit },
    { id: "lit-small", type: "fill", ...small, filter: none, paint: lit },
    { id: "edge-small", type: "line", ...small, filter: none, paint: { "line-color": AREA, "line-opacity": 0.75, "line-width": size(1.2) } },
    { id: "area-fill", type: "fill", source: "area", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": AREA, "fill-opacity": 0.1 } },
    { id: "area-line", type: "line", source: "area", paint: { "line-color": ["case", ["has", "way"], "#ffffff", "#b9f6ff"], "line-width": size(2.4), "line-dasharray": [3, 2] } },
    { id: "grid-name", type: "symbol", source: "area", minzoom: 13, filter: ["==", ["get", "what"], "grid"], layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": size(11.5), "text-max-width": 8, "text-padding": 6 }, paint: { "text-color": "#bcd6e6", "text-halo-color": "#06121f", "text-halo-width": 1.4 } },
    { id: "town-name", type: "symbol", source: "town", maxzoom: 13, layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": size(13), "text-max-width": 8 }, paint: { "text-color": "#bcd6e6", "text-halo-color": "#06121f", "text-halo-width": 1.4 } },
    { id: "area-name", type: "symbol", source: "area", filter: ["==", ["get", "what"], "ring"], layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": size(14), "text-offset": [0, -0.9], "text-allow-overlap": true }, paint: { "text-color": "#d8fbff", "text-halo-color": "#06121f", "text-halo-width": 2 } },
    { id: "middle", type: "circle", source: "area", filter: ["==", ["get", "what"], "middle"], paint: { "circle-radius": size(5), "circle-color": "#ffffff", "circle-stroke-color": AREA, "circle-stroke-width": size(3) } },
    { id: "corner", type: "circle", source: "area", filter: ["==", ["get", "what"], "corner"], paint: { "circle-radius": size(4), "circle-color": "#b9f6ff" } },
    { id: "found", type: "circle", source: "found", layout: { "circle-sort-key": ["get", "order"] }, paint: {
      "circle-radius": ["case", ["boolean", ["get", "hot"], false], size(10), ["match", ["get", "kind"], ["event", "late"], size(4.5), size(6.5)]],
      "circle-color": ["match", ["get", "kind"], ...Object.entries(COLOURS).flat(), "#ffffff"],
      "circle-stroke-color": ["case", ["boolean", ["get", "hot"], false], "#ffffff", "#06121f"],
      "circle-stroke-width": ["case", ["boolean", ["get", "hot"], false], size(3), size(1.5)],
    } },
    { id: "found-name", type: "symbol", source: "found", minzoom: 12.5, filter: ["in", ["get", "kind"], ["literal", ["protected", "resource"]]], layout: {
      "text-field": ["get", "name"], "text-font": FONT, "text-size": size(12.5), "text-offset": [0, 0.9], "text-anchor": "top", "text-max-width": 9,
      "symbol-sort-key": ["get", "order"],
    }, paint: { "text-color": ["match", ["get", "kind"], "protected", "#ffe7ad", "#c5f5d8"], "text-halo-color": "#06121f", "text-halo-width": 1.6 } },
  ];
}

// The part of the map that no panel covers.
function padding(map) {
  const air = 36 * rem();
  const sides = { top: air, bottom: air, left: air, right: air };
  const room = document.getElementById("map").getBoundingClientRect();
  for (const [selector, side] of [[".tools", "left"], ["#answer", "right"]]) {
    const box = document.querySelector(selector).getBoundingClientRect();
    if (box.width < room.width * 0.5) sides[side] += side === "left" ? box.right - room.left : room.right - box.left;
  }
  return inset(map, sides);
}

// Stands in until there is a map, and where there can be none: then the page says why.
export const NO_MAP = { ready: false, area() {}, sketch() {}, found() {}, hot() {}, fit() {}, moved: "", jump() {}, picture: async () => null };

export async function makeEmergencyMap(told, on) {
  const says = (kind) => document.documentElement.classList.add(kind);
  const kind = graphicsKind();
  if (kind !== "fast") says(kind === "none" ? "no-webgl" : "no-gpu");
  if (kind === "none") return NO_MAP;
  const engine = await import(`/static/maplibre/${told.engine}/maplibre-gl.mjs`).catch(() => says("no-engine"));
  if (!engine) return NO_MAP;
  const { Map: GlMap } = engine;
  const { tiles, box, layers: ground, sources = {} } = told.style;
  const [west, south, east, north] = box;
  const own = structuredClone(sources);
  for (const source of Object.values(own)) source.tiles = source.tiles.map((address) => window.location.origin + address);
  const map = new GlMap({
    container: "map",
    style: {
      version: 8,
      state: { scale: { default: 1 } },
      sources: {
        ...own,
        grid: { type: "vector", tiles: [window.location.origin + tiles], minzoom: 6, maxzoom: 14 },
        area: { type: "geojson", data: collection() },
        found: { type: "geojson", data: collection() },
        town: { type: "geojson", data: collection(told.towns.map(({ name, lon, lat }) => shape("Point", [lon, lat], { name }))) },
      },
      layers: [...ground, ...layers()],
    },
    bounds: [[west, south], [east, north]],
    fitBoundsOptions: { padding: padding(document.getElementById("map")) },
    attributionControl: false, dragRotate: false, pitchWithRotate: false, renderWorldCopies: false, fadeDuration: 0, maxZoom: 18,
    pixelRatio: kind === "slow" ? 1 : Math.min(devicePixelRatio, 2),
  });
  nameCanvas(map);
  tellBase(map, { failing: told.style.metadata?.failing }); // whose it is stands with the legend
  const kept = { ring: [], features: [], hot: null, from: null, box: [[west, south], [east, north]], isMoved: false };
  map.on("movestart", ({ originalEvent }) => { kept.isMoved ||= Boolean(originalEvent); });
  const fit = () => map.fitBounds(kept.box, { padding: padding(map.getCanvas()), maxZoom: 16.5 + Math.log2(rem()), duration: 0 });
  map.on("resize", () => {
    map.setGlobalStateProperty("scale", rem());
    if (!kept.isMoved) fit();
  });
  const codeAt = (point) => {
    const found = map.queryRenderedFeatures(point, { layers: ["pick-small", "pick-medium", "land"] });
    return found.map((one) => one.properties.code).sort((a, b) => b.length - a.length)[0] ?? null;
  };
  map.on("click", (event) => on.click([event.lngLat.lng, event.lngLat.lat], codeAt(event.point)));
  map.on("dblclick", (event) => on.double(event));
  map.on("mousemove", (event) => on.move([event.lngLat.lng, event.lngLat.lat]));
  map.on("move", () => on.scale(metresAcross(map)));
  await map.once("load");
  map.setGlobalStateProperty("scale", rem());
  const seen = () => map.getSource("found").setData(collection(kept.features.map((one) => ({
    ...one, properties: { ...one.properties, hot: one.properties.id === kept.hot },
  }))));
  const outline = () => {
    const hot = kept.features.find((one) => one.properties.id === kept.hot);
    const way = hot && kept.from ? [shape("LineString", [kept.from, hot.geometry.coordinates], { way: true })] : [];
    map.getSource("area").setData(collection([...kept.ring, ...way]));
  };
  return {
    ready: true,
    map,
    // Where the reader has moved the map to; nothing where it shows what it was asked for.
    get moved() {
      const { lng, lat } = map.getCenter();
      return kept.isMoved ? [lng.toFixed(5), lat.toFixed(5), map.getZoom().toFixed(2)].join() : "";
    },
    jump([lon, lat, zoom]) {
      kept.isMoved = true;
      map.jumpTo({ center: [lon, lat], zoom });
    },
    // The area of an answer, with the grids it touches.
    area(area, grids, name) {
      const codes = grids.map((one) => one.code);
      kept.ring = grids.slice(0, 300).map((one) => shape("Point", [one.lon, one.lat], { what: "grid", name: one.name }));
      kept.from = area ? [area.lon, area.lat] : null;
      if (area?.ring) kept.ring.push(shape("Polygon", [area.ring]));
      if (area?.kind === "circle") {
        const top = area.ring.reduce((a, b) => (b[1] > a[1] ? b : a));
        kept.ring.push(shape("Point", kept.from, { what: "middle" }), shape("Point", top, { what: "ring", name }));
      }
      outline();
      const filter = (all) => ["in", ["get", "code"], ["literal", all]];
      for (const id of ["lit-small", "edge-small"]) map.setFilter(id, filter(codes));
      map.setFilter("lit-medium", filter([...new Set(codes.map((code) => code.slice(0, 12)))]));
    },
    // A shape on the way: its corners, and the pointer as the next one.
    sketch(corners, pointer) {
      const all = pointer && corners.length ? [...corners, pointer] : corners;
      const line = all.length > 1 ? [shape("LineString", all.length > 2 ? [...all, all[0]] : all)] : [];
      kept.ring = [...line, ...corners.map((one) => shape("Point", one, { what: "corner" }))];
      kept.from = null;
      outline();
    },
    found(features) {
      Object.assign(kept, { features, hot: null });
      seen();
    },
    hot(id) {
      if (kept.hot === id) return;
      kept.hot = id;
      seen();
      outline();
    },
    fit([west, south, east, north]) {
      Object.assign(kept, { box: [[west, south], [east, north]], isMoved: false });
      fit();
    },
    // The map as a picture for paper, read in the frame that draws it: later the canvas may be empty.
    async picture() {
      const before = PAPER.filter(([id]) => map.getLayer(id)).map(([id, key]) => [id, key, map.getPaintProperty(id, key)]);
      const put = (all, size) => {
        for (const [id, key, value] of all) if (map.getLayer(id)) map.setPaintProperty(id, key, value);
        map.setGlobalStateProperty("scale", size);
      };
      put(PAPER, rem() * 1.9);
      if (!map.loaded()) await map.once("idle");
      const made = await new Promise((done) => {
        map.once("render", () => done(map.getCanvas().toDataURL("image/png")));
        map.triggerRepaint();
      });
      put(before, rem());
      return made;
    },
  };
}

// Metres across a hundred pixels at the middle of the map.
function metresAcross(map) {
  const { lat } = map.getCenter();
  return (100 * 78271.517 * Math.cos((lat * Math.PI) / 180)) / 2 ** map.getZoom();
}
