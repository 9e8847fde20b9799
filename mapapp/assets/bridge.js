// What Dash calls in the browser. It loads before the page is drawn; the map itself may come later and then asks for
// the last view.
(function () {
  const search = (changes) => {
    const said = new URLSearchParams(window.location.search);
    for (const [key, value] of Object.entries(changes)) value === "" ? said.delete(key) : said.set(key, value);
    return "?" + said.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  };
  const fill = (id, content) => window.elements.fill(id, content);
  const atlas = {
    last: null,
    ahead: null,
    parts: null,
    turn: 0,
    search,
    go(to) {
      window.dash_clientside.set_props("url", { search: to });
    },
    // A pointer that rests on a grid will likely open it: fetch its view, so that the click shows it at once.
    async prepare(code) {
      const url = viewUrl(search({ at: code }));
      if (atlas.ahead?.url === url) return;
      atlas.ahead = { url, told: null };
      const told = await ask(url).catch(() => null);
      if (atlas.ahead.url === url) atlas.ahead.told = told;
    },
    pick(code) {
      window.dash_clientside.set_props("map-pick", { data: { code } });
    },
    present(code) {
      const ready = atlas.ahead?.told;
      if (ready?.parts && atlas.ahead.url === viewUrl(search({ at: code }))) put(ready);
    },
  };
  const viewUrl = (address) => {
    const query = new URLSearchParams(address ?? "");
    const before = atlas.parts?.[0];
    if (before) query.set("known", [before.language, before.style, before.defaults, before.drawn].join());
    return "/api/view?" + query.toString().replaceAll("%2C", ",");
  };
  const ask = async (url) => {
    const answer = await fetch(url);
    if (answer.status === 401) window.location.reload(); // the session has ended: on to the sign-in page
    return answer.json();
  };
  const draw = (style, view) => {
    atlas.last = { style, view };
    window.dispatchEvent(new Event("atlas-view"));
  };
  const isShown = (view) => JSON.stringify(view) === JSON.stringify(atlas.last?.view);
  // Map and panels change in one frame; the stores follow for whoever listens to them.
  const put = (told) => {
    for (const [id, content] of Object.entries(told.panels)) fill(id, content);
    for (const [id, name] of Object.entries(told.parts?.[2].named ?? {})) document.getElementById(id)?.setAttribute("aria-label", name);
    if (told.parts && !isShown(told.parts[2])) draw(told.parts[1] ?? atlas.last?.style, told.parts[2]);
  };
  window.atlas = atlas;
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    atlas: {
      async show(address) {
        const keep = window.dash_clientside.no_update;
        const outputs = window.dash_clientside.callback_context.outputs_list;
        const nothing = outputs.map(() => keep);
        const url = viewUrl(address);
        const turn = (atlas.turn += 1);
        const page = document.documentElement;
        page.dataset.view = "loading";
        try {
          const ready = atlas.ahead?.url === url && atlas.ahead.told;
          const told = ready || (await ask(url));
          if (turn !== atlas.turn) return nothing;
          page.dataset.view = told.parts ? "there" : "failed";
          put(told);
          if (!told.parts) return nothing;
          const sent = atlas.parts ?? [];
          atlas.parts = told.parts;
          const isBare = (id) => id === "found" && !document.getElementById(id).childElementCount;
          const stays = (part, i) => part === null || part === sent[i] || isBare(outputs[i].id);
          return told.parts.map((part, i) => (stays(part, i) ? keep : part));
        } catch (error) {
          console.warn(error);
          if (turn === atlas.turn) page.dataset.view = "failed";
          fill("notice", [document.getElementById("notice").dataset.fault]);
          return nothing;
        }
      },
      draw(style, view) {
        if (view && !isShown(view)) draw(style, view);
        return window.dash_clientside.no_update;
      },
      pick(picked) {
        return picked ? search({ at: picked.code }) : window.dash_clientside.no_update;
      },
      choose(value) {
        const which = window.dash_clientside.callback_context.triggered_id;
        const shown = atlas.last && atlas.last.view.chosen[which];
        if (!value || value === shown) return window.dash_clientside.no_update;
        return search({ [which]: value });
      },
    },
  });

  // Links change the address without loading the page again; with a modifier key they stay links.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="?"]');
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    // A hit that is picked ends its search: an answer still under way must not open the list again.
    if (link.closest("#found")) window.dash_clientside.set_props("search", { value: "" });
    const set = link.dataset.set;
    atlas.go(set ? search(Object.fromEntries(new URLSearchParams(set))) : link.getAttribute("href"));
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
