// The tour: the next alarming grid, into the worst grid inside it, back, and so on. Whoever touches anything has two
// minutes in which it stands still.
const RESTS_MS = 120_000;

export function createTour({ state, go, seconds }) {
  const button = document.getElementById("tour");
  const own = { timer: null, next: 0, home: "", worst: [], depth: 0, restsUntil: 0 };
  const tell = () => {
    button.dataset.tour = !own.timer ? "off" : Date.now() < own.restsUntil ? "rests" : "on";
    button.setAttribute("aria-pressed", String(Boolean(own.timer)));
  };
  async function stop() {
    tell();
    if (Date.now() < own.restsUntil || !state.data) return;
    const ranking = state.data.ranking.filter((row) => row.code !== state.at);
    if (own.depth === 0 || own.depth === 1) {
      if (own.depth === 0) own.worst = ranking;
      const one = own.depth === 0 ? own.worst[own.next++ % Math.max(own.worst.length, 1)] : ranking[0];
      if (one) {
        own.depth += 1;
        await go({ at: one.code });
        return;
      }
    }
    own.depth = 0;
    await go({ at: own.home });
  }
  const tour = {
    start() {
      if (own.timer) return;
      own.home = state.at;
      own.depth = 0;
      own.timer = setInterval(stop, seconds * 1000);
      tell();
    },
    end() {
      clearInterval(own.timer);
      own.timer = null;
      tell();
    },
    toggle() {
      own.restsUntil = 0;
      if (own.timer) tour.end();
      else tour.start();
    },
  };
  for (const touch of ["pointerdown", "keydown", "wheel"]) {
    window.addEventListener(touch, (event) => {
      if (!event.isTrusted || event.target === button) return;
      own.restsUntil = Date.now() + RESTS_MS;
      own.depth = 0;
      tell();
    }, { passive: true, capture: true });
  }
  button.addEventListener("click", tour.toggle);
  tell();
  return tour;
}
