// What is to be sent, kept in the browser until the server has it. An entry goes under one key, so what is sent again
// does nothing twice; its photos follow one by one.
import { ask } from "./desk.mjs";

const PATIENCE_MS = 60000;

const opened = () => new Promise((resolve, reject) => {
  const asked = indexedDB.open("report", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore("outbox", { keyPath: "key" });
  asked.onsuccess = () => resolve(asked.result);
  asked.onerror = () => reject(asked.error);
});

async function within(mode, run) {
  const base = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const work = base.transaction("outbox", mode);
      const asked = run(work.objectStore("outbox"));
      work.oncomplete = () => resolve(asked.result);
      work.onerror = work.onabort = () => reject(work.error);
    });
  } finally {
    base.close();
  }
}

export const keep = (entry) => within("readwrite", (store) => store.put(entry));
export const forget = (key) => within("readwrite", (store) => store.delete(key));

// Entries of one account, the oldest first; what another account left on this phone stays its own.
export async function waiting(account) {
  const all = await within("readonly", (store) => store.getAll());
  return all.filter((one) => one.account === account).sort((a, b) => a.made_at - b.made_at);
}

const post = (path, body) => ask(path, body, { stays: true, signal: AbortSignal.timeout(PATIENCE_MS) });

// Whether it is worth trying again by itself: no answer, no session, too many requests, a fault of the server.
const isForLater = (error) => !error.status || error.status === 401 || error.status === 429 || error.status >= 500;

async function send(entry) {
  if (!entry.id) {
    const waited_s = Math.max(0, (Date.now() - entry.made_at) / 1000);
    entry.id = (await post(`/report/${entry.kind}`, { ...entry.said, key: entry.key, waited_s })).id;
    await keep(entry);
  }
  while (entry.photos.length) {
    await addPhoto(entry.id, entry.photos[0]);
    entry.photos.shift();
    await keep(entry);
  }
  await forget(entry.key);
}

export function addPhoto(id, photo) {
  const form = new FormData();
  form.append("photo", new Blob([photo.bytes], { type: photo.type }), "photo.jpg");
  return post(`/cases/one/${id}/photo`, form);
}

// Send what waits, in order. Answers what stopped it: "" for nothing, else "offline" or "signed_out".
async function empty(account, told) {
  for (const entry of await waiting(account)) {
    if (entry.refused) continue;
    try {
      await send(entry);
      told(entry);
    } catch (error) {
      if (isForLater(error)) return error.status === 401 ? "signed_out" : "offline";
      const { why, need, told: filled } = error;
      entry.refused = { why, need, told: filled };
      await keep(entry);
    }
  }
  return "";
}

// One page at a time, where the browser can hold the others back; where it cannot, the key sees to it.
export const deliver = (account, told) =>
  navigator.locks ? navigator.locks.request("outbox", () => empty(account, told)) : empty(account, told);
