"""What a worker keeps between documents, and how it reads and packs them, changes no byte of any."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import cssselect2
import pytest
import tinycss2

from portal.prints import pages, quicker, shaped, worker
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
    result_sheet(name="没有字形的\ue000\U000e0041和🏮、𠮷", town="没有字形的\ue000和🏮"), result_sheet(name="W3.5% 10元店 fi店", town="W3.5% 10元店 fi店"),
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
    ways = quicker.install, quicker.keep_matches, worker.ElementTree
    quicker.install = quicker.keep_matches = lambda *nothing: None
    worker.ElementTree = SimpleNamespace(fromstring=not_read, ParseError=ElementTree.ParseError)
    plain = made_by(worker.Setting(printer._setup()), DOCUMENTS)
    quicker.install, quicker.keep_matches, worker.ElementTree = ways
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


RULES = "* {} p {} .a {} .a + .b {} td:first-child {} .a ~ p {} tr tr td {} p > .b {} p::before {} .a.b + p .a {}"


def matcher_of(css: str) -> cssselect2.Matcher:
    matcher = cssselect2.Matcher()
    for rule in tinycss2.parse_stylesheet(css, skip_whitespace=True):
        for selector in cssselect2.compile_selector_list(rule.prelude):
            matcher.add_selector(selector, tinycss2.serialize(rule.prelude))
    return matcher


@pytest.mark.parametrize("most", [quicker.MOST_KINS, 20, 0])
def test_rules_are_remembered_for_elements_of_one_kin(monkeypatch, most):
    """Trees by chance: what is remembered of one is right in the next, however much is kept."""
    monkeypatch.setattr(quicker, "MOST_KINS", most)
    chance, remembering, plain = random.Random(7), matcher_of(RULES), matcher_of(RULES)
    quicker.keep_matches(remembering, RULES)
    found = set()
    for _ in range(30):
        root = ElementTree.Element("tr")
        elements = [root]
        for _ in range(40):
            made = ElementTree.SubElement(chance.choice(elements), chance.choice(["p", "td", "tr"]))
            if chance.random() < 0.5:
                made.set("class", chance.choice(["a", "b", "a b"]))
            elements.append(made)
        for element in cssselect2.ElementWrapper.from_xml_root(root).iter_subtree():
            rules = plain.match(element)
            assert remembering.match(element) == rules
            found.update(rule for *_, rule in rules)
    assert len(found) == RULES.count("{}")


@pytest.mark.parametrize("selector", ["p:last-child", "#a", "p[class]", "td:nth-child(2)", "p:not(.a)", "p:has(td)", "p:empty"])
def test_a_selector_that_looks_further_is_refused(selector):
    css = f"p {{ color: #444 }}\n{selector} {{}}"
    with pytest.raises(ValueError, match="line 2: a selector"):
        quicker.keep_matches(matcher_of("p {}"), css)


class Box:
    """What a box is asked for."""

    def __init__(self, style, **measures):
        self.style = style
        self.__dict__.update(measures)


def test_measures_are_worked_out_once_for_a_style_and_the_room_around(monkeypatch):
    asked = []

    def plain(box, containing_block):
        asked.append(containing_block)
        box.width = containing_block[0] / 2 if isinstance(containing_block, tuple) else containing_block.width

    resolve, style = quicker.kept_measures(plain), Style(border_collapse="separate")
    for _ in range(2):
        box = Box(style, text="stays")
        resolve(box, (80, "auto"))
        assert (box.width, box.text, box.style) == (40, "stays", style)
    resolve(box, containing_block=Box(None, width=70, height="auto"))
    assert box.width == 70 and len(asked) == 2
    shared = Box(Style(border_collapse="collapse"))
    resolve(shared, (80, "auto")), resolve(shared, (80, "auto"))
    assert len(asked) == 4  # the table may have said otherwise in between
    monkeypatch.setattr(quicker, "MOST_MEASURES", 1)
    resolve(box, (60, "auto")), resolve(box, (80, "auto")), resolve(box, (80, "auto"))
    assert len(asked) == 6


def test_a_code_s_strokes_are_what_weasyprint_makes_of_them():
    from weasyprint.svg import SVG
    from weasyprint.svg.path import path as plain

    def drawn(way, path):
        said = []
        stream = SimpleNamespace(stream=said, move_to=lambda x, y: said.append(f"{x:g} {y:g} m".encode()), line_to=lambda x, y: said.append(f"{x:g} {y:g} l".encode()))
        svg = SimpleNamespace(stream=stream, inner_width=10, inner_height=10)
        svg.point = lambda *sizes: SVG.point(svg, *sizes)
        way(svg, SimpleNamespace(get=lambda name, other: path, vertices=[]), 16)
        return b"\n".join(said)

    for path in (pages.qr("https://example.gov.cn/ssj/e/91350582MA0000007P.html")["d"], "M0 0.5h3M4 0.5h12"):
        assert drawn(quicker.level_strokes(plain), path) == drawn(plain, path)
        assert drawn(quicker.level_strokes(None), path)  # at once
    other = "M0 0.5h3v2M4 0.5h12"
    assert drawn(quicker.level_strokes(plain), other) == drawn(plain, other)


def split_for_tests(asked):
    def split(text, style, context, max_width, justification_spacing, is_line_start, minimum):
        asked.append(text)
        return SimpleNamespace(text=text), len(text), None, 10, 12, 9

    return split


def test_a_line_is_shaped_once_for_its_text_style_and_room_and_the_least_used_goes(monkeypatch):
    asked = []
    split, style, other = shaped.kept_lines(split_for_tests(asked)), Style(size=1), Style(size=1)
    first = split("符合", style, None, 100, 0)
    assert split("符合", style, None, 100, 0) is first and asked == ["符合"]
    split("符合", style, None, 99, 0), split("符合", other, None, 100, 0), split("符合", style, None, 100, 0, is_line_start=False)
    assert len(asked) == 4
    monkeypatch.setattr(shaped, "MOST_LINES", 4)
    split("符合", style, None, 100, 0)  # used again
    split("不适用", style, None, 100, 0)
    assert split("符合", style, None, 100, 0) is first and len(asked) == 5
    split("符合", style, None, 99, 0)
    assert len(asked) == 6  # that one had gone


class Sheet:
    """What drawing a line asks of a stream."""

    ink_rect = logical_rect = None

    def __init__(self, **widths):
        self.said = []
        self._fonts = {"key": SimpleNamespace(widths=dict(widths), to_unicode={}, missing={}, svg=False, png=False, colr=False)}

    def add_font(self, pango_font):
        return self._fonts["key"], 10.5

    def __getattr__(self, name):
        return lambda *values: self.said.append((name, *values))


def draw_for_tests(asked, missing=False):
    def draw(stream, textbox, text_overflow, block_ellipsis, matrix):
        asked.append(text_overflow)
        font, size = stream.add_font("pango")
        font.widths.setdefault("a", 500), font.to_unicode.setdefault("a", "A")
        if missing:
            font.missing["b"] = 1
        stream.set_text_matrix(*matrix.values)
        stream.set_font_size("name", size)
        stream.show_text(f"<{font.widths['a']}>")
        return []

    return draw


class Line:
    """As WeasyPrint's Layout: shaped when active."""

    def __init__(self):
        self.shaped = 0

    def reactivate(self, style):
        self.shaped += 1
        self.layout = object()

    def deactivate(self):
        del self.layout


