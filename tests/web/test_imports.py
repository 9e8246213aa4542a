"""The pages of 导入: a file goes up by its own door, is looked at, and comes in once; all without script."""

import re
from urllib.parse import unquote

import pytest

from portal.domain.codes import make_uscc
from portal.domain.errors import BadInput
from portal.domain.import_kinds import KINDS
from portal.sheets.read import read_sheet
from portal.sheets.write import write_xlsx
from portal.web.multipart_form import parse_upload

HEAD = ["统一社会信用代码", "企业名称", "手机号"]
NEW = [make_uscc("9", "1", "359921", f"MD00000{n}") for n in range(1, 5)]
GOOD = [HEAD, [NEW[0], "甲公司", "13800000000"], [NEW[1], "乙公司", ""]]
BAD = [HEAD, [NEW[0], "甲公司", ""], ["", "乙公司", ""], [NEW[2], "<b>丙</b>公司", ""], ["坏 代码!", "丁公司", ""]]
BOUNDARY = "----mingcha"


def form(fields, file=None, field="file"):
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
    if file:
        name, data = file
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        parts.append(head.encode() + data + b"\r\n")
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def send(person, body, **headers):
    sent = {"Origin": person.origin, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"} | headers
    return person.send("POST", "/imports/new", {name: value for name, value in sent.items() if value}, content=body)


def upload(person, rows, kind="entities", name="名录.xlsx", **fields):
    """The address of the preview page."""
    response = send(person, form({"csrf": person.csrf, "kind": kind, "sheet": "", **fields}, (name, write_xlsx(rows))))
    assert response.status_code == 303, response.text
    assert re.fullmatch(r"/imports/\d+", response.headers["location"])
    return response.headers["location"]


def figures(page):
    return {label: number for label, number in re.findall(r"<dt>([^<]+)</dt><dd>([\d,]+)</dd>", page)}


def count(house):
    return house.query("SELECT count(*) FROM entity")[0][0]


def test_a_file_is_looked_at_then_imported_once(house_at):
    house = house_at()
    person, before = house.browser("operator"), count(house)
    address = upload(person, GOOD)
    page = person.get(address).text
    assert figures(page) == {"数据行": "2", "可以导入": "2", "有错误": "0", "提示": "1"} and count(house) == before
    assert "全部导入 2 行" in page and "只导入" not in page and "13800000000" not in page
    said = re.sub(r"<[^>]+>", "", page)
    assert "数据行 2 ＝ 新增 2 ＋ 更新原有 0 ＋ 内容未变 0 ＋ 并入前面的行 0 ＋ 有错误未导入 0。" in said
    assert "数据行以外没有读入的：标题和表头 1 行。" in said
    response = person.post(f"{address}/apply", {"rows": "all"})
    assert response.headers["location"] == f"{address}?said=applied" and count(house) == before + 2
    page = person.get(response.headers["location"]).text
    assert "再导入一份" in page and "读入 2" in page and "放弃" not in page
    again = person.post(f"{address}/apply", {"rows": "all"})
    assert again.status_code == 409 and "没有重复导入" in again.text and count(house) == before + 2
    listed = person.get("/imports").text
    assert "名录.xlsx" in listed and "已导入" in listed and "读入 2" in listed


def test_errors_are_listed_with_row_column_and_content_and_the_good_rows_come_in_by_choice(house_at):
    house = house_at()
    person, before = house.browser("operator"), count(house)
    address = upload(person, BAD)
    page = person.get(address).text
    assert figures(page) | {"提示": ""} == {"数据行": "4", "可以导入": "2", "有错误": "2", "提示": ""}
    rows = re.findall(r'<tr><td class="n">(\d+)</td><td class="cols-listed">([^<]*)</td><td class="(?:nw|found)">(.*?)</td><td class="object">(.*?)</td></tr>', page)
    assert rows[0] == ("3", "统一社会信用代码", '<span class="dim">—</span>', "没有填写。请补上后重新上传。")
    assert rows[1][:3] == ("5", "统一社会信用代码", "坏 代码!")
    assert "全部导入" not in page and "&lt;b&gt;丙&lt;/b&gt;公司" in page and "<b>丙" not in page
    refused = person.post(f"{address}/apply", {"rows": "all"})
    assert refused.status_code == 422 and "没有导入任何一行" in refused.text and count(house) == before
    assert person.post(f"{address}/apply", {"rows": "some"}).status_code == 422
    person.post(f"{address}/apply", {"rows": "good"})
    assert count(house) == before + 2
    page = person.get(address).text
    assert "2 行有错误没有导入" in page and "下载带备注的文件" in page


def test_the_same_file_comes_back_with_remarks(house_at):
    person = house_at().browser("operator")
    address = upload(person, BAD)
    response = person.get(f"{address}/remarks")
    assert unquote(response.headers["content-disposition"]) == "attachment; filename*=UTF-8''名录（备注）.xlsx"
    rows = read_sheet(response.content).rows
    assert rows[0] == (*HEAD, "备注（系统）") and rows[2][3] == "“统一社会信用代码”没有填写。请补上后重新上传。" and rows[3][1] == "<b>丙</b>公司"


def test_unknown_headings_are_pointed_out_on_the_page(house_at):
    house = house_at()
    person = house.browser("operator")
    address = upload(person, [["企业注册码", "单位全称", "天气"], [NEW[0], "甲公司", "晴"]])
    page = person.get(address).text
    assert "表中找不到“统一社会信用代码”、“企业名称”列" in page and "全部导入" not in page
    assert re.findall(r'<label for="c\d">([^<]+)</label>', page) == ["企业注册码", "单位全称", "天气"]
    assert person.post(f"{address}/map", {"column9": "code"}).status_code == 422
    assert "没有指定任何一列" in person.post(f"{address}/map", {"column0": ""}).text
    response = person.post(f"{address}/map", {"column0": "code", "column1": "name", "column2": "-"})
    page = person.get(response.headers["location"]).text
    assert "表头已记住" in page and "全部导入 1 行" in page
    assert "全部导入 1 行" in person.get(upload(person, [["企业注册码", "单位全称", "天气"], [NEW[1], "乙公司", "雨"]])).text


def test_codes_with_a_wrong_check_digit_can_be_vouched_for(house_at):
    person = house_at().browser("operator")
    wrong = NEW[0][:17] + ("A" if NEW[0][17] != "A" else "B")
    address = upload(person, [HEAD[:2], [wrong, "甲公司"]])
    page = person.get(address).text
    assert "1 个代码校验不符" in page and "全部导入 1 行" in page
    assert person.post(f"{address}/accept", {"code": wrong, "reason": ""}).status_code == 422
    response = person.post(f"{address}/accept", {"code": wrong, "reason": "已与营业执照核对"})
    page = person.get(response.headers["location"]).text
    assert "已记下核对依据" in page and "校验不符" not in page


def test_an_upload_can_be_dropped(house_at):
    house = house_at()
    person, before = house.browser("operator"), count(house)
    address = upload(person, GOOD)
    response = person.post(f"{address}/drop")
    assert "已放弃，文件已清除。" in person.get(response.headers["location"]).text
    assert house.query("SELECT length(data) FROM upload") == [(0,)] and count(house) == before
    assert person.post(f"{address}/apply", {"rows": "all"}).status_code == 409


def test_many_problems_are_paged(house_at):
    person = house_at().browser("operator")
    address = upload(person, [HEAD[:2], *(["", f"公司{n}"] for n in range(250)), [NEW[0], "甲公司"]])
    pages = [person.get(f"{address}?show=errors&start={start}").text for start in (0, 100, 200)]
    assert [page.count('<td class="cols-listed">') for page in pages] == [100, 100, 50]
    assert f"{address}?show=errors&amp;start=100#problems" in pages[0] and "下一页" not in pages[2]


# The door ---------------------------------------------------------------------------------


def test_a_file_is_refused_in_words_and_nothing_is_kept(house_at):
    house = house_at()
    person = house.browser("operator")
    for file, because in ((("x.xlsx", b"\x89PNG\r\n" + bytes(99)), "是PNG 图片"), (("x.xlsx", b"PK\x03\x04" + bytes(99)), "无法读取"), (("x.csv", b""), "没有选择文件")):
        response = send(person, form({"csrf": person.csrf, "kind": "entities"}, file))
        assert response.status_code == 422 and because in response.text, response.text
    response = send(person, form({"csrf": person.csrf, "kind": "trees"}, ("x.csv", b"a")))
    assert response.status_code == 422 and "没有“trees”这一类文件" in response.text
    response = send(person, form({"csrf": person.csrf, "kind": "entities", "state": "applied"}, ("x.csv", b"a")))
    assert response.status_code == 422 and "表单里没有“state”这一栏" in response.text
    assert house.query("SELECT count(*) FROM upload") == [(0,)]


def test_a_file_needs_the_session_the_origin_and_the_token(house_at):
    house = house_at()
    person, body = house.browser("operator"), write_xlsx(GOOD)
    file = ("名录.xlsx", body)
    assert send(person, form({"kind": "entities"}, file)).status_code == 403
    assert send(person, form({"csrf": "A" * 43, "kind": "entities"}, file)).status_code == 403
    assert send(person, form({"csrf": person.csrf, "kind": "entities"}, file), Origin="https://evil.example").status_code == 403
    assert send(house.browser(), form({"csrf": "x", "kind": "entities"}, file)).headers["location"].startswith("/login")
    assert send(house.browser("reviewer"), form({"csrf": "x", "kind": "entities"}, file)).status_code == 403
    planner = house.browser("planner")
    assert "没有这项权限" in send(planner, form({"csrf": planner.csrf, "kind": "records"}, file)).text
    assert house.query("SELECT count(*) FROM upload") == [(0,)]


def test_only_this_door_takes_a_file_and_only_20_megabytes(house_at):
    person = house_at().browser("operator")
    big = form({"csrf": person.csrf, "kind": "entities"}, ("x.csv", b"x" * (21 << 20)))
    response = send(person, big)
    assert response.status_code == 413 and "文件最多 20 MB" in response.text
    middle = form({"csrf": person.csrf, "kind": "entities"}, ("x.csv", ("代码,名称\r\n" + "".join(f"{NEW[0]},公司{n}\r\n" for n in range(20_000))).encode()))
    assert 256 * 1024 < len(middle) and send(person, middle).status_code == 303
    headers = {"Origin": person.origin, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    assert person.send("POST", "/imports/1/drop", headers, content=form({"csrf": person.csrf})).status_code == 422


def test_another_bureau_finds_none_of_our_files(house_at):
    house = house_at()
    address = upload(house.browser("operator"), GOOD)
    other = house.browser("other")
    other.get("/password")
    for path in (address, f"{address}/remarks"):
        assert other.get(path).status_code == 404
    for path, fields in ((f"{address}/apply", {"rows": "all"}), (f"{address}/drop", {}), (f"{address}/map", {"column0": "code"})):
        assert other.post(path, fields).status_code == 404, path
    assert "名录.xlsx" not in other.get("/imports").text


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_template_and_says_what_it_takes(house_at, kind):
    person = house_at().browser("operator")
    page = person.get(f"/imports/new?kind={kind}").text
    assert KINDS[kind].about.split("，")[0] in page and f"/imports/templates/{kind}" in page
    rows = read_sheet(person.get(f"/imports/templates/{kind}").content).rows
    assert "案例（请删除）" in rows[1] and list(rows[0]) == list(KINDS[kind].example)
    assert person.get("/imports/templates/trees").status_code == 404


def test_an_outside_list_has_a_page_of_its_own(house_at):
    house = house_at()
    person = house.browser("planner")
    (code,) = house.query("SELECT code FROM entity WHERE status = '存续' LIMIT 1")[0]
    address = upload(person, [HEAD[:2], [code, "甲公司"], [NEW[0], "乙公司"]], "draw", platform="省双随机平台", drawn_on="2026-03-01", task="")
    person.post(f"{address}/apply", {"rows": "all"})
    assert "外部抽取名单 1" in person.get("/imports").text
    (page,) = re.findall(r'href="(/imports/lists/\d+)"', person.get("/imports/lists").text)
    text = person.get(page).text
    assert "外部抽取" in text and "省双随机平台" in text and figures(text) == {"名单户数": "2", "名录中有": "1", "名录中没有": "1"}
    other = house.browser("other")
    other.get("/password")
    assert other.get(page).status_code == 404 and page not in other.get("/imports/lists").text


# Reading a form -----------------------------------------------------------------------------


@pytest.mark.parametrize(("content_type", "body", "because"), [
    ("application/x-www-form-urlencoded", b"a=1", "不是带文件的表单"), ("multipart/form-data", b"", "不是带文件的表单"),
    (f"multipart/form-data; boundary={BOUNDARY}", form({"a": "1"})[:-20], "没有传完"), (f"multipart/form-data; boundary={BOUNDARY}", b"x" * 100, "没有传完"),
    (f"multipart/form-data; boundary={BOUNDARY}", form({f"f{n}": "" for n in range(40)}), "没有传完"),
    (f"multipart/form-data; boundary={BOUNDARY}", form({"a": "x" * 5000}), "“a”太长"),
    (f"multipart/form-data; boundary={BOUNDARY}", form({}, ("x", b"1"), "other"), "一次只能上传一个文件"),
])  # fmt: skip
def test_a_form_that_is_none_is_refused(content_type, body, because):
    with pytest.raises(BadInput, match=because):
        parse_upload(content_type, body, "file")


@pytest.mark.parametrize(("name", "shown"), [("../../etc/passwd", "passwd"), ("C:\\\\用户\\\\名录.xlsx", "名录.xlsx"), ("a\u202exslx.exe", "axslx.exe"), ("", "未命名文件")])
def test_a_files_name_is_its_last_part_without_anything_hidden(name, shown):
    pairs, given = parse_upload(f"multipart/form-data; boundary={BOUNDARY}", form({"kind": "x"}, (name, b"data")), "file")
    assert pairs == [("kind", "x")] and (given.name, given.data) == (shown, b"data")


def test_the_table_of_a_rounds_records_is_offered_where_they_are_imported(house_at):
    house = house_at("drawn")
    person, (code,) = house.browser("operator"), house.query("SELECT code FROM round WHERE state = 'drawn'")[0]
    page = person.get("/imports/new?kind=records").text
    assert f'<option value="{code}">' in page and "下载本轮检查记录表" in page
    assert "下载本轮检查记录表" not in person.get("/imports/new?kind=plan").text
    answer = person.get(f"/imports/templates/records?round={code}")
    rows = read_sheet(answer.content).rows
    assert answer.status_code == 200 and rows[0][0] == "入企编号" and len(rows) > 10
    assert person.get(f"/imports/templates/plan?round={code}").status_code == 422
    assert person.get("/imports/templates/records?round=R99").status_code == 404
    assert house.browser("planner").get(f"/imports/templates/records?round={code}").status_code == 403
