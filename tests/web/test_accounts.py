"""三员 on their pages: one makes, another lets in, a third reads; nobody does it alone or for themselves."""

import re

import pytest

from tests.web.bureau import PASSWORD

NEW = {"login": "zhang.san", "name": "张三", "organisation": "359921-S01", "inspector": "", "reason": "新录用，要计划员"}


def number_of(house, login):
    return house.query("SELECT id FROM account WHERE login = ?", login)[0][0]


def page_of(person, house, login):
    return person.get(f"/accounts/{number_of(house, login)}")


def post(person, house, login, what, **fields):
    page_of(person, house, login)
    return person.post(f"/accounts/{number_of(house, login)}/{what}", fields)


def version_of(house, login):
    return str(house.query("SELECT version FROM account WHERE login = ?", login)[0][0])


@pytest.fixture
def office(house_at):
    house = house_at()
    return house, house.browser("sysadmin"), house.browser("secadmin")


def test_a_new_account_opens_when_a_second_administrator_gives_it_roles(office):
    house, system, security = office
    system.get("/accounts/new")
    led = system.post("/accounts/new", NEW)
    assert led.status_code == 303
    shown = system.get(led.headers["location"])
    password = re.search(r'class="secret"><span>([^<]+)<', shown.text)[1]
    assert password not in system.get(led.headers["location"]).text, "shown once"
    assert all(password not in row[0] for row in house.query("SELECT password || '' FROM account"))
    somebody = house.browser()
    assert somebody.post("/login", {"login": "zhang.san", "password": password}, token=False).status_code == 422
    assert "新建账号：张三" in security.get("/accounts").text and "待批准的账号申请 1 件" in security.get("/").text
    (change,) = house.query("SELECT id FROM account_change")[0]
    page_of(security, house, "zhang.san")
    refused = security.post(f"/accounts/changes/{change}", [("decision", "approve"), ("roles", "planner"), ("roles", "approver"), ("answer", "")])
    assert refused.status_code == 422 and "计划员不能兼任复核人" in refused.text
    assert security.post(f"/accounts/changes/{change}", [("decision", "approve"), ("roles", "planner"), ("answer", "")]).status_code == 303
    assert somebody.post("/login", {"login": "zhang.san", "password": password}, token=False).headers["location"] == "/password"
    acts = [row[0] for row in house.query("SELECT act FROM audit WHERE object = 'account/zhang.san' ORDER BY n")]
    assert acts == ["accounts.create", "accounts.decide", "session.open"]


def test_an_inspectors_account_is_made_by_the_number_of_the_roster(office):
    house, system, _ = office
    (one, name), (other, _) = house.query("SELECT number, name FROM inspector ORDER BY id LIMIT 2")
    system.get("/accounts/new")
    nobody = system.post("/accounts/new", NEW | {"inspector": "GH-9999"})
    assert nobody.status_code == 422 and "没有工号“GH-9999”" in nobody.text
    assert name in system.get(system.post("/accounts/new", NEW | {"inspector": one}).headers["location"]).text
    assert house.query("SELECT i.number FROM account a JOIN inspector i ON i.id = a.inspector WHERE a.login = 'zhang.san'") == [(one,)]
    house.query("UPDATE inspector SET number = ? WHERE number = ?", one, other)
    code = house.query("SELECT code FROM inspector WHERE number = ? ORDER BY code", one)[0][0]
    both = system.post("/accounts/new", NEW | {"login": "li.si", "inspector": one})
    assert both.status_code == 422 and "有 2 名执法人员的工号是" in both.text and code in both.text
    assert system.post("/accounts/new", NEW | {"login": "li.si", "inspector": code}).status_code == 303