@pytest.mark.parametrize(("sheet", "overflow", "missing", "times"), [
    (Sheet(), "clip", False, 1), (Sheet(a=500), "clip", False, 1),
    (Sheet(a=501), "clip", False, 2), (Sheet(), "ellipsis", False, 2), (Sheet(), "clip", True, 3),
])  # fmt: skip
def test_a_line_is_drawn_once_and_anew_where_it_may_differ(sheet, overflow, missing, times):
    """A width rounded otherwise by the document, an ellipsis, a missing glyph: not what was remembered."""

    class Layout(Line):
        pass

    shaped.keep_layouts(Layout)
    asked = []
    draw, line = shaped.kept_drawing(draw_for_tests(asked, missing)), Layout()
    line.drawn = None
    box = SimpleNamespace(pango_layout=line, text="符合", style=None)
    matrix, below = SimpleNamespace(values=(1, 0, 0, -1, 5, 6)), SimpleNamespace(values=(1, 0, 0, -1, 5, 9))
    first = Sheet()
    for stream, how, place in ((first, "clip", matrix), (sheet, overflow, below)):
        line.reactivate(None)
        assert draw(stream, box, how, "none", place) == []
        line.deactivate()
        width = stream._fonts["key"].widths["a"]
        assert stream.said == [("set_text_matrix", *place.values), ("set_font_size", "name", 10.5), ("show_text", f"<{width}>")]
        assert stream._fonts["key"].to_unicode == {"a": "A"}
    assert len(asked) == times and line.shaped == min(times, 2)


if __name__ == "__main__":
    main(sys.argv[1])
