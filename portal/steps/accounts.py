"""Accounts and who decides about them: 三员 (TRUST.md control 4).

The system administrator makes, renames, disables and resets accounts and can let nobody
in alone; the security administrator says what an account may do and says yes or no to
what was proposed; neither decides about the own account, and the last of a kind stays.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from portal.domain import roles as rules
from portal.domain.errors import BadInput, Conflict, NotAllowed, NotFound, Problem, WrongMoment
from portal.domain.packing import pack
from portal.steps.acting import Acting
from portal.steps.setup import Credential
from portal.store import account_changes as store
from portal.store import accounts, passwords, second_factor
from portal.store.engine import transaction
from portal.store.locks import hold

LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,31}")
KINDS = {"create": "新建账号", "enable": "重新启用", "password": "重置管理员密码", "factor": "重置动态口令"}


async def load_account_of(act: Acting, login: str) -> dict[str, Any]:
    """An account of the own tree, without what opens it; NotFound for all others."""
    found = await accounts.load_account(login)
    if found is None or found["organisation"] not in act.joint:
        raise NotFound(f"账号“{login}”不在您的辖区。请核对登录名。")
    return {name: value for name, value in found.items() if name not in ("password", "secret")} | {"enrolled": bool(found["secret"])}


async def create_account(act: Acting, *, login: str, name: str, organisation: str, inspector: str = "", reason: str) -> Credential:
    """A new account, closed until a security administrator opens it with its roles; its one-time password.

    `organisation` is a code, `inspector` a 工号 (or a code, where two have the same): whose visits the account sees.
    """
    act.require("accounts.manage")
    if not LOGIN.fullmatch(login):
        raise BadInput("账号没有建立。", [Problem("login", f"登录名“{login}”应为 2 到 32 位小写字母、数字、点或短横，以字母开头。")])
    home, person = await _home(act, organisation), await _person(act, inspector)
    password, hashed = await _one_time(act)
    async with transaction():
        await hold("accounts")
        if await accounts.load_account(login):
            raise WrongMoment(f"登录名“{login}”已经有人使用，请换一个。")
        made = await accounts.save_account(login, _name(name), home["id"], (), act.now, password=hashed, inspector=person, active=False)
        await store.save_change(made, "create", {}, _reason(reason), act.account, act.now)
        await act.audit("accounts.create", f"account/{login}", name=name.strip(), organisation=organisation, reason=reason.strip())
    return Credential(login, name.strip(), "", password)


async def change_account(act: Acting, login: str, *, name: str, organisation: str, inspector: str = "", version: int) -> None:
    """Another display name, station or inspector. Conflict names both versions where somebody changed it since `version`."""
    act.require("accounts.manage")
    found = await load_account_of(act, login)
    home, person, name = await _home(act, organisation), await _person(act, inspector), _name(name)
    if found["id"] == act.account and (home["id"], person) != (found["organisation"], found["inspector"]):
        raise NotAllowed("不能更换自己所在的单位或对应的执法人员，请由另一位系统管理员办理。")
    if found["version"] != version:
        raise await _conflict(found, name, home)
    async with transaction():
        await hold("accounts")
        if not await store.save_edit(found["id"], version, {"name": name, "organisation": home["id"], "inspector": person}):
            raise await _conflict(await load_account_of(act, login), name, home)
        if home["id"] != found["organisation"]:
            await accounts.delete_sessions_of(found["id"])  # what the person sees is another tree now
        await act.audit("accounts.change", f"account/{login}", name=name, organisation=organisation)


async def disable_account(act: Acting, login: str, reason: str) -> None:
    """Nobody comes in with it from now on; its sessions end. The last administrator of a kind cannot be disabled."""
    act.require("accounts.manage")
    found = await load_account_of(act, login)
    if found["id"] == act.account:
        raise NotAllowed("不能停用自己的账号，请由另一位系统管理员办理。")
    if not found["active"]:
        raise WrongMoment(f"账号“{login}”已经停用。")
    async with transaction():
        await hold("accounts")
        await _require_not_last(found, lost=found["roles"])
        if not await store.save_edit(found["id"], found["version"], {"active": False}):
            raise WrongMoment(f"账号“{login}”刚刚被别人改过，请刷新后再办理。")
        await accounts.delete_sessions_of(found["id"])
        await act.audit("accounts.disable", f"account/{login}", reason=_reason(reason))


async def propose_enable(act: Acting, login: str, reason: str) -> int:
    """Ask a security administrator to open a disabled account again; the number of the proposal."""
    act.require("accounts.manage")
    found = await load_account_of(act, login)
    if found["active"]:
        raise WrongMoment(f"账号“{login}”正在使用，不用启用。")
    return await _propose(act, found, "enable", {}, reason)


async def reset_password(act: Acting, login: str, reason: str) -> tuple[Credential, bool]:
    """A one-time password, and whether it opens the account already.

    An administrator's waits for a security administrator: otherwise who resets passwords could become all three.
    """
    act.require("accounts.manage")
    found = await load_account_of(act, login)
    if found["id"] == act.account:
        raise NotAllowed("自己的密码请在“改密码”里修改。")
    password, hashed = await _one_time(act)
    made = Credential(login, found["name"], "、".join(rules.ROLES[role] for role in found["roles"]), password)
    if not set(rules.ADMINISTRATORS).isdisjoint(found["roles"]):
        await _propose(act, found, "password", {"hash": hashed}, reason)
        return made, False
    async with transaction():
        await hold("accounts")
        await accounts.save_password(found["id"], hashed, must_change=True, at=act.now)
        await accounts.delete_sessions_of(found["id"])
        await act.audit("accounts.password", f"account/{login}", reason=_reason(reason))
    return made, True


async def propose_factor(act: Acting, login: str, reason: str) -> int:
    """Ask a security administrator to take a lost second factor off an account; the number of the proposal."""
    act.require("accounts.manage")
    found = await load_account_of(act, login)
    if not found["enrolled"]:
        raise WrongMoment(f"账号“{login}”没有启用动态口令，不用重置。")
    return await _propose(act, found, "factor", {}, reason)


async def grant_roles(act: Acting, login: str, roles: Collection[str], reason: str, version: int) -> None:
    """What an account may do from now on. Refused for the own account, roles that exclude each other, the last of a kind."""
    act.require("accounts.grant")
    found = await load_account_of(act, login)
    _require_other(act, found)
    wanted = _roles(roles)
    if not found["active"]:
        raise WrongMoment(f"账号“{login}”没有启用，批准启用时再授予角色。")
    if found["version"] != version:
        raise Conflict(f"账号“{login}”在您打开页面之后被改过，角色没有改动。", [("角色", _said(wanted), _said(found["roles"]))])
    if set(wanted) == set(found["roles"]):
        raise BadInput("角色没有改动。", [Problem("roles", "选择的角色和现在的相同。")])
    async with transaction():
        await hold("accounts")
        await _require_not_last(found, lost=set(found["roles"]) - set(wanted))
        if not await store.save_edit(found["id"], version, {"roles": pack(sorted(wanted))}):
            raise WrongMoment(f"账号“{login}”刚刚被别人改过，请刷新后再办理。")
        await accounts.delete_sessions_of(found["id"])  # a session of other rights is another session
        await act.audit("accounts.grant", f"account/{login}", before=_said(found["roles"]), after=_said(wanted), reason=_reason(reason))


async def decide_change(act: Acting, number: int, approve: bool, answer: str = "", roles: Collection[str] = ()) -> None:
    """Yes or no to a proposal: never by who made it, nor about the own account. An account that opens gets `roles`."""
    act.require("accounts.grant")
    change = await store.load_change(number)
    about = await accounts.load_account_by_id(change["account"]) if change else None
    if change is None or about is None or about["organisation"] not in act.joint:
        raise NotFound(f"第 {number} 号账号申请不在您的辖区。")
    _require_other(act, about)
    if change["proposed_by"] == act.account:
        raise NotAllowed("这是您自己提出的，要由另一位安全管理员批准。")
    if change["state"] != "proposed":
        raise WrongMoment(f"“{about['login']}”的{KINDS[change['kind']]}已经办过了。")
    if not approve and not answer.strip():
        raise BadInput("没有办理。", [Problem("answer", "不同意的，请写明理由。")])
    opening = approve and change["kind"] in ("create", "enable")
    wanted = _roles(roles or about["roles"]) if opening else ()
    async with transaction():
        await hold("accounts")
        if not await store.save_decision(number, "approved" if approve else "refused", act.account, act.now, answer.strip()):
            raise WrongMoment(f"“{about['login']}”的{KINDS[change['kind']]}已经办过了。")
        if opening:
            await store.save_edit(about["id"], about["version"], {"active": True, "roles": pack(sorted(wanted))})
        elif approve and change["kind"] == "password":
            await accounts.save_password(about["id"], change["data"]["hash"], must_change=True, at=act.now)
        elif approve:
            await second_factor.delete_factor(about["id"])
        if approve:
            await accounts.delete_sessions_of(about["id"])
        await act.audit(
            "accounts.decide", f"account/{about['login']}", kind=change["kind"], approved=approve, roles=_said(wanted), answer=answer.strip(),
            proposal=number,
        )  # fmt: skip


# What is asked of every account ------------------------------------------------


def _require_other(act: Acting, account: Mapping[str, Any]) -> None:
    if account["id"] == act.account:
        raise NotAllowed("不能给自己授权或批准自己的账号，请由另一位安全管理员办理。")


async def _require_not_last(account: Mapping[str, Any], lost: Collection[str]) -> None:
    """Raises WrongMoment where nobody else in the account's bureau would hold one of the three offices."""
    organisations = await accounts.load_organisations()
    bureau = accounts.joint_tree_of(organisations, accounts.bureaus_of(organisations, account["organisation"])[0])
    for role in rules.ADMINISTRATORS:
        if role in lost and not set(await store.load_holders(role, bureau)) - {account["id"]}:
            raise WrongMoment(f"“{account['login']}”是本单位最后一位{rules.ROLES[role]}，不能停用或取消。请先另设一位。")


