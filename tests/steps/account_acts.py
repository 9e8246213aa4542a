"""The changes of accounts for the table of tests/steps/acts.py: each with somebody who may, and what it needs first."""

from __future__ import annotations

from typing import Any

from portal.steps import accounts, policy
from portal.store import accounts as store
from portal.store import second_factor
from portal.store.engine import transaction
from tests.office import House

BUREAU = "359921"


async def create(act: Any, house: House, _: Any) -> Any:
    return await accounts.create_account(act, login="newcomer", name="新来的人", organisation=BUREAU, reason="新录用，要计划员")


async def created(house: House) -> int:
    await create(await house.acting("sysadmin"), house, None)
    found = await store.load_account("newcomer")
    return (await accounts.store.load_changes([found["id"]]))[0]["id"]


async def disabled(house: House) -> None:
    await accounts.disable_account(await house.acting("sysadmin"), "planner2", "调离")


async def enrolled(house: House) -> None:
    async with transaction():
        await second_factor.save_factor((await store.load_account("planner2"))["id"], b"sealed", 1, ["abc"])


#: (name, stage, login, permission, run, acts, prepare)
ROWS = (
    ("create account", "filled", "sysadmin", "accounts.manage", create, {"accounts.create": 1}, None),
    ("change account", "filled", "sysadmin", "accounts.manage",
     lambda act, house, _: accounts.change_account(act, "planner2", name="改了名", organisation=BUREAU, version=1), {"accounts.change": 1}, None),
    ("disable account", "filled", "sysadmin", "accounts.manage",
     lambda act, house, _: accounts.disable_account(act, "planner2", "调离"), {"accounts.disable": 1}, None),
    ("propose enable", "filled", "sysadmin", "accounts.manage",
     lambda act, house, _: accounts.propose_enable(act, "planner2", "回来了"), {"accounts.propose": 1}, disabled),
    ("reset password", "filled", "sysadmin", "accounts.manage",
     lambda act, house, _: accounts.reset_password(act, "planner2", "忘了"), {"accounts.password": 1}, None),
    ("propose factor", "filled", "sysadmin", "accounts.manage",
     lambda act, house, _: accounts.propose_factor(act, "planner2", "手机丢了"), {"accounts.propose": 1}, enrolled),
    ("grant roles", "filled", "secadmin", "accounts.grant",
     lambda act, house, _: accounts.grant_roles(act, "planner2", ["reviewer"], "转岗", 1), {"accounts.grant": 1}, None),
    ("decide change", "filled", "secadmin", "accounts.grant",
     lambda act, house, number: accounts.decide_change(act, number, True, "", ["planner"]), {"accounts.decide": 1}, created),
)  # fmt: skip
POLICY = ("set policy", "filled", "secadmin", "accounts.grant", lambda act, house, _: policy.save_policy(act, "dengbao3", "on", "等保测评"), {"accounts.policy": 1}, None)
