// What Dash calls in the browser. It loads before the page is drawn; the map itself may come later and then asks for
// the last view.
(function () {
  const search = (changes) => {
    const said = new URLSearchParams(window.location.search);
    for (const [key, value] of Object.entries(changes)) said.set(key, value);
    return "?" + said.toString().replaceAll("%2C", ",");
  };
  // A component as Python made it, as an element: panels hold links and texts, which need no React.
  const build = (one) => {
    if (one === null || typeof one !== "object") return document.createTextNode(one ?? "");
    const { children, className, style, ...rest } = one.props;
    const element = document.createElement(one.type);
    if (className) element.className = className;
    Object.assign(element.style, style);
    for (const [name, value] of Object.entries(rest)) element.setAttribute(name, value);
    element.append(...[children ?? []].flat().map(build));
    return element;
  };
  const fill = (id, content) => {
    const panel = document.getElementById(id);
    const hadFocus = panel.contains(document.activeElement);
    panel.replaceChildren(...content.map(build));
    if (hadFocus) panel.querySelector("a")?.focus();
  };
  const atlas = {
    last: null,
    search,
    go(to) {
      window.dash_clientside.set_props("url", { search: to });
    },
  };
  const draw = (style, view) => {
    atlas.last = { style, view };
    window.dispatchEvent(new Event("atlas-view"));
  };
  window.atlas = atlas;
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    atlas: {
      async show(address, before) {
        const keep = window.dash_clientside.no_update;
        const outputs = window.dash_clientside.callback_context.outputs_list;
        const query = new URLSearchParams(address ?? "");
        if (before) query.set("known", [before.language, before.style, before.defaults].join());
        try {
          const answer = await fetch("/api/view?" + query.toString().replaceAll("%2C", ","));
          const told = await answer.json();
          for (const [id, content] of Object.entries(told.panels)) fill(id, content);
          if (!answer.ok) return outputs.map(() => keep);
          // Map and panels change in one frame; the stores follow for whoever listens to them.
          draw(told.parts[1] ?? atlas.last?.style, told.parts[2]);
          const before = atlas.parts ?? [];
          atlas.parts = told.parts;
          return told.parts.map((part, i) => (part === null || part === before[i] ? keep : part));
        } catch (error) {
          console.warn(error);
          fill("notice", [document.getElementById("notice").dataset.fault]);
          return outputs.map(() => keep);
        }
      },
      draw(style, view) {
        if (view && JSON.stringify(view) !== JSON.stringify(atlas.last?.view)) draw(style, view);
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
