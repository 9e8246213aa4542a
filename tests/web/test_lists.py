"""Every list: the same filters for its page, its count and its sheet, on both engines."""

import io
import re
from urllib.parse import quote, urlencode

import openpyxl
import pytest

from portal.domain.list_columns import LISTS
from portal.steps import publish
from tests import office
from tests.web.bureau import build_stage, open_house
from tests.web.test_imports import upload
from tests.web.test_year import step

XLSX = "openxmlformats"


@pytest.fixture(scope="module")
def worked(stages, engine_kind, tmp_path_factory):
    """One portal at stage `worked` for the whole file."""
    folder = tmp_path_factory.mktemp("lists") / "data"
    office.copy_folder(build_stage(stages, "worked", engine_kind), folder)
    house = open_house(folder, "worked")
    with house.client:
        step(house, "publisher", publish.publish_all)  # so that results are listed too
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
def test_a_list_counts_orders_and_hands_out_what_it_shows(worked, reviewer, name):
    listing = LISTS[name]
    reviewer = worked.browser("auditor") if name in ("accounts", "audit") else reviewer
    every = [("col", column.name) for column in listing.columns]
    for column in listing.columns:
        if column.sort and column.name != listing.key:
            for way in ("", "-"):
                assert reviewer.get(f"{listing.path}?{urlencode([('sort', way + column.name)])}").status_code == 200, (name, column.name)
    page = reviewer.get(f"{listing.path}?{urlencode([*every, ('size', '2000')])}").text
    rows = sheet(reviewer.get(f"{listing.path}?{urlencode([*every, ('export', 'xlsx')])}"))
    assert list(rows[0]) == [column.label for column in listing.columns]
    assert len(rows) - 1 == counted(page) == len(body(page)) > 0


def test_filters_order_and_columns_are_the_same_on_pages_and_in_the_sheet(worked, reviewer):
    wanted = [("town", "望城镇"), ("sort", "-name"), ("col", "name"), ("col", "code"), ("col", "town")]
    total = worked.query("SELECT count(*) FROM entity WHERE town = '望城镇'")[0][0]
    rows = [list(row) for row in sheet(reviewer.get(f"/directory?{urlencode([*wanted, ('export', 'xlsx')])}"))[1:]]
    assert len(rows) == total > 50 and {row[2] for row in rows} == {"望城镇"} and rows == sorted(rows, key=lambda row: (row[0].encode(), row[1].encode()), reverse=True)
    seen, address = [], f"/directory?{urlencode(wanted)}"
    while address:
        page = reviewer.get(address, headers={"hx-request": "true"}).text
        assert "<html" not in page and counted(page) == total and len(body(page)) <= 50
        seen += body(page)
        more = re.search(r'href="([^"]+)">下一页', page)
        address = more[1].replace("&amp;", "&") if more else ""
    assert seen == rows


def test_search_as_you_type_is_a_form_that_works_without_script(reviewer):
    page = reviewer.get("/directory?q=望溪").text
    form = page.partition('<form class="filter"')[2].partition("</form>")[0]
    for part in ('method="get"', 'action="/directory"', "keyup changed delay:300ms", 'hx-sync="this:replace"', 'hx-target="#list"', "<button>筛选</button>"):
        assert part in form, part
    assert "没有符合条件的检查对象" in reviewer.get("/directory?q=不存在的名字").text and counted(page) > 100


def test_the_rail_says_how_much_waits_at_each_step(worked, reviewer):
    shown = {int(step): int((n or "0").replace(",", "")) for step, n in re.findall(r"<i>(\d+)</i><span>[^<]+</span>(?:<span>([\d,]+)</span>)?", reviewer.get("/directory").text)}
    rounds, records = (dict(worked.query(f"SELECT state, count(*) FROM {table} GROUP BY state")) for table in ("round", "record"))
    assert shown[3] == rounds.get("draft", 0) + rounds.get("committed", 0)
    assert [shown[6], shown[7]] == [records.get("draft", 0) + records.get("returned", 0), records.get("submitted", 0)] and sum(records.values()) > 0


def test_a_register_hands_out_all_that_was_found_with_every_column_it_has(worked, reviewer):
    operator, name = worked.browser("operator"), "危化/品[一]"  # what Excel would not take as the name of a sheet
    codes = [code for (code,) in worked.query("SELECT code FROM entity WHERE status = '存续' ORDER BY code LIMIT 60")]
    rows = [[name, code, f"危{n:03d}", "" if n < 59 else "剧毒"] for n, code in enumerate(codes)]
    preview = upload(operator, [["专项库名称", "代码", "编号", "类别"], *rows], "registers")
    assert operator.post(f"{preview}/apply", {"rows": "all"}).status_code == 303
    address = f"/registers/{quote(name, safe='')}"
    assert "剧毒" not in reviewer.get(address).text  # on the second page
    given = sheet(reviewer.get(f"{address}?export=xlsx"))
    assert [row[1] for row in given[1:]] == codes and given[0][:3] == ("检查对象", "统一社会信用代码", "编号")
    assert dict(zip(given[0], given[-1])) | {"检查对象": ""} == {"检查对象": "", "统一社会信用代码": codes[-1], "编号": "危059", "类别": "剧毒"}
    [found] = sheet(reviewer.get(f"{address}?q=危007&export=xlsx"))[1:]
    assert found[1] == codes[7]
