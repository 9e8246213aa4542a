"""One bureau's pages that only look: a week of visits, the calendar file, an entity's history, a person, jobs; and what a list refuses."""

import re
from urllib.parse import urlencode

from portal.store import engine, jobs
from tests.domain.test_lists import parse_calendar
from tests.web.test_lists import body, counted, sheet, worked  # noqa: F401 - a fixture
from tests.web.test_year import step


def test_a_week_shows_visits_by_town_and_day_and_each_cell_its_list(worked):  # noqa: F811
    house, person = worked, worked.browser("reviewer")
    day, town = house.query("SELECT day, town FROM visit ORDER BY day LIMIT 1")[0]
    total = house.query("SELECT count(*) FROM visit WHERE day = ? AND town = ?", day, town)[0][0]
    page = person.get(f"/visits/week?on={day}").text
    href = next(one for one in re.findall(r'href="(/visits\?[^"]+)">\d+ 次', page) if urlencode({"town": town}) in one)
    assert f"{total} 次</a>" in page.partition(href)[2][:40] and counted(person.get(href.replace("&amp;", "&")).text) == total
    assert "这一周没有入企检查" in person.get("/visits/week?on=2031-01-01").text
    other = worked.browser("other").get(f"/visits/week?on={day}").text
    assert "这一周没有入企检查" in other


def test_the_calendar_holds_open_visits_and_no_companys_name(worked):  # noqa: F811
    house, person = worked, worked.browser("reviewer")
    response = person.get("/visits/calendar.ics?on=2026-07-01")
    assert response.headers["content-type"].startswith("text/calendar") and "visits.ics" in response.headers["content-disposition"]
    events = parse_calendar(response.content)
    wanted = house.query("SELECT v.code, v.day, e.name, e.address FROM visit v JOIN entity e ON e.code = v.entity_code WHERE v.state = 'open'")
    assert sorted(event["UID"].partition("@")[0] for event in events) == sorted(code for code, *_ in wanted) and wanted
    for _, day, name, address in wanted:
        assert name not in response.text and address not in response.text and any(event["DTSTART;VALUE=DATE"] == str(day).replace("-", "") for event in events)
    assert parse_calendar(worked.browser("other").get("/visits/calendar.ics?on=2026-07-01").content) == []
    mine = worked.browser("inspector").get("/visits/calendar.ics?on=2026-01-01&mine=1")
    assert 0 < len(parse_calendar(mine.content)) <= len(events)


def test_an_entry_shows_its_whole_history_and_another_bureaus_department_none(worked):  # noqa: F811
    house, person = worked, worked.browser("reviewer")
    code, record = house.query("SELECT v.entity_code, f.record FROM follow_up f JOIN record r ON r.id = f.record JOIN visit v ON v.id = r.visit ORDER BY f.id LIMIT 1")[0]
    page = person.get(f"/directory/{code}").text
    assert f'href="/review/{record}"' in page and "本局的辖区规则没有规定频次上限" in page and "本单位没有保存附件" in page
    idle = house.query("SELECT code FROM entity e WHERE NOT EXISTS (SELECT 1 FROM pick p WHERE p.code = e.code) AND e.kind = 'entity' LIMIT 1")[0][0]
    empty = person.get(f"/directory/{idle}").text
    assert all(words in empty for words in ("没有被抽中过", "没有入企检查", "没有审核通过的结果", "没有后续处置"))
    approver = worked.browser("approver").get(f"/directory/{code}").text  # may not read records
    assert 'id="kept"' not in approver and 'id="follow"' not in approver and f"/review/{record}" not in approver


def test_a_person_has_a_page_with_recusals_and_visits(worked):  # noqa: F811
    house, person = worked, worked.browser("planner")
    number, reason = house.query("SELECT i.number, r.reason FROM recusal r JOIN inspector i ON i.id = r.inspector LIMIT 1")[0]
    assert reason in person.get(f"/inspectors/{number}").text
    busy, visit = house.query("SELECT i.number, v.code FROM assignment a JOIN inspector i ON i.id = a.inspector JOIN visit v ON v.id = a.visit LIMIT 1")[0]
    page = person.get(f"/inspectors/{busy}").text
    assert f"/visits/{visit}" in page and ("没有登记回避" in page) == (house.query("SELECT count(*) FROM recusal r JOIN inspector i ON i.id = r.inspector WHERE i.number = ?", busy)[0][0] == 0)
    assert person.get("/inspectors/nobody").status_code == 404 and worked.browser("other").get(f"/inspectors/{busy}").status_code == 404


