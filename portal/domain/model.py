"""The plain data that walks through the ten steps.

Everything here is frozen, made of standard types, and safe to hand to a
sector: no database row, request or clock can be reached from it.  Dates are
`datetime.date`, instants are aware `datetime`, money is a count of 分 (int),
ratios are parts per million (ppm, int).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from portal.domain.errors import Problem

__all__ = [
    "AWAITING", "Basis", "Block", "CERTIFICATE_ONLY", "Candidate", "CheckItem", "Choice", "Column", "Field", "FollowUp", "Form",
    "OUTCOMES", "Outcome", "Page", "PoolRule", "Problem", "Published", "Record", "Register",
    "Section", "Sector", "Task",
]


# What a sector declares ------------------------------------------------------

#: CheckItem.qualification of an item that any inspector with a valid certificate may check.
CERTIFICATE_ONLY = ""


@dataclass(frozen=True, slots=True)
class Sector:
    """A department's module: `code` is its entry-point name and the prefix of all its codes.

    A `sample` is loaded only when PORTAL_SECTORS names it. `items` and `forms` stand for the hooks check_items and
    inspection_forms, `findings` for suggest_follow_up and public_summary: whoever has no more to say than that need
    not write them; writing both is refused.
    """

    code: str
    name: str
    department: str = ""
    version: str = "1"
    sample: bool = False
    items: Sequence[CheckItem] = ()
    forms: Sequence[Form] = ()
    findings: Findings | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """What follows from the points of forms made by `site_form`: FOLLOW_UPS by outcome, and a sentence that counts.

    `category` begins the sentence; `points`: as `points_of` gives them, or form -> these; `cases`: point -> what its
    不合格 is followed by.
    """

    category: str
    points: Mapping[str, Any]
    cases: Mapping[str, FollowUp] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Basis:
    """A legal basis: `law` in full title without 《》, `article` like 第十四条."""

    law: str
    article: str = ""
    text: str = ""

    def __str__(self) -> str:
        return f"《{self.law}》{self.article}"


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One 抽查事项 in one version (随机抽查事项清单, columns of DOMAIN.md R1).

    `code` starts with its sector's code and a dot; `form` is a Form code of the
    same sector.  `aliases` are other wordings under which plans name the item.
    `guide` is what an inspector reads: how to check, what counts as a problem.
    `later_form` is a Form of the same sector for what comes after the visit (a laboratory's
    result): where the record of `form` says 待检验结果 of the item, that form opens once it has
    been submitted, the item's outcome is chosen there, and both are published together.
    Once a version has been used it never changes; a changed text is a new version.
    """

    code: str
    version: str
    category: str
    name: str
    form: str
    basis: Sequence[Basis]
    objects: str = "企业、个体工商户、农民专业合作社"
    kind: str = "general"  # general 一般检查事项 | key 重点检查事项
    methods: Sequence[str] = ("实地核查",)
    inspected_by: str = "县级以上市场监督管理部门"
    points: Sequence[str] = ()
    qualification: str | None = None  # must be said: what every inspector of it needs, or CERTIFICATE_ONLY
    valid_from: date | None = None  # must be said
    valid_to: date | None = None
    aliases: Sequence[str] = ()
    guide: str = ""
    later_form: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible answer: `value` is stored, `label` is read. `own`: holds for its form alone, though the question is shared."""

    value: str
    label: str
    own: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One point of a form.

    `type`: text, integer, decimal, date, time, select_one, select_multiple,
    verdict (合格 / 不合格 / 不适用, stored as yes / no / na), photo, file,
    signature, location, note, repeat (with `fields`), calculated (with `value`).
    `show_if`, `constraint` and `value` are expressions of the XLSForm subset in
    UX.md (`${ccc} = 'no'`; `.` is the answer itself).  `key` marks a 重点项 (*).
    A field is private unless `public` is set: only public answers can reach a bundle.
    `shared`: where several forms of one visit ask it (same name, type and choices), it is asked
    once and the answer stands in all of their records; ignored where one form has it, and in repeats.
    """

    name: str
    label: str
    type: str = "verdict"
    required: bool = False
    key: bool = False
    public: bool = False
    show_if: str = ""
    constraint: str = ""
    message: str = ""  # shown when the constraint fails
    hint: str = ""
    guide: str = ""
    basis: Sequence[Basis] = ()
    choices: Sequence[Choice] = ()
    fields: Sequence[Field] = ()
    value: str = ""
    most: int = 0  # photos or repeats; 0: no limit
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    fields: Sequence[Field]
    show_if: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A versioned 检查表单; `code` starts with its sector's code and a dot."""

    code: str
    version: str
    title: str
    sections: Sequence[Section]

    def fields(self) -> list[Field]:
        """All top-level fields in order (those of repeats stay inside their repeat)."""
        return [field for section in self.sections for field in section.fields]


