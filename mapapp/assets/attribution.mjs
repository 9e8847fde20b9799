// Whose map lies under the grids, where one does, and whether its host answers: said on the map, as plain text.
const AGAIN_MS = 15_000;
const watched = new WeakSet();

export function tellBase(map, { attribution = "", failing = "" } = {}) {
  const container = map.getContainer();
  const line = (name) =>
    container.querySelector(`.${name}`) ?? container.appendChild(Object.assign(document.createElement("p"), { className: name }));
  line("attribution").textContent = attribution;
  if (!failing) return;
  const note = line("base-note");
  note.setAttribute("role", "status");
  note.dataset.failing = failing;
  if (watched.has(map)) return;
  watched.add(map);
  map.once("idle", () => look(map, note));
  setInterval(() => look(map, note), AGAIN_MS);
}

// While the host is silent its tiles are asked for again now and then: the server knows only what it was asked for.
async function look(map, note) {
  const told = await fetch("/base/state").then((answer) => answer.json()).catch(() => null);
  if (!told) return;
  const wasSilent = Boolean(note.textContent);
  note.textContent = told.answers ? "" : note.dataset.failing;
  if (!wasSilent) return;
  for (const id of Object.keys(map.getStyle().sources)) if (id.startsWith("base-")) map.refreshTiles(id);
}
