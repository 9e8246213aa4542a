"""Both engines, one result: the same year on each gives the same public files and the same draw folders, byte for byte."""

import hashlib

import pytest

from portal.steps import bundles, disclosure, draw
from portal.store import engine
from tests import office
from tests.office import OPEN, SEALED
from tests.office_fixtures import stages_on

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@pytest.fixture
def folders(postgres_url, cheap_passphrases, tmp_path_factory, tmp_path):
    return [stages_on(kind, tmp_path_factory).copy("published", tmp_path / kind) for kind in office.ENGINES]


async def test_bundles_and_draw_folders_are_the_same_bytes_on_both_engines(folders, tmp_path):
    made = [await _files(folder) for folder in folders]
    assert made[0].keys() == made[1].keys() and len(made[0]) > 30
    assert [name for name in made[0] if made[0][name] != made[1][name]] == []


async def _files(folder) -> dict[str, str]:
    """name -> digest of every public file of the bundle and of both rounds' auditor folders."""
    house = await office.open_house(folder)
    try:
        house.at("2026-07-06T09:00")
        for code in (OPEN, SEALED):
            await draw.reveal_round(await house.acting("approver"), code)
        await disclosure.write_bundle(await house.acting("publisher"), folder / "written", demo=True)
        found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in (folder / "written").rglob("*") if path.is_file()}
        for code in (OPEN, SEALED):
            files = await bundles.export_round(await house.acting("supervisor"), code, "auditor")
            found |= {f"{code}/{name}": data for name, data in files.items()}
        return {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}
    finally:
        await engine.close_engine()
