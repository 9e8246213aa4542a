"""公示: what would be published, the button that queues it, and the background jobs with their progress."""

from __future__ import annotations

from collections import Counter
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain import calendar
from portal.domain.errors import NotFound, Refused
from portal.steps import publish as steps
from portal.steps.jobs import cancel_job
from portal.steps.review import PUBLISH_WITHIN
from portal.store import accounts, directory, jobs
from portal.store import publish as store
from portal.web import wording
from portal.web.access import acting, posted
from portal.web.draw import Nothing
from portal.web.inputs import parse_input
from portal.web.pages import fragment, go_to, is_fragment, page

MOST_SHOWN = 200
UNDER_WAY = ("queued", "running")


@get("/publish", opt={"access": "publish.read"})
async def publish_page(request: Request) -> Response[Any]:
    return await _publish_page(request, None)


async def _publish_page(request: Request, refused: Refused | None) -> Response[Any]:
    act = acting(request)
    waiting = await steps.load_publishable(act)
    shown = []
    entities = await directory.load_entities({row["entity_code"] for row in waiting["records"][:MOST_SHOWN]})
    for row in waiting["records"][:MOST_SHOWN]:
        due = calendar.due_on(row["inspected_on"], PUBLISH_WITHIN) if row["inspected_on"] else None
        left = calendar.workdays_left(act.today, due)
        shown.append({"record": row, "entity": entities.get(row["entity_code"]), "due": due, "left": left, "own": row["organisation"] in act.tree})
    shown.sort(key=lambda row: (row["left"] is None, row["left"], row["record"]["id"]))
    outcomes = Counter(one for row in waiting["records"] for one in row["outcomes"].values())
    labels = [(code, label, problem, outcomes[code]) for code, label, problem in wording.outcomes()]
    under_way = next((job for job in await jobs.load_jobs() if job["state"] in UNDER_WAY), None)
    return await page(
        request, "publish/publish.html", here="/publish", refused=refused, waiting=waiting, rows=shown, titles=act.sectors.titles(), outcomes=labels, releases=(await store.load_releases())[::-1],
        job=under_way, most=MOST_SHOWN,
    )  # fmt: skip


@post("/publish", opt={"access": "publish.publish"})
async def request_release(request: Request) -> Response[Any]:
    try:
        parse_input(Nothing, posted(request))
        job = await steps.request_release(acting(request))
    except Refused as refused:
        return await _publish_page(request, refused)
    return go_to(f"/jobs/{job}")


# Jobs ---------------------------------------------------------------------------------


@get("/jobs", opt={"access": "jobs.read"})
async def jobs_page(request: Request) -> Response[Any]:
    names = {account["id"]: account["name"] for account in await _own_accounts(request)}
    rows = [job for job in await jobs.load_jobs(200) if job["created_by"] in names]
    return await page(request, "publish/jobs.html", here="/jobs", rows=rows, names=names)


@get("/jobs/{number:int}", opt={"access": "jobs.read"})
async def job_page(request: Request, number: FromPath[int]) -> Response[Any]:
    """Reloads itself while the job runs: a meta refresh without script, htmx polling with it."""
    job = await jobs.load_job(number)
    names = {account["id"]: account["name"] for account in await _own_accounts(request)}
    if job is None or job["created_by"] not in names:
        raise NotFound(f"没有编号为 {number} 的后台任务。")
    context = {"job": job, "names": names, "running": job["state"] in UNDER_WAY}
    if is_fragment(request):
        return fragment(request, "publish/_job.html", **context)
    return await page(request, "publish/job.html", here="/jobs", **context)


@post("/jobs/{number:int}/cancel", opt={"access": "jobs.cancel"})
async def cancel(request: Request, number: FromPath[int]) -> Response[Any]:
    parse_input(Nothing, posted(request))
    await cancel_job(acting(request), number)
    return go_to(f"/jobs/{number}")


async def _own_accounts(request: Request) -> list[dict[str, Any]]:
    """Accounts of the acting line: a job belongs to whoever asked for it."""
    act = acting(request)
    return [account for account in await accounts.load_accounts() if account["organisation"] in act.line]


ROUTES = [publish_page, request_release, jobs_page, job_page, cancel]
