// What is drawn over the grids: puts up the sources and layers that Python made, and says what lies under the pointer.
import "/static/casework/day.mjs";
import { mark } from "./mark.mjs";

const page = document.documentElement;
const BELOW = "veil-county"; // the first layer of the grids that lies above them
const state = { map: null, view: null, told: null, sources: new Set(), tilted: 0 };

// Without a graphics card what costs most stays away, unless the reader wants it all the same.
const isDropped = (layer) => {
  const isWeak = page.classList.contains("no-gpu") && !state.told.effects;
  return isWeak ? Boolean(layer.metadata?.needs) : Boolean(layer.metadata?.instead);
};

const isOurs = (id) => id.startsWith("layer-") || id === "blocks";

function put(map, told) {
  const layers = told.layers.filter((layer) => !isDropped(layer));
  const wanted = new Set(layers.map((layer) => layer.id));
  const sources = new Set(layers.map((layer) => layer.source));
  for (const id of map.getLayersOrder().filter((id) => isOurs(id) && !wanted.has(id))) map.removeLayer(id);
  for (const id of state.sources) if (!sources.has(id) && map.getSource(id)) map.removeSource(id);
  state.sources = new Set(Object.keys(told.sources).filter((id) => sources.has(id)));
  for (const id of state.sources) {
    const source = told.sources[id];
    const tiles = source.tiles.map((address) => location.origin + address);
    if (!map.getSource(id)) map.addSource(id, { ...source, tiles });
    else if (map.getSource(id).tiles[0] !== tiles[0]) map.getSource(id).setTiles(tiles);
  }
  for (const layer of layers) {
    const there = map.getLayer(layer.id);
    // The blocks of another frame are another layer under the same name.
    if (there && JSON.stringify(map.getFilter(layer.id) ?? null) !== JSON.stringify(layer.filter ?? null)) map.removeLayer(layer.id);
    if (!map.getLayer(layer.id)) map.addLayer(layer, BELOW);
    else {
      for (const [name, value] of Object.entries(layer.paint)) {
        if (JSON.stringify(map.getPaintProperty(layer.id, name)) !== JSON.stringify(value)) map.setPaintProperty(layer.id, name, value);
      }
      map.moveLayer(layer.id, BELOW);
    }
  }
}

function tilt(map, pitch) {
  if (pitch === state.tilted) return;
  state.tilted = pitch;
  map.easeTo({ pitch, duration: 0, essential: true });
}

function raise(map, view) {
  const flat = !map.getLayer("blocks");
  tilt(map, flat ? 0 : state.told.pitch);
  if (flat || !view.heights) return;
  const steps = atob(view.heights.of);
  map.setGlobalStateProperty("rise", view.heights.rise);
  view.cells.no.forEach((id, i) => {
    map.setFeatureState({ source: "grid", sourceLayer: view.shown, id }, { height: steps.charCodeAt(i) });
  });
}

window.addEventListener("atlas-drawn", ({ detail: { map, view, fresh } }) => {
  Object.assign(state, { map, view });
  if (view.overlay) state.told = view.overlay;
  mark(map, view.mark);
  if (!state.told) return;
  if (view.overlay || fresh) put(map, state.told);
  raise(map, view);
});

function under(map, point) {
  const layers = map.getLayersOrder().filter((id) => /^layer-.*-(circles|discs)$/.test(id));
  return layers.length ? map.queryRenderedFeatures(point, { layers })[0] : undefined;
}

