"""今日: what waits for this person, the year's figures, the rounds under way."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any
from urllib.parse import quote

from litestar import Request, get
from litestar.response import Response

from portal.domain import calendar
from portal.domain.errors import WrongMoment
from portal.steps import follow_ups, publish
from portal.steps.accounts import KINDS
from portal.steps.acting import Acting
from portal.steps.review import PUBLISH_WITHIN
from portal.store import account_changes, accounts, directory, draw, plan, records
from portal.store import pool as pools
from portal.store import visits as visit_store
from portal.web import wording
from portal.web.access import SIGNED_IN, acting
from portal.web.draw_view import next_line
from portal.web.pages import page

MOST = 20  # of one kind on the front page; the list behind it has all
SAID = {"password": "密码已修改，其他地方的登录已全部退出。"}


@get("/", opt={"access": SIGNED_IN})
async def home_page(request: Request) -> Response[Any]:
    act = acting(request)
    rounds = await _rounds(act)
    groups = await _todo(act, rounds)
    return await page(
        request, "home.html", here="/", said=SAID.get(request.query_params.get("said", ""), ""), today=act.today, workday=_workday(act.today),
        groups=groups, waiting=sum(group["count"] for group in groups), rounds=rounds, year=await _year(act),
    )  # fmt: skip


def _workday(today: date) -> tuple[int, int] | None:
    """(which working day of the year, how many are left to its end); None where the year is not published."""
    try:
        return (
            calendar.workdays_between(date(today.year - 1, 12, 31), today),
            calendar.workdays_between(today, date(today.year, 12, 31)),
        )
    except WrongMoment:
        return None


async def _rounds(act: Acting) -> list[dict[str, Any]]:
    if not act.may("round.read"):
        return []
    found = []
    bureau = await _bureau(act)
    for round_ in reversed(await draw.load_rounds(act.line)):
        picks = await _own_picks(act, round_["id"], bureau)
        visits = await visit_store.load_visits_of(round_["id"], bureau if act.over else None)
        states = [record["state"] for record in await records.load_records_of([visit["id"] for visit in visits])]
        found.append({
            "round": round_, "tasks": len(await draw.load_round_tasks(round_["id"])), "picks": len(picks), "visits": len(visits),
            "avoided": len(picks) - len(visits) if visits else 0, "done": sum(visit["state"] == "done" for visit in visits),
            "published": states.count("published"), "next": await next_line(act, round_),
        })  # fmt: skip
    return found


async def _bureau(act: Acting) -> frozenset[int]:
    """The organisations of the acting bureau, also for a station's people."""
    return accounts.tree_of(await accounts.load_organisations(), act.bureau["id"])


async def _own_picks(act: Acting, round_: int, bureau: frozenset[int]) -> list[dict[str, Any]]:
    """A round's picks; of a round drawn above those in the own directory."""
    picks = await draw.load_picks(round_)
    if not act.over:
        return picks
    owners = await directory.load_owners(sorted({pick["code"] for pick in picks}))
    return [pick for pick in picks if owners.get(pick["code"]) in bureau]


