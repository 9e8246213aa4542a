"""axe-core in a page of the tests' browser: what breaks WCAG 2.2 A or AA there, and what is wider than its window.

The program is the one inside the PyPI package axe-playwright-python (MPL-2.0); it is read, never kept here.
"""

from __future__ import annotations

import json
import os
from functools import cache
from importlib import resources

from tests.public_site.browser import Page

#: (width, dark) of each look: between them both widths and both sets of colours. MINGCHA_EVERY_LOOK=1: each width in each, and
#: all of every page, whatever was seen before.
LOOKS = [(1280, False), (390, True)]
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
#: What frames the page (banner, steps, footer) is looked at where it first stands: an element of it with the same text, attributes and elements
#: around it has been seen in this look, and says the same.
#: Contrast is two thirds of axe's time. Text is as well to read as it was elsewhere in this look where letters, all that stands around it, and the
#: colours behind them are the same: then what axe answered there holds, if it found nothing.
_RUN = """(async (seen, contrasts) => {
  const open = ({ tagName, attributes }) => tagName + [...attributes].map(({ name, value }) => `${name}=${value}`);
  const around = (one) => one ? around(one.parentElement) + open(one) + ">" : "";
  const known = [], fresh = [];
  const look = (one) => {
    const key = around(one.parentElement) + one.outerHTML.replace(/ value="[^"]*"|[0-9a-f]{4,}/g, "");
    if (seen.includes(key)) known.push(one);
    else { fresh.push(key); [...one.children].forEach(look); }
  };
  const check = axe._audit.checks["color-contrast"], evaluate = check.evaluate, colours = new Map(), clear = [];
  const read = new Set(contrasts);
  const behind = (one) => {
    if (!one) return "";
    if (!colours.has(one)) {
      const { backgroundColor, backgroundImage, opacity, filter, mixBlendMode, position } = getComputedStyle(one);
      const own = one.getAttributeNames().map((name) => ["class", "type", "role"].includes(name) ? `${name}=${one.getAttribute(name)}` : name);
      colours.set(one, behind(one.parentElement) + [one.tagName, own, backgroundColor, backgroundImage, opacity, filter, mixBlendMode, position].join() + ">");
    }
    return colours.get(one);
  };
  const short = (text) => {  // of a kilobyte
    let [a, b] = [1, 2];
    for (let n = 0; n < text.length; n++) { a = Math.imul(a ^ text.charCodeAt(n), 2654435761); b = Math.imul(b ^ text.charCodeAt(n), 1597334677); a ^= a >>> 15; b ^= b >>> 13; }
    return `${a >>> 0} ${b >>> 0}`;
  };
  check.evaluate = function (one, ...more) {
    const { color, fontSize, fontWeight, textShadow, webkitTextStroke } = getComputedStyle(one);
    const key = short(behind(one) + [color, fontSize, fontWeight, textShadow, webkitTextStroke].join());
    if (read.has(key)) return true;
    const answer = evaluate.call(this, one, ...more);
    if (answer === true) { read.add(key); clear.push(key); }
    return answer;
  };
  document.querySelectorAll("body > :not(main):not(script)").forEach(look);
  const found = await axe.run(known.length ? { exclude: known } : document, { runOnly: %s, resultTypes: ["violations"], elementRef: false, ancestry: false });
  check.evaluate = evaluate;
  const lines = found.violations.flatMap((rule) => rule.nodes.map((one) => `${rule.id}: ${one.html.slice(0, 200)} (${[...one.any, ...one.all, ...one.none][0]?.message ?? ""})`));
  return [lines, fresh, clear];
})""" % LEVELS  # fmt: skip
#: Of rows, points and cards made alike (same elements, classes and attributes all the way down) the third and all after it go: a rule that
#: one breaks the first breaks too, and most of axe's time is in looking at each.
_THIN = """(() => {
  const shape = (one) => one.tagName + one.getAttributeNames().map((name) => ["class", "type", "role", "scope"].includes(name) ? `${name}=${one.getAttribute(name)}` : name)
    + (one.innerText?.trim() ? "t" : "") + "(" + [...one.children].map(shape) + ")";
  for (const parent of document.querySelectorAll("main *")) {
    if (parent.children.length < 6) continue;
    const seen = new Map();
    for (const child of [...parent.children]) {
      const kind = shape(child), times = (seen.get(kind) ?? 0) + 1;
      seen.set(kind, times);
      if (times > 2) child.remove();
    }
  }
})()"""
_BESIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def every() -> bool:
    return bool(os.environ.get("MINGCHA_EVERY_LOOK"))


def looks() -> list[tuple[int, bool]]:
    return [*LOOKS, (390, False), (1280, True)] if every() else LOOKS


@cache
def program() -> str:
    """The text of axe.min.js."""
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


class Eyes:
    """axe-core in one tab, for the pages opened from now on."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._seen: dict[tuple[int, bool], tuple[set[str], set[str]]] = {look: (set(), set()) for look in looks()}
        page.run_first(program())

    def broken(self) -> list[str]:
        """A line for each element of the open page that breaks a rule, and one where the page is wider than its window; in each of `looks()`."""
        page, found = self._page, []
        for n, ((width, dark), seen) in enumerate(self._seen.items()):
            page.widen(width)
            page.darken(dark)
            beside = page.value(_BESIDE)
            if n == 0:
                page.value(_THIN)
            lines, *fresh = page.value(f"{_RUN}({', '.join(json.dumps(sorted(keys)) for keys in seen)})")
            if not lines and not every():
                for keys, more in zip(seen, fresh, strict=True):
                    keys.update(more)
            lines += [f"wider than its window by {beside} px"] if beside > 0 else []
            assert page.value("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]") == [width, dark]
            found += [f"{width} px, {'dark' if dark else 'light'}: {line}" for line in lines]
        return found
