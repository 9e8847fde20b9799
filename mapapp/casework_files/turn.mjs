// The page in the other language, put up in the place of this one: what is half typed in its forms goes along, and so does
// what is shown this once, such as a new password. Nothing of it is kept by the browser.
const forms = "main form :is(input:not([type=hidden]), select)";

// The form that a field is in: what it is about, or else what it does.
const nameOf = (one) => `${one.form.querySelector("[type=hidden]:not([name=form_token]), button").value} ${one.name}`;

// A form that was refused is sent with what was typed in it.
const isChanged = (one) =>
  one.form.querySelector("[data-typed]") || (one.tagName === "SELECT" ? !one.selectedOptions[0]?.defaultSelected : one.value !== one.defaultValue);

async function turn(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(String(answer.status));
  const other = new DOMParser().parseFromString(await answer.text(), "text/html");
  const typed = new Map([...document.querySelectorAll(forms)].filter(isChanged).map((one) => [nameOf(one), one.value]));
  for (const one of document.querySelectorAll("main [data-kept]")) {
    const there = other.querySelector(`[data-kept=${one.dataset.kept}]`);
    if (there) there.replaceWith(one);
    else other.querySelector("main section").before(one);
  }
  for (const one of other.querySelectorAll(forms)) {
    if (!typed.has(nameOf(one))) continue;
    one.value = typed.get(nameOf(one));
    one.dataset.typed = "";
  }
  document.documentElement.lang = other.documentElement.lang;
  document.title = other.title;
  document.querySelector("main").replaceWith(other.querySelector("main"));
  document.querySelector(".language").focus();
  window.history.replaceState(null, "", address);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest(".language");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  turn(link.href).catch(() => window.location.assign(link.href));
});
