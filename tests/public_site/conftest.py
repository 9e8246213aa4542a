"""A fixture bundle, a renderer that costs nothing, and a stand-in for verify programs that are not there yet."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from public_site import build, lines, pages
from public_site.release import release
from tests.public_site.bundle_fixture import make_bundle


class FakePdfs:
    """Gives bytes that depend on the job alone and counts what it was asked."""

    def __init__(self, version: str = "fake/1") -> None:
        self.version = version
        self.asked: list[build.PdfJob] = []

    def __call__(self, jobs: Iterable[build.PdfJob]) -> Iterator[tuple[str, bytes]]:
        for job in jobs:
            self.asked.append(job)
            yield job.key, b"%PDF-1.7\n" + hashlib.sha256(f"{job.template} {job.key}".encode()).hexdigest().encode() + b"\n%%EOF\n"


@pytest.fixture
def pdfs() -> FakePdfs:
    return FakePdfs()


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture bundle; tests that change it copy it first."""
    return make_bundle(tmp_path_factory.mktemp("bundle") / "bundle")


@pytest.fixture(scope="session")
def verify(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small programs in place of verify.py and verify.js: what the build does with them is tested, not they."""
    folder = tmp_path_factory.mktemp("verify")
    (folder / "verify.py").write_text("print('OK')\n", "utf-8")
    (folder / "verify.js").write_text('"use strict";\n', "utf-8")
    return folder


def make_small(patch: pytest.MonkeyPatch) -> None:
    """Many small pieces, and short pages of a round's results."""
    patch.setattr(lines, "PIECE", 4)
    patch.setattr(lines, "MOST", 6)
    patch.setattr(pages, "ROWS", 4)


@pytest.fixture(scope="session")
def in_pieces(bundle: Path, verify: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle's site with tables of many small pieces, and short pages of results; to be copied."""
    made = tmp_path_factory.mktemp("pieces") / "site"
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch)
        release(bundle, made, FakePdfs(), verify=verify)
    return made
