// Who signs out leaves no page of /report that a phone keeps, and no draft. What waits to be sent stays: it is the
// account's own, and goes when that signs in again.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.getAttribute("action") !== "/sign-out") return;
  event.preventDefault();
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith("draft ")) sessionStorage.removeItem(key);
    for (const name of (await globalThis.caches?.keys()) ?? []) await caches.delete(name);
  } finally {
    form.submit();
  }
});
