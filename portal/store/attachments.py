"""Photos, files and signatures of answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from piccolo.columns.combination import And

from portal.domain.errors import NotFound
from portal.store.accounts import within
from portal.store.tables import Attachment, PaperCopy

_ABOUT = [column for column in Attachment._meta.columns if column._meta.name != "data"]


async def save_attachment(**values: Any) -> None:
    """Keep one; one that is there already under its code stays as it is."""
    if not await Attachment.exists().where(Attachment.code == values["code"]).run():
        await Attachment.insert(Attachment(**values)).run()


async def load_attachments(visit: int) -> dict[str, dict[str, Any]]:
    """code -> what is known of each of a visit, without its bytes."""
    rows = await Attachment.select(*_ABOUT).where(Attachment.visit == visit).order_by(Attachment.id).run()
    return {row["code"]: row for row in rows}


async def load_attachments_of(visits: Collection[int], seen: Collection[int]) -> list[dict[str, Any]]:
    """What organisations in `seen` keep of these visits, without the bytes, the newest first."""
    mine = And(Attachment.visit.is_in(sorted(visits) or [-1]), within(Attachment.organisation, seen))
    return await Attachment.select(*_ABOUT).where(mine).order_by(Attachment.id, ascending=False).run()


async def save_paper_copy(visit: int, form_code: str, code: str, on: date, by: int, at: datetime) -> None:
    """Say that an attachment is a scan of the paper record of one form; said before, it stays as it was."""
    attachment = (await Attachment.select(Attachment.id).where(Attachment.code == code).first().run())["id"]
    if not await PaperCopy.exists().where(And(And(PaperCopy.visit == visit, PaperCopy.form_code == form_code), PaperCopy.attachment == attachment)).run():
        await PaperCopy.insert(PaperCopy(visit=visit, form_code=form_code, attachment=attachment, inspected_on=on, by=by, at=at)).run()


async def load_paper_copies(visit: int) -> dict[str, list[dict[str, Any]]]:
    """form code -> the scans of its paper record in the order they came: {"code", "name", "media", "inspected_on", "by", "at"}."""
    columns = (PaperCopy.all_columns(), PaperCopy.attachment.code, PaperCopy.attachment.name, PaperCopy.attachment.media, PaperCopy.by.name)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in await PaperCopy.select(*columns).where(PaperCopy.visit == visit).order_by(PaperCopy.id).run():
        one = {"code": row["attachment.code"], "name": row["attachment.name"], "media": row["attachment.media"], "by": row["by.name"]}
        found.setdefault(row["form_code"], []).append({**one, "inspected_on": row["inspected_on"], "at": row["at"]})
    return found


async def load_visit_of(code: str) -> int | None:
    """The visit an attachment was made on, whoever may see it."""
    row = await Attachment.select(Attachment.visit).where(Attachment.code == code).first().run()
    return row["visit"] if row else None


async def load_attachment(code: str, seen: Collection[int], *, shared: bool = False) -> dict[str, Any]:
    """One with its bytes.  NotFound where it is not, or belongs to an organisation one does not see; `shared`: whosever it is."""
    mine = Attachment.code == code if shared else And(Attachment.code == code, within(Attachment.organisation, seen))
    row = await Attachment.select().where(mine).first().run()
    if not row:
        raise NotFound("没有这个附件，或者不在您的辖区。")
    return {**row, "data": bytes(row["data"])}
