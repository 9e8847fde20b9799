// Components as Python made them, as elements: panels hold links, tables and texts, which need no React.
(function () {
  const styles = new WeakMap(); // as they were asked for: read back they are written otherwise
  const dress = (element, style = {}) => {
    const asked = JSON.stringify(style);
    if ((styles.get(element) ?? "{}") === asked) return;
    element.removeAttribute("style");
    Object.assign(element.style, style);
    styles.set(element, asked);
  };
  const build = (one) => {
    if (one === null || typeof one !== "object") return document.createTextNode(one ?? "");
    const { children, className, style, ...rest } = one.props;
    const element = document.createElement(one.type);
    if (className) element.className = className;
    dress(element, style);
    for (const [name, value] of Object.entries(rest)) element.setAttribute(name, value);
    element.append(...[children ?? []].flat().map(build));
    return element;
  };
  // What a reader may have changed, or a script drawn into, is made anew.
  const OWN_STATE = ["canvas", "day-field", "details", "input", "select", "svg", "textarea"];
  const isText = (one) => one === null || typeof one !== "object";
  const isLike = (node, one) =>
    isText(one) ? node.nodeType === Node.TEXT_NODE : node.localName === one.type.toLowerCase() && !OWN_STATE.includes(node.localName);
  const fit = (node, one) => {
    if (isText(one)) {
      if (node.data !== String(one ?? "")) node.data = one ?? "";
      return;
    }
    const { children, className, style, ...rest } = one.props;
    const wanted = { ...rest, ...(className ? { class: className } : {}) };
    for (const { name } of [...node.attributes]) if (name !== "style" && !(name in wanted)) node.removeAttribute(name);
    for (const [name, value] of Object.entries(wanted)) if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
    dress(node, style);
    put(node, [children ?? []].flat());
  };
  // What is there and like it stays, so that the browser lays out and paints no more than what differs.
  const put = (host, content) => {
    const there = [...host.childNodes];
    content.forEach((one, i) => {
      if (i >= there.length) host.append(build(one));
      else if (isLike(there[i], one)) fit(there[i], one);
      else there[i].replaceWith(build(one));
    });
    for (const node of there.slice(content.length)) node.remove();
  };
  const fill = (id, content) => {
    const panel = document.getElementById(id);
    const hadFocus = panel.contains(document.activeElement);
    put(panel, content);
    if (hadFocus && !panel.contains(document.activeElement)) panel.querySelector("a")?.focus();
  };
  window.elements = { build, fill };
})();
