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
        "visits.split": "planner station",  # whoever sets the days; never who goes there
        "visits.reschedule": "planner station",  # the same
        "visits.recuse": "planner station inspector",  # an inspector for himself
        "documents.issue": "planner sector station inspector",
        "documents.void": "planner sector station",  # never who issued it
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
        "statistics.read": "planner approver sector station reviewer publisher supervisor",
        "audit.read": "auditor",
        "setup.backup": "operator sysadmin",  # all there is, keys included
        "jobs.read": "operator planner publisher sysadmin",
        "accounts.read": "sysadmin secadmin auditor",
        "accounts.manage": "sysadmin",  # makes, disables, renames, resets: never what an account may do
        "accounts.grant": "secadmin",  # roles and policy, and yes or no to what the system administrator proposed
        "jobs.cancel": "operator planner publisher sysadmin",
    }.items()
}

#: What another department's people (教育局) may do in a joint check: see what concerns them, and work on their own records.
#: The plan, the draw and the site are the bureau's.
PARTNER_ACTS = frozenset(
    "plan.read round.read visits.read record.enter record.read record.review record.report record.close".split()
)


#: 三员: each keeps the two others in check, and none of them does a bureau's business
ADMINISTRATORS = ("sysadmin", "secadmin", "auditor")

#: two roles no account holds together, and why (TRUST.md control 4); the acts themselves also compare persons
APART: tuple[tuple[str, str, str], ...] = (
    ("planner", "approver", "拟制和抽取的人不能复核自己的轮次"),
    ("approver", "supervisor", "复核的人不能参加抽取"),
    ("planner", "supervisor", "监督的人不能拟制"),
    ("publisher", "supervisor", "监督的人不能公示"),
    ("operator", "supervisor", "监督的人不能导入数据"),
    ("reviewer", "supervisor", "监督的人不能审核"),
    ("inspector", "supervisor", "监督的人不能入企"),
)


def roles_apart(roles: Iterable[str]) -> list[str]:
    """Why these roles cannot be one account's, a sentence each; empty where they can."""
    held = set(roles)
    found = []
    for administrator in ADMINISTRATORS:
        if administrator in held and (others := sorted(held - {administrator}, key=list(ROLES).index)):
            found.append(f"{ROLES[administrator]}不能兼任{'、'.join(ROLES[role] for role in others)}：三员互相分开，也不办业务。")
    if not found:
        found = [f"{ROLES[one]}不能兼任{ROLES[other]}：{why}。" for one, other, why in APART if {one, other} <= held]
    return found


#: those who draw, publish or administer: one stolen password of theirs is a drawn list, a public page or an account
GUARDED = ACTS["round.draw"] | ACTS["round.commit"] | ACTS["publish.publish"] | ACTS["setup.backup"] | frozenset(ADMINISTRATORS)


def may(roles: Iterable[str], act: str) -> bool:
    """True when one of `roles` may do `act`; an unknown act is a KeyError, never a yes."""
    return not ACTS[act].isdisjoint(roles)
