"""A file that was uploaded: looked at, its headings pointed out, then applied exactly once, or dropped."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from portal.domain.cells import Sheet
from portal.domain.errors import BadInput, Refused, WrongMoment
from portal.domain.import_kinds import Kind, parse_mapping, parse_options
from portal.domain.imports import ImportPreview, pack_preview, pack_sheet, unpack_preview, unpack_sheet
from portal.steps.acting import Acting, stamp
from portal.steps.directory import ImportReport
from portal.steps.imports import Checked, Counts, Progress, check_sheet, kind_of, look_at, render_remarks, save_checked
from portal.store import imports as store
from portal.store import jobs
from portal.store.engine import transaction

#: More rows than this are applied in the background.
LONG_ROWS = 20_000
#: An upload nobody applied is forgotten after so long, and so is the file of one whose good rows were imported.
KEPT_FOR = timedelta(days=7)


async def save_upload(act: Acting, code: str, sheet: Sheet, name: str, file: bytes, options: Mapping[str, str]) -> int:
    """Keep a file until it is applied or dropped, without its private columns; the upload's number. Old ones are forgotten."""
    kind = kind_of(code)
    said = parse_options(kind, options)
    digest = hashlib.sha256(file).hexdigest()
    preview, parsed = await look_at(act, kind, sheet, name, digest, said, {})
    kept = await asyncio.to_thread(pack_sheet, sheet, parsed.headings.private, parsed.headings.row)
    async with transaction():
        await store.forget_old_uploads(act.now - KEPT_FOR)
        upload = await store.save_upload(
            organisation=act.organisation["id"], kind=code, name=name, digest=digest, data=kept, options=said, mapping={},
            preview=pack_preview(preview), report=[], uploaded_by=act.account, uploaded_at=act.now,
        )  # fmt: skip
        await act.audit("imports.upload", f"upload/{upload}", after=digest, kind=code, rows=preview.total)
    return upload


async def load_preview(act: Acting, upload: int) -> tuple[dict[str, Any], ImportPreview]:
    """An upload as it stands, and what applying it would do (or did)."""
    act.require("imports.read")
    row = await _load(act, upload)
    return row, unpack_preview(row["preview"])


async def _load(act: Acting, upload: int) -> dict[str, Any]:
    """An upload; one whose background job ended without applying it waits for a decision again."""
    row = await store.load_upload(upload, act.tree)
    if row["state"] == "queued":
        job = await jobs.load_job(row["job"])
        if job and job["state"] == "failed":
            return {**row, "state": "previewed", "stuck": True, "note": row["note"] or job["note"]}
    return row


async def _waiting(act: Acting, upload: int) -> tuple[dict[str, Any], Kind, Sheet]:
    """An upload that is still to be decided about, and its sheet; WrongMoment says what became of it."""
    row = await _load(act, upload)
    kind = kind_of(row["kind"])
    act.require(kind.act)
    require_waiting(row)
    if row.get("stuck"):
        await store.update_upload(upload, "queued", state="previewed")
    return row, kind, await _sheet(act, upload)


async def _sheet(act: Acting, upload: int) -> Sheet:
    """The kept sheet; where somebody settled the upload a moment ago and erased it, WrongMoment says so."""
    data = await store.load_upload_data(upload)
    if not data:
        require_waiting(await store.load_upload(upload, act.tree))
    return await asyncio.to_thread(unpack_sheet, data)


def require_waiting(row: Mapping[str, Any]) -> None:
    if row["state"] == "applied":
        raise WrongMoment(f"“{row['name']}”已由{row['settled_by.name']}在 {stamp(row['settled_at'])[:16].replace('T', ' ')} 导入，没有重复导入。")
    if row["state"] == "queued":
        raise WrongMoment(f"“{row['name']}”正在后台导入，请稍后查看。")
    if row["state"] == "dropped":
        raise WrongMoment(f"“{row['name']}”已放弃或已过期，请重新上传。")


async def map_headings(act: Acting, upload: int, mapping: Mapping[str, str]) -> None:
    """Point out what unknown headings mean: remembered for the bureau, and the upload is looked at anew."""
    row, kind, sheet = await _waiting(act, upload)
    headings = parse_mapping(kind, mapping)
    if not headings:
        raise BadInput("没有指定任何一列。请至少为一列选择对应的栏目，或选择“不导入”。")
    said = {**row["mapping"], **headings}
    preview, _ = await look_at(act, kind, sheet, row["name"], row["digest"], row["options"], said)
    async with transaction():
        await store.save_aliases(act.bureau["id"], kind.code, headings, act.account, act.now)
        if not await store.update_upload(upload, "previewed", mapping=said, preview=pack_preview(preview)):
            require_waiting(await store.load_upload(upload, act.tree))
        await act.audit("imports.map", f"upload/{upload}", kind=kind.code, headings=headings)


