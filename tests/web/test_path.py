"""A bureau's first round, from the plan's file to the published result, through the pages alone, each act by the person whose act it is.

Every act is a double click, and done once. What goes wrong at a desk (back, two tabs, a login that runs out, no scripts)
is tried on the visits of the same round.
"""

import json
from dataclasses import replace
from urllib.parse import quote, unquote

import pytest

from portal.domain.sample import sample_entities
from portal.plugins import discover_sectors
from tests.once import ready_fonts
from tests.public_site.browser import Browser, program
from tests.web.bureau import PASSPHRASE, PASSWORD, at
from tests.web.form_answers import ATTACHED, Person
from tests.web.test_checklists import book
from tests.web.phone import WIDTH, Phone
from tests.web.played import played

pytestmark = pytest.mark.chromium
SECTORS = discover_sectors("registration")
FORM = SECTORS.form("registration.check")
ITEM = SECTORS.item("registration.licence")
BUREAU, TITLE, INSPECTOR, OWN = "望溪县市场监督管理局", "2026年第一批抽查", "lin.xd", "three unlike words 7"
PLAN = [
    [f"{BUREAU}2026年度抽查工作计划"],
    ["序号", "抽查类别", "抽查事项", "检查对象", "事项类别", "抽查比例", "实施时间", "责任科室", "抽取方式", "备注"],
    ["1", "登记事项检查", ITEM.name, "企业", "一般检查事项", "15%", "6-9月", "信用监督管理科", "本级抽取", ""],
]
REGISTER = [["统一社会信用代码", "企业名称", "企业类型", "登记状态", "属地所", "乡镇", "地址"]] + [
    [one.code, one.name, "企业", "存续", "望城所", "城关镇", f"{BUREAU[:3]}城关镇南街{n}号"]
    for n, one in enumerate([one for one in sample_entities(200, 1) if one.code.startswith("91")][:20], 1)
]
ROSTER = [["单位工号", "姓名", "所属监管所", "是否组长", "执法证编号", "执法证有效期", "执法人员状态"]] + [
    [f"GH{n:03d}", name, "望城所", "是", f"闽C{n:06d}", "2028-12-31", "有效"] for n, name in enumerate(("林向东", "王秀兰"), 1)
]
#: what falls -> (issue, when, the numbers as people copy them)
LOTTERIES = {
    "快乐8": ("2026152", "2026-06-03T21:30", " ".join(map(str, range(3, 80, 4)))), "双色球": ("2026064", "2026-06-03T21:15", "1 8 13 20 27 33 + 7"),
}  # fmt: skip
HOLDERS = {"planner": ("信用监督管理科", "计划员（planner）"), "supervisor": ("派驻纪检监察组", "纪检监督员（supervisor）")}
MONDAY, DRAWN, CHECKED = at("2026-06-01T09:00"), at("2026-06-03T22:10"), at("2026-06-10T09:30")


class Office:
    """The people of the bureau at one computer, each with cookies of their own; the inspector holds it as a phone."""

    def __init__(self, bureau):
        self.bureau, self.desk, self.jars, self.here = bureau, bureau.desk(), {}, ""

    def sit(self, login):
        """Let somebody at the computer, as they left it."""
        if login != self.here:
            self.jars[self.here] = self.desk.page.swap_cookies(self.jars.get(login, []))
            self.here = login
        self.desk.page.widen(WIDTH if login == INSPECTOR else 1280)
        return self.desk

    def __getitem__(self, login):
        """Somebody, logged in and on the front page."""
        desk = self.sit(login)
        desk.open("/")
        if desk.path == "/login":
            desk.login(login, OWN if login == INSPECTOR else PASSWORD)
        return desk

    def acts(self):
        """(who, act, object) of the audit, in order, without logging in and out."""
        rows = self.bureau.query("SELECT actor, act, object FROM audit WHERE act NOT LIKE 'session.%' AND act NOT LIKE 'account.factor%' ORDER BY n")
        return [row for row in rows if row[0] != "init"]

    def visits(self):
        return [code for (code,) in self.bureau.query("SELECT code FROM visit ORDER BY code")]


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    if program() is None:
        pytest.skip("needs a Chromium browser")
    with played(tmp_path_factory.mktemp("path") / "data", ready_fonts(tmp_path_factory), SECTORS, MONDAY) as bureau:
        yield Office(bureau)


