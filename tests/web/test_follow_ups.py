"""The page of follow-ups: what reviews confirmed is closed with a day and how it was settled."""

import re

from tests.web.bureau import FOLLOW_UP


def test_a_follow_up_is_closed_from_its_page_and_refused_words_stay(house_at):
    house = house_at("worked")
    number = house.query("SELECT id FROM follow_up WHERE note = ?", FOLLOW_UP)[0][0]
    reviewer = house.browser("reviewer")
    page = reviewer.get("/follow-ups").text
    assert f'action="/follow-ups/{number}/close"' in page and "逾期" in page
    assert f'action="/follow-ups/{number}/close"' not in house.browser("planner").get("/follow-ups").text
    wrong = reviewer.post(f"/follow-ups/{number}/close", {"on": "2031-01-01", "result": "已改正"})
    assert wrong.status_code == 422 and "到今天之间" in wrong.text
    assert reviewer.post(f"/follow-ups/{number}/close", {"on": "2026-08-02", "result": "已改正", "extra": "1"}).status_code == 422
    assert house.browser("other").post(f"/follow-ups/{number}/close", {"on": "2026-08-02", "result": "已改正"}).status_code in (403, 404)
    done = reviewer.post(f"/follow-ups/{number}/close", {"on": "2026-08-02", "result": "8月2日复查\n已改正"})
    assert done.status_code == 303 and "已办结" in reviewer.get(done.headers["location"]).text
    closed = reviewer.get("/follow-ups?state=closed").text
    assert "8月2日复查" in closed and re.search(r"2026年8月2日|8月2日", closed)
    again = reviewer.post(f"/follow-ups/{number}/close", {"on": "2026-08-02", "result": "已改正"})
    assert again.status_code == 409 and "已经办结" in again.text