def _roles(roles: Collection[str]) -> tuple[str, ...]:
    unknown = sorted(set(roles) - set(rules.ROLES))
    problems = [Problem("roles", f"没有“{role}”这个角色。") for role in unknown]
    if not problems and not roles:
        problems = [Problem("roles", "至少选择一个角色。")]
    if problems := problems or [Problem("roles", words) for words in rules.roles_apart(roles)]:
        raise BadInput("角色没有改动。", problems)
    return tuple(sorted(set(roles), key=list(rules.ROLES).index))


def _said(roles: Sequence[str]) -> str:
    return "、".join(rules.ROLES[role] for role in sorted(roles, key=list(rules.ROLES).index)) or "无"


def _name(name: str) -> str:
    if not name.strip():
        raise BadInput("没有保存。", [Problem("name", "请填写姓名。")])
    return name.strip()


def _reason(reason: str) -> str:
    if not reason.strip():
        raise BadInput("没有办理。", [Problem("reason", "请写明理由。")])
    return reason.strip()


async def _home(act: Acting, organisation: str) -> dict[str, Any]:
    for one in await accounts.load_organisations():
        if one["code"] == organisation and one["id"] in act.joint:
            return one
    raise BadInput("没有保存。", [Problem("organisation", f"单位“{organisation}”不在您的辖区。请重新选择。")])


