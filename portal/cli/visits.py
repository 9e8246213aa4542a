"""What comes after a draw: portal round replace, portal visits combine|assign|refill|split|reschedule|recuse."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Callable
from typing import Any

from portal.cli.office import acting, print_table, say
from portal.cli.parsing import add_command, parse_day
from portal.steps import arrange, assign, replacement, split, visits
from portal.store import directory

AddRound = Callable[[_SubParsersAction, str, Any, str], ArgumentParser]  # a command on one round


def add_replace(add: AddRound, rounds: _SubParsersAction) -> None:
    replaced = add(rounds, "replace", run_replace, "补抽：在约定的日子，注销、吊销、迁出的由下一顺位递补，只办一次；已办过的显示原结果")
    replaced.add_argument("--preview", action="store_true", help="只看现在有谁注销、吊销、迁出，不办理")


def add_commands(add: AddRound, group: _SubParsersAction) -> None:
    add(group, "combine", run_combine, "把抽中的任务合并为一次入企")
    add(group, "assign", run_assign, "随机匹配执法人员")
    again = add(group, "refill", run_refill, "空出的名额重新随机匹配：有人请假、新登记回避，或原来没有匹配上；其余不动")
    again.add_argument("--absent", action="append", default=[], metavar="NUMBER", help="不能参加的人员的工号，可写多个；以前补派时写过、现在仍不能参加的也要写")
    again.add_argument("--lend", action="append", default=[], metavar="STATION", help="可以借调人员的所的编号，可写多个；借哪一个人仍由系统抽")
    again.add_argument("--reason", required=True, help="原因，记入审计")
    apart = add_command(group, "split", run_split, "把一次合并的入企分开：几项任务另行入企，原来的人员不变", acting=True, required=True)
    apart.add_argument("visit", metavar="VISIT", help="入企编号")
    apart.add_argument("--task", action="append", required=True, metavar="TASK", help="分出去的任务编号，可写多个")
    apart.add_argument("--on", required=True, metavar="DATE", help="另行入企的日期")
    apart.add_argument("--reason", default="", help="原因，两次入企都显示，记入审计；办理时必须写")
    apart.add_argument("--preview", action="store_true", help="只看分开以后怎样，不办理")
    moved = add_command(group, "reschedule", run_reschedule, "把一次入企改到检查期限内的另一天（所队负责人、计划员）", acting=True, required=True)
    moved.add_argument("--on", required=True, metavar="DATE", help="改到哪一天")
    away = add_command(group, "recuse", run_recuse, "申报回避：派到这次入企的一个人不去这一户，名额空出来等补派", acting=True, required=True)
    away.add_argument("--inspector", required=True, metavar="NUMBER", help="回避的人的工号")
    for one in (moved, away):
        one.add_argument("visit", metavar="VISIT", help="入企编号")
        one.add_argument("--reason", required=True, help="原因")


async def run_replace(args: Namespace) -> None:
    if args.preview:
        await _preview(args)
        return
    async with acting(args) as (act, _):
        made = await replacement.replace_struck(act, args.round)
        rows = [(task, struck, new) for task, found in made["document"]["tasks"].items() for _, struck, new in found]
        names = await directory.load_entities({code for _, struck, new in rows for code in (struck, new) if code})
    counts, document = made["counts"], made["document"]
    say(f"轮次 {args.round} {'已经补抽过，这是原来的结果' if made['again'] else '已补抽'}，约定 {document['replace_on']}，办理 {document['done_on']}")
    print_table([
        ("注销、吊销、迁出", f"{counts['entities']:,} 户，{counts['picks']:,} 户次"), ("已递补", f"{counts['filled']:,} 户次"),
        ("同层无人可补", f"{counts['empty']:,} 户次"), ("已检查，不递补", f"{counts['kept']:,} 户"),
    ])  # fmt: skip
    for task, struck, new in rows:
        status = document["struck"][struck]["status"]
        taken = f"{new} {names[new]['name']}" if new else "同层无人可补"
        say(f"  {task}　{struck} {names[struck]['name']}（{status}） → {taken}")
    for task, code, reason in made["blocked"]:
        say(f"  {task}　{code} 受频次限制，不安排入企：{reason}")
    for visit, slot in made["unfilled"]:
        say(f"  {visit} 第 {slot + 1} 个名额没有合适的人员，请向邻近单位借调后再补")


async def _preview(args: Namespace) -> None:
    async with acting(args) as (act, _):
        seen = await replacement.preview_replacement(act, args.round)
    say(f"轮次 {args.round} 约定 {seen['on']} 补抽。按现在的名录会补抽 {seen['picks']:,} 户次，其中同层无人可补 {seen['empty']:,} 户次；没有办理。")
    for one in seen["struck"]:
        kept = "，已检查，不递补" if one["kept"] else ""
        say(f"  {one['code']} {one['name']}　{one['status']}{kept}　{'、'.join(one['tasks'])}")


async def run_refill(args: Namespace) -> None:
    async with acting(args) as (act, _):
        found = await assign.refill_slots(act, args.round, args.absent, args.reason, lenders=args.lend)
    say(f"{args.round}：空出 {found['emptied']} 个名额，补上 {found['filled']} 个")
    for visit, slot in found["unfilled"]:
        say(f"  {visit} 第 {slot + 1} 个名额没有合适的人员，请向邻近单位借调后再补")


async def run_split(args: Namespace) -> None:
    on = parse_day(args.on, "入企日期")
    async with acting(args) as (act, _):
        if args.preview:
            view = await split.load_split(act, args.visit, args.task, on)
            if view["refusal"]:
                raise view["refusal"]
            say(f"入企检查 {args.visit} 可以分开，{on} 另行入企；没有办理。")
            for task in view["tasks"]:
                say(f"  {'分出' if task['chosen'] else '留下'}　{task['code']} {task['name']}")
            return
        made = await split.split_visit(act, args.visit, args.task, args.reason, on)
    say(f"入企检查 {args.visit} {'已经分开过' if made['again'] else '已分开'}，{on} 另行入企的编号是 {made['visit']}。")


async def run_reschedule(args: Namespace) -> None:
    on = parse_day(args.on, "入企日期")
    async with acting(args) as (act, _):
        made = await arrange.reschedule(act, args.visit, on, args.reason)
    say(f"入企检查 {args.visit} {'已改到' if made else '本来就在'} {on}。")


async def run_recuse(args: Namespace) -> None:
    async with acting(args) as (act, _):
        people = (await arrange.load_arranging(act, args.visit))["people"]
        code = next((one["code"] for one in people if args.inspector in (one["number"], one["code"])), args.inspector)
        made = await arrange.recuse(act, args.visit, code, args.reason)
    say(f"{args.inspector} 对入企检查 {args.visit} 的对象{'已登记回避，请计划员补派' if made else '登记过回避'}。")


async def run_combine(args: Namespace) -> None:
    async with acting(args) as (act, _):
        made = await visits.combine_visits(act, args.round)
    say(f"轮次 {args.round} {'已经合并过' if made['again'] else '已合并入企'}")
    print_table([("抽中户次", made["picks"]), ("入企次数", made["visits"]), ("少跑", made["avoided"])])


async def run_assign(args: Namespace) -> None:
    async with acting(args) as (act, _):
        made = await assign.assign_inspectors(act, args.round)
    say(f"轮次 {args.round} {'已经匹配过' if made['again'] else '已匹配执法人员'}")
    print_table([("名额", made["slots"]), ("已匹配", made["filled"]), ("参加人数", made["people"]), ("未匹配", len(made["unfilled"]))])
    if not made["slots"]:
        say("本轮的任务都并入了别的轮次还没有办完的入企，由那里的人员一并检查，不另派人。")
