// The page of who reports from the field. Everything that is sent lies in the outbox first, so a bad connection loses
// nothing; where there is one, what may be the same thing is offered before a new case is made.
import { ask, category, department, el, left, listen, moment, newKey, notice, once, reason, say, t, to, told } from "./desk.mjs";
import { addPhoto, deliver, forget, keep, waiting } from "./outbox.mjs";
import { makePlace } from "./place.mjs";

const LONG_SIDE = 1600;
const NEAR_MS = 8000;
const AGAIN_MS = 20000;

const at = (id) => document.getElementById(id);
const page = { kind: told.kinds[0], key: newKey(), photos: [], isNew: false };
const place = makePlace(() => {
  page.isNew = false;
  shutOffer();
  note();
});

function choose(kind) {
  page.kind = kind;
  for (const one of document.querySelectorAll("[data-choose]")) one.setAttribute("aria-pressed", String(one.dataset.choose === kind));
  for (const one of document.querySelectorAll("[data-of]")) one.hidden = one.dataset.of !== kind;
  at("category").required = kind === "report";
  shutOffer();
  drawSettled();
}
for (const one of document.querySelectorAll("[data-choose]")) one.addEventListener("click", () => choose(one.dataset.choose));

function drawSettled() {
  if (!at("is_settled")) return;
  const is = page.kind === "report" && at("is_settled").checked;
  at("how").hidden = !is;
  at("settled").required = is;
}
at("is_settled")?.addEventListener("change", drawSettled);

// A photo is made small on the phone already: what goes over a bad connection is a tenth, and no place is in it.
async function small(file) {
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, LONG_SIDE / Math.max(picture.width, picture.height));
    const canvas = el("canvas", { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const made = await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.85); });
    return { type: made.type, bytes: await made.arrayBuffer() };
  } catch {
    return { type: file.type, bytes: await file.arrayBuffer() }; // the server judges what this browser cannot open
  }
}

function drawPhotos() {
  at("photos").replaceChildren(...page.photos.map((photo, n) => {
    const url = URL.createObjectURL(new Blob([photo.bytes], { type: photo.type }));
    const shown = el("img", { src: url, alt: t("case_photo", { n: n + 1 }) });
    shown.addEventListener("load", () => URL.revokeObjectURL(url));
    const gone = el("button", { type: "button", class: "plain", "aria-label": t("report_drop_photo", { n: n + 1 }) }, "×");
    gone.addEventListener("click", () => { page.photos.splice(n, 1); drawPhotos(); });
    return el("span", {}, shown, gone);
  }));
}
at("camera").addEventListener("change", async () => {
  const files = [...at("camera").files];
  at("camera").value = "";
  for (const file of files) page.photos.push(await small(file));
  drawPhotos();
});

function read() {
  const said = { ...place.now(), words: at("words").value.trim() };
  if (page.kind === "visit") return said;
  const is_settled = Boolean(at("is_settled")?.checked);
  return { ...said, category: at("category").value, is_urgent: at("is_urgent").checked, is_settled, settled: is_settled ? at("settled").value.trim() : "" };
}

// What is being written outlives a reload: phones shut a page when the camera opens.
const DRAFT = `draft ${told.account}`;
const note = (photos = []) => sessionStorage.setItem(DRAFT, JSON.stringify({ kind: page.kind, said: read(), photos }));
at("form").addEventListener("input", () => note());

// Into the other language the photos go along, as texts, for which a browser has room for some.
const packed = ({ type, bytes }) => ({ type, bytes: btoa(Array.from(new Uint8Array(bytes), (one) => String.fromCharCode(one)).join("")) });
const unpacked = ({ type, bytes }) => ({ type, bytes: Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0)).buffer });
document.querySelector(".language").addEventListener("click", (event) => {
  try {
    note(page.photos.map(packed));
  } catch {
    event.preventDefault();
    notice(t("report_no_room"));
  }
});

function clear() {
  at("form").reset();
  place.clear();
  sessionStorage.removeItem(DRAFT);
  Object.assign(page, { key: newKey(), photos: [], isNew: false });
  drawPhotos();
  choose(page.kind);
}

