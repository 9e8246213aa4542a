"""portal recompute | assign-file | verify."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
import sys
import traceback
import zlib
from argparse import Namespace, _SubParsersAction
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

from portal.cli.failures import sentence_of, words_of
from portal.cli.office import opened, read_file, say
from portal.cli.parsing import add_command
from portal.cli.speech import said
from portal.domain.assign import assign_file
from portal.domain.errors import BadInput, Refused
from portal.domain.recompute import recompute, require_bundle
from portal.domain.replacement import counts_of, parse_replacement, replacement_commit
from portal.domain.voucher import require_public
from portal.settings import Settings, load_settings
from portal.steps.verify import verify_installation
from portal.store import publish
from public_site.check import check_release
from public_site.release import current, releases_of

LARGEST = 4 << 30
Line = tuple[bool | None, str]  # holds, fails, or (None) for information only

#: the files of a draw folder (DRAW.md section 6); anything else beside them is named and not looked at
_KNOWN = re.compile(
    r"(round|public|reveal|result|replacement|slots|assigned|voucher-[0-9]+)\.json|public/(round|public)\.json"
    r"|[0-9A-Za-z#_-]{1,64}/(pool\.tsv|excluded\.txt|quota\.json)",
    re.ASCII,
)
_RELEASE = re.compile(r"[0-9]{6,}-([0-9a-f]{12})", re.ASCII)
MARK = {True: "OK  ", False: "FAIL", None: "--  "}


def add_commands(commands: _SubParsersAction) -> None:
    again = add_command(commands, "recompute", run_recompute, "由抽取文件夹重算结果，标准输出是规范的 result.json")
    again.add_argument("bundle", metavar="BUNDLE", help="抽取文件夹，见 DRAW.md 第 6 节")
    assigned = add_command(commands, "assign-file", run_assign_file, "由 slots.json 重算人员匹配，标准输出是规范的 assigned.json")
    assigned.add_argument("slots", metavar="SLOTS", help="slots.json 文件")
    verify = add_command(commands, "verify", run_verify, "核验抽取文件夹、公示网站版本，或（不写路径）整个安装；每项一行 OK 或 FAIL")
    verify.add_argument("path", metavar="PATH", nargs="?", help="抽取文件夹、网站版本或网站文件夹；不写则核验 PORTAL_DATA 指的安装")


def list_bundle(folder: Path) -> tuple[list[str], list[str]]:
    """The paths of a folder's files that DRAW.md knows, and of all others; sorted."""
    found = sorted(place.relative_to(folder).as_posix() for place in folder.rglob("*") if not place.is_dir())
    return [name for name in found if _KNOWN.fullmatch(name)], [name for name in found if not _KNOWN.fullmatch(name)]


