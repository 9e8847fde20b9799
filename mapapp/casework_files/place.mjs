// Where it is: the position of the phone, or a point picked on the map.
import { ask, el, notice, t, told } from "./desk.mjs";
import { makeMap } from "./map.mjs";

const at = (id) => document.getElementById(id);

export function makePlace(changed) {
  const place = { lon: null, lat: null };
  let map = null;
  let number = 0;

  async function set(lon, lat, how) {
    Object.assign(place, { lon, lat });
    number += 1;
    changed();
    const mine = number;
    const there = t("report_at", { lon: lon.toFixed(5), lat: lat.toFixed(5) });
    at("place").replaceChildren(`${there} · ${how}`);
    map?.show([{ id: number, lon, lat, state: "" }], number);
    try {
      const found = await ask("/report/around", { lon, lat }, { stays: true });
      if (mine === number) at("place").replaceChildren(el("b", {}, found.path.join(" › ")), ` · ${how}`);
    } catch (error) {
      if (mine === number && error.need === "inside") at("place").replaceChildren(el("b", { class: "late" }, t("report_outside")), ` · ${there}`);
    }
  }

  function clear() {
    Object.assign(place, { lon: null, lat: null });
    number += 1;
    map?.show([], null);
    at("place").replaceChildren(t("report_no_place"));
  }

  at("here").addEventListener("click", () => {
    if (!window.isSecureContext || !navigator.geolocation) {
      notice(t("report_no_position_here"));
      return;
    }
    at("place").replaceChildren(t("report_finding"));
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => set(coords.longitude, coords.latitude, t("report_about", { m: Math.ceil(coords.accuracy) })),
      (error) => {
        clear();
        notice(t({ 1: "report_position_denied", 3: "report_position_late" }[error.code] ?? "report_position_none"));
      },
      { enableHighAccuracy: true, timeout: 20000 },
    );
  });

  at("pick").addEventListener("click", async () => {
    const isShut = at("picking").hidden;
    at("picking").hidden = !isShut;
    at("pick").setAttribute("aria-expanded", String(isShut));
    if (!isShut || map) return;
    map = await makeMap(told, () => {});
    if (!map.map) {
      notice(t("report_no_map"));
      return;
    }
    map.map.on("click", ({ lngLat }) => set(lngLat.lng, lngLat.lat, t("report_picked")));
    map.map.once("idle", () => { at("map").dataset.is = "ready"; });
    if (place.lon !== null) map.show([{ id: number, lon: place.lon, lat: place.lat, state: "" }], number);
  });
  at("middle").addEventListener("click", () => {
    const middle = map?.map?.getCenter();
    if (middle) set(middle.lng, middle.lat, t("report_picked"));
  });
  return { now: () => (place.lon === null ? null : { ...place }), set, clear };
}
