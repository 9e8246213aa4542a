"""verify.py: agrees with the portal on every bundle, goes red on any change, never falls over."""

import ast
import hashlib
import io
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain import draw, recompute
from portal.domain.bundle import canonical
from portal.domain.errors import BadInput
from portal.domain.replacement import replacement_commit
from portal.domain.rounds import parse_round
from public_site.verify import verify
from tests.domain.draw_fixture import (
    CASES,
    DICE,
    DOUBLE,
    DRAWN_AT,
    GOLDEN,
    HAPPY8,
    codes,
    committed,
    drawn,
    read_folder,
    revealed,
    task,
    write_folder,
)
from tests.domain.replaced import replaced
from tests.domain.test_replacement import WRONG
from tests.shared import SHARED

VERIFY_PY = Path(verify.__file__)
VECTORS = SHARED / "design" / "vectors"
BUNDLES = {f"golden-{name}": GOLDEN / name for name in CASES}
BUNDLES |= {f"vector-{name}": VECTORS / name for name in ("open", "sealed", "sm3_weighted", "internal")}
T1, T2 = "350582-2026-T001", "350582-2026-T002"


def folder_of(name):
    if not BUNDLES[name].is_dir():
        pytest.skip("the draw vectors are not here (set MINGCHA_SHARED)")
    return BUNDLES[name]


def run(*argv):
    out = io.StringIO()
    code = verify.main([str(arg) for arg in argv], out)
    lines = out.getvalue().splitlines()
    fails = [line for line in lines if line.startswith("FAIL")]
    assert (code == 1) == bool(fails) and fails in ([], lines[-1:])  # one FAIL at most, and it is the last line
    return code, lines


def run_files(tmp_path, files, *more):
    shutil.rmtree(tmp_path / "b", ignore_errors=True)
    return run(write_folder(tmp_path / "b", files), *more)


# ---- what it is ---------------------------------------------------------------------------


def test_it_stands_on_the_standard_library_alone_in_under_250_lines():
    source = VERIFY_PY.read_text("utf-8")
    assert len(source.splitlines()) < 250
    imported = {
        name.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for name in node.names
    }
    assert imported <= sys.stdlib_module_names
    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(ast.parse(source)))


