"""portal recompute | assign-file | verify: byte for byte, and red for whatever was touched, never a traceback."""

import gzip
import json
import shutil

import pytest

from tests.cli.command import Portal
from tests.domain.draw_fixture import GOLDEN, write_folder
from tests.domain.replaced import replaced
from tests.shared import SHARED

VECTORS = SHARED / "design" / "vectors"
ALL = [*(VECTORS / name for name in ("open", "sealed", "sm3_weighted", "internal")), *sorted(GOLDEN.iterdir())]


@pytest.fixture
def portal(tmp_path):
    return Portal(tmp_path / "unused")


def there(folder):
    if not folder.is_dir():
        pytest.skip("the draw vectors are not here (set MINGCHA_SHARED)")
    return folder


@pytest.fixture(params=ALL, ids=lambda folder: folder.name if folder.parent == VECTORS else f"own-{folder.name}")
def bundle(request):
    return there(request.param)


@pytest.fixture
def copy(bundle, tmp_path):
    return shutil.copytree(bundle, tmp_path / "copy", copy_function=shutil.copyfile)


def test_recompute_gives_result_json_byte_for_byte(portal, bundle):
    done = portal("recompute", bundle)
    assert (done.code, done.err) == (0, "") and done.raw == (bundle / "result.json").read_bytes()


def test_recompute_needs_no_result_and_believes_none(portal, copy):
    wanted = (copy / "result.json").read_bytes()
    (copy / "result.json").write_bytes(b"{}")
    assert portal("recompute", copy).raw == wanted
    (copy / "result.json").unlink()
    assert portal("recompute", copy).raw == wanted


def test_verify_is_green_on_a_true_bundle_and_changes_nothing_in_it(portal, bundle):
    before = {path: path.stat().st_mtime_ns for path in bundle.rglob("*")}
    done = portal("verify", bundle)
    assert (done.code, done.err) == (0, "") and len(done.lines("OK   ")) >= 2 and not done.lines("FAIL")
    assert {path: path.stat().st_mtime_ns for path in bundle.rglob("*")} == before


@pytest.mark.parametrize("kind", ["open", "sealed"])
def test_a_replacement_is_recomputed_and_its_fingerprint_told(portal, tmp_path, kind):
    folder = write_folder(tmp_path / kind, replaced(kind))
    said = portal("verify", folder)
    assert said.code == 0 and any("补抽 3 户次（递补 3，空缺 0），重算一致" in line for line in said.lines("OK   ")) and "replacement.json" not in said.out
    place = folder / "replacement.json"
    place.write_bytes(place.read_bytes().replace(b'"kept":[', b'"kept":["91350000000000009X",', 1))
    assert portal("verify", folder).code == 1


def test_one_changed_byte_in_any_file_is_red(portal, copy):
    for place in sorted(path for path in copy.rglob("*") if path.is_file()):
        true = place.read_bytes()
        middle = len(true) // 2
        place.write_bytes(true[:middle] + bytes([true[middle] ^ 1]) + true[middle + 1 :])
        done = portal("verify", copy)
        assert done.code == 1 and len(done.lines("FAIL ")) == 1 and "Traceback" not in done.err, (place, done)
        assert done.err.startswith("portal: 核验有 1 项不通过")
        place.write_bytes(true)


def test_any_missing_file_is_red(portal, copy):
    optional = {"excluded.txt"}
    for place in sorted(path for path in copy.rglob("*") if path.is_file()):
        if place.name.startswith("voucher-") or place.name in optional:
            continue
        true = place.read_bytes()
        place.unlink()
        done = portal("verify", copy)
        # Of a folder without reveal.json, or of one without slots and assignment, other things can still be said.
        assert done.code == 1 and done.lines("FAIL "), (place, done)
        place.write_bytes(true)


