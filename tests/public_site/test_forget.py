"""Forgetting: what a tombstone names is in no file of any kept release, no cache and no list; rolling back brings nothing back."""

import gzip
import json
import shutil
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from portal.domain.bundle import canonical
from public_site import forget
from public_site import release as module
from public_site.bundle import load_bundle, shard
from public_site.check import check_release
from public_site.release import current, release, releases_of, roll_back
from public_site.serve import make_server
from tests.public_site.bundle_fixture import make_bundle, seal
from tests.public_site.conftest import FakePdfs

PLANTED = "ZQ9种下的字"
CLASS = "D级高风险"


class Words(FakePdfs):
    """PDFs that say all that is in their context, as the true ones may."""

    def __call__(self, jobs):
        for job in jobs:
            self.asked.append(job)
            yield job.key, b"%PDF-1.7\n" + canonical(job.context) + b"\n%%EOF\n"


def planted(value: Any) -> Any:
    """The same data with a person's words and a class in every text that is not a key, a state or a day."""
    if isinstance(value, dict):
        fixed = ("visit", "entity", "round", "inspected_on", "published_on", "on", "proof", "code", "kind", "state", "closed_on", "outcome")
        return {name: part if name in fixed else planted(part) for name, part in value.items()}
    if isinstance(value, list):
        return [planted(part) for part in value]
    return f"{value}{PLANTED}{CLASS}" if isinstance(value, str) else value


def stone(row: dict[str, Any], why: str = "withdrawn", more: int = 0) -> dict[str, Any]:
    return {"visit": row["visit"], "entity": row["entity"], "index": row["proof"]["index"] + more, "why": why, "on": "2026-06-27"}


def changed(bundle: Path, folder: Path, rows: list[dict[str, Any]], stones: list[dict[str, Any]]) -> Path:
    """A copy of the bundle with these results and these tombstones."""
    shutil.copytree(bundle, folder)
    (folder / "results.jsonl").write_bytes(b"".join(canonical(row) + b"\n" for row in rows))
    (folder / "tombstones.jsonl").write_bytes(b"".join(canonical(row) + b"\n" for row in stones))
    seal(folder)
    return folder


def everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder by its name, unpacked where it is packed."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            yield str(path), gzip.decompress(content) if path.suffix == ".gz" else content


def found(folder: Path, *words: str) -> list[str]:
    return [name for name, content in everything(folder) for word in words if word.encode() in content or word in name]