function card(found, { x, y } = {}) {
  const host = document.getElementById("row-card");
  host.classList.toggle("shown", Boolean(found));
  if (!found) return;
  const { said } = state.told;
  const { n, category, name, state: step, reported_at: at } = found.properties;
  const key = found.layer.id.replace(/^layer-|-(circles|discs)$/g, "");
  const line = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const lines = [line("b", name ?? said.layers[key] ?? "")];
  if (n > 1 || found.layer.id.endsWith("-circles")) lines.push(line("p", said.together.replace("%s", n)));
  else {
    const moment = at && new Intl.DateTimeFormat(page.lang === "en" ? "en-GB" : "zh-CN", { dateStyle: "medium", timeStyle: "short", timeZone: said.zone, hourCycle: "h23" });
    const parts = [said.categories[category], said.states[step], moment?.format(new Date(at * 1000)).replace(", ", " ")];
    lines.push(...parts.filter(Boolean).map((text) => line("p", text)));
  }
  host.replaceChildren(...lines);
  const room = state.map.getContainer().getBoundingClientRect();
  const box = host.getBoundingClientRect();
  const left = room.left + x + 16 + box.width > room.right ? room.left + x - 16 - box.width : room.left + x + 16;
  host.style.transform = `translate(${Math.round(Math.max(left, 0))}px, ${Math.round(Math.min(room.top + y + 16, innerHeight - box.height - 8))}px)`;
}

// A row under the pointer goes before the grid below it; a circle of many only where no finer grid can be opened.
function follow(map) {
  const isLast = () => window.atlas.last?.view.at.length === 15;
  map.on("mousemove", (event) => {
    const found = state.told && !map.isMoving() ? under(map, event.point) : undefined;
    card(found, event.point);
    if (found) event.preventDefault();
  });
  map.on("mouseout", () => card());
  map.on("movestart", () => card());
  map.on("click", (event) => {
    const found = state.told && under(map, event.point);
    if (!found) return;
    const isMany = found.layer.id.endsWith("-circles");
    if (isMany && !isLast()) return;
    event.preventDefault();
    if (isMany) map.easeTo({ center: event.lngLat, zoom: map.getZoom() + 1.5, duration: page.classList.contains("no-gpu") ? 0 : 300 });
    else card(found, event.point);
  });
}

window.addEventListener("atlas-map", ({ detail }) => {
  if (!document.getElementById("row-card")) {
    document.body.append(Object.assign(document.createElement("div"), { id: "row-card", className: "hover-card glass", }));
  }
  follow(detail);
});

// A day chosen in the panel of the layers.
document.addEventListener("change", ({ target }) => {
  if (target.dataset?.ask) window.atlas.go(window.atlas.search({ [target.dataset.ask]: target.value }));
});

// For tests: to look at, not to steer by.
Object.defineProperty(window, "__layers", {
  value: Object.freeze({
    get drawn() { return state.map.getLayersOrder().filter((id) => isOurs(id)); },
    get tiles() { return [...state.sources].map((id) => state.map.getSource(id).tiles?.[0] ?? ""); },
    get pitch() { return state.map.getPitch(); },
    get zoom() { return state.map.getZoom(); },
    // What is marked, and where on the page.
    get marked() {
      const found = state.map.getLayer("mark-name") && state.map.queryRenderedFeatures({ layers: ["mark-ring"] })[0];
      const room = state.map.getContainer().getBoundingClientRect();
      const at = found && state.map.project(found.geometry.coordinates);
      return at ? { name: found.properties.name, x: room.left + at.x, y: room.top + at.y } : null;
    },
    heightOf(code) {
      const { cells, frame, shown } = state.view;
      const id = cells.no[cells.code.indexOf(code.slice(frame.length))];
      return state.map.getFeatureState({ source: "grid", sourceLayer: shown, id }).height ?? null;
    },
    // Where on the page one of the rows or circles drawn lies that no panel covers.
    point(kind) {
      const layers = state.map.getLayersOrder().filter((id) => id.startsWith("layer-") && id.endsWith(kind));
      const room = state.map.getContainer().getBoundingClientRect();
      const places = state.map.queryRenderedFeatures({ layers }).map(({ geometry }) => {
        const { x, y } = state.map.project(geometry.coordinates);
        return [room.left + x, room.top + y];
      });
      return places.find(([x, y]) => document.elementFromPoint(x, y) === state.map.getCanvas()) ?? null;
    },
  }),
});
