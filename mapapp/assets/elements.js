// Components as Python made them, as elements: panels hold links, tables and texts, which need no React.
(function () {
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
  window.elements = { build, fill };
})();
