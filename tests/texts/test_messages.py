"""Messages are found where they stand, and a sentence finds its message again."""

import pytest
from jinja2 import Environment, StrictUndefined, UndefinedError
from markupsafe import Markup

from portal.texts import files, sources
from portal.texts.catalogue import Catalogue
from portal.texts.messages import HAN, check_wording, split
from portal.texts.runs import Speech, rewrite, speak
from portal.web.pages import build_environment

BARE = Environment(trim_blocks=True, lstrip_blocks=True)


@pytest.mark.parametrize(("source", "wanted"), [
    ("<p>登录</p>", ["登录"]),
    ("<p>\n  共 {{ n }} 户，{{ a.b|day }}起\n  办理。</p>", ["共 {n} 户，{b}起 办理。"]),
    ("<p>{{ n }}{% if n %}户{% else %}没有{% endif %}</p>", ["户", "没有"]),
    ("<p>{{ x }} {{ x.y }} {{ x }}至{{ call(x) }}</p>", ["{x} {y} {x2}至{call}"]),
    ("<a title=\"标题\" aria-label='选择 {{ row.name }}' href=\"/中文\" data-x=\"数据\">去</a>", ["标题", "选择 {name}", "去"]),
    ("<input value=\"值\" name=\"名\" placeholder=\"提示\">", ["提示"]),
    ("<textarea>写的 {{ x }}</textarea><script>\"脚本\"</script>后面", ["后面"]),
    ("<option>现场</option><option value=\"1\"{% if x %} selected{% endif %}>一</option>", ["一"]),
    ("<p class=\"small lines-kept\">照原样 {{ x }}</p><p>不是</p>", ["不是"]),
    ("<h1 translate=\"no\">照原样 {{ x }}</h1><h2 class=\"a\" translate='no'>甲</h2>乙", ["乙"]),
    ("<img{% if x %} alt=\"图\"{% else %} value=\"图\">文{% endif %}", ["图", "文"]),
    ("{# 注释 #}<!-- x -->甲{# 乙 #}丙", ["甲丙"]),
    ("{{ '是' if x else '否' }}{{ '第 ' ~ x.n ~ ' 行' }}{{ '%d 家'|format(n) }}", ["是", "否", "第 {n} 行", "{value} 家"]),
    ("{% if x == '存续' %}{% endif %}{{ y|replace('个', '') }}", []),
    ("<p>{大括号} {{ n }}</p>", ["{{大括号}} {n}"]),
    ("<p>{{ a }}、{{ b }}：</p>", ["{a}、{b}："]),
])  # fmt: skip
def test_a_template_s_messages(source, wanted):
    assert [one.msgid for one in sources.in_template(BARE, source, "x.html")] == wanted


def test_a_message_knows_its_line():
    found = sources.in_template(BARE, "<p>甲</p>\n\n<p>\n  乙 {{ n }}\n</p>{{ '丙' }}", "x.html")
    assert [(one.msgid, one.line) for one in found] == [("甲", 1), ("乙 {n}", 4), ("丙", 5)]


@pytest.mark.parametrize(("source", "wanted"), [
    ('"""文档"""\nx = "登录"', ["登录"]),
    ("def f():\n    '文档'\n    return f'共 {len(rows):,} 户{\"，\" + why if why else \"。没有\"}'", ["共 {rows} 户{value}", "。没有"]),
    ("say(f'{a.name}把{b[\"code\"]}交给{a.name}')", ["{name}把{code}交给{name2}"]),
    ("x = '合计' + str(n) + '户'", ["合计{n}户", "合计", "户"]),
    ("'参数 {0} 不能是“{1}”'.format(a, b)", ["参数 {value} 不能是“{value2}”"]),
    ("if status == '存续' or status in ('注销', '吊销'):\n    pass", []),
    ("x = f\"SELECT a FROM {t} WHERE b = '存续'\"", []),
    ("RULE = re.compile('[省市县]')", []),
    ("x = '{' + '花括号{中'", ["{{花括号{{中", "花括号{{中"]),
    ("x = 'plain'", []),
])  # fmt: skip
def test_a_module_s_messages(source, wanted):
    assert [one.msgid for one in sources.in_module(source, "x.py")] == wanted


def test_every_template_of_the_portal_is_said_in_full():
    """What is not rendered by the tests of pages too: no Chinese is left between the messages of a template."""
    left = []
    for file in sources.TEMPLATES.rglob("*.html"):
        tokens = rewrite(BARE._tokenize(file.read_text("utf-8"), None), lambda message, _: "".join(f"{{{name}}}" for _, name in split(message) if name))
        left += [(file.name, token.lineno, token.value) for token in tokens if token.type == "data" and HAN.search(token.value)]
    assert left == []


WORDED = Catalogue({
    "登录": "Log in", "甲方": "Party A", "乙方": "Party B", "没有填写。": "is empty.", "登录名": "Login", "、": ", ", "合计": "Total",
    "没有编号为“{code}”的轮次。": "No round “{code}”.", "第 {n} 行": "Row {n}", "由{name}于 {on} 提出：{why}。": "{on}: {name} asked: {why}.",
    "{month}月{day}日": "{month}/{day}", "花{{括}}号": "bra{{ce}}s",
    "{title} {count} 件": "{count} of {title}", "{n} 天内到期": "due in {n} days",
}, "en")  # fmt: skip


