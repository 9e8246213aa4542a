"""portal follow-ups list|show|issue|answer|recheck|extend|close."""

from __future__ import annotations

from argparse import Namespace, _SubParsersAction
from collections.abc import Mapping, Sequence
from typing import Any

from portal.cli.office import acting, print_table, say
from portal.cli.parsing import add_command, add_group, whole
from portal.cli.rounds import parse_day
from portal.domain.errors import BadInput
from portal.domain.follow_ups import ENDINGS, KINDS, LONGEST_DAYS, STATES, label_of
from portal.steps import follow_ups as steps

_MOST = 1_000_000
_DAYS = whole(1, LONGEST_DAYS)
_WITHOUT_DAY = {"none": "没有定期限", "waits": "待收到整改报告", "unpublished": "期限所在年份的工作日安排尚未公布"}


def add_commands(commands: _SubParsersAction) -> None:
    kinds = add_group(commands, "follow-ups", "列出和办理后续处置：责令改正、复查、移送、列入经营异常名录等")
    listed = add_command(kinds, "list", run_list, "列出后续处置，期限早的在前", acting=True)
    listed.add_argument("--state", choices=("open", *list(STATES)[1:]), default="open", help="open 没有办结的（默认），issued 办理中，answered 已有回复，closed 已办结")
    listed.add_argument("--kind", choices=[kind for kind in KINDS if kind != "none"], default="", help="处置的种类")
    listed.add_argument("--due", choices=("late", "soon", "undated"), default="", help="late 已逾期，soon 5 个工作日内到期，undated 没有期限")
    shown = add_command(kinds, "show", run_show, "一项后续处置的现状和经过", acting=True)
    sent = add_command(kinds, "issue", run_issue, "登记发出：责令改正通知书送达、移送函或抄告函发出、列入建议报批", acting=True, required=True)
    back = add_command(kinds, "answer", run_answer, "登记收到整改报告或对方回复", acting=True, required=True)
    checked = add_command(kinds, "recheck", run_recheck, "为一项责令改正安排复查", acting=True, required=True)
    later = add_command(kinds, "extend", run_extend, "延长期限，写明理由", acting=True, required=True)
    ended = add_command(kinds, "close", run_close, "办结，写明结果；没有解决的写明下一项处置", acting=True, required=True)
    for command in (shown, sent, back, checked, later, ended):
        command.add_argument("follow_up", metavar="FOLLOWUP", type=whole(1, 10**9), help="后续处置编号")
    for command in (sent, back, ended):
        command.add_argument("--on", metavar="YYYY-MM-DD", default="", help="哪一天，默认今天")
    for command in (sent, back, checked):
        command.add_argument("--note", default="", help="情况；移送、抄告的写明哪个单位、文号")
    checked.add_argument("--days", type=_DAYS, required=True, help="几个工作日内复查")
    later.add_argument("--days", type=_DAYS, required=True, help="延长几个工作日")
    later.add_argument("--reason", required=True, help="理由")
    ended.add_argument("--result", required=True, help="怎样办结的，只存档")
    ended.add_argument("--ending", choices=list(ENDINGS), default="done", help="；".join(f"{code} {label}" for code, label in ENDINGS.items()))
    ended.add_argument("--then", choices=[kind for kind in KINDS if kind != "none"], default="", help="没有解决时的下一项处置")
    ended.add_argument("--days", type=_DAYS, default=0, help="下一项几个工作日内办结")
    ended.add_argument("--note", default="", help="下一项的说明")


def list_follow_ups(rows: Sequence[Mapping[str, Any]], words: str = "没有办结") -> None:
    """A line each, and how many; `rows`: of steps.follow_ups.load_follow_ups."""
    for row in rows:
        due = f"{row['due'].on}{'（逾期）' if row['late'] else ''}" if row["due"].on else _WITHOUT_DAY[row["due"].state]
        say(f"{row['id']}　{row['record.visit.entity_code']}　{KINDS[row['kind']].label}　{due}")
    say(f"{words}的后续处置 {len(rows)} 项。")


async def run_list(args: Namespace) -> None:
    async with acting(args) as (act, _):
        list_follow_ups(await steps.load_follow_ups(act, args.state, _MOST, kind=args.kind, due=args.due), "没有办结" if args.state == "open" else STATES[args.state])


async def run_show(args: Namespace) -> None:
    async with acting(args) as (act, _):
        view = await steps.load_follow_up(act, args.follow_up)
    row = view["row"]
    say(f"{row['id']}　{view['visit']['entity_code']}　{view['kind'].label}　{STATES[row['state']]}")
    print_table([(_day_of(one), "，".join(filter(None, (one["words"], one["note"].replace("\n", " "), one["by"])))) for one in view["history"]])
    if row["state"] != "closed":
        say(f"期限：{row['due'].on or _WITHOUT_DAY[row['due'].state]}")


def _day_of(one: Mapping[str, Any]) -> str:
    return str(one["on"] or one["at"].date())


async def run_issue(args: Namespace) -> None:
    async with acting(args) as (act, _):
        await steps.issue_follow_up(act, args.follow_up, parse_day(args.on, "日期") if args.on else act.today, args.note)
        kind = (await steps.load_follow_up(act, args.follow_up))["row"]["kind"]
    say(f"后续处置 {args.follow_up} 已登记：{label_of(kind, 'issue')}。")


async def run_answer(args: Namespace) -> None:
    async with acting(args) as (act, _):
        due = await steps.answer_follow_up(act, args.follow_up, parse_day(args.on, "日期") if args.on else act.today, args.note)
    say(f"后续处置 {args.follow_up} 已登记回复{f'，{due} 以前办结' if due else ''}。")


async def run_recheck(args: Namespace) -> None:
    async with acting(args) as (act, _):
        made = await steps.order_recheck(act, args.follow_up, args.days, args.note)
    say(f"已安排复查，编号 {made}。")


async def run_extend(args: Namespace) -> None:
    async with acting(args) as (act, _):
        due = await steps.extend_follow_up(act, args.follow_up, args.days, args.reason)
    say(f"后续处置 {args.follow_up} 的期限已延长{f'到 {due}' if due else '，新期限所在年份的工作日安排尚未公布'}。")


async def run_close(args: Namespace) -> None:
    if not args.then and (args.days or args.note):
        raise BadInput("--days 和 --note 说的是下一项处置，请同时写 --then。")
    then = steps.Next(args.then, args.days, args.note) if args.then else None
    async with acting(args) as (act, _):
        on = parse_day(args.on, "办结日期") if args.on else act.today
        made = await steps.close_follow_up(act, args.follow_up, on, args.result, args.ending, then)
    say(f"后续处置 {args.follow_up} 已办结，下次公示时结果页同步更新{f'；下一项编号 {made}' if made else ''}。")
