"""Discovery, the refusals to start, and the routing of every hook."""

from datetime import date
from importlib.metadata import EntryPoint

import pytest

import plugins.water_heaters
from portal import hookspecs, plugin, plugins as machinery
from portal.domain.errors import NotFound, WrongMoment
from portal.hookspecs import HOOKS
from portal.plugin import Block, Choice, Column, Field, FollowUp, Page, PoolRule, Problem, Published, Register, Sector, hookimpl
from portal.plugins import SectorFault, SectorProblem, discover_sectors
from portal.testing import make_candidate, make_record, make_task
from tests.plugins.made import answering, form, item, module, refusals

WHO = "业务模块“lifts”（lifts_module）写了"


# refusals: who, what they wrote, what is wrong


def plain_validate_record(record, form):
    return None


async def slow_registers():
    return []


@pytest.mark.parametrize("hooks, message", [
    ({"validat_record": hookimpl(lambda record, form: None)}, "“def validat_record”：没有这个钩子，是不是 validate_record。"),
    ({"xyz": hookimpl(lambda: None)}, "“def xyz”：没有这个钩子。"),
    ({"validate_record": plain_validate_record}, "“def validate_record”：与钩子同名，但没有加 @hookimpl，不会被调用。"),
    ({"validate_record": hookimpl(lambda record, request: None)},
     "“def validate_record(record, request)”：没有参数 request，可用的参数：record、form。"),
    ({"registers": hookimpl(slow_registers)}, "“async def registers”：钩子是普通函数，不能用 async。"),
    ({"registers": hookimpl(lambda: [], tryfirst=True)}, "“@hookimpl(tryfirst=…) registers”：@hookimpl 不带选项。"),
    ({"sector": Sector("lift", "电梯")}, "“Sector('lift')”：代码与入口点名称“lifts”不一致。"),
    ({"sector": "lifts"}, "“sector()”：应返回 Sector，返回了 str。"),
    ({"sector": Sector("lifts", "")}, "“Sector('lifts')”：name、department、version 应是文字，name 不能为空。"),
    ({"check_items": [item(form="lifts.other")], "inspection_forms": [form()]},
     "“CheckItem('lifts.use', form='lifts.other')”：没有表单 lifts.other，本模块的表单：lifts.check。"),
    ({"check_items": [item("food.use")], "inspection_forms": [form()]}, "“CheckItem('food.use', '1')”：代码要以“lifts.”开头。"),
    ({"inspection_forms": [form("food.check")]}, "“Form('food.check', '1')”：代码要以“lifts.”开头。"),
    ({"check_items": [item(later_form="lifts.other")], "inspection_forms": [form()]},
     "“CheckItem('lifts.use', later_form='lifts.other')”：应是本模块另一张表单，且不是任何事项的现场表单。"),
    ({"check_items": [item(later_form="lifts.check")], "inspection_forms": [form()]},
     "“CheckItem('lifts.use', later_form='lifts.check')”：应是本模块另一张表单，且不是任何事项的现场表单。"),
    ({"registers": [Register("lifts.r", "库", [Column("n", "有效期至")])]}, "“Register('lifts.r')”：n：“有效期至”由系统读作 licence_valid_to，列名请写 valid_to。"),
    ({"registers": [Register("lifts.r", "库", [Column("n", "联系电话")])]}, "“Register('lifts.r')”：n：“联系电话”是个人信息列，系统不保存。"),
    ({"registers": [Register("lifts.r", "库", [Column("tags", "种类")])]}, "“Register('lifts.r')”：tags：监管标签由系统读入，请换一个列名。"),
    ({"registers": [Register("food.r", "库", [Column("n", "号")])]}, "“Register('food.r')”：代码要以“lifts.”开头。"),
    ({"inspection_forms": [form(), form()]}, "“Form('lifts.check', '1')”：代码和版本重复。"),
    ({"check_items": [item(), item()], "inspection_forms": [form()]}, "“CheckItem('lifts.use', '1')”：代码和版本重复。"),
    ({"registers": [Register("lifts.r", "库", [Column("n", "号")])] * 2}, "“Register('lifts.r')”：代码重复。"),
    ({"check_items": "lifts.use"}, "“check_items()”：应返回 CheckItem 的列表，返回了 str。"),
    ({"check_items": [form()]}, "“check_items()”：应返回 CheckItem 的列表，其中有 Form。"),
    ({"check_items": [item(methods="现场检查")], "inspection_forms": [form()]},
     "“CheckItem('lifts.use', '1')”：methods 应是列表，写的是 str '现场检查'。"),
    ({"inspection_forms": [form(fields=[Field("a", "甲", show_if="1 +")])]},
     "“Form('lifts.check', '1')”：a：show_if 写的是“1 +”，表达式第 4 个字符处：表达式没有写完。"),
    ({"inspection_forms": [form(fields=[Field("a", "甲"), Field("a", "乙")])]}, "“Form('lifts.check', '1')”：a：字段名重复。"),
    ({"inspection_forms": [form(fields=[Field("a", "甲", "select_one", choices=[Choice("x", "一"), Choice("x", "二")])])]},
     "“Form('lifts.check', '1')”：a：选项“x”重复。"),
    ({"registers": [Register("lifts.r", "库", [Column("n", "号"), Column("n", "名")])]}, "“Register('lifts.r')”：n：列名重复。"),
    ({"registers": [Register("lifts.r", "库", [Column("n", "号", "money")])]},
     "“Register('lifts.r')”：n：列类型“money”不对，应是 text、integer、date 或 code。"),
])
def test_the_portal_refuses_to_start_and_says_who_wrote_what_and_what_is_wrong(hooks, message):
    assert refusals(lifts=module(**hooks)) == [WHO + message]