def test_a_list_says_what_it_cannot_take_and_notes_who_took_people_away(worked):  # noqa: F811
    house, person = worked, worked.browser("planner")
    for query, said in (("after=x", "请回到第一页"), ("sort=nothing", "没有这个选项"), ("col=answers", "没有这样的列"), ("since=2026-13-01", "应是日期"), ("done=x", "应是整数"),
                        ("nonsense=1", "表单里没有这一栏"), ("export=csv", "没有这个选项"), ("slots=1", "表单里没有这一栏")):  # fmt: skip
        response = person.get(f"/lists/checks?{query}")
        assert response.status_code == 422 and said in response.text, query
    before = house.query("SELECT count(*) FROM audit WHERE act = 'lists.export'")[0][0]
    rows = sheet(person.get("/inspectors?" + urlencode([("q", "WX0001"), ("col", "number"), ("col", "name"), ("export", "xlsx")])))
    assert rows[0] == ("姓名", "工号") and [row[1] for row in rows[1:]] == ["WX0001"]
    after = house.query("SELECT actor, object, detail FROM audit WHERE act = 'lists.export' ORDER BY n")
    assert len(after) == before + 1 and after[-1][:2] == ("planner", "inspectors") and "WX0001" in after[-1][2]
    sheet(person.get("/directory?export=xlsx&q=望溪"))
    assert len(house.query("SELECT 1 FROM audit WHERE act = 'lists.export'")) == before + 1
    assert worked.browser("auditor").get("/inspectors?export=xlsx").status_code == 403 and worked.browser("inspector").get("/lists/checks?export=xlsx").status_code == 403


def test_names_like_formulas_stay_words_in_a_sheet_and_chosen_columns_stay_chosen(worked):  # noqa: F811
    person = worked.browser("planner")
    office_code = worked.query("SELECT code FROM entity ORDER BY code LIMIT 1")[0][0]
    name = worked.query("SELECT name FROM entity WHERE code = ?", office_code)[0][0]
    worked.query("UPDATE entity SET name = ? WHERE code = ?", "=1+1|cmd' /c calc", office_code)
    try:
        address = f"/directory?q={office_code}&col=name&col=address"
        rows = sheet(person.get(address + "&export=xlsx"))
        assert rows == [("名称", "地址"), ("=1+1|cmd' /c calc", rows[1][1])]
        import io
        import zipfile

        data = zipfile.ZipFile(io.BytesIO(person.get(address + "&export=xlsx").content)).read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in data and "=1+1" in data
        page = person.get(address).text
        assert body(page)[0][0] == "=1+1|cmd&#39; /c calc" and page.count(" checked> ") == 2 and "col=name&amp;col=address" in page
    finally:
        worked.query("UPDATE entity SET name = ? WHERE code = ?", name, office_code)


def test_a_waiting_job_is_called_off_and_one_that_runs_is_not(worked):  # noqa: F811
    publisher = worked.browser("publisher")

    async def two(act):
        async with engine.transaction():
            return [await jobs.save_job("release", key, {"login": "publisher"}, act.account, act.now) for key in "ab"]

    waiting, running = step(worked, "publisher", two)
    worked.query("UPDATE job SET state = 'running' WHERE id = ?", running)
    assert "取消这个任务" in publisher.get(f"/jobs/{waiting}").text and "取消这个任务" not in publisher.get(f"/jobs/{running}").text
    assert publisher.post(f"/jobs/{waiting}/cancel").status_code == 303 and "取消，没有执行" in publisher.get(f"/jobs/{waiting}").text
    refused = publisher.post(f"/jobs/{running}/cancel")
    assert refused.status_code == 409 and "不能取消" in refused.text
    assert worked.browser("other").post(f"/jobs/{waiting}/cancel").status_code == 404
