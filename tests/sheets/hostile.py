"""Files made to hurt whoever reads them: name -> (file name, bytes, what the refusal says). TRUST.md, faults, row 3."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterable
from hashlib import sha256

from portal.sheets.write import write_xlsx

__all__ = ["FILES", "sheet_xml", "workbook_with", "xml_2003"]

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = "xl/worksheets/sheet1.xml"
LAUGHS = '<!DOCTYPE a [<!ENTITY b "哈">' + "".join(
    f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in zip("bcdefghi", "cdefghij", strict=True)
) + "]>"


def sheet_xml(body: str, *, head: str = "") -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>{head}<worksheet xmlns="{MAIN}">{body}</worksheet>'.encode()


def workbook_with(xml: bytes, extra: dict[str, bytes | Iterable[bytes]] | None = None, level: int = 9) -> bytes:
    """A good workbook whose sheet is replaced: the shortest way to a hostile one."""
    out = io.BytesIO()
    parts = {SHEET: xml, **(extra or {})}
    with zipfile.ZipFile(io.BytesIO(write_xlsx([["a"]]))) as good, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as bad:
        for name in [*(entry for entry in good.namelist() if entry not in parts), *parts]:
            content = parts[name] if name in parts else good.read(name)
            with bad.open(name, "w") as entry:
                for piece in [content] if isinstance(content, bytes) else content:
                    entry.write(piece)
    return out.getvalue()


def xml_2003(body: str, *, head: str = "", name: str = "名录") -> bytes:
    """An Excel-2003 XML workbook with one sheet; `body` goes into its Table."""
    return (
        f'<?xml version="1.0"?>{head}<?mso-application progid="Excel.Sheet"?>'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:x="urn:schemas-microsoft-com:office:excel" xmlns:html="http://www.w3.org/TR/REC-html40">'
        f'<Worksheet ss:Name="{name}"><Table>{body}</Table></Worksheet></Workbook>'
    ).encode()


def _cell(text: object, **given: object) -> str:
    placed = "".join(f' ss:{name}="{value}"' for name, value in given.items())
    return f'<Cell{placed}><Data ss:Type="String">{text}</Data></Cell>'


def _three_million_cells() -> bytes:
    cell = '<c r="A1"><v>1</v></c>'
    return workbook_with(sheet_xml("<sheetData><row>" + cell * 3_000_000 + "</row></sheetData>"))


def _many_cells_that_pack_badly() -> bytes:
    """Within the ratio, and not one cell says where it is."""
    def rows() -> Iterable[bytes]:
        yield sheet_xml("<sheetData>").removesuffix(b"</worksheet>")
        for n in range(40_000):
            yield b"<row>" + b"".join(b"<c><v>%d</v></c>" % digit for digit in sha256(b"%d" % n).digest() * 3) + b"</row>"
        yield b"</sheetData></worksheet>"

    return workbook_with(b"", {SHEET: rows()}, level=1)


def _far_corner() -> bytes:
    return workbook_with(sheet_xml('<sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'))


def _strings(megabytes: int, repeats: int) -> Callable[[], bytes]:
    """Shared strings; the fewer repeats of eight digits, the worse they pack."""
    def make() -> bytes:
        # Farther apart than deflate looks back, so that each packs as if it were new.
        texts = [
            b"".join(sha256(b"%d %d" % (n, k)).hexdigest()[:8].encode() * repeats for k in range(65_536 // 8 // repeats))
            for n in range(16)
        ]

        def pieces() -> Iterable[bytes]:
            yield f'<?xml version="1.0"?><sst xmlns="{MAIN}">'.encode()
            for n in range(megabytes * 16):
                yield b"<si><t>" + texts[n % 16] + b"</t></si>"
            yield b"</sst>"

        cell = '<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData>'
        return workbook_with(sheet_xml(cell), {"xl/sharedStrings.xml": pieces()}, level=1)

    return make


#: name -> (file name, how to make it, what the refusal must say)
FILES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "3 million cells": ("炸弹.xlsx", _three_million_cells, "解压后过大"),
    "3 million cells that pack badly": ("大表.xlsx", _many_cells_that_pack_badly, "超过 2,000,000 个单元格"),
    "XFD1048576": ("远.xlsx", _far_corner, "超过 300,000 行"),
    "300 MB of strings": ("文字.xlsx", _strings(300, 2_048), "解压后过大"),
    "300 MB of strings that pack badly": ("文字.xlsx", _strings(300, 64), "解压后过大"),
    "entities in a sheet": ("实体.xlsx", lambda: workbook_with(sheet_xml("<sheetData/>", head=LAUGHS)), "XML 声明"),
    "entities in the strings": (
        "实体.xlsx",
        lambda: workbook_with(sheet_xml("<sheetData/>"), {"xl/sharedStrings.xml": (LAUGHS + "<sst>&j;</sst>").encode()}),
        "XML 声明",
    ),
    "zip with ../": ("外.xlsx", lambda: workbook_with(sheet_xml(""), {"../../etc/passwd": b"x"}), "指向文件之外"),
    "zip with backslashes": ("外.xlsx", lambda: workbook_with(sheet_xml(""), {"..\\x.xml": b"x"}), "指向文件之外"),
    "zip with 600 entries": ("多.xlsx", lambda: workbook_with(sheet_xml(""), {f"x{n}": b"-" for n in range(600)}), "内部有"),
    "CSV line without end": ("长行.csv", lambda: b"a," * (10 << 20), "有一行超过 1,048,576 个字"),
    "CSV row without end": ("长行.csv", lambda: b'"\n",' * (5 << 20), "有一行超过 1,048,576 个字"),
    "CSV quote without end": ("引号.csv", lambda: b'a,b\n"' + b"c,d\n" * 5_000_000, "引号没有配对"),
    "CSV of columns": ("列.csv", lambda: (b"," * 1_000_000 + b"\n") * 19, "超过 200 列"),
    "CSV of empty lines": ("空行.csv", lambda: b"a\n" + b"\n" * (19 << 20), "超过 300,000 行"),
    "gzip of nothing but zeros": ("零.csv.gz", lambda: gzip.compress(bytes(200 << 20), 1, mtime=0), "解压后过大"),
    "gzip of lines": ("行.csv.gz", lambda: gzip.compress(b"a,b\n" * (64 << 20), 1, mtime=0), "解压后过大"),
    "XML 2003 entities": ("实体.xls", lambda: xml_2003(f"<Row>{_cell('&j;')}</Row>", head=LAUGHS), "XML 声明"),
    "XML 2003 outside entity": (
        "实体.xls",
        lambda: xml_2003(f"<Row>{_cell('&b;')}</Row>", head='<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'),
        "XML 声明",
    ),
    "XML 2003 far row": ("远.xls", lambda: xml_2003(f'<Row ss:Index="999999999">{_cell("a")}</Row>'), "超过 300,000 行"),
    "XML 2003 far column": ("远.xls", lambda: xml_2003(f"<Row>{_cell('a', Index=999_999_999)}</Row>"), "超过 200 列"),
    "XML 2003 sparse cells": (
        "疏.xls", lambda: xml_2003(f"<Row>{_cell('a', Index=200)}</Row>" * 20_000), "超过 2,000,000 个单元格"),
    "XML 2003 nesting": ("深.xls", lambda: xml_2003("<a>" * 6_000_000), "嵌套过深"),
    "XML 2003 merged again and again": (
        "合并.xls",
        lambda: xml_2003(f"<Row>{_cell('a', MergeAcross=199, MergeDown=299_999)}</Row>" * 19_000), "合并单元格过多"),
    "XML 2003 one long text": ("长.xls", lambda: xml_2003(f"<Row>{_cell('哈' * 6_000_000)}</Row>"), "单元格文字过多"),
    "XML 2003 cut short": ("断.xls", lambda: xml_2003(f"<Row>{_cell('a')}</Row>" * 9)[:-200], "不完整或已损坏"),
}
