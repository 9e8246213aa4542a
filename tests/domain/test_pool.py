"""Pools and exclusions as files, and the roots that commit to them."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain import pool
from portal.domain.bundle import hasher
from portal.domain.errors import BadInput
from portal.domain.trees import root
from tests.domain.draw_fixture import codes

LONG = [(code, "*", 1) for code in codes(600)]


def sha(data):
    return hashlib.sha256(data).digest()


# ---- files --------------------------------------------------------------------------------


def test_a_pool_is_written_sorted_by_the_bytes_of_its_codes():
    assert pool.format_pool([("b", "*", 1), ("B", "乙", 20), ("a#1", "*", 3), ("a", "*", 1)]) == (
        "B\t乙\t20\na\t*\t1\na#1\t*\t3\nb\t*\t1\n".encode()
    )


def test_a_pool_read_back_gives_its_rows():
    rows = [("A", "*", 1), ("A#1", "东石镇", 999_999), ("B", "*", 1)]
    assert list(pool.parse_pool(pool.format_pool(rows))) == rows


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (("a b", "*", 1), "a b"),
        (("a", "", 1), "分层"),
        (("a", "*", 0), "权重“0”"),
        (("a", "*", 1_000_000), "权重"),
        (("a", "*", True), "权重"),
    ],
)
def test_a_row_that_no_pool_may_hold_is_not_written(row, why):
    with pytest.raises(BadInput, match=why):
        pool.format_pool([row])


def test_a_code_given_twice_is_not_written():
    with pytest.raises(BadInput, match="第 2 行.*重复"):
        pool.format_pool([("a", "*", 1), ("a", "B", 1)])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"91351\t*\n", "三列"),
        (b"91351\t*\t1\t1\n", "三列"),
        (b"91351 \t*\t1\n", "代码不合"),
        (b"\t*\t1\n", "代码不合"),
        (b"9" * 65 + b"\t*\t1\n", "代码不合"),
        (b"91351\t\t1\n", "分层不合"),
        (b"91351\t \t1\n", "分层不合"),
        (b"91351\ta\r\t1\n", "分层不合"),
        (b"91351\t\xff\t1\n", "分层不合"),
        ("91351\te\u0301\t1\n".encode(), "分层不合"),
        (b"91351\t*\t0\n", "权重不合"),
        (b"91351\t*\t01\n", "权重不合"),
        (b"91351\t*\t1000000\n", "权重不合"),
        (b"91351\t*\t1\r\n", "权重不合"),
        (b"91351\t*\t\n", "权重不合"),
        (b"\n", "三列"),
        (b"00000000000000000\t*\t1\n", "排列"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number_and_what_is_wrong(line, why):
    good = pool.format_pool(LONG)
    first_block = good.index(b"\n", 20 * 300) + 1
    number = good[:first_block].count(b"\n") + 1
    with pytest.raises(BadInput, match=f"第 {number} 行.*{why}"):
        pool.survey_pool(good[:first_block] + line + good[first_block:])
    with pytest.raises(BadInput, match=why):
        pool.survey_pool(line if why != "排列" else line + line)  # a first block, or a block of one kind


def test_fields_shifted_over_two_lines_are_refused():
    with pytest.raises(BadInput, match="第 1 行.*三列"):
        pool.survey_pool(b"a\ts\n1\tc\t1\t1\n")


def test_a_pool_without_its_last_line_feed_is_refused():
    with pytest.raises(BadInput, match="最后一行"):
        pool.survey_pool(b"a\t*\t1")


def test_an_empty_pool_is_a_pool():
    assert pool.survey_pool(b"") == pool.Survey(0, {}, {})
    assert pool.open_root("sha256", b"") == sha(b"")


def test_no_exclusions_give_no_file():
    assert pool.format_codes([]) is None
    assert pool.format_codes(["b", "a"]) == b"a\nb\n"


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"a", b"a\n\n", b"b\na\n", b"a\na\n", b"a \n", b"a\r\n", b"\xff\n", b"a\nb"]
)
def test_exclusions_must_be_sorted_unique_codes_each_ended(data):
    with pytest.raises(BadInput, match="excluded.txt"):
        pool.parse_codes(data)


# ---- one pass -----------------------------------------------------------------------------


def test_a_survey_counts_the_excluded_in_sizes_but_not_among_the_free():
    data = pool.format_pool([("a", "A", 1), ("b", "A", 2), ("c", "A", 2), ("d", "B", 1)])
    survey = pool.survey_pool(data, [b"b", b"d"])
    assert survey == pool.Survey(4, {"A": 3, "B": 1}, {("A", 1): 1, ("A", 2): 1})
    assert (survey.available("A"), survey.available("B"), survey.available("C")) == (2, 0, 0)


@pytest.mark.parametrize("stranger", ["0", codes(600)[300] + "#1", "Z"])
def test_an_exclusion_outside_the_pool_is_refused_by_name(stranger):
    excluded = sorted(code.encode() for code in [*codes(600)[::50], stranger])
    with pytest.raises(BadInput, match="不在 pool.tsv"):
        pool.survey_pool(pool.format_pool(LONG), excluded)


row = st.tuples(st.sampled_from(["*", "A", "东石镇"]), st.integers(1, 3))


@settings(max_examples=40)
@given(st.lists(row, max_size=700), st.integers(1, 9))
def test_a_survey_counts_what_a_plain_loop_counts(kinds, step):
    rows = [(code, *kind) for code, kind in zip(codes(len(kinds)), kinds, strict=True)]
    excluded = [code.encode() for code, _, _ in rows[::step]]
    survey = pool.survey_pool(pool.format_pool(rows), excluded)
    assert survey.size == len(rows)
    for stratum in ("*", "A", "东石镇"):
        assert survey.sizes.get(stratum, 0) == sum(s == stratum for _, s, _ in rows)
        assert survey.available(stratum) == sum(s == stratum for n, (_, s, _) in enumerate(rows) if n % step)


@given(st.lists(st.binary(max_size=9).map(lambda line: line.replace(b"\n", b"") + b"\n"), max_size=600))
def test_blocks_are_256_lines_whatever_their_lengths(lines):
    data = b"".join(lines)
    assert list(pool.blocks_of(data)) == [b"".join(lines[i : i + 256]) for i in range(0, len(lines), 256)]


def test_a_block_guessed_past_the_end_of_the_file_is_not_missed():
    lines = [b"long line\n"] * 256 + [b"x\n"] * 256
    assert list(pool.blocks_of(b"".join(lines))) == [b"long line\n" * 256, b"x\n" * 256]


# ---- roots --------------------------------------------------------------------------------


def test_an_open_root_is_over_blocks_with_their_line_feeds():
    data = pool.format_pool(LONG)
    lines = data.splitlines(keepends=True)
    blocks = [sha(b"\0" + b"".join(lines[i : i + 256])) for i in (0, 256, 512)]
    assert pool.open_root("sha256", data) == sha(b"\1" + sha(b"\1" + blocks[0] + blocks[1]) + blocks[2])


def test_a_sealed_leaf_is_salted_twice():
    key, line = b"k" * 32, "A\t东石镇\t1\n".encode()
    salt, salt2 = (sha(name + key + b"T1\nA") for name in (b"ssj/1 salt\n", b"ssj/1 salt2\n"))
    inner = sha(b"\2" + salt2 + line)
    assert list(pool.sealed_leaves("sha256", key, "T1", [(b"A", line)])) == [sha(b"\0" + salt + b"A" + inner)]
    assert pool.salt_of("sha256", key, "T1", b"A") == salt
    assert pool.inner_of("sha256", key, "T1", b"A", line) == inner


def test_the_bodies_of_sealed_leaves_are_line_ticket_and_mark():
    data = pool.format_pool([("A", "*", 1), ("B", "*", 1)])
    assert list(pool.pool_entries(data)) == [(b"A", b"A\t*\t1\n"), (b"B", b"B\t*\t1\n")]
    key = b"K" * 32
    assert list(pool.ticket_entries("sha256", key, data))[1] == (b"B", b"B\t*\t1\n" + sha(key + b"B"))
    assert pool.marked([b"B", b"A"], "drawn") == [(b"A", b"drawn\n"), (b"B", b"drawn\n")]


def test_sealed_roots_are_per_entry_and_differ_by_task_and_key():
    data, excluded = pool.format_pool(LONG), pool.format_codes(codes(600)[:5])
    seen = {pool.roots("sha256", "T", data, excluded, None)}
    seen |= {pool.roots("sha256", task, data, excluded, key) for task in ("T", "U") for key in (b"a" * 32, b"b" * 32)}
    assert len({pool_root for pool_root, _ in seen}) == len({excluded_root for _, excluded_root in seen}) == 5
    leaves = pool.sealed_leaves("sha256", b"a" * 32, "T", [(c.encode(), b"excluded\n") for c in codes(600)[:5]])
    assert pool.roots("sha256", "T", data, excluded, b"a" * 32)[1] == root(hasher("sha256"), leaves).hex()
    assert pool.roots("sha256", "T", data, None, b"a" * 32)[1] is pool.roots("sha256", "T", data, None, None)[1] is None


def test_a_quota_commitment_is_over_salt_key_task_and_canonical_quota():
    quota = {"B": {"count": 3}, "A": {"ppm": 5}}
    expected = sha(b"ssj/1 quota\n" + b"k" * 32 + b"T1\n" + b'{"A":{"ppm":5},"B":{"count":3}}').hex()
    assert pool.quota_commit("sha256", b"k" * 32, "T1", quota) == expected
    with pytest.raises(BadInput, match="分类"):
        pool.quota_commit("sha256", b"k" * 32, "T1", {"A": {"ppm": 0}})
