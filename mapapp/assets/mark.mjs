// What the reader looked for, marked where it lies: puts up the source and the layers that Python made, or takes them down.
export function mark(map, told) {
  const said = JSON.stringify(told ?? null);
  if (map.getSource("mark") ? map.getSource("mark").said === said : !told) return;
  for (const id of map.getLayersOrder().filter((id) => id.startsWith("mark-"))) map.removeLayer(id);
  if (map.getSource("mark")) map.removeSource("mark");
  if (!told) return;
  map.addSource("mark", told.source);
  map.getSource("mark").said = said;
  for (const layer of told.layers) map.addLayer(layer);
}
