"""The names of a survey sheet: in our spelling, each where it is, so that a rule may refer to what stands before it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from portal.domain.cells import Cell
from portal.domain.expressions import Expression
from portal.domain.xlsform import META, parse_type
from portal.domain.xlsform_sheets import Found, Grid

__all__ = ["Names"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


class Names:
    """`ours`: name in the sheet -> in our spelling; `places`: ours -> "" at the top, the name of its repeat, or meta | group; `line_of`: ours -> row."""

    def __init__(self, grid: Grid, found: Found):
        self.grid, self.found = grid, found
        self.ours: dict[str, str] = {}
        self.places: dict[str, str] = {}
        self.line_of: dict[str, int] = {}

    def collect(self, lines: Sequence[tuple[int, Sequence[Cell]]]) -> None:
        """Every name of the sheet in our spelling, before any rule refers to one."""
        repeats: list[str] = []
        ours_of: dict[str, tuple[str, int]] = {}
        for line, row in lines:
            kind, _, _ = parse_type(self.grid.text(line, row, "type"))
            written = self.grid.text(line, row, "name")
            if kind == "end_repeat" and repeats:
                repeats.pop()
            if not kind or not written or kind in ("end_group", "end_repeat") or self.grid.flag(line, row, "disabled"):
                continue
            if kind in META or kind == "begin_group":
                if written not in self.ours:
                    self.ours[written] = ours = written.lower()
                    self.places.setdefault(ours, "meta" if kind in META else "group")
                continue
            ours = re.sub(r"[.-]", "_", written.lower())
            if not _NAME.fullmatch(ours):
                self._bad(line, written)
                ours = f"x{line}"
            elif ours in ours_of:
                other, first = ours_of[ours]
                same = "重复" if other == written else f"与“{other}”只差大小写或连字符，写成 {ours} 后重复"
                self.found.unsupported("survey", line, self.grid.heading("name"), "duplicate", f"“{written}”{same}（第 {first} 行）")
                continue
            elif ours != written:
                self.found.remark("survey", line, self.grid.heading("name"), f"“{written}”写成 {ours}，引用它的表达式随之改写。")
            self.ours[written] = ours
            ours_of[ours] = written, line
            self.line_of[ours] = line
            self.places[ours] = repeats[-1] if repeats else ""
            if kind == "begin_repeat":
                repeats.append(ours)

    def _bad(self, line: int, written: str) -> None:
        found, heading = self.found, self.grid.heading("name")
        if len(written) > 60:
            found.unsupported("survey", line, heading, "name", f"“{written[:30]}…”有 {len(written)} 个字符，最多 60 个")
        else:
            found.unsupported("survey", line, heading, "name", f"“{written}”。名称以英文字母开头，由英文字母、数字和下划线组成，例如 licence_shown")

    def check(self, line: int, column: str, expression: Expression, known: set[str], repeat: str) -> None:
        found, heading = self.found, self.grid.heading(column)
        for name in sorted(expression.names):
            place = self.places.get(name)
            if place is None:
                found.wrong("survey", line, heading, f"引用的 ${{{name}}} 在表里没有。")
            elif place in ("meta", "group") and name not in self.line_of:
                found.unsupported("survey", line, heading, place, f"${{{name}}}")
            elif place and place != repeat:
                found.unsupported("survey", line, heading, "outside", f"${{{name}}}（在重复组 {place} 里）")
            elif name not in known:
                found.unsupported("survey", line, heading, "forward", f"${{{name}}} 在第 {self.line_of[name]} 行。请把它移到前面")
            elif name == repeat and column != "constraint":
                found.unsupported("survey", line, heading, "forward", f"${{{name}}} 是这个重复组自己，组内还数不清")
