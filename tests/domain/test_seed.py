"""Sources, values, secrets, S and K."""

import hashlib

import pytest

from portal.domain import seed
from portal.domain.bundle import canonical
from portal.domain.errors import BadInput
from tests.domain.draw_fixture import DICE, DOUBLE, HAPPY8, HOLDERS, secret

LATE = "2026-12-01T22:00:00+08:00"
SECRETS = [{"holder": holder, "commit": "ab" * 32} for holder in HOLDERS]


@pytest.mark.parametrize(
    ("groups", "bits"),
    [
        ([[20, 1, 80]], 61),
        ([[6, 1, 33], [1, 1, 16]], 24),
        ([[5, 1, 35], [2, 1, 12]], 24),
        ([[1, 0, 9]] * 25, 83),
        ([[1, 5, 5]], 0),
        ([[1, 0, 1]] * 80, 80),
    ],
)
def test_bits_are_the_whole_bits_of_the_number_of_outcomes(groups, bits):
    assert seed.bits_of(groups) == bits


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"bits": 62}, "应为 61"),
        ({"bits": 60}, "应为 61"),
        ({"bits": "61"}, "bits"),
        ({"name": ""}, "名称"),
        ({"name": "快乐8 "}, "名称"),
        ({"drawn_at": "2026-12-01"}, "开奖时间"),
        ({"groups": []}, "组号码"),
        ({"groups": [[20, 1]]}, "个数"),
        ({"groups": [[0, 1, 80]]}, "不成立"),
        ({"groups": [[81, 1, 80]]}, "不成立"),
        ({"groups": [[1, 80, 1]]}, "不成立"),
        ({"groups": [[1, -1, 80]]}, "-1"),
        ({"groups": [[2**52, 0, 2**53 - 1]]}, "不成立"),
        ({"groups": [20, 1, 80]}, "列表"),
    ],
)
def test_a_source_of_another_shape_is_refused(change, why):
    with pytest.raises(BadInput, match=why):
        seed.require_source(HAPPY8 | change)


def test_a_source_lacking_a_key_is_refused_and_a_further_key_is_kept():
    with pytest.raises(BadInput, match="groups"):
        seed.require_source({key: value for key, value in HAPPY8.items() if key != "groups"})
    assert seed.require_source(HAPPY8 | {"url": "x"})["url"] == "x"


@pytest.mark.parametrize(
    ("sources", "secrets", "why"),
    [
        ([HAPPY8], SECRETS, "61 比特，不足 80"),
        ([HAPPY8, HAPPY8], SECRETS, "重复"),
        ([DICE], SECRETS[:1], "两位"),
        ([DICE], [SECRETS[0], SECRETS[0]], "两位"),
        ([DICE | {"drawn_at": LATE}], SECRETS, "须晚于"),
        ([], [], "没有秘密|秘密持有人"),
        ([DICE], [SECRETS[0], {"holder": "公证处", "commit": "x"}], "公证处"),
    ],
)
def test_a_round_without_enough_chance_is_refused(sources, secrets, why):
    with pytest.raises(BadInput, match=why):
        seed.require_chance(sources, secrets, LATE)


def test_enough_sources_with_two_holders_or_one_secret_without_sources_will_do():
    seed.require_chance([HAPPY8, DOUBLE], SECRETS, LATE)
    seed.require_chance([], SECRETS[:1], LATE)


