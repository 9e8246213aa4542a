"""Files made to hurt are refused in one sentence that says why, before anything grows (bench.hostile_files has the figures)."""

import re

import pytest

from portal.domain.errors import BadInput
from portal.sheets.limited import read_sheet_limited
from portal.sheets.limits import UPLOAD
from portal.sheets.read import read_sheet
from tests.sheets.hostile import FILES


@pytest.mark.parametrize("name", FILES)
def test_every_hostile_file_is_refused_with_its_own_sentence(name):
    called, make, says = FILES[name]
    data = make()
    assert len(data) <= UPLOAD.file_bytes  # else its length alone would refuse it
    with pytest.raises(BadInput, match=says) as refusal:
        read_sheet(data, called)
    assert refusal.value.message.startswith(f"“{called}”") and refusal.value.message.endswith("。")


def test_three_million_cells_come_in_a_small_file():
    data = FILES["3 million cells"][1]()
    assert len(data) < 200_000


@pytest.mark.long
def test_the_parser_never_sees_a_bomb(monkeypatch):
    monkeypatch.setattr("portal.sheets.read.python_calamine", None)  # whoever reaches for it fails
    for name in ("3 million cells", "XFD1048576", "300 MB of strings", "entities in the strings", "zip with ../"):
        with pytest.raises(BadInput):
            read_sheet(FILES[name][1](), "炸弹.xlsx")


@pytest.mark.parametrize("name", ["XFD1048576", "CSV line without end", "XML 2003 entities"])
def test_the_child_refuses_in_the_same_words(name):
    called, make, _ = FILES[name]
    data = make()
    with pytest.raises(BadInput) as here:
        read_sheet(data, called)
    with pytest.raises(BadInput, match=re.escape(here.value.message)):
        read_sheet_limited(data, called)
