// Keeps the page of who reports from the field, so that it opens without a connection. What is sent is not its affair:
// the page keeps that itself until the server has it.
const SHELF = "report 1";
const PATIENCE_MS = 4000;
const TILES_MOST = 600;
const WHOSE = "/report/whose";

const isTile = (url) => url.pathname.startsWith("/tiles/grid/");
const isKept = (url) => url.pathname === "/report" || url.pathname.startsWith("/static/") || url.pathname.startsWith("/assets/");

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith("report ") && name !== SHELF) await caches.delete(name);
  await self.clients.claim();
})()));

// The page names what it is made of, and for whom; the answer says that all of it is kept, and nothing of anybody else.
self.addEventListener("message", (event) => event.waitUntil((async () => {
  const { keep, account } = event.data;
  const whose = await (await caches.open(SHELF)).match(WHOSE);
  if (whose && (await whose.text()) !== account) await caches.delete(SHELF);
  const shelf = await caches.open(SHELF);
  await shelf.addAll(keep);
  await shelf.put(WHOSE, new Response(account));
  event.ports[0].postMessage("kept");
})()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (isTile(url)) event.respondWith(tile(event.request));
  else if (isKept(url)) event.respondWith(fresh(event.request));
});

// What is fresh, or what was kept where nothing comes. Of whoever is no longer signed in nothing is kept.
async function fresh(request) {
  const shelf = await caches.open(SHELF);
  const isPage = request.mode === "navigate";
  const kept = await shelf.match(request, { ignoreVary: true, ignoreSearch: isPage });
  try {
    const answer = await fetch(request, kept ? { signal: AbortSignal.timeout(PATIENCE_MS) } : {});
    if (answer.ok) await shelf.put(request, answer.clone());
    else if (isPage && !(answer.status >= 500)) await caches.delete(SHELF);
    else if (kept) return kept;
    return answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

// Tiles never change under their address.
async function tile(request) {
  const shelf = await caches.open(SHELF);
  const kept = await shelf.match(request, { ignoreVary: true });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    await shelf.put(request, answer.clone());
    const tiles = (await shelf.keys()).filter((one) => isTile(new URL(one.url)));
    for (const old of tiles.slice(0, Math.max(0, tiles.length - TILES_MOST))) await shelf.delete(old);
  }
  return answer;
}
