"""Whole bundles: the vectors, our own golden cases, and every way a folder can be wrong."""

import json

import pytest

from portal.domain import draw, recompute, rounds, seed, voucher
from portal.domain.bundle import canonical
from portal.domain.errors import BadInput
from tests.domain import draw_fixture as made
from tests.domain.draw_fixture import CASES, GOLDEN, codes, read_folder, secret, task
from tests.shared import SHARED

VECTORS = SHARED / "design" / "vectors"
BUNDLES = ("open", "sealed", "sm3_weighted", "internal")


def vector(name):
    if not (VECTORS / name).is_dir():
        pytest.skip("the draw vectors are not here (set MINGCHA_SHARED)")
    expected = json.loads((VECTORS / "vectors.json").read_bytes())["bundles"]
    return read_folder(VECTORS / name), next(each for each in expected if each["bundle"] == name)


# ---- golden -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUNDLES)
def test_a_vector_is_reproduced_byte_for_byte(name):
    files, expected = vector(name)
    assert recompute.recompute(files) == files["result.json"]
    outcome = recompute.require_bundle(files, expected["round_digest"])
    suite = outcome.round["suite"]
    assert outcome.seed.hex() == expected["S"]
    assert outcome.draw_key.hex() == expected["K"]
    assert outcome.assign_key.hex() == expected["K_assign"]
    assert outcome.result_commit == expected["result_commit"]
    code, first = expected["first_ticket"]
    assert draw.ticket(suite, outcome.draw_key, code).hex() == first
    drawn = {code for entry in outcome.result.values() for code in draw.drawn_of(entry["strata"])}
    assert len(drawn) == expected["distinct_entities_drawn"]
    assert rounds.format_round(**parts(outcome.round)) == files["round.json"]


def parts(round_):
    given = {key: round_[key] for key in ("suite", "disclosure", "sources", "secrets", "draw_not_before", "tasks")}
    return given | {"round_id": round_["round"], "salt_commit": round_.get("salt_commit")}


def test_the_vouchers_and_public_files_of_the_sealed_vector_are_made_identically():
    files, _ = vector("sealed")
    outcome = recompute.draw_round(files)
    assert outcome.public_json == files["public/public.json"]
    for number in (1, 2, 3):
        expected = files[f"voucher-{number}.json"]
        name, code = (json.loads(expected)[key] for key in ("task", "code"))
        picked = draw.drawn_of(outcome.result[name]["strata"])
        salt_key = bytes.fromhex(outcome.reveal["salt_key"])
        pool = files[f"{name}/pool.tsv"]
        assert voucher.format_vouchers(outcome.round, name, outcome.draw_key, salt_key, pool, picked, [code]) == [
            expected
        ]


@pytest.mark.parametrize("name", sorted(CASES))
def test_our_golden_cases_stay_the_same_from_commitment_to_voucher(name):
    files = read_folder(GOLDEN / name)
    assert CASES[name]() == files
    recompute.require_bundle(files)


def test_labels_and_warnings_come_with_the_outcome():
    assert recompute.draw_round(read_folder(GOLDEN / "open")).label == rounds.PUBLICLY_VERIFIABLE
    assert recompute.draw_round(read_folder(GOLDEN / "sm3")).label == rounds.INTERNAL_ONLY
    outcome = recompute.draw_round(read_folder(GOLDEN / "sealed"))
    assert outcome.label == rounds.AUDITOR_VERIFIABLE
    assert (
        len(outcome.warnings) == 1 and "分层“D”应抽 7 户" in outcome.warnings[0] and "实抽 2 户" in outcome.warnings[0]
    )


def test_an_issue_not_drawn_changes_the_seed_as_a_dash():
    files = made.committed(
        [task("T1", [(c, "*", 1) for c in codes(50)], {"*": {"count": 9}})], sources=[made.DICE, made.HAPPY8]
    )
    both, one = made.revealed(files), made.revealed(files, not_drawn=[made.HAPPY8["name"]])
    assert recompute.recompute(both) != recompute.recompute(one)
    outcome = recompute.draw_round(one)
    rows = [[made.DICE["name"], made.VALUES[made.DICE["name"]]], [made.HAPPY8["name"], "-"]]
    assert outcome.seed == seed.seed_of("sha256", outcome.round_digest, rows, [secret(h).hex() for h in made.HOLDERS])
    with pytest.raises(BadInput, match="61 比特，不足 80"):
        recompute.recompute(made.revealed(files, not_drawn=[made.DICE["name"]]))


# ---- what a folder can lack or have wrong -------------------------------------------------

