"""portal recompute | assign-file | verify."""

from __future__ import annotations

import json
import sys
from argparse import Namespace, _SubParsersAction
from collections.abc import Iterable
from pathlib import Path

from portal.cli.office import opened, read_file, say
from portal.domain.assign import assign_file
from portal.domain.errors import BadInput, Refused
from portal.domain.recompute import recompute, require_bundle
from portal.domain.voucher import require_public
from portal.settings import load_settings
from portal.steps.verify import Line, verify_installation
from public_site.check import check_release

LARGEST = 4 << 30


def add_commands(commands: _SubParsersAction) -> None:
    again = commands.add_parser("recompute", help="由抽取文件夹重算结果，标准输出是规范的 result.json")
    again.add_argument("bundle", help="抽取文件夹（DRAW.md 第 6 节）")
    again.set_defaults(run=run_recompute)
    assigned = commands.add_parser("assign-file", help="由 slots.json 重算人员匹配，标准输出是规范的 assigned.json")
    assigned.add_argument("slots")
    assigned.set_defaults(run=run_assign_file)
    verify = commands.add_parser("verify", help="核验抽取文件夹、公示网站版本，或（不写路径）整个安装")
    verify.add_argument("path", nargs="?")
    verify.set_defaults(run=run_verify)


def read_bundle(folder: Path) -> dict[str, bytes]:
    """path -> bytes of every plain file in a draw folder."""
    if not folder.is_dir():
        raise BadInput(f"找不到文件夹“{folder}”。请检查路径。")
    files: dict[str, bytes] = {}
    total = 0
    for place in sorted(folder.rglob("*")):
        if place.is_file():
            try:
                total += place.stat().st_size
                if total > LARGEST:
                    raise BadInput(f"文件夹“{folder}”太大，不像一个抽取文件夹。")
                files[place.relative_to(folder).as_posix()] = place.read_bytes()
            except OSError as problem:
                raise BadInput(f"文件“{place}”不能读取（{problem.strerror}）。") from None
    return files


def run_recompute(args: Namespace) -> None:
    sys.stdout.buffer.write(recompute(read_bundle(Path(args.bundle))))


def run_assign_file(args: Namespace) -> None:
    sys.stdout.buffer.write(assign_file(read_file(args.slots)))


async def run_verify(args: Namespace) -> int:
    bad = False
    if args.path is None:
        async with opened(load_settings()) as office:
            act = await office.acting(None)
            async for line in verify_installation(act):
                bad |= _print(line)
            for line in _check_site(office.settings.data / "site"):
                bad |= _print(line)
    else:
        for line in _check_path(Path(args.path)):
            bad |= _print(line)
    return 1 if bad else 0


def _print(line: Line) -> bool:
    holds, words = line
    say(f"{'OK  ' if holds else 'FAIL'} {words}")
    return not holds


def _check_site(site: Path) -> Iterable[Line]:
    current = site / "current"
    if not current.exists():
        yield (not current.is_symlink()), "公示网站还没有发布" if not current.is_symlink() else "公示网站的当前版本不见了。"
        return
    yield from check_release(current.resolve())


def _check_path(path: Path) -> Iterable[Line]:
    """A release folder (or the site above it), else a draw folder; whatever is wrong is a FAIL line."""
    if not path.exists():
        yield False, f"找不到“{path}”。"
    elif (path / "current").is_symlink():
        yield from _check_site(path)
    elif (path / "manifest.json").is_file() and not (path / "round.json").exists():
        yield from check_release(path)
    else:
        yield from _check_bundle(path)


def _check_bundle(path: Path) -> Iterable[Line]:
    try:
        files = read_bundle(path)
        if "public.json" in files and "reveal.json" not in files:
            round_, _ = require_public(files.get("round.json", b""), files["public.json"])
            yield True, f"密封轮次 {round_['round']} 的公开文件相互一致；名单由监督机构复核"
            return
        if "round.json" in files and "reveal.json" not in files:
            yield False, "文件夹里没有 reveal.json：密值公开以前不能重算。"
            return
        outcome = require_bundle(files)
    except Refused as refusal:
        yield False, refusal.message
        return
    yield True, f"轮次 {outcome.round['round']}：摘要 {outcome.round_digest.hex()}（{outcome.label}）"
    for task, entry in outcome.result.items():
        drawn = sum(len(row["drawn"]) for row in entry["strata"].values())
        yield True, f"任务 {task}：名录根、排除根、抽中 {drawn} 户，重算一致"
    if "slots.json" in files:
        unfilled = len(json.loads(files["assigned.json"])["unfilled"])
        yield True, f"人员匹配重算一致，未匹配名额 {unfilled} 个"
    for warning in outcome.warnings:
        yield True, f"提示：{warning}"
