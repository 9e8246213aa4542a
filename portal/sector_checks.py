"""What a sector may declare and answer: the checks behind plugins.py.

Start-up findings become SectorRefusals (who, what they wrote, what is wrong, in
Chinese); a wrong answer at run time is Faulty, whose message ends a sentence.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.domain.declarations import (
    check_form, check_item, check_register, form_from_data, form_to_data, item_from_data, item_to_data,
    register_from_data, register_to_data,
)
from portal.domain.errors import BadInput
from portal.domain.findings import answers_to
from portal.domain.forms import hidden_character
from portal.domain.model import CheckItem, Findings, FollowUp, Form, Page, PoolRule, Register, Sector
from portal.hookspecs import HOOKS, PROJECT

#: hook -> the argument of Sector that stands for it
_STATED = {"check_items": "items", "inspection_forms": "forms", "suggest_follow_up": "findings", "public_summary": "findings"}
FOLLOW_UPS = ("none", "rectify", "recheck", "transfer", "notify", "abnormal_list", "case", "other")


@dataclass(frozen=True, slots=True)
class SectorRefusal:
    """One reason not to start, in three parts: who, what they wrote, what is wrong; `sector`: the code, where it is about one."""

    who: str
    wrote: str
    wrong: str
    sector: str = ""

    def __str__(self) -> str:
        return f"{self.who}写了“{self.wrote}”：{self.wrong}"


class Faulty(Exception):
    """What one sector did wrong; the message is the end of a sentence."""


def call_sector(callers: Mapping[tuple[str, str], Any], code: str, hook: str, **given: Any) -> Any:
    """What that one sector answers, None if it does not implement the hook; Faulty if it raises."""
    caller = callers.get((code, hook))
    if caller is None:
        return None
    try:
        answer = caller(**given)
    except (Exception, SystemExit) as error:  # whatever a sector does, it is named and the others go on
        raise Faulty(place_of(error)) from error
    # A caller of one plugin gives its answer where only the owner is asked, else a list of at most one.
    return answer if HOOKS[hook].kind == "ask owner" else answer[0] if answer else None


def place_of(error: BaseException) -> str:
    # The text of a foreign exception may hold personal data: only its type and place are told.
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f"（{last.tb_frame.f_globals.get('__name__', '?')} 第 {last.tb_lineno} 行）" if last else ""
    return f"{type(error).__name__}{place}"


# Right answers ------------------------------------------------------------------


def right_list(kind: type):
    def right(answer: Any) -> list[Any]:
        if not isinstance(answer, (list, tuple)):
            raise Faulty(f"应返回 {kind.__name__} 的列表，返回了 {type(answer).__name__}")
        for one in answer:
            if not isinstance(one, kind):
                raise Faulty(f"应返回 {kind.__name__} 的列表，其中有 {type(one).__name__}")
        return list(answer)

    return right


def right_follow_ups(answer: Any) -> list[FollowUp]:
    for one in (given := right_list(FollowUp)(answer)):
        if one.kind not in FOLLOW_UPS or one.counts_from not in ("inspected", "ordered", "reported"):
            raise Faulty(f"没有“{one.kind}”（自 {one.counts_from} 起算）这种后续处置")
        if type(one.due_working_days) is not int or one.due_working_days < 0:
            raise Faulty("due_working_days 应是不小于 0 的整数")
    return given


def right_summary(answer: Any) -> str:
    if not isinstance(answer, str):
        raise Faulty(f"应返回文字，返回了 {type(answer).__name__}")
    if len(answer) > 300 or "\n" in answer or hidden_character(answer):
        raise Faulty("公示摘要应是一行、300 字以内的普通文字")
    return answer.strip()


def right_pages(answer: Any) -> list[Page]:
    pages = [] if answer is None else right_list(Page)(answer)
    for page in pages:
        if not isinstance(page.title, str) or not isinstance(page.blocks, (list, tuple)):
            raise Faulty("页面的标题应是文字，内容应是列表")
        if not isinstance(page.slug, str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", page.slug):
            raise Faulty(f"页面地址“{page.slug}”只能用小写字母、数字和连字符")
        if [one.slug for one in pages].count(page.slug) > 1:
            raise Faulty(f"页面地址“{page.slug}”重复")
        for block in page.blocks:
            if not _right_block(block):
                raise Faulty(f"页面“{page.slug}”里有不认识的内容块")
    return pages


def _right_block(block: Any) -> bool:
    kind, body = getattr(block, "kind", ""), getattr(block, "body", None)
    if kind == "text":
        return isinstance(body, str)
    if kind not in ("table", "figure") or not isinstance(body, (list, tuple)) or not body:
        return False
    if not all(isinstance(row, (list, tuple)) and len(row) == len(body[0]) for row in body):
        return False
    if kind == "figure":
        return all(len(row) == 2 and isinstance(row[0], str) and type(row[1]) is int for row in body)
    return all(isinstance(cell, (str, int)) for row in body for cell in row)


def right_rule(registers: set[str]):
    """Read a PoolRule whose registers are among these."""

    def right(answer: Any) -> PoolRule:
        if not isinstance(answer, PoolRule):
            raise Faulty(f"应返回 PoolRule，返回了 {type(answer).__name__}")
        parts = {}
        for name in ("kinds", "types", "industries", "tags", "registers", "scope"):
            given = getattr(answer, name)
            if not isinstance(given, (list, tuple)) or not all(isinstance(one, str) for one in given):
                raise Faulty(f"PoolRule.{name} 应是文字的列表")
            parts[name] = tuple(given)
        if unknown := set(parts["kinds"]) - {"entity", "site", "object"}:
            raise Faulty(f"PoolRule.kinds 里没有“{min(unknown)}”")
        if unknown := set(parts["registers"]) - registers:
            raise Faulty(f"PoolRule.registers 里的专项库“{min(unknown)}”不存在")
        if any(not phrase.strip() or phrase.strip().startswith("-") for phrase in parts["scope"]):
            raise Faulty("PoolRule.scope 的每个词组至少要有一个应当出现的词，写在最前")
        if type(answer.any_of) is not bool:
            raise Faulty("PoolRule.any_of 应是 True 或 False")
        return PoolRule(**parts, any_of=answer.any_of)

    return right


def right_batch(codes: set[str]):
    """Read {code: text} whose codes are those of the batch."""

    def right(answer: Any) -> dict[str, str]:
        if not isinstance(answer, Mapping):
            raise Faulty(f"应返回 dict，返回了 {type(answer).__name__}")
        for code, said in answer.items():
            if code not in codes:
                raise Faulty(f"返回了不在本批对象中的代码“{code}”")
            if not isinstance(said, str):
                raise Faulty(f"“{code}”的值应是文字，返回了 {type(said).__name__}")
            if not said.strip() or len(said) > 200 or "\n" in said or "\t" in said or hidden_character(said):
                raise Faulty(f"“{code}”的值应是一行、200 字以内的普通文字")
        return dict(sorted(answer.items()))

    return right


# Start-up -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SectorCheck:
    """The start-up checks of one sector; every finding goes to `problems`."""

    name: str
    origin: str
    problems: list[SectorRefusal]

    def refuse(self, wrote: str, wrong: str) -> None:
        self.problems.append(SectorRefusal(f"业务模块“{self.name}”（{self.origin}）", wrote, wrong, self.name))

    def functions(self, module: Any) -> bool:
        """Whether every marked function is a hook and every hook is marked."""
        before = len(self.problems)
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", self.name):
            self.refuse(self.name, "模块代码只能用小写字母、数字和下划线，以字母开头。")
        for name, thing in sorted(vars(module).items()):
            options = getattr(thing, f"{PROJECT}_impl", None) if inspect.isroutine(thing) else None
            if options is None:
                if name in HOOKS and inspect.isfunction(thing):
                    self.refuse(f"def {name}", "与钩子同名，但没有加 @hookimpl，不会被调用。")
                elif name in HOOKS and not inspect.ismodule(thing):
                    self.refuse(f"{name} = …", f"与钩子同名，但不是函数。钩子写成带 @hookimpl 的 def {name}。")
            elif name not in HOOKS:
                near = difflib.get_close_matches(name, HOOKS, 1)
                self.refuse(f"def {name}", f"没有这个钩子{f'，是不是 {near[0]}' if near else ''}。")
            else:
                self.function(name, thing, options)
        if "sector" not in vars(module):
            self.refuse("（没有 sector）", "缺少 sector()，每个业务模块都必须有。")
        return len(self.problems) == before

    def function(self, name: str, thing: Any, options: Mapping[str, Any]) -> None:
        known = list(inspect.signature(HOOKS[name]).parameters)
        given = list(inspect.signature(thing).parameters)
        if unknown := [one for one in given if one not in known]:
            self.refuse(f"def {name}({', '.join(given)})", f"没有参数 {unknown[0]}，可用的参数：{'、'.join(known) or '无'}。")
        parameters = inspect.signature(thing).parameters.values()
        if given_not := [one.name for one in parameters if one.name in known and (one.default is not one.empty or one.kind > one.POSITIONAL_OR_KEYWORD)]:
            self.refuse(f"def {name}({', '.join(given)})", f"参数 {given_not[0]} 不要写默认值，也不要写在 * 后面，否则收不到内容。")
        if inspect.iscoroutinefunction(thing):
            self.refuse(f"async def {name}", "钩子是普通函数，不能用 async。")
        if any(options.values()):
            self.refuse(f"@hookimpl({next(key for key, value in options.items() if value)}=…) {name}", "@hookimpl 不带选项。")

    def sector(self, callers: Mapping) -> Sector | None:
        try:
            sector = call_sector(callers, self.name, "sector")
        except Faulty as error:
            return self.refuse("sector()", f"调用时出错，{error}。")
        if not isinstance(sector, Sector):
            return self.refuse("sector()", f"应返回 Sector，返回了 {type(sector).__name__}。")
        if sector.code != self.name:
            return self.refuse(f"Sector({sector.code!r})", f"代码与入口点名称“{self.name}”不一致。")
        if not all(isinstance(text, str) for text in (sector.name, sector.department, sector.version)) or not sector.name:
            return self.refuse(f"Sector({sector.code!r})", "name、department、version 应是文字，name 不能为空。")
        return sector

    def stated(self, sector: Sector, callers: Mapping) -> dict[tuple[str, str], Any]:
        """(sector, hook) -> an answer to hooks that the Sector gives as data; a hook written beside it would be a second one."""
        answers: dict[str, Any] = {}
        if sector.items:
            answers["check_items"] = lambda: [sector.items]
        if sector.forms:
            answers["inspection_forms"] = lambda: [sector.forms]
        if sector.findings is not None:
            if not isinstance(sector.findings, Findings):
                self.refuse(f"Sector({sector.code!r}, findings=…)", f"findings 应是 Findings，写成了 {type(sector.findings).__name__}。")
                return {}
            answers |= answers_to(sector.findings)
            by_form = any(not isinstance(item, str) for item in sector.findings.points.values())
            for form in sector.forms if by_form else ():
                if form.code not in sector.findings.points:
                    self.refuse(f"Sector({sector.code!r}, findings=…)", f"points 里没有表单 {form.code} 的要点。")
        for hook in [hook for hook in answers if (self.name, hook) in callers]:
            self.refuse(f"def {hook}", f"Sector(…) 里已经写了 {_STATED[hook]}=，两处只写一处。")
        return {(self.name, hook): answer for hook, answer in answers.items()}

    def declarations(self, callers: Mapping, gathered: dict[str, list]) -> None:
        """Read items, forms and registers into `gathered`, as immutable copies."""
        forms = self.read(callers, "inspection_forms", Form, form_to_data, form_from_data, check_form)
        items = self.read(callers, "check_items", CheckItem, item_to_data, item_from_data, check_item)
        registers = self.read(callers, "registers", Register, register_to_data, register_from_data, check_register)
        known = {form.code for form in forms}
        for item in items:
            if item.form not in known:
                self.refuse(f"CheckItem({item.code!r}, form={item.form!r})", f"没有表单 {item.form}，本模块的表单：{'、'.join(sorted(known)) or '无'}。")
            if item.later_form and item.later_form not in known - {one.form for one in items}:
                self.refuse(f"CheckItem({item.code!r}, later_form={item.later_form!r})", "应是本模块另一张表单，且不是任何事项的现场表单。")
        gathered["inspection_forms"] += forms
        gathered["check_items"] += items
        gathered["registers"] += registers

    def read(self, callers: Mapping, hook: str, kind: type, to_data, from_data, check) -> list[Any]:
        try:
            things = right_list(kind)([] if (answer := call_sector(callers, self.name, hook)) is None else answer)
        except Faulty as error:
            self.refuse(f"{hook}()", f"{error}。")
            return []
        good, seen = [], set()
        for thing in things:
            wrote = f"{kind.__name__}({thing.code!r}{f', {thing.version!r}' if hasattr(thing, 'version') else ''})"
            try:
                thing = from_data(to_data(thing))
            except BadInput as error:
                self.refuse(wrote, error.message)
                continue
            if not thing.code.startswith(f"{self.name}."):
                self.refuse(wrote, f"代码要以“{self.name}.”开头。")
            if (key := (thing.code, getattr(thing, "version", ""))) in seen:
                self.refuse(wrote, "代码和版本重复。" if key[1] else "代码重复。")
            seen.add(key)
            for problem in check(thing):
                self.refuse(wrote, f"{problem.field}：{problem.message}")
            good.append(thing)
        return good