OPEN, SEALED = read_folder(GOLDEN / "open"), read_folder(GOLDEN / "sealed")
T1, T2 = "350582-2026-T001", "350582-2026-T002"


def without(files, *names):
    return {name: data for name, data in files.items() if name not in names}


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (OPEN, "round.json"),
        (OPEN, "reveal.json"),
        (OPEN, f"{T1}/pool.tsv"),
        (OPEN, "result.json"),
        (SEALED, f"{T2}/quota.json"),
    ]
    + [(OPEN, "slots.json"), (OPEN, "assigned.json"), (SEALED, "public/round.json"), (SEALED, "public/public.json")],
)
def test_a_missing_file_is_named(files, name):
    with pytest.raises(BadInput, match=f"缺少文件 {name}"):
        recompute.require_bundle(without(files, name))


def test_result_assignment_public_folder_and_vouchers_are_optional_as_a_whole():
    recompute.require_bundle(without(OPEN, "slots.json", "assigned.json"))
    vouchers = [name for name in SEALED if name.startswith("voucher")]
    recompute.require_bundle(without(SEALED, "public/round.json", "public/public.json", *vouchers))
    assert recompute.recompute(without(OPEN, "result.json")) == OPEN["result.json"]


CHANGES = [
    (OPEN, {f"{T1}/pool.tsv": OPEN[f"{T1}/pool.tsv"].replace(b"\t1\n", b"\t2\n")}, "pool_root"),
    (OPEN, {f"{T1}/excluded.txt": OPEN[f"{T1}/excluded.txt"].split(b"\n", 1)[1]}, "excluded_root"),
    (OPEN, {f"{T2}/excluded.txt": codes(1)[0].encode() + b"\n"}, "同时有或同时没有"),
    (SEALED, {f"{T1}/pool.tsv": SEALED[f"{T1}/pool.tsv"].replace(b"\tA\t", b"\tB\t")}, "pool_root"),
    (SEALED, {f"{T1}/excluded.txt": SEALED[f"{T1}/excluded.txt"].split(b"\n", 1)[1]}, "excluded_root"),
    (SEALED, {f"{T2}/quota.json": b'{"*":{"count":3}}'}, "quota_commit"),
    (SEALED, {f"{T1}/quota.json": SEALED[f"{T1}/quota.json"].replace(b"50000}", b"50001}")}, "quota_commit"),
    (OPEN, {"result.json": OPEN["result.json"] + b"\n"}, "result.json"),
    (OPEN, {"assigned.json": OPEN["assigned.json"].replace(b"350582-001", b"350582-002")}, "assigned.json"),
    (SEALED, {"public/round.json": SEALED["public/round.json"] + b" "}, "public/round.json"),
    (
        SEALED,
        {"public/public.json": SEALED["public/public.json"].replace(b'"count":4', b'"count":5')},
        "public/public.json",
    ),
    (SEALED, {"voucher-1.json": SEALED["voucher-1.json"].replace(b'"index":', b'"index":1')}, "凭证"),
    (SEALED, {"voucher-77.json": b"{}"}, "凭证"),
]


@pytest.mark.parametrize(("files", "change", "why"), CHANGES)
def test_a_changed_file_is_refused_with_its_reason(files, change, why):
    assert files | change != files
    with pytest.raises(BadInput, match=why):
        recompute.require_bundle(files | change)


def test_a_missing_exclusion_file_is_refused():
    with pytest.raises(BadInput, match="同时有或同时没有"):
        recompute.recompute(without(OPEN, f"{T1}/excluded.txt"))


def slots_with(**change):
    return {"slots.json": canonical(json.loads(OPEN["slots.json"]) | change)}


def test_an_assignment_of_another_round_is_refused():
    with pytest.raises(BadInput, match="不属于本轮"):
        recompute.require_bundle(OPEN | slots_with(K="ab" * 32))
    with pytest.raises(BadInput, match="不属于本轮"):
        recompute.require_bundle(OPEN | slots_with(suite="sm3"))
    stranger = {"350582-2026-R91_X": [["350582-001"], ["350582-002"]]}
    with pytest.raises(BadInput, match="R91_X"):
        recompute.require_bundle(OPEN | slots_with(slots=stranger))


def test_another_digest_than_the_logged_one_is_refused():
    with pytest.raises(BadInput, match="日志中登记的是"):
        recompute.require_bundle(OPEN, "ab" * 32)


def test_names_that_only_look_like_vouchers_are_not_read():
    recompute.require_bundle(
        SEALED | {"voucher-01.json": b"", "voucher-x.json": b"", "notes.txt": b"", "a/voucher-1.json": b""}
    )
