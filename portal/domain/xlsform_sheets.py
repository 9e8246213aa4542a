"""The three sheets of an XLSForm as tables: columns found by any spelling, labels in the language people read, what was found wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from portal.domain.cells import Cell, Sheet, Suspicious, parse_lines, parse_text, row_is_empty
from portal.domain.errors import Problem
from portal.domain.xlsform import IGNORED, SHEETS, UNSUPPORTED, UNSUPPORTED_COLUMNS, heading_of, is_chinese

__all__ = ["Found", "Grid", "MOST_LISTED"]

#: More than this nobody reads at once.
MOST_LISTED = 300
_REFERENCE = re.compile(r"\$\{[^}]*\}")


@dataclass(slots=True)
class Found:
    """Refusals and remarks of a file while it is read; `left_out`: (sheet, heading, sentence) -> (first row, how many)."""

    refusals: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)
    left_out: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)

    def wrong(self, sheet: str, line: int, heading: str, message: str) -> None:
        self.refusals.append(Problem(heading, message, line, sheet))

    def unsupported(self, sheet: str, line: int, heading: str, feature: str, detail: str = "") -> None:
        self.wrong(sheet, line, heading, f"不支持{UNSUPPORTED[feature]}{f'：{detail}' if detail else ''}{'' if detail.endswith('。') else '。'}")

    def remark(self, sheet: str, line: int, heading: str, message: str) -> None:
        self.remarks.append(Problem(heading, message, line, sheet))

    def leave_out(self, sheet: str, line: int, heading: str, message: str) -> None:
        """A remark that many rows would repeat: the first is named, the others are counted."""
        first, count = self.left_out.get((sheet, heading, message), (line, 0))
        self.left_out[sheet, heading, message] = first, count + 1

    def sorted(self) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
        """(refusals, remarks) in the order of the file."""
        counted = [
            Problem(heading, message + (f"（共 {count} 行）。" if count > 1 else "。"), line, sheet)
            for (sheet, heading, message), (line, count) in self.left_out.items()
        ]
        refusals = sorted(dict.fromkeys(self.refusals), key=_place)
        if len(refusals) > MOST_LISTED:
            more = Problem("", f"还有 {len(refusals) - MOST_LISTED} 处没有列出。", refusals[MOST_LISTED].row, refusals[MOST_LISTED].sheet)
            refusals = [*refusals[:MOST_LISTED], more]
        return tuple(refusals), tuple(sorted([*self.remarks, *counted], key=_place))


def _place(problem: Problem) -> tuple[int, int]:
    return SHEETS.index(problem.sheet) if problem.sheet in SHEETS else len(SHEETS), problem.row


class Grid:
    """One sheet below its headings, which stand in row 1."""

    def __init__(self, name: str, sheet: Sheet, found: Found, language: str = ""):
        self.name, self.found, self.rows = name, found, sheet.rows
        self.columns: dict[str, list[tuple[str, int]]] = {}  # column -> (language, 0-based place), best language first
        self.titles: dict[str, str] = {}
        head = sheet.rows[0] if sheet.rows else ()
        seen: set[tuple[str, str]] = set()
        for at, cell in enumerate(head):
            if cell == "" or not str(cell).strip():
                continue
            column, spoken = heading_of(cell)
            if (column, spoken) in seen and self._both_filled(column, spoken, at):
                found.wrong(name, 1, str(cell).strip(), "这一列重复出现，不知道以哪一列为准，请删去一列。")
            seen.add((column, spoken))
            self.columns.setdefault(column, []).append((spoken, at))
            self.titles.setdefault(column, str(cell).strip())
        for column, places in self.columns.items():
            places.sort(key=lambda place: _wish(place[0], language))
            if len(places) > 1 and column in ("label", "hint", "constraint_message", "guide"):
                used = places[0][0] or "未写明语言的一列"
                others = "、".join(dict.fromkeys(spoken or "未写明语言的一列" for spoken, _ in places if spoken != places[0][0]))
                if others:
                    found.remark(name, 1, self.titles[column], f"采用{used}，{others}只在前者空着时采用。")

    def _both_filled(self, column: str, spoken: str, at: int) -> bool:
        """Whether a row says something under this heading and under an earlier one that means the same."""
        if column in UNSUPPORTED_COLUMNS or column in IGNORED:
            return False
        places = [place for language, place in self.columns[column] if language == spoken]
        return any(at < len(row) and row[at] != "" and any(row[place] != "" for place in places) for row in self.rows[1:])

    def has(self, column: str) -> bool:
        return column in self.columns

    def heading(self, column: str) -> str:
        """The heading as the file writes it; the usual one where the column is absent."""
        return self.titles.get(column, column)

    def lines(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """(1-based row, cells) of the rows below the headings that hold something."""
        for line, row in enumerate(self.rows[1:], 2):
            if not row_is_empty(row):
                yield line, row

    def text(self, line: int, row: Sequence[Cell], column: str, lines: bool = False, most: int = 0) -> str:
        """The cell of a column as text, in the best language that is filled; what is hidden or too long in it is refused."""
        for _, at in self.columns.get(column, ()):
            if at < len(row) and row[at] != "":
                try:
                    text = (parse_lines if lines else parse_text)(row[at])
                except Suspicious as wrong:
                    self.found.wrong(self.name, line, self.heading(column), str(wrong))
                    return ""
                if most and len(text) > most:
                    self.found.wrong(self.name, line, self.heading(column), f"有 {len(text)} 个字，最多 {most} 个，请缩短。")
                    return text[:most]
                if text:
                    return text
        return ""

    def said(self, line: int, row: Sequence[Cell], column: str, most: int, lines: bool = False) -> str:
        """Text that people will read: no answers quoted in it."""
        text = self.text(line, row, column, lines, most)
        if _REFERENCE.search(text):
            self.found.unsupported(self.name, line, self.heading(column), "reference_in_text")
        return text

    def flag(self, line: int, row: Sequence[Cell], column: str) -> bool | None:
        """Yes or no; None where something else stands there."""
        text = self.text(line, row, column)
        return True if text.lower() in _YES else False if text.lower() in _NO else None

    def strange(self, known: Mapping[str, object] | Sequence[str]) -> None:
        """Remark on the columns nobody reads."""
        for column, title in self.titles.items():
            if column not in known and column not in UNSUPPORTED_COLUMNS and column not in IGNORED:
                self.found.remark(self.name, 1, title, "不认识这一列，没有导入。")


_YES = frozenset(("yes", "true", "true()", "1", "y", "是", "必填", "√", "*", "公开"))
_NO = frozenset(("no", "false", "false()", "0", "n", "否", "", "选填", "×", "-", "不公开"))


def _wish(spoken: str, language: str) -> int:
    return 0 if is_chinese(spoken) else 1 if not spoken else 2 if spoken == language else 3
