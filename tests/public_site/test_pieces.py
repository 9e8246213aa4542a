"""What lets a small change cost little: pieces of tables, a manifest that is looked up and spliced, what is known of the last release."""

import errno
import gzip
import json
import random
import shutil
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.domain.bundle import canonical
from portal.domain.errors import BadInput
from public_site import build, known, lines, listing, pages, tables, wording
from public_site.bundle import last_change, load_bundle
from public_site.check import check_release
from public_site.lines import Difference, difference
from public_site.listing import Counts, Listed, counts_of, open_manifest, save_manifest
from public_site.release import current, release, roll_back
from public_site.round_results import Before, Shown, Table
from tests.public_site.bundle_fixture import seal
from tests.public_site.conftest import FakePdfs, make_small


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


# Lines and pieces ------------------------------------------------------------------------------


def line(visit: int, words: object) -> bytes:
    return canonical({"visit": f"{visit:03d}", "entity": "E", "words": words}) + b"\n"


def marked(whole: list[bytes]) -> lines.Lines:
    """As much of an index as pieces are made from."""
    return lines.Lines(marks=bytearray(b"".join(map(lines.short_digest, whole))))


def compared(folder: Path, old: list[bytes], new: list[bytes]) -> Difference:
    (folder / "old").write_bytes(b"".join(old))
    (folder / "new").write_bytes(b"".join(new))
    parts = [[old[n] for n in part] for _, part in marked(old).pieces(range(len(old)))]
    found = difference(folder / "old", folder / "new", [sum(map(len, part)) for part in parts], [len(part) for part in parts])
    assert found is not None
    return found


def test_any_change_of_lines_is_found_and_most_pieces_are_known_again(tmp_path: Path) -> None:
    chance, known_again, every = random.Random(5), 0, 0
    for turn in range(400):
        old = {visit: line(visit, chance.randrange(3)) for visit in sorted(chance.sample(range(100), chance.randrange(40)))}
        now = dict(old)
        for visit in chance.sample(range(100), chance.randrange(4)):
            if now.pop(visit, None) is None or chance.random() < 0.6:
                now[visit] = line(visit, turn)
        was, new = list(old.values()), [now[visit] for visit in sorted(now)]
        if turn % 10 == 0:
            chance.shuffle(new)  # in no order: all the same right, only little is kept
        found = compared(tmp_path, was, new)
        assert [one for run in found.runs for one in (*was[run.first : run.last], *run.fresh)] == new
        assert sorted([*found.gone, *(one for run in found.runs for one in was[run.first : run.last])]) == sorted(was)
        before = {mark: [was[n] for n in part] for mark, part in marked(was).pieces(range(len(was)))}
        made = [(mark, [new[n] for n in part]) for mark, part in marked(new).pieces(range(len(new)))]
        assert [one for _, part in made for one in part] == new and all(part for _, part in made)
        for mark, part in made:
            assert before.get(mark, part) == part
            known_again, every = known_again + (mark in before), every + 1
    assert known_again > every / 2


def test_one_other_line_makes_one_other_piece() -> None:
    old = [line(visit, "x") for visit in range(100)]
    ends = {mark: old[part[-1]] for mark, part in marked(old).pieces(range(100))}
    for n in (0, 50, 99):
        other = next(new for words in range(99) if len(list(marked(new := [*old[:n], line(n, words), *old[n + 1 :]]).pieces(range(100)))) == len(ends))
        assert len([mark for mark, _ in marked(other).pieces(range(100)) if mark not in ends]) == 1 and len(ends) > 10


def test_what_is_said_of_many_lines_comes_from_what_is_kept_of_each(bundle: Path) -> None:
    """Of lines side by side and of others."""
    opened = load_bundle(bundle)
    rows = list(opened.results())
    for numbers in (range(3, 40), [0, 2, 3, 7, len(rows) - 1], [5], range(len(rows))):
        some = [rows[n] for n in numbers]
        whole = opened.lines(numbers)
        assert whole == [canonical(row) + b"\n" for row in some]
        assert opened.index.marks_of(numbers) == b"".join(map(lines.short_digest, whole))
        assert opened.index.last_day(numbers) == max(map(last_change, some))
        states = [item["follow_up"]["state"] for row in some for item in row["items"]]
        problems = sum(any(item["problem"] for item in row["items"]) for row in some)
        assert opened.index.totals(numbers) == {"visits": len(some), "problems": problems, "items": len(states), "open": states.count("open"), "closed": states.count("closed")}


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


