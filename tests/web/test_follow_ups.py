"""The pages of follow-ups: the list, one with its history, the steps it can take; refused words stay."""

import re

from tests.web.bureau import FOLLOW_UP


def test_a_follow_up_goes_from_its_order_over_a_recheck_to_the_next_one(house_at):
    house = house_at("worked")
    number = house.query("SELECT id FROM follow_up WHERE note = ?", FOLLOW_UP)[0][0]
    reviewer = house.browser("reviewer")
    assert f'href="/follow-ups/{number}"' in reviewer.get("/").text, "late: on the front page"
    assert f'href="/follow-ups/{number}"' in reviewer.get("/follow-ups").text
    address = f"/follow-ups/{number}"
    page = reviewer.get(address).text
    assert "逾期" in page and all(f'action="{address}/{step}"' in page for step in ("issue", "answer", "recheck", "extend", "close"))
    planner = house.browser("planner").get(address)
    assert planner.status_code == 200 and "/close" not in planner.text
    assert house.browser("other").get(address).status_code == 404
    assert house.browser("other").post(f"{address}/issue", {"on": "2026-08-02", "seen": "0"}).status_code in (403, 404)

    wrong = reviewer.post(f"{address}/issue", {"on": "2031-01-01", "note": "已送达本人", "seen": "0"})
    assert wrong.status_code == 422 and "到今天之间" in wrong.text and "已送达本人</textarea>" in wrong.text
    assert reviewer.post(f"{address}/issue", {"on": "2026-08-02", "note": "", "seen": "0", "extra": "1"}).status_code == 422
    sent = reviewer.post(f"{address}/issue", {"on": "2026-08-02", "note": "送达本人", "seen": "0"})
    assert sent.status_code == 303 and "责令改正通知书送达" in reviewer.get(sent.headers["location"]).text
    again = reviewer.post(f"{address}/extend", {"days": "5", "reason": "装修", "seen": "0"})
    assert again.status_code == 409 and "别人刚刚办理了" in again.text and "装修</textarea>" in again.text
    longer = reviewer.post(f"{address}/extend", {"days": "5", "reason": "装修", "seen": "1"})
    assert longer.status_code == 303 and "期限 7月27日" in reviewer.get(address).text

    made = reviewer.post(f"{address}/recheck", {"days": "3", "note": "看门口", "seen": "2"})
    recheck = re.fullmatch(r"(/follow-ups/\d+)\?said=recheck", made.headers["location"])[1]
    close = {"on": "2026-08-03", "ending": "uncorrected", "result": "8月3日复查\n未改正", "seen": "0"}
    open_end = reviewer.post(f"{recheck}/close", close)
    assert open_end.status_code == 422 and "请选择下一项处置" in open_end.text and 'value="uncorrected" required checked' in open_end.text
    then = reviewer.post(f"{recheck}/close", close | {"then": "case", "days": "5", "note": "移送执法大队"})
    assert then.status_code == 303 and then.headers["location"].endswith("said=next")
    following = reviewer.get(then.headers["location"]).text
    assert "案件线索移送办案机构" in following and "移送执法大队" in following and "8月10日以前办结" in following
    needs = reviewer.post(then.headers["location"].replace("?said=next", "/issue"), {"on": "2026-08-03", "note": "", "seen": "0"})
    assert needs.status_code == 422 and "哪个单位" in needs.text
    closed = reviewer.get("/follow-ups?state=closed").text
    assert closed.count("未改正") >= 2 and "8月3日复查" in closed
    assert reviewer.post(f"{address}/close", close | {"ending": "corrected", "result": "已改正"}).status_code == 409
