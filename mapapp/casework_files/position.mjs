// The form for everybody: the phone's own position, where somebody wishes to give it.
const at = (id) => document.getElementById(id);
const here = at("here");

here.hidden = !(window.isSecureContext && navigator.geolocation);
here.addEventListener("click", () => navigator.geolocation.getCurrentPosition(
  ({ coords }) => {
    at("lon").value = coords.longitude.toFixed(6);
    at("lat").value = coords.latitude.toFixed(6);
    at("where").textContent = here.dataset.done;
  },
  () => { at("where").textContent = here.dataset.failed; },
  { enableHighAccuracy: true, timeout: 20000 },
));
at("community").addEventListener("change", () => {
  at("lon").value = at("lat").value = at("where").textContent = "";
});
