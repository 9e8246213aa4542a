"""Excel-2003 XML is read like any other sheet: places, merged cells, kinds of value, which sheet; whatever its name says."""

import gzip
from datetime import date, datetime

import pytest

from portal.domain.errors import BadInput
from portal.sheets.limited import read_sheet_limited
from portal.sheets.read import read_sheet
from tests.sheets.hostile import xml_2003

ROWS = '<Row><Cell><Data ss:Type="String">统一社会信用代码</Data></Cell><Cell><Data ss:Type="String">名称</Data></Cell></Row>'


def cell(text, kind="String", **given):
    placed = "".join(f' ss:{name}="{value}"' for name, value in given.items())
    return f'<Cell{placed}><Data ss:Type="{kind}">{text}</Data></Cell>'


def row(*cells, **given):
    placed = "".join(f' ss:{name}="{value}"' for name, value in given.items())
    return f"<Row{placed}>{''.join(cells)}</Row>"


@pytest.mark.parametrize("name", ["名录.xls", "名录.xlsx", "名录.xml", "名录.csv", ""])
@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_the_content_decides_whatever_the_name_says(name, packed):
    sheet = read_sheet(packed(xml_2003(ROWS)), name)
    assert (sheet.rows, sheet.kind, sheet.name) == ((("统一社会信用代码", "名称"),), "xml", "名录")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_it_is_read_in_the_encodings_in_use_whatever_it_declares(encoding):
    text = xml_2003(ROWS).decode().replace("?>", ' encoding="GB2312"?>', 1)
    assert read_sheet(text.encode(encoding)).rows == (("统一社会信用代码", "名称"),)


def test_cells_and_rows_stand_where_their_index_says():
    body = row(cell("a"), cell("d", Index=4), cell("e")) + row(cell("乙"), Index=3) + row(cell("丙"))
    assert read_sheet(xml_2003(body)).rows == (("a", "", "", "d", "e"), (), ("乙",), ("丙",))


def test_merged_cells_push_the_next_one_on_and_are_told():
    body = row(cell("标题", MergeAcross=2), cell("后")) + row(cell("上", MergeDown=1), cell("x")) + row(cell("y", Index=2))
    sheet = read_sheet(xml_2003(body))
    assert sheet.rows == (("标题", "", "", "后"), ("上", "x"), ("", "y"))
    assert sheet.merged == (((0, 0), (0, 2)), ((1, 0), (2, 0)))


def test_values_are_what_their_type_says():
    body = row(
        cell("000123"), cell("7", "Number"), cell("2.50", "Number"), cell("1E3", "Number"), cell("1", "Boolean"),
        cell("2026-05-01T00:00:00.000", "DateTime"), cell("2026-05-01T08:30:00.000", "DateTime"),
        cell("1899-12-31T08:30:00.000", "DateTime"), cell("#N/A", "Error"), cell("nan", "Number"), cell("昨天", "DateTime"),
    )
    assert read_sheet(xml_2003(body)).rows == ((
        "000123", 7, 2.5, 1000, True, date(2026, 5, 1), datetime(2026, 5, 1, 8, 30), "08:30:00", "#N/A", "nan", "昨天"),)


def test_rich_text_and_line_breaks_are_text_and_comments_are_not():
    rich = '<ss:Data ss:Type="String"><html:B>甲&amp;乙</html:B><html:Font>有限&#10;公司</html:Font></ss:Data>'
    note = '<Comment><ss:Data ss:Type="String"><html:B>批注</html:B></ss:Data></Comment>'
    assert read_sheet(xml_2003(f"<Row><Cell>{rich}{note}</Cell></Row>")).rows == (("甲&乙有限\n公司",),)


def test_styled_rows_and_cells_that_hold_nothing_are_not_rows():
    body = row(cell("a"), '<Cell ss:Index="16384" ss:StyleID="s1"/>') + '<Row ss:Index="1048576" ss:Height="14"/>'
    assert read_sheet(xml_2003(body)).rows == (("a",),)


def two_sheets(first="", second="", hidden=False):
    options = f"<x:WorksheetOptions><x:Visible>{'SheetHidden' if hidden else 'SheetVisible'}</x:Visible></x:WorksheetOptions>"
    text = xml_2003(first, name="一").decode()
    return text.replace("</Worksheet>", options + f'</Worksheet><Worksheet ss:Name="二"><Table>{second}</Table></Worksheet>').encode()


def test_the_first_visible_sheet_with_content_is_read_or_the_one_asked_for():
    both = two_sheets(row(cell("a")), row(cell("b")))
    assert (read_sheet(both).rows, read_sheet(both).others) == ((("a",),), ("二",))
    assert read_sheet(both, sheet="二").rows == (("b",),)
    assert read_sheet(two_sheets("", row(cell("b")))).name == "二"
    hidden = read_sheet(two_sheets(row(cell("a")), row(cell("b")), hidden=True))
    assert (hidden.name, hidden.others) == ("二", ())
    with pytest.raises(BadInput, match="没有名为“三”的工作表，现有：一、二"):
        read_sheet(both, sheet="三")
    with pytest.raises(BadInput, match="工作表都是空的"):
        read_sheet(two_sheets())


@pytest.mark.parametrize("hurt, says", [
    (lambda text: text.replace("</Row>", "</Raw>", 1), "第 1 行附近的 XML 不完整或已损坏"),
    (lambda text: text.replace("<Row>", '<Row ss:Index="x">', 1), "Index 的值“x”不是行列号"),
    (lambda text: text.replace("<Row>", '<Row ss:Index="5">', 1).replace("</Table>", f"{row(cell('b'), Index=2)}</Table>"), "行号没有按顺序"),
])
def test_damaged_files_are_refused(hurt, says):
    with pytest.raises(BadInput, match=says):
        read_sheet(hurt(xml_2003(ROWS).decode()).encode(), "坏.xls")


def test_no_byte_changed_anywhere_raises_anything_but_a_refusal():
    whole = bytearray(xml_2003(ROWS * 3))
    for place in range(0, len(whole), 5):
        changed = whole.copy()
        changed[place] ^= 0x1A
        try:
            read_sheet(bytes(changed))
        except BadInput:
            pass  # anything else fails the test


def test_the_child_answers_exactly_what_reading_here_does():
    data = xml_2003(row(cell("a", MergeAcross=1)) + row(cell("2026-05-01T00:00:00.000", "DateTime"), cell("1", "Boolean")))
    assert read_sheet_limited(data, "a.xls") == read_sheet(data, "a.xls")