def test_nobody_decides_about_the_own_account_or_proposal(office):
    house, system, security = office
    # a security administrator who was a system administrator when proposing
    assert post(system, house, "secadmin", "reset", reason="忘了").status_code == 303
    (change,) = house.query("SELECT id FROM account_change")[0]
    refused = security.post(f"/accounts/changes/{change}", {"decision": "approve", "answer": ""})
    assert refused.status_code == 403 and "不能给自己授权或批准自己的账号" in refused.text
    house.query("UPDATE account SET roles = '[\"secadmin\"]' WHERE login = 'sysadmin'")
    system.get("/accounts")
    refused = system.post(f"/accounts/changes/{change}", {"decision": "approve", "answer": ""})
    assert refused.status_code == 403 and "这是您自己提出的" in refused.text
    assert "不能给自己授权" in post(security, house, "secadmin", "roles", roles="planner", reason="x", version="1").text
    assert house.query("SELECT state FROM account_change") == [("proposed",)]


def test_the_last_administrator_of_a_kind_stays(office):
    house, system, security = office
    for login, kind in (("secadmin", "安全管理员"), ("auditor", "审计员")):
        refused = post(system, house, login, "disable", reason="调离")
        assert refused.status_code == 409 and f"本单位最后一位{kind}" in refused.text
    refused = post(security, house, "sysadmin", "roles", roles="planner", reason="转岗", version="1")
    assert refused.status_code == 409 and "最后一位系统管理员" in refused.text
    assert "不能停用自己的账号" in post(system, house, "sysadmin", "disable", reason="x").text
    assert house.query("SELECT count(*) FROM account WHERE active = ?", True) == house.query("SELECT count(*) FROM account")


def test_disabling_and_other_roles_end_the_sessions(office):
    house, system, security = office
    planner, reviewer = house.browser("planner"), house.browser("reviewer")
    assert post(system, house, "planner", "disable", reason="调离").status_code == 303
    assert planner.get("/draw").status_code == 303
    assert house.browser().post("/login", {"login": "planner", "password": PASSWORD}, token=False).status_code == 422
    assert post(security, house, "reviewer", "roles", roles="publisher", reason="转岗", version="1").status_code == 303
    assert reviewer.get("/review").headers["location"].startswith("/login")
    assert house.browser("reviewer").get("/publish").status_code == 200


def test_a_disabled_account_comes_back_with_a_second_persons_yes_or_not_at_all(office):
    house, system, security = office
    post(system, house, "planner", "disable", reason="调离")
    assert post(system, house, "planner", "enable", reason="回来了").status_code == 303
    assert "已经申请过" in post(system, house, "planner", "enable", reason="回来了").text
    (change,) = house.query("SELECT id FROM account_change")[0]
    assert "写明理由" in security.post(f"/accounts/changes/{change}", {"decision": "refuse", "answer": ""}).text
    assert security.post(f"/accounts/changes/{change}", {"decision": "refuse", "answer": "没有调令"}).status_code == 303
    assert house.query("SELECT active FROM account WHERE login = 'planner'")[0][0] in (0, False)
    assert "没有调令" in page_of(system, house, "planner").text


def test_resetting_a_password_ends_the_old_one_at_once_but_an_administrators_waits(office):
    house, system, security = office
    planner = house.browser("planner")
    assert post(system, house, "planner", "reset", reason="忘了").status_code == 303
    password = re.search(r'class="secret"><span>([^<]+)<', page_of(system, house, "planner").text)[1]
    assert planner.get("/").status_code == 303
    assert house.browser().post("/login", {"login": "planner", "password": password}, token=False).headers["location"] == "/password"
    assert post(system, house, "auditor", "reset", reason="忘了").status_code == 303
    password = re.search(r'class="secret"><span>([^<]+)<', page_of(system, house, "auditor").text)[1]
    somebody = house.browser()
    assert somebody.post("/login", {"login": "auditor", "password": password}, token=False).status_code == 422
    (change,) = house.query("SELECT id FROM account_change")[0]
    page_of(security, house, "auditor")
    assert security.post(f"/accounts/changes/{change}", {"decision": "approve", "answer": ""}).status_code == 303
    assert somebody.post("/login", {"login": "auditor", "password": password}, token=False).status_code == 303
    assert password not in str(house.query("SELECT data FROM account_change")), "nothing is left of it"


