from datetime import date

import pytest

import plugins.product_quality
from plugins.product_quality import GRAVE, PRODUCTS
from plugins.product_quality.forms import MARKET_POINTS, SAMPLING_POINTS
from portal.domain.forms import public_answers
from portal.testing import TODAY, answer_all, assert_accepted, assert_points, load_sector, make_candidate, make_record, make_task, problems_of

SECTORS = load_sector(plugins.product_quality)
SAMPLING, MARKET = "product_quality.sampling", "product_quality.market"
SPOT, RESULT, SELLER = (SECTORS.form(f"product_quality.{name}") for name in ("sample", "result", "seller"))
SIGNED = {"presence": "open", "contact_person": "质量负责人", "refused": "no", "signature": ["s1"]}
SAMPLE = {"product_code": "P1", "product_name": "燃气灶 JZT-1", "batch": "20260401", "standard": "GB 16410", "base": 40, "taken": 3, "kept": 1, "seal": "F-01"}


def spot(*samples, **changed):
    own = {"samples": list(samples)} if samples else {}
    own |= {"paid": "bought", "kept_at": "lab"} if samples else {}
    return answer_all(SPOT, "yes", SIGNED | own | changed)


def wrong_spot(answers, outcome="", **given):
    """`outcome` empty: 待检验结果, of which a sector sees that the item has none."""
    items = [SAMPLING] if outcome else []
    return problems_of(SECTORS, SPOT, answers, outcome or "none", items, **given)


def row(seal="F-01", **changed):
    return {"sealed": seal, "conclusion": "pass"} | changed


def bad(seal="F-01", **changed):
    return row(seal, conclusion="fail", failed_items="热效率", severe="no") | changed


def result(*rows, **changed):
    own = {"lab": "省质检院", "report": "W2026-1", "received_on": "2026-05-01", "results": list(rows) or [row()], "told_on": "2026-05-02", "objection": "none"}
    return own | changed


def wrong(answers, outcome="none", samples=(SAMPLE,), today=TODAY, **before):
    seen = {"samples": list(samples)} | before
    return problems_of(SECTORS, RESULT, answers, outcome, [SAMPLING], today, before=seen, inspected_on=today)


def kinds(answers, outcome, **before):
    return [one.kind for one in SECTORS.suggest_follow_up(make_record([SAMPLING], answers, outcome, before={"samples": [SAMPLE]} | before), RESULT)]


def test_items_have_basis_validity_form_qualification_and_names():
    for item in SECTORS.items:
        assert item.basis and item.valid_from and item.form and item.guide and isinstance(item.qualification, str)
    sampling = SECTORS.item(SAMPLING)
    assert (sampling.form, sampling.later_form) == (SPOT.code, RESULT.code)
    assert [item.code for item in SECTORS.items_named("产品质量监督抽查")] == [SAMPLING]
    names = [name for item in SECTORS.items for name in {item.name, *item.aliases}]
    assert len(names) == len(set(names))
    for points, form in ((SAMPLING_POINTS, SPOT), (MARKET_POINTS, SELLER)):
        assert list(points) == [field.name for field in form.fields() if field.type == "verdict"]
        assert all(field.basis and field.guide for field in form.fields() if field.type == "verdict")


def test_sampled_products_wait_for_their_result():
    assert_accepted(wrong_spot(spot(SAMPLE)))
    assert_points(wrong_spot(spot(SAMPLE), "none"), SAMPLING)
    assert_points(wrong_spot(spot()), "samples")
    assert_accepted(wrong_spot(spot(), "none"))
    assert SECTORS.public_summary(make_record([], spot(SAMPLE)), SPOT) == "产品质量监督抽查：已经抽样，待检验结果。"
    gone = {"presence": "not_operating", "presence_note": "已停产"}
    assert_accepted(wrong_spot(gone, "not_operating"))
    assert_points(wrong_spot(gone), "presence")


@pytest.mark.parametrize("change, name", [
    ({"taken": 41}, "taken"), ({"kept": 3}, "kept"), ({"base": 0}, "base"), ({"seal": "F 01"}, "seal"), ({"standard": ""}, "standard"),
])
def test_a_sample_is_written_down_whole(change, name):
    # what does not fit the base does not fit the number taken either
    assert name in {one.field for one in wrong_spot(spot(SAMPLE | change))}


def test_every_drawn_product_is_sampled_or_its_absence_explained():
    assert_accepted(wrong_spot(spot(SAMPLE), drawn=("P1",)))
    problems = wrong_spot(spot(SAMPLE), drawn=("P1", "P2"))
    assert_points(problems, "samples")
    assert "P2 既没有抽样" in problems[0].message
    missed = {"missed_code": "P2", "missed_why": "stopped"}
    assert_accepted(wrong_spot(spot(SAMPLE, unsampled=[missed]), drawn=("P1", "P2")))
    assert_points(wrong_spot(spot(SAMPLE, unsampled=[missed | {"missed_code": "P1"}]), drawn=("P1",)), "unsampled")
    assert_points(wrong_spot(spot(SAMPLE, SAMPLE | {"product_code": "P2"}), drawn=("P1", "P2")), "seal")


