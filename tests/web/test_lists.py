"""Every list: the same filters for its page, its count and its sheet, on both engines."""

import io
import re
from urllib.parse import urlencode

import openpyxl
import pytest

from portal.domain.list_columns import LISTS
from portal.domain.lists import cursor_of, parse_cursor
from tests import office
from tests.web.bureau import build_stage, open_house

XLSX = "openxmlformats"


@pytest.fixture(scope="module")
def worked(stages, engine_kind, tmp_path_factory):
    """One portal at stage `worked` for the whole file."""
    folder = tmp_path_factory.mktemp("lists") / "data"
    office.copy_folder(build_stage(stages, "worked", engine_kind), folder)
    house = open_house(folder, "worked")
    with house.client:
        yield house


@pytest.fixture(scope="module")
def reviewer(worked):
    return worked.browser("reviewer")


def counted(page: str) -> int:
    return int(re.search(r'role="status">\S+ <b>([\d,]+)</b>', page)[1].replace(",", ""))


def body(page: str) -> list[list[str]]:
    table = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)] for row in table.split("</tr>") if "<td" in row]


def sheet(response) -> list[tuple]:
    assert response.status_code == 200 and XLSX in response.headers["content-type"], response.text[:300]
    return list(openpyxl.load_workbook(io.BytesIO(response.content), read_only=True).active.iter_rows(values_only=True))


@pytest.mark.parametrize("name", LISTS)
def test_a_list_counts_orders_and_hands_out_what_it_shows(reviewer, name):
    listing = LISTS[name]
    every = [("col", column.name) for column in listing.columns]
    for column in listing.columns:
        if column.sort and column.name != listing.key:
            for way in ("", "-"):
                assert reviewer.get(f"{listing.path}?{urlencode([('sort', way + column.name), ('size', '2000')])}").status_code == 200, (name, column.name)
    page = reviewer.get(f"{listing.path}?{urlencode([*every, ('size', '2000')])}").text
    rows = sheet(reviewer.get(f"{listing.path}?{urlencode([*every, ('export', 'xlsx')])}"))
    assert list(rows[0]) == [column.label for column in listing.columns]
    assert len(rows) - 1 == counted(page) == len(body(page)) > 0