def test_it_runs_alone_as_a_program(tmp_path):
    shutil.copy(VERIFY_PY, tmp_path / "verify.py")
    done = subprocess.run(
        [sys.executable, "-I", "verify.py", GOLDEN / "open"], cwd=tmp_path, capture_output=True, timeout=60
    )
    assert done.returncode == 0 and "公开可验证" in done.stdout.decode()
    done = subprocess.run([sys.executable, "-I", "verify.py", tmp_path], cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 1 and done.stderr == b""


def test_called_wrongly_it_says_how_to_call_it():
    assert run()[0] == 2 and "BUNDLE" in "".join(run()[1])
    assert run("a", "b", "c")[0] == 2


# ---- true bundles -------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(BUNDLES))
def test_a_true_bundle_is_ok_in_chinese_and_english(name):
    code, lines = run(folder_of(name))
    assert code == 0
    checks = [line for line in lines if line.startswith("OK")]
    assert len(checks) >= 4 and all(" / " in line and not line.isascii() for line in checks)
    assert not any("ignored" in line for line in lines)


def test_the_label_the_digest_and_the_commitment_are_shown():
    lines = run(GOLDEN / "sealed")[1]
    outcome = recompute.draw_round(read_folder(GOLDEN / "sealed"))
    assert outcome.round_digest.hex() in lines[1]
    assert any(outcome.result_commit in line for line in lines)
    assert "监督机构可复核" in lines[-1]
    assert "公开可验证" in run(GOLDEN / "open")[1][-1]
    assert "内部可复核，不能证明结果未被挑选" in run(GOLDEN / "sm3")[1][-1]


def test_too_few_available_is_said_but_is_no_failure():
    assert any("可抽不足" in line and "2 of 7" in line for line in run(GOLDEN / "sealed")[1])


def test_the_logged_digest_is_compared():
    digest = hashlib.sha256((GOLDEN / "open" / "round.json").read_bytes()).hexdigest()
    assert run(GOLDEN / "open", digest)[0] == 0
    code, lines = run(GOLDEN / "open", "ab" * 32)
    assert code == 1 and "日志登记" in lines[-1]


@pytest.mark.parametrize("name", ["golden-sealed", "vector-sealed"])
def test_every_voucher_holds_against_the_public_folder(name):
    folder = folder_of(name)
    for voucher in sorted(folder.glob("voucher-*.json")):
        code, lines = run(voucher, folder / "public")
        assert code == 0 and len([line for line in lines if line.startswith("OK")]) == 2
        assert json.loads((folder / "public" / "public.json").read_bytes())["result_commit"] in lines[-1]


def test_other_files_are_ignored_and_named(tmp_path):
    files = read_folder(GOLDEN / "open") | {
        "notes.txt": b"x",
        f"{T1}/quota.json": b"x",
        "voucher-1.json": b"x",
        "public/x": b"",
    }
    code, lines = run_files(tmp_path, files)
    assert code == 0
    named = next(line for line in lines if "ignored" in line)
    assert all(name in named for name in ("notes.txt", f"{T1}/quota.json", "voucher-1.json", "public/x"))


# ---- any one-byte change ------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(BUNDLES))
def test_any_one_byte_change_goes_red(name, tmp_path):
    chance = random.Random(f"one byte of {name}")
    folder = shutil.copytree(folder_of(name), tmp_path / "b")
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        places = {0, len(data) - 1, *(chance.randrange(len(data)) for _ in range(5))}
        for place in places:
            other = data[place] ^ (1 << chance.randrange(8))
            path.write_bytes(data[:place] + bytes([other]) + data[place + 1 :])
            assert run(folder)[0] == 1, f"{path.name}: byte {place} became {other} and nobody noticed"
        for wrong in (data[:-1], data + b"\n", b""):
            path.write_bytes(wrong)
            assert run(folder)[0] == 1, f"{path.name} was cut or grew and nobody noticed"
        path.write_bytes(data)
    assert run(folder)[0] == 0


def test_any_missing_file_goes_red_but_for_whole_optional_parts(tmp_path):
    for case in ("open", "sealed"):
        files = read_folder(GOLDEN / case)
        for name in files:
            if not name.startswith("voucher-"):
                rest = {other: data for other, data in files.items() if other != name}
                assert run_files(tmp_path, rest)[0] == 1, name


# ---- every refusal, here and in the portal ------------------------------------------------

OPEN, SEALED = read_folder(GOLDEN / "open"), read_folder(GOLDEN / "sealed")


def edited(files, name, *path, to):
    """The files with one value of a JSON file replaced, deleted (`to` is None) or computed from the old one."""
    document = json.loads(files[name])
    at = document
    for key in path[:-1]:
        at = at[key]
    if to is None:
        del at[path[-1]]
    else:
        at[path[-1]] = to(at[path[-1]]) if callable(to) else to
    data = canonical(document)
    assert data != files[name]
    return {**files, name: data}


def round_of(*path, to, files=OPEN):
    return edited(files, "round.json", *path, to=to)


HEX = "ab" * 32
MALFORMED_ROUNDS = {
    "spec": round_of("spec", to="ssj/2"),
    "suite": round_of("suite", to="md5"),
    "disclosure": round_of("disclosure", to="secret"),
    "no disclosure": round_of("disclosure", to=None),
    "round id": round_of("round", to="R 1"),
    "round id with a slash": round_of("round", to="../R1"),
    "time": round_of("draw_not_before", to="2026-12-01T22:00:00Z"),
    "time that is no day": round_of("draw_not_before", to="2026-13-01T22:00:00+08:00"),
    "drawn at the same moment": round_of("draw_not_before", to=DRAWN_AT),
    "bits too many": round_of("sources", 0, "bits", to=84),
    "bits too few": round_of("sources", 0, "bits", to=82),
    "group larger than its range": round_of("sources", 0, "groups", 0, to=[11, 0, 9]),
    "empty group": round_of("sources", 0, "groups", 0, to=[0, 0, 9]),
    "no groups": round_of("sources", 0, "groups", to=[]),
    "hostile group": round_of("sources", 0, "groups", 0, to=[2**52, 0, 2**53 - 1]),
    "source name": round_of("sources", 0, "name", to="公证\u200b"),
    "source name at its end": round_of("sources", 0, "name", to="公证 "),
    "source named twice": round_of("sources", to=[DICE, DICE]),
    "61 bits": round_of("sources", to=[HAPPY8]),
    "one holder": round_of("secrets", to=lambda secrets: secrets[:1]),
    "one holder twice": round_of("secrets", to=lambda secrets: [secrets[0], secrets[0]]),
    "no secret, no source": round_of("secrets", to=[], files=round_of("sources", to=[])),
    "commitment": round_of("secrets", 0, "commit", to=HEX.upper()),
    "secrets as an object": round_of("secrets", to={"a": 1}),
    "salt in an open round": OPEN | {"round.json": canonical(json.loads(OPEN["round.json"]) | {"salt_commit": HEX})},
    "open made sealed": round_of("disclosure", to="sealed"),
    "sealed made open": round_of("disclosure", to="open", files=SEALED),
    "sealed without salt": round_of("salt_commit", to=None, files=SEALED),
    "no tasks": round_of("tasks", to=[]),
    "task twice": round_of("tasks", to=lambda tasks: tasks[:1] * 2),
    "task id": round_of("tasks", 0, "task", to="../T"),
    "pool root": round_of("tasks", 0, "pool_root", to="x"),
    "pool size": round_of("tasks", 0, "pool_size", to=-1),
    "excluded root": round_of("tasks", 0, "excluded_root", to=""),
    "rounding": round_of("tasks", 0, "rounding", to="floor"),
    "minimum": round_of("tasks", 0, "minimum", to=True),
    "reserve": round_of("tasks", 0, "reserve", to="2"),
    "quota and its commitment": round_of("tasks", 0, to=lambda task: task | {"quota_commit": HEX}),
    "no quota": round_of("tasks", 0, "quota", to=None),
    "more than the whole": round_of("tasks", 0, "quota", "*", "ppm", to=1_000_001),
    "ppm and count": round_of("tasks", 0, "quota", "*", to={"ppm": 1, "count": 1}),
    "negative count": round_of("tasks", 1, "quota", "池店镇", "count", to=-1),
    "stratum": round_of("tasks", 0, "quota", to=lambda quota: quota | {"\u3000甲": {"ppm": 1}}),
    "a control character": OPEN | {"round.json": OPEN["round.json"].replace(b'"size":300', b'"size":"\\n"')},
    "a fraction": OPEN | {"round.json": OPEN["round.json"].replace(b'"size":300', b'"size":1.5')},
    "a large number": OPEN | {"round.json": OPEN["round.json"].replace(b'"size":300', b'"size":9007199254740992')},
    "a doubled key": OPEN | {"round.json": OPEN["round.json"].replace(b'"size":300', b'"size":300,"size":300')},
    "a list": OPEN | {"round.json": b"[]"},
    "not text": OPEN | {"round.json": b"\xff\xfe"},
    "deep": OPEN | {"round.json": b"[" * 100_000},
}


@pytest.mark.parametrize("what", sorted(MALFORMED_ROUNDS))
def test_a_malformed_round_is_refused_by_both_as_the_first_thing(what, tmp_path):
    files = MALFORMED_ROUNDS[what]
    with pytest.raises(BadInput):
        parse_round(files["round.json"])
    code, lines = run_files(tmp_path, files)
    assert code == 1 and len(lines) == 1 and "轮次文件合规" in lines[0]


def reveal_of(*path, to, files=OPEN):
    return edited(files, "reveal.json", *path, to=to)


WRONG_REVEALS = {
    "further key": OPEN | {"reveal.json": canonical(json.loads(OPEN["reveal.json"]) | {"note": 1})},
    "salt key in an open round": OPEN | {"reveal.json": canonical(json.loads(OPEN["reveal.json"]) | {"salt_key": HEX})},
    "no salt key": reveal_of("salt_key", to=None, files=SEALED),
    "another salt key": reveal_of("salt_key", to=HEX, files=SEALED),
    "another secret": reveal_of("secrets", 0, to=HEX),
    "secrets turned round": reveal_of("secrets", to=lambda secrets: secrets[::-1]),
    "one secret": reveal_of("secrets", to=lambda secrets: secrets[:1]),
    "secrets as keys": reveal_of("secrets", to=lambda secrets: dict.fromkeys(secrets, 1)),
    "one source": reveal_of("sources", to=lambda rows: rows[:1]),
    "sources turned round": reveal_of("sources", to=lambda rows: rows[::-1]),
    "another date": reveal_of("sources", 0, 2, to="2026-12-01T21:30:01+08:00"),
    "another name": reveal_of("sources", 0, 0, to="公证"),
    "too few numbers": reveal_of("sources", 0, 1, to="3./1./"),
    "a leading zero": reveal_of("sources", 0, 1, to=lambda value: "03" + value[1:]),
    "out of range": reveal_of("sources", 0, 1, to=lambda value: "10" + value[1:]),
    "no last stroke": reveal_of("sources", 0, 1, to=lambda value: value[:-1]),
    "too few bits": reveal_of("sources", 0, 1, to="-"),
    "a value that is no text": reveal_of("sources", 0, 1, to=7),
    "a row of two": reveal_of("sources", 0, to=lambda row: row[:2]),
    "unsorted": reveal_of(
        "sources",
        0,
        1,
        to=lambda value: "6.4.11.17.23.28./9./",
        files=drawn(revealed(committed([task("T1", [("A", "*", 1)], {"*": {"count": 1}})], sources=[DOUBLE, DICE]))),
    ),
    "repeated": reveal_of(
        "sources",
        0,
        1,
        to=lambda value: "4.4.11.17.23.28./9./",
        files=drawn(revealed(committed([task("T1", [("A", "*", 1)], {"*": {"count": 1}})], sources=[DOUBLE, DICE]))),
    ),
}


@pytest.mark.parametrize("what", sorted(WRONG_REVEALS))
def test_a_reveal_that_opens_no_commitment_is_refused_by_both(what, tmp_path):
    files = WRONG_REVEALS[what]
    with pytest.raises(BadInput):
        recompute.recompute(files)
    code, lines = run_files(tmp_path, files)
    assert code == 1 and "种子来源与秘密" in lines[-1]


def relogged(files, task_number=0, **change):
    """The files with a task's entry changed in the round: a commitment to something that may not be."""
    document = json.loads(files["round.json"])
    document["tasks"][task_number] |= change
    return {**files, "round.json": canonical(document)}


def open_root(data):
    return hashlib.sha256(b"\0" + data).hexdigest()  # of 256 lines or fewer


def with_pool(data, quota=None):
    """A round of one open task whose committed root fits these bytes, whatever they are."""
    files = revealed(committed([task("T1", [("A", "*", 1)], quota or {"*": {"count": 1}})]))
    return relogged({**files, "T1/pool.tsv": data}, pool_root=open_root(data), pool_size=data.count(b"\n"))


def with_excluded(data):
    files = with_pool(b"A\t*\t1\nB\t*\t1\nC\t*\t1\n")
    return relogged({**files, "T1/excluded.txt": data}, excluded_root=open_root(data))


def sealed_quota(quota):
    """A sealed round whose commitment to a forbidden quota fits."""
    salt_key = bytes.fromhex(json.loads(SEALED["reveal.json"])["salt_key"])
    data = canonical(quota)
    commit = hashlib.sha256(b"ssj/1 quota\n" + salt_key + f"{T1}\n".encode() + data).hexdigest()
    return relogged({**SEALED, f"{T1}/quota.json": data}, quota_commit=commit)


WRONG_FILES = {
    "no last line feed": with_pool(b"A\t*\t1\nB\t*\t1"),
    "a space for a tab": with_pool(b"A *\t1\n"),
    "four columns": with_pool(b"A\t*\t1\t1\n"),
    "an empty line": with_pool(b"A\t*\t1\n\n"),
    "carriage returns": with_pool(b"A\t*\t1\r\n"),
    "not sorted": with_pool(b"B\t*\t1\nA\t*\t1\n"),
    "a code twice": with_pool(b"A\t*\t1\nA\tB\t1\n", {"*": {"count": 1}, "B": {"count": 0}}),
    "weight 0": with_pool(b"A\t*\t0\n"),
    "weight 01": with_pool(b"A\t*\t01\n"),
    "weight of seven digits": with_pool(b"A\t*\t1000000\n"),
    "a code with a dot": with_pool(b"A.B\t*\t1\n"),
    "a code of 65": with_pool(b"A" * 65 + b"\t*\t1\n"),
    "a stratum with a space at its end": with_pool("A\t甲 \t1\n".encode(), {"*": {"count": 1}, "甲": {"count": 0}}),
    "a stratum not in NFC": with_pool("A\te\u0301\t1\n".encode()),
    "a stratum that is not UTF-8": with_pool(b"A\t\xff\t1\n"),
    "a stratum without quota": with_pool(b"A\tB\t1\n"),
    "another size": relogged(with_pool(b"A\t*\t1\n"), pool_size=2),
    "another root": relogged(with_pool(b"A\t*\t1\n"), pool_root=HEX),
    "weights too unequal": with_pool(b"A\t*\t1\nB\t*\t1\nC\t*\t2\n", {"*": {"count": 2}}),
    "empty exclusions": with_excluded(b""),
    "exclusions without line feed": with_excluded(b"A"),
    "an empty exclusion": with_excluded(b"\n"),
    "exclusions not sorted": with_excluded(b"B\nA\n"),
    "an exclusion twice": with_excluded(b"A\nA\n"),
    "an exclusion outside the pool": with_excluded(b"Z\n"),
    "exclusions without root": relogged(with_excluded(b"A\n"), excluded_root=None),
    "another exclusion root": relogged(with_excluded(b"A\n"), excluded_root=HEX),
    "none of a class": sealed_quota({"A": {"ppm": 0}, "B": {"ppm": 1}, "C": {"ppm": 1}, "D": {"ppm": 1}}),
    "no count of a class": sealed_quota({"A": {"count": 0}, "B": {"ppm": 1}, "C": {"ppm": 1}, "D": {"ppm": 1}}),
    "all of a class": sealed_quota({"A": {"ppm": 1_000_000}, "B": {"ppm": 1}, "C": {"ppm": 1}, "D": {"ppm": 1}}),
    "a class without quota": sealed_quota({"A": {"ppm": 1}, "B": {"ppm": 1}, "C": {"ppm": 1}}),
}


@pytest.mark.parametrize("what", sorted(WRONG_FILES))
def test_files_that_no_commitment_makes_right_are_refused_by_both(what, tmp_path):
    files = WRONG_FILES[what]
    with pytest.raises(BadInput):
        recompute.recompute(files)
    code, lines = run_files(tmp_path, files)
    assert code == 1 and "名录与承诺一致" in lines[-1]


def test_the_same_files_committed_rightly_are_accepted_by_both(tmp_path):
    for files in (with_pool(b"A\t*\t1\nB\t*\t1\nC\t*\t1\nD\t*\t2\n", {"*": {"count": 2}}), with_excluded(b"A\nC\n")):
        assert run_files(tmp_path, drawn(files))[0] == 0


def test_a_machine_without_sm3_fails_only_rounds_of_sm3(monkeypatch):
    monkeypatch.setattr(hashlib, "algorithms_available", {"sha256"})
    assert run(GOLDEN / "open")[0] == 0
    code, lines = run(GOLDEN / "sm3")
    assert code == 1 and "SM3" in lines[-1]


def test_an_assignment_of_another_round_is_refused(tmp_path):
    for path, to in ((("K",), HEX), (("suite",), "sm3"), (("slots",), {"R91_X": [["350582-001"], ["350582-002"]]})):
        code, lines = run_files(tmp_path, edited(OPEN, "slots.json", *path, to=to))
        assert code == 1 and "人员匹配" in lines[-1]


@pytest.mark.parametrize("path", ["no/such/folder", VERIFY_PY, Path("/dev/null")])
def test_what_is_no_bundle_is_a_fail_line(path):
    assert run(path)[0] == 1
    assert run(path, GOLDEN / "open")[0] == 1


def test_an_unreadable_file_is_a_fail_line(tmp_path):
    write_folder(tmp_path, OPEN)
    (tmp_path / "result.json").unlink()
    (tmp_path / "result.json").symlink_to(tmp_path / "nowhere")
    assert run(tmp_path)[0] == 1


def test_hostile_names_do_not_reach_the_terminal(tmp_path):
    code, lines = run_files(tmp_path, OPEN | {"x\x1b[31m\nOK    all": b""})
    assert (
        code == 0
        and not any("\x1b" in line for line in lines)
        and not any(line.startswith("OK    all") for line in lines)
    )


# ---- the two programs agree on random cases -----------------------------------------------

strata = st.dictionaries(
    st.sampled_from("ABCDE东西"), st.tuples(st.integers(0, 300), st.integers(0, 1_000_000), st.booleans()), min_size=1
)


@given(strata, st.integers(0, 4), st.sampled_from(["ceil", "lr"]))
def test_both_programs_count_the_same_quotas(found, minimum, rounding):
    sizes = {name: size for name, (size, _, _) in found.items() if size}
    quota = {name: {"count": n % 400} if counted else {"ppm": n} for name, (_, n, counted) in found.items()}
    assert draw.quotas(sizes, quota, rounding, minimum) == verify.quotas(sizes, quota, rounding, minimum)


@pytest.mark.parametrize("suite", ["sha256", "sm3"])
@pytest.mark.parametrize("disclosure", ["open", "sealed"])
def test_both_programs_agree_on_random_rounds(suite, disclosure, tmp_path):
    chance = random.Random(f"{suite} {disclosure}")
    for number in range(6):
        size = chance.choice([1, 2, 255, 256, 257, 400])
        rows = [(code, chance.choice("AB"), chance.choice([1, 1, 3])) for code in codes(size)]
        gone = [code for code, _, _ in rows if chance.random() < 0.1]
        quota = {"A": {"count": max(1, size // 40)}, "B": {"ppm": chance.randrange(1, 90_000)}}
        each = task(
            "T1",
            rows,
            quota,
            excluded=gone,
            minimum=0,
            reserve=chance.randrange(5),
            rounding=chance.choice(["ceil", "lr"]),
        )
        try:
            files = committed([each], suite=suite, disclosure=disclosure, round_id=f"R{number}")
        except BadInput as refused:
            assert "权重" in refused.message
            continue
        code, lines = run_files(tmp_path, drawn(revealed(files), inspectors=3))
        assert code == 0, lines


# ---- replacement --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["open", "sealed"])
def test_a_replacement_is_replaced_again_and_its_commitment_shown(kind, tmp_path):
    files = replaced(kind)
    code, lines = run_files(tmp_path, files)
    assert code == 0 and "OK    补抽与重算一致 / replacement.json is what the order gives" in lines
    outcome = recompute.require_bundle(files)
    key = bytes.fromhex(outcome.reveal["salt_key"]) if kind == "sealed" else outcome.draw_key
    assert any(replacement_commit("sha256", key, files["replacement.json"]) in line for line in lines)
    assert not any("ignored" in line for line in lines)


@pytest.mark.parametrize("what", sorted(WRONG.keys() - {"evidence from a file without digest"}))
def test_a_wrong_replacement_goes_red_here_too(what, tmp_path):
    code, lines = run_files(tmp_path, WRONG[what][0])
    assert code == 1 and "补抽与重算一致" in lines[-1]
