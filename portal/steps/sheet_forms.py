"""Forms from spreadsheets (XLSForm): read, kept as a version for ever, written out again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from portal.domain.cells import Sheet
from portal.domain.declarations import form_from_data, form_to_data
from portal.domain.errors import BadInput, NotAllowed, NotFound, Problem, WrongMoment
from portal.domain.forms import hidden_character
from portal.domain.model import Field, Form, Section
from portal.domain.packing import pack
from portal.domain.xlsform_reading import ReadForm, read_xlsform
from portal.domain.xlsform_writing import write_xlsform
from portal.sheets.write import write_workbook
from portal.steps.acting import Acting
from portal.steps.catalogue import with_sheets
from portal.store import plan
from portal.store import sheet_sectors as store
from portal.store.engine import transaction
from portal.store.locks import hold
from portal.store.tables import CheckForm

__all__ = ["NewSector", "SavedForm", "export_form", "import_form", "load_forms", "read_form", "require_own", "require_sector", "save_new_sector"]


@dataclass(frozen=True, slots=True)
class NewSector:
    """What a sector that is not there yet is called."""

    name: str
    department: str = ""


@dataclass(frozen=True, slots=True)
class SavedForm:
    """What an import did. `fresh`: false where the same version was there already; `current`: the version that is used now."""

    form: Form
    fresh: bool
    current: str
    made_sector: bool = False


# Whose sector ------------------------------------------------------------------------


def require_sector(act: Acting, code: str, new: NewSector | None = None) -> None:
    """Raises BadInput for a code that is none, and where a sector is neither there nor described."""
    if code in act.sectors.sectors:
        return
    if not (code.isascii() and code.replace("_", "a").isalnum() and code.islower() and code[0].isalpha() and len(code) <= 40):
        raise BadInput(f"业务模块代码“{code[:40]}”不对：用小写英文字母、数字和下划线，以字母开头，最多 40 个字符。")
    if new is None or not new.name.strip():
        there = "、".join(f"{one.name}（{known}）" for known, one in act.sectors.sectors.items()) or "无"
        raise BadInput(f"没有代码为“{code}”的业务模块，现有：{there}。用表格新建模块请写明它的名称（--name）。")
    if odd := hidden_character(new.name) or hidden_character(new.department):
        raise BadInput(f"业务模块的名称或科室{odd}")
    if len(new.name.strip()) > 40 or len(new.department.strip()) > 40:
        raise BadInput("业务模块的名称和科室各最多 40 个字。")


async def require_own(act: Acting, code: str) -> None:
    """Raises NotAllowed unless the sector is the acting account's: its own, one below it, or an installed one of the first bureau's."""
    if code in act.sectors.sheets:
        owner = next(row["organisation"] for row in await store.load_sheet_sectors() if row["code"] == code)
        if owner not in act.tree:
            raise NotAllowed(f"业务模块“{act.sectors.sectors[code].name}”由别的单位建立和维护，您不能改动。")
        return
    sector = act.sectors.sectors.get(code)
    if sector is None:
        return
    if act.bureau["id"] != act.top["id"]:
        raise NotAllowed(f"业务模块“{sector.name}”为全辖区共用，它的表单由{act.top['name']}维护。")
    if act.organisation["id"] != act.bureau["id"] and act.organisation["name"] != sector.department:
        raise NotAllowed(f"业务模块“{sector.name}”由{sector.department or '本局'}维护，您所在的{act.organisation['name']}不能改动。")


async def save_new_sector(act: Acting, code: str, new: NewSector | None) -> bool:
    """Make a sector that is not there yet, in the caller's transaction; whether one was made."""
    if new is None or code in act.sectors.sectors or any(row["code"] == code for row in await store.load_sheet_sectors()):
        return False
    await store.save_sheet_sector(code, new.name.strip(), new.department.strip(), act.organisation["id"], act.account, act.now)
    await act.audit("sheets.sector", f"sector/{code}", name=new.name.strip(), department=new.department.strip())
    return True


# In ------------------------------------------------------------------------------------


def read_form(
    act: Acting, sector: str, sheets: Mapping[str, Sheet], *, stem: str, code: str = "", version: str = "", title: str = "", new: NewSector | None = None
) -> ReadForm:  # fmt: skip
    """What a workbook comes to, without changing anything; what the sector's own module needs of its forms is checked as well."""
    act.require("sheets.import")
    require_sector(act, sector, new)
    read = read_xlsform(sheets, sector, stem=stem, code=code, version=version, title=title)
    if read.form and (problems := _broken_contract(act, sector, read.form)):
        return ReadForm(None, tuple(problems), read.remarks)
    return read