@pytest.mark.parametrize("name, wrote", [
    ("sector", "sector()”：调用时出错，"), ("check_items", "check_items()”："), ("inspection_forms", "inspection_forms()”："), ("registers", "registers()”："),
])
def test_a_sector_that_raises_at_the_start_is_refused_with_the_place(name, wrote):
    def raising():
        raise ZeroDivisionError

    line = raising.__code__.co_firstlineno + 1
    assert refusals(lifts=module(**{name: hookimpl(raising)})) == [f"{WHO}“{wrote}ZeroDivisionError（{__name__} 第 {line} 行）。"]


def test_a_module_without_sector_is_refused():
    made = module()
    del made.sector
    assert refusals(lifts=made) == [WHO + "“（没有 sector）”：缺少 sector()，每个业务模块都必须有。"]


def test_one_module_under_two_names_is_refused():
    made = module("alpha")
    assert refusals(alpha=made, beta=made) == [
        "业务模块“beta”（lifts_module）写了“beta”：和“alpha”是同一个 Python 模块，一个模块只能有一个代码。"
    ]


def test_a_name_that_cannot_be_a_prefix_is_refused():
    assert "模块代码只能用小写字母、数字和下划线，以字母开头。" in refusals(Lifts=module("Lifts"))[0]


def test_all_reasons_are_told_at_once():
    found = refusals(alpha=module("beta"), lifts=module(check_items="x", registers="y"), zeta=module("zeta", nope=hookimpl(lambda: 1)))
    assert len(found) == 4


def test_a_sector_named_but_not_installed_is_refused():
    assert refusals("lifts, gas", lifts=module()) == ["设置 PORTAL_SECTORS 写了“gas”：没有安装这个业务模块，已安装的有：lifts。"]


def test_two_distributions_with_the_same_sector_are_refused(monkeypatch):
    points = [EntryPoint("water_heaters", value, machinery.GROUP) for value in ("plugins.water_heaters", "another.water_heaters")]
    monkeypatch.setattr(machinery, "entry_points", lambda group: points if group == "portal.sectors" else [])
    with pytest.raises(SectorProblem) as caught:
        discover_sectors("water_heaters")
    assert str(caught.value.problems[1]) == (
        "业务模块“water_heaters”（plugins.water_heaters）写了“water_heaters”：代码重复，another.water_heaters 已经用了这个代码。"
    )


def test_a_sector_that_cannot_be_imported_is_refused(monkeypatch):
    monkeypatch.setattr(machinery, "entry_points", lambda group: [EntryPoint("gas", "no_such_module", machinery.GROUP)])
    with pytest.raises(SectorProblem) as caught:
        discover_sectors()
    assert str(caught.value.problems[0]).startswith("业务模块“gas”（no_such_module）写了“no_such_module”：无法载入，ModuleNotFoundError")


# which sectors


def test_sectors_come_through_entry_points_and_a_sample_only_when_named(monkeypatch):
    points = [EntryPoint(name, f"plugins.{name}", machinery.GROUP) for name in ("water_heaters", "registration", "annual_reports")]
    monkeypatch.setattr(machinery, "entry_points", lambda group: points if group == "portal.sectors" else [])
    for unnamed in (None, "", " , "):
        found = discover_sectors(unnamed)
        assert list(found.sectors) == ["annual_reports", "registration"] and found.skipped == ("water_heaters",)
    assert list(discover_sectors("water_heaters，registration").sectors) == ["registration", "water_heaters"]


