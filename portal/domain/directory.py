"""The two directories (检查对象名录库, 执法检查人员名录库) as they come in from files.

Every row is read; one with an error is left out of the rows and stays in the report
with its line, so that who imports decides between all or nothing and the good rows.
What is odd but usable (a failed check digit, an unknown status) is a warning beside
the rows.  Private columns are dropped here, before anything else sees them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from portal.domain import cells, headings
from portal.domain.cells import Cell
from portal.domain.codes import ID_PATTERN, check_code, region_of, type_of_code
from portal.domain.industries import parse_industries
from portal.domain.quick import entity_reader
from portal.domain.tables import Aliases, Parsed, Table, parse_table

__all__ = [
    "EntityRow", "InspectorRow", "doubled", "gathered", "join_entities", "may_inspect", "open_entities", "parse_entities",
    "parse_inspectors", "parse_licence", "town_of",
]  # fmt: skip


class EntityRow(NamedTuple):
    """One thing that can be drawn (a tuple, since registers have millions: a tenth of what a dataclass costs to make).

    `kind`: entity | site | object; a site `USCC#n` has its holder's code and site "n".

    `type`: 企业 | 个体工商户 | 农民专业合作社 | 外国企业常驻代表机构 | "".
    `status`: 存续 | 注销 | 吊销 | 撤销 | 迁出 (any other word is kept and never drawn).
    `risk_class`: A-D or "". `licences`: dicts name, number, issued_on, valid_to (ISO), authority.
    """

    code: str
    kind: str
    holder: str
    site: str
    name: str
    old_names: tuple[str, ...] = ()
    type: str = ""
    status: str = "存续"
    region: str = ""
    station: str = ""
    town: str = ""
    address: str = ""
    industries: tuple[str, ...] = ()
    scope: str = ""
    registered_on: date | None = None
    risk_class: str = ""
    tags: tuple[str, ...] = ()
    licences: tuple[Mapping[str, str], ...] = ()
    attributes: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class InspectorRow:
    """One certified inspector; no identity number, phone, sex or schooling is ever kept.

    `number` is the bureau's own 单位工号 and `code` what draws use (the same unless it had to
    come from the certificate). `items` empty: every item. `status`: 有效 | 失效.
    """

    code: str
    number: str
    name: str
    station: str = ""
    town: str = ""
    level: str = ""
    duty: str = ""
    department: str = ""
    qualifications: tuple[str, ...] = ()
    specialities: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    expert: bool = False
    lead: bool = False
    certificate_no: str = ""
    certificate_until: date | None = None
    issued_by: str = ""
    status: str = "有效"


def may_inspect(inspector: InspectorRow, day: date) -> bool:
    """Whether the inspector may be drawn for a visit that can last until `day` (certificate in force, status 有效)."""
    until = inspector.certificate_until
    return inspector.status == "有效" and bool(inspector.certificate_no) and until is not None and until >= day


# Entities --------------------------------------------------------------------

_STATUSES = {
    "存续": "存续", "在业": "存续", "开业": "存续", "正常": "存续", "在营": "存续", "在册": "存续", "登记成立": "存续",
    "注销": "注销", "已注销": "注销", "吊销": "吊销", "已吊销": "吊销", "吊销未注销": "吊销", "吊销，未注销": "吊销",
    "撤销": "撤销", "被撤销": "撤销", "迁出": "迁出", "已迁出": "迁出",
}
_KINDS = {"主体": "entity", "企业": "entity", "场所": "site", "门店": "site", "经营场所": "site",
          "设备": "object", "产品": "object", "项目": "object", "物品": "object"}
_CLASSES = {"低": "A", "低风险": "A", "一般": "B", "一般风险": "B", "较高": "C", "较高风险": "C", "高": "D", "高风险": "D"}
_TOWN = re.compile(r"(?:^|[省市县区])([^\W\d_a-zA-Z省市县区]{2,4}?(?:街道|镇|乡))")


def parse_entities(
    rows: Iterable[Sequence[Cell]], aliases: Aliases | None = None, accepted: Collection[str] = ()
) -> Parsed[EntityRow]:
    """Rows of a sheet -> EntityRows; BadInput only where there is no such table at all.

    `accepted`: codes a person has vouched for although a check fails; they are not warned about again.

    A code seen twice with the same name adds its licence and tags to the first row
    (special directories list one licence a row); with another name it is an error.
    """
    return gathered(*open_entities(rows, aliases, accepted))


def gathered(table: Table, read: Iterable[tuple[int, EntityRow]]) -> Parsed[EntityRow]:
    """What `open_entities` gives, read to its end, each code once."""
    at: dict[str, int] = {}
    entities: list[EntityRow] = []
    lines: list[int] = []
    twice: list[tuple[int, int]] = []
    for line, entity in read:
        seen = at.setdefault(entity.code, len(entities))
        if seen == len(entities):
            entities.append(entity)
            lines.append(line)
        elif joined := join_entities(entities[seen], entity):
            entities[seen] = joined
            twice.append((line, lines[seen]))
        else:
            table.findings.error(line, table.heading("code"), doubled(entity.code, lines[seen]))
    return table.parsed(entities, lines, twice)


def open_entities(
    rows: Iterable[Sequence[Cell]], aliases: Aliases | None = None, accepted: Collection[str] = ()
) -> tuple[Table, Iterator[tuple[int, EntityRow]]]:
    """The table of a sheet and its good rows one by one as (file row, EntityRow), in flat memory.

    For registers of millions: a code that comes twice comes twice here too, `join_entities` and
    `doubled` say what becomes of it. The table's findings are complete when the rows are.
    """
    table = parse_table(rows, headings.ENTITY, ("code", "name"), "检查对象名录", aliases)
    return table, _entities(table, accepted)


def _entities(table: Table, accepted: Collection[str]) -> Iterator[tuple[int, EntityRow]]:
    def slowly(line: int, row: Sequence[Cell]) -> EntityRow | None:
        return _entity(table, line, row, accepted)

    read = entity_reader(table, slowly, _LOOKED_UP, EntityRow._make, town_of, _type)
    bad = table.findings.bad
    for line, row in table.body:
        entity = read(line, row)
        if entity is not None and line not in bad:
            yield line, entity


def join_entities(first: EntityRow, again: EntityRow) -> EntityRow | None:
    """Two rows of one code as one entity, or None where they cannot be (other name, or nothing to add)."""
    if first.name != again.name or not (again.licences or again.tags):
        return None
    licences = first.licences + tuple(one for one in again.licences if one not in first.licences)
    return first._replace(licences=licences, tags=tuple(dict.fromkeys(first.tags + again.tags)))


def doubled(code: str, line: int) -> str:
    """What is said of a row whose code stood in `line` already."""
    return f"代码 {code} 与第 {line} 行重复。请只保留一行。"


def _entity(table: Table, line: int, row: Sequence[Cell], accepted: Collection[str]) -> EntityRow | None:
    found = table.findings
    code = table.value(line, row, "code", cells.parse_code)
    name = table.value(line, row, "name", cells.parse_text)
    if code == "" or name == "":
        missing = "code" if code == "" else "name"
        found.error(line, table.heading(missing), "没有填写。请补上后重新上传。")
        return None
    if code is None or name is None:
        return None
    if not ID_PATTERN.fullmatch(code):
        check = check_code(code)
        only = f"“{code[:70]}”不能作为代码：只能用数字、字母、#、_、-，最多 64 位。"
        found.error(line, table.heading("code"), check.message if check.reason in ("damaged", "old_number", "text") else only)
        return None
    base, _, site = code.partition("#")
    kind = _KINDS.get(table.text(line, row, "kind"), "")
    holder = table.value(line, row, "holder", cells.parse_code) or base
    kind = kind or ("site" if site else "object" if holder != base else "entity")
    if kind != "object" and code not in accepted:
        check = check_code(code)
        if not check.ok:
            found.warn(line, table.heading("code"), check.message)
    registered_as = table.text(line, row, "type")
    address = table.text(line, row, "address")
    return EntityRow(
        code=code, kind=kind, holder=holder, site=site, name=name,
        old_names=table.value(line, row, "old_names", cells.parse_list) or (),
        type=_type(registered_as, code),
        status=_status(table, line, row),
        region=table.text(line, row, "region")[:6] or region_of(holder),
        station=table.text(line, row, "station"),
        town=table.text(line, row, "town") or town_of(address),
        address=address,
        industries=_industries(table, line, row),
        scope=table.text(line, row, "scope"),
        registered_on=table.value(line, row, "registered_on", cells.parse_date),
        risk_class=_risk_class(table, line, row),
        tags=table.value(line, row, "tags", cells.parse_list) or (),
        licences=parse_licence(table, line, row),
        attributes=_attributes(table, line, row, registered_as),
    )


def town_of(address: str) -> str:
    """The first 镇, 乡 or 街道 an address names, or "": good enough to group visits, never used as a fact."""
    match = _TOWN.search(address)
    return match[1] if match else ""


def _type(registered_as: str, code: str) -> str:
    if "个体" in registered_as:
        return "个体工商户"
    if "合作社" in registered_as:
        return "农民专业合作社"
    if "代表机构" in registered_as:
        return "外国企业常驻代表机构"
    by_code = type_of_code(code)
    if by_code:
        return by_code
    return "企业" if registered_as not in ("", "N/A", "/", "-") else ""


def _status(table: Table, line: int, row: Sequence[Cell]) -> str:
    text = table.text(line, row, "status")
    if not text:
        return "存续"
    status = _STATUSES.get(text) or _STATUSES.get(re.split(r"[(（,，]", text)[0])
    if status is None:
        table.findings.warn(line, table.heading("status"), f"不认识的登记状态“{text}”：已保留，但不会被抽取。")
    return status or text


def _industries(table: Table, line: int, row: Sequence[Cell]) -> tuple[str, ...]:
    if not table.has("industries"):
        return ()
    codes, problems = parse_industries(table.text(line, row, "industries"))
    for problem in problems:
        table.findings.warn(line, table.heading("industries"), problem)
    return codes


def _risk_class(table: Table, line: int, row: Sequence[Cell]) -> str:
    if not table.has("risk_class"):
        return ""
    text = table.text(line, row, "risk_class").upper().removesuffix("级").removesuffix("类")
    if text in ("", "A", "B", "C", "D"):
        return text
    if text not in _CLASSES:
        table.findings.warn(line, table.heading("risk_class"), f"不认识的风险等级“{text}”，按未分类处理。")
    return _CLASSES.get(text, "")


def parse_licence(table: Table, line: int, row: Sequence[Cell]) -> tuple[Mapping[str, str], ...]:
    """The licence a row names, as one dict, or nothing."""
    number = table.text(line, row, "licence_number")
    name = table.text(line, row, "licence_name")
    if not number and not name:
        return ()
    issued = table.value(line, row, "licence_issued_on", cells.parse_date)
    until = table.value(line, row, "licence_valid_to", cells.parse_date)
    return ({
        "name": name, "number": number,
        "issued_on": issued.isoformat() if issued else "",
        "valid_to": until.isoformat() if until else "",
        "authority": table.text(line, row, "licence_authority"),
    },)


def _attributes(table: Table, line: int, row: Sequence[Cell], registered_as: str) -> Mapping[str, Any]:
    kept = {key: table.text(line, row, key) for key in ("authority", "capital", "province", "city", "src_year")}
    kept["registered_type"] = "" if registered_as == "N/A" else registered_as
    return {key: value for key, value in kept.items() if value}


def _list_of(name: str) -> Callable[[Table, int, Sequence[Cell]], tuple[str, ...]]:
    return lambda table, line, row: table.value(line, row, name, cells.parse_list) or ()


def _iso_day_of(name: str) -> Callable[[Table, int, Sequence[Cell]], str]:
    def read(table: Table, line: int, row: Sequence[Cell]) -> str:
        day = table.value(line, row, name, cells.parse_date)
        return day.isoformat() if day else ""

    return read


# The fields whose cells repeat so much that what was made of one is kept (`quick`).
_LOOKED_UP = {
    "old_names": _list_of("old_names"), "tags": _list_of("tags"), "status": _status, "industries": _industries,
    "risk_class": _risk_class, "licence_issued_on": _iso_day_of("licence_issued_on"),
    "licence_valid_to": _iso_day_of("licence_valid_to"),
    "registered_on": lambda table, line, row: table.value(line, row, "registered_on", cells.parse_date),
}  # fmt: skip


# Inspectors ------------------------------------------------------------------

# R16 (DOMAIN.md 2.3): nobody of these may inspect, whatever certificate is written beside the name.
_NEVER = ("协管", "辅助", "网格", "临聘", "临时", "第三方", "劳务派遣", "实习")


def parse_inspectors(
    rows: Iterable[Sequence[Cell]], today: date | None = None, aliases: Aliases | None = None
) -> Parsed[InspectorRow]:
    """Rows of a sheet -> InspectorRows; those not in force come in too, marked, and are never eligible.

    Without a 组长 column, a duty ending in 长 (所长, 副所长, 科长) makes a lead. With
    `today` the report also counts the certificates already expired.
    """
    table = parse_table(rows, headings.INSPECTOR, ("name", "certificate_no"), "执法检查人员名录", aliases)
    found = table.findings
    at: dict[str, int] = {}
    inspectors: list[InspectorRow] = []
    for line, row in table.body:
        inspector = _inspector(table, line, row)
        if inspector is None or line in found.bad:
            continue
        if inspector.code in at:
            found.error(line, table.heading("number"), f"人员编号 {inspector.code} 与第 {at[inspector.code]} 行重复。请只保留一行。")
            continue
        at[inspector.code] = line
        inspectors.append(inspector)
    if not table.has("lead") and inspectors:
        leads = sum(one.lead for one in inspectors)
        found.warn(0, "", f"表中没有“是否组长”一列，已按职务（所长、副所长、科长等）认定 {leads} 人可任组长。")
    if today is not None:
        idle = sum(not may_inspect(one, today) for one in inspectors)
        if idle:
            found.warn(0, "", f"{idle} 人的执法证在 {today} 已过期或状态为失效：已导入，但不参加抽取。")
    return table.parsed(inspectors, list(at.values()))


def _inspector(table: Table, line: int, row: Sequence[Cell]) -> InspectorRow | None:
    found = table.findings
    name = table.text(line, row, "name")
    number = table.value(line, row, "number", cells.parse_code) or ""
    certificate = table.text(line, row, "certificate_no")
    if not name:
        found.error(line, table.heading("name"), "没有填写。请补上后重新上传。")
        return None
    code = number or "".join(re.findall(r"[0-9A-Za-z#_-]", certificate))
    if not ID_PATTERN.fullmatch(code):
        what = f"“{number}”只能用数字、字母、#、_、-，最多 64 位。" if number else "没有填写，执法证编号中也没有可用的号码。"
        found.error(line, table.heading("number"), what)
        return None
    until = table.value(line, row, "certificate_until", cells.parse_date)
    if not certificate:
        found.warn(line, table.heading("certificate_no"), f"{name} 没有执法证编号：已导入，但不会被抽取。")
    elif until is None and not table.text(line, row, "certificate_until"):
        found.warn(line, table.heading("certificate_until"), f"{name} 没有执法证有效期：已导入，但不会被抽取。")
    duty = table.text(line, row, "duty")
    return InspectorRow(
        code=code, number=number, name=name,
        station=table.text(line, row, "station"),
        town=table.text(line, row, "town"),
        level=table.text(line, row, "level"),
        duty=duty,
        department=table.text(line, row, "department"),
        qualifications=table.value(line, row, "qualifications", cells.parse_list) or (),
        specialities=table.value(line, row, "specialities", cells.parse_list) or (),
        items=table.value(line, row, "items", cells.parse_list) or (),
        expert=bool(table.value(line, row, "expert", cells.parse_flag)),
        lead=bool(table.value(line, row, "lead", cells.parse_flag)) if table.has("lead") else duty.endswith("长"),
        certificate_no=certificate,
        certificate_until=until,
        issued_by=table.text(line, row, "issued_by"),
        status=_in_force(table, line, row, name, duty),
    )


def _in_force(table: Table, line: int, row: Sequence[Cell], name: str, duty: str) -> str:
    standing = table.text(line, row, "standing")
    if any(word in standing or word in duty for word in _NEVER):
        table.findings.warn(line, table.heading("standing"), f"{name} 是“{standing or duty}”，依法不得实施检查：已标为失效。")
        return "失效"
    if not table.has("status"):
        return "有效"
    text = table.text(line, row, "status")
    if text not in ("有效", "失效", "在岗", "正常", "注销", "离岗", "退休"):
        table.findings.warn(line, table.heading("status"), f"{name} 的人员状态“{text}”不是“有效”或“失效”，按失效处理。")
    return "有效" if text in ("有效", "在岗", "正常") else "失效"