def read_bundle(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """(path -> bytes of the files of a draw folder, the paths of other files in it). BadInput where it is none."""
    if not folder.is_dir():
        raise BadInput(f"找不到文件夹“{folder}”。请检查路径。")
    if not (folder / "round.json").exists():
        raise BadInput(f"“{folder}”里没有 round.json，不是抽取文件夹。请检查路径，或取得完整的抽取文件夹。")
    names, others = list_bundle(folder)
    files: dict[str, bytes] = {}
    total = 0
    for name in names:
        place = folder / name
        try:
            if not place.is_file():
                raise BadInput(f"“{place}”不是普通文件，不能读取。请取得完整的抽取文件夹。")
            total += place.stat().st_size
            if total > LARGEST:
                raise BadInput(f"文件夹“{folder}”超过 {LARGEST >> 30} GB，不像一个抽取文件夹。")
            files[name] = place.read_bytes()
        except OSError as problem:
            raise BadInput(f"文件“{place}”不能读取：{words_of(problem)}。") from None
    return files, others


def _is_twin(place: Path, plain: bytes) -> bool:
    """Whether a packed file holds just these bytes; never unpacks more than one byte beyond them."""
    try:
        with gzip.open(place) as packed:
            return packed.read(len(plain) + 1) == plain
    except (OSError, EOFError, zlib.error):
        return False


def _write(data: bytes) -> None:
    if sys.__stdout__ is None:
        raise BadInput("标准输出已关闭，结果无处输出。")
    sys.stdout.buffer.write(data)


def run_recompute(args: Namespace) -> None:
    _write(recompute(read_bundle(Path(args.bundle))[0]))


def run_assign_file(args: Namespace) -> None:
    _write(assign_file(read_file(args.slots)))


# Verifying: whatever is wrong is a FAIL line ----------------------------------


async def run_verify(args: Namespace) -> int:
    failed = 0
    lines = _installation(load_settings()) if args.path is None else _each(check_path(Path(args.path)))
    try:
        async with contextlib.aclosing(lines):  # or an output that closes leaves the database open behind it
            async for holds, words in lines:
                say(f"{MARK[holds]} {words}")
                failed += holds is False
    except BrokenPipeError:
        raise
    except Exception as failure:  # noqa: BLE001 - a damaged file may fail anywhere; the check has failed, not the program
        if args.debug:
            traceback.print_exc()
        words = failure.message if isinstance(failure, Refused) else sentence_of(failure)
        say(f"FAIL {words}")
        sys.stderr.write(said(f"portal: 核验没有做完。{words}\n"))
        return 1
    if failed:
        sys.stderr.write(said(f"portal: 核验有 {failed} 项不通过。\n"))
    return 1 if failed else 0


async def _each(lines: Iterator[Line]) -> AsyncGenerator[Line, None]:
    for line in lines:
        yield line


async def _installation(settings: Settings) -> AsyncGenerator[Line, None]:
    async with opened(settings) as office:
        async for line in verify_installation(await office.acting(None)):
            yield line
        noted = {row["code"] for row in await publish.load_releases()}
    for line in check_site(settings.data / "site", noted):
        yield line


def check_site(site: Path, noted: set[str] | None = None) -> Iterator[Line]:
    """Every release kept and the link to the one shown; `noted`: the releases the database knows of."""
    if not (site / "current").is_symlink() and not (site / "releases").is_dir():
        yield noted in (None, set()), "公示网站还没有发布" if not noted else f"公示网站不见了：登记过 {len(noted)} 次发布，“{site}”里一次也没有。"
        return
    shown = current(site)
    yield shown is not None, f"公示网站的当前版本是 {shown}" if shown else "公示网站没有当前版本：current 不见了或指错了地方。"
    for name in releases_of(site):
        if noted is not None and name not in noted:
            yield None, f"版本 {name} 还没有登记，下次 portal publish 时登记"
        lines = list(check_one(site / "releases" / name))
        if name != shown and all(holds for holds, _ in lines):
            lines = [(True, f"较早的版本 {name}：{len(lines)} 项都相符")]
        yield from lines


def check_one(folder: Path) -> Iterator[Line]:
    """A release, its lines led by its name; also that the name is the manifest's."""
    name = folder.resolve().name
    try:
        if found := _RELEASE.fullmatch(name):
            same = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest().startswith(found[1])
            yield same, f"版本 {name}：" + ("清单的摘要与版本名相同。" if same else "清单被改动过，摘要与版本名不同。")
        for holds, words in check_release(folder):
            yield holds, f"版本 {name}：{words}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as failure:
        words = words_of(failure) if isinstance(failure, OSError) else f"内容不合格式（{type(failure).__name__}）"
        yield False, f"版本 {name}：文件读不出来，{words}。"


def check_path(path: Path) -> Iterator[Line]:
    """A site, a release, or else a draw folder."""
    if not path.exists():
        yield False, f"找不到“{path}”。请检查路径。"
    elif not path.is_dir():
        yield False, f"“{path}”不是文件夹。抽取文件夹和网站版本都是文件夹；抽取凭证请用 verify.py 核验。"
    elif (path / "current").is_symlink() or (path / "releases").is_dir():
        yield from check_site(path)
    elif (path / "round.json").exists():
        yield from check_bundle(path)
    elif (path / "manifest.json").exists() or _RELEASE.fullmatch(path.resolve().name):
        yield from check_one(path)
    elif (path / "keys").is_dir():
        yield False, f"“{path}”是数据目录。请用 PORTAL_DATA 指明它，再运行不写路径的 portal verify。"
    else:
        yield from check_bundle(path)


def check_bundle(path: Path) -> Iterator[Line]:
    """A draw folder: recomputed whole, or, of a sealed round's public folder, what the public can check."""
    try:
        files, others = read_bundle(path)
        if "public.json" in files and "reveal.json" not in files:
            round_, _ = require_public(files["round.json"], files["public.json"])
            yield True, f"密封轮次 {round_['round']} 的公开文件相互一致；名单由监督机构复核"
        elif "reveal.json" not in files:
            yield False, "文件夹里没有 reveal.json：密值公开以前不能重算。"
        else:
            yield from _recomputed(files)
    except Refused as refusal:
        yield False, refusal.message
    except RecursionError as failure:
        yield False, sentence_of(failure)
    else:
        twins = [name for name in others if name.removesuffix(".gz") in files]  # beside each text file of a site
        for name in twins:
            if not _is_twin(path / name, files[name.removesuffix(".gz")]):
                yield False, f"{name} 解压后与 {name.removesuffix('.gz')} 不一致"
        others = sorted(set(others) - set(twins))
        if others:
            yield None, f"没有核对的其他文件：{'、'.join(others[:5])}" + (f" 等 {len(others)} 个" if len(others) > 5 else "")


def _recomputed(files: dict[str, bytes]) -> Iterator[Line]:
    outcome = require_bundle(files)
    yield True, f"轮次 {outcome.round['round']}：摘要 {outcome.round_digest.hex()}（{outcome.label}）"
    for task, entry in outcome.result.items():
        drawn = sum(len(row["drawn"]) for row in entry["strata"].values())
        yield True, f"任务 {task}：名录根、排除根、抽中 {drawn} 户，重算一致"
    if "replacement.json" in files:
        counts = counts_of(parse_replacement(files["replacement.json"]))
        commit = replacement_commit(outcome.round["suite"], outcome.result_key, files["replacement.json"])
        yield True, f"补抽 {counts['picks']} 户次（递补 {counts['filled']}，空缺 {counts['empty']}），重算一致；请与存证日志核对指纹 {commit}"
    if "slots.json" in files:
        unfilled = len(json.loads(files["assigned.json"])["unfilled"])
        yield True, f"人员匹配重算一致，未匹配名额 {unfilled} 个"
    for warning in outcome.warnings:
        yield None, warning
