"""portal accounts list|create|change|disable|enable|reset|reset-factor|roles|pending|decide|policy."""

from __future__ import annotations

from argparse import Namespace, _SubParsersAction

from portal.cli.office import acting, print_table, say
from portal.cli.parsing import add_command, add_group, whole
from portal.domain.list_columns import ACCOUNTS
from portal.domain.lists import Asked
from portal.domain.policy import PASSWORD_RULES
from portal.domain.roles import ROLES
from portal.steps import accounts as steps
from portal.steps import lists, policy
from portal.store import account_changes as store
from portal.store import accounts, directory

ONCE = "一次性密码只显示这一次，首次登录须修改："


def add_commands(commands: _SubParsersAction) -> None:
    group = add_group(commands, "accounts", "账号：建立、停用、重置（系统管理员），授予角色、批准（安全管理员）")
    listed = add_command(group, "list", run_list, "列出账号", acting=True)
    listed.add_argument("--role", choices=list(ROLES), help="只列有这个角色的")
    create = add_command(group, "create", run_create, "建立账号，打印一次性密码；安全管理员批准后才能登录", acting=True)
    create.add_argument("login", metavar="LOGIN", help="登录名")
    create.add_argument("name", metavar="NAME", help="姓名")
    create.add_argument("--home", metavar="CODE", help="单位编号，默认本单位")
    create.add_argument("--inspector", default="", metavar="CODE", help="执法人员的工号")
    change = add_command(group, "change", run_change, "修改姓名、单位或工号；不写的不改", acting=True)
    change.add_argument("login", metavar="LOGIN", help="登录名")
    change.add_argument("--name", metavar="NAME", help="姓名")
    change.add_argument("--home", metavar="CODE", help="单位编号")
    change.add_argument("--inspector", metavar="CODE", help="执法人员的工号，写空的为取消")
    words = {
        "disable": (run_disable, "停用账号，退出它的全部登录"), "enable": (run_enable, "申请重新启用账号"),
        "reset": (run_reset, "重置密码，打印一次性密码；管理员的要批准后才换上"), "reset-factor": (run_factor, "申请重置动态口令"),
    }  # fmt: skip
    made = {name: add_command(group, name, run, help_, acting=True) for name, (run, help_) in words.items()}
    for one in made.values():
        one.add_argument("login", metavar="LOGIN", help="登录名")
    grant = add_command(group, "roles", run_roles, "改为这些角色（安全管理员）", acting=True)
    grant.add_argument("login", metavar="LOGIN", help="登录名")
    grant.add_argument("roles", nargs="+", choices=list(ROLES), metavar="ROLE", help="、".join(f"{code} {name}" for code, name in ROLES.items()))
    for one in (create, *made.values(), grant):
        one.add_argument("--reason", required=True, help="理由")
    add_command(group, "pending", run_pending, "列出等安全管理员批准的申请", acting=True)
    decide = add_command(group, "decide", run_decide, "批准或不同意一项申请（安全管理员）", acting=True)
    decide.add_argument("number", type=whole(1, 10**9), metavar="N", help="申请的编号，见 pending")
    decide.add_argument("--refuse", action="store_true", help="不同意")
    decide.add_argument("--answer", default="", help="意见，不同意时必填")
    decide.add_argument("--roles", nargs="+", default=[], choices=list(ROLES), metavar="ROLE", help="批准新建或启用时授予的角色")
    rules = add_command(group, "policy", run_policy, "显示登录规则，或由安全管理员改变", acting=True)
    rules.add_argument("--passwords", choices=list(PASSWORD_RULES), help="密码规则：asvs 长度优先，dengbao3 等保三级")
    rules.add_argument("--factor", choices=["on", "off", "default"], help="抽取、公示、管理的人登录时是否要求动态口令")
    rules.add_argument("--reason", default="", help="理由")


