"""What a reader meets on a page, as the browser tests look at it: its texts, their contrast, names, and edges."""

from __future__ import annotations

TEXTS = """() => {
  const found = new Set();
  const seen = (one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  for (const one of document.querySelectorAll('body *, title')) {
    if (one.closest('script, style, code, .code')) continue;
    if (one.tagName !== 'TITLE' && one.tagName !== 'OPTION' && !seen(one)) continue;
    const own = [...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent);
    const named = ['aria-label', 'title', 'placeholder', 'alt'].map((name) => one.getAttribute(name) ?? '');
    for (const said of [...own, ...named]) if (said.trim()) found.add(said.trim());
  }
  return [...found];
}"""
"""Everything a page says: texts that are seen, options, and what a screen reader or a resting pointer is told."""

CONTRAST = """() => {
  const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = ([r, g, b, a], below) => [r, g, b].map((c, i) => c * a + below[i] * (1 - a));
  const light = (rgb) => rgb.slice(0, 3).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  // Every ground a text may stand on: of a shade that runs, each of its colours; below glass, the brightest of the map.
  const grounds = (one) => {
    const layers = [];
    let last = null;
    for (let at = one; at && !last; at = at.parentElement) {
      const style = getComputedStyle(at);
      const run = style.backgroundImage.includes('gradient') && style.backgroundClip !== 'text'
        ? style.backgroundImage.match(/rgba?\\([^)]*\\)/g).map(parse) : [];
      if (run.length) layers.push(run);
      const flat = parse(style.backgroundColor);
      if (flat[3] > 0.99) last = flat.slice(0, 3);
      else if (flat[3] > 0) layers.push([flat]);
      if (!last && run.length && run.every((colour) => colour[3] > 0.99)) last = run[0].slice(0, 3);
      if (!last && at.matches('.glass') && at.parentElement.closest('.screen')) last = [253, 229, 138];
    }
    const isDark = getComputedStyle(document.documentElement).colorScheme.includes('dark');
    let made = [last ?? (isDark ? [6, 18, 31] : [255, 255, 255])];
    for (const layer of layers.reverse()) made = made.flatMap((below) => layer.map((colour) => over(colour, below)));
    return made;
  };
  const found = [];
  let n = 0;
  for (const one of document.querySelectorAll('body *')) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (one.closest('svg, option, .maplibregl-map, :disabled, script')) continue;
    const style = getComputedStyle(one);
    const colour = parse(style.color);
    if (colour[3] === 0) continue; // a text that is filled by a shade
    n += 1;
    const px = parseFloat(style.fontSize);
    const wanted = px >= 24 || (px >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const ratio = Math.min(...grounds(one).map((ground) => {
      const [a, b] = [light(over(colour, ground)), light(ground)].sort((x, y) => y - x);
      return (a + 0.05) / (b + 0.05);
    }));
    if (ratio < wanted) found.push(`${one.textContent.trim().slice(0, 30)} .${one.className} ${ratio.toFixed(2)}`);
  }
  return { n, found };
}"""
"""Texts whose contrast is below WCAG AA, and how many were looked at."""

UNNAMED = """() => [...document.querySelectorAll('button, a[href], input, select, textarea, [role]')]
  .filter((one) => one.checkVisibility() && one.type !== 'hidden')
  .filter((one) => !['alert', 'status', 'presentation', 'none'].includes(one.getAttribute('role')))
  .filter((one) => {
    const text = one.getAttribute('aria-label') || one.textContent.trim();
    if (/[\\p{L}\\p{N}]/u.test(text) || one.getAttribute('aria-labelledby')) return false;
    if (one.labels?.length || one.alt) return false;
    return text || !one.title; // a title names what has no text; beside a sign it is only said after it
  })
  .map((one) => one.outerHTML.slice(0, 90))"""
"""What can be used and has no name for a screen reader: a sign such as an arrow is none."""