def test_every_sample_has_one_conclusion():
    two = (SAMPLE, SAMPLE | {"seal": "F-02"})
    assert_accepted(wrong(result(row(), row("F-02")), samples=two))
    assert_points(wrong(result(row()), samples=two), "results")
    assert_points(wrong(result(row(), row("F-03"))), "sealed")
    assert_points(wrong(result(row(), row())), "sealed")


def test_a_failed_sample_gives_fifteen_days_to_ask_for_a_retest():
    answers = result(bad(), told_on="2026-05-10")
    assert_points(wrong(answers, "rectified", today=date(2026, 5, 25)), "objection")
    assert_accepted(wrong(answers, "rectified", today=date(2026, 5, 26)))
    assert_points(wrong(answers, today=date(2026, 5, 26)), "results")
    assert kinds(answers, "rectified") == ["rectify", "recheck"]
    assert_points(wrong(result(row(), objection="refused", refused_why="过期")), "objection")


def test_a_retest_goes_before_the_first_test_and_is_made_elsewhere():
    again = {"objection": "retested", "retest_lab": "国家质检中心", "retests": [{"resealed": "F-01", "reconclusion": "pass"}]}
    assert_accepted(wrong(result(bad(), **again)))
    assert_points(wrong(result(bad(), **again), "rectified"), SAMPLING)
    assert_points(wrong(result(bad(), **again | {"retest_lab": "省质检院"})), "retest_lab")
    assert_points(wrong(result(row(), bad("F-02"), **again), samples=(SAMPLE, SAMPLE | {"seal": "F-02"}), outcome="pending"), "resealed")
    still = again | {"retests": [{"resealed": "F-01", "reconclusion": "fail"}]}
    assert_points(wrong(result(bad(), **still)), "results")
    assert_accepted(wrong(result(bad(), **still), "rectified"))
    assert SECTORS.public_summary(make_record([SAMPLING], result(bad(), **again)), RESULT) == (
        "产品质量监督抽查：检验1批次，初检不合格1批次。不合格项目：热效率。经复检，1批次中1批次合格。"
    )


def test_severe_failures_and_forbidden_goods_go_to_the_case_office():
    answers = result(bad(severe="yes"))
    assert_points(wrong(answers, "rectified"), SAMPLING)
    assert_accepted(wrong(answers, "pending"))
    assert kinds(answers, "pending") == ["rectify", "recheck", "case"]
    assert_points(wrong(result(), "rectified", forbidden="no"), SAMPLING)
    assert_accepted(wrong(result(), "pending", forbidden="no"))
    assert_points(wrong(result(), marking="no"), "results")
    assert_accepted(wrong(result(), "rectified", marking="no"))
    told = spot(SAMPLE, forbidden="no", forbidden_note="冒用厂名 12 台")
    assert [one.kind for one in SECTORS.suggest_follow_up(make_record([], told), SPOT)] == ["case"]


def test_dates_run_forwards():
    assert_points(wrong(result(received_on="2027-01-01", told_on="2027-01-02")), "received_on", "told_on")
    assert_points(wrong(result(told_on="2026-04-30")), "told_on")


def test_what_is_public_of_a_result_names_no_seal():
    shown = public_answers(RESULT, result(bad()))
    assert shown["results"] == [{"conclusion": "fail", "failed_items": "热效率"}] and "told_on" not in shown
    assert "samples" not in public_answers(SPOT, spot(SAMPLE))


@pytest.mark.parametrize("name", MARKET_POINTS)
def test_a_seller_is_checked_on_the_spot(name):
    more = {"removed": "灶具 2 台"} if name in GRAVE else {}
    answers = answer_all(SELLER, "yes", SIGNED | {name: "no", f"{name}_note": "货架查见"} | more)
    assert_points(problems_of(SECTORS, SELLER, answers, "none", [MARKET]), name)
    assert_accepted(problems_of(SECTORS, SELLER, answers, "pending", [MARKET]))
    found = [one.kind for one in SECTORS.suggest_follow_up(make_record([MARKET], answers, "pending"), SELLER)]
    assert found == (["case"] if name in GRAVE else ["other"])
    assert "不合格1项" in SECTORS.public_summary(make_record([MARKET], answers, "pending"), SELLER)


def test_pools_and_what_they_leave_out():
    sampling = make_task("product_quality", items=(SAMPLING,))
    rule = SECTORS.pool_rule(sampling)
    assert (rule.kinds, rule.registers) == (("object",), (PRODUCTS,))
    assert SECTORS.pool_rule(make_task("product_quality", items=(MARKET,))).industries
    rows = [
        {"category": "燃气灶"}, {"category": "燃气灶", "state": "停产"}, {"category": "燃气灶", "sampled_by": "省级", "sampled_on": "2026-03-01"},
        {"category": "燃气灶", "sampled_by": "省级", "sampled_on": "2025-03-01"}, {"category": "燃气灶", "sampled_by": "县级", "sampled_on": "2026-03-01"},
    ]
    batch = [make_candidate(f"P{n}", kind="object", attributes={PRODUCTS: [one]}) for n, one in enumerate(rows, 1)]
    assert SECTORS.exclude_from_pool(sampling, batch) == {"P2": "产品已停产、停止销售", "P3": "上级半年内已抽查同一产品，不重复抽查"}
    assert SECTORS.exclude_from_pool(make_task("product_quality", items=(MARKET,)), batch) == {}