@pytest.mark.parametrize(("said", "wanted"), [
    ("登录", "Log in"), ("  登录\n", "  Log in\n"), ("登录吧", "登录吧"), ("", ""), ("abc", "abc"), ("花{括}号", "bra{ce}s"),
    ("没有编号为“R-01”的轮次。", "No round “R-01”."),
    ("没有编号为“登录”的轮次。", "No round “Log in”."),  # a value is looked up too
    ("由甲方于 6月9日 提出：门口。没有灯。", "6/9: Party A asked: 门口。没有灯."),
    ("5 天内到期 3 件", "3 of due in 5 days"),  # it has a space of its own
    ("第 3 行", "Row 3"), ("第 甲方 行", "Row Party A"),
    ("第 一 行", "第 一 行"),  # too little of our own: may be anybody's words
    ("在五月或者六月的第一个工作日", "在五月或者六月的第一个工作日"),
    ("甲方、乙方", "Party A, Party B"), ("甲方、丙方", "甲方、丙方"), ("合计 10 / 13", "Total 10 / 13"),
    ("“登录名”没有填写。", '"Login" is empty.'), ("“天气”没有填写。", '"天气" is empty.'),
    ("望溪县聚佳商贸有限公司", "望溪县聚佳商贸有限公司"),
])  # fmt: skip
def test_a_sentence_finds_its_message(said, wanted):
    assert WORDED.say(said) == wanted


def test_what_is_no_sentence_is_left_as_it_is():
    markup = Markup("登录")
    assert WORDED.say(markup) is markup and WORDED.say(3) == 3 and WORDED.say(None) is None
    for typed in ("登录" * 2000, *(one * (490 // len(one)) for one in ("。", "：", "甲：", "、 甲方", "“", "“登录”", "没有编号为“", "由甲于 甲提出：", "　登录。"))):
        assert isinstance(WORDED.say(typed), str) and len(WORDED.say(typed)) >= len(typed.strip()), typed[:9]


def test_a_template_speaks_the_wording_and_escapes_it():
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    speak(environment, Catalogue({"共 {n} 户 {who}": "{who} <has> {n} \"firms\" & more", "登录": "<Log in>"}))
    page = environment.from_string("<p title=\"共 {{ n }} 户 {{ who }}\">共 {{ n }} 户 {{ who }}</p><input value=\"{{ x }}\">{{ x }}{{ '' if n }}{{ 1 if not n }}")
    said = page.render(n=3, who="<李>", x="登录")
    assert said == (
        '<p title="&lt;李&gt; &lt;has> 3 &quot;firms&quot; &amp; more">&lt;李&gt; &lt;has> 3 "firms" &amp; more</p><input value="登录">&lt;Log in&gt;'
    )
    with pytest.raises(UndefinedError):
        environment.from_string("<p>共 {{ missing }} 户</p>").render()


def test_without_a_catalogue_templates_are_compiled_as_they_are():
    assert Speech.identifier not in build_environment().extensions and "say" not in build_environment().filters


@pytest.mark.parametrize(("msgid", "wording", "wrong"), [
    ("共 {n} 户", "{n} in all", ""), ("{a}至{b}", "{b} back to {a}, {b}", ""), ("登录", "Log {{in}}", ""),
    ("共 {n} 户", "in all", "缺少 {n}"), ("共 {n} 户", "{m}{n}", "原文没有 {m}"), ("共 {n} 户", "{N}", "缺少 {n}，原文没有 {N}"),
    ("登录", "Log {in", "花括号"), ("登录", "Log }", "花括号"), ("共 {n} 户", "{n:,}", "花括号"), ("共 {n} 户", "{n.__class__}", "花括号"),
])  # fmt: skip
def test_a_wording_has_the_values_of_its_message(msgid, wording, wrong):
    said = check_wording(msgid, wording)
    assert wrong in said if wrong else said == ""


def test_the_english_that_ships_is_right_and_says_little_that_is_gone():
    read = files.read_catalogue(files.SHIPPED / "en" / "LC_MESSAGES" / "portal.po")
    wrong, counts = files.check_catalogue(read, sources.all_messages())
    known = {one.msgid for one in sources.all_messages()}
    gone = [entry.msgid for entry in read.entries if entry.msgid not in known]
    assert len(gone) <= 20, gone  # a few may wait for whoever next looks after the English
    assert wrong == [] and counts["unknown"] == len(gone) and len(read.entries) > 1000 and read.language == "en"
    assert [entry.msgid for entry in read.entries if HAN.search(entry.wording)] == []


def test_each_source_gives_its_messages():
    found = sources.all_messages()
    kinds = {"templates/": 2000, "portal/web/": 400, "portal/steps/": 700, "portal/domain/": 1000, "portal/cli/": 600, "portal/store/": 60, "portal/web/static/": 5}
    for start, least in kinds.items():
        assert sum(one.file.startswith(start) for one in found) >= least, start
    assert not [one for one in found if check_wording(one.msgid, one.msgid) or one.msgid != one.msgid.strip()]
    assert list(found) == sorted(found, key=lambda one: (one.file, one.line))