async def run_list(args: Namespace) -> None:
    async with acting(args) as (act, _):
        asked = Asked(given={"role": args.role} if args.role else {})
        rows = [row async for rows in lists.iter_filled(act, ACCOUNTS, asked) for row in rows]
    for row in rows:
        say(f"{row['login']}　{row['name']}　{row['station']}　{row['held']}　{'启用' if row['state'] == 'active' else '停用'}")


async def run_create(args: Namespace) -> None:
    async with acting(args) as (act, _):
        home = args.home or act.organisation["code"]
        made = await steps.create_account(act, login=args.login, name=args.name, organisation=home, inspector=args.inspector, reason=args.reason)
    say(f"账号“{made.login}”已建立，等安全管理员批准。{ONCE}")
    print_table([(made.login, made.password)])


async def run_change(args: Namespace) -> None:
    async with acting(args) as (act, _):
        found = await steps.load_account_of(act, args.login)
        homes = {one["id"]: one["code"] for one in await accounts.load_organisations()}
        known = await directory.load_inspectors_by_id({found["inspector"]} - {None})
        person = known[found["inspector"]]["code"] if found["inspector"] else ""
        await steps.change_account(
            act, args.login, name=found["name"] if args.name is None else args.name, organisation=args.home or homes[found["organisation"]],
            inspector=person if args.inspector is None else args.inspector, version=found["version"],
        )  # fmt: skip
    say(f"账号“{args.login}”已修改。")


async def run_disable(args: Namespace) -> None:
    async with acting(args) as (act, _):
        await steps.disable_account(act, args.login, args.reason)
    say(f"账号“{args.login}”已停用。")


async def run_enable(args: Namespace) -> None:
    async with acting(args) as (act, _):
        number = await steps.propose_enable(act, args.login, args.reason)
    say(f"已提交，编号 {number}，等安全管理员批准。")


async def run_reset(args: Namespace) -> None:
    async with acting(args) as (act, _):
        made, at_once = await steps.reset_password(act, args.login, args.reason)
    say(f"账号“{made.login}”的密码{'已重置' if at_once else '等安全管理员批准后换上'}。{ONCE}")
    print_table([(made.login, made.password)])


async def run_factor(args: Namespace) -> None:
    async with acting(args) as (act, _):
        number = await steps.propose_factor(act, args.login, args.reason)
    say(f"已提交，编号 {number}，等安全管理员批准。")


async def run_roles(args: Namespace) -> None:
    async with acting(args) as (act, _):
        found = await steps.load_account_of(act, args.login)
        await steps.grant_roles(act, args.login, args.roles, args.reason, found["version"])
    say(f"账号“{args.login}”的角色：{'、'.join(ROLES[role] for role in args.roles)}")


async def run_pending(args: Namespace) -> None:
    async with acting(args) as (act, _):
        act.require("accounts.read")
        rows = await store.load_open_changes(act.joint)
        people = {one["id"]: one for one in await accounts.load_accounts()}
    say(f"等批准的申请 {len(rows)} 项。")
    for row in rows:
        about, by = people[row["account"]], people[row["proposed_by"]]
        say(f"  {row['id']}　{steps.KINDS[row['kind']]}　{about['login']}（{about['name']}）　{by['login']}：{row['reason']}")


async def run_decide(args: Namespace) -> None:
    async with acting(args) as (act, _):
        await steps.decide_change(act, args.number, not args.refuse, args.answer, args.roles)
    say(f"第 {args.number} 号申请{'没有同意' if args.refuse else '已批准'}。")


async def run_policy(args: Namespace) -> None:
    async with acting(args) as (act, office):
        act.require("accounts.read")
        said = await policy.load_said(act.bureau["id"])
        if args.passwords or args.factor:
            factor = {"default": "", None: said["factor"]}.get(args.factor, args.factor)
            await policy.save_policy(act, args.passwords or said["passwords"], factor, args.reason)
        holds = await policy.load_policy(act.bureau["id"], office.settings.simulated)
    print_table([("密码规则", holds.rule.name), ("动态口令", "抽取、公示、管理的人要求" if holds.factor else "不要求")])