// What may be the same thing; nothing where there is no answer soon, since a report is never held up.
async function near(said) {
  try {
    return (await ask("/report/around", said, { stays: true, signal: AbortSignal.timeout(NEAR_MS) })).near;
  } catch {
    return [];
  }
}

function offer(found) {
  const card = (one) => {
    const same = el("button", { type: "button", "data-same": String(one.id) }, t("report_same"));
    same.addEventListener("click", once(same, async () => {
      for (const photo of page.photos) await addPhoto(one.id, photo);
      notice(t("report_is_same", { id: one.id }), "note");
      clear();
    }));
    return el("div", { class: "near" },
      el("b", {}, `${one.id}`), el("i", { class: `state ${one.state}` }, say("state", one.state)),
      el("small", {}, moment(one.reported_at), " · ", t("case_near_how", { m: Math.round(one.distance_m), like: Math.round(one.like * 100) })),
      el("span", {}, one.summary ?? ""),
      el("div", { class: "photos" }, one.photos.map((id, n) => el("img", { src: `/cases/photo/${id}`, alt: t("case_photo", { n: n + 1 }), loading: "lazy" }))),
      same);
  };
  const none = el("button", { type: "button", class: "first", id: "none" }, t("report_near_not"));
  none.addEventListener("click", () => { page.isNew = true; shutOffer(); at("form").requestSubmit(); });
  at("near").replaceChildren(el("h3", {}, t("report_near")), el("div", { class: "beside" }, found.map(card)), none);
  at("send").hidden = true; // so that the second of two quick clicks passes over nothing
  at("near").scrollIntoView({ block: "nearest" });
}

function shutOffer() {
  at("near").replaceChildren();
  at("send").hidden = false;
}
at("category").addEventListener("input", () => { page.isNew = false; shutOffer(); });

at("form").addEventListener("submit", once(at("send"), async () => {
  const said = read();
  if (said.lon === undefined) {
    notice(t("report_no_place"));
    return;
  }
  if (page.kind === "report" && !page.isNew) {
    const found = await near(said);
    if (found.length) {
      offer(found);
      return;
    }
  }
  try {
    await keep({ key: page.key, account: told.account, kind: page.kind, said, photos: page.photos, made_at: Date.now() });
  } catch (error) {
    notice(t("report_not_kept", { why: error?.name ?? "" }));
    return;
  }
  clear();
  await drawOutbox();
  flush();
}));

async function drawOutbox() {
  const entries = await waiting(told.account).catch(() => []);
  const line = (one) => {
    const again = el("button", { type: "button" }, t("report_edit"));
    again.addEventListener("click", once(again, async () => { await forget(one.key); edit(one); await drawOutbox(); }));
    const gone = el("button", { type: "button" }, t("report_throw_away"));
    gone.addEventListener("click", once(gone, async () => { await forget(one.key); await drawOutbox(); }));
    const why = one.refused && reason(one.refused);
    return el("li", { "data-key": one.key }, el("b", {}, one.kind === "visit" ? t("report_kind_visit") : category(one.said.category)),
      ` ${moment(new Date(one.made_at).toISOString())} `, one.photos.length ? t("report_n_photos", { n: one.photos.length }) : "",
      el("p", { class: "hint" }, one.said.words), why ? el("p", { class: "late" }, t("report_refused", { why })) : null,
      one.refused ? el("div", { class: "row" }, one.id ? null : again, gone) : null);
  };
  at("outbox").replaceChildren(...entries.map(line));
  document.body.dataset.waiting = String(entries.length);
  return entries.filter((one) => !one.refused).length;
}

function edit({ kind, said, photos }) {
  choose(kind);
  if (said.lon !== undefined) place.set(said.lon, said.lat, t("report_picked"));
  at("words").value = said.words;
  page.photos = photos;
  drawPhotos();
  if (kind !== "report") return;
  at("category").value = said.category;
  at("is_urgent").checked = said.is_urgent;
  if (at("is_settled")) {
    at("is_settled").checked = said.is_settled;
    at("settled").value = said.settled;
  }
  drawSettled();
}

