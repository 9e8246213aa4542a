"""axe-core in a page of the tests' browser: what breaks WCAG 2.2 A or AA there, and what is wider than its window.

The program is the one inside the PyPI package axe-playwright-python (MPL-2.0); it is read, never kept here.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import resources

from tests.public_site.browser import Page

#: (width, dark) of each look: between them both widths and both sets of colours. MINGCHA_EVERY_LOOK=1: each width in each.
LOOKS = [(1280, False), (390, True)]
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
_RUN = """(async () => {
  const found = await axe.run(document, { runOnly: %s, resultTypes: ["violations"], elementRef: false, ancestry: false });
  return found.violations.flatMap((rule) => rule.nodes.map((one) => `${rule.id}: ${one.html.slice(0, 200)} (${[...one.any, ...one.all, ...one.none][0]?.message ?? ""})`));
})()""" % LEVELS  # fmt: skip
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


def looks() -> list[tuple[int, bool]]:
    return [*LOOKS, (390, False), (1280, True)] if os.environ.get("MINGCHA_EVERY_LOOK") else LOOKS


@cache
def program() -> str:
    """The text of axe.min.js."""
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def broken(page: Page) -> list[str]:
    """A line for each element of the open page that breaks a rule, and one where the page is wider than its window; in each of `looks()`."""
    page.value(program() + "; 0")
    found = []
    for n, (width, dark) in enumerate(looks()):
        page.widen(width)
        page.darken(dark)
        beside = page.value(_BESIDE)
        if n == 0:
            page.value(_THIN)
        lines = page.value(_RUN) + ([f"wider than its window by {beside} px"] if beside > 0 else [])
        assert page.value("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]") == [width, dark]
        found += [f"{width} px, {'dark' if dark else 'light'}: {line}" for line in lines]
    return found
