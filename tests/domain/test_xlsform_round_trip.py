"""A form written as a spreadsheet and read again is the same form."""

from importlib.metadata import entry_points

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.cells import Sheet
from portal.domain.declarations import check_form
from portal.domain.forms import VERDICTS
from portal.domain.model import Basis, Choice, Field, Form, Section
from portal.domain.xlsform import sheet_of
from portal.domain.xlsform_reading import read_xlsform
from portal.domain.xlsform_writing import write_xlsform
from portal.plugins import GROUP, discover_sectors
from portal.sheets.workbook import read_workbook
from portal.sheets.write import write_workbook
from tests import examples

#: samples too
BUILT_IN = discover_sectors(",".join(sorted({point.name for point in entry_points(group=GROUP)}))).forms


def again(form):
    sheets = {name: Sheet(tuple(map(tuple, rows))) for name, rows in write_xlsform(form).items()}
    return read_xlsform(sheets, form.code.partition(".")[0]).require_form("表单")


@pytest.mark.parametrize("form", BUILT_IN, ids=lambda form: form.code)
def test_every_built_in_form_survives_its_file(form):
    data = write_workbook(write_xlsform(form))
    assert read_xlsform(read_workbook(data, "", sheet_of), form.code.partition(".")[0]).require_form("表单") == form


# Any form ----------------------------------------------------------------------------

WORDS = st.text(st.sampled_from("甲乙丙《》（），。abc<>&\"'{}=+-@1 "), min_size=1, max_size=12).map(lambda text: " ".join(text.split())).filter(bool)
MAYBE = st.one_of(st.just(""), WORDS)
LINES = st.lists(WORDS, max_size=3).map("\n".join)
LAW = st.text(st.sampled_from("甲乙丙法条例"), min_size=1, max_size=6)
BASIS = st.builds(Basis, LAW, st.sampled_from(["", "第三十三条", "第八条第二款"]), st.one_of(st.just(""), LAW))
OPTIONS = st.lists(st.tuples(WORDS, st.booleans()), min_size=1, max_size=4).map(lambda those: tuple(Choice(f"v{n}", *one) for n, one in enumerate(those)))
PLAIN = ("text", "integer", "decimal", "date", "time", "select_one", "select_multiple", "verdict", "photo", "file", "signature", "location")


@st.composite
def fields(draw, name, earlier, inside=False):
    kind = draw(st.sampled_from(PLAIN if inside else (*PLAIN, "note", "calculated")))
    public = kind not in ("photo", "file", "signature", "location", "note") and draw(st.booleans())
    rules = [""] + [f"${{{other}}} {draw(st.sampled_from(['=', '!=']))} '甲“1”'" for other in earlier[-2:]] + [f"count(${{{other}}}) > 0" for other in earlier[-1:]]
    return Field(
        name, draw(WORDS), kind, required=kind not in ("note", "calculated") and draw(st.booleans()), key=draw(st.booleans()), public=public,
        show_if=draw(st.sampled_from(rules)), constraint=draw(st.sampled_from(["", "count(.) >= 2", ". != 'count(.)'"])), message=draw(MAYBE),
        hint=draw(MAYBE), guide=draw(LINES), basis=tuple(draw(st.lists(BASIS, max_size=2))),
        choices=draw(OPTIONS) if kind.startswith("select_") else (), value="1 + 1" if kind == "calculated" else "", most=draw(st.sampled_from([0, 9])),
        shared=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def forms(draw):
    earlier, sections = [], []
    for number in range(draw(st.integers(1, 3))):
        rule = draw(st.sampled_from(["", f"${{{earlier[-1]}}} != ''"])) if earlier else ""
        inside = []
        for _ in range(draw(st.integers(1, 3))):
            name = f"f{len(earlier)}"
            if draw(st.integers(0, 4)) == 0:
                rows = tuple(draw(fields(f"{name}_{n}", earlier, True)) for n in range(draw(st.integers(1, 2))))
                inside.append(Field(name, draw(WORDS), "repeat", fields=rows, most=draw(st.sampled_from([0, 5])), show_if=""))
            else:
                inside.append(draw(fields(name, earlier)))
            earlier.append(name)
        sections.append(Section(draw(WORDS), tuple(inside), rule))
    return Form("toys.shop", "2026-1", draw(WORDS), tuple(sections))


@settings(max_examples=examples(60), deadline=None)
@given(forms())
def test_any_form_that_sheets_can_say_survives_being_written(form):
    assert check_form(form) == []
    assert again(form) == form


def test_a_choice_of_the_three_verdicts_is_a_verdict_when_it_comes_back():
    choices = tuple(Choice(value, label) for value, label in VERDICTS.items())
    form = Form("toys.shop", "1", "表", (Section("节", (Field("a", "甲", "select_one", choices=choices),)),))
    assert again(form).fields() == [Field("a", "甲", "verdict")]
