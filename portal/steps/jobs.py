"""后台任务: one that has not begun may be called off; what runs, runs to its end."""

from __future__ import annotations

import json

from portal.domain.errors import NotFound, WrongMoment
from portal.steps.acting import Acting
from portal.store import accounts, imports
from portal.store import jobs as store
from portal.store.engine import transaction

__all__ = ["cancel_job"]


async def cancel_job(act: Acting, number: int) -> None:
    """Call off a waiting job that somebody of the own line asked for; a file that waited to be imported is to be confirmed again.

    NotFound: there is none, or it is another's. WrongMoment: it has begun.
    """
    act.require("jobs.cancel")
    async with transaction():
        job = await store.load_job(number)
        owner = await accounts.load_account_by_id(job["created_by"]) if job else None
        if job is None or owner is None or owner["organisation"] not in act.line:
            raise NotFound(f"没有编号为 {number} 的后台任务，或者不在您的辖区。")
        note = f"由{act.name}取消，没有执行。"
        if not await store.save_cancelled(number, note, act.now):
            raise WrongMoment(f"后台任务 {number} 已经开始或者结束，不能取消。" + ("发布是整体切换，出错时旧网站照常。" if job["kind"] in ("publish", "release") else ""))
        if job["kind"] == "import":
            await imports.update_upload(json.loads(job["args"])["upload"], "queued", state="previewed", note=note)
        await act.audit("jobs.cancel", str(number), kind=job["kind"])
