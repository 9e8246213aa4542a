"""账号: the list, one account with what its administrators may do to it, what waits for a decision, the policy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.errors import NotFound, Refused
from portal.domain.list_columns import ACCOUNTS
from portal.domain.policy import PASSWORD_RULES
from portal.domain.roles import ROLES
from portal.steps import accounts as steps
from portal.steps import policy
from portal.steps.acting import Acting
from portal.steps.setup import Credential
from portal.store import account_changes as store
from portal.store import accounts, directory
from portal.web.access import acting, entry_of, posted
from portal.web.inputs import choice, number, parse_input, several, text
from portal.web.lists import list_page
from portal.web.pages import go_to, is_fragment, page
from portal.web.sessions import leave_note, take_note

SAID = {
    "changed": "已保存。", "disabled": "账号已停用，它的登录全部退出。", "asked": "已提交，等安全管理员批准。",
    "granted": "角色已改，本人要重新登录。", "decided": "已办理。", "policy": "登录规则已改，从下一次登录起执行。",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    login: str = text("登录名", most=32)
    name: str = text("姓名", most=40)
    organisation: str = text("单位", most=40)
    inspector: str = text("工号", most=60, least=0)
    reason: str = text("理由", most=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    name: str = text("姓名", most=40)
    organisation: str = text("单位", most=40)
    inspector: str = text("工号", most=60, least=0)
    version: int = number("版本", 1, 10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    reason: str = text("理由", most=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    roles: tuple[str, ...] = several("角色", most=len(ROLES))
    reason: str = text("理由", most=200)
    version: int = number("版本", 1, 10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    decision: str = choice("决定", ("approve", "refuse"))
    roles: tuple[str, ...] = several("角色", most=len(ROLES))
    answer: str = text("意见", most=200, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPolicy:
    passwords: str = choice("密码规则", PASSWORD_RULES)
    factor: str = choice("动态口令", policy.FACTOR, optional=True)
    reason: str = text("理由", most=200)


@get("/accounts", opt={"access": "accounts.read"})
async def accounts_page(request: Request) -> Response[Any]:
    waiting = [] if is_fragment(request) else await _waiting(acting(request))
    return await list_page(request, ACCOUNTS, template="accounts/list.html", said=SAID, waiting=waiting, kinds=steps.KINDS)


async def _waiting(act: Acting) -> list[dict[str, Any]]:
    people = {one["id"]: one for one in await accounts.load_accounts()}
    return [
        {**one, "login": people[one["account"]]["login"], "name": people[one["account"]]["name"], "by": people[one["proposed_by"]]["name"]}
        for one in await store.load_open_changes(act.joint)
    ]  # fmt: skip


@get("/accounts/new", opt={"access": "accounts.manage"})
async def new_page(request: Request) -> Response[Any]:
    return await _new_page(request)


async def _new_page(request: Request, refused: Refused | None = None) -> Response[Any]:
    given = dict.fromkeys(("login", "name", "organisation", "inspector", "reason"), "") | (dict(posted(request)) if refused else {})
    return await page(request, "accounts/new.html", here="/accounts", refused=refused, given=given, homes=await _homes(acting(request)))


async def _homes(act: Acting) -> list[dict[str, Any]]:
    return [one for one in await accounts.load_organisations() if one["id"] in act.joint]


@post("/accounts/new", opt={"access": "accounts.manage"})
async def create(request: Request) -> Response[Any]:
    try:
        given = parse_input(New, posted(request))
        made = await steps.create_account(
            acting(request), login=given.login, name=given.name, organisation=given.organisation, inspector=given.inspector, reason=given.reason
        )
    except Refused as refused:
        return await _new_page(request, refused)
    await _note(request, made, "建好了，等安全管理员授予角色并批准后才能登录")
    return go_to(f"/accounts/{(await steps.load_account_of(acting(request), made.login))['id']}")


async def _note(request: Request, made: Credential, words: str) -> None:
    await leave_note(entry_of(request.scope).session, acting(request).keys, f"{made.login} {made.password} {words}")


@get("/accounts/policy", opt={"access": "accounts.read"})
async def policy_page(request: Request) -> Response[Any]:
    return await _policy_page(request)


async def _policy_page(request: Request, refused: Refused | None = None) -> Response[Any]:
    act, portal = acting(request), request.app.state.portal
    return await page(
        request, "accounts/policy.html", here="/accounts", refused=refused, said_now=await policy.load_said(act.bureau["id"]), rules=PASSWORD_RULES,
        holds=await policy.load_policy(act.bureau["id"], portal.settings.simulated), factors=policy.FACTOR,
    )  # fmt: skip


@post("/accounts/policy", opt={"access": "accounts.grant"})
async def set_policy(request: Request) -> Response[Any]:
    try:
        given = parse_input(NewPolicy, posted(request))
        await policy.save_policy(acting(request), given.passwords, given.factor, given.reason)
    except Refused as refused:
        return await _policy_page(request, refused)
    return go_to("/accounts?said=policy")


@get("/accounts/{number:int}", opt={"access": "accounts.read"})
async def account_page(request: Request, number: FromPath[int]) -> Response[Any]:
    return await _account_page(request, await _login_of(request, number))


async def _login_of(request: Request, number: int) -> str:
    found = await accounts.load_account_by_id(number)
    if found is None or found["organisation"] not in acting(request).joint:
        raise NotFound(f"第 {number} 号账号不在您的辖区。")
    return found["login"]


async def _account_page(request: Request, login: str, refused: Refused | None = None) -> Response[Any]:
    act = acting(request)
    account = await steps.load_account_of(act, login)
    people = {one["id"]: one["name"] for one in await accounts.load_accounts()}
    organisations = {one["id"]: one for one in await accounts.load_organisations()}
    persons = await directory.load_inspectors_by_id({account["inspector"]} - {None})
    note = await take_note(entry_of(request.scope).session, act.keys) if not refused else ""
    made, _, words = note.partition(" ")
    password, _, words = words.partition(" ")
    return await page(
        request, "accounts/account.html", here="/accounts", refused=refused, account=account, organisations=organisations, homes=await _homes(act),
        person=persons.get(account["inspector"]), changes=await store.load_changes([account["id"]]), people=people, roles=ROLES, kinds=steps.KINDS,
        own=account["id"] == act.account, made=made, password=password, note=words, said=SAID.get(request.query_params.get("said", ""), ""),
    )  # fmt: skip


async def _acted(request: Request, number: int, doing: Callable[[], Awaitable[Any]], said: str) -> Response[Any]:
    """Back to the account's page with words, or with what was refused."""
    login = await _login_of(request, number)
    try:
        await doing()
    except NotFound:
        raise
    except Refused as refused:
        return await _account_page(request, login, refused)
    return go_to(f"/accounts/{number}?said={said}")


