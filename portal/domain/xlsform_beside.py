"""What stands beside the questions of an XLSForm: the lists of choices, and the settings that name the form."""

from __future__ import annotations

import re
import unicodedata

from portal.domain.cells import Sheet
from portal.domain.model import Choice
from portal.domain.xlsform import LONGEST_LABEL, MOST_CHOICES, MOST_IN_LIST, OWN_OF_CHOICES, UNSUPPORTED_COLUMNS
from portal.domain.xlsform_sheets import Found, Grid

__all__ = ["Settings", "read_lists"]

_SETTINGS = ("form_title", "form_id", "version", "default_language")
_CODE = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*")
_VALUE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,59}")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,29}")


class Settings:
    """The one row of the settings sheet."""

    def __init__(self, sheet: Sheet, found: Found):
        self.found, self.grid = found, Grid("settings", sheet, found)
        self.line, self.row = next(iter(self.grid.lines()), (1, ()))
        for column, title in self.grid.titles.items():
            if column not in _SETTINGS and self.grid.text(self.line, self.row, column):
                found.remark("settings", self.line, title, "这项设置没有用到。")

    def text(self, column: str) -> str:
        return self.grid.text(self.line, self.row, column)

    def code(self, sector: str, stem: str, given: str) -> str:
        """The form's code: `given`, else form_id, else the file's name, with the sector's prefix."""
        written = given or self.text("form_id") or stem
        own = written.removeprefix(f"{sector}.")
        plain = own if _CODE.fullmatch(own) else re.sub(r"[\s.-]+", "_", unicodedata.normalize("NFKC", own).strip().lower())
        if not _CODE.fullmatch(plain) or len(plain) > 40:
            where = "--code 写的" if given else "form_id" if self.text("form_id") else "文件名"
            self.found.wrong("settings", self.line, "form_id", f"{where}“{written[:40]}”不能作表单代码。请在 settings 工作表的 form_id 里写英文字母、数字和下划线，例如 site_check，或用 --code 写明。")
            return f"{sector}.form"
        if plain != own:
            self.found.remark("settings", self.line, "form_id", f"“{written}”写成表单代码 {sector}.{plain}。")
        return f"{sector}.{plain}"

    def version(self, given: str) -> str:
        """The form's version: `given`, else what the sheet says (a day and time without its seconds' parts), else 1."""
        written = given or self.text("version")
        plain = re.sub(r"[:T ]", "-", written.partition(".")[0]) if re.match(r"\d{4}-\d{2}-\d{2}[T ]", written) else written
        if not written:
            self.found.remark("settings", self.line, "version", "没有写版本，按版本 1 导入。")
            return "1"
        if not _VERSION.fullmatch(plain):
            self.found.wrong("settings", self.line, "version", f"版本“{written[:40]}”不对，应形如 2026-1，最多 30 个字符。")
        return plain


def read_lists(sheet: Sheet, found: Found, language: str) -> dict[str, list[tuple[int, Choice, bool]]]:
    """list -> (row, choice, whether it has a picture) of its choices."""
    grid = Grid("choices", sheet, found, language)
    lists: dict[str, list[tuple[int, Choice, bool]]] = {}
    seen: set[tuple[str, str]] = set()
    lines = list(grid.lines())
    if len(lines) > MOST_CHOICES:
        found.wrong("choices", 1, "", f"有 {len(lines):,} 行，选项最多 {MOST_CHOICES:,} 行。")
        return {}
    if lines:
        for column in ("list_name", "name"):
            if not grid.has(column):
                found.wrong("choices", 1, column, f"choices 工作表第 1 行没有 {column} 列。")
    grid.strange(("list_name", "name", "label", *OWN_OF_CHOICES))
    for line, row in lines:
        listed, value = grid.text(line, row, "list_name"), grid.text(line, row, "name")
        if not listed:
            if value:
                found.wrong("choices", line, grid.heading("list_name"), "没有写选项表的名称。")
            continue
        if not _VALUE.fullmatch(value):
            said = f"选项值“{value[:30]}”不对，只能用英文字母、数字和 _ . -，最多 60 个字符。" if value else "没有写选项值。"
            found.wrong("choices", line, grid.heading("name"), said)
        elif (listed, value) in seen:
            found.unsupported("choices", line, grid.heading("name"), "same_choice", f"“{listed}”里的“{value}”")
        seen.add((listed, value))
        pictures = [column for column in grid.columns if column in UNSUPPORTED_COLUMNS and grid.text(line, row, column)]
        for column in pictures:
            found.leave_out("choices", line, grid.heading(column), "选项的图片和音频没有导入，只显示文字")
        if len(lists.get(listed, ())) == MOST_IN_LIST:
            found.wrong("choices", line, grid.heading("list_name"), f"选项表“{listed}”超过 {MOST_IN_LIST} 项。请精简，或拆成几项来问。")
        own = grid.flag(line, row, "own")
        if own is None:
            found.wrong("choices", line, grid.heading("own"), f"“{grid.text(line, row, 'own')[:20]}”看不懂，请写 yes 或 no。")
        choice = Choice(value, grid.said(line, row, "label", LONGEST_LABEL), bool(own))
        lists.setdefault(listed, []).append((line, choice, bool(pictures)))
    return lists