def test_order_does_not_depend_on_installation():
    one, two = module("alpha", inspection_forms=[form("alpha.b"), form("alpha.a", "10"), form("alpha.a", "9")]), module("beta")
    first, second = discover_sectors(None, {"alpha": one, "beta": two}), discover_sectors(None, {"beta": two, "alpha": one})
    assert first.versions() == second.versions() == [{"sector": "alpha", "version": "1"}, {"sector": "beta", "version": "1"}]
    assert [(one.code, one.version) for one in first.forms] == [("alpha.a", "9"), ("alpha.a", "10"), ("alpha.b", "1")]
    assert first.form("alpha.a").version == "10" and first.form("alpha.a", "9").version == "9"


def test_what_is_not_there_is_said():
    found = discover_sectors(None, {"lifts": module()})
    with pytest.raises(NotFound, match="没有检查表单“lifts.x”的 3 版，请检查业务模块是否已启用。"):
        found.form("lifts.x", "3")
    with pytest.raises(NotFound, match="没有抽查事项“lifts.x”"):
        found.item("lifts.x")


def test_what_sectors_declare_cannot_be_changed_afterwards():
    fields = [Field("a", "甲")]
    found = discover_sectors(None, {"lifts": module(inspection_forms=[form(fields=fields)])})
    fields.append(Field("b", "乙"))
    assert len(found.forms[0].fields()) == 1
    with pytest.raises(AttributeError):
        found.items = ()
    with pytest.raises(TypeError):
        found.sectors["x"] = None


def test_a_plan_finds_items_by_name_and_alias_in_their_newest_version():
    found = discover_sectors(None, {"lifts": module(
        inspection_forms=[form()], check_items=[item(aliases=["电梯"]), item(version="2", aliases=["电梯检查"])])})
    assert [one.version for one in found.items_named("事项")] == ["2"]
    assert found.items_named("电梯") == [] and len(found.items_named("电梯检查")) == 1


# every hook is routed

CANDIDATE = make_candidate()
TASK = make_task("lifts")
PUBLISHED = [Published("e", "名", ("lifts.use",), {"lifts.use": "none"}, "", date(2026, 6, 1))]
RECORD = make_record(["lifts.use"], {"a": "yes", "secret": "138"})
PAGE = Page("lifts-2026", "电梯", [Block("text", "说明"), Block("table", [["a", "b"], ["c", 1]]), Block("figure", [("甲", 1)])])
heard = []

#: hook -> (implementation, how it is asked, what comes back, what a missing implementation gives, a wrong answer)
ROUTES = {
    "sector": (hookimpl(lambda: Sector("lifts", "电梯", version="7")), lambda s: s.versions(), [{"sector": "lifts", "version": "7"}], None, None),
    "check_items": (hookimpl(lambda: [item()]), lambda s: [one.code for one in s.items], ["lifts.use"], [], None),
    "inspection_forms": (hookimpl(lambda: [form()]), lambda s: [one.code for one in s.forms], ["lifts.check"], [], None),
    "registers": (hookimpl(lambda: [Register("lifts.r", "库", [Column("n", "号")])]), lambda s: [one.code for one in s.registers], ["lifts.r"], [], None),
    "pool_rule": (hookimpl(lambda task: PoolRule(industries=["5272"])), lambda s: s.pool_rule(TASK), PoolRule(industries=("5272",)), None,
                  PoolRule(industries="5272")),
    "exclude_from_pool": (hookimpl(lambda task, batch: {batch[0].code: f"{task.frozen_on}停业"}), lambda s: s.exclude_from_pool(TASK, [CANDIDATE]),
                          {CANDIDATE.code: "2026-05-29停业"}, {}, {"someone else": "x"}),
    "adjust_risk": (hookimpl(lambda task, batch: {batch[0].code: "D"}), lambda s: s.adjust_risk(TASK, [CANDIDATE]), {CANDIDATE.code: "D"}, {}, ["D"]),
    "validate_record": (hookimpl(lambda record, form: [Problem("a", record.answers["secret"])]), lambda s: s.validate_record(RECORD, form()),
                        [Problem("a", "138")], [], ["wrong"]),
    "suggest_follow_up": (hookimpl(lambda record, form: (FollowUp("rectify", 10),)), lambda s: s.suggest_follow_up(RECORD, form()),
                          [FollowUp("rectify", 10)], [], [FollowUp("jail")]),
    "public_summary": (hookimpl(lambda record, form: f"见{sorted(record.answers)}"), lambda s: s.public_summary(RECORD, form()), "见['a']", "", "两\n行"),
    "publication_pages": (hookimpl(lambda task, published: [PAGE] if len(published) == 1 else []), lambda s: s.publication_pages(TASK, PUBLISHED),
                          ([("lifts", PAGE)], []), ([], []), [Page("Bad Slug", "x", [])]),
    "results_published": (hookimpl(lambda task, count: heard.append((task.code, count))), lambda s: (s.results_published(TASK, 3), heard.pop()),
                          ([], ("350582-2026-T001", 3)), None, None),
}
ANSWERED = [name for name in HOOKS if HOOKS[name].kind == "ask owner"]


