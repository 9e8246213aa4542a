"""Documents to one addressee: what they say, that they fit their pages, and the same bytes each time."""

import pytest

from portal.domain.documents import KINDS
from portal.prints.render import TEMPLATES

from .pdf_reading import page_count, text_of

ABOUT = {
    "bureau": {"name": "晋江市市场监督管理局"}, "demo": False, "as_of": "2026-07-03", "base_url": "https://amr.example.gov.cn/sjgk", "word": "晋市监",
    "contact": "信用监管科　0595-82000000", "site": "https://amr.example.gov.cn/sjgk", "review": "", "court": "晋江市人民法院",
}  # fmt: skip
NAMED = {
    "number": "晋市监检通〔2026〕3号", "entity_name": "晋江市潮声里餐饮管理有限公司", "entity": "91350582MA0000007P", "address": "梅岭街道和平路1号", "place": "", "visit": "350582-2026-R01_1",
    "inspectors": [{"name": "沈听雨", "certificate": "闽350582001", "unit": "晋江市市场监督管理局"}, {"name": "吴望溪", "certificate": "闽350582002", "unit": "梅岭市场监督管理所"}],
}  # fmt: skip
ITEM = {"code": "catering.check", "name": "餐饮服务监督检查", "methods": ["现场检查"], "basis": ["《食品安全法》第三十三条、第五十五条"]}


def notice(**changes):
    groups = [{"department": "信用监管科", "items": [{**ITEM, "name": f"登记事项检查之{n}"} for n in range(4)]}, {"department": "晋江市教育局　基础教育科", "items": [ITEM]}]
    return "check_notice.html", {**NAMED, "day": "2026-07-06", "groups": groups, "tasks": ["餐饮"], "round": "350582-2026-R01", "round_title": "2026年第一批抽查", "split": "", "external": False} | changes


def result(**changes):
    outcomes = [{"name": "餐饮服务监督检查", "outcome": "发现问题已责令改正", "basis": []}, {"name": "餐饮具抽样检验", "outcome": "待检验结果", "basis": []}]
    return "outcome_notice.html", {
        **NAMED, "inspected_on": "2026-07-06", "methods": ["实地核查"], "outcomes": outcomes, "problems": [{"label": "许可证在显著位置公示", "basis": ["《食品安全法》第三十五条"]}],
        "follow_ups": [{"kind": "rectify", "note": "公示许可证。", "due_on": "2026-07-24"}], "awaited": True,
    } | changes  # fmt: skip


def order(**changes):
    return "rectify_order.html", {
        **NAMED, "inspected_on": "2026-07-06", "items": [{"name": "餐饮服务监督检查", "outcome": "发现问题已责令改正"}], "points": [{"label": "许可证在显著位置公示", "basis": []}],
        "laws": ["《食品安全法》第三十五条"], "note": "公示许可证。", "due_on": "2026-07-24", "arrived_at": "",
    } | changes  # fmt: skip


def printed(printer, made):
    return printer.render("x", made[0], {"about": ABOUT, "paper": made[1]})


def test_a_notice_says_what_by_whom_and_when_and_has_its_rights_on_one_page(printer):
    pdf = printed(printer, notice())
    text = text_of(pdf)
    for words in (
        "双随机检查通知书", "晋市监检通〔2026〕3号", "晋江市潮声里餐饮管理有限公司：", "定于2026年7月6日", "检查5个事项，一次完成", "晋江市教育局", "闽350582002", "梅岭市场监督管理所",
        "权利义务告知", "少于两人，或者未出示执法证件的，你单位有权拒绝检查", "《食品安全法》第三十三条、第五十五条", "amr.example.gov.cn/sjgk/tasks/350582-2026-R01.html", "收件人", "0595-82000000",
    ):  # fmt: skip
        assert "".join(words.split()) in text, words
    assert page_count(pdf) == 4 and pdf == printed(printer, notice())
    part = text_of(printed(printer, notice(split="检验人员当日不能到场", external=True, groups=[{"department": "", "items": [ITEM]}])))
    assert "分两次进行，原因：检验人员当日不能到场" in part and "列入2026年第一批抽查检查名单" in part and "一次完成" not in part


def test_results_and_orders_say_what_follows_and_an_order_fits_one_page(printer):
    text = text_of(printed(printer, result()))
    for words in ("检查结果告知书", "待检验结果的事项，结果确定后另行告知", "许可证在显著位置公示（《食品安全法》第三十五条）", "责令改正，期限至2026年7月24日。公示许可证。", "20个工作日"):
        assert words in text, words
    clean = text_of(printed(printer, result(problems=[], follow_ups=[], awaited=False)))
    assert "二、后续处置无需后续处置。" in clean and "不符合要求" not in clean
    pdf = printed(printer, order())
    text = text_of(pdf)
    for words in ("责令改正通知书", "不符合“许可证在显著位置公示”的要求", "现责令你单位于2026年7月24日前改正", "向有管辖权的行政复议机关申请行政复议", "向晋江市人民法院提起行政诉讼"):
        assert words in text, words
    assert page_count(pdf) == 1
    assert "现责令你单位立即改正" in text_of(printed(printer, order(due_on="", points=[])))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_template(kind):
    assert (TEMPLATES / KINDS[kind].template).exists()
