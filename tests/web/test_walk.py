"""The ten steps through the pages, each act by the person whose act it is."""

import re
from urllib.parse import quote

from portal.domain import forms
from portal.domain.model import Form
from portal.web.draw import value_of
from tests.web.bureau import OPEN_TASKS, PASSPHRASE, ROUND, SECTORS, lotteries


def state(house):
    return house.query("SELECT state FROM round WHERE code = ?", ROUND)[0][0]


def new_round(**changed):
    fields = {
        "title": "2026年第一批抽查", "disclosure": "open", "draw_at": "2026-06-03T22:00", "window_from": "2026-07-01", "window_to": "2026-07-31",
        "reveal_due": "", "rounding": "ceil", "minimum": "0", "reserve": "5",
    } | changed  # fmt: skip
    rows = [("kl8", "2026152", "2026-06-03T21:30"), ("ssq", "2026064", "2026-06-03T21:15"), ("", "", "")]
    pairs = list(fields.items()) + [("task", task) for task in OPEN_TASKS]
    for row in rows:
        pairs += list(zip(("source_kind", "source_issue", "source_at"), row, strict=True))
    for row in (("信用监督管理科", "planner"), ("派驻纪检监察组", "supervisor"), ("", "")):
        pairs += list(zip(("holder", "login"), row, strict=True))
    return pairs


def test_a_round_goes_from_the_plan_to_assigned_visits(house_at):
    house = house_at("start")
    planner, approver, supervisor = (house.browser(login) for login in ("planner", "approver", "supervisor"))
    assert "没有可以放进轮次的任务" in planner.get("/draw/new").text
    for task in OPEN_TASKS:
        assert planner.post(f"/pool/{task}/freeze", {"strata": "none"}).headers["location"] == f"/pool?frozen={task}"
    page = planner.get(f"/pool?frozen={task}").text
    assert "名录已冻结" in page and "可重新冻结" not in page and page.count(">已冻结</span>") == 2
    tried = planner.post("/draw/new", [pair for pair in new_round() if pair[0] != "title"] + [("title", ""), ("trial", "1")])
    assert tried.status_code == 200 and "2 项任务共抽" in tried.text and house.query("SELECT count(*) FROM round") == [(0,)]
    house.clock.forward(days=91)  # the first of June
    planner.login("planner")
    assert OPEN_TASKS[0] in planner.get("/draw/new").text
    assert planner.post("/draw/new", new_round()).headers["location"] == f"/draw/{ROUND}?said=created"

    # everybody's own secret, shown once
    approver.login("approver")
    page = approver.get(f"/draw/{ROUND}").text
    assert "信用监督管理科生成密值" in page and "公布本轮承诺" not in page
    secrets = []
    for person, login in ((planner, "planner"), (supervisor, "supervisor")):
        person.login(login)
        made = person.post(f"/draw/{ROUND}/share", {"passphrase": PASSPHRASE, "again": PASSPHRASE})
        assert made.status_code == 200 and made.headers["cache-control"] == "no-store"
        secret = "".join(re.findall(r"<span>([0-9a-f]{8})</span>", made.text))
        assert len(secret) == 64
        shares = house.query("SELECT sealed, released FROM share")
        assert shares and not any(bytes.fromhex(secret) in bytes(value) or secret.encode() in bytes(value) for row in shares for value in row)
        secrets.append(secret)
        again = person.post(f"/draw/{ROUND}/share", {"passphrase": PASSPHRASE, "again": PASSPHRASE})
        assert again.status_code == 409 and "不能再换" in again.text
    assert secrets[0] != secrets[1]

    # committed by another than the drafter
    assert planner.post(f"/draw/{ROUND}/commit").status_code == 403
    assert "公布本轮承诺" in approver.get(f"/draw/{ROUND}").text
    assert approver.post(f"/draw/{ROUND}/commit").status_code == 303 and state(house) == "committed"
    assert "正在发布" in approver.get(f"/draw/{ROUND}").text

    # nothing before its time
    assert "已开奖，待录入" not in planner.get(f"/draw/{ROUND}").text
    early = planner.post(f"/draw/{ROUND}/source", {"n": "0", "value": "1 2 3"})
    assert early.status_code == 422 and "读到 3 个号码" in early.text
    early = planner.post(f"/draw/{ROUND}/source", {"n": "0", "value": lotteries()[0][1]})
    assert early.status_code == 409 and "现在不能录入号码" in early.text
    house.query("UPDATE round SET published_at = committed_at")  # what the release does
    house.clock.forward(days=3)
    for person, login in ((planner, "planner"), (supervisor, "supervisor"), (approver, "approver")):
        person.login(login)
    for n, (_, value) in enumerate(lotteries()):
        typed = value.replace(".", " ").replace("/", " ").strip()
        assert planner.post(f"/draw/{ROUND}/source", {"n": str(n), "value": typed}).status_code == 303
    wrong = planner.post(f"/draw/{ROUND}/release", {"passphrase": "not the passphrase"})
    assert wrong.status_code == 422 and "口令不对" in wrong.text
    assert "抽取 2 项任务" not in planner.get(f"/draw/{ROUND}").text
    for person in (planner, supervisor):
        assert person.post(f"/draw/{ROUND}/release", {"passphrase": PASSPHRASE}).status_code == 303

    # drawn once, whoever presses how often
    assert approver.post(f"/draw/{ROUND}/draw").status_code == 403
    assert "抽取 2 项任务" in planner.get(f"/draw/{ROUND}").text
    for _ in range(2):
        assert planner.post(f"/draw/{ROUND}/draw").status_code == 303
    assert state(house) == "drawn" and house.query("SELECT count(*) FROM audit WHERE act = 'round.draw'") == [(1,)]
    page = planner.get(f"/draw/{ROUND}").text
    assert re.search(r"合并 \d+ 户次入企", page) 
    assert planner.post(f"/draw/{ROUND}/assign").status_code == 409
    for act in ("combine", "assign"):
        for _ in range(2):
            assert planner.post(f"/draw/{ROUND}/{act}").status_code == 303
    assert house.query("SELECT count(*) FROM matching") == [(1,)]
    page = planner.get(f"/draw/{ROUND}").text
    assert "实际入企" in page and "名额" in page
    reveal = approver.post(f"/draw/{ROUND}/reveal")
    assert reveal.status_code == 409 and "等于公布明天查谁" in reveal.text
    house.clock.forward(days=60)
    approver.login("approver")
    assert approver.post(f"/draw/{ROUND}/reveal").headers["location"] == f"/draw/{ROUND}?said=revealed#draw"