def test_every_hook_has_a_route_in_these_tests():
    assert list(ROUTES) == list(HOOKS)


def test_every_hook_is_documented_in_one_sentence():
    for name, hook in HOOKS.items():
        assert hook.__doc__ and "\n" not in hook.__doc__.strip() and hook.__doc__.strip().endswith("."), name
        assert hook.chinese.endswith("。"), name
        assert hook.kind in ("gather", "ask owner", "tell"), name
        assert "return" in hook.__annotations__, name


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_that_is_implemented_is_asked(name):
    implementation, ask, expected, _, _ = ROUTES[name]
    needed = {"inspection_forms": [form()]} if name == "check_items" else {}
    assert ask(discover_sectors(None, {"lifts": module(**needed | {name: implementation}), "other": module("other", "other_module")}
                                if name != "sector" else {"lifts": module(sector=implementation)})) == expected


@pytest.mark.parametrize("name", [name for name in HOOKS if name not in ("sector", "results_published")])
def test_a_hook_that_is_not_implemented_gives_nothing(name):
    _, ask, _, nothing, _ = ROUTES[name]
    assert ask(discover_sectors(None, {"lifts": module()})) == nothing


@pytest.mark.parametrize("name", ANSWERED)
def test_only_the_owner_is_asked(name):
    def intruder(**given):
        raise AssertionError("asked")

    source = "def hook({}): intruder()".format(", ".join(HOOKS[name].__code__.co_varnames[: HOOKS[name].__code__.co_argcount]))
    scope = {"intruder": intruder}
    exec(source, scope)
    others = {code: module(code, f"{code}_module", **{name: hookimpl(scope["hook"])}) for code in ("alpha", "zeta")}
    implementation, ask, expected, nothing, _ = ROUTES[name]
    assert ask(discover_sectors(None, others | {"lifts": module(**{name: implementation})})) == expected
    assert ask(discover_sectors(None, others | {"lifts": module()})) == nothing


@pytest.mark.parametrize("name", ANSWERED)
def test_an_owner_that_raises_is_named_without_the_text_of_its_exception(name):
    scope = {}
    exec("def hook({}): raise KeyError('张三 13800000000')".format(", ".join(HOOKS[name].__code__.co_varnames[: HOOKS[name].__code__.co_argcount])), scope)
    found = discover_sectors(None, {"lifts": module(**{name: hookimpl(scope["hook"])})})
    with pytest.raises(WrongMoment) as caught:
        ROUTES[name][1](found)
    assert caught.value.message.startswith(f"业务模块“电梯”（lifts）的 {name} 出错：KeyError（")
    assert caught.value.message.endswith("本次操作没有生效，请联系系统管理员。") and "138" not in caught.value.message
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("name, message", [
    ("pool_rule", "PoolRule.industries 应是文字的列表"),
    ("exclude_from_pool", "返回了不在本批对象中的代码“someone else”"),
    ("adjust_risk", "应返回 dict，返回了 list"),
    ("validate_record", "应返回 Problem 的列表，其中有 str"),
    ("suggest_follow_up", "没有“jail”（自 inspected 起算）这种后续处置"),
    ("public_summary", "公示摘要应是一行、300 字以内的普通文字"),
])
def test_an_owner_that_answers_with_the_wrong_type_is_named(name, message):
    wrong = hookimpl(answering(ROUTES[name][4]))
    with pytest.raises(WrongMoment) as caught:
        ROUTES[name][1](discover_sectors(None, {"lifts": module(**{name: wrong})}))
    assert caught.value.message == f"业务模块“电梯”（lifts）的 {name} 出错：{message}。本次操作没有生效，请联系系统管理员。"


