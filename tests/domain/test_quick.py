"""The short way for clean rows gives exactly what the long way gives: the same rows, the same findings."""

import csv
import io
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain import directory
from portal.domain.directory import open_entities, parse_entities
from portal.domain.headings import ENTITY
from portal.domain.sample import sample_entities
from portal.sheets.read import read_sheet
from tests import examples
from tests.shared import shared_file

HEADINGS = {name: next(word for word in words.split() if not word.isascii()) for name, words in ENTITY.items() if name != "src_year"}
#: Cells that are ordinary, odd, or wrong, for any column.
CELLS = (
    "", "甲", "望溪县甲有限公司", " 前后有空 ", "两  空", "换\n行", "控\x07制", "ab\u202ecd", "e\u0301", "\u3000全角空格", "ﾃ", "\ue000",
    "91359921MA00000135", "91359921MA0000013X", "359921600000017", "359921600000016", "3599211000001", "９１３５９９２１MA00000135",
    "91359921ma00000135", "91359921MA00000135#2", "91359921MAIO000135", "G2", "存续", "吊销，未注销", "开业(在册)", "歇业", "A", "b级", "高风险", "Z",
    "5213", "F5213、5272", "零售业", "5213；5213", "2024-01-05", "2024年1月5日", "20240105", "2024-02-30", "24/1/5", "长期", "45000",
    "个体工商户", "有限责任公司", "农民专业合作社", "N/A", "外国企业常驻代表机构", "主体", "设备", "门店", "35992199", "清桥镇", "望溪县清桥镇南街1号",
    "食品经营许可证", "JY135992100000093", "a,b", "、、", "\\", '"', "'", "|", "a| b", 3, 2.5, True, date(2024, 1, 5), 91359921,
)


def both_ways(head, rows, accepted=()):
    """What the two ways make of a sheet."""
    quick = parse_entities([head, *rows], accepted=accepted)
    long_way, directory.entity_reader = directory.entity_reader, lambda table, slowly, *rest: slowly
    try:
        return quick, parse_entities([head, *rows], accepted=accepted)
    finally:
        directory.entity_reader = long_way


def clean_rows(count, seed=1):
    """(field, ...) and the rows of the sample register as text, with every field of the headings somewhere."""
    names = list(HEADINGS)
    rows = []
    for e in sample_entities(count, seed):
        licence = e.licences[0] if e.licences else {}
        given = {
            "code": e.code, "name": e.name, "old_names": "、".join(e.old_names), "type": e.type, "status": e.status,
            "region": e.region, "station": e.station, "town": e.town, "address": e.address, "industries": "、".join(e.industries),
            "scope": e.scope, "registered_on": str(e.registered_on), "risk_class": e.risk_class, "tags": "、".join(e.tags),
            "licence_name": licence.get("name", ""), "licence_number": licence.get("number", ""),
            "licence_issued_on": licence.get("issued_on", ""), "licence_valid_to": licence.get("valid_to", ""),
            "licence_authority": licence.get("authority", ""), **e.attributes,
        }
        rows.append([given.get(name, "") for name in names])
    return names, rows


def test_clean_rows_take_the_short_way_and_come_out_the_same():
    names, rows = clean_rows(3_000)
    head = [HEADINGS[name] for name in names]
    asked = []
    real = directory._entity
    directory._entity = lambda table, line, row, accepted: asked.append(line) or real(table, line, row, accepted)
    try:
        quick, slow = both_ways(head, rows)
    finally:
        directory._entity = real
    assert quick == slow and not quick.errors and not quick.warnings
    assert len(asked) < len(rows) * 1.03  # the long way once for each row, the short way hardly ever asks it


@settings(max_examples=examples(120), deadline=None)
@given(st.data())
def test_whatever_stands_in_the_cells_both_ways_say_the_same(data):
    names, rows = clean_rows(12, seed=data.draw(st.integers(1, 3)))
    kept = data.draw(st.lists(st.sampled_from(names), unique=True, max_size=len(names)))
    kept = ["code", "name", *(name for name in kept if name not in ("code", "name"))]
    at = [names.index(name) for name in kept]
    rows = [[row[place] for place in at] for row in rows]
    for _ in range(data.draw(st.integers(0, 8))):
        row = rows[data.draw(st.integers(0, len(rows) - 1))]
        if row:
            row[data.draw(st.integers(0, len(row) - 1))] = data.draw(st.sampled_from(CELLS) | st.text(max_size=4))
    if data.draw(st.booleans()):
        rows.append(rows[0][: data.draw(st.integers(0, len(kept)))])  # a short row, perhaps a code that comes twice
    head = [HEADINGS[name] for name in kept]
    if data.draw(st.booleans()):
        head, rows = [*head, HEADINGS["address"]], [[*row, "第二列地址"] for row in rows]  # a field with two columns
    quick, slow = both_ways(head, rows, accepted=("359921600000016",))
    assert quick == slow


def test_55_486_real_companies_come_out_the_same_both_ways():
    rows = read_sheet(shared_file("enterprises/fujian_1978_2004.csv.gz").read_bytes()).rows
    quick, slow = both_ways(rows[0], rows[1:])
    assert quick == slow and len(quick.rows) == 55_486


def test_rows_come_one_by_one_in_flat_memory():
    def endless():
        yield ["统一社会信用代码", "名称"]
        for entity in sample_entities(10**9):
            yield [entity.code, entity.name]

    table, rows = open_entities(endless())
    assert [next(rows)[0] for _ in range(3)] == [2, 3, 4] and table.total == 3


def test_a_code_that_comes_twice_is_joined_or_refused_naming_the_first_row():
    text = "统一社会信用代码,名称,监管标签\n91359921MA00000135,甲,食品\n91359921MA00000135,甲,药品\n91359921MA00000135,乙,食品\n"
    parsed = parse_entities([*csv.reader(io.StringIO(text))])
    assert [row.tags for row in parsed.rows] == [("食品", "药品")] and parsed.lines == (2,)
    assert [str(problem) for problem in parsed.errors] == ["第 4 行“统一社会信用代码”：代码 91359921MA00000135 与第 2 行重复。请只保留一行。"]
