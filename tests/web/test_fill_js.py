"""A form in a headless Chromium while it is being filled in: folding, counting, rows of a repeat, live messages."""

import json
from dataclasses import replace

import pytest

from portal.domain.model import Field, Form, Section
from portal.domain.shared import Known
from portal.web.assets import address_of
from portal.web.forms import points_context
from portal.web.pages import build_environment
from tests.domain.test_forms import FORM, TODAY
from tests.public_site.browser import Browser, program
from tests.web.test_rules_js import SCRIPT

pytestmark = pytest.mark.chromium
HOSTILE = Form("x.y", "1", "表", (Section("</script><img src=x>", (
    Field("constructor", "</script><script>throw 1</script>", "text", constraint="regex(., '</script>.*')", message="要以</script>开头"),
    Field("after", "后面", "text", show_if="${constructor} != ''"),
)),))  # fmt: skip


def document(form: Form, answers: dict, **of_visit) -> str:
    """The form as its page has it, with the scripts beside it."""
    environment = build_environment()
    context = points_context(form, answers, TODAY, attach_to="/attach", **of_visit)
    points = environment.get_template("forms/_points.html").render(context)
    rules = environment.from_string("data-rules='{{ rules|tojson }}'").render(context)
    return f'<form id="fill" data-fill data-today="{TODAY}" {rules}>{points}</form>'


@pytest.fixture(scope="module")
def browser():
    if program() is None:
        pytest.skip("needs a Chromium browser")
    with Browser(unseen=True) as opened:
        yield opened


@pytest.fixture
def filling(browser):
    """Opens a form and gives the page."""

    def open_(form: Form, answers: dict, **of_visit):
        page = browser.page(width=390)
        page.value(f"document.body.innerHTML = {json.dumps(document(form, answers, **of_visit))}; 0")
        for script in (SCRIPT, SCRIPT.with_name("fill.js")):
            page.value(script.read_text(encoding="utf-8").replace("const formRules", "globalThis.formRules") + "; 0")
        page.value("""globalThis.set = (name, value) => {
          const found = [...document.getElementsByName(name)], one = found.find((each) => each.value === value) ?? found[0];
          if (one.type === "radio" || one.type === "checkbox") one.checked = !one.checked; else one.value = value;
          one.dispatchEvent(new Event("change", {bubbles: true}));
        };
        globalThis.seen = (id) => document.getElementById(id).closest("[hidden]") === null;
        globalThis.sent = () => [...new FormData(document.getElementById("fill"))].filter((pair) => pair[1] !== "" && !pair[0].startsWith("_file.")); 0""")
        return page

    return open_


def test_points_fold_and_what_is_folded_is_not_sent_and_comes_back(filling):
    page = filling(FORM, {})
    assert [page.value(f"seen('{name}')") for name in ("f-ccc", "f-facts", "f-machines")] == [True, False, False]
    page.value("set('ccc', 'no'); set('facts', '没有标志'); 0")
    assert page.value("seen('f-facts') && seen('f-machines')") and ["facts", "没有标志"] in page.value("sent()")
    page.value("set('ccc', 'yes'); 0")
    assert not page.value("seen('f-facts')") and page.value("sent()") == [["ccc", "yes"]]
    page.value("set('ccc', 'no'); 0")
    assert ["facts", "没有标志"] in page.value("sent()")


def test_rows_open_count_and_fold_by_themselves(filling):
    page = filling(FORM, {"ccc": "yes"})
    total = "document.querySelector('#f-total output').textContent"
    rows = "[...document.querySelectorAll('[data-row] > summary')].map((one) => one.textContent)"
    assert (page.value(total), page.value(rows)) == ("0", ["增加一行"])
    page.value("set('machines.0.number', 'A1'); set('kind', 'a'); set('machines.0.old', 'no'); 0")
    assert page.value(rows) == ["第 1 行", "增加一行"]
    reason = "[...document.querySelectorAll('[data-child=reason]')].map((one) => !one.hidden)"
    assert page.value(reason) == [True, False]
    page.value("set('machines.1.number', 'A2'); 0")
    assert page.value("document.getElementsByName('machines.1.old')[0].closest('[data-row]').dataset.row") == "1"
    assert page.value(rows) == ["第 1 行", "第 2 行", "增加一行"] and page.value(reason) == [True, False, False]
    page.value("set('machines.2.number', 'A3'); 0")
    assert page.value(rows) == ["第 1 行", "第 2 行", "第 3 行"] and page.value(total) == "3"  # three are the most
    assert [pair for pair in page.value("sent()") if pair[0].endswith("number")] == [[f"machines.{n}.number", f"A{n + 1}"] for n in range(3)]


