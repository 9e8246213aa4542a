"""Plans that are being written: at most one a bureau and year."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from piccolo.columns.combination import And

from portal.domain.errors import NotFound
from portal.domain.packing import pack
from portal.store.accounts import within
from portal.store.tables import PlanDraft


async def load_drafts(seen: Collection[int]) -> list[dict[str, Any]]:
    """Newest year first, without their rows."""
    columns = (PlanDraft.id, PlanDraft.organisation, PlanDraft.year, PlanDraft.base, PlanDraft.n, PlanDraft.started_by, PlanDraft.changed_at)
    return await PlanDraft.select(*columns).where(within(PlanDraft.organisation, seen)).order_by(PlanDraft.year, ascending=False).run()


async def load_draft(number: int, seen: Collection[int]) -> dict[str, Any]:
    row = await PlanDraft.select().where(And(PlanDraft.id == number, within(PlanDraft.organisation, seen))).first().run()
    if not row:
        raise NotFound("没有这份修改稿，可能已经成为新的一版或被放弃，或者不在您的辖区。")
    return {**row, "data": json.loads(row["data"])}


async def load_draft_of(organisation: int, year: int) -> dict[str, Any] | None:
    where = And(PlanDraft.organisation == organisation, PlanDraft.year == year)
    return await PlanDraft.select(PlanDraft.id, PlanDraft.started_by).where(where).first().run()


async def save_draft(**values: Any) -> int:
    return (await PlanDraft.insert(PlanDraft(**{**values, "data": pack(values["data"])})).run())[0]["id"]


async def update_draft(number: int, n: int, data: Mapping[str, Any], at: datetime) -> bool:
    """The next state of a draft that had seen `n` changes; False where it has seen another since, or is gone."""
    where = And(PlanDraft.id == number, PlanDraft.n == n)
    values = {"data": pack(data), "n": n + 1, "changed_at": at}
    return bool(await PlanDraft.update(**values).where(where).returning(PlanDraft.id).run())


async def delete_draft(number: int, n: int) -> bool:
    """False where it has changed since it had seen `n` changes, or is gone."""
    return bool(await PlanDraft.delete().where(And(PlanDraft.id == number, PlanDraft.n == n)).returning(PlanDraft.id).run())
