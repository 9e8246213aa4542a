"""portal pool freeze|check, portal round create|share|commit|source|release|draw|reveal|void|export; the rest of a round is in visits.py."""

from __future__ import annotations

import re
import shutil
from argparse import ArgumentParser, Namespace, _SubParsersAction
from dataclasses import replace
from pathlib import Path
from typing import Any

from portal.cli import visits
from portal.cli.check import list_bundle
from portal.cli.office import acting, print_table, read_line, say
from portal.cli.parsing import add_command, add_group, parse_day, whole
from portal.cli.secret_files import own_secret, with_copy
from portal.domain.errors import BadInput
from portal.jobs import release_site
from portal.settings import parse_moment
from portal.steps import bundles, commit, draw, pool

#: well-known lotteries by the words in an issue's name: [[how many, lowest, highest], ...]
LOTTERIES = {
    "快乐8": [[20, 1, 80]],
    "双色球": [[6, 1, 33], [1, 1, 16]],
    "大乐透": [[5, 1, 35], [2, 1, 12]],
}

STRATA_HELP = "分层：none 不分，class 按信用风险分类，list 专列名单全部检查（后两种只用于密封轮次）"
MOST = 1_000_000  # of a number of reserves or a least number


def add_commands(commands: _SubParsersAction) -> None:
    pools = add_group(commands, "pool", "冻结任务的名录")
    freeze = add_command(pools, "freeze", run_freeze, "把现在的名录固定为任务的抽取名单", acting=True)
    freeze.add_argument("tasks", nargs="+", metavar="TASK", help="任务编号")
    freeze.add_argument("--strata", choices=sorted(pool.STRATA), default="none", help=STRATA_HELP)
    looked = add_command(pools, "check", run_check_pool, "冻结以前先看：户数、各层、没有分类的、会被排除的；不冻结", acting=True, required=True)
    looked.add_argument("task", metavar="TASK", help="任务编号")
    looked.add_argument("--strata", choices=sorted(pool.STRATA), default="none", help=STRATA_HELP)

    rounds = add_group(commands, "round", "抽取轮次：拟制、公布承诺、录入号码、抽取、公开、作废、导出")
    create = add_command(rounds, "create", run_create, "拟一轮抽取", acting=True)
    create.add_argument("tasks", nargs="+", metavar="TASK", help="任务编号")
    create.add_argument("--title", required=True, help="名称，向社会公布")
    create.add_argument("--disclosure", choices=["open", "sealed"], default="open", help="open 公开可验证，sealed 密封")
    create.add_argument(
        "--source", action="append", default=[], metavar="NAME@TIME[@GROUPS]",
        help="号码来源，如 '福彩快乐8 第2026320期@2026-12-01T21:30:00+08:00'；其他来源写明形状，如 @6/1-33,1/1-16",
    )  # fmt: skip
    create.add_argument("--holder", action="append", default=[], metavar="NAME=LOGIN", help="密值持有人和账号，可写多个")
    create.add_argument("--draw-not-before", required=True, metavar="TIME", help="最早抽取时间")
    create.add_argument("--window", metavar="FROM..TO", help="检查时段，默认取各任务实施时间的重叠部分")
    create.add_argument("--reveal-due", metavar="DATE", help="密值最迟公开日，默认检查时段结束后 10 日")
    create.add_argument("--reserve", type=whole(0, MOST), default=5, metavar="N", help="每层备选户数，默认 5")
    create.add_argument("--minimum", type=whole(0, MOST), default=0, metavar="N", help="每层至少抽取户数，默认 0")
    create.add_argument("--rounding", choices=["ceil", "lr"], default="ceil", help="取整方式")
    create.add_argument("--suite", choices=["sha256", "sm3"], default="sha256", help="摘要算法")

    tried = add_command(rounds, "try", run_try, "试算户数：这几项任务一起拟一轮会抽多少户；不拟轮次，不抽任何一户", acting=True)
    tried.add_argument("tasks", nargs="+", metavar="TASK", help="任务编号，名录已冻结")
    tried.add_argument("--disclosure", choices=["open", "sealed"], default="open", help="open 公开可验证，sealed 密封")
    tried.add_argument("--minimum", type=whole(0, MOST), default=0, metavar="N", help="每层至少抽取户数，默认 0")
    tried.add_argument("--rounding", choices=["ceil", "lr"], default="ceil", help="取整方式")

    share = _round(rounds, "share", run_share, "持有人生成自己的密值，用口令加密保存")
    share.add_argument("--passphrase-file", required=True, metavar="FILE", help="口令文件，一行")
    share.add_argument(
        "--secret-file", metavar="FILE", help="文件已有：用其中一行 64 位十六进制作为密值；还没有：把新密值的副本写进去。不写则打印副本，交第三方封存",
    )  # fmt: skip
    _round(rounds, "commit", run_commit, "复核并公布承诺，随即发布公示网站")
    source = _round(rounds, "source", run_source, "录入号码")
    source.add_argument("n", type=whole(1, 99), metavar="N", help="第几个来源，从 1 数起")
    source.add_argument("value", metavar="VALUE", help="号码，如 4.11.17.23.28.32./9./ ；72 小时未开奖写 -")
    release = _round(rounds, "release", run_release, "持有人交出密值用于抽取")
    how = release.add_mutually_exclusive_group(required=True)
    how.add_argument("--passphrase-file", metavar="FILE", help="口令文件，一行")
    how.add_argument("--secret-file", metavar="FILE", help="口令遗失时：第三方启封的密值副本，64 位十六进制，一行")
    _round(rounds, "draw", run_draw, "抽取；已抽取的显示原结果，不会重抽")
    _round(rounds, "reveal", run_reveal, "公开轮次：检查结束后公开密值；密封轮次：移交监督机构")
    void = _round(rounds, "void", run_void, "作废尚未开奖的轮次：一人提出，另一人用同一命令批准")
    void.add_argument("--reason", required=True, help="原因，向社会公布")
    export = _round(rounds, "export", run_export, "导出抽取文件夹")
    export.add_argument("--public", action="store_true", help="只导出可公开的文件")
    export.add_argument("--to", metavar="DIR", help="目标文件夹，默认数据目录下 draws/<轮次>")

    visits.add_replace(_round, rounds)
    visits.add_commands(_round, add_group(commands, "visits", "合并入企、匹配执法人员"))


