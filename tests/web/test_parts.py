"""A visit split on its page, and its documents: numbered by a button, the same bytes at each download, voided by somebody else."""

import html
import re
from urllib.parse import quote

from tests.web.bureau import ROUND


def both(house) -> str:
    """The code of a visit that two tasks share."""
    return house.query("SELECT v.code FROM visit v JOIN visit_task t ON t.visit = v.id GROUP BY v.code HAVING count(*) > 1 ORDER BY v.code LIMIT 1")[0][0]


def words_of(page) -> str:
    return re.sub(r"\s+", "", html.unescape(re.sub(r"<[^>]+>", "", page.text)))


def test_a_visit_is_looked_at_then_split_and_both_pages_say_why(house_at):
    house = house_at("drawn")
    planner, code = house.browser("planner"), both(house)
    address = f"/visits/{quote(code)}"
    assert f'{address}/split"' in planner.get(address).text
    tasks = re.findall(r'name="task" value="([^"]+)"', planner.get(f"{address}/split").text)
    query = f"task={tasks[1]}&on=2026-07-20"
    seen = planner.get(f"{address}/split?{query}")
    assert "分开以后" in seen.text and "分出 1 项任务，另行入企" in seen.text and "7月20日" in words_of(seen)
    assert "不能全部分出去" in planner.post(f"{address}/split", [("task", one) for one in tasks] + [("on", "2026-07-20"), ("reason", "改日")]).text
    given = {"task": tasks[1], "on": "2026-07-20", "reason": ""}
    refused = planner.post(f"{address}/split", given)
    assert refused.status_code == 422 and "请写明分开的原因" in refused.text and 'value="2026-07-20"' in refused.text
    given["reason"] = "检验人员<b>不能到场"
    done = planner.post(f"{address}/split", given)
    assert done.status_code == 303 and done.headers["location"] == f"{address}-2"
    assert planner.post(f"{address}/split", given).headers["location"] == f"{address}-2", "a double click is one split"
    assert house.query("SELECT count(*) FROM visit WHERE part = 2") == [(1,)]
    for page in (planner.get(address), planner.get(f"{address}-2")):
        assert "检验人员<b>不能到场" in words_of(page) and f"{code}-2" in page.text and f'{address}/split"' not in page.text
    assert "分开进行的1次" in words_of(planner.get(f"/draw/{ROUND}"))
    assert house.browser("reviewer").get(f"{address}-2/split").status_code == 403


def test_a_notice_gets_its_number_by_a_button_and_is_the_same_at_each_download(house_at, printing):
    house = house_at("drawn")
    printing(house)
    planner, code = house.browser("planner"), both(house)
    address = f"/visits/{quote(code)}/documents"
    assert "本次入企还没有编号的文书" in planner.get(address).text
    for _ in range(2):  # a double click
        assert planner.post(address, {"kind": "notice", "subject": code}).status_code == 303
    assert house.query("SELECT number FROM document") == [("望市监检通〔2026〕1号",)]
    page = planner.get(f"{address}?said=issued").text
    assert "望市监检通〔2026〕1号" in page and "已编号" in page and "作废这份文书" not in page, "who issued it does not void it"
    first, again = planner.get("/documents/1/file.pdf"), house.browser("supervisor").get("/documents/1/file.pdf")
    assert first.status_code == 200 and first.content[:5] == b"%PDF-" and first.content == again.content
    assert quote("望市监检通〔2026〕1号") in first.headers["content-disposition"]
    assert planner.post("/documents/1/void", {"reason": "有误"}).status_code == 403
    other = house.browser("other")
    assert (other.get("/documents/1/file.pdf").status_code, other.post("/documents/1/void", {"reason": "有误"}).status_code) == (404, 404)
    house.query("UPDATE account SET roles = '[\"planner\"]' WHERE login = 'reviewer'")
    second = house.browser("reviewer")
    assert "作废这份文书" in second.get(address).text and "请写明作废的原因" in second.post("/documents/1/void", {"reason": ""}).text
    assert second.post("/documents/1/void", {"reason": "日期有误"}).status_code == 303
    assert "已作废" in words_of(planner.get(address)) and "日期有误" in planner.get(address).text
    assert "%E5%B7%B2%E4%BD%9C%E5%BA%9F" in planner.get("/documents/1/file.pdf").headers["content-disposition"]