def test_a_round_is_voided_by_two_people(house_at):
    house = house_at("frozen")
    planner, approver = house.browser("planner"), house.browser("approver")
    assert planner.post(f"/draw/{ROUND}/void", {"reason": "任务选错"}).headers["location"] == f"/draw/{ROUND}?said=proposed"
    alone = planner.post(f"/draw/{ROUND}/void", {"reason": "任务选错"})
    assert alone.status_code == 403 and state(house) == "draft"
    assert "批准作废本轮" in approver.get(f"/draw/{ROUND}").text
    assert approver.post(f"/draw/{ROUND}/void", {"reason": "任务选错"}).headers["location"] == f"/draw/{ROUND}?said=void"
    assert "可重新冻结" in planner.get("/pool").text and f"/pool/{OPEN_TASKS[0]}/freeze" in planner.get("/pool").text
    assert state(house) == "void" and "本轮已作废" in approver.get(f"/draw/{ROUND}").text


def test_a_refused_draft_of_a_round_keeps_what_was_typed(house_at):
    house = house_at("start")
    planner = house.browser("planner")
    for task in OPEN_TASKS:
        planner.post(f"/pool/{task}/freeze", {"strata": "none"})
    pairs = [pair for pair in new_round(title="留住这个名称") if pair != ("login", "supervisor")] + [("login", "")]
    response = planner.post("/draw/new", pairs)
    assert response.status_code == 422 and "留住这个名称" in response.text and "持有方和账号要同时填写" in response.text
    response = planner.post("/draw/new", new_round(window_to=""))
    assert response.status_code == 422 and "起止要同时填写" in response.text
    assert house.query("SELECT count(*) FROM round") == [(0,)]


def test_numbers_are_read_as_people_copy_them():
    ssq = [[6, 1, 33], [1, 1, 16]]
    for typed in ("08 01 20 13 33 27 + 07", "1,8,13,20,27,33|7", "1.8.13.20.27.33./7./"):
        assert value_of(typed, ssq) == "1.8.13.20.27.33./7./"
    assert value_of("-", ssq) == "-"


# Records ------------------------------------------------------------------------------


def my_visit(house):
    (who,) = house.query("SELECT inspector FROM account WHERE login = 'inspector'")[0]
    return house.query("SELECT v.code FROM visit v JOIN assignment a ON a.visit = v.id WHERE a.inspector = ? AND v.state = 'open'", who)[0][0]