@pytest.fixture(scope="module")
def stages(verify: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A site of two releases that hold a person's words: bundles before and after, and the row to be forgotten."""
    place = tmp_path_factory.mktemp("forget")
    plain = make_bundle(place / "plain", firm_count=60)
    rows = list(load_bundle(plain).results())
    several = {row["entity"] for row in rows if sum(one["entity"] == row["entity"] for one in rows) > 1}
    at = next(n for n, row in enumerate(rows) if row["entity"] not in several)
    rows[at] = planted(rows[at])
    before = changed(plain, place / "before", rows, [])
    later = [row | {"town": "晋江市内坑镇"} if n == at + 1 else row for n, row in enumerate(rows)]
    second = changed(plain, place / "second", later, [])
    after = changed(plain, place / "after", [row for n, row in enumerate(later) if n != at], [stone(rows[at])])
    site = place / "site"
    for bundle in (before, second):
        release(bundle, site, Words(), verify=verify)
    return {"before": before, "second": second, "after": after, "site": site, "row": rows[at], "rows": later, "plain": plain}


@pytest.fixture
def site(stages: dict[str, Any], tmp_path: Path) -> Path:
    return Path(shutil.copytree(stages["site"], tmp_path / "site", symlinks=True))


def test_what_is_published_is_found_everywhere_before_it_is_forgotten(stages: dict[str, Any]) -> None:
    """Or the searches below would prove nothing."""
    kinds = {Path(name.removesuffix(".gz")).suffix for name in found(stages["site"], PLANTED)}
    assert kinds >= {".html", ".json", ".jsonl", ".csv", ".pdf"}
    assert len({name.split("/releases/")[1][:6] for name in found(stages["site"], PLANTED) if "/releases/0" in name}) == 2
    assert found(stages["site"], CLASS)


def test_a_withdrawn_result_is_in_no_file_pdf_index_list_or_cache_of_any_release(stages: dict[str, Any], site: Path, verify: Path) -> None:
    row, held = stages["row"], found(stages["site"] / "current" / "data" / "search", stages["row"]["entity"])
    assert held
    done = release(stages["after"], site, Words(), verify=verify)
    assert done.id == current(site) and len(releases_of(site)) == 3
    assert found(site, PLANTED, CLASS) == [] and not list(site.rglob(f"{row['visit']}.pdf"))
    assert found(site / "current" / "data" / "search", row["entity"]) == []
    for name in releases_of(site):
        lines = check_release(site / "releases" / name)
        assert all(ok for ok, _ in lines), lines
        assert row["visit"] not in (site / "releases" / name / "data" / "results.jsonl").read_text("utf-8")
    rest = [one["visit"] for one in stages["rows"] if one["visit"] != row["visit"]]
    for name in releases_of(site):  # and nothing else went with it
        kept = [json.loads(line)["visit"] for line in (site / "releases" / name / "data" / "results.jsonl").read_bytes().splitlines()]
        assert kept == rest


def test_rolling_back_brings_nothing_back_and_publishing_an_old_bundle_neither(stages: dict[str, Any], site: Path, verify: Path) -> None:
    release(stages["after"], site, Words(), verify=verify)
    first = releases_of(site)[0]
    assert roll_back(site, releases_of(site)[1].split("-")[0], Words(), verify=verify) == current(site) == releases_of(site)[1]
    assert roll_back(site, first, Words(), verify=verify) == current(site) == first
    assert found(site, PLANTED, CLASS) == []
    assert "内坑镇" not in (site / "current/data/results.csv").read_text("utf-8"), "it is the first release that is shown"
    release(stages["second"], site, Words(), verify=verify)  # as from a backup: it knows of no withdrawal
    assert found(site, PLANTED, CLASS) == []
    assert all(ok for ok, _ in check_release(site / "current"))


@pytest.mark.parametrize("at", ["_forget", "_named", "_prune_cache", "bundle_of"])
def test_a_crash_while_forgetting_is_made_good_by_whoever_rolls_back(stages: dict[str, Any], site: Path, verify: Path, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    def dies(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(forget if at == "bundle_of" else module, at, dies)
    with pytest.raises(ZeroDivisionError):
        release(stages["after"], site, Words(), verify=verify)
    monkeypatch.undo()
    assert found(site, PLANTED) and not forget.is_done(site, forget.load_tombstones(site))
    number, count = releases_of(site)[0].split("-")[0], len(releases_of(site))
    roll_back(site, number, Words(), verify=verify)
    assert current(site).startswith(number) and found(site, PLANTED, CLASS) == [] and len(releases_of(site)) == count
    assert all(ok for ok, _ in check_release(site / "current"))


def test_a_release_that_does_not_carry_its_data_is_removed_rather_than_kept(stages: dict[str, Any], site: Path, verify: Path) -> None:
    old = releases_of(site)[0]
    (site / "releases" / old / "data" / "about.json").unlink()
    release(stages["after"], site, Words(), verify=verify)
    assert not any(name.startswith(old[:6]) for name in releases_of(site)) and found(site, PLANTED) == []


def test_a_later_version_of_a_withdrawn_result_is_shown(stages: dict[str, Any], site: Path, verify: Path, tmp_path: Path) -> None:
    row = stages["row"]
    clean = next(one for one in load_bundle(stages["plain"]).results() if one["visit"] == row["visit"])
    again = clean | {"proof": clean["proof"] | {"index": clean["proof"]["index"] + 100}}
    rows = sorted([*(one for one in stages["rows"] if one["visit"] != row["visit"]), again], key=lambda one: one["visit"])
    release(stages["after"], site, Words(), verify=verify)
    address = f"/entities/{shard(row['entity'])}/{row['entity']}.html"
    assert address in (site / "gone.txt").read_text().splitlines()
    release(changed(stages["plain"], tmp_path / "again", rows, [stone(row)]), site, Words(), verify=verify)
    assert (site / "current" / address[1:]).is_file() and address not in (site / "gone.txt").read_text()
    assert found(site, PLANTED) == []


def test_further_pages_of_what_is_gone_are_gone_too() -> None:
    def paths(stones: int, *files: str) -> list[str]:
        rows = [{"visit": f"R{n}_9135", "entity": "9135", "index": n} for n in range(stones)]
        return [path.removeprefix(f"entities/{shard('9135')}/9135") for path in forget.gone_paths(rows, dict.fromkeys(files, "")) if path.endswith(".html")]

    page, sheets = f"entities/{shard('9135')}/9135", [f"sheets/{shard(f'R{n}_9135')}/R{n}_9135.pdf" for n in range(3)]
    assert paths(1) == [".html"] and paths(3) == ["-2.html", "-3.html", ".html"]
    assert paths(2, f"{page}.html", f"{page}-2.html") == ["-3.html", "-4.html"], "some of it is shown still"
    assert paths(3, f"{page}.html", *sheets) == [], "corrected: all of it is shown"
    assert paths(3, f"{page}.html", *sheets[1:]) == ["-2.html"]


def test_what_is_gone_answers_410_without_naming_anybody(stages: dict[str, Any], site: Path, verify: Path) -> None:
    release(stages["after"], site, Words(), verify=verify)
    entity, visit = stages["row"]["entity"], stages["row"]["visit"]
    gone = [f"/entities/{shard(entity)}/{entity}.html", f"/entities/{shard(entity)}/{entity}.json", f"/sheets/{shard(visit)}/{visit}.pdf"]
    assert (site / "gone.map").read_text() == "".join(f'"{path}" 1;\n' for path in sorted(gone))
    server = make_server(site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        for path, status in (*((path, 410) for path in gone), ("/entities/00/none.html", 404), ("/gone.txt", 404), ("/tombstones.jsonl", 404)):
            connection = HTTPConnection(*server.server_address[:2], timeout=10)
            connection.request("GET", path)
            answer = connection.getresponse()
            said = answer.read().decode()
            assert (answer.status, "已不再公示" in said) == (status, status == 410), path
            assert not [word for word in (entity, visit, stages["row"]["name"], PLANTED) if word in said]
            connection.close()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
