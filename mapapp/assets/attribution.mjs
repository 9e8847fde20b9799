// Whose map lies under the grids, where one does: said on the map, as plain text.
export function tellBase(container, style) {
  const said = style.metadata?.attribution ?? "";
  const there = container.querySelector(".attribution") ?? container.appendChild(document.createElement("p"));
  Object.assign(there, { className: "attribution", textContent: said });
}
