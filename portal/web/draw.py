"""Rounds: the list, a new one, the page of one with its ten steps, and every act on it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain import roles, seed
from portal.domain.errors import BadInput, Problem, Refused
from portal.steps import assign, commit, replacement, visits
from portal.steps import draw as steps
from portal.steps.pool import RULES
from portal.store import accounts, draw, plan
from portal.store import pool as pools
from portal.web.access import acting, posted
from portal.web.draw_view import load_round_view, next_line, town_chart
from portal.web.inputs import Pairs, choice, column, day, group, number, parse_input, several, text
from portal.web.pages import go_to, page

#: key -> (how users read it, groups of its numbers, when it usually falls)
SOURCES: Mapping[str, tuple[str, list[list[int]]]] = {
    "kl8": ("快乐8", [[20, 1, 80]]),
    "ssq": ("双色球", [[6, 1, 33], [1, 1, 16]]),
    "dlt": ("大乐透", [[5, 1, 35], [2, 1, 12]]),
    "dice": ("公证骰子 25 枚（十面）", [[1, 0, 9]] * 25),
}
SOURCE_ROWS, HOLDER_ROWS = 3, 3
SAID = {
    "created": "本轮已拟制。请各密值持有人登录后各自生成密值。",
    "committed": "承诺已固定并存证，正在随公示网站发布。",
    "source": "号码已录入并存证，不能再改。",
    "released": "密值已交出，仅供抽取时使用。",
    "drawn": "抽取完成，结果已锁定并存证。",
    "combined": "已合并入企。",
    "assigned": "执法人员已匹配。",
    "replaced": "补抽已办理并存证，不再重办。",
    "revealed": "密值已公开，正在随公示网站发布。",
    "handed": "本轮已移交监督机构复核，密值不公开。",
    "proposed": "已提出作废，须由第二个人批准。",
    "void": "本轮已作废，原因将向社会公开。",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRound:
    title: str = text("名称", most=60)
    disclosure: str = choice("公开方式", ("open", "sealed"))
    task: tuple[str, ...] = several("任务", least=1)
    source_kind: tuple[str, ...] = column("号码来源", most=SOURCE_ROWS)
    source_issue: tuple[str, ...] = column("期号", most=SOURCE_ROWS)
    source_at: tuple[str, ...] = column("开奖时间", most=SOURCE_ROWS)
    holder: tuple[str, ...] = column("密值持有方", most=HOLDER_ROWS)
    login: tuple[str, ...] = column("持有人账号", most=HOLDER_ROWS)
    draw_at: str = text("抽取不早于", most=16)
    window_from: date | None = day("检查时段起", optional=True)
    window_to: date | None = day("检查时段止", optional=True)
    reveal_due: date | None = day("最迟公开密值", optional=True)
    rounding: str = choice("取整", ("ceil", "lr"))
    minimum: int = number("每层最少户数", 0, 10_000, optional=0)
    reserve: int = number("备选户数", 0, 1000, optional=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the numbers of a round depend on, of the form that drafts one."""

    task: tuple[str, ...] = several("任务", least=1)
    disclosure: str = choice("公开方式", ("open", "sealed"), optional=True)
    rounding: str = choice("取整", ("ceil", "lr"))
    minimum: int = number("每层最少户数", 0, 10_000, optional=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnShare:
    passphrase: str = text("口令", most=200, raw=True)
    again: str = text("再输一次口令", most=200, raw=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passphrase:
    passphrase: str = text("口令", most=200, raw=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceValue:
    n: int = number("来源", 0, 20)
    value: str = text("号码", most=2000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    reason: str = text("作废原因", most=300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """A button without fields."""


# Pages --------------------------------------------------------------------------------


@get("/draw", opt={"access": "round.read"})
async def rounds_page(request: Request) -> Response[Any]:
    act = acting(request)
    rows = []
    for round_ in reversed(await draw.load_rounds(act.line)):
        tasks = await draw.load_round_tasks(round_["id"])
        picks = await draw.load_picks(round_["id"])
        rows.append({"round": round_, "tasks": len(tasks), "picks": len(picks), "next": await next_line(act, round_)})
    return await page(request, "draw/rounds.html", here="/draw", rows=rows)


@get("/draw/new", opt={"access": "round.create"})
async def new_round_page(request: Request) -> Response[Any]:
    return await _new_page(request, {}, None)


async def _new_page(
    request: Request, given: Mapping[str, list[str]], refused: Refused | None, trial: list[dict[str, Any]] | None = None
) -> Response[Any]:
    act = acting(request)
    tasks = await plan.load_tasks(act.line)
    latest = await pools.load_latest_pools([task["id"] for task in tasks])
    ready = [
        {"task": task, "pool": latest[task["id"]]}
        for task in tasks
        if task["id"] in latest and not await pools.is_committed(latest[task["id"]]["id"])
    ]
    holders = [a for a in await accounts.load_accounts() if a["active"] and a["organisation"] in act.tree and roles.may(a["roles"], "round.share")]
    return await page(
        request, "draw/new.html", here="/draw", refused=refused, ready=ready, holders=holders, sources=SOURCES, given=given,
        source_rows=SOURCE_ROWS, holder_rows=HOLDER_ROWS, trial=trial,
    )  # fmt: skip


@post("/draw/new", opt={"access": "round.create"})
async def create_round(request: Request) -> Response[Any]:
    """Draft a round; or, by the form's other button, say how many it would draw and draft nothing."""
    act, pairs = acting(request), posted(request)
    try:
        if ("trial", "1") in pairs:
            return await _try(request, pairs)
        given = parse_input(NewRound, pairs)
        code = await commit.create_round(
            act, list(given.task), title=given.title, disclosure=given.disclosure, sources=_sources(given), holders=_holders(given),
            window=_window(given), draw_not_before=_instant(given.draw_at, "抽取不早于"), reveal_due=given.reveal_due,
            rounding=given.rounding, minimum=given.minimum, reserve=given.reserve,
        )  # fmt: skip
    except Refused as refused:
        return await _new_page(request, group(pairs), refused)
    return go_to(f"/draw/{code}?said=created")


async def _try(request: Request, pairs: Pairs) -> Response[Any]:
    names = {field.name for field in fields(Trial)}
    asked = parse_input(Trial, [pair for pair in pairs if pair[0] in names])
    rows = await commit.try_round(
        acting(request), asked.task, disclosure=asked.disclosure or "sealed", rounding=asked.rounding, minimum=asked.minimum
    )
    return await _new_page(request, group(pairs), None, rows)


def _sources(given: NewRound) -> list[dict[str, Any]]:
    found = []
    for n, kind in enumerate(given.source_kind):
        issue = given.source_issue[n] if n < len(given.source_issue) else ""
        at = given.source_at[n] if n < len(given.source_at) else ""
        if not kind:
            continue
        if kind not in SOURCES:
            raise BadInput("请重新选择号码来源。", [Problem("source_kind", "没有这个来源。")])
        name, groups = SOURCES[kind]
        if kind != "dice" and not re.fullmatch(r"[0-9]{5,10}", issue):
            raise BadInput("号码来源没有写全。", [Problem("source_issue", f"第 {n + 1} 个来源“{name}”的期号应是 5 到 10 位数字。")])
        named = f"{name} {issue}".strip() if kind == "dice" else f"{name}第{issue}期"
        found.append({"name": named, "drawn_at": _instant(at, f"{name}的开奖时间"), "groups": groups})
    return found


def _holders(given: NewRound) -> list[dict[str, str]]:
    found = []
    for n, holder in enumerate(given.holder):
        login = given.login[n] if n < len(given.login) else ""
        if holder and login:
            found.append({"holder": holder, "login": login})
        elif holder or login:
            raise BadInput("密值持有人没有写全。", [Problem("holder", f"第 {n + 1} 行的持有方和账号要同时填写。")])
    return found


def _window(given: NewRound) -> tuple[date, date] | None:
    if given.window_from and given.window_to:
        return given.window_from, given.window_to
    if given.window_from or given.window_to:
        raise BadInput("检查时段没有写全。", [Problem("window_from", "检查时段的起止要同时填写，或者都不填。")])
    return None


def _instant(local: str, label: str) -> str:
    """2026-06-07T21:30 of a datetime-local field -> the instant as public files write it."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}", local):
        raise BadInput("时间没有写全。", [Problem("at", f"“{label}”应是日期和时间，例如 2026-06-07 21:30。")])
    return f"{local}:00+08:00"


@get("/draw/{code:str}", opt={"access": "round.read"})
async def round_page(request: Request, code: FromPath[str]) -> Response[Any]:
    return await _round_page(request, code, SAID.get(request.query_params.get("said", ""), ""))


async def _round_page(request: Request, code: str, said: str = "", refused: Refused | None = None) -> Response[Any]:
    view = await load_round_view(acting(request), code)
    chart = town_chart(view["summary"]["towns"]) if view["summary"] and view["summary"]["towns"] else None
    return await page(request, "draw/round.html", here="/draw", refused=refused, said=said, chart=chart, rule_names=RULES, **view)


# Acts ---------------------------------------------------------------------------------


async def _do(request: Request, code: str, said: str, work: Callable[[], Awaitable[Any]], anchor: str = "draw") -> Response[Any]:
    """Run one act; a refusal comes back on the round's own page, where people can see why."""
    try:
        await work()
    except Refused as refused:
        return await _round_page(request, code, refused=refused)
    return go_to(f"/draw/{code}?said={said}#{anchor}")


@post("/draw/{code:str}/share", opt={"access": "round.share"})
async def make_share(request: Request, code: FromPath[str]) -> Response[Any]:
    """The secret is on this answer and nowhere else: no redirect, no store, no second look."""
    act = acting(request)
    try:
        given = parse_input(OwnShare, posted(request))
        if given.passphrase != given.again:
            raise BadInput("密值没有生成。", [Problem("again", "两次输入的口令不一样。")])
        made = await commit.make_share(act, code, given.passphrase)
    except Refused as refused:
        return await _round_page(request, code, refused=refused)
    round_ = await draw.load_round(code, act.line)
    mine = next(share for share in await draw.load_shares(round_["id"]) if share["account"] == act.account)
    return await page(request, "draw/share.html", here="/draw", round=round_, share=mine, secret=made["secret"], commitment=made["commit"])


@post("/draw/{code:str}/release", opt={"access": "round.share"})
async def release_share(request: Request, code: FromPath[str]) -> Response[Any]:
    return await _do(request, code, "released", lambda: steps.release_share(acting(request), code, parse_input(Passphrase, posted(request)).passphrase))


@post("/draw/{code:str}/commit", opt={"access": "round.commit"})
async def commit_round(request: Request, code: FromPath[str]) -> Response[Any]:
    parse_input(Nothing, posted(request))
    return await _do(request, code, "committed", lambda: commit.commit_round(acting(request), code))


@post("/draw/{code:str}/source", opt={"access": "round.source"})
async def enter_source(request: Request, code: FromPath[str]) -> Response[Any]:
    act = acting(request)

    async def work() -> None:
        given = parse_input(SourceValue, posted(request))
        round_ = await draw.load_round(code, act.line)
        sources = await draw.load_sources(round_["id"])
        groups = sources[given.n]["groups"] if given.n < len(sources) else []
        await steps.enter_source(act, code, given.n, value_of(given.value, groups))

    return await _do(request, code, "source", work)


def value_of(typed: str, groups: list[list[int]]) -> str:
    """Numbers as people copy them (`2 5 9 + 11`, `2,5,9|11`) -> the committed syntax; what does not fit stays as typed."""
    if typed == seed.NOT_DRAWN or typed.endswith("/"):
        return typed
    numbers = [int(one) for one in re.findall(r"[0-9]{1,9}", typed)]
    if len(numbers) != sum(many for many, _, _ in groups):
        wanted = "、".join(f"{many} 个 {low} 到 {high}" for many, low, high in groups[:3])
        raise BadInput("号码没有录入。", [Problem("value", f"读到 {len(numbers)} 个号码，应依次是 {wanted}。")])
    cut, rest = [], numbers
    for many, _, _ in groups:
        cut.append(rest[:many])
        rest = rest[many:]
    return seed.format_value(cut)


@post("/draw/{code:str}/draw", opt={"access": "round.draw"})
async def draw_round(request: Request, code: FromPath[str]) -> Response[Any]:
    parse_input(Nothing, posted(request))
    return await _do(request, code, "drawn", lambda: steps.draw_round(acting(request), code))


@post("/draw/{code:str}/combine", opt={"access": "visits.combine"})
async def combine_visits(request: Request, code: FromPath[str]) -> Response[Any]:
    parse_input(Nothing, posted(request))
    return await _do(request, code, "combined", lambda: visits.combine_visits(acting(request), code), "visits")


@post("/draw/{code:str}/assign", opt={"access": "visits.assign"})
async def assign_inspectors(request: Request, code: FromPath[str]) -> Response[Any]:
    parse_input(Nothing, posted(request))
    return await _do(request, code, "assigned", lambda: assign.assign_inspectors(acting(request), code), "assign")


@post("/draw/{code:str}/replace", opt={"access": "round.replace"})
async def replace_struck(request: Request, code: FromPath[str]) -> Response[Any]:
    parse_input(Nothing, posted(request))
    return await _do(request, code, "replaced", lambda: replacement.replace_struck(acting(request), code), "replace")


@post("/draw/{code:str}/reveal", opt={"access": "round.reveal"})
async def reveal_round(request: Request, code: FromPath[str]) -> Response[Any]:
    parse_input(Nothing, posted(request))
    act = acting(request)
    try:
        done = await steps.reveal_round(act, code)
    except Refused as refused:
        return await _round_page(request, code, refused=refused)
    return go_to(f"/draw/{code}?said={'handed' if done['disclosure'] == 'sealed' else 'revealed'}#draw")


@post("/draw/{code:str}/void", opt={"access": "round.void"})
async def void_round(request: Request, code: FromPath[str]) -> Response[Any]:
    act = acting(request)
    try:
        done = await steps.void_round(act, code, parse_input(Reason, posted(request)).reason)
    except Refused as refused:
        return await _round_page(request, code, refused=refused)
    return go_to(f"/draw/{code}?said={'void' if done['state'] == 'void' else 'proposed'}")


ROUTES = [
    rounds_page, new_round_page, create_round, round_page, make_share, release_share, commit_round, enter_source, draw_round,
    combine_visits, assign_inspectors, replace_struck, reveal_round, void_round,
]  # fmt: skip