# To the drawn visits ------------------------------------------------------------------


def import_file(desk, todo, path, confirm):
    """From the front page's list of what is missing."""
    desk.press(todo)
    desk.attach("选择文件", path)
    desk.press("上传并查看结果", times=2)
    desk.press(confirm, times=2)
    assert "再导入一份" in desk.text() and desk.told() == []


def test_files_are_imported_by_operator_and_planner(office):
    operator, file = office["operator"], office.bureau.file
    assert "准备 3 件" in operator.text()
    import_file(operator, "导入检查对象名录", file("名录.xlsx", REGISTER), "全部导入 20 行")
    import_file(office["operator"], "导入执法检查人员名录", file("人员.xlsx", ROSTER), "全部导入 2 行")
    assert "准备 1 件" in office["operator"].text()
    planner = office["planner"]
    import_file(planner, "导入 2026 年度抽查工作计划", file("计划.xlsx", PLAN), "全部导入 1 行")
    planner.press("看计划")
    planner.press(BUREAU)
    assert "这一版等复核人批准" in planner.text() and ITEM.name in planner.text()


def test_an_account_is_made_by_one_administrator_and_opened_by_another(office):
    sysadmin = office["sysadmin"]
    sysadmin.press("账号")
    sysadmin.press("新建账号")
    sysadmin.type("登录名", INSPECTOR)
    sysadmin.type("姓名", "林向东")
    sysadmin.type("工号（执法人员的账号要填，与执法人员名录中的相同）", "GH001")
    sysadmin.type("理由（写明要哪些角色）", "到所工作，要执法人员")
    sysadmin.press("新建账号", "理由", times=2)
    password = sysadmin.text("p.secret")
    phone = office.sit(INSPECTOR)
    phone.open("/login")
    phone.type("登录名", INSPECTOR)
    phone.type("密码", password)
    phone.press("登录")
    assert "账号已停用" in phone.text(), "nobody opened it yet"
    secadmin = office["secadmin"]
    secadmin.press("新建账号：林向东（lin.xd）")
    secadmin.tick("执法人员", "批准 不同意")
    secadmin.press("批准", times=2)
    assert "已办理。" in secadmin.text() and "没有等您办理的事" in office["secadmin"].text()
    phone = office.sit(INSPECTOR)
    phone.open("/login")
    phone.login(INSPECTOR, password, new=OWN)
    assert "密码已修改" in phone.text() and phone.page.value("document.documentElement.scrollWidth") <= WIDTH


