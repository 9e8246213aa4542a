"""Roles and what each may do (UX.md, who does what). Deny by default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: role -> how users read it
ROLES: Mapping[str, str] = {
    "operator": "运维员",
    "planner": "计划员",
    "approver": "复核人",
    "supervisor": "纪检监督",
    "sector": "业务科室",
    "station": "所队负责人",
    "inspector": "执法人员",
    "reviewer": "审核员",
    "publisher": "公示员",
    "sysadmin": "系统管理员",
    "secadmin": "安全管理员",
    "auditor": "审计员",
}

#: act -> roles that may do it. Acts are `<step>.<verb>`.
ACTS: Mapping[str, frozenset[str]] = {
    act: frozenset(roles.split())
    for act, roles in {
        "directory.import": "operator planner",
        "directory.place": "operator planner",
        "setup.bureau": "operator",
        "stations.make": "operator planner",
        "directory.read": "planner approver sector station inspector reviewer publisher supervisor",
        "imports.read": "operator planner sector",
        "sheets.import": "operator sector",  # forms and item lists of the own sector
        "plan.import": "operator planner",
        "plan.edit": "planner",
        "plan.read": "planner approver sector station inspector reviewer publisher supervisor",
        "plan.profile": "operator planner",
        "plan.base": "planner",
        "plan.measure": "planner",
        "plan.approve": "approver",
        "plan.simulate": "planner",
        "caps.allow": "approver",
        "classes.adjust": "approver",  # not who freezes pools
        "caps.peace": "planner",
        "draw.take": "planner",
        "draw.import": "operator planner",  # lists drawn elsewhere
        "pool.freeze": "planner",
        "round.create": "planner",
        "round.share": "planner approver supervisor sector",
        "round.commit": "approver",
        "round.source": "planner approver supervisor",
        "round.draw": "planner supervisor",
        "round.replace": "planner",
        "round.reveal": "planner approver",
        "round.void": "planner approver",
        "round.export": "planner approver supervisor auditor",
        "round.hand_over": "supervisor auditor",  # the whole folder: secrets, classes, who inspects whom
        "round.read": "planner approver sector station reviewer publisher supervisor auditor",
        "visits.combine": "planner",
        "visits.assign": "planner",
        "visits.read": "planner approver sector station inspector reviewer publisher supervisor",
        "record.enter": "inspector",
        "record.import": "operator",
        "record.read": "planner sector station inspector reviewer publisher supervisor",
        "record.review": "reviewer",
        "record.report": "sector station inspector reviewer",  # what an entity hands in afterwards
        "record.follow": "sector station inspector reviewer",  # a step of a follow-up: sent out, re-check arranged
        "record.close": "sector station inspector reviewer",  # a follow-up that was carried out
        "record.extend": "sector station reviewer",  # its deadline; not by whoever is late on the street
        "publish.publish": "publisher",
        "publish.read": "planner approver sector reviewer publisher supervisor",
        "audit.read": "auditor",
        "setup.backup": "operator sysadmin",  # all there is, keys included
        "jobs.read": "operator planner publisher sysadmin",
    }.items()
}


def may(roles: Iterable[str], act: str) -> bool:
    """True when one of `roles` may do `act`; an unknown act is a KeyError, never a yes."""
    return not ACTS[act].isdisjoint(roles)
