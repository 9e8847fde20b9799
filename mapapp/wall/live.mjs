// The event stream, opened again by the page itself whenever it ends, from the last number it saw.
const SILENT_MS = 45_000;

export function openLive({ step, load, hello, reset, proof }) {
  const own = { source: null, last: 0, heard: 0, isOpen: false, waiting: null };
  const again = () => {
    own.source?.close();
    own.isOpen = false;
    own.waiting ??= setTimeout(open, 1200 + Math.random() * 800); // not all screens at once
  };
  const on = (kind, act) =>
    own.source.addEventListener(kind, (event) => {
      own.heard = Date.now();
      proof();
      if (event.lastEventId) own.last = Math.max(own.last, Number(event.lastEventId));
      act(JSON.parse(event.data));
    });
  function open() {
    own.source?.close(); // never two of them: each would tell every step
    own.waiting = null;
    own.heard = Date.now();
    own.source = new EventSource(`/live?since=${own.last}`);
    on("hello", (told) => {
      own.isOpen = true;
      hello(told);
    });
    on("step", step);
    on("load", load);
    on("beat", () => {});
    on("reset", async () => {
      own.source.close();
      own.last = (await reset()) ?? own.last;
      again();
    });
    own.source.onerror = again;
  }
  return {
    get last() { return own.last; },
    get isOpen() { return own.isOpen; },
    start(cursor) {
      own.last = cursor ?? 0;
      open();
      // A connection may die without a word.
      setInterval(() => Date.now() - own.heard > SILENT_MS && again(), 10_000);
    },
  };
}