def test_a_plan_is_approved_and_its_round_drafted_and_committed(office):
    approver = office["approver"]
    approver.press(f"{BUREAU}2026年度抽查工作计划")
    approver.press("批准这一版计划", times=2)
    assert "已批准" in approver.text() and "待批准" not in office["approver"].text()
    planner = office["planner"]
    planner.press(ITEM.name)
    planner.press("冻结名录", times=2)
    assert "20 户，其中可抽 20 户" in planner.text()
    planner.press("拟制新一轮")
    planner.type("名称", TITLE)
    planner.tick(f"选择 {ITEM.name}")
    planner.tick("公开 检查结束后公布名录和密值，任何人都能重算。不能含按信用风险分类的任务。")
    for n, (kind, (issue, when, _)) in enumerate(LOTTERIES.items(), 1):
        planner.set(f"来源 {n}", kind)
        planner.type("期号", issue, f"来源 {n}")
        planner.set("开奖时间", when, f"来源 {n}")
    for n, (who, login) in enumerate(HOLDERS.values(), 1):
        planner.type(f"持有方 {n}", who)
        planner.set("账号", login, f"持有方 {n}")
    planner.set("检查时段起", "2026-06-08")
    planner.set("检查时段止", "2026-06-30")
    planner.press("先试算户数")
    assert "1 项任务共抽 3 户次" in planner.text() and "没有抽取，也没有拟制" in planner.text() and planner.filled("期号", "来源 2") == "2026064"
    planner.set("抽取不早于", "2026-06-03T22:00")
    planner.press("拟制本轮", times=2)
    assert "本轮已拟制" in planner.text(), planner.told()
    for login in HOLDERS:
        desk = office[login]
        desk.press(TITLE)
        desk.type("口令，至少 12 位", PASSPHRASE)
        desk.type("再输一次口令", PASSPHRASE)
        desk.press("生成我的密值", times=2)
        assert "密值已生成" in desk.text()
    approver = office["approver"]
    approver.press(TITLE)
    approver.press("公布本轮承诺", times=2)
    assert "正在发布" in approver.text()
    office.bureau.work()
    assert "正在发布" not in office["approver"].text()


def test_numbers_are_entered_by_two_people_and_the_round_drawn_once(office):
    office.bureau.clock.now = DRAWN
    for login, kind in zip(HOLDERS, LOTTERIES, strict=True):
        issue, _, numbers = LOTTERIES[kind]
        desk = office[login]
        desk.press(TITLE)
        named = f"{kind}第{issue}期的号码"
        desk.type(named, numbers)
        desk.press("录入号码", named, times=2)
        desk.type("生成密值时设的口令", PASSPHRASE)
        desk.press("交出密值", times=2)
        assert "密值已交出" in desk.text() and desk.told() == []
    planner = office["planner"]
    assert "可以抽取" in planner.text()
    planner.press(TITLE)
    for words, said in (("抽取 1 项任务", "抽出 3 户次"), ("合并 3 户次入企", "实际入企 3 次"), ("为 3 次入企匹配人员", "未匹配 0")):
        planner.press(words, times=2)
        assert said in planner.text(), planner.told()
    assert len(office.visits()) == 3


# Before anybody goes ------------------------------------------------------------------


def test_the_head_of_a_station_moves_a_visit_and_a_recused_inspectors_place_is_drawn_again(office):
    office.bureau.hire("station", "望城所所长", "望城市场监管所", "station")
    office.bureau.clock.now = CHECKED
    code, (day,) = office.visits()[2], office.bureau.query("SELECT day FROM visit ORDER BY code")[2]
    head = office["station"]
    head.press("入企")
    head.press(named(office, 3))
    head.press("改期和回避")
    on = "改到哪一天（6月10日至6月30日）"
    head.set(on, "2026-07-30")
    head.type("改期的原因，记入审计", "该企业当日停业")
    head.press("改期", "改期的原因", times=2, leads=False)
    assert head.filled(on) == "2026-07-30" and "已改期" not in head.text(), "beyond the window: the browser says so itself"
    head.set(on, "2026-06-29")
    head.press("改期", "改期的原因", times=2)
    assert "已改期。" in head.text() and "改到 6月29日：该企业当日停业" in head.text(), head.told()
    head.press("申报回避", "回避的理由", leads=False)
    assert "回避已登记" not in head.text(), "nobody was chosen"
    head.tick("王秀兰 GH002", "回避的理由")
    head.type("回避的理由", "与法定代表人是姐弟")
    head.press("申报回避", "回避的理由", times=2)
    assert "回避已登记，这个名额空出来了，请计划员补派。" in head.text(), head.told()
    planner = office["planner"]
    planner.press(TITLE)
    planner.press("补派")
    assert "王秀兰新登记了回避" in planner.text()
    planner.type("原因，记入审计", "登记了回避")
    planner.press("补派", "原因，记入审计", times=2)
    assert "仍空 1 个名额" in planner.text(), "the station has but two people; the bureau would lend one"
    assert office.bureau.query("SELECT day FROM visit WHERE code = ?", code) == [("2026-06-29",)] != [(day,)]


