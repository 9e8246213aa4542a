"""The statistics page: every number is the length of the list it opens, on both engines."""

import re
from html import unescape

import pytest

from tests import office
from tests.web.bureau import build_stage, open_house
from tests.web.test_lists import counted

CELL = re.compile(r'<td class="n"><a href="([^"]+)">([\d,]+)</a></td>')


@pytest.fixture(scope="module")
def worked(stages, engine_kind, tmp_path_factory):
    folder = tmp_path_factory.mktemp("statistics") / "data"
    office.copy_folder(build_stage(stages, "worked", engine_kind), folder)
    house = open_house(folder, "worked")
    with house.client:
        yield house


def figures(page: str) -> list[tuple[str, int]]:
    return [(unescape(href), int(number.replace(",", ""))) for href, number in CELL.findall(page)]


def section(page: str, name: str) -> list[list[int]]:
    """The numbers of a section, a list a row."""
    table = page.partition(f'<h2 id="{name}">')[2].partition("</table>")[0]
    return [[number for _, number in figures(row)] for row in table.split("</tr>")[1:] if "<td" in row]


def test_every_number_opens_a_list_of_so_many_rows(worked):
    reviewer = worked.browser("reviewer")
    page = reviewer.get("/statistics")
    assert page.status_code == 200 and "截至" in page.text
    found = dict(figures(page.text))
    assert len(found) > 60 and 0 in found.values() and max(found.values()) > 20
    for href, number in found.items():
        assert counted(reviewer.get(href, headers={"hx-request": "true"}).text) == number, href