@post("/accounts/{number:int}/change", opt={"access": "accounts.manage"})
async def change(request: Request, number: FromPath[int]) -> Response[Any]:
    async def doing() -> None:
        given = parse_input(Edit, posted(request))
        await steps.change_account(
            acting(request), await _login_of(request, number), name=given.name, organisation=given.organisation, inspector=given.inspector,
            version=given.version,
        )  # fmt: skip

    return await _acted(request, number, doing, "changed")


def _reasoned(path: str, step: Any, said: str) -> Any:
    @post(path, opt={"access": "accounts.manage"}, name=path)
    async def handler(request: Request, number: FromPath[int]) -> Response[Any]:
        async def doing() -> None:
            given = parse_input(Why, posted(request))
            await step(acting(request), await _login_of(request, number), given.reason)

        return await _acted(request, number, doing, said)

    return handler


disable = _reasoned("/accounts/{number:int}/disable", steps.disable_account, "disabled")
enable = _reasoned("/accounts/{number:int}/enable", steps.propose_enable, "asked")
factor = _reasoned("/accounts/{number:int}/factor", steps.propose_factor, "asked")


@post("/accounts/{number:int}/reset", opt={"access": "accounts.manage"})
async def reset(request: Request, number: FromPath[int]) -> Response[Any]:
    async def doing() -> None:
        given = parse_input(Why, posted(request))
        made, open_now = await steps.reset_password(acting(request), await _login_of(request, number), given.reason)
        await _note(request, made, "马上可用，旧密码和旧登录已失效" if open_now else "等安全管理员批准后可用，在那之前旧密码仍有效")

    return await _acted(request, number, doing, "")


@post("/accounts/{number:int}/roles", opt={"access": "accounts.grant"})
async def grant(request: Request, number: FromPath[int]) -> Response[Any]:
    async def doing() -> None:
        given = parse_input(Grant, posted(request))
        await steps.grant_roles(acting(request), await _login_of(request, number), given.roles, given.reason, given.version)

    return await _acted(request, number, doing, "granted")


@post("/accounts/changes/{number:int}", opt={"access": "accounts.grant"})
async def decide(request: Request, number: FromPath[int]) -> Response[Any]:
    found = await store.load_change(number)
    about = found["account"] if found else 0

    async def doing() -> None:
        given = parse_input(Decision, posted(request))
        await steps.decide_change(acting(request), number, given.decision == "approve", given.answer, given.roles)

    return await _acted(request, about, doing, "decided")


ROUTES = [accounts_page, new_page, create, policy_page, set_policy, account_page, change, disable, enable, factor, reset, grant, decide]
