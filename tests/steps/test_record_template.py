"""A round's table of records: filled away from the portal it comes back as what would have been entered in it."""

import json
from dataclasses import replace

import pytest

from portal.domain.cells import Sheet
from portal.domain.errors import BadInput, NotAllowed, NotFound, WrongMoment
from portal.domain.forms import VERDICTS
from portal.domain.model import OUTCOMES
from portal.domain.results import NOT_HERE, point_headings
from portal.sheets.read import read_sheet
from portal.sheets.write import write_csv, write_xlsx
from portal.steps import imports, joined_forms, results, sample
from portal.store import records, visits
from portal.store.tables import Inspector, Visit
from tests import office
from tests.office import OPEN, SEALED
from tests.steps.test_levels import city, drawn_by_city  # noqa: F401 - a fixture

pytestmark = pytest.mark.anyio

FORMATS = {"xlsx": write_xlsx, "csv": write_csv}


async def answers_of(house, code=OPEN):
    """(visit, form) -> simulated record."""
    house.at(office.ENTERED)
    lines = [json.loads(line) for line in await sample.make_answers(await house.acting("operator"), code, office.SEED)]
    return {(row["visit"], row["form"]): row for row in lines}


def to_fill(table):
    """Without headings, guide and the remark about records begun elsewhere."""
    return [row for row in table[2:] if not row[0].startswith("备注")]


async def fill(rows, answers):
    """The template as a clerk gives it back: only cells that were left open are written."""
    head, table = rows[0], [list(row) for row in rows]
    at = {title: n for n, title in enumerate(head)}
    of_visit = {}
    for row in to_fill(table):
        code, item = row[at["入企编号"]], row[at["事项"]]
        if code not in of_visit:
            visit = await Visit.select().where(Visit.code == code).first().run()
            of_visit[code] = await joined_forms.forms_of({**visit, "forms": json.loads(visit["forms"])})
        joined, item_code = next((one, known["code"]) for one in of_visit[code] for known in one["items"] if item in (known["name"], known["code"]))
        record = answers[code, joined["form"].code]
        row[at["结果"]] = OUTCOMES[record["outcomes"][item_code]].label
        row[at["检查日期"]], row[at["检查方式"]], row[at["当事人意见"]] = record["inspected_on"], record["method"], record["opinion"]
        own = point_headings(joined["form"])
        for field in joined["form"].fields():
            if field.name not in record["answers"] or row[at[own[field.name]]] == NOT_HERE:
                continue
            labels = VERDICTS if field.type == "verdict" else {choice.value: choice.label for choice in field.choices}
            answer = record["answers"][field.name]
            row[at[own[field.name]]] = "、".join(labels.get(one, str(one)) for one in (answer if isinstance(answer, list) else [answer]))
    return table


def plain(answers):
    """A page and a table give several choices in the order of the form, the sample in any."""
    return {name: sorted(answer) if isinstance(answer, list) else answer for name, answer in answers.items()}


@pytest.mark.parametrize("kind", FORMATS)
async def test_a_template_filled_and_imported_is_what_would_have_been_entered(drawn, kind):
    answers = await answers_of(drawn) | await answers_of(drawn, SEALED)
    operator = await drawn.acting("operator")
    entered = 0
    for code in (OPEN, SEALED):
        rows = await results.write_template(operator, code)
        filled = await fill(rows, answers)
        sheet = read_sheet(FORMATS[kind](filled), f"记录.{kind}")
        report = await imports.import_sheet(operator, "records", sheet, f"记录.{kind}", b"")
        assert report.errors == () and report.counts["数据行"] == len(to_fill(rows)) == report.counts["新增"]
        entered += report.counts["检查记录"]
        of_round = {visit["id"]: visit["code"] for visit in await office.visits_of(code)}
        for made in await records.load_records_of(of_round):
            wanted = answers[of_round[made["visit"]], made["form_code"]]
            assert plain(made["answers"]) == plain(wanted["answers"])
            assert [made[name] for name in ("outcomes", "method", "opinion")] == [wanted[name] for name in ("outcomes", "method", "opinion")]
            assert made["state"] == "submitted" and made["inspected_on"].isoformat() == wanted["inspected_on"]
        with pytest.raises(WrongMoment, match=f"轮次 {code} 在您的辖区没有待填的检查记录，[0-9]+ 份已经开始填写。"):
            await results.write_template(operator, code)
    assert entered == len(answers)


