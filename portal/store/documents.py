"""Numbered documents: given once, never reused, voided but never deleted."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from piccolo.columns.combination import And

from portal.domain.errors import NotFound
from portal.domain.packing import pack
from portal.store.accounts import within
from portal.store.tables import Document


def _opened(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "data": json.loads(row["data"])}


async def next_number(organisation: int, kind: str, year: int) -> int:
    """The next of an organisation's year; who asks holds the bureau. Voided ones count: no number is given twice."""
    mine = And(And(Document.organisation == organisation, Document.kind == kind), Document.year == year)
    last = await Document.select(Document.n).where(mine).order_by(Document.n, ascending=False).first().run()
    return last["n"] + 1 if last else 1


async def load_owner(number: str) -> str | None:
    """The name of the organisation that has used a number, None where it is free."""
    row = await Document.select(Document.organisation.name).where(Document.number == number).first().run()
    return row["organisation.name"] if row else None


async def save_document(values: Mapping[str, Any], data: Any) -> int:
    return (await Document.insert(Document(**{**values, "data": pack(data)})).run())[0]["id"]


async def load_live(organisation: int, kind: str, subject: str) -> dict[str, Any] | None:
    """The one document in force about a subject, if there is one."""
    mine = And(And(Document.organisation == organisation, Document.kind == kind), And(Document.subject == subject, Document.state == "issued"))
    row = await Document.select().where(mine).first().run()
    return _opened(row) if row else None


async def load_live_of(visit: int, kind: str) -> dict[str, Any] | None:
    row = await Document.select().where(And(And(Document.visit == visit, Document.kind == kind), Document.state == "issued")).first().run()
    return _opened(row) if row else None


async def load_documents_of(visit: int, seen: Collection[int]) -> list[dict[str, Any]]:
    """A visit's documents issued by organisations in `seen`, in the order they were issued, with the names of who did it; without their contents."""
    rows = (
        await Document.select(
            Document.id, Document.kind, Document.number, Document.subject, Document.record, Document.follow_up, Document.state, Document.digest, Document.issued_at,
            Document.issued_by, Document.issued_by.name, Document.void_reason, Document.voided_at, Document.voided_by.name,
        )
        .where(And(Document.visit == visit, within(Document.organisation, seen)))
        .order_by(Document.id)
        .run()
    )  # fmt: skip
    return list(rows)


async def load_document(document: int, seen: Collection[int]) -> dict[str, Any]:
    """A document with its contents. `seen`: the organisations whose documents may be read."""
    row = await Document.select().where(And(Document.id == document, within(Document.organisation, seen))).first().run()
    if not row:
        raise NotFound(f"没有编号为 {document} 的文书，或者不在您的辖区。")
    return _opened(row)


async def save_voided(document: int, reason: str, by: int, at: datetime) -> bool:
    """False where somebody has voided it already."""
    changed = (
        await Document.update(state="voided", void_reason=reason, voided_by=by, voided_at=at)
        .where(And(Document.id == document, Document.state == "issued"))
        .returning(Document.id)
        .run()
    )
    return bool(changed)