def test_a_wrong_answer_is_in_these_tests_for_every_owner_hook():
    assert all(ROUTES[name][4] is not None for name in ANSWERED)


@pytest.mark.parametrize("pages, message", [
    ([Page("Bad Slug", "x", [])], "页面地址“Bad Slug”只能用小写字母、数字和连字符"),
    ([Page("a", "x", []), Page("a", "y", [])], "页面地址“a”重复"),
    ([Page("a", "x", [Block("html", "<b>")])], "页面“a”里有不认识的内容块"),
    ([Page("a", "x", [Block("table", [["a"], ["b", "c"]])])], "页面“a”里有不认识的内容块"),
    ([Page("a", "x", [Block("figure", [("甲", 1.5)])])], "页面“a”里有不认识的内容块"),
    ([Page("a", "x", 3)], "页面的标题应是文字，内容应是列表"),
    ("pages", "应返回 Page 的列表，返回了 str"),
])
def test_a_sector_with_wrong_pages_is_named_and_the_others_go_on(pages, message):
    bad = module("bad", "bad_module", publication_pages=pages)
    found = discover_sectors(None, {"bad": bad, "lifts": module(publication_pages=[PAGE])})
    assert found.publication_pages(TASK, []) == ([("lifts", PAGE)], [SectorFault("bad", "publication_pages", message)])


def test_a_sector_that_raises_in_tell_is_named_and_the_others_hear():
    def raising(task, count):
        raise OSError

    bad = module("bad", "bad_module", results_published=hookimpl(raising))
    good = module(results_published=hookimpl(lambda task, count: heard.append(count)))
    faults = discover_sectors(None, {"bad": bad, "lifts": good}).results_published(TASK, 5)
    assert [(one.sector, one.hook) for one in faults] == [("bad", "results_published")] and faults[0].message.startswith("OSError（")
    assert heard == [5] and heard.pop()


def test_an_owner_that_is_not_installed_is_said():
    with pytest.raises(WrongMoment, match="业务模块“gas”没有安装或没有启用"):
        discover_sectors(None, {"lifts": module()}).pool_rule(make_task("gas"))


def test_a_batch_above_the_limit_is_an_error_of_the_caller():
    found = discover_sectors(None, {"lifts": module()})
    assert found.exclude_from_pool(TASK, [CANDIDATE] * machinery.MOST_IN_BATCH) == {}
    with pytest.raises(ValueError, match="at most 10000"):
        found.exclude_from_pool(TASK, [CANDIDATE] * (machinery.MOST_IN_BATCH + 1))


@pytest.mark.parametrize("given, message", [
    (PoolRule(kinds=["shop"]), "PoolRule.kinds 里没有“shop”"),
    (PoolRule(scope=["-机械 食品"]), "PoolRule.scope 的每个词组至少要有一个应当出现的词，写在最前"),
    (PoolRule(any_of=1), "PoolRule.any_of 应是 True 或 False"),
    (PoolRule(registers=["lifts.none"]), "PoolRule.registers 里的专项库“lifts.none”不存在"),
    ("5272", "应返回 PoolRule，返回了 str"),
])
def test_a_pool_rule_is_read_closely(given, message):
    with pytest.raises(WrongMoment, match=message):
        discover_sectors(None, {"lifts": module(pool_rule=given)}).pool_rule(TASK)


def test_a_hook_cannot_change_the_record_it_is_shown():
    def changing(record, form):
        record.answers["a"] = "yes"

    with pytest.raises(WrongMoment, match="TypeError"):
        discover_sectors(None, {"lifts": module(validate_record=hookimpl(changing))}).validate_record(RECORD, form())


def test_no_state_stays_between_two_starts():
    discover_sectors("water_heaters", {"water_heaters": plugins.water_heaters})
    assert list(discover_sectors(None, {"lifts": module()}).sectors) == ["lifts"]


def test_a_sector_needs_nothing_but_the_plugin_module():
    shown = {name for hook in HOOKS.values() for note in hook.__annotations__.values() for name in vars(hookspecs) if name in str(note)}
    assert {name for name in shown if name[0].isupper() and name not in ("HOOKS", "Mapping", "Sequence")} <= set(plugin.__all__)
    assert all(hasattr(plugin, name) for name in plugin.__all__)
