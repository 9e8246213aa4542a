"""Who reaches what: declared on every route, denied by default, and 404 for what belongs to others."""

import re
from functools import cache

import pytest
from litestar import Litestar, get

from portal.domain.roles import ACTS, ROLES, may
from portal.web import routes
from portal.web.access import PUBLIC, SIGNED_IN, check_declared, require_declared, safe_path
from tests import office
from tests.web.bureau import LOGINS, ROUND, build_stage, open_house

PUBLIC_ROUTES = {"GET /login", "POST /login", "POST /senior", "GET /static/{digest:str}/{name:str}"}


def handlers():
    """(METHOD, path, access) of everything the portal serves."""
    for handler in routes.ALL:
        for method in handler.http_methods - {"OPTIONS", "HEAD"}:
            for path in handler.paths:
                yield str(method.value if hasattr(method, "value") else method), path, handler.opt["access"]


def test_every_route_declares_its_access_and_only_four_are_public():
    found = list(handlers())
    assert len(found) > 45
    assert {access for _, _, access in found} <= {PUBLIC, SIGNED_IN, *ACTS}
    assert {f"{method} {path}" for method, path, access in found if access == PUBLIC} | {"GET /static/{digest:str}/{name:str}"} == PUBLIC_ROUTES


def test_a_portal_with_an_undeclared_route_does_not_start():
    @get("/open-door")
    async def forgotten() -> str:
        return ""

    @get("/misspelt", opt={"access": "round.raed"})
    async def misspelt() -> str:
        return ""

    app = Litestar([forgotten, misspelt], openapi_config=None)
    assert check_declared(app.routes) == ["GET /misspelt", "GET /open-door"]
    with pytest.raises(RuntimeError, match="GET /open-door"):
        require_declared(app)


def test_nobody_signed_in_sees_only_the_login_page(worked):
    somebody = worked.browser()
    for method, path, access in handlers():
        if access == PUBLIC:
            continue
        address = re.sub(r"\{number:int\}", "1", re.sub(r"\{\w+:str\}", "x", path))
        response = somebody.get(address) if method == "GET" else somebody.post(address, {"csrf": "guess"})
        assert response.status_code == 303, (method, address)
        assert response.headers["location"].startswith("/login?then=%2F"), (method, address)


#: address -> (act it needs, what a page of it must contain)
PAGES = {
    "/": (SIGNED_IN, "待办"),
    "/password": (SIGNED_IN, "修改密码"),
    "/sessions": (SIGNED_IN, "我的登录"),
    "/second-factor": (SIGNED_IN, "动态口令"),
    "/login/code": (SIGNED_IN, "恢复码"),
    "/accounts": ("accounts.read", "安全管理员授予角色"),
    "/accounts?q=plan&role=planner&state=active": ("accounts.read", "planner"),
    "/accounts/new": ("accounts.manage", "新建账号"),
    "/accounts/policy": ("accounts.read", "登录规则"),
    "/accounts/2": ("accounts.read", "动态口令"),
    "/audit/chain": ("audit.read", "审计链完整"),
    "/audit?actor=planner&act=pool.&since=2026-01-01&until=2026-12-31": ("audit.read", "冻结名录"),
    "/plan": ("plan.read", "年度计划"),
    "/plan/1": ("plan.read", "待模块"),
    "/pool": ("plan.read", "任务名录"),
    "/pool/359921-2026-T001": ("plan.read", "被排除的对象"),
    "/draw": ("round.read", "抽取轮次"),
    "/draw/new": ("round.create", "拟制新一轮"),
    f"/draw/{ROUND}": ("round.read", "快乐8第2026152期"),
    "/visits": ("visits.read", "入企检查"),
    "/visits?mine=1": ("visits.read", "入企"),
    f"/visits?round={ROUND}&state=open": ("visits.read", "待办"),
    "/assign": ("round.read", "执法人员匹配"),
    "/forms": ("record.read", "检查记录"),
    "/review": ("record.read", "待审核"),
    "/publish": ("publish.read", "将要公示"),
    "/publications": ("publish.read", "已公示的结果"),
    "/jobs": ("jobs.read", "后台任务"),
    "/log": ("round.read", "存证"),
    "/verify": ("round.read", "怎么核验"),
    "/audit": ("audit.read", "审计记录"),
    "/imports": ("imports.read", "导入文件"),
    "/imports/new": ("imports.read", "检查对象名录"),
    "/imports/new?kind=classes": ("imports.read", "分类版本"),
    "/imports/lists": ("imports.read", "外部抽取名单"),
    "/directory": ("directory.read", "统一社会信用代码"),
    "/directory/unplaced": ("directory.place", "未分到所的检查对象"),
    "/directory?q=望溪县&size=200": ("directory.read", "望溪县"),
    "/registers": ("directory.read", "专项库"),
    "/inspectors": ("directory.read", "执法人员名录"),
    "/items": ("plan.read", "随机抽查事项清单"),
    "/items/registration.licence": ("plan.read", "检查要点"),
    "/inspectors/359921-WX0001": ("directory.read", "执法证"),
    "/statistics": ("statistics.read", "每个数字都打开它背后的清单"),
    "/lists/checks": ("statistics.read", "抽查户次"),
    "/lists/follow-ups": ("statistics.read", "后续处置清单"),
    "/lists/records": ("record.read", "检查记录"),
    "/lists/tasks": ("plan.read", "359921-2026-T001"),
    "/lists/rounds": ("round.read", "已抽取"),
    "/lists/results": ("publish.read", "抽查检查结果公示表"),
    "/visits/week?on=2026-07-01": ("visits.read", "下载日历"),
    "/visits/calendar.ics?on=2026-07-01": ("visits.read", "BEGIN:VCALENDAR"),
    "/follow-ups": ("record.read", "后续处置"),
    "/follow-ups?state=closed": ("record.read", "还没有办结过"),
    "/follow-ups?state=todo&kind=rectify&due=late": ("record.read", "逾期"),
    "/checklists": ("plan.read", "检查表单"),
    "/checklists/registration.check": ("plan.read", "公示"),
    "/checklists/import": ("sheets.import", "导入检查表单"),
    "/sectors": ("plan.read", "annual_reports"),
}


