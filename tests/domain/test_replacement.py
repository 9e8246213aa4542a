"""补抽 as a file: what is replaced, by whom, and every way such a file can be wrong."""

import json
from datetime import date

import pytest

from portal.domain import draw, recompute, replacement
from portal.domain.bundle import canonical
from portal.domain.errors import BadInput
from tests.domain.draw_fixture import secret
from tests.domain.replaced import DAY, EVIDENCE, MORE, files_of, order_of, replaced

OPEN = replaced("open")


def test_a_replacement_is_recomputed_with_the_bundle():
    for kind in ("open", "sealed"):
        recompute.require_bundle(replaced(kind))


def test_beyond_the_reserve_the_order_goes_on_and_struck_next_ones_are_passed_over():
    files = files_of("open")
    outcome = recompute.draw_round(files)
    order = order_of(files, outcome)
    row = outcome.result["T1"]["strata"]["*"]
    drawn, reserve = row["drawn"], row["reserve"]
    found = replacement.replace_tasks("sha256", outcome.draw_key, files, outcome.result, {drawn[1], *reserve})
    assert found["T1"] == [("*", drawn[1], order[len(drawn) + len(reserve)])]
    assert replacement.beyond_reserve(outcome.result, found)
    near = replacement.replace_tasks("sha256", outcome.draw_key, files, outcome.result, {drawn[1], reserve[0]})
    assert near["T1"] == [("*", drawn[1], reserve[1])] and not replacement.beyond_reserve(outcome.result, near)


def test_who_was_visited_before_is_a_finding_and_keeps_the_place():
    files = files_of("open")
    outcome = recompute.draw_round(files)
    drawn = outcome.result["T1"]["strata"]["*"]["drawn"]
    reserve = outcome.result["T1"]["strata"]["*"]["reserve"]
    struck = {drawn[0], drawn[2]}
    found = replacement.replace_tasks("sha256", outcome.draw_key, files, outcome.result, struck, {drawn[0]})
    assert found["T1"] == [("*", drawn[2], reserve[0])]


def test_counts_name_nobody():
    counts = replacement.counts_of(json.loads(OPEN["replacement.json"]))
    assert counts == {"picks": 3, "filled": 3, "empty": 0, "entities": 2, "kept": 1, "reasons": {"注销": 1, "迁出": 1}}


def test_the_logged_digest_hides_the_list_behind_the_key():
    data = OPEN["replacement.json"]
    one = replacement.replacement_commit("sha256", secret("a"), data)
    assert one != replacement.replacement_commit("sha256", secret("b"), data) and len(one) == 64


def edited(**change):
    return {**OPEN, "replacement.json": canonical(json.loads(OPEN["replacement.json"]) | change)}


STRUCK = json.loads(OPEN["replacement.json"])["struck"]
KEPT = json.loads(OPEN["replacement.json"])["kept"]
ONE = min(STRUCK)
WRONG = {
    "another spec": (edited(spec="ssj/2"), "spec"),
    "another round": (edited(round="350582-2026-R91"), "不属于本轮"),
    "another commitment": (edited(round_digest="ab" * 32), "不属于本轮"),
    "another fixed day": (edited(replace_on="2026-12-06"), "本轮承诺的是"),
    "before its day": (edited(done_on="2026-12-04"), "早于承诺的"),
    "no day": (edited(done_on="2026-12-5"), "应为 YYYY-MM-DD"),
    "a day that is a number": (edited(done_on=20261205), "应为 YYYY-MM-DD"),
    "a state that takes nobody out": (edited(struck=STRUCK | {ONE: EVIDENCE | {"status": "存续"}}), "登记状态"),
    "no evidence": (edited(struck=STRUCK | {ONE: {"status": "注销"}}), "依据"),
    "evidence without instant": (edited(struck=STRUCK | {ONE: EVIDENCE | {"known_at": "2026-12-05"}}), "登记状态的时间"),
    "evidence from a file without digest": (edited(struck=STRUCK | {ONE: EVIDENCE | {"source": "x"}}), "依据文件"),
    "somebody visited who is not struck": (edited(kept=["9135#none"]), "没有写明它的登记状态"),
    "visited twice": (edited(kept=KEPT * 2), "不重复"),
    "visited as text": (edited(kept="x"), "应为列表"),
    "one struck less": (edited(struck={code: said for code, said in STRUCK.items() if code in KEPT}), "与重新计算的补抽不一致"),
    "nobody visited before": (edited(kept=[]), "与重新计算的补抽不一致"),
    "no tasks": (edited(tasks={}), "与重新计算的补抽不一致"),
    "somebody else": (
        {**OPEN, "replacement.json": OPEN["replacement.json"].replace(
            json.loads(OPEN["replacement.json"])["tasks"]["T1"][0][2].encode(), b"91350000000000009X")},
        "与重新计算的补抽不一致",
    ),
    "a further key": (edited(note=1), "note"),
    "not canonical": ({**OPEN, "replacement.json": OPEN["replacement.json"] + b"\n"}, ""),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(WRONG))
def test_a_wrong_replacement_is_refused_in_words(what):
    files, words = WRONG[what]
    with pytest.raises(BadInput) as refusal:
        recompute.require_bundle(files)
    assert words in refusal.value.message


def test_a_round_that_fixed_no_day_has_no_replacement():
    files = files_of("open", more={})
    outcome = recompute.draw_round(files)
    document = {**outcome.round, **MORE}
    data = replacement.format_replacement(document, outcome.round_digest.hex(), date.fromisoformat(DAY), {}, (), {"T1": [], "T2": []})
    with pytest.raises(BadInput, match="没有写明"):
        recompute.require_bundle({**files, "replacement.json": data})


def test_the_fixture_replaces_in_drawn_order_of_each_task():
    document = json.loads(OPEN["replacement.json"])
    result = json.loads(OPEN["result.json"])
    for task, rows in document["tasks"].items():
        row = result[task]["strata"]["*"]
        gone = [code for code in row["drawn"] if code in STRUCK and code not in KEPT]
        assert [one[1] for one in rows] == gone
    assert draw.drawn_of(result["T1"]["strata"]) != draw.drawn_of(result["T2"]["strata"])