async def _person(act: Acting, number: str) -> int | None:
    if not number.strip():
        return None
    found = await store.load_inspectors_called(number.strip(), act.joint)
    if not found:
        raise BadInput("没有保存。", [Problem("inspector", f"执法人员名录中没有工号“{number}”。请核对，先导入执法人员名录，或者留空。")])
    if len(found) > 1:
        named = "、".join(f"{one['name']} {one['code']}" for one in found)
        raise BadInput("没有保存。", [Problem("inspector", f"有 {len(found)} 名执法人员的工号是“{number}”。请改填其中一人的编号：{named}。")])
    return found[0]["id"]


async def _one_time(act: Acting) -> tuple[str, str]:
    password = passwords.make_password(act.token_bytes)
    return password, await asyncio.to_thread(passwords.hash_password, password)


async def _propose(act: Acting, account: Mapping[str, Any], kind: str, data: Mapping[str, Any], reason: str) -> int:
    reason = _reason(reason)
    async with transaction():
        await hold("accounts")
        same = {"create", "enable"} if kind == "enable" else {kind}  # a new account waits to be opened already
        if any(one["kind"] in same for one in await store.load_changes([account["id"]], open_only=True)):
            raise WrongMoment(f"“{account['login']}”的{KINDS[kind]}已经申请过，正等安全管理员批准。")
        number = await store.save_change(account["id"], kind, data, reason, act.account, act.now)
        await act.audit("accounts.propose", f"account/{account['login']}", kind=kind, reason=reason, proposal=number)
    return number


async def _conflict(stands: Mapping[str, Any], name: str, home: Mapping[str, Any]) -> Conflict:
    organisations = {one["id"]: one["name"] for one in await accounts.load_organisations()}
    pairs = [("姓名", name, stands["name"]), ("单位", home["name"], organisations[stands["organisation"]])]
    return Conflict(
        f"账号“{stands['login']}”在您打开页面之后被别人改过，您的改动没有保存。请对照两个版本后再改。", [one for one in pairs if one[1] != one[2]]
    )