class Reader:
    """Somebody who only looks; an address is fetched once for both tests that look at it."""

    def __init__(self, house, login):
        self.browser, self.seen = house.browser(login), {}

    def get(self, address):
        if address not in self.seen:
            self.seen[address] = self.browser.get(address)
        return self.seen[address]


@pytest.fixture(scope="module")
def worked(stages, engine_kind, tmp_path_factory):
    """One portal at stage `worked` for the whole file: nobody here changes anything (one engine is open at a time)."""
    folder = tmp_path_factory.mktemp("worked") / "data"
    office.copy_folder(build_stage(stages, "worked", engine_kind), folder)
    house = open_house(folder, "worked")
    with house.client:
        yield house


@pytest.fixture(scope="module")
def reader(worked):
    """`reader(login)`: that person's one reader."""
    return cache(lambda login: Reader(worked, login))


@pytest.mark.parametrize("login", LOGINS)
def test_each_role_sees_its_pages_and_is_refused_the_others(worked, reader, login):
    house, person = worked, reader(login)
    (roles,) = house.query("SELECT roles FROM account WHERE login = ?", login)[0]
    roles = [role for role in ROLES if f'"{role}"' in roles]
    for address, (act, wanted) in PAGES.items():
        response = person.get(address)
        allowed = act == SIGNED_IN or may(roles, act)
        assert response.status_code == (200 if allowed else 403), (login, address, response.text[-400:])
        if allowed and login != "station":  # a station's own tree may be empty
            assert wanted in response.text, (login, address)


def plain(address: str) -> str:
    """An address without what makes the same page longer, shorter or otherwise sorted; behind figures, one of each list is enough."""
    path, _, query = address.partition("?")
    kept = [pair for pair in query.split("&") if pair.partition("=")[0] not in ("sort", "size", "export", "after", "col")]
    return path if any(pair.startswith(("since=", "begins_from=")) for pair in kept) else "?".join(filter(None, (path, "&".join(kept))))


@pytest.mark.parametrize("login", LOGINS)
def test_no_page_links_to_what_its_reader_may_not_open(reader, login):
    person = reader(login)
    tried: dict[str, str] = {}
    waiting = [address for address in PAGES]
    while waiting:
        address = waiting.pop(0)
        address = address if address in PAGES else plain(address)
        kind = re.sub(r"359921-2026|9?[0-9A-Z]{15,18}|[0-9]+|=[^&]*", "N", address)
        if kind in tried:
            continue
        response = person.get(address)
        tried[kind] = f"{address} {response.status_code}"
        if response.status_code != 200:
            assert address in PAGES, tried[kind]  # a page we asked for ourselves, not one that was offered
            continue
        waiting += [one.replace("&amp;", "&").partition("#")[0] for one in re.findall(r'<a [^>]*href="(/[^"]*)"', response.text)]
    assert len(tried) > len(PAGES) / 2


