"""A form's spreadsheet that was uploaded: read, looked at as an inspector will see it, then imported once, or dropped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from portal.domain.declarations import form_from_data, form_to_data
from portal.domain.errors import NotFound, Problem, WrongMoment
from portal.domain.model import Form
from portal.domain.packing import pack
from portal.steps.acting import Acting
from portal.steps.sheet_forms import NewSector, SavedForm, import_form, require_own, require_sector
from portal.steps.uploads import KEPT_FOR, require_waiting
from portal.store import imports as store
from portal.store.engine import transaction

KIND = "form"  # of the uploads; none of import_kinds.KINDS


async def save_form_upload(act: Acting, form: Form, remarks: Sequence[Problem], name: str, digest: str, new: NewSector | None = None) -> int:
    """Keep a form that was read until it is imported or dropped; the upload's number."""
    act.require("sheets.import")
    sector = form.code.partition(".")[0]
    require_sector(act, sector, new)
    await require_own(act, sector)
    said = {"form": form.code, "version": form.version, **({"name": new.name, "department": new.department} if new else {})}
    async with transaction():
        await store.forget_old_uploads(act.now - KEPT_FOR)
        upload = await store.save_upload(
            organisation=act.organisation["id"], kind=KIND, name=name, digest=digest, data=pack(form_to_data(form)).encode(), options=said,
            mapping={}, preview=pack([asdict(remark) for remark in remarks]), report=[], uploaded_by=act.account, uploaded_at=act.now,
        )  # fmt: skip
        await act.audit("sheets.upload", f"upload/{upload}", after=digest, form=form.code, version=form.version)
    return upload


async def load_form_upload(act: Acting, upload: int) -> tuple[dict[str, Any], Form | None, list[Problem]]:
    """(the upload, its form unless it was dropped, the remarks). NotFound for uploads that hold no form."""
    act.require("sheets.import")
    row = await store.load_upload(upload, act.tree)
    if row["kind"] != KIND:
        raise NotFound(f"编号为 {upload} 的导入文件不是检查表单。")
    data = await store.load_upload_data(upload)
    return row, form_from_data(json.loads(data)) if data else None, [Problem(**one) for one in json.loads(row["preview"])]


def new_sector_of(row: dict[str, Any]) -> NewSector | None:
    """What an upload says of a sector that is not there yet."""
    said = row["options"]
    return NewSector(said["name"], said["department"]) if said.get("name") else None


async def apply_form_upload(act: Acting, upload: int) -> SavedForm:
    """Import an uploaded form, exactly once."""
    row, form, _ = await load_form_upload(act, upload)
    require_waiting(row)
    if form is None:
        raise WrongMoment(f"“{row['name']}”已放弃或已过期，请重新上传。")
    async with transaction():
        saved = await import_form(act, form, row["name"], row["digest"], new_sector_of(row))
        report = [("", "内容相同的版本已经有了，没有改动" if not saved.fresh else f"{form.code} {form.version} 版")]
        if saved.current != form.version:
            report.append(("现行版本仍是 ", saved.current))
        done = await store.update_upload(upload, "previewed", state="applied", report=report, settled_by=act.account, settled_at=act.now)
        if not done:
            require_waiting(await store.load_upload(upload, act.tree))
        await act.audit("sheets.apply", f"upload/{upload}", form=form.code, version=form.version)
    return saved


async def drop_form_upload(act: Acting, upload: int) -> None:
    """Give an uploaded form up; its file is erased at once."""
    row, _, _ = await load_form_upload(act, upload)
    require_waiting(row)
    async with transaction():
        if not await store.update_upload(upload, "previewed", state="dropped", data=b"", settled_by=act.account, settled_at=act.now):
            require_waiting(await store.load_upload(upload, act.tree))
        await act.audit("sheets.drop", f"upload/{upload}", before=row["digest"])
