"""portal init | bureau | clock | sample."""

from __future__ import annotations

import json
from argparse import Namespace, _SubParsersAction
from pathlib import Path

from portal.cli.office import acting, database, load_sectors, print_table, read_file, say
from portal.cli.parsing import add_command, add_group, whole
from portal.domain.errors import BadInput, WrongMoment
from portal.domain.sample import sample_plan
from portal.domain.sample_profile import sample_profile
from portal.settings import load_settings
from portal.sheets.read import read_sheet
from portal.sheets.write import write_xlsx
from portal.steps import sample, setup
from portal.steps.acting import stamp
from portal.steps.plan import import_plan
from portal.store import rights, schema
from portal.store.engine import transaction
from portal.store.passwords import make_password

MOST_ENTITIES = 31**6 // 2  # the sample's codes end there


def add_commands(commands: _SubParsersAction) -> None:
    init = add_command(commands, "init", run_init, "建立数据库、密钥和首批账号，打印一次性密码；已有的数据库只做升级")
    init.add_argument("--name", default="（未定名）市场监督管理局", help="本局名称")
    init.add_argument("--app-role", default="", metavar="NAME", help="PostgreSQL 应用账号的名称，默认 <数据库名>_app；没有时建立")
    init.add_argument("--region", default=setup.UNNAMED, help="行政区划代码，6 位")

    bureaus = add_group(commands, "bureau", "单位：在本单位之下建立下级单位")
    added = add_command(bureaus, "add", run_add_bureau, "建立下级单位（市局之下的县局）和它的首批账号，打印一次性密码", acting=True)
    added.add_argument("region", metavar="REGION", help="下级单位的行政区划代码，6 位")
    added.add_argument("name", metavar="NAME", help="下级单位名称")

    partner = add_command(bureaus, "partner", run_add_partner, "登记部门联合检查的其他部门（如教育局）和它的首批账号，打印一次性密码", acting=True)
    partner.add_argument("name", metavar="NAME", help="部门全称；计划的牵头、配合部门和人员名录的所属单位按它认")

    clock = add_command(commands, "clock", run_clock, "显示时刻，或把模拟时钟拨到某一时刻（只用于演示和测试，只能向前）")
    clock.add_argument("at", nargs="?", metavar="TIME", help="YYYY-MM-DDTHH:MM:SS+08:00；不写则显示现在的时刻")


    made = add_command(commands, "sample", run_sample, "装入虚构的望溪县样例；sample answers ROUND 为一轮抽查生成模拟答案", acting=True)
    made.add_argument("what", nargs="?", choices=["answers"], metavar="answers", help="生成模拟答案，不写则装入样例")
    made.add_argument("round", nargs="?", metavar="ROUND", help="轮次编号，answers 时必填")
    made.add_argument("--entities", type=whole(1, MOST_ENTITIES), default=4000, metavar="N", help="检查对象户数，默认 4000")
    made.add_argument("--seed", type=whole(0, 2**53), default=1, metavar="S", help="随机种子，同一种子得到同样的内容，默认 1")
    made.add_argument("--out", metavar="FILE", help="答案写到哪个文件，默认数据目录下 sample/<轮次>-answers.jsonl")


async def run_init(args: Namespace) -> None:
    settings = load_settings()
    now, keys, sectors = settings.now(), settings.data / "keys", load_sectors(settings)
    if not args.name.strip():
        raise BadInput("本局名称不能是空的。")
    settings.data.mkdir(parents=True, exist_ok=True)
    async with database(settings):
        if not all((keys / name).exists() for name in ("portal.key", "log.key")) and not await schema.is_empty():
            # New keys would open nothing that the old ones sealed, and would sign another log.
            raise WrongMoment(f"数据库已有内容，而密钥文件夹“{keys}”里缺少密钥。请从备份恢复密钥，不能另造。")
        await rights.require_owner(args.app_role)
        made = await setup.init(
            key_folder=keys, name=args.name.strip(), region=args.region, now=now, stamp=stamp(now), sectors=sectors
        )
        application = await rights.install(make_password, args.app_role)
    say(f"已建立：{settings.data}" if made else f"已是最新：{settings.data}")
    if made:
        say("一次性密码只显示这一次，首次登录须修改：")
        print_table([(f"{c.login}（{c.roles}）", c.password) for c in made])
    if application and application.made:
        say(f"PostgreSQL 应用账号“{application.role}”已建立，密码只显示这一次。运行门户和其他命令时使用：")
        say(f"  DATABASE_URL={application.url}")
    elif application:
        say(f"PostgreSQL 应用账号“{application.role}”的权限已更新。")


