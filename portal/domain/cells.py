"""What one cell of somebody's spreadsheet means: text, code, date, list, yes or no.

Every parse_ function raises ValueError with a Chinese sentence (no row, no
column: the caller knows those).  Cells are str, int, float, bool, date,
datetime, or "" where empty.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from portal.domain.codes import clean_code

__all__ = [
    "Cell", "LONG_TERM", "Merged", "Sheet", "Suspicious", "hidden_characters", "parse_code", "parse_date", "parse_flag", "parse_lines",
    "parse_list", "parse_text", "plain_heading", "row_is_empty",
]

Cell = str | int | float | bool | date | datetime
Merged = tuple[tuple[int, int], tuple[int, int]]

#: How registers write 长期 (no end date).
LONG_TERM = date(9999, 9, 9)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet as read. Row k of the file is `rows[k-1]`; `merged` holds 0-based ((row, column), (row, column)).

    `kind`: xlsx | xls | csv | "" (made in memory). `others`: names of further sheets that were not read.
    """

    rows: tuple[tuple[Cell, ...], ...]
    merged: tuple[Merged, ...] = ()
    name: str = ""
    kind: str = ""
    others: tuple[str, ...] = ()


class Suspicious(ValueError):
    """The cell holds characters that reorder text on screen: never repaired, always refused."""