async def _todo(act: Acting, rounds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """[{tag, title, count, rows: [{on, step, text, href, about, left}]}], empty groups left out."""
    groups = await _first_steps(act)
    late = await _overdue(act)
    if late:
        groups.append({"tag": "bad", "title": "逾期未公示", "count": len(late), "rows": late[:MOST], "all": "/publish"})
    rows = [
        _row("抽取", row["round"]["title"], f"/draw/{row['round']['code']}", row["next"][1])
        for row in rounds
        if row["round"]["state"] != "void" and row["next"][0] != "ok"
    ]
    if rows:
        groups.append({"tag": "half", "title": "进行中的轮次", "count": len(rows), "rows": rows[:MOST], "all": "/draw"})
    groups += await _plans(act)
    groups += await _reminders(act)
    if act.inspector is not None and act.may("record.enter"):
        groups += await _mine(act)
    if act.may("accounts.grant") and (asked := await account_changes.load_open_changes(act.joint)):
        people = {one["id"]: one for one in await accounts.load_accounts()}
        rows = [
            _row("账号", f"{KINDS[one['kind']]}：{people[one['account']]['name']}（{people[one['account']]['login']}）", f"/accounts/{one['account']}", one["reason"])
            for one in asked
        ]  # fmt: skip
        groups.append({"tag": "half", "title": "待批准的账号申请", "count": len(rows), "rows": rows[:MOST], "all": "/accounts"})
    by_state = await records.count_records(act.tree) if act.may("record.read") else {}
    for state, step, title, may, href in (
        ("submitted", "审核", "待审核", "record.review", "/review"),
        ("approved", "公示", "待公示", "publish.publish", "/publish"),
    ):
        if by_state.get(state) and act.may(may):
            rows = [await _record_row(act, row, step) for row in await records.load_record_page(act.tree, [state], limit=MOST)]
            groups.append({"tag": "off", "title": title, "count": by_state[state], "rows": await _named(rows), "all": href})
    return groups


def _row(step: str, text: str, href: str, about: str, on: date | None = None, left: int | None = None) -> dict[str, Any]:
    return {"on": on, "step": step, "text": text, "href": href, "about": about, "left": left}


async def _first_steps(act: Acting) -> list[dict[str, Any]]:
    """What a bureau needs before anything can be drawn, for those who may bring it in."""
    rows = []
    if act.may("directory.import"):
        no_entities, no_inspectors = await directory.missing_of(act.tree)
        if no_entities:
            rows.append(_row("导入", "导入检查对象名录", "/imports/new?kind=entities", "名录里还没有检查对象"))
        if no_inspectors:
            rows.append(_row("导入", "导入执法检查人员名录", "/imports/new?kind=inspectors", "还没有执法人员，不能匹配"))
    if act.may("plan.import") and await plan.load_latest_plan({act.bureau["id"]}, act.today.year) is None:
        rows.append(_row("计划", f"导入 {act.today.year} 年度抽查工作计划", "/imports/new?kind=plan", "还没有今年的计划"))
    return [{"tag": "half", "title": "准备", "count": len(rows), "rows": rows, "all": "/imports"}] if rows else []


async def _plans(act: Acting) -> list[dict[str, Any]]:
    """Versions that wait for somebody's approval, and tasks whose pool has to be frozen before their time is over."""
    groups = []
    if act.may("plan.approve"):
        waiting = [one for one in await plan.load_publishable_plans({act.bureau["id"]}) if one["state"] == "draft" and one["imported_by"] != act.account]
        rows = [_row("计划", one["title"], f"/plan/{one['id']}", f"{one['year']} 年度第 {one['version']} 版，核对后批准") for one in waiting]
        if rows:
            groups.append({"tag": "half", "title": "待批准的计划", "count": len(rows), "rows": rows[:MOST], "all": "/plan"})
    if act.may("pool.freeze"):
        tasks = [one for one in await plan.load_current_tasks({act.bureau["id"]}) if one["drawn_by"] == "here" and one["window_to"] >= act.today]
        frozen = await pools.load_latest_pools([one["id"] for one in tasks])
        open_ = sorted((one for one in tasks if one["id"] not in frozen), key=lambda one: (one["window_to"], one["code"]))
        rows = [
            _row("名录", one["name"], f"/pool#t-{one['code']}", f"{wording.day(one['window_from'])}至{wording.day(one['window_to'])}实施，先冻结名录", one["window_to"],
                 calendar.workdays_left(act.today, one["window_to"]))
            for one in open_
        ]  # fmt: skip
        if rows:
            groups.append({"tag": "off", "title": "待冻结名录的任务", "count": len(rows), "rows": rows[:MOST], "all": "/pool"})
    return groups


async def _reminders(act: Acting) -> list[dict[str, Any]]:
    """Follow-ups that are late or soon due, for whoever answers for them."""
    rows = await follow_ups.load_reminders(act)
    groups = []
    for late, tag, title, due in ((True, "bad", "逾期的后续处置", "late"), (False, "warn", f"{follow_ups.SOON} 个工作日内到期的后续处置", "soon")):
        found = [row for row in rows if row["late"] == late]
        if found:
            shown = [
                {"on": row["due"].on, "step": "处置", "text": "", "entity_code": row["record.visit.entity_code"], "href": f"/follow-ups/{row['id']}",
                 "about": "，".join(filter(None, (wording.FOLLOW_UPS[row["kind"]], row["note"]))), "left": row["left"]}
                for row in found[:MOST]
            ]  # fmt: skip
            groups.append({"tag": tag, "title": title, "count": len(found), "rows": await _named(shown), "all": f"/follow-ups?due={due}"})
    return groups


async def _mine(act: Acting) -> list[dict[str, Any]]:
    groups = []
    visits = await visit_store.load_visit_page(act.tree, state="open", inspector=act.inspector["id"], limit=200)
    visits.sort(key=lambda row: (row["day"] or date.max, row["town"], row["code"]))
    if visits:
        rows = [
            {"on": row["day"], "step": "入企", "text": "", "entity_code": row["entity_code"], "href": f"/visits/{quote(row['code'])}",
             "about": row["town"] or "未分镇街", "left": calendar.workdays_left(act.today, row["day"])}
            for row in visits[:MOST]
        ]  # fmt: skip
        groups.append({"tag": "off", "title": "我的入企", "count": len(visits), "rows": await _named(rows), "all": "/visits?mine=1&state=open&sort=day"})
    returned = [
        row for row in await records.load_record_page(act.tree, ["returned"], limit=200) if row["recorder"] == act.inspector["id"]
    ]
    if returned:
        rows = [await _record_row(act, row, "录入") for row in returned[:MOST]]
        groups.append({"tag": "warn", "title": "退回待改", "count": len(returned), "rows": await _named(rows), "all": "/forms"})
    return groups


async def _record_row(act: Acting, row: dict[str, Any], step: str) -> dict[str, Any]:
    due = calendar.due_on(row["inspected_on"], PUBLISH_WITHIN) if row["inspected_on"] else None
    back = f"，{row['comment']}" if row["state"] == "returned" and row["comment"] else ""
    href = f"/visits/{quote(row['visit_code'])}/{quote(row['form_code'])}" if step == "录入" else f"/review/{row['id']}"
    return {
        "on": due, "step": step, "text": "", "entity_code": row["entity_code"], "href": href,
        "about": f"{wording.day(row['inspected_on'])}检查{back}", "left": calendar.workdays_left(act.today, due), "undated": due is None,
    }  # fmt: skip


async def _overdue(act: Acting) -> list[dict[str, Any]]:
    """Records past their twenty working days and not published, the latest first."""
    if not act.may("record.read"):
        return []
    found = []
    rows = await records.load_unfinished(act.tree, act.today)
    _, waiting = await publish.sort_waiting([row for row in rows if row["state"] == "approved"])
    held = {row["id"] for row in waiting}  # a laboratory has them: their days count from its result
    for row in rows:
        if row["id"] in held:
            continue
        due = calendar.due_on(row["inspected_on"], PUBLISH_WITHIN)
        if due and due < act.today:
            step = {"draft": "录入", "returned": "录入", "submitted": "审核", "approved": "公示"}[row["state"]]
            found.append(await _record_row(act, row, step))
    return await _named(sorted(found, key=lambda row: row["on"]))


async def _named(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    entities = await directory.load_entities({row["entity_code"] for row in rows[:MOST]})
    for row in rows[:MOST]:
        row["text"] = entities[row["entity_code"]]["name"] if row["entity_code"] in entities else row["entity_code"]
    return rows


async def _year(act: Acting) -> dict[str, Any] | None:
    """Figures of the year's plan and of the rounds whose checks begin in that year, for those who may read it."""
    if not act.may("plan.read"):
        return None
    latest = await plan.load_latest_plan(act.line, act.today.year, act.bureau["id"])
    if latest is None:
        return None
    tasks = await plan.load_tasks(act.line, latest["id"])
    drawn: set[int] = set()
    entities: set[str] = set()
    bureau = await _bureau(act)  # the ratio's base
    rounds = [round_["id"] for round_ in await draw.load_rounds(act.line) if round_["window_from"].year == act.today.year]
    visits: Counter[str] = Counter()
    for round_ in rounds:
        picks = await _own_picks(act, round_, bureau)
        drawn |= {pick["task"] for pick in picks}
        entities |= {pick["code"] for pick in picks}
        visits.update(await records.count_visits(act.tree, round_))
    states = await records.count_records(act.tree, rounds)
    here = [task for task in tasks if task["drawn_by"] == "here"]
    return {
        "plan": latest, "tasks": len(here), "drawn": sum(task["id"] in drawn for task in here), "entities": len(entities),
        "register": await directory.count_entities(bureau, directory.DRAWABLE), "whole": act.organisation["id"] == act.bureau["id"], "visits": visits["open"] + visits["done"], "done": visits["done"],
        "records": sum(states.values()), "published": states.get("published", 0),
    }  # fmt: skip


ROUTES = [home_page]
