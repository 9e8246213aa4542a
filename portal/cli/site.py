"""portal site serve|address|nginx|check, portal data validate."""

from __future__ import annotations

import json
from argparse import Namespace, _SubParsersAction
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from portal.cli.failures import words_of
from portal.cli.office import say, write_file
from portal.cli.parsing import add_command, add_group, port
from portal.domain.errors import BadInput
from portal.settings import load_settings
from public_site import hosting, opendata
from public_site.check import check_release
from public_site.release import current
from public_site.serve import serve

SHOWN = 20  # wrong lines named; the rest are counted


def add_commands(commands: _SubParsersAction) -> None:
    kinds = add_group(commands, "site", "单独启动公示网站，设定它的地址，写出 nginx 配置，检查各版本")
    start = add_command(kinds, "serve", run_serve, "只启动公示网站，直到 Ctrl-C")
    start.add_argument("--host", default="127.0.0.1", help="监听地址，默认只在本机")
    start.add_argument("--port", type=port, default=8001, metavar="PORT", help="端口，默认 8001；0 表示任选一个空闲的")
    place = add_command(kinds, "address", run_address, "设定公示网站自己的地址，用于网站地图和订阅；不写地址时显示现在的")
    place.add_argument("address", metavar="ADDRESS", nargs="?", help="例如 https://gs.example.gov.cn")
    config = add_command(kinds, "nginx", run_nginx, "写出 nginx 的配置文件")
    config.add_argument("host", metavar="HOST", help="公示网站单独的域名")
    config.add_argument("file", metavar="OUT.conf", help="写到哪里，已有的文件不覆盖")
    config.add_argument("--port", type=port, default=80, metavar="PORT", help="端口，默认 80")
    add_command(kinds, "check", run_check, "检查正在显示的版本：文件、链接、压缩文件，每项一行")
    for command in (start, place, config, kinds.choices["check"]):
        command.add_argument("--site", type=Path, metavar="FOLDER", help="网站文件夹，默认数据目录里的 site")
    data = add_group(commands, "data", "检查开放数据")
    check = add_command(data, "validate", run_validate, "按公布的格式（JSON Schema）检查开放数据文件")
    check.add_argument("place", metavar="PLACE", nargs="*", type=Path, help="*.jsonl 文件，或存放它们的文件夹；不写时检查正在显示的网站")


def _site(args: Namespace) -> Path:
    return args.site or load_settings().data / "site"


def run_serve(args: Namespace) -> None:
    site = _site(args)
    if current(site) is None:
        raise BadInput(f"“{site}”里还没有发布过网站。请先运行 portal publish，或用 --site 写明文件夹。")
    try:
        with suppress(KeyboardInterrupt):
            serve(site, args.host, args.port, lambda door: say(f"公示网站　http://{args.host}:{door}/　按 Ctrl-C 停止。"))
    except OSError as problem:
        raise BadInput(f"端口 {args.port} 不能使用：{words_of(problem)}。请用 --port 换一个。") from None


def run_address(args: Namespace) -> None:
    site = _site(args)
    if args.address is None:
        say(hosting.load_address(site) or "没有设定公示网站的地址。")
        return
    say(f"公示网站的地址是 {hosting.save_address(site, args.address)}，下次发布时写入网站地图和订阅。")


def run_nginx(args: Namespace) -> None:
    write_file(args.file, hosting.nginx_config(_site(args), args.host, args.port).encode())
    say(f"nginx 的配置已写到 {args.file}，放进 nginx 的 http 段后执行 nginx -t 检查。")


def run_check(args: Namespace) -> int:
    site = _site(args)
    if current(site) is None:
        raise BadInput(f"“{site}”里还没有发布过网站。请先运行 portal publish，或用 --site 写明文件夹。")
    lines = check_release(site / "current")
    for ok, words in lines:
        say(f"{'OK  ' if ok else 'FAIL'}　{words}")
    return 0 if all(ok for ok, _ in lines) else 1


def run_validate(args: Namespace) -> int:
    places = args.place or [load_settings().data / "site" / "current" / "data"]
    files = [file for place in places for file in (sorted(place.glob("*.jsonl")) if place.is_dir() else [place]) if file.stem in opendata.LINES or not place.is_dir()]
    if not files:
        raise BadInput("没有找到开放数据文件。请写明 *.jsonl 文件或所在文件夹。")
    wrong = 0
    for file in files:
        if file.stem not in opendata.LINES:
            raise BadInput(f"不认识“{file.name}”，能检查的是 {'、'.join(f'{name}.jsonl' for name in opendata.LINES)}。")
        faults = list(_faults(file))
        say(f"{'FAIL' if faults else 'OK  '}　{file.name}" + (f"：{len(faults):,} 处不符" if faults else ""))
        for fault in faults[:SHOWN]:
            say(f"　　{fault}")
        wrong += len(faults)
    return 1 if wrong else 0


def _faults(file: Path) -> Iterator[str]:
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                try:
                    row = json.loads(line)
                except ValueError:
                    yield f"第 {number:,} 行不是 JSON"
                    continue
                for problem in opendata.problems_of(row, opendata.LINES[file.stem]):
                    yield f"第 {number:,} 行：{problem}"
    except OSError as problem:
        raise BadInput(f"“{file}”不能读取：{words_of(problem)}。") from None
