"""portal init | clock | plugins | sample."""

from __future__ import annotations

from argparse import Namespace, _SubParsersAction
from pathlib import Path

from portal.cli.office import acting, load_sectors, print_table, read_file, say
from portal.domain.errors import BadInput
from portal.domain.sample import sample_plan
from portal.settings import load_settings
from portal.sheets.read import read_sheet
from portal.sheets.write import write_xlsx
from portal.steps import sample, setup
from portal.steps.acting import stamp
from portal.steps.plan import import_plan
from portal.store import engine


def add_commands(commands: _SubParsersAction) -> None:
    init = commands.add_parser("init", help="建立数据库、密钥和首批账号，打印一次性密码；已有的数据库只做升级")
    init.add_argument("--name", default="（未定名）市场监督管理局", help="本局名称")
    init.add_argument("--region", default=setup.UNNAMED, help="行政区划代码，6 位")
    init.set_defaults(run=run_init)

    clock = commands.add_parser("clock", help="把模拟时钟拨到某一时刻（只用于演示和测试，只能向前）")
    clock.add_argument("at", nargs="?", help="YYYY-MM-DDTHH:MM:SS+08:00；不写则显示现在的时刻")
    clock.set_defaults(run=run_clock)

    plugins = commands.add_parser("plugins", help="列出业务模块、版本、事项和表单")
    plugins.set_defaults(run=run_plugins)

    made = commands.add_parser("sample", help="装入虚构的望溪县样例，或为一轮抽查生成模拟答案")
    made.add_argument("what", nargs="?", choices=["answers"], help="answers：生成模拟答案")
    made.add_argument("round", nargs="?", help="轮次编号（answers 时必填）")
    made.add_argument("--entities", type=int, default=4000, metavar="N", help="检查对象户数，默认 4000")
    made.add_argument("--seed", type=int, default=1, metavar="S", help="随机种子，同一种子得到同样的内容")
    made.add_argument("--out", metavar="FILE", help="答案写到哪个文件，默认数据目录下 sample/<轮次>-answers.jsonl")
    made.add_argument("--as", dest="as_login", metavar="LOGIN", help="以哪个账号办理")
    made.set_defaults(run=run_sample)


async def run_init(args: Namespace) -> None:
    settings = load_settings()
    settings.data.mkdir(parents=True, exist_ok=True)
    await engine.open_engine(settings.database_url)
    try:
        now = settings.now()
        made = await setup.init(
            key_folder=settings.data / "keys", name=args.name, region=args.region, now=now, stamp=stamp(now),
            sectors=load_sectors(settings),
        )  # fmt: skip
    finally:
        await engine.close_engine()
    say(f"已建立：{settings.data}" if made else f"已是最新：{settings.data}")
    if made:
        say("一次性密码只显示这一次，首次登录须修改：")
        print_table([(f"{c.login}（{c.roles}）", c.password) for c in made])


def run_clock(args: Namespace) -> None:
    settings = load_settings()
    if args.at is None:
        say(stamp(settings.now()))
    else:
        say(f"模拟时钟已拨到 {stamp(settings.set_clock(args.at))}。")


def run_plugins(args: Namespace) -> None:
    sectors = load_sectors(load_settings())
    for code, sector in sorted(sectors.sectors.items()):
        items = [item for item in sectors.items if item.code.startswith(f"{code}.")]
        forms = [form for form in sectors.forms if form.code.startswith(f"{code}.")]
        say(f"{code}　{sector.name}　版本 {sector.version}　事项 {len(items)}　表单 {len(forms)}")
        for item in items:
            say(f"  {item.code} {item.version}　{item.name}")
    for name in sectors.skipped:
        say(f"{name}　样例模块，PORTAL_SECTORS 写明时才装入")


async def run_sample(args: Namespace) -> None:
    if args.what == "answers":
        await _answers(args)
        return
    if args.entities < 1:
        raise BadInput(f"--entities {args.entities} 应不小于 1。")
    async with acting(args) as (act, office):
        act.require("directory.import")
        await sample.require_empty(act)
        await sample.name_sample_bureau(args.seed)
        act = await office.acting(args.as_login)  # the bureau has its name now
        counts = await sample.fill_sample(act, args.entities, args.seed, say)
        file = office.settings.data / "sample" / "plan.xlsx"
        report = await import_plan(act, *write_plan(file, args.seed))
    say(f"样例已装入：{act.bureau['name']}")
    print_table([("检查对象", counts["entities"]), ("执法人员", counts["inspectors"]), ("回避", counts["recusals"])])
    print_table(list(report.counts.items()))


def write_plan(file: Path, seed: int):
    """Write the sample plan as XLSX in the official layout and read it back as any plan is read."""
    sheet = sample_plan(seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    data = write_xlsx(sheet.rows, name=sheet.name, heading=2, merged=sheet.merged)
    file.write_bytes(data)
    return read_sheet(read_file(str(file)), file.name), data


async def _answers(args: Namespace) -> None:
    if not args.round:
        raise BadInput("请写明轮次编号，例如 portal sample answers 359921-2026-R01。")
    async with acting(args) as (act, office):
        lines = await sample.make_answers(act, args.round, args.seed)
        file = Path(args.out) if args.out else office.settings.data / "sample" / f"{args.round}-answers.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(file.name + ".new")
        count = 0
        with fresh.open("wb") as stream:
            for line in lines:
                stream.write(line)
                count += 1
        fresh.replace(file)  # a killed run leaves the old file or none, never half of one
    say(f"{count} 份模拟记录已写到 {file}")