def things_of(house):
    """Addresses of things of the first bureau."""
    visit, entity = house.query("SELECT code, entity_code FROM visit LIMIT 1")[0]
    form = house.query("SELECT code FROM check_form LIMIT 1")[0][0]
    record = house.query("SELECT id FROM record WHERE state = 'submitted'")[0][0]
    return visit, entity, form, record


def test_another_bureau_finds_none_of_our_things(worked):
    house = worked
    visit, entity, form, record = things_of(house)
    (code,) = house.query("SELECT entity_code FROM visit LIMIT 1")[0]
    other = house.browser("other")
    mine = house.browser("planner")
    for address in (f"/draw/{ROUND}", "/plan/1", "/pool/359921-2026-T001", f"/directory/{entity}", f"/visits/{visit}", f"/visits/{visit}/{form}", f"/visits/{visit}/split", f"/visits/{visit}/arrange",
                    f"/visits/{visit}/documents", f"/review/{record}", "/follow-ups/1"):
        assert mine.get(address).status_code == 200, address
        assert other.get(address).status_code == 404, address
    for address in ("/", "/plan", "/pool", "/draw", "/visits", "/assign", "/forms", "/review", "/publish", "/directory", "/directory/unplaced", "/inspectors", "/audit", "/jobs", "/verify"):
        response = other.get(address)
        assert response.status_code == 200, address
        for theirs in (ROUND, "359921-2026-T001", code, "望溪县"):
            assert theirs not in response.text, (address, theirs)


def test_another_bureau_acts_on_none_of_our_things(worked):
    house = worked
    visit, entity, form, record = things_of(house)
    other = house.browser("other")
    other.get("/password")
    before = house.query("SELECT count(*) FROM audit")
    acts = {
        "/pool/359921-2026-T001/freeze": {"strata": "none"},
        f"/draw/{ROUND}/share": {"passphrase": "x" * 12, "again": "x" * 12},
        f"/draw/{ROUND}/release": {"passphrase": "x" * 12},
        f"/draw/{ROUND}/commit": {},
        f"/draw/{ROUND}/source": {"n": "0", "value": "1"},
        f"/draw/{ROUND}/draw": {},
        f"/draw/{ROUND}/combine": {},
        f"/draw/{ROUND}/assign": {},
        f"/draw/{ROUND}/reveal": {},
        f"/draw/{ROUND}/void": {"reason": "不想要了"},
        "/directory/unplaced": {"code": entity, "station": "359922", "reason": "我们要管"},
        f"/directory/{entity}/accept": {"reason": "没有问题"},
        f"/directory/{entity}/class": {"scale": "credit", "to": "D", "until": "2026-12-31", "reason": "我们要管"},
        f"/review/{record}": {"decision": "approve", "comment": "", "version": "1"},
        f"/visits/{visit}/{form}": {"_version": "0", "_act": "draft"},
        f"/visits/{visit}/split": {"task": "359921-2026-T001", "on": "2026-08-04", "reason": "我们要管"},
        f"/visits/{visit}/reschedule": {"on": "2026-08-04", "reason": "我们要管"},
        f"/visits/{visit}/recuse": {"inspector": "GH001", "why": "我们要管"},
        f"/visits/{visit}/documents": {"kind": "notice", "subject": visit},
        "/follow-ups/1/issue": {"on": "2026-08-02", "note": "我们要管", "seen": "0"},
        "/follow-ups/1/close": {"on": "2026-08-02", "ending": "done", "result": "我们要管", "seen": "0"},
    }
    for address, fields in acts.items():
        assert other.post(address, fields).status_code in (403, 404), address
    assert house.query("SELECT count(*) FROM audit") == before


def test_litestars_own_options_answers_are_closed_and_the_schema_too(worked):
    client = worked.client
    assert client.request("OPTIONS", "/draw").status_code == 405
    for path in ("/schema", "/schema/openapi.json", "/schema/swagger"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("then", ["//evil.example/x", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", ""])
def test_the_way_back_after_login_never_leaves_the_portal(then):
    assert safe_path(then) == "/"
    assert safe_path("/draw?x=1") == "/draw?x=1"
