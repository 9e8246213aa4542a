"""The file format: canonical JSON, ids, texts, times, shapes, and RFC 6962 trees."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import trees
from portal.domain.bundle import (
    canonical,
    hash_each,
    hasher,
    is_count,
    is_hex,
    is_id,
    is_text,
    is_time,
    parse_canonical,
    parse_public,
    parse_quota,
    parse_result,
)
from portal.domain.errors import BadInput

SHA = hasher("sha256")
HEX = "ab" * 32


# ---- canonical JSON -----------------------------------------------------------------------


def test_canonical_json_sorts_keys_and_escapes_only_quote_and_backslash():
    value = {"乙": 1, "a": ['"', "\\", "/", "é", "\x7f", None, True], "B": {}}
    assert canonical(value) == '{"B":{},"a":["\\"","\\\\","/","é","\x7f",null,true],"乙":1}'.encode()


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_what_canonical_writes_the_parser_reads_back(value):
    assert parse_canonical(canonical(value), "文件") == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":NaN}',
        b'{"a":-0}',
        b'{"a":9007199254740992}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":"\\n"}',
        b'{"a":"\\ud800"}',
        b'{"a":1}\n',
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        b"",
        b"[" * 100_000,
    ],
)
def test_bytes_that_are_not_canonical_are_refused(data):
    with pytest.raises(BadInput, match="round.json"):
        parse_canonical(data, "round.json")


@pytest.mark.parametrize("value", [1.5, float("nan"), {1: 2}, 2**53, b"x", {"a": "\n"}, {"\t": 1}, "\ud800"])
def test_values_that_canonical_json_cannot_hold_are_refused(value):
    with pytest.raises(BadInput):
        canonical(value)


# ---- small values -------------------------------------------------------------------------


@pytest.mark.parametrize("good", ["A", "91350582MA2XXXXX1G", "9135#2", "a_b-c", "x" * 64])
def test_ids_of_the_closed_alphabet_pass(good):
    assert is_id(good)


@pytest.mark.parametrize("bad", ["", "x" * 65, "a b", "a.b", "a/b", "é", "１", "a\n", None, 5, b"A"])
def test_other_ids_are_refused(bad):
    assert not is_id(bad)


@pytest.mark.parametrize("good", ["*", "东石镇", "a b", "é", "A=B"])
def test_plain_texts_pass(good):
    assert is_text(good)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        " a",
        "a ",
        "\u3000甲",
        "甲\u00a0",
        "a\tb",
        "a\nb",
        "\x7f",
        "e\u0301",
        "a\u200bb",
        "a\u202eb",
        "a\u2028b",
        "a\u2029b",
        "\ufeffa",
        "\ud800",
        None,
        1,
    ],
)
def test_texts_with_hidden_or_unnormalised_characters_are_refused(bad):
    assert not is_text(bad)


def test_only_whole_numbers_below_2_to_the_53_are_counts():
    assert is_count(0) and is_count(2**53 - 1)
    assert not any(map(is_count, [-1, 2**53, True, False, 1.0, "1", None]))


def test_only_64_lower_case_hex_digits_are_hashes():
    assert is_hex(HEX)
    assert not any(map(is_hex, [HEX.upper(), HEX[:-1], HEX + "a", HEX[:-1] + "\n", "１" * 64, None]))


def test_only_beijing_times_to_the_second_are_times():
    assert is_time("2024-02-29T23:59:59+08:00")
    bad = [
        "2023-02-29T00:00:00+08:00",
        "2024-01-01T24:00:00+08:00",
        "2024-01-01T00:60:00+08:00",
        "2024-01-01T00:00:00Z",
    ]
    bad += [
        "2024-01-01 00:00:00+08:00",
        "2024-01-01T00:00:00+09:00",
        "2024-1-1T00:00:00+08:00",
        "0000-01-01T00:00:00+08:00",
        None,
    ]
    assert not any(map(is_time, bad))


# ---- hashes -------------------------------------------------------------------------------


def test_sm3_is_the_standards_function():
    assert hasher("sm3")(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_an_unknown_suite_is_refused_by_name():
    with pytest.raises(BadInput, match="md5"):
        hasher("md5")


def test_a_machine_without_sm3_is_told_so(monkeypatch):
    def lacking(name, *rest):
        raise ValueError(f"unsupported hash type {name}")

    monkeypatch.setattr(hashlib, "new", lacking)
    with pytest.raises(BadInput, match="SM3"):
        hasher("sm3")
    with pytest.raises(BadInput, match="SM3"):
        hash_each("sm3", b"", [b"x"])


@pytest.mark.parametrize("suite", ["sha256", "sm3"])
def test_hashing_each_part_is_hashing_prefix_and_part(suite):
    assert hash_each(suite, b"key", [b"", b"a", b"b" * 99]) == [
        hasher(suite)(b"key" + part) for part in (b"", b"a", b"b" * 99)
    ]


# ---- shapes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quota", "why"),
    [
        ({"A": {"ppm": 1_000_001}}, "1000000"),
        ({"A": {"ppm": -1}}, "-1"),
        ({"A": {"ppm": True}}, "True"),
        ({"A": {"ppm": 1, "count": 1}}, "之一"),
        ({"A": {}}, "之一"),
        ({"A": {"share": 1}}, "之一"),
        ({"A": 1}, "之一"),
        ({" A": {"count": 1}}, " A"),
        ({"A": {"ppm": 0}}, "分类"),
        ({"A": {"count": 0}}, "分类"),
        ({"A": {"ppm": 1_000_000}}, "分类"),
        ([], "对象"),
    ],
)
def test_a_sealed_quota_that_is_malformed_or_names_a_class_is_refused(quota, why):
    with pytest.raises(BadInput, match=why):
        parse_quota(canonical(quota))


def test_a_sealed_list_task_of_one_stratum_may_draw_all():
    assert parse_quota(b'{"*":{"ppm":1000000}}') == {"*": {"ppm": 1_000_000}}


ROW = {"size": 2, "available": 2, "quota": 1, "drawn": ["A"], "reserve": ["B"]}


def test_a_result_of_the_closed_shape_is_read():
    assert parse_result(canonical({"T": {"strata": {"*": ROW}}}), sealed=False)["T"]["strata"]["*"] == ROW
    roots = {"ticket_root": HEX, "drawn_root": HEX}
    assert parse_result(canonical({"T": {"strata": {"*": ROW}} | roots}), sealed=True)["T"]["drawn_root"] == HEX


@pytest.mark.parametrize(
    "result",
    [
        [],
        {"T T": {"strata": {}}},
        {"T": {"strata": {}, "ticket_root": HEX}},
        {"T": {"strata": {"": ROW}}},
        {"T": {"strata": {"*": ROW | {"more": 1}}}},
        {"T": {"strata": {"*": ROW | {"size": -1}}}},
        {"T": {"strata": {"*": ROW | {"drawn": "A"}}}},
        {"T": {"strata": {"*": ROW | {"drawn": ["A", "A"]}}}},
        {"T": {"strata": {"*": ROW | {"reserve": ["A"]}}}},
        {"T": {"strata": {"*": ROW | {"drawn": [1]}}}},
        {"T": {"strata": {"*": {k: v for k, v in ROW.items() if k != "quota"}}}},
    ],
)
def test_an_open_result_of_another_shape_is_refused(result):
    with pytest.raises(BadInput):
        parse_result(canonical(result), sealed=False)


PUBLIC = {
    "round_digest": HEX,
    "result_commit": HEX,
    "sources": [],
    "tasks": {"T": {"count": 1, "ticket_root": HEX, "drawn_root": HEX}},
}


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"round_digest": HEX.upper()},
        {"result_commit": None},
        {"sources": {}},
        {"tasks": []},
        {"tasks": {"T": {"count": 1, "ticket_root": HEX}}},
        {"tasks": {"T": {"count": -1, "ticket_root": HEX, "drawn_root": HEX}}},
        {"tasks": {"T": {"count": 1, "ticket_root": HEX, "drawn_root": "x"}}},
        {"tasks": {"T!": PUBLIC["tasks"]["T"]}},
    ],
)
def test_a_public_file_of_another_shape_is_refused(change):
    assert parse_public(canonical(PUBLIC)) == PUBLIC
    with pytest.raises(BadInput):
        parse_public(canonical(PUBLIC | change))


# ---- trees --------------------------------------------------------------------------------

# The test vectors of certificate-transparency's Merkle tree (RFC 6962).
CT_LEAVES = [
    bytes.fromhex(h)
    for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
CT_ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_rfc_6962(size):
    leaves = [trees.leaf_hash(SHA, leaf) for leaf in CT_LEAVES[:size]]
    assert trees.root(SHA, iter(leaves)).hex() == CT_ROOTS[size]
    assert trees.levels(SHA, leaves)[-1] == ([trees.root(SHA, leaves)] if size else [])


def leaves_of(size):
    return [trees.leaf_hash(SHA, b"%d" % number) for number in range(size)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 7, 8, 9, 11, 13, 64, 65, 100])
def test_every_path_leads_to_the_root_also_past_promoted_nodes(size):
    leaves = leaves_of(size)
    rows, top = trees.levels(SHA, leaves), trees.root(SHA, leaves)
    for index in range(size):
        path = trees.path(rows, index)
        assert trees.root_by_path(SHA, leaves[index], index, size, path) == top
        assert trees.root_by_path(SHA, leaves[index], index, size, [*path, top]) is None
        assert trees.root_by_path(SHA, leaves[index], index + size, size, path) is None
        if path:
            assert trees.root_by_path(SHA, leaves[index], index, size, path[:-1]) != top
            assert trees.root_by_path(SHA, leaves[index], index ^ 1, size, path) != top


def test_a_promoted_node_adds_nothing_to_its_path():
    rows = trees.levels(SHA, leaves_of(5))
    assert trees.path(rows, 4) == [rows[2][0]]
    assert len(trees.path(rows, 0)) == 3


def test_consistency_proofs_hold_for_every_pair_of_sizes_and_for_no_other_root():
    leaves = leaves_of(24)
    roots = [trees.root(SHA, leaves[:size]) for size in range(25)]
    for old in range(25):
        for new in range(old, 25):
            proof = trees.consistency(SHA, leaves[:new], old)
            assert trees.is_consistent(SHA, old, roots[old], new, roots[new], proof)
            assert not trees.is_consistent(SHA, old, roots[old - 1], new, roots[new], proof)
            assert not trees.is_consistent(SHA, old, roots[old], new, roots[new], [*proof, leaves[0]])
            if 0 < old < new:
                assert not trees.is_consistent(SHA, old, roots[old], new, roots[new - 1], proof)
                assert not trees.is_consistent(SHA, old, roots[old], new, roots[new], proof[:-1])
    assert not trees.is_consistent(SHA, 5, roots[5], 4, roots[4], [])


def test_consistency_with_a_tree_that_is_larger_is_a_programming_error():
    with pytest.raises(ValueError):
        trees.consistency(SHA, leaves_of(3), 4)


def test_a_proof_of_nothing_proves_nothing():
    leaves = leaves_of(5)
    assert not trees.is_consistent(SHA, 3, trees.root(SHA, leaves[:3]), 5, trees.root(SHA, leaves), [])