async def test_every_point_of_every_form_has_a_column_that_is_open_where_it_is_asked_and_only_there(drawn):
    rows = await results.write_template(await drawn.acting("operator"), OPEN)
    head = rows[0]
    assert len(set(head)) == len(head) and {len(row) for row in rows} == {len(head)}
    assert "联系电话〔contact_phone〕" in head and "联系电话" not in head  # else a private column, and lost
    guide = dict(zip(head, rows[1]))
    assert guide["联系电话〔contact_phone〕"].endswith("文字") and "实地核查" in guide["检查方式"] and "未发现问题" in guide["结果"]
    seen = set()
    for row in rows[2:]:
        cells = dict(zip(head, row))
        visit = await visits.load_visit(cells["入企编号"], (await drawn.acting("operator")).tree)
        joined = next(one for one in await joined_forms.forms_of(visit) if cells["事项"] in [item["name"] for item in one["items"]])
        first = (visit["code"], joined["form"].code) not in seen
        seen.add((visit["code"], joined["form"].code))
        own = set(point_headings(joined["form"]).values())
        assert {title for title in head[11:] if cells[title] == ""} == (own if first else set())
        assert {title for title in head[11:] if cells[title] == NOT_HERE} == set(head[11:]) - (own if first else set())
        assert cells["代码"] == visit["entity_code"] and cells["企业名称"] and cells["任务"] and cells["检查人员"]
        assert [cells[title] for title in ("结果", "检查日期", "检查方式", "当事人意见", "说明")] == [""] * 5
    assert len(seen) == sum([len(await joined_forms.forms_of(visit)) for visit in await office.visits_of(OPEN)])


async def test_a_template_nobody_filled_says_what_is_missing_row_by_row(drawn):
    operator = await drawn.acting("operator")
    rows = await results.write_template(operator, OPEN)
    with pytest.raises(BadInput, match=f"检查记录表有 {len(rows) - 2} 处错误，没有导入任何一行") as refusal:
        await imports.import_sheet(operator, "records", Sheet(tuple(map(tuple, rows))), "x.xlsx", b"")
    assert [(problem.row, problem.field) for problem in refusal.value.problems[:2]] == [(3, "结果"), (4, "结果")]


async def test_visits_that_were_filled_come_in_by_choice_and_the_rest_stays_in_the_next_template(drawn):
    answers = await answers_of(drawn)
    operator = await drawn.acting("operator")
    rows = await results.write_template(operator, OPEN)
    filled = await fill(rows, answers)
    one = rows[2][0]
    half = [given if n < 2 or given[0] == one else blank for n, (given, blank) in enumerate(zip(filled, rows))]
    report = await imports.import_sheet(operator, "records", Sheet(tuple(map(tuple, half))), "x.xlsx", b"", good_rows=True)
    own = [row for row in rows[2:] if row[0] == one]
    assert report.counts["新增"] == len(own) and report.counts["有错误未导入"] == len(rows) - 2 - len(own)
    left = await results.write_template(operator, OPEN)
    assert left[2:-1] == [row for row in rows[2:] if row[0] != one]
    assert left[-1][0] == f"备注：另有 {report.counts['检查记录']} 份记录已在系统中开始填写，没有列出"
    again = await imports.import_sheet(operator, "records", Sheet(tuple(map(tuple, await fill(left[:-1], answers)))), "y.xlsx", b"")
    assert again.counts["检查记录"] + report.counts["检查记录"] == len(answers)


async def test_people_of_one_name_are_written_by_their_code(drawn):
    drawn.at(office.ENTERED)
    operator = await drawn.acting("operator")
    visit = (await office.visits_of(OPEN))[0]
    people = await office.inspectors_of(visit)
    assert len(people) == 2
    await Inspector.update(name="王某某").where(Inspector.id.is_in([person["id"] for person in people])).run()
    rows = await results.write_template(operator, OPEN)
    row = next(row for row in rows if row[0] == visit["code"])
    assert row[rows[0].index("检查人员")] == "、".join(person["code"] for person in people)
    one = [rows[0], *[row for row in await fill(rows, await answers_of(drawn)) if row[0] == visit["code"]]]
    await imports.import_sheet(operator, "records", Sheet(tuple(map(tuple, one))), "x.xlsx", b"")
    assert {made["recorder"] for made in await records.load_records_of([visit["id"]])} == {people[0]["id"]}


async def test_only_who_may_import_records_of_a_round_of_theirs_gets_its_table(drawn):
    with pytest.raises(NotAllowed):
        await results.write_template(await drawn.acting("planner"), OPEN)
    with pytest.raises(NotFound):
        await results.write_template(await drawn.acting("stranger"), OPEN)
    visit = (await office.visits_of(OPEN))[0]
    operator = await drawn.acting("operator")
    station = replace(operator, tree=frozenset([visit["organisation"]]))
    assert {row[0] for row in (await results.write_template(station, OPEN))[2:]} <= {one["code"] for one in await office.visits_of(OPEN)}


async def test_a_round_without_visits_has_no_table(committed):
    with pytest.raises(WrongMoment, match="没有待填的检查记录。入企安排之后才有。"):
        await results.write_template(await committed.acting("operator"), OPEN)


async def test_a_county_gets_the_table_of_its_own_visits_of_the_citys_round(city):
    code = await drawn_by_city(city)
    tables = {login: to_fill(await results.write_template(await city.acting(login), code)) for login in ("operator", "stranger", "city")}
    seen = {login: {row[0] for row in rows} for login, rows in tables.items()}
    assert seen["operator"] and seen["stranger"] and not seen["operator"] & seen["stranger"]
    assert seen["city"] == seen["operator"] | seen["stranger"]