def test_of_two_edits_at_once_the_later_one_sees_both_versions(office):
    house, system, _ = office
    fields = {"organisation": "359921", "inspector": "", "version": "1"}
    assert post(system, house, "planner", "change", name="王五", **fields).status_code == 303
    late = post(system, house, "planner", "change", name="赵六", **fields)
    assert late.status_code == 409
    assert re.search(r"<th scope=\"row\">姓名</th><td>赵六</td><td>王五</td>", late.text)
    assert house.query("SELECT name FROM account WHERE login = 'planner'") == [("王五",)]
    assert post(system, house, "planner", "change", name="赵六", **fields | {"version": version_of(house, "planner")}).status_code == 303


def test_administrators_do_no_business_and_others_administer_nothing(office):
    house, system, security = office
    for person in (system, security):
        for address in ("/plan", "/draw", "/directory", "/review", "/publish", "/audit"):
            assert person.get(address).status_code == 403, address
    assert security.get("/accounts/new").status_code == 403
    assert house.browser("planner").get("/accounts").status_code == 403
    auditor = house.browser("auditor")
    assert auditor.get("/accounts").status_code == 200 and "<form class=\"flow" not in page_of(auditor, house, "planner").text


def test_another_bureaus_administrators_see_none_of_ours(office):
    house, _, _ = office
    other = house.browser("other")
    assert "planner" not in re.sub(r"value=\"planner\"", "", other.get("/accounts").text)
    assert page_of(other, house, "planner").status_code == 404
    assert post(other, house, "planner", "disable", reason="x").status_code == 404
    assert "不在您的辖区" in other.post("/accounts/new", NEW).text


def test_the_auditor_filters_and_pages_and_changes_nothing(office):
    house, system, _ = office
    auditor = house.browser("auditor")
    assert 'method="post"' not in re.sub(r"<nav aria-label=\"账户\".*?</nav>", "", auditor.get("/audit").text, flags=re.S)
    text = auditor.get("/audit?actor=sysadmin&act=session.").text
    assert re.findall(r"<td class=\"nw\">(登录)</td>", text) == ["登录"] and ">退出</td>" not in text
    assert "没有符合条件" in auditor.get("/audit?since=2030-01-01").text
    first = auditor.get("/audit?size=50")
    numbers = [int(n.replace(",", "")) for n in re.findall(r'<tr><td class="n">([\d,]+)</td>', first.text)]
    assert numbers == sorted(numbers, reverse=True) and numbers[0] == house.query("SELECT max(n) FROM audit")[0][0]
    assert "审计链完整" in auditor.get("/audit/chain").text
    assert auditor.get("/audit?size=50&export=xlsx").status_code == 200
    assert house.query("SELECT object FROM audit WHERE actor = 'auditor' AND act = 'lists.export'") == [("audit",)]  # who took it away is in it too


def test_the_policy_is_the_security_administrators(office):
    house, system, security = office
    assert system.post("/accounts/policy", {"passwords": "dengbao3", "factor": "on", "reason": "x"}).status_code == 403
    security.get("/accounts/policy")
    assert security.post("/accounts/policy", {"passwords": "dengbao3", "factor": "off", "reason": "等保测评"}).status_code == 303
    assert "错 5 次锁 30 分钟" in security.get("/accounts/policy").text
    # its kinds of characters, its lock after five, its ninety days
    planner = house.browser("planner")
    planner.get("/password")
    assert "至少要有 3 类" in planner.post("/password", {"current": PASSWORD, "new": "only small letters here", "again": "only small letters here"}).text
    for _ in range(5):
        house.browser().post("/login", {"login": "planner", "password": "wrong"}, token=False)
    assert "30 分钟后再试" in house.browser().post("/login", {"login": "planner", "password": PASSWORD}, token=False).text
    house.query("UPDATE account SET password_at = '2025-11-01 00:00:00+00:00' WHERE login = 'approver'")
    assert house.browser().post("/login", {"login": "approver", "password": PASSWORD}, token=False).headers["location"] == "/password"
