"""What lets a small change cost little: pieces of tables, a manifest that is looked up and spliced, what is known of the last release."""

import gzip
import json
import random
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.domain.bundle import canonical
from portal.domain.errors import BadInput
from public_site import known, lines, listing, pages, tables
from public_site.bundle import load_bundle
from public_site.lines import Difference, difference, ends_piece
from public_site.listing import Counts, Listed, counts_of, open_manifest, save_manifest
from public_site.release import current, release, roll_back
from public_site.round_results import Table
from tests.public_site.bundle_fixture import seal
from tests.public_site.conftest import FakePdfs


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PIECE", 4)
    monkeypatch.setattr(pages, "ROWS", 4)


# Lines and pieces ------------------------------------------------------------------------------


def line(visit: int, words: object) -> bytes:
    return canonical({"visit": f"{visit:03d}", "entity": "E", "words": words}) + b"\n"


def pieces_of(whole: list[bytes]) -> tuple[list[tuple[int, int]], bool]:
    """(from, to) of each piece, and whether the last one is closed by its line."""
    ends = [n for n, one in enumerate(whole, 1) if ends_piece(one)]
    closed = not whole or ends[-1:] == [len(whole)]
    ends += [] if closed else [len(whole)]
    return list(zip([0, *ends], ends, strict=False)), closed


def compared(folder: Path, old: list[bytes], new: list[bytes]) -> tuple[Difference, list[tuple[int, int]], bool]:
    (folder / "old").write_bytes(b"".join(old))
    (folder / "new").write_bytes(b"".join(new))
    pieces, closed = pieces_of(old)
    found = difference(folder / "old", folder / "new", [sum(map(len, old[a:b])) for a, b in pieces], [b - a for a, b in pieces])
    assert found is not None
    return found, pieces, closed


def test_any_change_of_lines_is_found_and_gives_the_pieces_of_the_whole_file(tmp_path: Path) -> None:
    chance, taken, every = random.Random(5), 0, 0
    for turn in range(400):
        old = {visit: line(visit, chance.randrange(3)) for visit in sorted(chance.sample(range(100), chance.randrange(40)))}
        now = dict(old)
        for visit in chance.sample(range(100), chance.randrange(4)):
            if now.pop(visit, None) is None or chance.random() < 0.6:
                now[visit] = line(visit, turn)
        was, new = list(old.values()), [now[visit] for visit in sorted(now)]
        if turn % 10 == 0:
            chance.shuffle(new)  # in no order: all the same right, only little is kept
        found, pieces, closed = compared(tmp_path, was, new)
        assert [one for run in found.runs for one in (*was[run.first : run.last], *run.fresh)] == new
        assert sorted([*found.gone, *(one for run in found.runs for one in was[run.first : run.last])]) == sorted(was)
        made = list(found.pieces([b - a for a, b in pieces], closed))
        assert [(first, last) for first, last, _ in made] == pieces_of(new)[0]
        for first, last, same in made:
            assert same < 0 or new[first:last] == was[slice(*pieces[same])]
            taken, every = taken + (same >= 0), every + 1
    assert taken > every / 2


def test_one_other_line_makes_one_other_piece(tmp_path: Path) -> None:
    old = [line(visit, "x") for visit in range(100)]
    found, pieces, closed = compared(tmp_path, old, [*old[:50], next(one for n in range(99) if ends_piece(one := line(50, n)) == ends_piece(old[50])), *old[51:]])
    made = list(found.pieces([b - a for a, b in pieces], closed))
    assert len(found.gone) == 1 == len(list(found.fresh()))
    assert [same for _, _, same in made].count(-1) == 1 and len(made) == len(pieces) > 10


def test_checks_of_two_parts_give_the_check_of_both() -> None:
    chance = random.Random(2)
    for size in (0, 1, 7, 300, 70_000):
        first, second = chance.randbytes(chance.randrange(50)), chance.randbytes(size)
        assert lines.moved(zlib.crc32(first), size) ^ zlib.crc32(second) == zlib.crc32(first + second)


