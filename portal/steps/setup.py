"""Making an installation: tables, keys, the first bureau, its first accounts."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from portal.domain.declarations import form_to_data, item_to_data
from portal.domain.errors import BadInput, WrongMoment
from portal.domain.packing import pack
from portal.domain.roles import ROLES
from portal.plugins import Sectors
from portal.steps import acting
from portal.store import accounts, audit, keys, passwords, plan, schema
from portal.store.engine import transaction
from portal.store.locks import hold
from portal.store.tables import CheckForm, Item

UNNAMED = "000000"  # the region of a bureau nobody named yet

#: login, what the person is called, roles. One person an account; nobody holds two sides of one act.
STARTERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("operator", "运维员", ("operator",)),
    ("planner", "计划员", ("planner",)),
    ("approver", "复核人", ("approver",)),
    ("supervisor", "纪检监督员", ("supervisor",)),
    ("reviewer", "审核员", ("reviewer",)),
    ("publisher", "公示员", ("publisher",)),
    ("auditor", "审计员", ("auditor",)),
    ("sysadmin", "系统管理员", ("sysadmin",)),
    ("secadmin", "安全管理员", ("secadmin",)),
)
#: what an installation made before 三员 existed gets with its next `init`
LATER = ("sysadmin", "secadmin")


@dataclass(frozen=True, slots=True)
class Credential:
    """A login with its one-time password, shown once and never stored in the clear."""

    login: str
    name: str
    roles: str
    password: str


def _digest(data: Any) -> str:
    return hashlib.sha256(pack(data).encode()).hexdigest()


async def declare(sectors: Sectors, at: datetime) -> int:
    """Remember the versions of items and forms the sectors declare; the count of new ones.

    Raises WrongMoment when a used version now says something else.
    """
    items = [
        {"code": i.code, "version": i.version, "sector": i.code.split(".")[0], "data": pack(d), "digest": _digest(d)}
        for i in sectors.items
        for d in (item_to_data(i),)
    ]
    forms = [
        {"code": f.code, "version": f.version, "sector": f.code.split(".")[0], "data": pack(d), "digest": _digest(d)}
        for f in sectors.forms
        for d in (form_to_data(f),)
    ]
    async with transaction():
        await hold("chain")
        count = await plan.save_declared(Item, items, at) + await plan.save_declared(CheckForm, forms, at)
        if count:
            await audit.save_act(
                at=acting.stamp(at), actor="init", organisation="", address="local", act="setup.declare", object="sectors",
                detail={"count": count, "sectors": sectors.versions()},
            )  # fmt: skip
    return count


async def init(
    *,
    key_folder: Path,
    name: str,
    region: str,
    now: datetime,
    stamp: str,
    sectors: Sectors,
    token_bytes: Callable[[int], bytes] = secrets.token_bytes,
    password: Callable[[str], str] | None = None,
) -> list[Credential]:
    """Bring the database up to date; on an empty one also make the bureau and its starter accounts.

    Returns the one-time passwords of accounts made now (none when only migrating).
    `password` is for the demo, whose logins are printed on its first page.
    """
    if not (len(region) == 6 and region.isascii() and region.isdigit()):
        raise BadInput(f"行政区划代码“{region}”应为 6 位数字。")
    fresh = await schema.is_empty()
    keys.make_keys(key_folder, token_bytes)
    await schema.migrate()
    made: list[Credential] = []
    if not await accounts.load_accounts():
        chosen = {login: (password or (lambda _: passwords.make_password(token_bytes)))(login) for login, _, _ in STARTERS}
        hashed = await asyncio.to_thread(lambda: {login: passwords.hash_password(p) for login, p in chosen.items()})
        async with transaction():
            bureau = await accounts.save_organisation(region, name, "bureau", None, region)
            for login, person, roles in STARTERS:
                await accounts.save_account(login, person, bureau, roles, now, password=hashed[login])
                made.append(Credential(login, person, "、".join(ROLES[r] for r in roles), chosen[login]))
            await audit.save_act(
                at=stamp, actor="init", organisation=region, address="local", act="setup.init", object=region,
                detail={"accounts": [login for login, _, _ in STARTERS], "fresh": fresh},
            )  # fmt: skip
    else:
        made = await _add_administrators(now, stamp, password or (lambda _: passwords.make_password(token_bytes)))
    await declare(sectors, now)
    return made


async def _add_administrators(now: datetime, stamp: str, password: Callable[[str], str]) -> list[Credential]:
    """A system and a security administrator for each bureau at work that never had one: only they can make accounts."""
    organisations, known = await accounts.load_organisations(), await accounts.load_accounts()
    made: list[Credential] = []
    for bureau in [one for one in organisations if one["kind"] == "bureau"]:
        mine = [one for one in known if accounts.bureaus_of(organisations, one["organisation"])[0] == bureau["id"]]
        for login, person, roles in [one for one in STARTERS if one[0] in LATER]:
            if not mine or any(login in one["roles"] for one in mine):
                continue
            name = login if login not in {one["login"] for one in known} and bureau["parent"] is None else f"{bureau['code']}-{login}"
            made.append(Credential(name, person, "、".join(ROLES[role] for role in roles), password(name)))
            hashed = await asyncio.to_thread(passwords.hash_password, made[-1].password)
            async with transaction():
                await accounts.save_account(name, person, bureau["id"], roles, now, password=hashed)
                await audit.save_act(
                    at=stamp, actor="init", organisation=bureau["code"], address="local", act="setup.administrators", object=f"account/{name}",
                )  # fmt: skip
    return made


async def add_bureau(
    act: acting.Acting, region: str, name: str, password: Callable[[str], str] | None = None
) -> list[Credential]:
    """A bureau below the acting one (a county below a city), with starter accounts of its own, named `<region>-planner` and so on.

    Returns their one-time passwords. Raises BadInput for a region that is not below the acting bureau's,
    WrongMoment where the bureau is there already.
    """
    act.require("setup.bureau")
    above = act.bureau["region"]
    prefix = above.rstrip("0")
    prefix += "0" * (len(prefix) % 2)
    if not (len(region) == 6 and region.isascii() and region.isdigit()) or region == above or not region.startswith(prefix):
        raise BadInput(f"行政区划代码“{region}”不在 {act.bureau['name']}（{above}）之下。请填写下级单位的 6 位代码。")
    if not name.strip():
        raise BadInput("单位名称不能是空的。")
    chosen = {login: (password or (lambda _: passwords.make_password(act.token_bytes)))(login) for login, _, _ in STARTERS}
    hashed = await asyncio.to_thread(lambda: {login: passwords.hash_password(p) for login, p in chosen.items()})
    async with transaction():
        await hold("bureau", act.bureau["id"])
        if any(o["code"] == region for o in await accounts.load_organisations()):
            raise WrongMoment(f"编号为 {region} 的单位已经有了，没有再建。")
        bureau = await accounts.save_organisation(region, name.strip(), "bureau", act.bureau["id"], region)
        made = []
        for login, person, roles in STARTERS:
            await accounts.save_account(f"{region}-{login}", person, bureau, roles, act.now, password=hashed[login])
            made.append(Credential(f"{region}-{login}", person, "、".join(ROLES[r] for r in roles), chosen[login]))
        await act.audit("setup.bureau", region, name=name.strip(), accounts=[one.login for one in made])
    return made


#: whom another department needs at once: somebody who sees its tasks, and somebody who reviews its records
PARTNER_STARTERS = tuple(one for one in STARTERS if one[0] in ("planner", "reviewer"))


async def add_partner(act: acting.Acting, name: str, password: Callable[[str], str] | None = None) -> tuple[str, list[Credential]]:
    """Another department (教育局) that checks with its own people on joint visits of the acting bureau; (its code, its accounts).

    The accounts are named `<code>-planner` and so on, in lower case. Raises BadInput without a name, WrongMoment
    where an organisation of the bureau is called so already: names are how plans and rosters speak of it.
    """
    act.require("setup.bureau")
    name = name.strip()
    if len(name) < 3:
        raise BadInput("请写部门的全称，例如“望溪县教育局”。计划的“牵头部门”“配合部门”、人员名录的“所属单位”都按它认。")
    chosen = {login: (password or (lambda _: passwords.make_password(act.token_bytes)))(login) for login, _, _ in PARTNER_STARTERS}
    hashed = await asyncio.to_thread(lambda: {login: passwords.hash_password(p) for login, p in chosen.items()})
    async with transaction():
        await hold("bureau", act.bureau["id"])
        organisations = await accounts.load_organisations()
        if any(o["name"] == name for o in organisations if o["id"] in accounts.joint_tree_of(organisations, act.bureau["id"])):
            raise WrongMoment(f"已经有名为“{name}”的单位，没有再建。")
        code = f"{act.bureau['region']}-P{1 + len(await accounts.load_partners(act.bureau['id'])):02d}"
        partner = await accounts.save_organisation(code, name, "partner", act.bureau["id"], act.bureau["region"])
        made = []
        for login, person, roles in PARTNER_STARTERS:
            own = f"{code.lower()}-{login}"
            await accounts.save_account(own, person, partner, roles, act.now, password=hashed[login])
            made.append(Credential(own, person, "、".join(ROLES[r] for r in roles), chosen[login]))
        await act.audit("setup.partner", code, name=name, accounts=[one.login for one in made])
    return code, made


async def name_bureau(code: str, name: str, region: str) -> None:
    """Give the unnamed first bureau its name; raises WrongMoment when it has one already."""
    from portal.store.tables import Organisation

    organisations = await accounts.load_organisations()
    if [o["code"] for o in organisations] != [UNNAMED]:
        raise WrongMoment(f"本机构已定名为“{organisations[0]['name']}”，不能改作“{name}”。请另用一个数据目录。")
    await Organisation.update(code=code, name=name, region=region).where(Organisation.code == UNNAMED).run()


async def save_stations(parent: str, stations: Sequence[tuple[str, str, str]]) -> None:
    """(code, name, kind) of organisations below `parent`."""
    above = await accounts.load_organisation(parent)
    for code, name, kind in stations:
        await accounts.save_organisation(code, name, kind, above["id"], above["region"])
