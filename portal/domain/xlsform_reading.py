"""The sheets of an XLSForm -> a form of ours, or everything that stands against it, by sheet, row and column."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from portal.domain.bases import parse_bases
from portal.domain.cells import Cell, Sheet
from portal.domain.declarations import NEVER_PUBLIC, check_form
from portal.domain.errors import BadInput, Problem
from portal.domain.expressions import Expression, ExpressionError, parse_expression
from portal.domain.model import Choice, Field, Form, Section
from portal.domain.xlsform import (
    IGNORED, LONGEST_GUIDE, LONGEST_LABEL, META, MOST_OFFERED, MOST_ROWS, OWN, TYPES, UNSUPPORTED_COLUMNS, UNSUPPORTED_TYPES, VERDICT_LABELS,
    is_chinese, parse_type, sheet_of,
)  # fmt: skip
from portal.domain.xlsform_beside import Settings, read_lists
from portal.domain.xlsform_names import Names
from portal.domain.xlsform_rules import both, read_rule
from portal.domain.xlsform_sheets import Found, Grid

__all__ = ["ReadForm", "read_xlsform"]

_SURVEY = ("type", "name", "label", "hint", "required", "relevant", "constraint", "constraint_message", "calculation", "readonly", "disabled", *OWN)
_STRUCTURE = ("begin_group", "end_group", "begin_repeat", "end_repeat")


@dataclass(frozen=True, slots=True)
class ReadForm:
    """What was read. `form` is None where there are refusals; `remarks` say what was left out or changed."""

    form: Form | None
    refusals: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()

    def require_form(self, what: str) -> Form:
        """The form; BadInput with all refusals where there is none."""
        if self.form is None:
            raise BadInput(f"{what}有 {len(self.refusals)} 处不能导入，没有导入任何内容。请按下列各处改正后重新导入。", self.refusals)
        return self.form


def read_xlsform(
    sheets: Mapping[str, Sheet], sector: str, *, stem: str = "", code: str = "", version: str = "", title: str = ""
) -> ReadForm:
    """A workbook's sheets by name -> the form, with all that is wrong.

    `stem`: the file's name without its ending, for what the settings sheet leaves out;
    `code` (with or without the sector's prefix), `version` and `title` go before it.
    """
    found = Found()
    known: dict[str, Sheet] = {}
    for name, sheet in sheets.items():
        if (what := sheet_of(name)) in known:
            found.wrong(what, 1, "", f"有几张工作表都叫 {what}（{'、'.join(f'“{one}”' for one in sheets if sheet_of(one) == what)}），请只留一张。")
        elif what:
            known[what] = sheet
    for name in sorted(set(sheets) - {name for name in sheets if sheet_of(name)}):
        found.remark("", 0, "", f"工作表“{name}”没有用到。")
    if not known.get("survey") or not known["survey"].rows:
        there = "、".join(sheets) or "无"
        found.wrong("survey", 1, "", f"找不到 survey 工作表，或者它是空的。文件里的工作表：{there}。")
        return ReadForm(None, *found.sorted())
    reading = _Reading(known, found)
    form = reading.form(Settings(known.get("settings", Sheet(())), found), sector, stem, code, version, title)
    refusals, remarks = found.sorted()
    return ReadForm(None if refusals else form, refusals, remarks)


@dataclass(slots=True)
class _Open:
    """A group or repeat that is not closed yet."""

    kind: str
    line: int
    title: str = ""
    rule: str = ""
    field: Field | None = None


class _Reading:
    def __init__(self, sheets: Mapping[str, Sheet], found: Found):
        self.found = found
        settings = Grid("settings", sheets.get("settings", Sheet(())), Found())
        language = next((settings.text(line, row, "default_language") for line, row in settings.lines()), "")
        self.grid = Grid("survey", sheets["survey"], found, "" if is_chinese(language) else language)
        self.lists = read_lists(sheets.get("choices", Sheet(())), found, language)
        self.names = Names(self.grid, found)
        self.earlier: list[str] = []  # ours, in order
        self.later_checks: list[tuple[int, Expression, str]] = []
        self.open: list[_Open] = []
        self.sections: list[tuple[Any, str, str, list[Field]]] = []
        self.inner: list[Field] | None = None
        self.offered = 0

    def form(self, settings: Settings, sector: str, stem: str, code: str, version: str, title: str) -> Form:
        grid, found = self.grid, self.found
        grid.strange(_SURVEY)
        for column in ("type", "name"):
            if not grid.has(column):
                found.wrong("survey", 1, column, f"survey 工作表第 1 行没有 {column} 列。")
        lines = list(grid.lines())
        if len(lines) > MOST_ROWS:
            found.wrong("survey", 1, "", f"有 {len(lines):,} 行，一张检查表单最多 {MOST_ROWS:,} 行。请拆成几张表单，分别对应各自的抽查事项。")
        elif grid.has("type") and grid.has("name"):
            self.names.collect(lines)
            title = title or settings.text("form_title") or stem
            for line, row in lines:
                self._row(line, row)
            for frame in self.open:
                found.wrong("survey", frame.line, grid.heading("type"), f"begin_{frame.kind} 没有对应的 end_{frame.kind}。")
            for line, expression, repeat in self.later_checks:
                self.names.check(line, "constraint", expression, set(self.names.places), repeat)
            if not self.earlier and not found.refusals:
                found.wrong("survey", 1, "", "没有可以填写的项。")
        form = Form(
            settings.code(sector, stem, code), settings.version(version), title or "未命名的检查表单",
            tuple(Section(name or title, tuple(fields), rule) for _, name, rule, fields in self.sections),
        )  # fmt: skip
        if len(form.title) > LONGEST_LABEL:
            found.wrong("settings", settings.line, "form_title", f"标题有 {len(form.title)} 个字，最多 {LONGEST_LABEL} 个。")
        if not found.refusals:  # what a rule of the model says that is not among ours
            for problem in check_form(form):
                found.wrong("survey", self.names.line_of.get(problem.field, 1), grid.heading("name"), problem.message)
        return form

    # Rows ---------------------------------------------------------------------------

    def _row(self, line: int, row: Sequence[Cell]) -> None:
        grid, found = self.grid, self.found
        written = grid.text(line, row, "type")
        kind, listed, other = parse_type(written)
        name = grid.text(line, row, "name")
        heading = grid.heading("type")
        if not kind:
            if name or grid.text(line, row, "label"):
                found.wrong("survey", line, heading, "没有写类型。")
            return
        if kind in META:
            found.remark("survey", line, heading, f"手机自动记录的 {written} 不收集，没有导入。")
            return
        if grid.flag(line, row, "disabled") and kind not in _STRUCTURE:
            found.leave_out("survey", line, grid.heading("disabled"), "停用的行没有导入")
            return
        if kind.startswith("end_"):
            self._close(line, kind)
            return
        self._extra_columns(line, row)
        if kind == "begin_group":
            self._open_group(line, row, name)
        elif kind in UNSUPPORTED_TYPES:
            found.unsupported("survey", line, heading, UNSUPPORTED_TYPES[kind])
            self.earlier.append(self.names.ours.get(name, ""))  # what refers to it is not wrong as well
        elif kind not in TYPES and kind not in ("select_one", "select_multiple", "begin_repeat") or kind.startswith("select_") and not listed:
            found.wrong("survey", line, heading, f"不认识类型“{written[:40]}”。可用的有：text、integer、decimal、date、time、select_one、select_multiple、note、image、file、geopoint、calculate、begin_group、begin_repeat。")
        elif not name:
            found.wrong("survey", line, grid.heading("name"), "没有写名称。")
        else:
            if other:
                found.unsupported("survey", line, heading, "or_other")
            self._field(line, row, kind, listed, self.names.ours.get(name, ""))

    def _extra_columns(self, line: int, row: Sequence[Cell]) -> None:
        """Columns that are filled in this row and that we cannot follow, or need not."""
        grid = self.grid
        for column in grid.columns:
            text = grid.text(line, row, column) if column in UNSUPPORTED_COLUMNS or column in IGNORED else ""
            if not text:
                continue
            if column in UNSUPPORTED_COLUMNS:
                self.found.unsupported("survey", line, grid.heading(column), UNSUPPORTED_COLUMNS[column])
            elif column == "appearance" and re.search(r"\bsearch\s*\(", text):
                self.found.unsupported("survey", line, grid.heading(column), "search")
            elif column == "appearance" and re.search(r"\bex:", text):
                self.found.unsupported("survey", line, grid.heading(column), "application")
            elif not (column == "appearance" and text.lower() == "signature"):
                self.found.leave_out("survey", line, grid.heading(column), IGNORED[column])

    def _open_group(self, line: int, row: Sequence[Cell], name: str) -> None:
        label = self.grid.said(line, row, "label", LONGEST_LABEL)
        rule = self._rule(line, row, "relevant")
        outer = self.open[-1] if self.open else None
        if self.inner is not None:
            self.found.remark("survey", line, self.grid.heading("type"), f"重复组里的分组“{label or name}”并入重复组，显示条件保留在各项。")
        elif outer is not None:
            self.found.remark("survey", line, self.grid.heading("type"), f"组里的分组“{label or name}”成为单独的一节，显示条件合在一起。")
        inside = self.inner is not None and outer is not None and outer.kind == "repeat"
        self.open.append(_Open("group", line, label or name, self._both(line, "" if outer is None or inside else outer.rule, rule)))

    def _both(self, line: int, outer: str, inner: str) -> str:
        """Two rules as one; refused where together they are more than the evaluator takes."""
        rule = both(outer, inner)
        if outer and inner:
            try:
                parse_expression(rule)
            except ExpressionError as wrong:
                self.found.unsupported("survey", line, self.grid.heading("relevant"), "nested_rules", str(wrong))
                return inner
        return rule

    def _close(self, line: int, kind: str) -> None:
        wanted = kind.removeprefix("end_")
        if wanted not in ("group", "repeat"):
            self.found.wrong("survey", line, self.grid.heading("type"), f"不认识类型“{kind}”。")
        elif not self.open:
            self.found.wrong("survey", line, self.grid.heading("type"), f"{kind} 前面没有 begin_{wanted}。")
        elif self.open[-1].kind != wanted:
            last = self.open[-1]
            self.found.wrong("survey", line, self.grid.heading("type"), f"{kind} 的位置不对，第 {last.line} 行的 begin_{last.kind} 还没有结束。")
            if any(frame.kind == wanted for frame in self.open):
                while self.open.pop().kind != wanted:
                    pass
        else:
            frame = self.open.pop()
            if frame.field is not None:
                inner, self.inner = self.inner or [], None
                if not inner:
                    self.found.wrong("survey", frame.line, self.grid.heading("type"), "重复组里没有字段。")
                self._place(line, replace(frame.field, fields=tuple(inner)))
        if not any(frame.kind == "repeat" for frame in self.open):
            self.inner = None

    def _place(self, line: int, field: Field) -> None:
        if self.inner is not None:
            rule = self.open[-1].rule if self.open[-1].kind == "group" else ""
            self.inner.append(replace(field, show_if=self._both(line, rule, field.show_if)))
            return
        frame = self.open[-1] if self.open else None
        if not self.sections or self.sections[-1][0] is not frame:
            self.sections.append((frame, frame.title if frame else "", frame.rule if frame else "", []))
        self.sections[-1][3].append(field)

    # One field ----------------------------------------------------------------------

    def _field(self, line: int, row: Sequence[Cell], kind: str, listed: str, name: str) -> None:
        grid, found = self.grid, self.found
        type_ = "repeat" if kind == "begin_repeat" else TYPES.get(kind, kind)
        if type_ == "photo" and grid.text(line, row, "appearance").lower() == "signature":
            type_ = "signature"
        choices: tuple[Choice, ...] = ()
        if kind.startswith("select_"):
            type_, choices = self._choices(line, kind, listed)
        if self.inner is not None and type_ in ("repeat", "note"):
            found.unsupported("survey", line, grid.heading("type"), "nested_repeat" if type_ == "repeat" else "note_in_repeat")
        label = grid.said(line, row, "label", LONGEST_LABEL)
        said = {(one.row, one.field) for one in found.refusals[-3:]}
        if not label and type_ == "calculated":
            label = name
        elif not label and (line, grid.heading("label")) not in said and not any(grid.text(line, row, column) for column in ("image", "audio", "video")):  # those were refused
            found.wrong("survey", line, grid.heading("label"), "没有写显示的文字。")
        if grid.flag(line, row, "readonly") is not False and type_ not in ("note", "calculated"):
            found.unsupported("survey", line, grid.heading("readonly"), "readonly")
        value = self._rule(line, row, "calculation")
        if value and type_ != "calculated":
            found.unsupported("survey", line, grid.heading("calculation"), "calculation")
        elif type_ == "calculated" and not grid.text(line, row, "calculation"):
            found.wrong("survey", line, grid.heading("calculation"), "没有写计算式。")
        field = Field(
            name, label, type_, required=self._required(line, row, type_), key=self._flag(line, row, "key"),
            public=self._public(line, row, type_), show_if=self._rule(line, row, "relevant"),
            constraint=self._rule(line, row, "constraint", name), message=grid.said(line, row, "constraint_message", LONGEST_LABEL),
            hint=grid.said(line, row, "hint", LONGEST_LABEL), guide=grid.said(line, row, "guide", LONGEST_GUIDE, lines=True),
            basis=self._basis(line, row), choices=choices, value=value, most=self._most(line, row), shared=self._flag(line, row, "shared"),
        )  # fmt: skip
        if type_ == "repeat":
            # Already known inside: count() of the rows so far is not, so it counts as earlier after its end.
            if self.inner is None:
                self.inner = []
                self.open.append(_Open("repeat", line, field=field))
            else:
                self.open.append(_Open("repeat", line))
            self.earlier.append(name)
            return
        self.earlier.append(name)
        self._place(line, field)

    def _choices(self, line: int, kind: str, listed: str) -> tuple[str, tuple[Choice, ...]]:
        given = self.lists.get(listed, [])
        if not given:
            self.found.wrong("survey", line, self.grid.heading("type"), f"choices 工作表里没有名为“{listed}”的选项表。")
        self.offered += len(given)
        if self.offered - len(given) <= MOST_OFFERED < self.offered:
            self.found.wrong("survey", line, self.grid.heading("type"), f"到这一项为止选项合计超过 {MOST_OFFERED:,} 个。请拆成几张表单。")
        if self.offered > MOST_OFFERED:
            return kind, ()
        choices = tuple(choice for _, choice, _ in given)
        for at, choice, pictured in given:
            if not choice.label and pictured:
                self.found.unsupported("choices", at, "label", "media", f"选项“{choice.value}”只有图片，没有文字")
            elif not choice.label:
                self.found.wrong("choices", at, "label", f"选项“{choice.value}”没有写显示的文字。")
        if kind == "select_one" and len(choices) == 3 and {one.value: one.label for one in choices if not one.own} == dict(VERDICT_LABELS):
            return "verdict", ()
        return kind, choices

    def _required(self, line: int, row: Sequence[Cell], type_: str) -> bool:
        flag = self.grid.flag(line, row, "required")
        if flag is None:
            self.found.unsupported("survey", line, self.grid.heading("required"), "required_rule")
        if flag and type_ in ("note", "calculated"):
            self.found.unsupported("survey", line, self.grid.heading("required"), "required_note")
        return bool(flag)

    def _flag(self, line: int, row: Sequence[Cell], column: str) -> bool:
        flag = self.grid.flag(line, row, column)
        if flag is None:
            self.found.wrong("survey", line, self.grid.heading(column), f"“{self.grid.text(line, row, column)[:20]}”看不懂，请写 yes 或 no。")
        return bool(flag)

    def _public(self, line: int, row: Sequence[Cell], type_: str) -> bool:
        public = self._flag(line, row, "public")
        if public and type_ in NEVER_PUBLIC:
            self.found.wrong("survey", line, self.grid.heading("public"), "照片、文件、签名、位置和说明永不公开，请改为 no。")
        return public

    def _basis(self, line: int, row: Sequence[Cell]) -> tuple:
        try:
            return parse_bases(self.grid.text(line, row, "basis", lines=True, most=LONGEST_GUIDE))
        except ValueError as wrong:
            self.found.wrong("survey", line, self.grid.heading("basis"), str(wrong))
            return ()

    def _most(self, line: int, row: Sequence[Cell]) -> int:
        text = self.grid.text(line, row, "most")
        if text and not re.fullmatch(r"[1-9][0-9]{0,2}", text):
            self.found.wrong("survey", line, self.grid.heading("most"), f"“{text[:20]}”不是 1 到 999 的整数。")
            return 0
        return int(text or 0)

    # Rules --------------------------------------------------------------------------

    def _rule(self, line: int, row: Sequence[Cell], column: str, own: str = "") -> str:
        """An expression in our spelling; "" where there is none or it is refused."""
        source = self.grid.text(line, row, column)
        if not source:
            return ""
        try:
            expression = read_rule(source, self.names.ours)
        except ExpressionError as wrong:
            self.found.unsupported("survey", line, self.grid.heading(column), "expression", f"“{source[:60]}”，{wrong}")
            return ""
        repeat = next((frame.field.name for frame in reversed(self.open) if frame.field), "")
        if column == "constraint":
            self.later_checks.append((line, expression, repeat))
        else:
            self.names.check(line, column, expression, set(self.earlier), repeat)
            if expression.current:
                self.found.unsupported("survey", line, self.grid.heading(column), "expression", f"“{source[:60]}”，“.”只能用在 constraint 里")
        return expression.source
