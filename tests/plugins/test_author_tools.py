"""portal.testing: what an author's test sees is what the portal would say, and what must not be public fails the test."""

import pytest

from portal.domain.errors import WrongMoment
from portal.plugin import Block, CheckItem, Column, Field, FollowUp, Page, PoolRule, Register, hookimpl
from portal.testing import (
    adjusted, assert_points, drawn_from, excluded, follow_ups_of, items_of, load_sector, made_pages, make_candidate, make_published, make_record,
    make_task, pool_rule_of, problems_of, public_words,
)
from tests.plugins.made import form, item, module

TASK = make_task("lifts", items=("lifts.use",))
FIELDS = [Field("a", "甲", public=True), Field("who", "现场人员", "text")]


def loaded(**hooks):
    return load_sector(module(**{"inspection_forms": [form(fields=FIELDS)], "check_items": [item()]} | hooks), "lifts")


def test_who_is_drawn_follows_every_part_of_the_rule():
    rule = PoolRule(types=["企业"], industries=["52"], tags=["电梯"], registers=["lifts.r"])
    sectors = loaded(pool_rule=rule, registers=[Register("lifts.r", "库", [Column("n", "号")])])
    good = {"type": "企业", "industries": ("5272",), "tags": ("电梯",), "attributes": {"lifts.r": []}}
    wrong = [{"type": "个体工商户"}, {"industries": ("1411",)}, {"tags": ()}, {"attributes": {}}, {"kind": "site"}]
    batch = [make_candidate("GOOD", **good), *(make_candidate(f"W{n}", **good | one) for n, one in enumerate(wrong))]
    assert drawn_from(sectors, TASK, batch) == ["GOOD"]
    assert drawn_from(sectors, make_task("lifts", types=("农民专业合作社",)), batch) == []
    assert pool_rule_of(loaded(), TASK) == PoolRule() and len(drawn_from(loaded(), TASK, batch)) == 5, "without a rule every entity"


def test_a_reason_that_is_no_line_of_text_fails_the_test():
    batch = [make_candidate("C")]
    assert excluded(loaded(exclude_from_pool=hookimpl(lambda task, batch: {"C": "停业。"})), TASK, batch) == {"C": "停业。"}
    for reason in ("  ", "两\n行", "甲\t乙", "长" * 201, "甲\u202e"):
        with pytest.raises(WrongMoment, match="“C”的值应是一行、200 字以内的普通文字"):
            excluded(loaded(exclude_from_pool=_answering({"C": reason})), TASK, batch)


def _answering(answer):
    @hookimpl
    def exclude_from_pool(task, batch):
        return answer

    return exclude_from_pool


def test_a_wrong_answer_is_the_sentence_a_user_would_read():
    with pytest.raises(WrongMoment, match="adjust_risk 出错：应返回 dict，返回了 str"):
        adjusted(loaded(adjust_risk="D"), TASK, [make_candidate()])
    with pytest.raises(WrongMoment, match="没有“jail”"):
        follow_ups_of(loaded(suggest_follow_up=[FollowUp("jail")]), form(fields=FIELDS), make_record(["lifts.use"], {}))


def test_a_public_sentence_with_a_private_answer_fails_the_test():
    record = make_record(["lifts.use"], {"a": "yes", "who": "张三丰经理"})
    shown = form(fields=FIELDS)
    assert public_words(loaded(public_summary="未发现问题。"), shown, record) == "未发现问题。"
    with pytest.raises(AssertionError, match="private answer of who"):
        public_words(loaded(public_summary="张三丰经理在场。"), shown, record)


def test_a_wrong_page_fails_the_test():
    published = [make_published("E", outcomes={"lifts.use": "none"})]
    assert published[0].items == ("lifts.use",)
    page = Page("lifts", "电梯", [Block("text", "一")])
    assert made_pages(loaded(publication_pages=[page]), TASK, published) == [page]
    with pytest.raises(AssertionError, match="lifts.publication_pages: 页面地址“Lifts”"):
        made_pages(loaded(publication_pages=[Page("Lifts", "电梯", [])]), TASK, published)


def test_items_of_a_form_stand_in_where_none_are_named():
    sectors = loaded(check_items=[item(), CheckItem("lifts.more", "1", "类", "项", "lifts.check", item().basis, qualification="", valid_from=item().valid_from)])
    assert items_of(sectors, sectors.forms[0]) == ["lifts.more", "lifts.use"]
    required = load_sector(module(inspection_forms=[form(fields=[Field("a", "甲", required=True)])]), "lifts")
    assert_points(problems_of(required, required.forms[0], {}), "a")