def is_whole(site: Path, bundle: Path) -> bool:
    """Tables and rounds say what the bundle says, and so do their twins, as strangers read them."""
    shown, rows = site / "current", [json.loads(one) for one in (bundle / "results.jsonl").read_bytes().splitlines()]
    codes = sorted({row["round"] for row in rows})
    for code in codes:
        mine = [row for row in rows if row["round"] == code]
        assert (shown / f"results/{code}.json").read_bytes() == canonical({"results": mine, "round": code, "title": mine[0]["round_title"]})
    for path in (tables.LINES, tables.TABLE, *(f"results/{code}.json" for code in codes)):
        content, packed = (shown / path).read_bytes(), (shown / f"{path}.gz").read_bytes()
        assert gzip.decompress(packed) == content
        assert packed[:10] == gzip.compress(b"", 6, mtime=0)[:9] + b"\x03"
    return (shown / tables.LINES).read_bytes() == (bundle / "results.jsonl").read_bytes()


def test_packed_tables_are_plain_gzip_and_most_of_a_small_change_is_taken_over(
    bundle: Path, site: Path, verify: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []
    pressed = tables._pressed
    monkeypatch.setattr(tables, "_pressed", lambda content: made.append(content) or pressed(content))
    assert is_whole(site, bundle)
    other = changed(bundle, tmp_path / "b", "晋江市内坑镇")
    release(other, site, FakePdfs(), verify=verify)
    assert is_whole(site, other)
    assert 0 < sum(map(len, made)) < (site / "current" / tables.LINES).stat().st_size / 2, "only the piece of the changed line, its rows, and its piece of the round's JSON"


def test_rounds_that_lines_come_to_and_go_from_are_as_made_from_nothing(bundle: Path, site: Path, verify: Path, tmp_path: Path) -> None:
    """The first of a round, others and its last, and a round that has none any more."""
    whole = (bundle / "results.jsonl").read_bytes().splitlines(keepends=True)
    of = [json.loads(one)["round"] for one in whole]
    largest = max(of, key=of.count)
    mine = [n for n, code in enumerate(of) if code == largest]
    for turn, gone in enumerate(([mine[0]], [mine[-1], *mine[1:9]], mine)):
        folder = Path(shutil.copytree(bundle, tmp_path / f"b{turn}"))
        (folder / "results.jsonl").write_bytes(b"".join(one for n, one in enumerate(whole) if n not in gone))
        seal(folder)
        done = release(folder, site, FakePdfs(), verify=verify)
        assert is_whole(site, folder) and all(ok for ok, _ in check_release(site / "current"))
        assert release(folder, tmp_path / f"s{turn}", FakePdfs(), verify=verify).id[6:] == done.id[6:]
        assert known.load_known(site, done.id).pieces.keys() == {tables.LINES, *(f"results/{code}.json" for n, code in enumerate(of) if n not in gone)}


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
    for name in ("by_entity", "by_round", "digests", "updated", "totals"):
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
    """The one it stands on and the first; a page says of what day its own rows are. Its rows are taken over, all but one."""
    made: list[slice | int] = []
    rows = Table.__getitem__
    monkeypatch.setattr(Table, "__getitem__", lambda self, part: made.append(part) or rows(self, part))
    before = {path.name: path.read_text("utf-8") for path in (site / "current/results").glob("*.html")}
    release(edited(bundle, tmp_path / "b", {"history": [{"on": "2027-01-05", "text": "更正。"}]}), site, FakePdfs(), verify=verify)
    after = {path.name: path.read_text("utf-8") for path in (site / "current/results").glob("*.html")}
    assert [type(part) for part in made] == [int] and before.keys() == after.keys()
    touched = sorted(name for name in after if before[name] != after[name] and "R00" in name)
    assert len(touched) == 2 and all("截至 <time datetime=\"2027-01-05\">" in after[name] for name in touched)
    inputs = json.loads((site / "current/manifest.json").read_bytes())["inputs"]
    assert all(f"results/{name}" in inputs for name in after if "R00" in name)


@pytest.mark.parametrize("damage", ["none", "page", "size"])
def test_rows_are_taken_over_only_from_a_page_that_held_just_these(
    bundle: Path, site: Path, verify: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """Not from a damaged one, nor from pages that each had another number of them."""
    if damage == "size":
        monkeypatch.setattr(pages, "ROWS", 6)
    other = edited(bundle, tmp_path / "b", {"inspected_on": "2026-01-09"})
    if damage == "page":
        for page in (site / "current/results").glob("*.html"):
            content = page.read_bytes().replace("未发现问题".encode(), "发现问题".encode())
            page.unlink()
            page.write_bytes(content)
    made: list[slice | int] = []
    rows = Table.__getitem__
    monkeypatch.setattr(Table, "__getitem__", lambda self, part: made.append(part) or rows(self, part))
    release(other, site, FakePdfs(), verify=verify)
    assert {type(part) for part in made} == ({int} if damage == "none" else {slice})
    release(other, tmp_path / "new", FakePdfs(), verify=verify)
    whole = (other / "results.jsonl").read_bytes().splitlines()
    code = json.loads(whole[len(whole) // 2])["round"]
    shown, new = ({page.name: page.read_bytes() for page in (folder / "current/results").glob(f"{code}*.html")} for folder in (site, tmp_path / "new"))
    assert shown == new and sum("2026-01-09".encode() in page for page in new.values()) == 1


def test_a_page_of_as_many_rows_may_still_have_held_other_ones(bundle: Path) -> None:
    """Where the pages before it had another number of them; what it was made from says so."""
    opened = load_bundle(bundle)
    for same in (True, False):
        before = Before(opened.index, lambda _path: "    <tr>\n…\n    </tr>\n" * 4 + "  </tbody>", lambda _path, _source, same=same: same)
        table = Table(opened, range(8), b"", str, before)
        assert [type(row) for row in table.on("p-2.html", 4, 4)] == [str if same else Shown] * 4
        assert [type(row) for row in table.on("p.html", 0, 4)] == [str] * 4
        assert table.on("p.html", 0, 5) == table[:5]


# The thread beside -----------------------------------------------------------------------------


def test_what_goes_wrong_beside_stops_the_publication_before_the_switch(
    bundle: Path, site: Path, verify: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its own message; and the thread is gone then, as where what is made in the meantime fails."""
    other, shown, threads = changed(bundle, tmp_path / "b", "晋江市内坑镇"), current(site), threading.active_count()

    def full(place: Path) -> str:
        raise OSError(errno.ENOSPC, "no space left", str(place))

    def stopped(*_: object) -> None:
        raise BadInput("别处出错")

    for module, name, fails, words in ((tables, "digest_of", full, "no space left"), (build, "_put_data", stopped, "别处出错")):
        with monkeypatch.context() as patch, pytest.raises((OSError, BadInput), match=words):
            patch.setattr(module, name, fails)
            release(other, site, FakePdfs(), verify=verify)
        assert current(site) == shown and threading.active_count() == threads
    release(other, site, FakePdfs(), verify=verify)
    assert is_whole(site, other) and current(site) != shown and threading.active_count() == threads


@pytest.mark.parametrize("way", ["noted", "at once", "read and written"])
def test_what_is_written_is_the_same_however_it_gets_there(bundle: Path, site: Path, verify: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Much is not held in memory but written at once; and not every file system copies by itself."""
    if way == "at once":
        monkeypatch.setattr(tables, "MOST", 1)

    def cannot(*_: object) -> int:
        raise OSError(errno.EXDEV, "cross-device")

    if way == "read and written":
        monkeypatch.setattr("os.copy_file_range", cannot)
    other = changed(bundle, tmp_path / "b", "晋江市内坑镇")
    release(other, site, FakePdfs(), verify=verify)
    assert is_whole(site, other) and all(ok for ok, _ in check_release(site / "current"))


def test_results_that_change_while_they_are_copied_stop_the_publication(bundle: Path, site: Path, verify: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, shown, copy = changed(bundle, tmp_path / "b", "晋江市内坑镇"), current(site), shutil.copyfile

    def torn(source: Path, place: Path) -> Path:
        copy(source, place)
        with open(place, "r+b") as file:
            file.truncate(100)
        return place

    with monkeypatch.context() as patch, pytest.raises(BadInput, match="“results.jsonl”在发布期间被改动过"):
        patch.setattr(shutil, "copyfile", torn)
        release(other, site, FakePdfs(), verify=verify)
    assert current(site) == shown


def test_the_way_between_pages_names_the_ends_and_two_on_either_side() -> None:
    for count in range(1, 16):
        for number in range(1, count + 1):
            near = [n if n in (1, count) or abs(n - number) <= 2 else 0 for n in range(1, count + 1) if n in (1, count) or abs(n - number) <= 3]
            assert wording.near(number, count) == near
    assert wording.near(6, 42) == [1, 0, 4, 5, 6, 7, 8, 0, 42]