@pytest.mark.parametrize("value", ["4.11.17.23.28.32./9./", "1.2.3.4.5.6./16./", "-"])
def test_a_value_of_the_committed_shape_passes(value):
    assert seed.require_value(DOUBLE, value) == value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("4.11.17.23.28.32./9.", "结尾"),
        ("4.11.17.23.28.32./", "2 组"),
        ("4.11.17.23.28.32./9./1./", "2 组"),
        ("04.11.17.23.28.32./9./", "前导零"),
        ("4.11.17.23.28.32/9./", "加点"),
        ("4.11.17.23.28.32./ 9./", "前导零"),
        ("4.11.17.23.28.３２./9./", "前导零"),
        ("4.11.17.23.28./9./", "6 个号码"),
        ("4.11.17.23.28.32./1.9./", "1 个号码"),
        ("11.4.17.23.28.32./9./", "从小到大"),
        ("4.4.17.23.28.32./9./", "不能重复"),
        ("4.11.17.23.28.34./9./", "1 到 33"),
        ("0.11.17.23.28.32./9./", "1 到 33"),
        ("4.11.17.23.28.32././", "1 个号码|前导零"),
        ("", "结尾"),
        ("--", "结尾"),
        (None, "结尾"),
        (["-"], "结尾"),
    ],
)
def test_a_value_of_another_shape_is_refused(value, why):
    with pytest.raises(BadInput, match=why):
        seed.require_value(DOUBLE, value)


def test_a_value_is_written_sorted_within_its_groups_only():
    assert seed.format_value([[32, 4, 11], [9]]) == "4.11.32./9./"
    assert seed.require_value(DICE, seed.format_value([[n % 10] for n in range(25)])).startswith("0./1./2./")


ROUND = {
    "suite": "sha256",
    "disclosure": "open",
    "sources": [DICE, HAPPY8],
    "secrets": [{"holder": holder, "commit": hashlib.sha256(secret(holder)).hexdigest()} for holder in HOLDERS],
}
ROWS = [[DICE["name"], seed.format_value([[1]] * 25), DICE["drawn_at"]], [HAPPY8["name"], "-", HAPPY8["drawn_at"]]]
REVEAL = {"sources": ROWS, "secrets": [secret(holder).hex() for holder in HOLDERS]}


def test_a_reveal_that_opens_its_round_is_read_with_one_issue_not_drawn():
    assert seed.parse_reveal(ROUND, canonical(REVEAL)) == REVEAL


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sources": ROWS[::-1]}, "不符"),
        ({"sources": ROWS[:1]}, "1 个种子来源"),
        ({"sources": [ROWS[0], [*ROWS[1][:2], "2026-12-02T21:30:00+08:00"]]}, "不符"),
        (
            {"sources": [[ROWS[0][0], "-", ROWS[0][2]], [ROWS[1][0], seed.format_value([range(1, 21)]), ROWS[1][2]]]},
            "不足 80",
        ),
        ({"sources": [[ROWS[0][0], "-", ROWS[0][2]], ROWS[1]]}, "0 比特"),
        ({"sources": [ROWS[0], ROWS[1][:2]]}, "名称, 号码"),
        ({"sources": {}}, "列表"),
        ({"secrets": REVEAL["secrets"][::-1]}, "信用监管科"),
        ({"secrets": REVEAL["secrets"][:1]}, "1 个秘密"),
        ({"secrets": [REVEAL["secrets"][0].upper(), REVEAL["secrets"][1]]}, "十六进制"),
        ({"secrets": {secret(holder).hex(): 1 for holder in HOLDERS}}, "列表"),
        ({"salt_key": "ab" * 32}, "salt_key"),
    ],
)
def test_a_reveal_that_does_not_open_its_round_is_refused(change, why):
    with pytest.raises(BadInput, match=why):
        seed.parse_reveal(ROUND, canonical(REVEAL | change))


def test_the_seed_is_over_digest_values_and_secrets_in_order():
    text = f"ssj/1 seed\n{'00' * 32}\n快乐8=1./\n双色球=-\nsecret={'ab' * 32}\n"
    found = seed.seed_of("sha256", bytes(32), [["快乐8", "1./", "x"], ["双色球", "-", "y"]], ["ab" * 32])
    assert found == hashlib.sha256(text.encode()).digest()
    assert seed.key_of("sha256", found, "draw/R1") == hashlib.sha256(b"ssj/1 key\n" + found + b"draw/R1").digest()


def test_a_secret_that_is_not_32_bytes_is_refused():
    with pytest.raises(BadInput, match="31 字节"):
        seed.commit_of("sha256", bytes(31))