UNREACHED = """() => [...document.querySelectorAll('[role=button], [role=switch], [role=tab], [role=option]')]
  .filter((one) => one.checkVisibility() && one.tabIndex < 0 && !one.closest('[role=listbox], [role=tablist]'))
  .map((one) => one.outerHTML.slice(0, 90))"""
"""What can be clicked and not be reached by keyboard."""

MAPS = """() => [...document.querySelectorAll('.maplibregl-map')].filter((map) => map.checkVisibility()).map((map) => {
  const stops = [map, ...map.querySelectorAll('*')].filter((one) => one.tabIndex >= 0);
  const label = document.getElementById(stops[0]?.getAttribute('aria-labelledby'))?.getAttribute('aria-label');
  const named = stops.map((one) => `${one.localName} ${one.getAttribute('role')}`);
  return { stops: named, label, role: map.getAttribute('role') };
})"""
"""The stops of each map with their roles, the name of the first, and the role of the box it lies in."""

UNSEEN = """() => {
  const stops = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.type !== 'hidden');
  const found = stops.filter((one) => {
    one.focus({ preventScroll: true });
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    const isBare = style.outlineStyle === 'none' || !parseFloat(style.outlineWidth);
    const isBeyond = parseFloat(style.outlineOffset) >= 0 && box.left <= 0 && box.right >= innerWidth;
    const isDouble = one.matches('canvas') && one.parentElement.closest('[tabindex="0"]');
    return document.activeElement === one && (isBare || isBeyond || isDouble);
  });
  document.activeElement?.blur();
  return found.map((one) => one.outerHTML.slice(0, 90));
}"""
"""What shows no outline in the window where the keyboard is, or is a stop twice; a key must have been touched last."""

BEYOND = """() => {
  const found = [];
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth + 1) found.push(`the page is ${wide} wide`);
  for (const one of document.querySelectorAll('header, main, section, nav, button, input, select, h1, h2')) {
    if (!one.checkVisibility() || one.closest('.scroll, .rows, dialog, .maplibregl-map')) continue;
    const box = one.getBoundingClientRect();
    const isOut = box.width && (box.left < -1 || box.right > innerWidth + 1);
    if (isOut) found.push(one.id || one.className || one.outerHTML.slice(0, 60));
  }
  return found;
}"""
"""What leaves the page at its sides."""

CROSSING = """() => {
  const boxes = [...document.querySelectorAll('body > header, .glass, .panel')]
    .filter((one) => one.checkVisibility() && !one.matches('dialog, .hover-card'))
    .filter((one) => !one.parentElement.closest('.glass, .panel, dialog'))
    .map((one) => [one.id || one.className, one.getBoundingClientRect()]).filter(([, box]) => box.width && box.height);
  const found = [];
  boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
    const beside = p.left >= q.right - 1 || q.left >= p.right - 1 || p.top >= q.bottom - 1 || q.top >= p.bottom - 1;
    if (!beside) found.push(`${a} / ${b}`);
  }));
  return found;
}"""
"""Panels that lie over one another."""

SMALL = """() => {
  const least = 9.5 * Math.min(innerWidth / 1920, innerHeight / 1080);
  const texts = [...document.querySelectorAll('body *')].filter((one) => one.checkVisibility()
    && !one.closest('svg, option, sub, sup, .maplibregl-map')
    && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
  const px = (one) => parseFloat(getComputedStyle(one).fontSize) * (one.currentCSSZoom ?? 1);
  const small = texts.filter((one) => px(one) < least);
  return [...new Set(small.map((one) => `${px(one)} .${one.className} ${one.tagName}`))];
}"""
"""Texts that are smaller on a large screen than 9.5 of 1080 pixels of its height."""

CUT = """() => [...document.querySelectorAll('h1, h2, h3, button, a, b, label, .body *, .scenarios a, figcaption')]
  .filter((one) => one.checkVisibility() && one.children.length === 0 && one.textContent.trim())
  .filter((one) => getComputedStyle(one).display !== 'inline' && getComputedStyle(one).textOverflow !== 'ellipsis')
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth)
  .map((one) => one.textContent.trim().slice(0, 40))"""
"""Texts that are wider than their place."""
