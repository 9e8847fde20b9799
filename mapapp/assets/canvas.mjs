// The canvas takes the keys: it is the map's one stop, by the name the page gives to the box it lies in, in whatever
// language the page is in by then.
export function nameCanvas(map) {
  const [box, canvas] = [map.getContainer(), map.getCanvas()];
  for (const name of ["tabindex", "role"]) box.removeAttribute(name);
  canvas.removeAttribute("aria-label"); // the engine's, in no language of ours
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-labelledby", box.id);
}