HOSTILE = {
    "empty": b"", "binary": bytes(range(256)), "picture": b"\x89PNG\r\n\x1a\n" + bytes(64), "deep": b"[" * 200_000,
    "not canonical": b'{ "a": 1 }', "a list": b"[]", "a number": b"1", "null": b"null", "huge number": b'{"a":' + b"9" * 5000 + b"}",
    "surrogate": b'"\\ud800"', "bom": b"\xef\xbb\xbf{}",
}  # fmt: skip


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", ["round.json", "reveal.json", "result.json", "slots.json", "assigned.json", "350582-2026-T001/pool.tsv"])
def test_foreign_content_is_one_fail_line_and_one_sentence(portal, tmp_path, name, content):
    folder = shutil.copytree(GOLDEN / "open", tmp_path / "copy")
    (folder / name).write_bytes(content)
    done = portal("verify", folder)
    assert done.code == 1 and len(done.lines("FAIL ")) == 1 and done.err.count("\n") == 1, done
    if name not in ("result.json", "slots.json", "assigned.json"):
        assert portal.refused("recompute", folder).count("\n") == 1
    if name == "slots.json":
        assert portal.refused("assign-file", folder / name).count("\n") == 1


def test_folders_that_hold_no_draw_are_refused_without_being_read(portal, tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    for place in (tmp_path, tmp_path / "none", tmp_path / "notes.txt"):
        portal.refused("recompute", place)
        done = portal("verify", place)
        assert done.code == 1 and len(done.lines("FAIL ")) == 1, done
    for place in (tmp_path, tmp_path / "none"):
        portal.refused("assign-file", place)


def test_a_link_that_leads_nowhere_and_a_folder_in_the_place_of_a_file_are_red(portal, tmp_path):
    folder = shutil.copytree(GOLDEN / "open", tmp_path / "copy")
    (folder / "reveal.json").unlink()
    (folder / "reveal.json").symlink_to(tmp_path / "nowhere")
    assert "不是普通文件" in portal("verify", folder).out and "不是普通文件" in portal.refused("recompute", folder)
    (folder / "reveal.json").unlink()
    (folder / "reveal.json").mkdir()
    assert portal("verify", folder).code == 1
    portal.refused("recompute", folder)


def test_other_files_are_named_and_not_looked_at(portal, tmp_path):
    folder = shutil.copytree(GOLDEN / "open", tmp_path / "copy")
    (folder / "说明.txt").write_text("x")
    done = portal("verify", folder)
    assert done.code == 0 and done.lines("--   没有核对的其他文件：说明.txt")


def test_a_packed_twin_is_compared_with_its_file(portal, tmp_path):
    folder = shutil.copytree(GOLDEN / "open", tmp_path / "copy")
    twin = folder / "result.json.gz"
    twin.write_bytes(gzip.compress((folder / "result.json").read_bytes()))
    done = portal("verify", folder)
    assert done.code == 0 and "没有核对" not in done.out
    for wrong in (gzip.compress((folder / "result.json").read_bytes() + b" "), gzip.compress(b""), b"\x1f\x8bnothing", b""):
        twin.write_bytes(wrong)
        done = portal("verify", folder)
        assert done.code == 1 and done.lines("FAIL result.json.gz 解压后与 result.json 不一致"), wrong


def test_the_public_folder_of_a_sealed_round_is_green_and_red_once_touched(portal, tmp_path):
    public = shutil.copytree(GOLDEN / "sealed" / "public", tmp_path / "public")
    assert portal("verify", public).code == 0
    told = json.loads((public / "public.json").read_bytes())
    task = next(iter(told["tasks"].values()))
    task["count"] = -1
    (public / "public.json").write_text(json.dumps(told, sort_keys=True, separators=(",", ":")))
    assert portal("verify", public).lines("FAIL ")
    (public / "public.json").unlink()
    assert "密值公开以前不能重算" in portal("verify", public).out


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.iterdir()))
def test_assign_file_gives_assigned_json_byte_for_byte(portal, name):
    done = portal("assign-file", GOLDEN / name / "slots.json")
    assert (done.code, done.err) == (0, "") and done.raw == (GOLDEN / name / "assigned.json").read_bytes()


@pytest.mark.shared
def test_assign_file_gives_the_assignments_of_the_vectors(portal, tmp_path):
    cases = json.loads((there(VECTORS) / "vectors.json").read_bytes())["assign"]
    for case in cases:
        place = tmp_path / "slots.json"
        place.write_bytes(plain({name: case[name] for name in ("suite", "K", "slots", "caps")}))
        done = portal("assign-file", place)
        assert done.raw == plain({name: case[name] for name in ("assigned", "raised", "unfilled")}), done
    assert cases


def plain(document) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
