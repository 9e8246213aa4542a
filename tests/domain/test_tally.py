"""Every row of a file is counted once: as data that comes in, goes into another row or is refused, or as no data."""

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.cells import Sheet
from portal.domain.codes import make_uscc
from portal.domain.errors import BadInput, Problem
from portal.domain.import_kinds import KINDS, Reading, template_rows
from portal.domain.imports import JOINED, NEW, REFUSED, SAME, TOTAL, UPDATED, pack_preview, preview_of, tallied, unpack_preview
from portal.domain.tables import Aside, Parsed
from tests import examples

TODAY = date(2026, 6, 1)
CODES = [make_uscc("9", "1", "359921", f"MA00000{n}") for n in range(1, 5)]

#: what may stand in a cell, whatever its column
ANYTHING = st.sampled_from(["", "", "甲公司", "乙公司", *CODES, "坏 代码!", "2026-05-01", "第五日", "A", "食品、药品", "未发现问题", "99.5%", "W1", 7, "\u202e倒"])
ASIDE = st.sampled_from(["blank", "sample", "remark"])


@st.composite
def files(draw):
    """A sheet of any kind: its template's headings under a title or not, then rows of the example with cells changed, and rows that are no data."""
    kind = draw(st.sampled_from(list(KINDS.values())))
    head, example = template_rows(kind)
    example = [cell.replace("案例（请删除）", "W1") for cell in example]
    rows = []
    for _ in range(draw(st.integers(1, 12))):
        what = draw(st.one_of(st.just("row"), st.just("row"), ASIDE))
        row = list(example)
        if what == "row":
            for at in draw(st.lists(st.integers(0, len(head) - 1), max_size=3)):
                row[at] = draw(ANYTHING)
        elif what == "sample":
            row[draw(st.integers(0, min(3, len(head) - 1)))] = "案例（请删除）"
        else:
            row = [""] * len(head)
            row[0] = "备注：以上为试点" if what == "remark" else ""
        rows.append(tuple(row))
    title = [("2026年度的一份表", *[""] * (len(head) - 1))] if draw(st.booleans()) else []
    return kind, Sheet((*title, tuple(head), *rows), name="2026年")


@given(files())
@settings(max_examples=examples(400), deadline=None)
def test_every_row_of_any_file_of_any_kind_is_counted_once(file):
    kind, sheet = file
    options = {one.name: {"date": "2026-03-31", "year": "2026"}.get(one.kind, "某") for one in kind.asks}
    try:
        parsed = kind.parse(sheet, Reading(TODAY, options=options))
    except BadInput as refusal:
        assert not refusal.problems or "没有读入" in refusal.message  # there is no row to count
        return
    assert parsed.total + parsed.aside.count == len(sheet.rows)
    came, joined = set(parsed.lines), {line for line, _ in parsed.joined}
    assert not (came & joined or came & parsed.bad_lines or joined & parsed.bad_lines)
    assert len(came) + len(joined) + len(parsed.bad_lines) == parsed.total
    counts = tallied(parsed, {"别的": 3})
    assert counts[TOTAL] == parsed.total == sum(counts[name] for name in (NEW, UPDATED, SAME, JOINED, REFUSED)) and counts["别的"] == 3


@given(files(), st.data())
@settings(max_examples=examples(200), deadline=None)
def test_what_is_found_later_moves_rows_to_the_refused_with_all_that_was_joined_into_them(file, data):
    sheet = file[1]
    kind = KINDS["entities"]
    head, example = template_rows(kind)
    rows = [[cell.replace("案例（请删除）", "甲公司") for cell in example] for _ in sheet.rows]
    for row in rows:
        row[0] = data.draw(st.sampled_from(CODES))
        row[head.index("监管标签")] = data.draw(st.sampled_from(["食品", "药品", ""]))
    parsed = kind.parse(Sheet((tuple(head), *map(tuple, rows))), Reading(TODAY))
    lines = data.draw(st.sets(st.sampled_from(parsed.lines))) if parsed.lines else set()
    later = parsed.found([Problem("", "后来发现", line) for line in lines])
    counts = tallied(later, {})
    assert counts[TOTAL] == later.total == len(rows) and counts[NEW] == len(later.rows)
    assert {first for _, first in later.joined} <= set(later.lines)
    assert counts[JOINED] == len(parsed.joined) - sum(first in lines for _, first in parsed.joined)


def test_rows_that_are_no_data_are_told_with_their_place():
    head, example = template_rows(KINDS["entities"])
    blank, remark = [""] * len(head), ["备注：略", *[""] * (len(head) - 1)]
    good = [cell.replace("案例（请删除）", "甲公司") for cell in example]
    sheet = Sheet(tuple(map(tuple, [["名录", *blank[1:]], head, example, good, blank, remark, blank])))
    parsed = KINDS["entities"].parse(sheet, Reading(TODAY))
    assert parsed.aside == Aside(2, (3,), (6,), 2)
    assert parsed.aside.words() == "标题和表头 2 行，示例 1 行（第 3 行），备注或合计 1 行（第 6 行），空行 2 行"
    assert Aside(0, (), tuple(range(1, 23))).words().endswith("、20 等 行）") and Aside().words() == ""


def test_a_preview_stored_before_there_were_sums_is_still_read():
    preview = preview_of("entities", "名录.xlsx", "0" * 64, Sheet(()), Parsed((), total=3, lines=()), {"别的": 1})
    assert dict(preview.tally)[TOTAL] == 0 and preview.details == (("别的", 1),)
    old = replace(preview, counts=(("新增", 1), ("更新原有", 2)))
    packed = pack_preview(old).replace('"aside":"",', "").replace(',"aside":""', "")
    assert '"aside"' not in packed
    assert unpack_preview(packed).tally == () and unpack_preview(packed).details == old.counts