def _round(commands: _SubParsersAction, name: str, run: Any, help: str) -> ArgumentParser:
    command = add_command(commands, name, run, help, acting=True)
    command.add_argument("round", metavar="ROUND", help="轮次编号")
    return command


def parse_source(text: str) -> dict[str, Any]:
    """`NAME@TIME[@GROUPS]` -> name, drawn_at, groups; the shape of a well-known lottery need not be written."""
    parts = text.split("@")
    if len(parts) == 2:
        shape = next((groups for word, groups in LOTTERIES.items() if word in parts[0]), None)
        if shape is None:
            raise BadInput(f"来源“{parts[0]}”的号码形状不知道，请写成 NAME@TIME@6/1-33,1/1-16。")
        return {"name": parts[0], "drawn_at": parts[1], "groups": shape}
    groups = [re.fullmatch(r"([0-9]{1,4})/([0-9]{1,10})-([0-9]{1,10})", group) for group in parts[2].split(",")] if len(parts) == 3 else []
    if not groups or not all(groups):
        raise BadInput(f"来源“{text}”写法不对，应为 NAME@TIME 或 NAME@TIME@6/1-33,1/1-16。")
    return {"name": parts[0], "drawn_at": parts[1], "groups": [[int(n) for n in group.groups()] for group in groups if group]}