let isSending = false;
async function flush() {
  if (isSending) return;
  isSending = true;
  try {
    const stopped = await deliver(told.account, (one) => notice(t("report_sent", { id: one.id }), "note"));
    await tell(stopped);
    if (stopped !== "offline") await drawMine();
  } finally {
    isSending = false;
  }
}

async function tell(stopped) {
  const n = await drawOutbox();
  document.body.classList.toggle("offline", stopped === "offline");
  const link = el("a", { href: `/sign-in?next=${encodeURIComponent(to("/report"))}` }, t("report_signed_out"));
  at("state").replaceChildren(stopped === "signed_out" ? link : t(stopped ? "report_offline" : n ? "report_sending" : "report_nothing_waits"),
    el("span", { id: "kept" }, ` · ${t(`report_kept_${document.body.dataset.kept ?? "not_yet"}`)}`));
}

async function drawMine() {
  const mine = await ask("/report/mine", undefined, { stays: true }).catch(() => null);
  if (!mine) return;
  const isLate = (one) => one.due_at && !one.closed_at && new Date(one.due_at) < Date.now();
  const report = (one) => el("li", { "data-id": String(one.id) }, el("b", {}, category(one.category)), " ",
    el("i", { class: `state ${one.state}` }, say("state", one.state)), one.outcome ? ` ${say("outcome", one.outcome)}` : "",
    el("p", { class: "hint" }, `${one.id} · ${moment(one.reported_at)} · ${one.grid ?? one.grid_code}${one.department ? ` · ${department(one.department)}` : ""}`),
    one.due_at && !one.closed_at ? el("p", { class: isLate(one) ? "late" : "hint" }, left(one.due_at)) : null, el("p", {}, one.summary ?? ""),
    one.original_state ? el("p", { class: "hint" }, t("report_folded"), [say("state", one.original_state), say("outcome", one.original_outcome)].filter(Boolean).join(" · ")) : null);
  const visit = (one) => el("li", {}, el("b", {}, one.grid ?? one.grid_code), ` ${moment(one.visited_at)}`, el("p", {}, one.found));
  const none = () => [el("li", { class: "hint" }, t("report_none"))];
  at("mine").replaceChildren(...(mine.reports.length ? mine.reports.map(report) : none()));
  at("visits").replaceChildren(...(mine.visits.length ? mine.visits.map(visit) : none()));
}

// Keep the page on the phone, or say why that cannot be.
async function settleIn() {
  if (!window.isSecureContext) return "insecure";
  if (!("serviceWorker" in navigator)) return "unknown";
  try {
    await navigator.serviceWorker.register("/report/worker.js", { scope: "/report", updateViaCache: "none" });
    const { active } = await navigator.serviceWorker.ready;
    const engine = ["maplibre-gl.mjs", "maplibre-gl-worker.mjs", "maplibre-gl-shared.mjs"].map((name) => `/static/maplibre/${told.engine}/${name}`);
    const here = performance.getEntriesByType("resource").map((one) => new URL(one.name))
      .filter((url) => url.origin === window.location.origin && /^\/(static|assets)\//.test(url.pathname)).map((url) => url.pathname);
    const { port1, port2 } = new MessageChannel();
    const answered = new Promise((resolve) => { port1.onmessage = resolve; });
    const keep = [...new Set([window.location.pathname + window.location.search, ...here, ...engine])];
    active.postMessage({ keep, account: told.account }, [port2]);
    await answered;
    navigator.storage?.persist?.();
    return "ready";
  } catch {
    return navigator.onLine && !navigator.serviceWorker.controller ? "refused" : "ready";
  }
}

choose(page.kind);
for (const key of Object.keys(sessionStorage)) if (key.startsWith("draft ") && key !== DRAFT) sessionStorage.removeItem(key);
const draft = JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");
if (draft) edit({ ...draft, photos: draft.photos.map(unpacked) });
await drawOutbox();
window.addEventListener("online", flush);
setInterval(() => { if (document.querySelector("#outbox li")) flush(); }, AGAIN_MS);
await flush();
document.body.classList.add("ready");
listen(drawMine);
document.body.dataset.kept = await settleIn();
await tell(document.body.classList.contains("offline") ? "offline" : "");
