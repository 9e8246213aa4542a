"""Reading what people upload: by content, within limits, one clear sentence for what cannot be read."""

import gzip
import io
import zipfile
from datetime import date

import pytest

from portal.domain.errors import BadInput
from portal.sheets.limited import read_sheet_limited
from portal.sheets.read import UPLOAD, Limits, open_sheet, read_sheet
from portal.sheets.write import write_csv, write_xlsx
from tests.shared import shared_file
from tests.sheets.hostile import sheet_xml, workbook_with

ROWS = [["统一社会信用代码", "企业名称"], ["91359921MA000001", "望溪县甲有限公司"], ["359921600000017", "阿炳小吃店"]]


def texts(sheet):
    return [list(row) for row in sheet.rows]


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls", "a.csv", ""])
def test_the_content_decides_and_not_the_name(name):
    assert texts(read_sheet(write_xlsx(ROWS), name)) == ROWS
    assert texts(read_sheet(write_csv(ROWS), name)) == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_is_read_in_the_encodings_in_use(encoding):
    text = "\r\n".join(",".join(row) for row in ROWS)
    sheet = read_sheet(text.encode(encoding), "企业.csv")
    assert texts(sheet) == ROWS and sheet.kind == "csv"


@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_csv_is_split_at_the_mark_it_uses(mark):
    assert texts(read_sheet(("标题\n" + "\n".join(mark.join(row) for row in ROWS)).encode()))[1:] == ROWS


def test_empty_lines_and_lines_within_cells_keep_the_row_numbers_of_a_spreadsheet():
    sheet = read_sheet('a,b\n\n"两\n行",c\n'.encode())
    assert sheet.rows == (("a", "b"), (), ("两\n行", "c"))


def test_a_gzipped_file_is_the_file_in_it():
    assert texts(read_sheet(gzip.compress(write_csv(ROWS), mtime=0))) == ROWS
    assert texts(read_sheet(gzip.compress(write_xlsx(ROWS), mtime=0))) == ROWS


def test_leading_empty_rows_and_merged_ranges_are_kept():
    rows = [["", ""], ["", "标题"], ["a", "b"]]
    sheet = read_sheet(write_xlsx(rows, merged=(((1, 1), (2, 1)),)))
    assert sheet.rows[1] == ("", "标题")
    assert sheet.merged == (((1, 1), (2, 1)),)