def test_a_business_department_brings_a_form_of_its_own(office):
    office.bureau.hire("sector", "质量科长", BUREAU, "sector")
    path = office.bureau.folder / "玩具检查表.xlsx"
    path.write_bytes(book())
    desk = office["sector"]
    desk.press("检查表单")
    desk.press("导入表单")
    desk.attach("选择文件", str(path))
    for label, words in (("新模块代码", "toys"), ("新模块名称", "玩具"), ("业务科室", "质量科")):
        desk.type(label, words)
    desk.press("上传并预览", times=2)
    assert "玩具（新建）" in desk.text() and "均有CCC标志" in desk.text(), desk.told()
    desk.press("导入这一版", times=2)
    assert "toys.shop 2026-1 版" in desk.text() and desk.told() == []


# One visit, to the published result ---------------------------------------------------


def arrive(office, n):
    """The inspector in front of the form of visit n, counted from 1."""
    office.bureau.clock.now = max(CHECKED, office.bureau.clock.now)
    phone, code = office[INSPECTOR], office.visits()[n - 1]
    phone.press(phone.eyes(f"eyes.said([...document.querySelectorAll('a')].find((one) => decodeURIComponent(one.pathname) === '/visits/{code}'))"))
    phone.press("登记到场", times=2)
    assert "已登记" in phone.text()
    phone.press(FORM.title)
    return phone


def named(office, n):
    return office.bureau.query("SELECT e.name FROM entity e JOIN visit v ON v.holder = e.code WHERE v.code = ?", office.visits()[n - 1])[0][0]


def answers(office):
    return Person(SECTORS, FORM, [ITEM.code], office.bureau.clock.now.date()).answers()


def test_a_visit_is_recorded_on_a_phone_reviewed_and_published(office):
    phone = arrive(office, 1)
    given, outcomes = answers(office)
    hands = Phone(phone.page, phone.address)
    hands.open(unquote(phone.path))
    hands.fill(FORM, given)
    hands.hands("choose", f"_outcome.{ITEM.code}", outcomes[ITEM.code])
    hands.hands("choose", "_method", "实地核查")
    phone.press("提交审核", times=2)
    assert "待审核" in phone.text(), phone.told()
    reviewer = office["reviewer"]
    reviewer.press(named(office, 1))
    reviewer.tick("通过")
    reviewer.press("提交审核意见", times=2)
    assert reviewer.told() == []
    publisher = office["publisher"]
    publisher.press("公示")
    publisher.press("公示 1 户", times=2)
    office.bureau.work()
    publisher.page.until("document.querySelector('#job').innerText.includes('已发布')")
    assert "每 2 秒更新" not in publisher.text()
    publisher.press("已公示的结果")
    assert named(office, 1) in publisher.text()
    with office.bureau.site() as address:
        reader = replace(office.sit("anybody"), address=address)
        reader.open("/")
        reader.press("结果")
        reader.press(TITLE)
        reader.press(named(office, 1))
        assert ITEM.name in reader.text("body")


# What goes wrong at a desk ------------------------------------------------------------


def fill_plainly(desk, given, outcomes):
    """Put answers into the fields as a page without scripts has them; what would be a photo or a signature lies on paper."""
    paper = {field.name for field in FORM.fields() if field.type in ATTACHED}
    pairs = [(name, "P-1" if name in paper else one) for name, value in given.items() for one in (value if isinstance(value, list) else [value])]
    pairs += [(f"_outcome.{item}", outcome) for item, outcome in outcomes.items()] + [("_method", "实地核查")]
    desk.page.value(f"""for (const [name, value] of {json.dumps(pairs)}) {{
      const ticks = (one) => ["radio", "checkbox"].includes(one.type);
      const one = [...document.getElementsByName(name)].find((each) => each.type !== "hidden" && (!ticks(each) || each.value === value));
      if (!one || one.closest("[hidden]")) throw new Error(`not to be filled in: ${{name}}`);
      if (ticks(one)) one.checked = true;
      else one.value = value;
    }}""")


