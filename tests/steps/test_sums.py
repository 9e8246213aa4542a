"""The counts of an import add up, in its preview and in its result, and say what became of each row: any mixture, both ways in."""

import random

import pytest

from portal.domain.cells import Sheet
from portal.domain.errors import BadInput
from portal.domain.imports import JOINED, NEW, REFUSED, SAME, TOTAL, UPDATED
from portal.domain.sample import sample_entities
from portal.steps import imports
from portal.steps.directory import save_entity_rows
from portal.steps.loading import import_register
from portal.store import imports as store
from portal.store import loads

pytestmark = pytest.mark.anyio

HEAD = ("统一社会信用代码", "名称", "乡镇", "地址", "监管标签")
HERE, THEIRS, FRESH = (tuple(sample_entities(120, seed)) for seed in (91, 92, 93))
KINDS = ("new", "new", "same", "same", "changed", "foreign", "no code", "again", "again", "other name", "blank", "remark", "sample")


def cells(row, name="", tags=None):
    return (row.code, name or row.name, row.town, row.address, "、".join(row.tags) if tags is None else tags)


def mixture(seed, size):
    """(sheet, what is expected of its data rows), by a model that knows nothing of parsing."""
    chance = random.Random(seed)
    unused = {"new": list(FRESH), "same": list(HERE[:60]), "changed": list(HERE[60:]), "foreign": list(THEIRS)}
    rows, fate, used = [], [], {}  # used: code -> [row, place of its first row, what it is]
    for _ in range(size):
        what = chance.choice(KINDS)
        if what in ("again", "other name") and not used or not unused.get(what, [1]):
            what = "no code"
        if what in unused:
            row = unused[what].pop(0)
            used[row.code] = [row, len(fate), what]
            rows.append(cells(row, "改了名的公司" if what == "changed" else ""))
            fate.append({"new": NEW, "same": SAME, "changed": UPDATED, "foreign": REFUSED}[what])
        elif what == "again":
            row, place, first = chance.choice(list(used.values()))
            rows.append(cells(row, "改了名的公司" if first == "changed" else "", f"标签{len(rows)}"))
            fate.append(REFUSED if first == "foreign" else JOINED)
            if fate[place] == SAME:
                fate[place] = UPDATED  # together they say something new
        elif what == "other name":
            rows.append(cells(chance.choice(list(used.values()))[0], "另一个名称"))
            fate.append(REFUSED)
        elif what == "no code":
            rows.append(("", "没有代码的公司", "", "", ""))
            fate.append(REFUSED)
        else:
            rows.append({"blank": ("",) * 5, "remark": ("备注：略", "", "", "", ""), "sample": ("案例（请删除）", "某", "", "", "")}[what])
    wanted = {TOTAL: len(fate), **{name: fate.count(name) for name in (NEW, UPDATED, SAME, JOINED, REFUSED)}}
    return Sheet((HEAD, *rows)), wanted


def lead(counts):
    first = dict(list(dict(counts).items())[:6])
    assert first[TOTAL] == sum(count for name, count in first.items() if name != TOTAL)
    return first


@pytest.fixture
async def office_with_both(filled):
    """Our entries and another bureau's, brought in by files with the columns of the mixtures."""
    for login, rows in (("operator", HERE), ("stranger", THEIRS)):
        await imports.import_sheet(await filled.acting(login), "entities", Sheet((HEAD, *map(cells, rows))), "原有.xlsx", b"")
    return filled


@pytest.mark.parametrize("way", ["small", "large", "large upload"])
@pytest.mark.parametrize("seed", range(4))
async def test_any_mixture_adds_up_in_preview_and_result_and_each_part_is_right(office_with_both, monkeypatch, seed, way):
    act = await office_with_both.acting("operator")
    monkeypatch.setattr(loads, "PART_LINES", 17)
    monkeypatch.setattr(imports, "SMALL", 10_000 if way == "small" else 10)
    sheet, wanted = mixture(seed, 150)
    assert min(wanted.values()) > 0, "every fate is met"
    preview, _ = await imports.preview_sheet(act, "entities", sheet, "名录.xlsx", b"")
    assert lead(preview.counts) == lead(preview.tally) == wanted
    if way == "large":
        report = await import_register(act, iter(sheet.rows), "名录.xlsx", "d" * 64, good_rows=True)
    else:
        report = await imports.import_sheet(act, "entities", sheet, "名录.xlsx", b"", good_rows=True)
    assert lead(report.counts) == wanted and report.aside == preview.aside
    assert report.counts["读入"] == wanted[NEW] + wanted[UPDATED] + wanted[SAME]
    (last,) = await store.load_uploads(act.tree, limit=1)
    assert lead(map(tuple, last["report"])) == wanted
    again = lead((await imports.preview_sheet(act, "entities", sheet, "名录.xlsx", b""))[0].counts)
    assert again == wanted | {NEW: 0, UPDATED: 0, SAME: wanted[NEW] + wanted[UPDATED] + wanted[SAME]}, "done once, it changes nothing more"


