// What Dash calls in the browser. It loads before the page is drawn; the map itself may come later and then asks for
// the last view.
(function () {
  const search = (changes) => {
    const said = new URLSearchParams(window.location.search);
    for (const [key, value] of Object.entries(changes)) said.set(key, value);
    return "?" + said.toString().replaceAll("%2C", ",");
  };
  const atlas = {
    last: null,
    search,
    go(to) {
      window.dash_clientside.set_props("url", { search: to });
    },
  };
  window.atlas = atlas;
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    atlas: {
      async show(address, before) {
        const keep = window.dash_clientside.no_update;
        const { outputs_list: outputs } = window.dash_clientside.callback_context;
        const notice = (said) => outputs.map((one) => (one.id === "notice" ? said : keep));
        const query = new URLSearchParams(address ?? "");
        if (before) query.set("known", [before.language, before.style, before.defaults].join());
        try {
          const answer = await fetch("/api/view?" + query.toString().replaceAll("%2C", ","));
          const told = await answer.json();
          return answer.ok ? told.parts.map((part) => (part === null ? keep : part)) : notice(told.notice);
        } catch {
          return notice(document.getElementById("notice").dataset.fault);
        }
      },
      draw(style, view) {
        if (style && view) {
          atlas.last = { style, view };
          window.dispatchEvent(new Event("atlas-view"));
        }
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
})();
