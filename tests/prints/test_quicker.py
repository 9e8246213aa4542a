"""What a worker keeps between documents, and how it reads and packs them, changes no byte of any."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from portal.prints import pages, quicker, worker
from portal.prints.render import TEMPLATES, Printer

from . import samples, test_letters
from .pdf_reading import text_of
from .test_documents import LIST, plan_notice, record_sheet, result_notice, result_sheet, task_notice

ADDRESS = samples.about(base_url="https://example.gov.cn/ssj")
LETTERS = [(template, {"about": test_letters.ABOUT, "paper": paper}) for template, paper in (test_letters.notice(), test_letters.result(), test_letters.order())]
DOCUMENTS = [
    plan_notice(rows=8), plan_notice(number="", rows=3), task_notice("committed"), task_notice("void"),
    task_notice("revealed", visits=3, list=LIST[:10]), result_notice(6), record_sheet(), *LETTERS,
    result_sheet(), result_sheet(points=20, number=3), result_sheet(name="名称里有<b>&amp;\u202e和\t制表符"),
    ("result_sheet.html", {"about": ADDRESS, "result": samples.result(2, history=[{"on": "2026-07-20", "text": "检查结果更正。"}])}),
    ("task_notice.html", {"about": ADDRESS, "round": samples.round_("drawn"), "page": "tasks/R2026-04.html"}),
]  # fmt: skip
CONTROL = "名称里有\x01控制字符"


def made_by(setting: worker.Setting, documents) -> list[str]:
    return [hashlib.sha256(setting.render_pdf(*document)).hexdigest() for document in documents]


def main(folder: str) -> None:
    """Print the digests of DOCUMENTS made plainly, then by a worker's way twice over, the second time backwards."""
    printer = Printer(Path(folder))
    os.environ["FONTCONFIG_FILE"] = str(printer._fonts.config)
    ways = quicker.kept_styles, quicker._once_a_style, worker.ElementTree
    quicker.kept_styles, quicker._once_a_style = (lambda plain: plain), (lambda function: function)
    worker.ElementTree = SimpleNamespace(fromstring=not_read, ParseError=ElementTree.ParseError)
    plain = made_by(worker.Setting(printer._setup()), DOCUMENTS)
    quicker.kept_styles, quicker._once_a_style, worker.ElementTree = ways
    setting = worker.Setting(printer._setup())
    print(json.dumps([plain, made_by(setting, DOCUMENTS), made_by(setting, DOCUMENTS[::-1])[::-1]]))


def not_read(text: str) -> None:
    raise ElementTree.ParseError


@pytest.mark.long
def test_kept_styles_and_pages_read_as_xml_make_the_same_bytes(fonts_folder):
    command = [sys.executable, "-m", "tests.prints.test_quicker", str(fonts_folder)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    plain, first, again = json.loads(done.stdout)
    assert len(set(plain)) == len(DOCUMENTS) and {template for template, _ in DOCUMENTS} == {path.name for path in TEMPLATES.glob("[!_]*.html")}
    assert first == plain and again == plain


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_every_document_is_well_formed_xml(number):
    template, context = DOCUMENTS[number]
    ElementTree.fromstring(pages.render_page(pages.environment(TEMPLATES), template, context).html)


def test_a_character_that_xml_has_no_place_for_is_no_hindrance(printer):
    template, context = result_sheet(name=CONTROL)
    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring(pages.render_page(pages.environment(TEMPLATES), template, context).html)
    assert "控制字符" in text_of(printer.render("x", template, context))


class Style(dict):
    """A style as WeasyPrint's: a dict with attributes."""


class Plain:
    """What quicker needs of StyleFor."""

    def __init__(self, cascaded, font_config="fonts"):
        self.cascaded, self.computed, self.font_config, self.made = cascaded, {}, font_config, 0

    def get_cascaded_styles(self):
        return self.cascaded

    def get_computed_styles(self):
        return self.computed

    def set_computed_styles(self, element, parent, root=None, pseudo_type=None, base_url=None, target_collector=None):
        self.made += 1
        self.computed[element, pseudo_type] = Style(anchor=element if "named" in self.cascaded.get((element, pseudo_type), {}) else "")


def cascade(**values):
    return {name: (value, (3, 0, (0, 0, 1))) for name, value in values.items()}


def test_a_style_is_taken_over_where_parent_and_values_are_the_same():
    kept = quicker.kept_styles(Plain)
    rules = {("html", None): cascade(color="black"), ("p", None): cascade(margin=[1, 2]), ("td", None): cascade(margin=[1, 2])}
    first, second, other = kept(rules), kept(rules), kept(rules | {("html", None): cascade(color="red")})
    for styles in (first, second, other):
        styles.set_computed_styles("html", None)
        styles.set_computed_styles("p", "html")
    assert (first.made, second.made, other.made) == (2, 0, 2)  # the last: another parent, though its own values are the same
    assert first.computed == second.computed and first.computed["p", None] is second.computed["p", None]
    second.set_computed_styles("td", "html")
    assert second.made == 1  # a list is told by its identity: this is another
    weaker = kept(rules | {("html", None): {"color": ("black", (1, 0, (0, 0, 1)))}})
    weaker.set_computed_styles("html", None)
    assert weaker.made == 1


def test_an_anchor_is_told_to_each_document():
    kept, told = quicker.kept_styles(Plain), []
    collector = SimpleNamespace(collect_anchor=told.append)
    for _ in range(2):
        kept({("a", None): cascade(named=True)}).set_computed_styles("a", None, target_collector=collector)
    assert told == ["a"]  # the plain one tells for itself, this stand-in does not


def test_what_is_kept_is_limited(monkeypatch):
    monkeypatch.setattr(quicker, "MOST_STYLES", 1)
    kept = quicker.kept_styles(Plain)
    rules = {("html", None): {}, ("p", None): {}, ("b", None): {}}
    for expected in (3, 2):
        styles = kept(rules)
        for element, parent in (("html", None), ("p", "html"), ("b", "p")):
            styles.set_computed_styles(element, parent)
        assert styles.made == expected


if __name__ == "__main__":
    main(sys.argv[1])