_LIST_MARKS = re.compile(r"[、，,；;\n]+")
_CLOCK = r"(?:[T ]\s*\d{1,2}[:时]\d{1,2}(?:[:分]\d{1,2}(?:\.\d+)?)?[分秒]?\s*(?:[ap]m|Z)?)?"
_DATE = re.compile(r"(\d{4})\s*[-/.．年]\s*(\d{1,2})\s*[-/.．月]\s*(\d{1,2})\s*[日号]?" + _CLOCK, re.IGNORECASE)
_DIGITS = {**dict(zip("〇一二三四五六七八九", range(10), strict=True)), "零": 0, "○": 0, "元": 1}
_CHINESE_DATE = re.compile(r"([〇零○一二三四五六七八九]{4})年([一二三四五六七八九十元]{1,2})月([一二三四五六七八九十廿卅]{1,3})[日号]?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ENGLISH_DATE = re.compile(rf"(\d{{1,2}})[- ]({'|'.join(_MONTHS)})[a-z]*[-, ]+(\d{{4}})")
_SHORT_DATE = re.compile(r"\d{1,2}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*(?:\d{1,2}|\d{4})\s*日?" + _CLOCK)
_MONTH_ONLY = re.compile(r"\d{4}\s*[-/.年]\s*\d{1,2}\s*月?|\d{4}年")
_LONG_TERMS = frozenset("长期 永久 长期有效 永久有效 无固定期限 无期限".split())
_WRITE_SO = "请写成 2027-12-31 这样。"
_EXCEL_EPOCH = date(1899, 12, 30)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Marks left by copying from web pages and messengers: invisible and without effect.
_DROPPED = dict.fromkeys([0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF])


def parse_text(cell: Cell | None) -> str:
    """One line of text in NFC: blanks trimmed, line breaks turned into blanks. Suspicious on bidi characters.

    Control characters become blanks (`hidden_characters` tells which there were).
    """
    if isinstance(cell, str):
        text = cell.strip()
        if text.isprintable() and unicodedata.is_normalized("NFC", text):
            return text
        return " ".join(_visible(text).split())
    return _spelt(cell)


def parse_lines(cell: Cell | None) -> str:
    """Like `parse_text`, but line breaks stay (items of a plan are listed one a line)."""
    if not isinstance(cell, str):
        return _spelt(cell)
    lines = (" ".join(line.split()) for line in _visible(cell).splitlines())
    return "\n".join(line for line in lines if line)


def parse_code(cell: Cell | None) -> str:
    """A cleaned code. ValueError where the spreadsheet kept it as a number and lost its end."""
    if isinstance(cell, float) or (isinstance(cell, int) and not isinstance(cell, bool)):
        # Excel keeps 15 digits of a number: a 15-digit registration number survives, 18 do not.
        if cell != int(cell) or abs(cell) >= 10**15:
            raise ValueError("代码在表格中存成了数字，末几位已经丢失。请把该列设为“文本”格式后重新填写。")
        return str(int(cell))
    text = "" if cell is None else clean_code(cell)
    if re.fullmatch(r"\d\.?\d*E\+\d+", text):
        raise ValueError(f"代码“{text}”是科学计数法，末几位已经丢失。请把该列设为“文本”格式后重新填写。")
    return text


def parse_date(cell: Cell | None) -> date | None:
    """A day in any usual spelling; None when empty.

    2027-12-31, 2028年3月31日, 2026/5/1, 2026.5.1, 20261231, 二〇二六年五月一日, 1-May-2026, an Excel
    number, each with or without a time, and 长期 and the like. Spellings with two readings are refused.
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, str):
        text = cell.strip()
        if not text:
            return None
        if len(text) == 10 and text[4] == text[7] == "-":  # how registers mostly write it: worth a short way
            try:
                return date.fromisoformat(text)
            except ValueError:
                pass
        return _spelt_day(unicodedata.normalize("NFKC", text), text)
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        if 19_000_101 <= cell <= 99_991_231 and cell == int(cell):  # 20261231 kept as a number
            return _spelt_day(str(int(cell)), str(cell))
        return _serial(int(cell), str(cell))
    if cell is None:
        return None
    raise ValueError(f"“{cell}”不是日期。{_WRITE_SO}")


def _spelt_day(text: str, written: str) -> date:
    if text in _LONG_TERMS:
        return LONG_TERM
    if text.isascii() and text.isdigit():
        if len(text) == 8:
            return _day(int(text[:4]), int(text[4:6]), int(text[6:]), written)
        if len(text) == 5:
            return _serial(int(text), written)
    if match := _DATE.fullmatch(text):
        return _day(int(match[1]), int(match[2]), int(match[3]), written)
    if match := _CHINESE_DATE.fullmatch(text):
        year = int("".join(str(_DIGITS[digit]) for digit in match[1]))
        return _day(year, _chinese_number(match[2]), _chinese_number(match[3]), written)
    if match := _ENGLISH_DATE.fullmatch(text.lower()):
        return _day(int(match[3]), _MONTHS.index(match[2][:3]) + 1, int(match[1]), written)
    if text.startswith("民国"):
        raise ValueError(f"“{_short(written)}”是民国纪年。请改成公历，例如 2027-12-31。")
    if match := _SHORT_DATE.fullmatch(text):
        raise ValueError(f"“{_short(written)}”分不清年、月、日。请把年份写全，例如 2027-12-31。")
    if _MONTH_ONLY.fullmatch(text):
        raise ValueError(f"“{_short(written)}”没有写到日。{_WRITE_SO}")
    raise ValueError(f"“{_short(written)}”不是日期。{_WRITE_SO}")


def _chinese_number(text: str) -> int:
    """一 to 三十一, also written 廿一 and 卅."""
    text = text.replace("廿", "二十").replace("卅", "三十")
    tens, ten, ones = text.rpartition("十")
    return (_DIGITS[tens] if tens else 1 if ten else 0) * 10 + (_DIGITS[ones] if ones else 0)


def parse_list(cell: Cell | None) -> tuple[str, ...]:
    """Parts split at 、，,；; and line breaks, in order, without repeats."""
    text = parse_lines(cell)
    if not text:
        return ()
    return tuple(dict.fromkeys(part.strip() for part in _LIST_MARKS.split(text) if part.strip()))


def parse_flag(cell: Cell | None) -> bool:
    """Yes or no; an expert column that lists fields of expertise counts as yes."""
    if isinstance(cell, (bool, int, float)):
        return bool(cell)
    return parse_text(cell).lower() not in ("", "否", "无", "不是", "n", "no", "0", "false", "×", "/", "-")


def plain_heading(cell: Cell | None) -> str:
    """A heading for comparison: no blanks, half-width brackets, no `*` and no note in brackets such as (必填)."""
    text = unicodedata.normalize("NFKC", cell) if isinstance(cell, str) else ""
    text = "".join(text.split()).strip("*:·").translate({0x201C: None, 0x201D: None, 0x22: None})
    return re.sub(r"\((?:必填|选填|可多选|多选|单选|示例|格式|YYYY)[^()]*\)$", "", text)


def row_is_empty(row: Sequence[Cell]) -> bool:
    """Whether nothing is written in a row."""
    return not any(cell not in ("", None) and (not isinstance(cell, str) or cell.strip()) for cell in row)


def _spelt(cell: Cell | None) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell == int(cell) and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def hidden_characters(cell: Cell | None) -> str:
    """The control and private-use characters in a cell, as U+XXXX, or "" (worth a warning: real registers have them)."""
    if not isinstance(cell, str) or cell.isprintable():
        return ""
    odd = (c for c in cell if not c.isprintable() and not c.isspace() and ord(c) not in _DROPPED)
    return "、".join(dict.fromkeys(f"U+{ord(c):04X}" for c in odd))


def _visible(text: str) -> str:
    text = unicodedata.normalize("NFC", text.translate(_DROPPED))
    if text.isprintable():
        return text
    for c in text:
        if c in _BIDI:
            raise Suspicious(f"含有改变文字方向的控制字符 U+{ord(c):04X}。请删除后重新填写。")
    # Private-use characters stay: they stand for rare characters of old registers.
    return "".join(" " if not c.isspace() and unicodedata.category(c) in ("Cc", "Cf") else c for c in text)


def _day(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError(f"“{_short(text)}”不是存在的日期。") from None


def _serial(days: int, text: str) -> date:
    # 10959 is 1930, 73050 is 2099: other numbers in a date column are slips, not dates.
    if not 10_959 <= days <= 73_050:
        raise ValueError(f"“{_short(text)}”不是日期。{_WRITE_SO}")
    return _EXCEL_EPOCH + timedelta(days=days)


def _short(text: str) -> str:
    return text if len(text) <= 30 else text[:30] + "…"
