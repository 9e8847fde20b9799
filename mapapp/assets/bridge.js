// Where the page is and what it shows there. Dash holds the two choosers and the search field; the address, the panels
// and the map are changed without it, since React costs a drill-down more than all of them.
(function () {
  const search = (changes) => {
    const said = new URLSearchParams(window.location.search);
    for (const [key, value] of Object.entries(changes)) value === "" ? said.delete(key) : said.set(key, value);
    return "?" + said.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  };
  const fill = (id, content) => window.elements.fill(id, content);
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const atlas = {
    last: null,
    ahead: null,
    before: null, // what the server last sent, as it wants to be told
    turn: 0,
    again: 0,
    search,
    go(to) {
      if (new URL(to, window.location).search !== window.location.search) window.history.pushState(null, "", to);
      return show();
    },
    pick: (code) => atlas.go(search({ at: code })),
    // A pointer that rests on a grid will likely open it: fetch its view, so that the click shows it at once.
    async prepare(code) {
      const url = viewUrl(search({ at: code }));
      if (atlas.ahead?.url === url) return;
      atlas.ahead = { url, told: null };
      const told = await ask(url).catch(() => null);
      if (atlas.ahead.url === url && told?.parts) atlas.ahead.told = told;
    },
  };
  const viewUrl = (address) => {
    const query = new URLSearchParams(address);
    const { before } = atlas;
    if (before) query.set("known", [before.language, before.style, before.defaults, before.drawn].join());
    return "/api/view?" + query.toString().replaceAll("%2C", ",");
  };
  const ask = async (url) => {
    const answer = await fetch(url);
    if (answer.status === 401) window.location.reload(); // the session has ended: on to the sign-in page
    return { ...(await answer.json()), isDown: answer.status >= 500 };
  };
  // Map and panels change in one frame; a chooser is told only what it does not show already.
  const put = ({ panels, parts, fields }) => {
    for (const [id, content] of Object.entries(panels)) fill(id, content);
    if (!parts) return;
    const [before, style, view] = parts;
    atlas.before = before;
    for (const [id, name] of Object.entries(view.named ?? {})) document.getElementById(id)?.setAttribute("aria-label", name);
    const chosen = atlas.last?.view.chosen ?? {};
    atlas.last = { style: style ?? atlas.last?.style, view };
    for (const [id, { value, ...more }] of Object.entries(fields)) {
      if (value !== undefined && value !== chosen[id]) more.value = value;
      if (Object.keys(more).length) set(id, more);
    }
    if (document.getElementById("found").childElementCount) set("found", { children: [] });
    window.dispatchEvent(new Event("atlas-view"));
  };
  // Where nobody answered, or the server could not, it is asked again: not by all pages at once.
  const again = () => (atlas.again = setTimeout(show, 5000 * (1 + Math.random()), { isAgain: true }));
  const show = async ({ isAgain = false } = {}) => {
    const url = viewUrl(window.location.search);
    const turn = (atlas.turn += 1);
    const page = document.documentElement;
    clearTimeout(atlas.again);
    if (!isAgain) page.dataset.view = "loading";
    try {
      const ready = atlas.ahead?.url === url && atlas.ahead.told;
      const told = ready || (await ask(url));
      if (turn !== atlas.turn) return;
      page.dataset.view = told.parts ? "there" : "failed";
      put(told);
      if (told.isDown) again();
    } catch (error) {
      console.warn(error);
      if (turn !== atlas.turn) return;
      page.dataset.view = "failed";
      again();
      const { faultZh, faultEn } = document.getElementById("notice").dataset;
      fill("notice", [new URLSearchParams(window.location.search).get("lang") === "en" ? faultEn : faultZh]);
    }
  };
  window.atlas = atlas;
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    atlas: {
      begin() {
        window.addEventListener("popstate", show);
        show();
      },
      seek: (text) => search({ sought: text ?? "" }),
      name: (value, options) => options.find((one) => one.value === value)?.label ?? "",
      choose(value) {
        const which = window.dash_clientside.callback_context.triggered_id;
        const shown = atlas.last && atlas.last.view.chosen[which];
        if (value && value !== shown) atlas.go(search({ [which]: value }));
      },
    },
  });

  // Links change the address without loading the page again; with a modifier key they stay links.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="?"]');
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    // A hit that is picked ends its search: an answer still under way must not open the list again.
    if (link.closest("#found")) set("search", { value: "" });
    const change = link.dataset.set;
    atlas.go(change ? search(Object.fromEntries(new URLSearchParams(change))) : link.getAttribute("href"));
  });

  document.addEventListener("keydown", (event) => {
    const busy = event.target.closest?.("input, [role=listbox], [role=option]");
    const up = atlas.last?.view.up;
    if (event.key === "Escape" && !busy && up) atlas.go(search({ at: up }));
  });

  setInterval(() => {
    const clock = document.getElementById("clock");
    if (!clock) return;
    const parts = { dateStyle: "medium", timeStyle: "medium", timeZone: clock.dataset.zone, hourCycle: "h23" };
    clock.textContent = new Intl.DateTimeFormat(document.documentElement.lang === "en" ? "en-GB" : "zh-CN", parts).format(new Date());
  }, 1000);
})();