def parse_holder(text: str) -> dict[str, str]:
    name, found, login = text.partition("=")
    if not found or not name or not login:
        raise BadInput(f"持有人“{text}”写法不对，应为 名称=账号，如 信用监管科=planner。")
    return {"holder": name, "login": login}


async def run_freeze(args: Namespace) -> None:
    async with acting(args) as (act, _):
        for task in args.tasks:
            made = await pool.freeze_pool(act, task, args.strata)
            if made["unclassed"]:
                say(f"{task}：有 {made['unclassed']:,} 户没有分类，按未分类的比例抽取")
            say(f"{task}：名录 {made['size']:,} 户已冻结，排除 {made['excluded_size']:,} 户，可抽 {made['size'] - made['excluded_size']:,} 户")


async def run_check_pool(args: Namespace) -> None:
    async with acting(args) as (act, _):
        found = await pool.check_pool(act, args.task, args.strata)
    rows: list[tuple[str, object]] = [("名录", f"{found['size']:,} 户"), ("会被排除", f"{found['excluded']:,} 户")]
    rows += [(f"　{pool.RULES[rule]}", f"{count:,} 户") for rule, count in sorted(found["rules"].items())]
    rows += [(f"分层“{name}”", f"{size:,} 户") for name, size in found["strata"].items() if name != "*"]
    print_table(rows)
    if found["unclassed"]:
        say(f"没有分类的 {found['unclassed']:,} 户，按未分类的比例抽取，例如：{'、'.join(found['missing'])}")


async def run_create(args: Namespace) -> None:
    window = None
    if args.window:
        first, found, last = args.window.partition("..")
        if not found:
            raise BadInput(f"检查时段“{args.window}”应为 起..止，如 2026-07-01..2026-07-31。")
        window = (parse_day(first, "检查时段"), parse_day(last, "检查时段"))
    if parse_moment(args.draw_not_before) is None:
        raise BadInput(f"最早抽取时间“{args.draw_not_before}”应为 YYYY-MM-DDTHH:MM:SS+08:00。")
    async with acting(args) as (act, _):
        code = await commit.create_round(
            act, args.tasks, title=args.title, disclosure=args.disclosure,
            sources=[parse_source(text) for text in args.source], holders=[parse_holder(text) for text in args.holder],
            window=window, draw_not_before=args.draw_not_before,
            reveal_due=parse_day(args.reveal_due, "密值公开日") if args.reveal_due else None,
            rounding=args.rounding, minimum=args.minimum, reserve=args.reserve, suite=args.suite,
        )  # fmt: skip
    say(f"已拟轮次 {code}，请各持有人生成密值后由复核人公布承诺。")


async def run_try(args: Namespace) -> None:
    async with acting(args) as (act, _):
        found = await commit.try_round(act, args.tasks, disclosure=args.disclosure, rounding=args.rounding, minimum=args.minimum)
    for one in found:
        rows: list[tuple[str, object]] = [("名录", f"{one['size']:,} 户"), ("可抽", f"{one['free']:,} 户"), ("会抽", f"{one['drawn']:,} 户")]
        rows += [(f"　分层“{name}”", f"{size:,} 户，可抽 {free:,} 户，应抽 {wanted:,} 户") for name, size, free, wanted in one["strata"] if name != "*"]
        say(one["code"])
        print_table(rows)


async def run_share(args: Namespace) -> None:
    passphrase = read_line(args.passphrase_file, "口令文件")
    place = Path(args.secret_file) if args.secret_file else None
    given = own_secret(place)
    async with acting(args) as (act, _):
        if given or not place:
            made = await commit.make_share(replace(act, token_bytes=lambda _: given) if given else act, args.round, passphrase)
        else:
            with with_copy(place) as write:
                made = await commit.make_share(act, args.round, passphrase)
                write(made["secret"])
    say(f"密值已{'收下' if given else '生成'}，承诺 {made['commit']}")
    if given:
        say(f"密值取自 {place}，请交第三方封存后从本机删除。")
    elif place:
        say(f"密值副本已写入 {place}，请交第三方封存后从本机删除。")
    else:
        say(f"密值副本（只显示这一次，请交第三方封存）：{made['secret']}")


