// How far a map keeps from the edges of its box, or not at all where that leaves no room: a window that is being resized
// has panels of its new size over a map of its old one. The map's next resize fits it anew.
export function inset(box, sides) {
  const hasRoom = box.clientWidth > sides.left + sides.right && box.clientHeight > sides.top + sides.bottom;
  return hasRoom ? sides : 0;
}
