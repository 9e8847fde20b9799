// Rings that spread from a grid when something happens there; a few dozen at most, each gone after its time.
const MOST = 40;
const LIVES_MS = 4800;

export function createPulses(host) {
  let map = null;
  const alive = new Set();
  const place = (one) => {
    const at = map.project([one.lon, one.lat]);
    one.element.style.transform = `translate(${at.x}px, ${at.y}px)`;
  };
  const drop = (one) => {
    one.element.remove();
    alive.delete(one);
  };
  return {
    get count() { return alive.size; },
    follow(made) {
      map = made;
      map.on("move", () => alive.forEach(place));
    },
    add(grid, kind) {
      if (!map || !grid) return;
      if (alive.size >= MOST) drop(alive.values().next().value);
      const element = document.createElement("i");
      element.dataset.state = kind;
      const one = { element, lon: grid.lon, lat: grid.lat };
      alive.add(one);
      host.append(element);
      place(one);
      setTimeout(() => drop(one), LIVES_MS);
    },
  };
}