async def test_a_whole_file_has_no_refused_rows_and_a_refused_one_no_counts(filled):
    act = await filled.acting("operator")
    rows = (HEAD, *map(cells, FRESH[:5]), cells(FRESH[0], tags="药品"))
    report = await imports.import_sheet(act, "entities", Sheet(rows), "名录.xlsx", b"")
    assert lead(report.counts) == {TOTAL: 6, NEW: 5, UPDATED: 0, SAME: 0, JOINED: 1, REFUSED: 0}
    with pytest.raises(BadInput):
        await imports.import_sheet(act, "entities", Sheet((*rows, ("", "无", "", "", ""))), "名录.xlsx", b"")
    assert len(await store.load_uploads(act.tree)) == 1


async def test_a_station_that_a_file_changes_is_a_change(filled):
    act = await filled.acting("operator")
    await save_entity_rows(act, tuple(row._replace(station="清桥所") for row in FRESH[:2]))
    head = ("统一社会信用代码", "名称", "属地所")
    given = Sheet((head, (FRESH[0].code, FRESH[0].name, "清桥所"), (FRESH[1].code, FRESH[1].name, "白鹭所")))
    preview, _ = await imports.preview_sheet(act, "entities", given, "名录.xlsx", b"")
    assert lead(preview.counts) == lead((await imports.import_sheet(act, "entities", given, "名录.xlsx", b"")).counts)
    assert lead(preview.counts) == {TOTAL: 2, NEW: 0, UPDATED: 1, SAME: 1, JOINED: 0, REFUSED: 0}


PERSON = ("单位工号", "姓名", "所属监管所", "执法证编号", "执法证有效期", "执法人员状态")


@pytest.mark.parametrize(("kind", "head", "first", "then"), [
    ("inspectors", PERSON, [("T1", "甲", "清桥所", "C1", "2028-12-31", "有效"), ("T2", "乙", "清桥所", "C2", "2028-12-31", "有效")],
     [("T1", "甲", "清桥所", "C1", "2028-12-31", "有效"), ("T2", "乙", "清桥所", "C2", "2029-12-31", "有效"), ("T3", "丙", "", "C3", "2028-12-31", "有效")]),
    ("classes", ("代码", "信用等级", "分类日期"), [(FRESH[0].code, "A", "2026-01-01"), (FRESH[1].code, "A", "2026-01-01")],
     [(FRESH[0].code, "A", "2026-02-01"), (FRESH[1].code, "B", "2026-02-01"), (FRESH[2].code, "B", "2026-02-01")]),
    ("registers", ("专项库名称", "代码", "编号", "许可证名称"), [("食品", HERE[0].code, "1", "甲证"), ("食品", HERE[0].code, "2", "甲证")],
     [("食品", HERE[0].code, "1", "甲证"), ("食品", HERE[0].code, "2", "乙证"), ("食品", HERE[1].code, "1", "甲证")]),
])  # fmt: skip
async def test_kinds_that_replace_tell_what_is_new_changed_and_unchanged(office_with_both, kind, head, first, then):
    act = await office_with_both.acting("operator")
    await imports.import_sheet(act, kind, Sheet((head, *first)), "一.xlsx", b"")
    wrong = ("",) * (len(head) - 1) + ("x",)
    given = Sheet((head, *then, wrong))
    wanted = {TOTAL: 4, NEW: 1, UPDATED: 1, SAME: 1, JOINED: 0, REFUSED: 1}
    preview, _ = await imports.preview_sheet(act, kind, given, "二.xlsx", b"")
    assert lead(preview.counts) == wanted
    assert lead((await imports.import_sheet(act, kind, given, "二.xlsx", b"", good_rows=True)).counts) == wanted
