"""The pages of what is public: a publisher withdraws, limits and corrects; others who may look only look."""

from portal.steps import publish
from tests.web.test_year import step


def published(house) -> int:
    """All that is approved published; the number of a live result."""
    assert step(house, "publisher", publish.publish_all)["results"] > 0
    return house.query("SELECT id FROM publication WHERE kind = 'result' AND state = 'live' ORDER BY id")[0][0]


def test_a_result_is_limited_corrected_and_withdrawn_from_its_page_and_refusals_say_why(house_at):
    house = house_at("worked")
    number = published(house)
    publisher, planner = house.browser("publisher"), house.browser("planner")
    place = f"/publications/{number}"
    assert f'href="{place}"' in publisher.get("/publications").text and "没有符合条件" in publisher.get("/publications?q=没有这一家").text
    page = publisher.get(place).text
    assert all(f'action="{place}/{act}"' in page for act in ("withdraw", "limit", "correct"))
    assert f'action="{place}/withdraw"' not in planner.get(place).text
    assert planner.post(f"{place}/withdraw", {"reason": "x"}).status_code == 403
    assert house.browser("other").get(place).status_code in (403, 404) and publisher.get("/publications/999999").status_code == 404

    wrong = publisher.post(f"{place}/limit", {"until": "2020-01-01", "reason": "满三个月"})
    assert wrong.status_code == 422 and "已经过去" in wrong.text
    assert publisher.post(f"{place}/limit", {"until": "2029-08-01", "reason": "满三年"}).status_code == 303
    assert "<time datetime=\"2029-08-02\">" in publisher.get("/publications").text
    wrong = publisher.post(f"{place}/correct", {"place": "town", "new": " ", "shown": "old", "reason": "有误"})
    assert wrong.status_code == 422
    assert publisher.post(f"{place}/correct", {"place": "town", "new": "别的镇", "shown": "maybe", "reason": "有误"}).status_code == 422
    done = publisher.post(f"{place}/correct", {"place": "town", "new": "别的镇<b>", "shown": "old", "reason": "门牌有误"})
    assert done.status_code == 303 and "已更正" in publisher.get(done.headers["location"]).text
    assert "旧版本" in publisher.get(place).text and "<ins>别的镇&lt;b&gt;</ins>" in publisher.get(place).text
    live = house.query("SELECT id FROM publication WHERE kind = 'result' AND state = 'live' AND key = (SELECT key FROM publication WHERE id = ?)", number)[0][0]
    done = publisher.post(f"/publications/{live}/withdraw", {"reason": "原决定已撤销"})
    assert done.status_code == 303 and "已撤回" in publisher.get(done.headers["location"]).text
    again = publisher.post(f"/publications/{live}/withdraw", {"reason": "又一次"})
    assert again.status_code == 409 and "可能已经撤回" in again.text
    assert "已撤回" in publisher.get(f"/publications/{live}").text
    assert house.query("SELECT count(*) FROM job WHERE kind = 'release' AND state = 'queued'")[0][0] == 1
