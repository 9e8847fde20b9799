import { tellBase } from "/assets/attribution.mjs";
import { nameCanvas } from "/assets/canvas.mjs";
import { graphicsKind } from "/assets/graphics.mjs";

// The map beside the table: a point for each row that has a position; a click opens the case. Where there can be none,
// the error says why in the reader's words.
export async function makeMap(told, pick) {
  if (graphicsKind() === "none") throw new Error(told.lacks.webgl);
  const { Map: GlMap } = await import(`/static/maplibre/${told.engine}/maplibre-gl.mjs`).catch(() => {
    throw new Error(told.lacks.engine);
  });
  const empty = { type: "FeatureCollection", features: [] };
  const { tiles, box, layers, kinds, line, chosen, sources = {}, metadata = {} } = told.style;
  const base = Object.fromEntries(Object.entries(sources).map(([id, one]) => [id, { ...one, tiles: one.tiles.map((tile) => window.location.origin + tile) }]));
  const [west, south, east, north] = box;
  const all = [[west, south], [east, north]];
  const map = new GlMap({
    container: "map",
    style: {
      version: 8,
      sources: {
        ...base,
        grid: { type: "vector", tiles: [window.location.origin + tiles], minzoom: 6, maxzoom: 14 },
        cases: { type: "geojson", data: empty },
      },
      layers: [...layers, {
        id: "cases", type: "circle", source: "cases",
        paint: {
          "circle-radius": ["case", ["get", "open"], 9, 5],
          "circle-color": ["match", ["get", "kind"], ...kinds.flatMap(([kind, colour]) => [kind, colour]), line],
          "circle-stroke-color": ["case", ["get", "open"], chosen, line],
          "circle-stroke-width": ["case", ["get", "open"], 2.5, 1],
        },
      }],
    },
    bounds: all,
    fitBoundsOptions: { padding: 16 },
    attributionControl: false, dragRotate: false, pitchWithRotate: false, renderWorldCopies: false, fadeDuration: 0, maxZoom: 18,
  });
  nameCanvas(map);
  tellBase(map, metadata);
  let last = null;
  let isMoved = false;
  map.on("movestart", ({ originalEvent }) => { isMoved ||= Boolean(originalEvent); });
  map.on("resize", () => { if (!isMoved && !last?.open) map.fitBounds(all, { padding: 16, duration: 0 }); });
  const kind = (one) => {
    if (["closed", "refused"].includes(one.state)) return "done";
    const hours = one.due_at ? (new Date(one.due_at) - Date.now()) / 3600000 : Infinity;
    return hours < 0 ? "late" : hours < 24 ? "soon" : "open";
  };
  let shown = [];
  const draw = () => {
    if (!last || !map.isStyleLoaded() && !map.getSource("cases")) return;
    const features = last.rows.filter((one) => one.lon !== null).map((one) => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: [one.lon, one.lat] },
      properties: { id: one.id, kind: kind(one), open: one.id === last.open },
    }));
    map.getSource("cases").setData({ type: "FeatureCollection", features });
    shown = features.map((one) => one.properties.kind);
    const open = features.find((one) => one.properties.open);
    if (open && open.properties.id !== last.seen) map.jumpTo({ center: open.geometry.coordinates, zoom: Math.max(map.getZoom(), 13) });
  };
  map.on("load", draw);
  map.on("click", "cases", (event) => pick(event.features[0].properties.id));
  map.on("mouseenter", "cases", () => { map.getCanvas().style.cursor = "pointer"; });
  map.on("mouseleave", "cases", () => { map.getCanvas().style.cursor = ""; });
  // For tests: to look at, not to steer by.
  window.__cases = Object.freeze({
    get box() { return map.getBounds().toArray().flat(); },
    get kinds() { return [...new Set(shown)]; },
    get idle() { return map.loaded() && !map.isMoving(); },
  });
  return {
    map,
    show(rows, open) {
      const seen = last?.open;
      last = { rows, open, seen };
      draw();
    },
  };
}