@pytest.mark.parametrize("data, says", [
    (b"", "是空的"),
    (b"\xef\xbb\xbf \r\n", "是空的"),
    (b"\x89PNG\r\n\x1a\n" + bytes(200), "PNG 图片"),
    (b"%PDF-1.7\n1 0 obj", "PDF 文件"),
    (b"<!DOCTYPE html><html><table><tr><td>a", "网页（HTML）"),
    (b"<html xmlns:x='urn:schemas-microsoft-com:office:excel'><table>", "网页（HTML）"),
    (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook>', "第 1 行附近的 XML 不完整"),
    (b"<?xml version='1.0'?><a/>", "XML 文件"),
    (bytes(range(256)) * 4, "不是表格文件"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "无法读取"),
    (b"\x1f\x8b\x08\x00 not gzip at all", "压缩数据已损坏"),
    (gzip.compress(b"a,b\n" * 1000, mtime=0)[:-12], "不完整"),
    (gzip.compress(gzip.compress(b"a,b\n", mtime=0), mtime=0), "压缩了两层"),
    (b'a,b\n"c,d\ne,f\n', "第 2 行的引号没有配对"),
])
def test_what_is_no_sheet_is_refused_in_one_sentence(data, says):
    with pytest.raises(BadInput, match=says) as refusal:
        read_sheet(data, "某.xlsx")
    assert "“某.xlsx”" in refusal.value.message


def test_other_packages_are_named_for_what_they_are():
    for entry, says in (("word/document.xml", "Word"), ("content.xml", "ODS"), ("xl/workbook.bin", "XLSB"), ("a.txt", "压缩包")):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as package:
            package.writestr(entry, b"x")
        with pytest.raises(BadInput, match=says):
            read_sheet(out.getvalue())


def test_truncated_workbooks_are_refused_wherever_they_are_cut():
    whole = write_xlsx(ROWS * 50)
    for size in range(4, len(whole) - 1, len(whole) // 23):
        with pytest.raises(BadInput):
            read_sheet(whole[:size], "断.xlsx")


def test_damaged_workbooks_never_raise_anything_but_a_refusal():
    whole = bytearray(write_xlsx(ROWS))
    for place in range(0, len(whole), 41):
        hurt = whole.copy()
        hurt[place] ^= 0x5A
        try:
            read_sheet(bytes(hurt))
        except BadInput:
            pass  # anything else fails the test


@pytest.mark.parametrize("place, says", [("XFD1", "超过 200 列"), ("A1048576", "超过 300,000 行"), ("ZZZZZ1", "列")])
def test_one_far_cell_is_refused_before_it_is_laid_out(place, says):
    far = workbook_with(sheet_xml(f'<sheetData><row><c r="A1"><v>1</v></c><c r="{place}"><v>1</v></c></row></sheetData>'))
    with pytest.raises(BadInput, match=says):
        read_sheet(far)


def test_cells_without_a_place_count_by_their_row():
    far = workbook_with(sheet_xml(
        '<sheetData><row r="1"><c r="GA1"><v>1</v></c></row><row r="1048576"><c><v>1</v></c></row></sheetData>'))
    with pytest.raises(BadInput, match="超过 300,000 行"):
        read_sheet(far)


def test_an_empty_styled_row_at_the_foot_of_a_sheet_is_no_reason_to_refuse_it():
    styled = workbook_with(sheet_xml(
        '<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576" ht="14"><c r="A1048576" s="0"/></row></sheetData>'))
    assert read_sheet(styled).rows == ((1,),)


def test_a_million_columns_of_csv_are_refused():
    with pytest.raises(BadInput, match="超过 200 列"):
        read_sheet(b"a," * 500_000)
    with pytest.raises(BadInput, match="有一行超过 1,048,576 个字"):
        read_sheet(b"a," * 1_000_000)


def test_too_many_rows_entries_and_bytes_are_refused():
    with pytest.raises(BadInput, match="超过 300,000 行"):
        read_sheet(b"a,b\n" * 300_001)
    with pytest.raises(BadInput, match="内部有"):
        read_sheet(workbook_with(sheet_xml(""), {f"x{n}": b"" for n in range(600)}))
    with pytest.raises(BadInput, match="超过上限 20.0 MB"):
        read_sheet(bytes(UPLOAD.file_bytes + 1))
    with pytest.raises(BadInput, match="解压后过大"):
        read_sheet(gzip.compress(b"a,b\n" * 4_000_000, mtime=0))


def test_entity_declarations_are_refused():
    laughs = sheet_xml("<sheetData/>", head='<!DOCTYPE a [<!ENTITY b "bbbb">]>')
    with pytest.raises(BadInput, match="XML 声明"):
        read_sheet(workbook_with(laughs))


def test_a_named_sheet_can_be_chosen_and_a_missing_one_is_named():
    data = shared_file("xlsform/zh_registration_check_ours.xlsx").read_bytes()
    first = read_sheet(data)
    assert (first.name, first.others) == ("survey", ("choices", "settings"))
    assert read_sheet(data, sheet="choices").name == "choices"
    with pytest.raises(BadInput, match="没有名为“x”的工作表，现有：survey、choices、settings"):
        read_sheet(data, sheet="x")


# In a child process -----------------------------------------------------------


def test_the_child_answers_exactly_what_reading_here_does():
    rows = [["a", "b", "c"], ["文", 1, 2.5], [True, date(2026, 1, 2), ""]]
    data = write_xlsx(rows, merged=(((1, 0), (1, 1)),))
    assert read_sheet_limited(data, "a.xlsx") == read_sheet(data, "a.xlsx")


def test_a_refusal_in_the_child_is_the_same_refusal_here():
    with pytest.raises(BadInput, match="“图.xlsx”是PNG 图片"):
        read_sheet_limited(b"\x89PNG" + bytes(50), "图.xlsx")


def test_a_child_that_takes_too_long_is_killed_and_said_so():
    with pytest.raises(BadInput, match="0.01 秒内没有读完"):
        read_sheet_limited(write_xlsx(ROWS), "慢.xlsx", seconds=0.01)


def test_a_child_that_needs_too_much_memory_dies_alone():
    wide = Limits(rows=2_000_000, columns=20_000, cells=10**12)
    far = workbook_with(sheet_xml(
        '<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'))
    with pytest.raises(BadInput, match="内容过大或已损坏"):
        read_sheet_limited(far, "远.xlsx", wide, memory_bytes=512 << 20)


def test_a_register_of_55_486_rows_is_read_whole():
    data = shared_file("enterprises/fujian_1978_2004.csv.gz").read_bytes()
    sheet = read_sheet(data, "fujian.csv.gz")
    assert len(sheet.rows) == 55_487


# Rows one by one --------------------------------------------------------------


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_a_file_on_disk_is_read_like_its_bytes(packed, tmp_path):
    file = tmp_path / "名录.csv"
    file.write_bytes(packed(write_csv(ROWS * 30_000)))
    assert read_sheet(file, "名录.csv") == read_sheet(file.read_bytes(), "名录.csv")
    assert list(open_sheet(file).rows) == [tuple(row) for row in ROWS * 30_000]


def test_rows_of_a_csv_are_not_read_before_they_are_asked_for():
    opened = open_sheet("a,b\n".encode() * 200_000 + b'"c')
    assert [next(opened.rows) for _ in range(3)] == [("a", "b")] * 3
    with pytest.raises(BadInput, match="第 200001 行的引号没有配对"):
        list(opened.rows)


def test_gzip_files_put_together_are_one_file():
    parts = write_csv(ROWS).splitlines(keepends=True)
    assert texts(read_sheet(b"".join(map(gzip.compress, parts)) + bytes(40))) == ROWS
    with pytest.raises(BadInput, match="压缩数据已损坏"):
        read_sheet(gzip.compress(b"a,b\n") + b"more")


@pytest.mark.parametrize("tail", [1, 2, 3])
def test_gb18030_is_found_however_late_it_begins(tail):
    """The first two hundred thousand rows are plain ASCII; the name at the end is not UTF-8."""
    data = b"a,b\n" * 200_000 + b"," * tail + "望溪㐂\n".encode("gb18030")
    assert read_sheet(data).rows[-1] == ("",) * tail + ("望溪㐂",)


def test_merged_ranges_end_where_the_cells_end():
    rows = '<sheetData><row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c></row></sheetData>'
    wide = workbook_with(sheet_xml(rows + '<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'))
    assert read_sheet(wide).merged == (((0, 0), (1, 1)),)
