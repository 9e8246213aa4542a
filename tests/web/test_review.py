"""A record under review: comments at its points, what changed between two submissions, the typed words of a refused decision."""

import json


def test_a_record_goes_back_with_a_comment_at_a_point_and_both_submissions_stand_side_by_side(house_at):
    house = house_at("worked")
    number, version, code, form, answers, entered_by = house.query(
        "SELECT r.id, r.version, v.code, r.form_code, r.answers, r.entered_by FROM record r JOIN visit v ON v.id = r.visit WHERE r.state = 'submitted'")[0]
    point = next(name for name, answer in json.loads(answers).items() if answer in ("yes", "no", "na"))
    reviewer = house.browser("reviewer")
    address = f"/review/{number}"
    page = reviewer.get(address).text
    assert f'name="remark.{point}"' in page and "两次提交的差别" not in page
    assert 'name="remark.' not in house.browser("planner").get(address).text
    decision = {"decision": "return", "comment": "请补充", f"remark.{point}": "看不出是哪一项", "version": str(version)}
    wrong = reviewer.post(address, decision | {"remark.nonsense": "x"})
    assert wrong.status_code == 422 and "看不出是哪一项</textarea>" in wrong.text and "请补充</textarea>" in wrong.text
    approving = reviewer.post(address, decision | {"decision": "approve"})
    assert approving.status_code == 422 and "通过的记录请删去逐项意见" in approving.text
    assert reviewer.post(address, decision | {f"remark.{point}": "长" * 201}).status_code == 422
    assert reviewer.post(address, decision).status_code == 303

    form_page = house.browser("planner").get(f"/visits/{code}/{form}").text
    assert "审核意见：" in form_page and "看不出是哪一项" in form_page and f'href="#f-{point}"' in form_page
    changed = json.loads(answers) | {"note": "补充了照片"}
    for n, given in ((90, json.loads(answers)), (91, changed)):
        data = json.dumps({"answers": given, "outcomes": {}, "method": "实地核查", "opinion": "", "state": "submitted"})
        house.query("INSERT INTO record_version (record, n, data, \"by\", at) VALUES (?, ?, ?, ?, '2026-08-03 10:00:00+00:00')",
                    number, n, data, entered_by)  # fmt: skip
    page = reviewer.get(address).text
    assert "两次提交的差别" in page and "补充了照片</ins>" in page and "看不出是哪一项" in page
    assert "两次提交的内容一样" in reviewer.get(f"{address}?old=91&new=91").text