async def refresh_preview(act: Acting, upload: int) -> None:
    """Look at an upload anew: after codes were vouched for, or the directory has changed."""
    row, kind, sheet = await _waiting(act, upload)
    preview, _ = await look_at(act, kind, sheet, row["name"], row["digest"], row["options"], row["mapping"])
    await store.update_upload(upload, "previewed", preview=pack_preview(preview))


async def request_apply(act: Acting, upload: int, good_rows: bool) -> int:
    """Apply at once (0), or queue a long file for the worker: the job's number."""
    row, _, _ = await _waiting(act, upload)
    if unpack_preview(row["preview"]).total <= LONG_ROWS:
        await apply_upload(act, upload, good_rows)
        return 0
    async with transaction():
        job = await jobs.save_job("import", f"upload/{upload}", {"login": act.login, "upload": upload}, act.account, act.now)
        if not await store.update_upload(upload, "previewed", state="queued", good_rows=good_rows, job=job, note=""):
            require_waiting(await store.load_upload(upload, act.tree))
        await act.audit("imports.request", f"upload/{upload}", job=job, good_rows=good_rows)
    return job


async def apply_upload(act: Acting, upload: int, good_rows: bool) -> ImportReport:
    """Save an upload, exactly once: all rows or nothing, or with `good_rows` those without an error."""
    row, kind, sheet = await _waiting(act, upload)
    return await _apply(act, row, kind, sheet, good_rows)


async def apply_queued(act: Acting, upload: int, progress: Progress | None = None) -> ImportReport:
    """Save a queued upload (the worker's part). Refused, it waits for a decision again, with the reason."""
    row = await store.load_upload(upload, act.tree)
    act.require(kind_of(row["kind"]).act)
    if row["state"] != "queued":
        require_waiting(row)
    sheet = await _sheet(act, upload)
    try:
        return await _apply(act, row, kind_of(row["kind"]), sheet, row["good_rows"], progress)
    except Refused as refusal:
        async with transaction():
            await store.update_upload(upload, "queued", state="previewed", note=refusal.message)
            await act.audit("imports.refused", f"upload/{upload}", message=refusal.message)
        raise


async def _apply(
    act: Acting, row: Mapping[str, Any], kind: Kind, sheet: Sheet, good_rows: bool, progress: Progress | None = None
) -> ImportReport:
    checked = await check_sheet(act, kind, sheet, row["options"], row["mapping"], progress)
    checked.require_rows(good_rows)
    left_out = good_rows and bool(checked.parsed.errors)
    if progress:
        progress("写入", len(checked.parsed.rows))

    async def settle(checked: Checked, counts: Counts) -> None:
        preview = checked.preview(row["name"], row["digest"], sheet)
        done = await store.update_upload(
            row["id"], row["state"], state="applied", good_rows=good_rows, report=list(counts.items()), preview=pack_preview(preview),
            settled_by=act.account, settled_at=act.now, **({} if left_out else {"data": b""}),
        )  # fmt: skip
        if not done:  # somebody was first: what was saved above goes with this transaction
            require_waiting(await store.load_upload(row["id"], act.tree))
            raise WrongMoment(f"“{row['name']}”刚刚有变动，没有导入。请刷新后再看。")

    checked, counts = await save_checked(act, checked, row["name"], row["digest"], settle)
    return ImportReport(counts, checked.parsed.warnings, checked.parsed.errors, checked.parsed.aside.words())


async def drop_upload(act: Acting, upload: int) -> None:
    """Give an upload up; its file is erased at once."""
    row, _, _ = await _waiting(act, upload)
    async with transaction():
        if not await store.update_upload(upload, "previewed", state="dropped", data=b"", settled_by=act.account, settled_at=act.now):
            require_waiting(await store.load_upload(upload, act.tree))
        await act.audit("imports.drop", f"upload/{upload}", before=row["digest"])


async def write_remarks(act: Acting, upload: int) -> tuple[str, bytes]:
    """(file name, XLSX): the file as it came with a last column 备注（系统）. WrongMoment once the file was erased."""
    row = await store.load_upload(upload, act.tree)
    kind = kind_of(row["kind"])
    act.require(kind.act)
    data = await store.load_upload_data(upload)
    if not data:
        raise WrongMoment(f"“{row['name']}”的原文件已经清除，不能再下载。需要时请重新上传。")
    sheet = await asyncio.to_thread(unpack_sheet, data)
    _, parsed = await look_at(act, kind, sheet, row["name"], row["digest"], row["options"], row["mapping"])
    stem = row["name"].removesuffix(".gz").rpartition(".")[0] or row["name"]
    return f"{stem}（备注）.xlsx", await asyncio.to_thread(render_remarks, sheet, parsed)