async def import_form(act: Acting, form: Form, name: str, digest: str, new: NewSector | None = None) -> SavedForm:
    """Keep a form as a version of its sector's; the same version again changes nothing.

    Raises WrongMoment where that version is there and says something else: a version never changes.
    """
    act.require("sheets.import")
    sector = form.code.partition(".")[0]
    require_sector(act, sector, new)
    if problems := _broken_contract(act, sector, form):
        raise BadInput(f"表单 {form.code} 有 {len(problems)} 处与业务模块的要求不符，没有导入。", problems)
    data = form_to_data(form)
    own = hashlib.sha256(pack(data).encode()).hexdigest()
    async with transaction():
        await hold("bureau", act.top["id"])
        act = await open_again(act)  # somebody may have made the sector a moment ago
        await require_own(act, sector)
        made = await save_new_sector(act, sector, new)
        known = await _version(form.code, form.version)
        if known and known["digest"] != own:
            raise WrongMoment(f"表单 {form.code} 已有 {form.version} 版，内容不同。用过的版本不再改动，请在 settings 工作表的 version 里写新的版本号，或用 --version 写明。")
        if not known:
            await hold("chain")
            row = {"code": form.code, "version": form.version, "sector": sector, "data": pack(data), "digest": own}
            await plan.save_declared(CheckForm, [row], act.now)
            await store.save_sheet_versions([{
                "sector": sector, "kind": "form", "code": form.code, "version": form.version, "name": name, "file_digest": digest,
                "imported_by": act.account, "imported_at": act.now,
            }])  # fmt: skip
            await act.audit("sheets.form", f"form/{form.code}", after=own, version=form.version, file=digest)
    after = (await open_again(act)).sectors
    return SavedForm(form, not known, after.form(form.code).version, made)


async def open_again(act: Acting) -> Acting:
    """The same account with the sectors as they are now."""
    return replace(act, sectors=await with_sheets(act.sectors.modules))


async def _version(code: str, version: str) -> dict[str, Any] | None:
    try:
        return await plan.load_declared(CheckForm, code, version)
    except NotFound:
        return None


def _broken_contract(act: Acting, sector: str, form: Form) -> list[Problem]:
    """What the sector's module counts on and this version of one of its forms would not give: its hooks ask for fields by name."""
    if sector in act.sectors.sheets or sector not in act.sectors.sectors:
        return []
    own = [one for one in act.sectors.modules.forms if one.code == form.code]
    if not own:
        return []
    needed, given = _points(own[-1].sections), _points(form.sections)
    problems = []
    for name, point in needed.items():
        if name not in given:
            problems.append(Problem("name", f"业务模块要用的项 {name}（{point[0]}）不能删去。", 1, "survey"))
        elif changed := [said for said, old, new in zip(_SAID, point[1:], given[name][1:], strict=True) if old != new]:
            problems.append(Problem("name", f"业务模块要用的项 {name}（{point[0]}）不能改动{'、'.join(changed)}。", 1, "survey"))
    return problems


_SAID = ("类型和选项", "是否必填", "是否公开", "显示条件")


def _points(sections: Sequence[Section]) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}

    def put(field: Field, outer: str, rule: str) -> None:
        shape = (field.type, tuple(choice.value for choice in field.choices), outer)
        found[field.name] = (field.label, shape, field.required, field.public, (rule, field.show_if))

    for section in sections:
        for field in section.fields:
            put(field, "", section.show_if)
            for child in field.fields:
                put(child, field.name, section.show_if)
    return found


# Out -----------------------------------------------------------------------------------


def _require_reading(act: Acting) -> None:
    if not act.may("sheets.import"):
        act.require("plan.read")


async def load_forms(act: Acting) -> list[dict[str, Any]]:
    """Every version of every form: `form`, `sector` (its name), `source` (模块 or the file it came from), `current`."""
    _require_reading(act)
    sources = {(row["code"], row["version"]): row["name"] for row in await store.load_sheet_versions() if row["kind"] == "form"}
    current = {form.code: form.version for form in act.sectors.forms}
    sectors = act.sectors.sectors
    found = []
    for row in await plan.load_all_declared(CheckForm):
        form = form_from_data(row["data"])
        sector = sectors.get(row["sector"])
        source = sources.get((form.code, form.version))
        found.append({
            "form": form, "sector": sector.name if sector else row["sector"], "source": f"表格 {source}" if source else "模块",
            "current": current.get(form.code) == form.version,
        })  # fmt: skip
    return found


async def export_form(act: Acting, code: str, version: str = "") -> tuple[Form, bytes]:
    """(the form, its XLSForm workbook), the newest version unless one is named. Reading it back gives the same form.

    Raises NotFound; WrongMoment for a form that a sheet cannot say.
    """
    versions = [one["form"] for one in await load_forms(act) if one["form"].code == code]
    if not versions:
        raise NotFound(f"没有编号为“{code[:60]}”的检查表单。用 portal forms list 查看有哪些。")
    current = next((one.version for one in reversed(act.sectors.forms) if one.code == code), versions[-1].version)
    wanted = version or current
    form = next((one for one in versions if one.version == wanted), None)
    if form is None:
        raise NotFound(f"表单 {code} 没有 {wanted[:30]} 版，有：{'、'.join(one.version for one in versions)}。")
    sheets = write_xlsform(form)
    again = read_xlsform({name: Sheet(tuple(map(tuple, rows)), name=name) for name, rows in sheets.items()}, code.partition(".")[0])
    if again.form != form:
        wrong = str(again.refusals[0]) if again.refusals else "有表格写不出的内容（例如多余的空格或换行）"
        raise WrongMoment(f"表单 {code} 不能写成表格：{wrong}")
    return form, write_workbook(sheets)