@dataclass(frozen=True, slots=True)
class Column:
    """A typed column of a special register; type: text, integer, date, code."""

    name: str
    label: str
    type: str = "text"
    required: bool = False
    aliases: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Register:
    """A 专项库 as data: the core stores and imports it and offers its rows in Candidate.attributes."""

    code: str
    name: str
    columns: Sequence[Column]
    several: bool = False  # more than one row an entity


@dataclass(frozen=True, slots=True)
class PoolRule:
    """Which directory entries a task is drawn from; the core compiles it to SQL.

    Every given list narrows the pool (and); inside a list any match counts (or).
    `industries` are GB/T 4754-2017 codes or their beginnings; `kinds` are
    entity | site | object; `types` are 企业, 个体工商户, 农民专业合作社, ...
    `scope` are phrases of the 经营范围 (`蜜饯 生产`, see domain.scope). Beside `industries` they
    stand in for them: only an entry of which the register gives no industry is judged by its scope.
    `any_of`: one match among industries (or scope), tags and registers is enough; kinds and types narrow as ever.
    Entries whose register status is not 存续 are never in a pool.
    """

    kinds: Sequence[str] = ("entity",)
    types: Sequence[str] = ()
    industries: Sequence[str] = ()
    tags: Sequence[str] = ()
    registers: Sequence[str] = ()
    scope: Sequence[str] = ()
    any_of: bool = False


# What a sector is shown ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Task:
    """A task as sectors see it; `frozen_on` is the only date a hook gets.

    `items`: in hooks that ask about a pool those of its own sector, without what rides along.
    """

    code: str
    name: str
    sector: str
    items: Sequence[str]
    window: tuple[date, date]
    frozen_on: date
    types: Sequence[str] = ()  # 检查对象 of the plan row, where it names entity types
    scale: str = "credit"  # for adjust_risk: whose grades the task is drawn by, a code of the jurisdiction's scales
    base: int = 0  # for publication_pages: size of the pool that was committed last; 0: none yet


@dataclass(frozen=True, slots=True)
class Candidate:
    """One directory entry that may enter a pool; no class, address or person in it."""

    code: str
    kind: str
    holder: str
    name: str
    type: str
    industries: Sequence[str]
    scope: str
    station: str
    tags: Sequence[str]
    licences: Sequence[Mapping[str, Any]]
    attributes: Mapping[str, Any]
    last_inspected: Mapping[str, date]


@dataclass(frozen=True, slots=True)
class Record:
    """What was found for one form on one visit. `answers`: field name -> answer (see domain.forms)."""

    visit: str
    task: str
    entity: str
    entity_name: str
    items: Sequence[str]
    answers: Mapping[str, Any]
    outcomes: Mapping[str, str]  # item code -> code in OUTCOMES; without items whose result is to come
    inspected_on: date
    before: Mapping[str, Any] = field(default_factory=dict)  # of a later form: the answers of the first
    drawn: Sequence[str] = ()  # the sites and objects that were drawn here, by code; empty where it was the entity


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A 后续处置 a sector proposes; a reviewer confirms it.

    `kind`: none | rectify | recheck | transfer | notify | abnormal_list | case | other.
    `counts_from`: inspected | ordered | reported; due in working days from that day.
    """

    kind: str
    due_working_days: int = 0
    counts_from: str = "inspected"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """A public record, private fields already dropped: all that page hooks ever see."""

    entity: str
    entity_name: str
    items: Sequence[str]
    outcomes: Mapping[str, str]
    summary: str
    inspected_on: date
    answers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a page: text (body: str), table (body: rows, the first is the head), figure (body: [(label, number)])."""

    kind: str
    body: Any
    title: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A sector's own page on the public site: blocks only, never HTML. `slug`: [a-z0-9-]+."""

    slug: str
    title: str
    blocks: Sequence[Block]


# Code lists ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """抽查结果 of one item. `problem`: counts as found problem; `follow_up`: the default 后续处置 kind."""

    code: str
    label: str
    problem: bool
    follow_up: str


#: In a stored record, of an item with a `later_form`: 待检验结果. Never published, never shown to hooks.
AWAITING = "awaiting"

#: The eight results published nationally (DOMAIN.md section 4; numbers to be confirmed, section 15).
OUTCOMES: Mapping[str, Outcome] = {
    o.code: o
    for o in (
        Outcome("none", "未发现问题", False, "none"),
        Outcome("undisclosed", "未按规定公示应当公示的信息", True, "rectify"),
        Outcome("false_disclosure", "公示信息隐瞒真实情况、弄虚作假", True, "abnormal_list"),
        Outcome("unreachable", "通过登记的住所（经营场所）无法联系", True, "abnormal_list"),
        Outcome("rectified", "发现问题已责令改正", True, "rectify"),
        Outcome("uncooperative", "不配合检查情节严重", True, "case"),
        Outcome("not_operating", "未发现开展本次抽查涉及的经营活动", False, "none"),
        Outcome("pending", "发现问题待后续处理", True, "other"),
    )
}
