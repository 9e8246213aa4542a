"""Quotas, tickets, the draw of a task, replacement, and what a round must hold before it is committed."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain import commit, draw, pool, rounds
from portal.domain.bundle import canonical
from portal.domain.errors import BadInput, WrongMoment
from tests import examples
from tests.domain import draw_fixture as made
from tests.domain.draw_fixture import codes, task
from tests.shared import SHARED

KEY = b"K" * 32


def vectors():
    path = SHARED / "design" / "vectors" / "vectors.json"
    if not path.exists():
        pytest.skip("the draw vectors are not here (set MINGCHA_SHARED)")
    return json.loads(path.read_bytes())


# ---- quotas -------------------------------------------------------------------------------


def test_quotas_are_those_of_the_vectors():
    cases = vectors()["quotas"]
    assert len(cases) == 9
    for case in cases:
        assert draw.quotas(case["sizes"], case["quota"], case["rounding"], case["minimum"]) == case["n"]


def ppm(**shares):
    return {name: {"ppm": share} for name, share in shares.items()}


@pytest.mark.parametrize(
    ("sizes", "quota", "rounding", "minimum", "expected"),
    [
        ({"A": 100}, ppm(A=35_000), "ceil", 0, {"A": 4}),  # 3.5 rounds up: the ratio is a floor
        ({"A": 100}, ppm(A=35_000), "ceil", 6, {"A": 6}),
        ({"A": 3}, ppm(A=35_000), "ceil", 6, {"A": 3}),
        ({"A": 100}, ppm(A=0), "ceil", 6, {"A": 0}),
        ({}, ppm(A=35_000), "ceil", 6, {"A": 0}),
        ({"A": 9}, {"A": {"count": 20}}, "lr", 6, {"A": 9}),
        ({"A": 9}, {"A": {"count": 0}}, "ceil", 6, {"A": 0}),
        ({"A": 10, "B": 10}, ppm(A=50_000, B=50_000), "lr", 0, {"A": 0, "B": 1}),  # tie: the later name gains
        ({"A": 10, "B": 10, "C": 10}, ppm(A=150_000, B=150_000, C=10_000), "lr", 1, {"A": 1, "B": 2, "C": 1}),
        ({"A": 10, "B": 10, "C": 1}, ppm(A=200_000, B=200_000, C=1), "lr", 1, {"A": 2, "B": 2, "C": 1}),
        (
            {"A": 20, "B": 20, "C": 1, "D": 1},
            ppm(A=100_000, B=100_000, C=1, D=1),
            "lr",
            1,
            {"A": 1, "B": 2, "C": 1, "D": 1},
        ),
    ],
)
def test_quotas_by_hand(sizes, quota, rounding, minimum, expected):
    assert draw.quotas(sizes, quota, rounding, minimum) == expected


def test_taking_a_seat_back_takes_it_from_the_earlier_name_on_a_tie():
    # total = ceil(4.000...) = 5; start A=2 B=2 C=1 D=1, so one seat goes: A and B stand at 0, A is earlier.
    quota = ppm(A=100_000, B=100_000, C=100_000, D=100_000)
    assert draw.quotas({"A": 20, "B": 20, "C": 4, "D": 3}, quota, "lr", 1) == {"A": 1, "B": 2, "C": 1, "D": 1}


def test_a_stratum_without_a_quota_is_refused_by_name():
    with pytest.raises(BadInput, match="“B”.*也要写 0"):
        draw.quotas({"A": 1, "B": 1}, ppm(A=1), "ceil", 1)


def test_an_unknown_rounding_is_refused():
    with pytest.raises(BadInput, match="floor"):
        draw.quotas({"A": 1}, ppm(A=1), "floor", 1)


strata = st.dictionaries(
    st.sampled_from("ABCDE东西"), st.tuples(st.integers(0, 300), st.integers(0, 1_000_000)), min_size=1
)


@given(strata, st.integers(0, 4))
def test_seats_by_remainder_keep_total_minimum_and_size(found, minimum):
    sizes = {name: size for name, (size, _) in found.items()}
    quota = {name: {"ppm": share} for name, (_, share) in found.items()}
    seats = draw.quotas(sizes, quota, "lr", minimum)
    least = {name: min(size, minimum) if share else 0 for name, (size, share) in found.items()}
    millionths = sum(size * share for size, share in found.values())
    assert sum(seats.values()) == max(-(-millionths // 1_000_000), sum(least.values()))
    assert all(least[name] <= seats[name] <= sizes[name] for name in seats)


# ---- tickets and the draw -----------------------------------------------------------------


def plain_order(suite, rows, excluded, stratum):
    """The order of a stratum, spelt out: every ticket, one sort."""
    ordered = []
    for code, name, weight in rows:
        if name == stratum and code not in excluded:
            drawn = draw.ticket(suite, KEY, code)
            ordered.append((int.from_bytes(drawn[:8], "big") // weight, drawn, code))
    return [code for _, _, code in sorted(ordered)]


def test_a_ticket_is_the_hash_of_key_and_code():
    assert draw.ticket("sha256", KEY, "A1") == hashlib.sha256(KEY + b"A1").digest()


def test_the_order_key_divides_the_first_eight_bytes_by_the_weight():
    drawn = bytes([0, 0, 0, 0, 0, 0, 0, 7]) + b"\xff" * 24
    assert draw.order_key(drawn, 2) == (3, drawn)
    assert draw.order_key(drawn, 1) == (7, drawn)


kinds = st.tuples(st.sampled_from(["*", "A"]), st.sampled_from([1, 1, 1, 2, 999_999]))


@settings(max_examples=examples(60))
@given(st.lists(kinds, max_size=600), st.integers(2, 9), st.integers(0, 700), st.sampled_from(["sha256", "sm3"]))
def test_the_smallest_are_those_of_a_full_sort_whatever_the_weights(found, step, count, suite):
    rows = [(code, *kind) for code, kind in zip(codes(len(found)), found, strict=True)]
    excluded = {code for code, _, _ in rows[::step]}
    data = pool.format_pool(rows)
    outside = sorted(code.encode() for code in excluded)
    wanted = {"*": count, "A": 3, "none": 5}
    ordered = draw.smallest(suite, KEY, data, outside, pool.survey_pool(data, outside), wanted)
    assert ordered == {name: plain_order(suite, rows, excluded, name)[:most] for name, most in wanted.items()}


def test_one_heavy_entry_does_not_hide_the_others_from_the_first_pass():
    rows = [(code, "*", 999_999 if n == 0 else 1) for n, code in enumerate(codes(400))]
    data = pool.format_pool(rows)
    ordered = draw.smallest("sha256", KEY, data, [], pool.survey_pool(data), {"*": 120})
    assert ordered["*"] == plain_order("sha256", rows, (), "*")[:120]


ROWS = [(code, "AB"[n % 2], 1) for n, code in enumerate(codes(40))]


def entry_of(**more):
    return {"task": "T1", "pool_size": 40, "rounding": "ceil", "minimum": 1, "reserve": 3} | more


def test_a_task_draws_its_quota_then_its_reserve_in_order():
    data, gone = pool.format_pool(ROWS), [codes(40)[0].encode(), codes(40)[1].encode()]
    quota = ppm(A=200_000, B=0) | {"C": {"count": 2}}
    found = draw.draw_task("sha256", KEY, data, gone, quota, entry_of())
    order = plain_order("sha256", ROWS, {code.decode() for code in gone}, "A")
    assert found["A"] == {"size": 20, "available": 19, "quota": 4, "drawn": order[:4], "reserve": order[4:7]}
    assert found["B"]["drawn"] == [] and len(found["B"]["reserve"]) == 3
    assert found["C"] == {"size": 0, "available": 0, "quota": 0, "drawn": [], "reserve": []}
    assert draw.drawn_of(found) == sorted(order[:4])


def test_drawing_everything_gives_a_permutation():
    data = pool.format_pool(ROWS)
    found = draw.draw_task("sha256", KEY, data, [], ppm(A=1_000_000, B=1_000_000), entry_of())
    assert sorted(found["A"]["drawn"] + found["B"]["drawn"]) == codes(40)
    assert found["A"]["drawn"] != sorted(found["A"]["drawn"])
    assert found["A"]["reserve"] == []


def test_fewer_available_than_the_quota_are_all_drawn():
    data, gone = pool.format_pool(ROWS), [code.encode() for code in codes(40)[:30]]
    row = draw.draw_task("sha256", KEY, data, gone, ppm(A=500_000, B=0), entry_of())["A"]
    assert (row["size"], row["available"], row["quota"], len(row["drawn"]), row["reserve"]) == (20, 5, 10, 5, [])


def test_a_pool_of_another_size_than_committed_is_refused():
    with pytest.raises(BadInput, match="40 行，承诺的是 41 行"):
        draw.draw_task("sha256", KEY, pool.format_pool(ROWS), [], ppm(A=0, B=0), entry_of(pool_size=41))


def test_tasks_of_a_round_share_tickets_so_their_samples_overlap():
    outcome = made.recompute.draw_round(made.CASES["open"]())
    first = set(draw.drawn_of(outcome.result["350582-2026-T001"]["strata"]))
    assert first & set(draw.drawn_of(outcome.result["350582-2026-T002"]["strata"]))


# ---- weights ------------------------------------------------------------------------------


def weighted(*weights, count):
    rows = [(code, "*", weight) for code, weight in zip(codes(len(weights)), weights, strict=True)]
    return dict(
        suite="sha256",
        task="T1",
        pool=pool.format_pool(rows),
        excluded=None,
        quota={"*": {"count": count}},
        rounding="ceil",
        minimum=0,
        reserve=0,
    )


def test_unequal_weights_are_refused_from_quota_times_largest_equal_to_the_sum():
    commit.commit_task(**weighted(1, 1, 1, 2, count=2))
    with pytest.raises(BadInput, match="抽取数 2 乘最大权重 3 不小于权重合计 6"):
        commit.commit_task(**weighted(1, 1, 1, 3, count=2))


def test_equal_weights_may_be_drawn_whole_whatever_they_are():
    commit.commit_task(**weighted(7, 7, 7, count=3))


def test_the_weight_of_an_excluded_entry_does_not_count():
    given_ = weighted(1, 1, 1, 3, count=2)
    commit.commit_task(**given_ | {"excluded": pool.format_codes(codes(4)[3:])})
    with pytest.raises(BadInput, match="权重"):
        commit.commit_task(**given_ | {"excluded": pool.format_codes(codes(4)[:1])})


def test_a_heavier_weight_is_drawn_more_often():
    rows = [(code, "*", 1 + 3 * (n % 2)) for n, code in enumerate(codes(200))]
    data = pool.format_pool(rows)
    survey = pool.survey_pool(data)
    heavy = 0
    for number in range(60):
        key = hashlib.sha256(b"%d" % number).digest()
        drawn = draw.smallest("sha256", key, data, [], survey, {"*": 10})["*"]
        heavy += sum(int(code[4:]) % 2 for code in drawn)
    assert 450 < heavy < 510  # 600 draws, four in five expected: 480


# ---- replacement --------------------------------------------------------------------------


def test_struck_entries_are_replaced_in_drawn_order_and_struck_next_ones_skipped():
    assert draw.replace_struck("abcdefgh", 3, {"c", "a", "d", "f"}) == [("a", "e"), ("c", "g")]
    assert draw.replace_struck("abc", 3, {"b"}) == [("b", None)]
    assert draw.replace_struck("abcd", 3, {"d", "x"}) == []


def drawn_task(reserve):
    data, gone = pool.format_pool(ROWS), [codes(40)[2].encode()]
    strata_ = draw.draw_task("sha256", KEY, data, gone, ppm(A=200_000, B=100_000), entry_of(reserve=reserve))
    return data, gone, strata_


@pytest.mark.parametrize("reserve", [0, 1, 3, 30])
def test_replacement_does_not_depend_on_how_long_the_reserve_is(reserve):
    data, gone, strata_ = drawn_task(reserve)
    order = draw.order_of("sha256", KEY, data, gone, "A")
    assert order == plain_order("sha256", ROWS, {codes(40)[2]}, "A")
    struck = {order[0], order[3], order[4], order[5], strata_["B"]["drawn"][1]}
    found = draw.replacements("sha256", KEY, data, gone, strata_, struck)
    assert found[:2] == [("A", order[0], order[6]), ("A", order[3], order[7])]
    other = draw.order_of("sha256", KEY, data, gone, "B")
    assert found[2:] == [("B", other[1], other[2])]


def test_where_nobody_is_left_the_place_stays_empty():
    data, gone, strata_ = drawn_task(3)
    order = draw.order_of("sha256", KEY, data, gone, "A")
    found = draw.replacements("sha256", KEY, data, gone, strata_, {*order[:2], *order[4:-1]})
    assert found == [("A", order[0], order[-1]), ("A", order[1], None)]


def test_nobody_struck_means_nobody_replaced():
    data, gone, strata_ = drawn_task(3)
    assert draw.replacements("sha256", KEY, data, gone, strata_, {"9135#none", *strata_["A"]["reserve"]}) == []


# ---- rounds and their labels --------------------------------------------------------------

TASKS = [task("T1", ROWS, ppm(A=100_000, B=200_000))]


def test_a_round_is_labelled_by_what_it_can_prove():
    def label(**more):
        return rounds.label_of(rounds.parse_round(made.committed(TASKS, **more)["round.json"]))

    assert label() == "公开可验证"
    assert label(disclosure="sealed") == "监督机构可复核"
    assert label(sources=()) == label(sources=(), disclosure="sealed") == "内部可复核，不能证明结果未被挑选"
    single = rounds.parse_round(made.committed(TASKS)["round.json"])
    assert rounds.label_of(single | {"secrets": single["secrets"][:1]}) == "内部可复核，不能证明结果未被挑选"


def test_further_keys_are_kept_and_hashed_but_never_replace_ours():
    plain, more = (made.committed(TASKS, more=extra)["round.json"] for extra in (None, {"sectors": {"食品": "1.2"}}))
    assert rounds.parse_round(more)["sectors"] == {"食品": "1.2"}
    assert rounds.round_digest("sha256", plain) != rounds.round_digest("sha256", more)
    with pytest.raises(BadInput, match="“tasks”"):
        made.committed(TASKS, more={"tasks": []})


def round_with(**change):
    document = rounds.parse_round(made.committed(TASKS)["round.json"])
    return canonical(document | change)


def task_with(**change):
    document = rounds.parse_round(made.committed(TASKS)["round.json"])
    return canonical(document | {"tasks": [document["tasks"][0] | change]})


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (round_with(spec="ssj/2"), "ssj/2"),
        (round_with(suite="md5"), "md5"),
        (round_with(disclosure="half"), "half"),
        (round_with(disclosure=["open"]), "disclosure"),
        (round_with(round="R 1"), "R 1"),
        (round_with(draw_not_before="2026-12-01"), "抽取时间"),
        (round_with(draw_not_before=made.DRAWN_AT), "须晚于"),
        (round_with(sources={}), "列表"),
        (round_with(salt_commit="ab" * 32), "salt_commit"),
        (round_with(disclosure="sealed"), "salt_commit"),
        (round_with(disclosure="sealed", salt_commit="ab" * 32), "不能混合"),
        (round_with(tasks=[]), "没有任务"),
        (round_with(tasks=rounds.parse_round(round_with())["tasks"] * 2), "重复"),
        (task_with(task="T/1"), "T/1"),
        (task_with(pool_root=None), "pool_root"),
        (task_with(pool_size=-1), "pool_size"),
        (task_with(excluded_root=""), "excluded_root"),
        (task_with(rounding="round"), "rounding"),
        (task_with(minimum=True), "minimum"),
        (task_with(reserve="2"), "reserve"),
        (task_with(quota_commit="ab" * 32), "不能混合"),
        (task_with(quota={"A": {"ppm": 2_000_000}}), "不能超过"),
        (canonical({"spec": "ssj/1"}), "缺少"),
        (b"[]", "对象"),
    ],
)
def test_a_round_of_another_shape_is_refused(data, why):
    with pytest.raises(BadInput, match=why):
        rounds.parse_round(data)


# ---- before commitment --------------------------------------------------------------------


def committable(files, **more):
    return commit.require_committable(files["round.json"], files, **{"committed_at": made.COMMITTED_AT} | more)


def test_an_open_round_that_fits_its_files_may_be_committed():
    assert committable(made.committed(TASKS))["round"] == "350582-2026-R90"


def test_a_sealed_round_may_be_committed_with_its_quotas_and_salt_key():
    files = made.committed(TASKS, disclosure="sealed")
    quotas = {"T1": TASKS[0]["quota"]}
    committable(files, quotas_of=quotas, salt_key=made.secret("salt"), by_class=["T1"])
    with pytest.raises(BadInput, match="salt_commit"):
        committable(files, quotas_of=quotas, salt_key=bytes(32))
    with pytest.raises(BadInput, match="盐值密钥"):
        committable(files, quotas_of=quotas)
    with pytest.raises(BadInput, match="quota_commit"):
        committable(files, quotas_of={"T1": ppm(A=100_001, B=200_000)}, salt_key=made.secret("salt"))
    with pytest.raises(BadInput, match="抽取比例"):
        committable(files, salt_key=made.secret("salt"))


def test_one_task_by_risk_class_keeps_its_round_from_being_open():
    with pytest.raises(BadInput, match="“T1”.*密封"):
        committable(made.committed(TASKS), by_class=["T1"])
    assert committable(made.committed(TASKS), by_class=["T2"])


def test_none_or_all_of_a_class_cannot_be_committed_in_a_sealed_round():
    for share in (0, 1_000_000):
        with pytest.raises(BadInput, match="“B”.*另列任务"):
            made.committed([task("T1", ROWS, ppm(A=100_000, B=share))], disclosure="sealed")


def test_files_that_differ_from_the_round_are_named():
    files = made.committed(TASKS)
    with pytest.raises(BadInput, match="pool_root"):
        committable(files | {"T1/pool.tsv": files["T1/pool.tsv"].replace(b"\tA\t1\n", b"\tA\t2\n")})
    with pytest.raises(BadInput, match="excluded_root"):
        committable(files | {"T1/excluded.txt": codes(1)[0].encode() + b"\n"})
    with pytest.raises(BadInput, match="缺少名录"):
        commit.require_committable(files["round.json"], {}, committed_at=made.COMMITTED_AT)


def test_two_shares_of_one_holder_or_of_one_secret_are_refused():
    document = rounds.parse_round(made.committed(TASKS)["round.json"])
    files = made.committed(TASKS)
    twice = document["secrets"] + document["secrets"][:1]
    with pytest.raises(BadInput, match="信用监管科.*重复"):
        committable(files | {"round.json": canonical(document | {"secrets": twice})})
    same = [each | {"commit": "ab" * 32} for each in document["secrets"]]
    with pytest.raises(BadInput, match="承诺值.*重复"):
        committable(files | {"round.json": canonical(document | {"secrets": same})})


def test_a_round_is_committed_at_least_24_hours_before_its_first_source():
    files = made.committed(TASKS)
    committable(files, committed_at="2026-11-30T21:30:00+08:00")
    with pytest.raises(WrongMoment, match="24 小时"):
        committable(files, committed_at="2026-11-30T21:30:01+08:00")


def test_a_round_without_sources_is_committed_before_its_draw():
    files = made.committed(TASKS, sources=())
    committable(files, committed_at="2026-12-01T21:59:59+08:00")
    with pytest.raises(WrongMoment, match="已到或已过"):
        committable(files, committed_at=made.DRAW_NOT_BEFORE)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"task": "T 1"}, "T 1"),
        ({"minimum": -1}, "最少数"),
        ({"reserve": 1.5}, "备抽数"),
        ({"rounding": "up"}, "up"),
        ({"quota": {}}, "没有写明"),
        ({"excluded": b""}, "excluded.txt"),
        ({"excluded": b"X\n"}, "不在 pool.tsv"),
    ],
)
def test_a_task_that_cannot_be_drawn_is_not_committed(change, why):
    with pytest.raises(BadInput, match=why):
        commit.commit_task(**weighted(1, 1, count=1) | change)


def test_a_pool_that_was_never_surveyed_is_not_drawn_from():
    survey = pool.survey_pool(pool.format_pool(ROWS))
    with pytest.raises(ValueError, match="surveyed"):
        draw.smallest("sha256", KEY, b"A *\n", [], survey, {"A": 1})
