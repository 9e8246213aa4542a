"""portal plan profile|base|measure|approve|check|simulate|export, portal list take, portal caps allow|peace, portal classes adjust."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, _SubParsersAction
from datetime import date

from portal.cli.office import acting, print_table, read_file, say, write_file
from portal.cli.parsing import add_command, add_group, whole
from portal.cli.rounds import parse_day
from portal.domain.caps import REASONS
from portal.domain.errors import BadInput, NotFound
from portal.domain.profile import shown_ratio
from portal.domain.risk import CREDIT
from portal.prints.render import Printer
from portal.steps import base, caps, classes, outside, plan_below, profile, simulation
from portal.steps import plan as steps
from portal.steps.acting import Acting
from portal.store import plan

VERDICTS = {"met": "达到", "open": "视各任务重合情况", "missed": "达不到", "none": "没有下限"}


def add_commands(commands: _SubParsersAction) -> None:
    plans = add_group(commands, "plan", "年度计划：辖区规则、基数、测算、检查、模拟")
    rules = add_command(plans, "profile", run_profile, "导入本局的辖区规则（比例下限、期限、分类比例、频次上限）", acting=True)
    rules.add_argument("file", metavar="FILE", help="JSON 文件")
    frozen = add_command(plans, "base", run_base, "冻结年底的期末实有数，作为次年抽查比例的基数", acting=True, required=True)
    frozen.add_argument("year", type=whole(2000, 2999), metavar="YEAR", help="哪一年年底")
    _of_year(add_command(plans, "measure", run_measure, "测算计划：各任务按现在的名录能抽多少", acting=True, required=True))
    agreed = _of_year(add_command(plans, "approve", run_approve, "复核人批准计划；导入计划的人不能批准", acting=True, required=True))
    agreed.add_argument("--reason", default="", help="调整的理由，第二版起必写")
    _of_year(add_command(plans, "check", run_check, "计划与比例下限、差异化目标的差距，哪一行可以补上", acting=True, required=True))
    played = _of_year(add_command(plans, "simulate", run_simulate, "用一次性种子模拟全年：抽取、合并、匹配、频次上限", acting=True, required=True))
    played.add_argument("--runs", type=whole(1, 1000), default=11, metavar="N", help="模拟几遍，默认 11")
    played.add_argument("--seed", type=whole(0, 10**15), default=1, metavar="N", help="种子，默认 1；同一种子结果相同")

    _of_year(add_command(plans, "adopt", run_adopt, "把上级计划中由县级局自行抽取的行（县抽县查）列入本局计划的修改稿", acting=True, required=True))
    file = _of_year(add_command(plans, "export", run_export, "按公布的版式导出计划：XLSX 再导入即是同一份计划，PDF 是含分类比例的全表（不公开）", acting=True, required=True))
    file.add_argument("--to", required=True, metavar="FILE", help="写到哪个 .xlsx 或 .pdf 文件，不能已经存在")
    listed = "，".join(f"{code} {name}" for code, name in steps.LAYOUTS.items())
    file.add_argument("--layout", choices=list(steps.LAYOUTS), default="own", metavar="LAYOUT", help=f"版式，默认 own：{listed}")
    file.add_argument("--version", type=whole(1, 999), metavar="N", help="第几版，默认最新一版")

    lists = add_group(commands, "list", "外部抽取名单：安排检查")
    taken = add_command(lists, "take", run_take, "把导入的外部抽取名单作为任务的检查对象", acting=True, required=True)
    taken.add_argument("number", type=whole(1, 10**9), metavar="LIST", help="名单编号，见“外部抽取名单”页")

    limits = add_group(commands, "caps", "检查频次：登记例外事由、“无事不扰”名单")
    allowed = _of_holder(add_command(limits, "allow", run_allow, "登记可以不受频次限制的事由", acting=True, required=True))
    allowed.add_argument("--reason", required=True, choices=sorted(REASONS), help="；".join(f"{code} {name}" for code, name in REASONS.items()))
    allowed.add_argument("--item", default="", metavar="ITEM", help="只对一个事项，默认全部事项")
    allowed.add_argument("--note", required=True, help="来源，如投诉单号、交办文号")
    peace = _of_holder(add_command(limits, "peace", run_peace, "列入“无事不扰”名单", acting=True, required=True))
    peace.add_argument("--sector", action="append", default=[], metavar="SECTOR", help="只对一个领域，可写多个，默认全部")
    peace.add_argument("--note", required=True, help="列入的依据")


    graded = add_group(commands, "classes", "风险分类：动态调整")
    adjusted = _of_holder(add_command(graded, "adjust", run_adjust, "人工调整一户的分类，或恢复为导入的分类；到期前导入不会改动它", acting=True, required=True))
    adjusted.add_argument("--class", dest="grade", default="", metavar="CLASS", help="调整为哪一类；不写就是恢复为导入的分类")
    adjusted.add_argument("--scale", default=CREDIT, metavar="SCALE", help="分类体系，默认 credit 企业信用风险分类；其余见辖区规则")
    adjusted.add_argument("--reason", required=True, help="依据，如处罚决定书号、抽检报告号")


def _of_year(command: ArgumentParser) -> ArgumentParser:
    command.add_argument("year", type=whole(2000, 2999), metavar="YEAR", help="计划年度，取最新一版")
    return command


def _of_holder(command: ArgumentParser) -> ArgumentParser:
    command.add_argument("holder", metavar="CODE", help="统一社会信用代码")
    command.add_argument("--from", dest="since", metavar="DATE", help="起始日期，默认今天")
    command.add_argument("--to", dest="until", metavar="DATE", help="截止日期，默认没有期限")
    return command


async def _latest(act: Acting, year: int) -> dict:
    found = await plan.load_latest_plan({act.bureau["id"]}, year)
    if found is None:
        raise NotFound(f"没有 {year} 年的计划。请先导入：portal import plan 文件。")
    return found


def _days(args: Namespace, act: Acting) -> tuple[date, date | None]:
    return (
        parse_day(args.since, "起始日期") if args.since else act.today,
        parse_day(args.until, "截止日期") if args.until else None,
    )


async def run_profile(args: Namespace) -> None:
    data = read_file(args.file)
    async with acting(args) as (act, _):
        version = await profile.save_profile(act, data)
    say(f"辖区规则第 {version} 版已导入：{args.file}")


async def run_base(args: Namespace) -> None:
    async with acting(args) as (act, _):
        found = await base.freeze_base(act, args.year)
    say(f"{args.year} 年底的期末实有数已冻结。")
    print_table([("期末实有", found["size"]), ("其中未年报", found["silent"]), ("摘要", found["digest"])])


async def run_measure(args: Namespace) -> None:
    async with acting(args) as (act, _):
        count = await base.measure_plan(act, (await _latest(act, args.year))["id"])
    say(f"已测算 {count} 个任务。用 portal plan check {args.year} 看结果。")


async def run_approve(args: Namespace) -> None:
    async with acting(args) as (act, _):
        found = await _latest(act, args.year)
        await base.approve_plan(act, found["id"], args.reason)
    say(f"{args.year} 年度计划第 {found['version']} 版已批准。")


async def run_check(args: Namespace) -> None:
    async with acting(args) as (act, _):
        found = await base.load_standing(act, await _latest(act, args.year))
    for sentence in (*found.missing, *found.notes):
        say(sentence)
    for reach, changes in found.reaches:
        floor = f"下限 {shown_ratio(reach.floor_ppm)}，{reach.needed} 户" if reach.floor_ppm is not None else "没有下限"
        say(f"{reach.group[0]} {reach.group[1]}　基数 {reach.base} 户　{floor}　计划 {reach.least} 至 {reach.most} 户　{VERDICTS[reach.verdict]}")
        for change in changes[:3]:
            say(f"  第 {change.row} 行“{change.name}”由 {change.drawn} 户提高到 {change.count} 户（{shown_ratio(change.ppm)}），即可确保达到")
    part, whole_ = found.differentiated
    if whole_:
        target = f"，目标 {shown_ratio(found.target)}" if found.target is not None else ""
        say(f"差异化抽查户数占比 {part}/{whole_}（{shown_ratio(part * 1_000_000 // whole_)}）{target}")


async def run_adopt(args: Namespace) -> None:
    async with acting(args) as (act, _):
        found = await plan.load_latest_plan(frozenset(act.over), args.year)
        if found is None:
            raise NotFound(f"上级没有 {args.year} 年的计划。")
        _, added = await plan_below.adopt_below(act, found["id"])
    say(f"上级 {args.year} 年度计划中由县级局自行抽取的 {added} 行已列入本局的修改稿。请在年度计划页核对，保存为新的一版后由另一位复核人批准。")


async def run_export(args: Namespace) -> None:
    async with acting(args) as (act, office):
        found = await _latest(act, args.year)
        if args.version and args.version != found["version"]:
            number = args.version
            found = next((one for one in await plan.load_plans({act.bureau["id"]}) if (one["year"], one["version"]) == (args.year, number)), None)
            if found is None:
                raise NotFound(f"{args.year} 年的计划没有第 {number} 版。")
        if args.to.lower().endswith(".pdf"):
            if args.layout != "own":
                raise BadInput("PDF 只有一种版式，不能同时写 --layout。")
            about = {"bureau": act.bureau, "demo": office.settings.simulated, "as_of": act.today.isoformat()}
            context = {"about": about, "plan": await steps.load_official(act, found["id"])}
            with Printer(office.settings.data / "fonts", own_fonts=office.settings.fonts, workers=1) as printer:
                data = printer.render("plan", "plan_notice.html", context)
        else:
            _, data = await steps.export_plan(act, found["id"], args.layout)
    write_file(args.to, data)
    say(f"{args.year} 年度计划第 {found['version']} 版已导出：{args.to}")


async def run_simulate(args: Namespace) -> None:
    async with acting(args) as (act, _):
        found = await simulation.simulate_plan(act, (await _latest(act, args.year))["id"], args.seed, args.runs)
    say(f"模拟 {args.runs} 遍，种子 {args.seed}；中位数（最少～最多）：")
    print_table([(label, f"{row[0]:,}（{row[1]:,}～{row[2]:,}）") for label, row in simulation.shown(found)])


async def run_take(args: Namespace) -> None:
    async with acting(args) as (act, _):
        found = await outside.take_list(act, args.number)
    done = "以前已作为" if found["repeated"] else "已作为"
    say(f"名单{done} {found['round']} 安排检查，共 {found['picks']} 户。下一步：portal visits combine {found['round']}（中断了都可以再办一次，不会重复安排）")
    if found["unmatched"]:
        say(f"  名录中没有的 {len(found['unmatched'])} 户没有安排，在名单第 {'、'.join(map(str, found['unmatched'][:20]))} 行。请先补录名录。")
    if found["again"]:
        say(f"  以前已安排过的 {len(found['again'])} 户没有重复安排。")
    if found["foreign"]:
        say(f"  属于其他单位的 {len(found['foreign'])} 户没有安排：{'、'.join(found['foreign'][:20])}。请转交其属地。")


async def run_allow(args: Namespace) -> None:
    async with acting(args) as (act, _):
        new = await caps.allow(act, args.holder, args.item, args.reason, args.note, *_days(args, act))
    say(f"{'已登记' if new else '以前已登记，没有重复登记'}：{args.holder}　{REASONS[args.reason]}")


async def run_adjust(args: Namespace) -> None:
    async with acting(args) as (act, _):
        since, until = _days(args, act)
        new = await classes.adjust_class(act, args.holder, args.grade, args.reason, since, until, args.scale)
    done = f"分类已调整为 {args.grade}，到 {until}" if args.grade else "已恢复为导入的分类"
    say(f"{done if new else '以前已登记，没有重复登记'}：{args.holder}")


async def run_peace(args: Namespace) -> None:
    async with acting(args) as (act, _):
        new = await caps.leave_in_peace(act, args.holder, args.sector, args.note, *_days(args, act))
    say(f"{'已列入' if new else '以前已列入，没有重复列入'}“无事不扰”名单：{args.holder}")