async def run_add_bureau(args: Namespace) -> None:
    async with acting(args) as (act, _):
        made = await setup.add_bureau(act, args.region, args.name)
    say(f"已建立：{args.name.strip()}（{args.region}），隶属{act.bureau['name']}")
    say("一次性密码只显示这一次，首次登录须修改：")
    print_table([(f"{one.login}（{one.roles}）", one.password) for one in made])


async def run_add_partner(args: Namespace) -> None:
    async with acting(args) as (act, _):
        code, made = await setup.add_partner(act, args.name)
    say(f"已登记：{args.name.strip()}（{code}），与{act.bureau['name']}联合检查")
    say("一次性密码只显示这一次，首次登录须修改：")
    print_table([(f"{one.login}（{one.roles}）", one.password) for one in made])


def run_clock(args: Namespace) -> None:
    settings = load_settings()
    if args.at is None:
        say(stamp(settings.now()))
    else:
        say(f"模拟时钟已拨到 {stamp(settings.set_clock(args.at))}。")


async def run_sample(args: Namespace) -> None:
    if args.what == "answers":
        await _answers(args)
        return
    if args.round:
        raise BadInput(f"不认识的参数“{args.round}”。装入样例写 portal sample --entities N --seed S。")
    async with acting(args) as (act, office), transaction():  # all of the sample or nothing
        act.require("directory.import")
        act.require("plan.import")
        await sample.require_empty(act)
        await sample.name_sample_bureau(args.seed)
        act = await office.acting(args.as_login)  # the bureau has its name now
        counts = await sample.fill_sample(act, args.entities, args.seed, say)
        file = office.settings.data / "sample" / "plan.xlsx"
        report = await import_plan(act, *write_plan(file, args.seed))
        rules = file.with_name("profile.json")
        write_profile(rules, args.seed)
    say(f"样例已装入：{act.bureau['name']}")
    print_table([("检查对象", counts["entities"]), ("执法人员", counts["inspectors"]), ("回避", counts["recusals"])])
    print_table(list(report.counts.items()))
    say(f"示例辖区规则已写到 {rules}，核对后导入：portal plan profile {rules}")


def write_plan(file: Path, seed: int):
    """Write the sample plan as XLSX in the official layout and read it back as any plan is read."""
    sheet = sample_plan(seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    data = write_xlsx(sheet.rows, name=sheet.name, heading=2, merged=sheet.merged)
    file.write_bytes(data)
    return read_sheet(read_file(str(file)), file.name), data


def write_profile(file: Path, seed: int) -> bytes:
    """Write the sample's jurisdiction profile, to be changed and imported with `portal plan profile`; its bytes."""
    data = json.dumps(sample_profile(seed), ensure_ascii=False, indent=2).encode() + b"\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return data


async def _answers(args: Namespace) -> None:
    if not args.round:
        raise BadInput("请写明轮次编号，例如 portal sample answers 359921-2026-R01。")
    async with acting(args) as (act, office):
        lines = await sample.make_answers(act, args.round, args.seed)
        file = Path(args.out) if args.out else office.settings.data / "sample" / f"{args.round}-answers.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.new")
        count = 0
        with fresh.open("wb") as stream:
            for line in lines:
                stream.write(line)
                count += 1
        fresh.replace(file)  # a killed run leaves the old file or none, never half of one
    say(f"{count} 份模拟记录已写到 {file}")
