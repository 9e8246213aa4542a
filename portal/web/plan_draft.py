"""Writing a plan: its draft as one page, a row of it open for editing, every act on it.

One template shows all of it; htmx takes the page's main part from the same answer, so a
row is edited in place with scripts and on a page of its own without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain import plan_draft as domain
from portal.domain.errors import Refused
from portal.steps import plan_draft as steps
from portal.store import accounts
from portal.web import plan
from portal.web.access import acting, posted
from portal.web.draw import Nothing
from portal.steps.plan_below import adopt_below
from portal.web.inputs import Pairs, choice, group, parse_input, text
from portal.web.inputs import number as whole
from portal.web.pages import go_to, is_fragment, page

SAID = {
    "adopted": "上级计划中由县级局自行抽取的行已经列入这份修改稿。核对比例、时间和科室后保存为新的一版，由另一位复核人批准。",
    "begun": "修改稿已经建立。改好以后保存为新的一版，由另一位复核人批准；在那之前现行的计划不变。",
    "saved": "已保存到修改稿。",
    "added": "已加一行。",
    "withdrawn": "已撤下。",
    "restored": "已恢复原来的内容。",
}
KINDS = ("一般检查事项", "重点检查事项")
DRAWN_BY = ("本级抽取", "上级统一抽取", "市局统一抽取", "县抽县查", "市抽县查", "省抽市查")
METHODS = ("现场检查", "书面检查", "网络监测", "抽样检测", "专业机构核查")
RIDES = "结合其他业务板块合并进行"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlan:
    year: int = whole("年度", 2015, 2099)
    title: str = text("标题", most=80, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    row: int | None = whole("行", 0, 10**6, optional=-1)
    said: str = choice("提示", tuple(SAID), optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`row`: 0 for a new one; `n`: how many changes the draft had seen; `more`: an item added to those in `item`."""

    row: int = whole("行", 0, 10**6)
    n: int = whole("修改次数", 1, 10**9)
    number: str = text("序号", most=40, least=0)
    task: str = text("任务名称", most=100, least=0)
    category: str = text("抽查类别", most=60, least=0)
    item: str = text("抽查事项", most=1000, least=0, lines=True)
    more: str = text("从清单加一个事项", most=200, least=0)
    objects: str = text("检查对象", most=300, least=0, lines=True)
    kind: str = text("事项类别", most=20, least=0)
    mode: str = text("抽查类型", most=40, least=0)
    ratio: str = text("抽查比例", most=80, least=0)
    count: str = text("抽查数量", most=20, least=0)
    frequency: str = text("抽查频次", most=20, least=0)
    class_a: str = text("A类", most=20, least=0)
    class_b: str = text("B类", most=20, least=0)
    class_c: str = text("C类", most=20, least=0)
    class_d: str = text("D类", most=20, least=0)
    window: str = text("实施时间", most=60, least=0)
    department: str = text("牵头部门", most=80, least=0)
    partners: str = text("配合部门", most=200, least=0, lines=True)
    drawn_by: str = text("抽取方式", most=60, least=0)
    inspected_by: str = text("检查主体", most=80, least=0)
    method: str = text("检查方式", most=100, least=0)
    risk: str = text("信用风险分类要求", most=300, least=0, lines=True)
    basis: str = text("检查依据", most=1000, least=0, lines=True)
    note: str = text("备注", most=500, least=0, lines=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRow:
    row: int = whole("行", 1, 10**6)
    n: int = whole("修改次数", 1, 10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    row: int = whole("行", 1, 10**6)
    n: int = whole("修改次数", 1, 10**9)
    keep: str = choice("保留", ("ratio", "count"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    n: int = whole("修改次数", 1, 10**9)
    reason: str = text("调整的理由", most=200, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    n: int = whole("修改次数", 1, 10**9)


# Beginning ----------------------------------------------------------------------------


@post("/plan/new", opt={"access": "plan.edit"})
async def begin_plan(request: Request) -> Response[Any]:
    pairs = posted(request)
    try:
        given = parse_input(NewPlan, pairs)
        made = await steps.begin_plan(acting(request), given.year, given.title)
    except Refused as refused:
        return await plan.show_plans(request, refused, {name: values[0] for name, values in group(pairs).items()})
    return go_to(f"/plan/drafts/{made}?said=begun")


@post("/plan/{number:int}/edit", opt={"access": "plan.edit"})
async def begin_draft(request: Request, number: FromPath[int]) -> Response[Any]:
    parse_input(Nothing, posted(request))
    return go_to(f"/plan/drafts/{await steps.begin_draft(acting(request), number)}?said=begun")


@post("/plan/{number:int}/adopt", opt={"access": "plan.edit"})
async def adopt_rows(request: Request, number: FromPath[int]) -> Response[Any]:
    """Rows of the plan above that counties draw for themselves go into the own draft."""
    parse_input(Nothing, posted(request))
    made, _ = await adopt_below(acting(request), number)
    return go_to(f"/plan/drafts/{made}?said=adopted#rows")


# The draft ----------------------------------------------------------------------------


@get("/plan/drafts/{number:int}", opt={"access": "plan.edit"})
async def draft_page(request: Request, number: FromPath[int]) -> Response[Any]:
    """The draft; `?row=3` opens a row of it, `?row=0` a new one."""
    shown = parse_input(Shown, request.query_params.multi_items())
    return await _draft_page(request, number, None, None if shown.row == -1 else shown.row, said=SAID.get(shown.said, ""))


async def _draft_page(
    request: Request, number: int, refused: Refused | None, row: int | None = None, given: Mapping[str, str] | None = None, said: str = ""
) -> Response[Any]:
    act = acting(request)
    view = await steps.load_draft(act, number)
    draft = view.draft
    opened = None
    if row is not None and view.mine:
        now = domain.values_of(draft, draft.row(row)) if row else {}
        values = {name: (now if given is None else given).get(name, "") for name in (*domain.FIELDS, "more")}
        late = given is not None and given.get("n") != str(view.row["n"])  # changed since it was shown: what it says now is shown beside
        opened = {"id": row, "values": values, "now": {name: now.get(name, "") for name in domain.FIELDS if late and now.get(name, "") != values[name]}}
    joined = domain.joined_of(draft.rows)
    titles = domain.titles_of(draft.layout)
    rows = [
        {
            "id": one.id, "n": n, "state": one.state, "values": dict.fromkeys(domain.FIELDS, "") | domain.values_of(draft, one), "goes": view.states.get(one.id),
            "found": [found for found in view.found if found.row == one.id], "fixed": view.fixed.get(one.id),
            "joined": [titles[name] for name in domain.FIELDS if draft.layout.key_of(name) in joined[one.id]],
        }
        for n, one in enumerate(draft.rows, 1)
    ]
    names = {account["id"]: account["name"] for account in await accounts.load_accounts()}
    answer = await page(
        request, "plan/draft.html", here="/plan", refused=refused, view=view, draft=draft, rows=rows, opened=opened, titles=titles, said=said, names=names,
        whole=[one for one in view.found if not one.row], kinds=KINDS, drawn_by=DRAWN_BY, methods=METHODS, rides=RIDES,
        items=sorted({item.name for item in act.sectors.items}), reason=(given or {}).get("reason", ""),
    )  # fmt: skip
    if refused and is_fragment(request):
        answer.status_code = 422  # htmx shows these in place, and no other refusal
    return answer


# Its rows -----------------------------------------------------------------------------


@post("/plan/drafts/{number:int}/row", opt={"access": "plan.edit"})
async def save_row(request: Request, number: FromPath[int]) -> Response[Any]:
    pairs = posted(request)
    try:
        given = parse_input(Row, pairs)
        values = {name: getattr(given, name) for name in domain.FIELDS}
        values["item"] = "\n".join(filter(None, (given.item, given.more)))
        await steps.save_row(acting(request), number, given.n, given.row, values)
    except Refused as refused:
        tried = _given(pairs)
        return await _draft_page(request, number, refused, _whole(tried.get("row", "")), tried)
    return go_to(f"/plan/drafts/{number}?said={'saved' if given.row else 'added'}" + (f"#r-{given.row}" if given.row else "#rows"))


@post("/plan/drafts/{number:int}/settle", opt={"access": "plan.edit"})
async def settle_row(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        given = parse_input(Settle, posted(request))
        await steps.settle_row(acting(request), number, given.n, given.row, given.keep)
    except Refused as refused:
        return await _draft_page(request, number, refused)
    return go_to(f"/plan/drafts/{number}?said=saved#r-{given.row}")


@post("/plan/drafts/{number:int}/withdraw", opt={"access": "plan.edit"})
async def withdraw_row(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        given = parse_input(OneRow, posted(request))
        await steps.withdraw_row(acting(request), number, given.n, given.row)
    except Refused as refused:
        return await _draft_page(request, number, refused)
    return go_to(f"/plan/drafts/{number}?said=withdrawn#rows")


@post("/plan/drafts/{number:int}/restore", opt={"access": "plan.edit"})
async def restore_row(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        given = parse_input(OneRow, posted(request))
        await steps.restore_row(acting(request), number, given.n, given.row)
    except Refused as refused:
        return await _draft_page(request, number, refused)
    return go_to(f"/plan/drafts/{number}?said=restored#r-{given.row}")


# Ending -------------------------------------------------------------------------------


@post("/plan/drafts/{number:int}/finish", opt={"access": "plan.edit"})
async def finish_draft(request: Request, number: FromPath[int]) -> Response[Any]:
    pairs = posted(request)
    try:
        given = parse_input(Finish, pairs)
        made = await steps.finish_draft(acting(request), number, given.n, given.reason)
    except Refused as refused:
        return await _draft_page(request, number, refused, given=_given(pairs))
    return go_to(f"/plan/{made}")


@post("/plan/drafts/{number:int}/drop", opt={"access": "plan.edit"})
async def drop_draft(request: Request, number: FromPath[int]) -> Response[Any]:
    try:
        await steps.drop_draft(acting(request), number, parse_input(Drop, posted(request)).n)
    except Refused as refused:
        return await _draft_page(request, number, refused)
    return go_to("/plan")


def _given(pairs: Pairs) -> dict[str, str]:
    """What was typed, to be shown again: the first value of each field."""
    return {name: values[0] for name, values in group(pairs).items()}


def _whole(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 6 else None


ROUTES = [begin_plan, begin_draft, adopt_rows, draft_page, save_row, settle_row, withdraw_row, restore_row, finish_draft, drop_draft]