def note(desk, words=None):
    """What stands in the form's last field; with words, that typed into it."""
    if words is not None:
        desk.page.value(f"{{ const one = document.getElementsByName('note')[0]; one.value = {json.dumps(words)}; one.dispatchEvent(new Event('input', {{ bubbles: true }})); }}")
    return desk.page.value("document.getElementsByName('note')[0].value")


def test_going_back_and_pressing_again_doubles_nothing(office):
    if program(whole=True) is None:
        pytest.skip("needs a whole Chromium, which keeps the pages one has left")
    with Browser(whole=True) as browser:
        phone = arrive(Office(replace(office.bureau, browser=browser)), 2)
        before = office.acts()
        phone.page.back()
        phone.page.back()
        assert "未登记" in phone.text(), "the page as it was before"
        phone.press("登记到场", times=2)
        assert "已登记到场" in phone.text() and phone.told() == [] and office.acts() == before


def test_the_later_of_two_tabs_sees_both_versions(office):
    phone = office[INSPECTOR]
    phone.open(f"/visits/{quote(office.visits()[1])}/{FORM.code}")
    tab = office.bureau.desk(WIDTH, beside=phone)
    tab.open(unquote(phone.path))
    for desk, words in ((phone, "第一个窗口写的"), (tab, "第二个窗口写的")):
        note(desk, words)
        desk.press("保存草稿", times=2)
    assert tab.page.value("performance.getEntriesByType('navigation')[0].responseStatus") == 409
    assert "第二个窗口写的 第一个窗口写的" in tab.text("#problems") and note(tab) == "第二个窗口写的"
    assert tab.page.value("document.activeElement.id") == "problems"
    tab.press("保存草稿")
    assert "草稿已保存" in tab.text() and note(tab) == "第二个窗口写的"


def test_the_later_of_two_tabs_of_a_plan_sees_both_versions(office):
    planner = office["planner"]
    planner.press("计划")
    planner.press(BUREAU)
    planner.press("修改计划", times=2)
    tab = office.bureau.desk(beside=planner)
    for desk in (planner, tab):
        desk.open(f"{planner.path}?row=1")
    for desk, words, done in ((planner, "第一个窗口", "document.body.innerText.includes('已保存到修改稿')"), (tab, "第二个窗口", "document.activeElement.id === 'problems'")):
        desk.type("备注", words)
        desk.press("保存这一行", times=2, leads=False)
        desk.page.until(done)
    assert "刚才在别处改过，这次没有保存" in tab.text("#problems")
    assert "修改稿中现在是：第一个窗口" in tab.text() and tab.filled("备注") == "第二个窗口"


def test_what_was_typed_when_a_login_ran_out_is_there_again_and_shown_to_nobody_else(office):
    phone, words = office[INSPECTOR], "登录过期时写到一半"
    phone.open(f"/visits/{quote(office.visits()[1])}/{FORM.code}")
    note(phone, words)
    office.bureau.clock.forward(minutes=31)
    phone.press("保存草稿", times=2)
    assert phone.path == "/login" and "登录后回到原来的页面" in phone.text()
    phone.login(INSPECTOR, OWN)
    assert unquote(phone.path).endswith(FORM.code) and note(phone) == words and "已经放回" in phone.text()
    office.bureau.clock.forward(minutes=31)
    phone.press("保存草稿")
    phone.login("reviewer", PASSWORD)
    assert unquote(phone.path).endswith(FORM.code) and note(phone) == "第二个窗口写的", "what was saved, as a reviewer may see it"
    assert words not in phone.page.value("document.documentElement.outerHTML")
    phone.press("退出")
    assert phone.path == "/login" and not phone.page.value("JSON.stringify(sessionStorage).includes('typed')"), "forgotten at logout"