async def run_commit(args: Namespace) -> None:
    async with acting(args) as (act, office):
        made = await commit.commit_round(act, args.round)
        say(f"轮次 {args.round} 承诺已公布（{made['label']}），摘要 {made['digest']}，存证第 {made['log']} 条")
        site = await release_site(act, office.settings)
        say(f"公示网站已发布 {site['id']}，变动 {site['changed']} 个文件")


async def run_source(args: Namespace) -> None:
    async with acting(args) as (act, _):
        await draw.enter_source(act, args.round, args.n - 1, args.value)
    say(f"轮次 {args.round} 第 {args.n} 个号码已录入：{args.value}")


async def run_release(args: Namespace) -> None:
    secret = None
    if args.secret_file:
        secret = own_secret(Path(args.secret_file))
        if secret is None:
            raise BadInput(f"找不到密值副本“{args.secret_file}”。请检查路径。")
    passphrase = read_line(args.passphrase_file, "口令文件") if args.passphrase_file else ""
    async with acting(args) as (act, _):
        await draw.release_share(act, args.round, passphrase, secret)
    say(f"轮次 {args.round} 的密值已交出。")


async def run_draw(args: Namespace) -> None:
    async with acting(args) as (act, _):
        made = await draw.draw_round(act, args.round)
    say(f"轮次 {args.round} {'已经抽取过，这是原来的结果' if made['again'] else '已抽取'}，结果摘要 {made['commit']}")
    for task, entry in made["result"].items():
        drawn = sum(len(row["drawn"]) for row in entry["strata"].values())
        say(f"  {task}　抽中 {drawn:,} 户")
    for warning in made.get("warnings", ()):
        say(f"  提示　{warning}")


async def run_reveal(args: Namespace) -> None:
    async with acting(args) as (act, _):
        made = await draw.reveal_round(act, args.round)
    if made["disclosure"] == "sealed":
        say(f"轮次 {args.round} {'早已' if made['again'] else '已'}移交监督机构复核，密值不公开；用 portal round export 导出交监督机构的文件夹。")
    else:
        say(f"轮次 {args.round} {'密值早已公开' if made['again'] else '密值已公开，随下一次 portal publish 发布'}。")


async def run_void(args: Namespace) -> None:
    async with acting(args) as (act, _):
        made = await draw.void_round(act, args.round, args.reason)
    say(f"轮次 {args.round} {'已作废' if made['state'] == 'void' else '已提出作废，请另一人用同一命令批准'}。")


async def run_export(args: Namespace) -> None:
    async with acting(args) as (act, office):
        files = await bundles.export_round(act, args.round, "public" if args.public else "auditor")
        folder = Path(args.to).absolute() if args.to else office.settings.data / "draws" / args.round
        write_folder(folder, files, mode=0o755 if args.public else 0o700)
    say(f"轮次 {args.round} 的 {len(files)} 个文件已导出到 {folder}")


def write_folder(folder: Path, files: dict[str, bytes], mode: int = 0o700) -> None:
    """Write a draw folder beside its place and move it there; never half a folder under its own name.

    An auditors' folder holds secrets, so only its owner may enter it.  One already
    there is replaced only when it is a draw folder and nothing else.  A kill between
    removing the old one and naming the new leaves none: export again.
    """
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"“{folder}”是一个文件，不能作为导出的文件夹。请另选一个。")
    there = folder.exists() and any(folder.iterdir())
    if there and (not (folder / "round.json").is_file() or list_bundle(folder)[1]):
        raise BadInput(f"文件夹“{folder}”里有别的内容，不会覆盖。请另选一个文件夹。")
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    fresh.chmod(mode)
    for name, data in files.items():
        place = fresh / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    if folder.exists():
        shutil.rmtree(folder)
    fresh.rename(folder)