def test_lines_that_cannot_be_read_are_left_to_who_says_which(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(line(1, "x"))
    (tmp_path / "new").write_bytes(b"{torn\n")
    assert difference(tmp_path / "old", tmp_path / "new", [len(line(1, "x"))], [1]) is None
    (tmp_path / "new").write_bytes(line(1, "x"))
    assert difference(tmp_path / "old", tmp_path / "new", [len(line(1, "x")) - 1], [1]) is None  # a piece that ends within a line


# The manifest ----------------------------------------------------------------------------------


def paths(chance: random.Random, count: int) -> Iterator[str]:
    for n in range(count):
        yield chance.choice(["about.html", "data/x.csv", "zz/last.txt", f"entities/{n % 7:02x}/E{n}.html", f"entities/{n % 7:02x}/E{n}.json", f"sheets/{n % 5:02x}/{n}.pdf", f"results/{n}.html"])


@pytest.mark.parametrize("count", [0, 1, 3, 40, 900])
def test_a_manifest_is_looked_up_where_it_lies_and_spliced_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(listing, "CHUNK", 3000)  # longer than an entry, shorter than the whole
    chance = random.Random(count)
    old = {path: f"{chance.randrange(1 << 64):064x}" for path in paths(chance, count)}
    inputs = {path: digest[:32] for path, digest in old.items() if path.endswith((".html", ".pdf"))}

    def save(name: str, files: Listed, sources: Listed) -> bytes:
        digest = save_manifest(tmp_path / name, b'{"as_of":"x",', files, sources, b'"made":{},"spec":"y"}')
        written = (tmp_path / name).read_bytes()
        assert listing.hashlib.sha256(written).hexdigest() == digest
        return written

    assert save("old", Listed(fresh=dict(old)), Listed(fresh=dict(inputs))) == canonical({"as_of": "x", "files": old, "inputs": inputs, "made": {}, "spec": "y"})
    files, sources = open_manifest(tmp_path / "old")
    assert (dict(files.items()), dict(sources.items()), len(files)) == (old, inputs, len(old))
    for path in [*old, "entities/", "entities/03/E1.htm", "sheets/zz", "a", "zzz"]:
        assert (files.get(path), path in files) == (old.get(path), path in old)
    kept = {path: digest for path, digest in old.items() if path.startswith(listing.FOLDERS)}
    assert counts_of(files) == Counts(len(kept), sum(path.endswith("html") for path in kept), sum(path.endswith("pdf") for path in kept))
    without = frozenset([*chance.sample(sorted(kept), len(kept) // 3), "entities/03/none.html", "sheets/zz/none.pdf"])
    fresh = {path: "f" * 64 for path in [*sorted(without)[::2], "about.html", "entities/00/A.html", "sheets/ff/z.pdf", "tasks/t.html"]}
    new = {path: digest for path, digest in kept.items() if path not in without} | fresh
    spliced = Listed(files, without, dict(fresh))
    assert save("new", spliced, Listed(sources, without, {})) == canonical(
        {"as_of": "x", "files": new, "inputs": {path: digest for path, digest in inputs.items() if path in new and path in kept and path not in without}, "made": {}, "spec": "y"}
    )
    assert sorted(spliced.paths()) == sorted(new) and all(path in spliced for path in new) and not [path for path in old if path in spliced and path not in new]
    for path in [*list(new)[:3], "about.html"]:
        with pytest.raises(BadInput, match="同一个地址"):
            spliced.claim(path)


def test_a_long_list_goes_to_the_disk_in_between_and_a_double_address_is_still_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST", 10)
    every, names = Listed(), [f"entities/{n * 7 % 5:02x}/E{n * 31 % 97}.html" for n in range(97)]
    for name in names:
        every.claim(name)
        every[name] = name.encode().hex()[:64]
        every.spill()
    assert len(every.fresh) < 10 and all(name in every for name in names) and "entities/00/E98.html" not in every
    assert sorted(every.paths()) == sorted(names)
    assert b"".join(every.raw()) == b"".join(b'"%b":"%b",' % (name.encode(), name.encode().hex()[:64].encode()) for name in sorted(names))
    every[names[0]] = "0"
    with pytest.raises(BadInput, match=f"同一个地址“{names[0]}”"):
        list(every.raw())


# Tables and what is known ----------------------------------------------------------------------


@pytest.fixture
def site(in_pieces: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(in_pieces, tmp_path / "site", symlinks=True))


def changed(bundle: Path, folder: Path, words: str) -> Path:
    return edited(bundle, folder, {"town": words})


def edited(bundle: Path, folder: Path, values: dict[str, object]) -> Path:
    """A bundle with one result of a middle page changed."""
    shutil.copytree(bundle, folder)
    rows = [json.loads(one) for one in (bundle / "results.jsonl").read_bytes().splitlines()]
    rows[len(rows) // 2] |= values
    (folder / "results.jsonl").write_bytes(b"".join(canonical(row) + b"\n" for row in rows))
    seal(folder)
    return folder


def test_packed_tables_are_plain_gzip_and_most_of_a_small_change_is_taken_over(
    bundle: Path, site: Path, verify: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []
    pressed = tables._pressed
    monkeypatch.setattr(tables, "_pressed", lambda content: made.append(content) or pressed(content))
    release(changed(bundle, tmp_path / "b", "晋江市内坑镇"), site, FakePdfs(), verify=verify)
    whole = (site / "current/data/results.jsonl").read_bytes()
    assert 0 < sum(map(len, made)) < len(whole) / 4, "only the piece of the changed line, and its rows"
    for path in (tables.LINES, tables.TABLE):
        packed = (site / "current" / f"{path}.gz").read_bytes()
        assert gzip.decompress(packed) == (site / "current" / path).read_bytes()
        assert packed[:10] == gzip.compress(b"", 6, mtime=0)[:9] + b"\x03"


def test_what_is_known_is_of_the_release_shown_and_of_this_program(bundle: Path, site: Path, verify: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = current(site)
    assert first and known.load_known(site, first) and not known.load_known(site, "000009-0123456789ab") and not known.load_known(site, None)
    second = release(changed(bundle, tmp_path / "b", "晋江市内坑镇"), site, FakePdfs(), verify=verify).id
    assert known.load_known(site, second) and not known.load_known(site, first)
    roll_back(site, first, FakePdfs(), verify=verify)
    assert known.load_known(site, current(site)) is None  # the next release reads all
    monkeypatch.setattr(known, "program", lambda: "another")
    assert known.load_known(site, second) is None
    (site / known.FILE).write_bytes(b"torn")
    assert known.load_known(site, second) is None


def test_a_bundle_read_with_what_is_known_is_the_bundle_read_without(bundle: Path, site: Path, tmp_path: Path) -> None:
    other = changed(bundle, tmp_path / "b", "晋江市内坑镇")
    with_it, without = load_bundle(other, None, known.load_known(site, current(site))), load_bundle(other)
    assert with_it.since is not None and without.since is None and len(list(with_it.since.fresh())) == 1
    for name in ("by_entity", "by_round", "digests", "updated", "problems"):
        assert getattr(with_it, name) == getattr(without, name), name
    assert (with_it.index.starts, with_it.index.sizes, with_it.index.rounds) == (without.index.starts, without.index.sizes, without.index.rounds)
    assert list(with_it.index.names) == list(without.index.names)
    assert all(with_it.names_of(code) == without.names_of(code) and with_it.aliases_of(code) == without.aliases_of(code) for code in without.by_entity)


def test_a_torn_bundle_is_refused_however_it_compares(bundle: Path, site: Path, tmp_path: Path) -> None:
    """It is compared with what is known while it is hashed: what comes of that counts only when the sums are right."""
    other = changed(bundle, tmp_path / "b", "晋江市内坑镇")
    earlier, results = known.load_known(site, current(site)), other / "results.jsonl"
    whole = results.read_bytes()
    for content in (whole[:-9], whole[: len(whole) // 2], whole.replace("内坑镇".encode(), "内坑乡".encode()), b"", b"\0" * 99):
        results.write_bytes(content)
        with pytest.raises(BadInput, match="results.jsonl”与清单不符"):
            load_bundle(other, None, earlier)
    results.unlink()
    with pytest.raises(BadInput, match="缺少“results.jsonl”"):
        load_bundle(other, None, earlier)
    results.symlink_to("/dev/zero")  # never ends: it must not even be opened
    with pytest.raises(BadInput, match="results.jsonl”是符号链接"):
        load_bundle(other, None, earlier)


@pytest.mark.parametrize("path", [tables.LINES, f"{tables.TABLE}.gz"])
def test_a_torn_table_of_the_last_release_is_not_built_on(bundle: Path, site: Path, verify: Path, tmp_path: Path, path: str) -> None:
    """It has not the bytes that are known of it: all is made anew."""
    place = site / "current" / path
    content = place.read_bytes()
    place.unlink()
    place.write_bytes(content[:-100])
    other = changed(bundle, tmp_path / "b", "晋江市内坑镇")
    release(other, site, FakePdfs(), verify=verify)
    assert (site / "current" / tables.LINES).read_bytes() == (other / "results.jsonl").read_bytes()
    assert gzip.decompress((site / "current" / f"{tables.TABLE}.gz").read_bytes()) == (site / "current" / tables.TABLE).read_bytes()


# Pages of a round ------------------------------------------------------------------------------


def test_a_changed_result_makes_two_pages_of_its_round_anew(bundle: Path, site: Path, verify: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one it stands on and the first; a page says of what day its own rows are."""
    made: list[slice] = []
    rows = Table.__getitem__
    monkeypatch.setattr(Table, "__getitem__", lambda self, part: made.append(part) or rows(self, part))
    before = {path.name: path.read_text("utf-8") for path in (site / "current/results").glob("*.html")}
    release(edited(bundle, tmp_path / "b", {"history": [{"on": "2027-01-05", "text": "更正。"}]}), site, FakePdfs(), verify=verify)
    after = {path.name: path.read_text("utf-8") for path in (site / "current/results").glob("*.html")}
    assert len(made) == 2 and before.keys() == after.keys()
    touched = sorted(name for name in after if before[name] != after[name] and "R00" in name)
    assert len(touched) == 2 and all("截至 <time datetime=\"2027-01-05\">" in after[name] for name in touched)
    inputs = json.loads((site / "current/manifest.json").read_bytes())["inputs"]
    assert all(f"results/{name}" in inputs for name in after if "R00" in name)
