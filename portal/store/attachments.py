"""Photos, files and signatures of answers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from piccolo.columns.combination import And

from portal.domain.errors import NotFound
from portal.store.accounts import within
from portal.store.tables import Attachment

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
