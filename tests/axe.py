"""axe-core in a page of the tests' browser: what breaks WCAG 2.2 A or AA there, and what is wider than its window.

The program is the one inside the PyPI package axe-playwright-python (MPL-2.0); it is read, never kept here.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from tests.public_site.browser import Page

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
_RUN = """(async () => {
  const found = await axe.run(document, { runOnly: %s, resultTypes: ["violations"], elementRef: false, ancestry: false });
  return found.violations.flatMap((rule) => rule.nodes.map((one) => `${rule.id}: ${one.html.slice(0, 200)} (${[...one.any, ...one.all, ...one.none][0]?.message ?? ""})`));
})()""" % LEVELS  # fmt: skip
_BESIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@cache
def program() -> str:
    """The text of axe.min.js."""
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def broken(page: Page) -> list[str]:
    """A line for each element of the open page that breaks a rule, and one where the page is wider than its window."""
    page.value(program() + "; 0")
    found = page.value(_RUN)
    beside = page.value(_BESIDE)
    return found + ([f"wider than its window by {beside} px"] if beside > 0 else [])