def filled(form: Form, today) -> list[tuple[str, str]]:
    """The fewest answers the form accepts with everything 合格."""
    answers: dict = {}
    while True:
        open_points = [p.field for p in forms.check_answers(form, forms.clean_answers(form, answers, today), today)]
        field = next((f for f in form.fields() if f.name in open_points and f.name not in answers), None)
        if field is None:
            break
        text = {"verdict": "yes", "date": "2026-06-01", "time": "09:00", "integer": "1", "decimal": "1", "location": "24.8,118.5", "photo": "IMG_1", "file": "F-1", "signature": "S-1"}
        answers[field.name] = field.choices[0].value if field.choices else text.get(field.type, "样例")
        if field.type == "select_multiple":
            answers[field.name] = [answers[field.name]]
    return [(name, value) for name, given in answers.items() for value in (given if isinstance(given, list) else [given])]


def test_an_inspector_fills_a_visit_a_reviewer_returns_and_approves_a_publisher_publishes(house_at):
    house = house_at("drawn")
    house.clock.forward(days=29)  # the third of July
    inspector = house.browser("inspector")
    code = my_visit(house)
    visit = f"/visits/{quote(code)}"
    assert "我的入企" in inspector.get("/").text
    page = inspector.get(visit)
    assert page.status_code == 200 and "登记到场" in page.text
    assert inspector.post(f"{visit}/arrive", {"at": "now"}).status_code == 422
    assert inspector.post(f"{visit}/arrive", {"entry_code": "RQ-2026-0007"}).status_code == 303
    arrived = inspector.get(f"{visit}?said=arrived").text
    assert "已登记到场" in arrived and "RQ-2026-0007" in arrived
    codes = re.findall(rf'href="{re.escape(visit)}/([a-z_]+\.[a-z_]+)"', page.text)
    assert len(codes) >= 2
    assert "各表共用 7 个问题，已填 0 个" in page.text
    for n, form_code in enumerate(codes):
        form = SECTORS.form(form_code)
        address = f"{visit}/{form_code}"
        page = inspector.get(address).text
        checked = re.findall(r'type="radio" name="([a-z_]+)"[^>]* checked', page)
        assert checked == (["presence"] if n else []) and "系统不预填" in page  # what the first form was told stands in the next
        assert ("本次入企已填，见《" in page) == bool(n)
        items = re.findall(r'name="(_outcome\.[^"]+)"', page)
        assert 'name="_opinion"' not in page and page.count('name="opinion"') == 1
        there = {"presence": "open"} | ({"methods": "site"} if any(field.name == "methods" for field in form.fields()) else {})  # who is there says something
        empty = inspector.post(address, {"_version": "0", "_act": "submit", "_method": "", "opinion": "先写在这里"})
        assert empty.status_code == 422 and "先写在这里" in empty.text and "请选择检查方式" in empty.text
        draft = inspector.post(address, {"_version": "0", "_act": "draft", "_method": "", "opinion": "草稿", **there}, headers={"HX-Request": "true"})
        assert draft.status_code == 200 and 'name="_version" value="1"' in draft.text
        stale = inspector.post(address, {"_version": "0", "_act": "draft", "_method": "", "opinion": "别人的页面", **there})
        assert stale.status_code == 409 and "别人改动过" in stale.text and "别人的页面</textarea>" in stale.text
        assert "两边都改了" in stale.text and '已保存的：<span class="lines-kept">草稿</span>' in stale.text and 'name="_version" value="1"' in stale.text
        unknown = inspector.post(address, {"_version": "1", "_act": "draft", "_state": "approved"})
        assert unknown.status_code == 422
        unknown = inspector.post(address, {"_version": "1", "_act": "draft", "no_such_point": "x"})
        assert unknown.status_code == 422 and "表单里没有这一项" in unknown.text
        answers = filled(form, house.clock().date())
        sent = [("_version", "1"), ("_act", "submit"), ("_method", "实地核查"), ("opinion", "无异议")] + [(item, "none") for item in items] + answers
        done = inspector.post(address, sent)
        assert done.status_code == 303, done.text[done.text.find("problems") :][:800]
        locked = inspector.post(address, [("_version", "2"), *sent[1:]])
        assert locked.status_code == 409
    assert house.query("SELECT state FROM visit WHERE code = ?", code) == [("done",)]
    assert {one for (one,) in house.query("SELECT opinion FROM record")} >= {"无异议"}
    page = inspector.get(visit).text
    assert "各表共用 7 个问题，已填 4 个" in page and "，已提交" in page

    # review: never one's own, with a comment when returned
    reviewer = house.browser("reviewer")
    record = house.query("SELECT id FROM record WHERE state = 'submitted' LIMIT 1")[0][0]
    assert inspector.post(f"/review/{record}", {"decision": "approve", "comment": "", "version": "2"}).status_code == 403
    assert 'name="decision"' not in inspector.get(f"/review/{record}").text
    page = reviewer.get(f"/review/{record}").text
    assert 'name="decision"' in page and not re.search(r'name="decision"[^>]* checked', page)
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    silent = reviewer.post(f"/review/{record}", {"decision": "return", "comment": "", "version": version})
    assert silent.status_code == 422 and "退回记录要写明意见" in silent.text
    assert reviewer.post(f"/review/{record}", {"decision": "return", "comment": "请补照片", "version": version}).status_code == 303
    assert "请补照片" in inspector.get("/forms").text and "退回待改" in inspector.get("/").text
    form_code = house.query("SELECT form_code FROM record WHERE id = ?", record)[0][0]
    form = SECTORS.form(form_code)
    page = inspector.get(f"{visit}/{form_code}").text
    assert "审核退回" in page
    version = re.search(r'name="_version" value="(\d+)"', page)[1]
    again = [("_version", version), ("_act", "submit"), ("_method", "书面检查"), ("opinion", "")]
    again += [(item, "none") for item in re.findall(r'name="(_outcome\.[^"]+)"', page)] + filled(form, house.clock().date())
    assert inspector.post(f"{visit}/{form_code}", again).status_code == 303
    for (one,) in house.query("SELECT id FROM record WHERE state = 'submitted'"):
        version = re.search(r'name="version" value="(\d+)"', reviewer.get(f"/review/{one}").text)[1]
        assert reviewer.post(f"/review/{one}", {"decision": "approve", "comment": "", "version": version}).status_code == 303
    assert {row[0] for row in house.query("SELECT state FROM record")} == {"approved"}

    # publishing is queued once, and its job shows itself
    publisher = house.browser("publisher")
    assert "公示 1 户" in publisher.get("/publish").text
    job = publisher.post("/publish").headers["location"]
    assert publisher.post("/publish").headers["location"] == job
    page = publisher.get(job).text
    assert "排队中" in page and '<meta http-equiv="refresh"' in page and "hx-get" in page
    part = publisher.get(job, headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="job"') and "<html" not in part


def test_somebody_elses_visit_can_be_read_and_not_filled(house_at):
    house = house_at("drawn")
    inspector = house.browser("inspector")
    (who,) = house.query("SELECT inspector FROM account WHERE login = 'inspector'")[0]
    (code,) = house.query(
        "SELECT code FROM visit WHERE id NOT IN (SELECT visit FROM assignment WHERE inspector = ?) LIMIT 1", who
    )[0]
    page = inspector.get(f"/visits/{quote(code)}")
    assert page.status_code == 200 and "只有派到这次入企的执法人员能录入" in page.text
    assert inspector.post(f"/visits/{quote(code)}/arrive").status_code == 403
    form = re.search(rf'href="/visits/{re.escape(quote(code))}/([a-z_.]+)"', page.text)[1]
    assert 'name="_act"' not in inspector.get(f"/visits/{quote(code)}/{form}").text
    assert inspector.post(f"/visits/{quote(code)}/{form}", {"_version": "0", "_act": "draft"}).status_code == 403
    assert house.query("SELECT count(*) FROM record") == [(0,)]


def test_a_filtered_list_and_its_fragment_show_the_same_rows_in_pages(house_at):
    person = house_at("start").browser("planner")
    page = person.get("/directory?status=存续").text
    part = person.get("/directory?status=存续", headers={"HX-Request": "true"}).text
    rows = re.findall(r'href="/directory/([0-9A-Z%]+)"', page)
    assert len(rows) == 50 and rows == re.findall(r'href="/directory/([0-9A-Z%]+)"', part) and "<html" not in part
    second = re.search(r'class="btn" href="([^"]+after=[^"]+)"', page)[1].replace("&amp;", "&")
    more = re.findall(r'href="/directory/([0-9A-Z%]+)"', person.get(second).text)
    assert more and not set(rows) & set(more) and max(rows) < min(more)
    assert "没有符合条件的检查对象" in person.get("/directory?q=没有这家").text