def test_without_scripts_a_visit_is_recorded_reviewed_and_published(office):
    office.desk.page.scripts(False)
    phone = office[INSPECTOR]
    phone.press(named(office, 3))
    phone.press("登记到场", times=2)
    phone.press(FORM.title)
    fill_plainly(phone, *answers(office))
    phone.press("提交审核", times=2)
    assert "本次入企的表单已全部提交" in phone.text(), phone.told()
    reviewer = office["reviewer"]
    reviewer.press(named(office, 3))
    reviewer.press("提交审核意见", times=2, leads=False)  # nothing chosen: the browser says so itself
    reviewer.tick("通过")
    reviewer.press("提交审核意见", times=2)
    publisher = office["publisher"]
    publisher.press("公示")
    publisher.press("公示 1 户", times=2)
    assert "排队中" in publisher.text()
    publisher.press("全部后台任务")
    assert publisher.text().count("排队中") == 1
    publisher.page.scripts(True)


# All of it ----------------------------------------------------------------------------


def test_each_act_was_done_once_and_the_auditor_reads_it(office):
    """Runs last. Drafts are left out: they save themselves while one types."""
    round_, first, second, third = "359921-2026-R01", *office.visits()
    acts = [one for one in office.acts() if one[1] not in ("record.draft", "record.attach", "publish.release", "publish.publish")]
    assert acts == [
        ("operator", "imports.upload", "upload/1"), ("operator", "directory.import", "entities"),
        ("operator", "imports.upload", "upload/2"), ("operator", "directory.import", "inspectors"),
        ("planner", "imports.upload", "upload/3"), ("planner", "plan.import", "plan/2026"),
        ("sysadmin", "accounts.create", f"account/{INSPECTOR}"), ("secadmin", "accounts.decide", f"account/{INSPECTOR}"),
        (INSPECTOR, "account.password", f"account/{INSPECTOR}"), ("approver", "plan.approve", "plan/2026"),
        ("planner", "pool.freeze", "359921-2026-T001"), ("planner", "round.create", round_),
        ("planner", "round.share", round_), ("supervisor", "round.share", round_), ("approver", "round.commit", round_),
        ("planner", "round.source", round_), ("planner", "round.release", round_), ("supervisor", "round.source", round_), ("supervisor", "round.release", round_),
        ("planner", "round.draw", round_), ("planner", "visits.combine", round_), ("planner", "visits.assign", round_),
        ("station", "visits.reschedule", third), ("station", "visits.recuse", third), ("planner", "visits.refill", round_),
        ("sector", "sheets.upload", "upload/4"), ("sector", "sheets.sector", "sector/toys"), ("sector", "sheets.form", "form/toys.shop"), ("sector", "sheets.apply", "upload/4"),
        (INSPECTOR, "visit.arrive", first), (INSPECTOR, "record.submit", f"{first}/{FORM.code}"), ("reviewer", "record.approve", f"{first}/{FORM.code}"),
        ("publisher", "publish.request", "site"),
        (INSPECTOR, "visit.arrive", second), ("planner", "plan.draft.begin", "plan/2026"), ("planner", "plan.draft.row", "plan/2026"),
        (INSPECTOR, "visit.arrive", third), (INSPECTOR, "record.submit", f"{third}/{FORM.code}"), ("reviewer", "record.approve", f"{third}/{FORM.code}"),
        ("publisher", "publish.request", "site"),
    ]  # fmt: skip
    auditor = office["auditor"]
    auditor.press("审计记录")
    auditor.set("办理", "公示")
    auditor.page.until("((said) => said.includes('要求发布') && !said.includes('合并入企'))(document.querySelector('#list').innerText)")
    assert [one for one in office.desk.page.complaints if "status of 4" not in one] == [], "refusals are no faults"
