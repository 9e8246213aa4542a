"""The whole walk by commands on every engine, in small: from `init` by the database's owner to a green `verify`."""

import json

import pytest

from portal import jobs
from tests import office
from tests.cli.command import FakePrinter, Portal
from tests.office import ANNUAL, INSTANT, OPEN, SEALED

SOURCES = [word for name, at, _, _ in office.ISSUES for word in ("--source", f"{name}@{at}")]
HOLDERS = [word for one in office.HOLDERS for word in ("--holder", f"{one['holder']}={one['login']}")]


@pytest.fixture
def portal(tmp_path, engine_kind, monkeypatch):
    """An empty installation of the sample bureau, worked on as the application role where there is one."""
    monkeypatch.setattr(jobs, "Printer", FakePrinter)
    (tmp_path / "words").write_text(f"{office.PASSPHRASE}\n")
    folder = office.make_folder(tmp_path / "data", engine_kind)
    owner = Portal(folder, owner=True, PORTAL_CLOCK="simulated")
    owner.well("clock", f"{office.FILLED}:00+08:00")
    said = owner.well("init")
    url = said.partition("DATABASE_URL=")[2].strip()
    return Portal(folder, **({"DATABASE_URL": url} if url else {}))


def test_a_sample_bureau_goes_through_its_year_by_commands(portal, tmp_path):
    at = lambda moment: portal.well("clock", f"{moment}:00+08:00")  # noqa: E731
    portal.well("sample", "--entities", 300, "--seed", 7)
    portal.well("publish", "--as", "publisher")
    at(office.COMMITTED)
    for task, code, kind in ((ANNUAL, OPEN, "open"), (INSTANT, SEALED, "sealed")):
        portal.well("pool", "freeze", task, "--strata", "class" if kind == "sealed" else "none", "--as", "planner")
        portal.well(
            "round", "create", task, "--title", "测试轮次", "--disclosure", kind, *SOURCES, *HOLDERS,
            "--draw-not-before", office.AFTER_ISSUES, "--window", "2026-06-08..2026-06-30", "--as", "planner",
        )  # fmt: skip
        for holder in office.HOLDERS:
            portal.well("round", "share", code, "--passphrase-file", tmp_path / "words", "--as", holder["login"])
        portal.well("round", "commit", code, "--as", "approver")
    at(office.DRAWN)
    for code in (OPEN, SEALED):
        for n, (*_, value) in enumerate(office.ISSUES, 1):
            portal.well("round", "source", code, n, value, "--as", "planner")
        for holder in office.HOLDERS:
            portal.well("round", "release", code, "--passphrase-file", tmp_path / "words", "--as", holder["login"])
        drawn = portal.well("round", "draw", code, "--as", "planner")
        assert portal.well("round", "draw", code, "--as", "planner").replace("已经抽取过，这是原来的结果", "已抽取") == drawn
        portal.well("visits", "combine", code, "--as", "planner")
        portal.well("visits", "assign", code, "--as", "planner")
    at(office.ENTERED)
    for code in (OPEN, SEALED):
        portal.well("sample", "answers", code)
        portal("record", "import", portal.data / "sample" / f"{code}-answers.jsonl")  # a visit that both meet is answered once
    portal.well("publish", "--as", "publisher")
    at(office.REVIEWED)
    portal.well("record", "review", OPEN, "--as", "reviewer")
    portal("record", "review", SEALED, "--as", "reviewer")
    portal.well("round", "reveal", OPEN, "--as", "approver")
    portal.well("publish", "--as", "publisher")
    assert "与上次相同，没有变动" in portal.well("publish", "--as", "publisher")
    portal.well("round", "export", OPEN, "--as", "supervisor")
    done = portal("verify")
    assert done.code == 0 and len(done.lines("OK")) > 8 and not done.lines("FAIL"), done
    assert portal("verify", portal.data / "draws" / OPEN).code == 0
    results = (portal.data / "site" / "current" / "data" / "results.jsonl").read_text().splitlines()
    assert results and {json.loads(line)["round"] for line in results} >= {OPEN}
