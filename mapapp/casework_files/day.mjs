// A field for a day says it as the language of the page does; a browser writes days as it is set up itself, whatever the
// page is in. Who types sees the browser's own field, so that keyboard, picker and screen reader stay as they are.
customElements.define("day-field", class extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input");
    const time = input.type === "date" ? {} : { timeStyle: "short", hourCycle: "h23" };
    const locale = this.closest("[lang]").lang === "en" ? "en-GB" : "zh-CN";
    const { format } = new Intl.DateTimeFormat(locale, { dateStyle: "medium", ...time });
    const tell = () => {
      const at = input.type === "date" ? `${input.value}T00:00` : input.value;
      this.dataset.said = input.value ? format(new Date(at)) : (this.getAttribute("empty") ?? "");
    };
    input.addEventListener("input", tell);
    tell();
  }
});