def test_a_row_to_be_deleted_counts_no_more(filling):
    page = filling(FORM, {"ccc": "yes", "machines": [{"number": "1"}, {"number": "2"}]})
    total = "document.querySelector('#f-total output').textContent"
    before = page.value(total)
    page.value("set('_drop.machines.0', '1'); 0")
    assert ["_drop.machines.0", "1"] in page.value("sent()")
    assert int(before) - int(page.value(total)) == 1


def test_a_broken_rule_is_said_at_once_and_goes_when_it_holds(filling):
    page = filling(FORM, {})
    told = "[...document.querySelectorAll('[data-live]')].map((one) => one.textContent)"
    page.value("set('stock', '-1'); set('made_on', '2027-01-01'); 0")
    assert page.value(told) == ["库存不能是负数。", "不符合填写要求，请检查后修改。"]
    page.value("set('stock', '5'); set('made_on', '2026-06-15'); 0")
    assert page.value(told) == []


def test_what_another_form_fixed_counts_and_is_not_sent(filling):
    once = {"kind": ("a.b", FORM.code), "parts": ("a.b", FORM.code), "ccc": ("a.b", FORM.code), "signed": ("a.b", FORM.code)}
    there = {"ccc": Known("no", "a.b", True), "signed": Known(["F-1"], "a.b", True)}
    form = replace(FORM, sections=(*FORM.sections, Section("签名", (
        Field("signed", "签名", "signature"), Field("after", "签名以后", "text", show_if="count(${signed}) = 1")))))
    page = filling(form, {"ccc": "no", "signed": ["F-1"]}, names=once, known=there, titles={"a.b": "另一张表"})
    assert page.value("seen('f-facts') && seen('f-after')") and page.value("sent()") == []
    assert page.value("document.getElementsByName('ccc')[0].closest('fieldset').disabled")
    page.value("set('facts', '没有标志'); set('after', 'x'); 0")
    assert page.value("sent()") == [["facts", "没有标志"], ["after", "x"]]
    said = page.value("[...document.querySelectorAll('.once')].map((one) => one.textContent)")
    assert said.count("本次入企已填，见《另一张表》") == 2 and set(said) == {"本次入企已填，见《另一张表》", "各表共用，只问一次"}


def test_hostile_words_stay_words(filling):
    page = filling(HOSTILE, {})
    assert not page.value("seen('f-after')") and page.value("document.images.length") == 0
    page.value("set('constructor', 'x'); 0")
    assert page.value("seen('f-after')") and page.value("document.querySelector('[data-live]').textContent") == "要以</script>开头"
    assert page.complaints == []


STORE = """(() => { const all = new Map(Object.entries(%s));
  Object.defineProperty(window, "sessionStorage", {value: {getItem: (k) => all.get(k) ?? null, setItem: (k, v) => all.set(k, v), removeItem: (k) => all.delete(k)}}); })(); 0"""


@pytest.mark.parametrize(("who", "version", "comes_back"), [("li", "3", True), ("wang", "3", False), ("li", "2", False)])
def test_what_was_typed_comes_back_to_the_same_person_and_version_only(filling, who, version, comes_back):
    page = filling(FORM, {"ccc": "yes"})
    typed = [["ccc", "no"], ["facts", "没有标志"], ["machines.0.number", "A1"], ["machines.1.number", "A2"]]
    kept = json.dumps({"who": "li", "version": "3", "typed": typed}, ensure_ascii=False)
    page.value(STORE % json.dumps({"typed blank": kept}))
    page.value(f"""document.getElementById("fill").dataset.keep = {who!r};
      document.body.insertAdjacentHTML("beforeend", '<input type="hidden" name="_version" value="{version}" form="fill">'); 0""")
    page.value(SCRIPT.with_name("keep.js").read_text(encoding="utf-8") + "; 0")
    sent = [pair for pair in page.value("sent()") if pair[0] != "_version"]
    assert sent == (typed if comes_back else [["ccc", "yes"]])
    assert page.value("document.body.textContent.includes('没有来得及保存的内容已经放回')") == comes_back
    assert (page.value("sessionStorage.getItem('typed blank')") is not None) == comes_back, "what belongs to others is forgotten"
    page.value("set('ccc', 'na'); 0")
    assert json.loads(page.value("sessionStorage.getItem('typed blank')"))["typed"][0] == ["ccc", "na"]


def test_the_pages_scripts_have_addresses():
    assert all(address_of(name).endswith(name) for name in ("rules.js", "fill.js", "keep.js"))
