"""The file format of a draw: hashes, ids, texts, canonical JSON and the shapes of its documents.

Everything here follows DRAW.md sections 0, 2 and 6. A document is plain data (the dict
its JSON gives) that has passed its `parse_` function; nothing is repaired on the way in.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date
from importlib import import_module
from typing import Any, NoReturn

from portal.domain.errors import BadInput

SPEC = "ssj/1"
SUITES = ("sha256", "sm3")
DISCLOSURES = ("open", "sealed")
ROUNDINGS = ("ceil", "lr")
WHOLE = 1_000_000  # parts per million that make the whole

Hash = Callable[[bytes], bytes]
Document = dict[str, Any]

_ID = re.compile(r"[0-9A-Za-z#_-]{1,64}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\+08:00", re.ASCII)
_BAD_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_CONTROL = re.compile(r"[\x00-\x1f]")


def refuse(message: str) -> NoReturn:
    """Refuse what was given; one short door so that call sites read as one line."""
    raise BadInput(message)


# ---- hashes -------------------------------------------------------------------------------


def hasher(suite: str) -> Hash:
    """The hash function of a suite, bytes to 32 bytes. BadInput where this machine lacks it."""
    if suite == "sha256":
        return _sha256
    if suite != "sm3":
        refuse(f"杂凑算法“{suite}”不认识，只能是 sha256 或 sm3。")
    start = _sm3_start()

    def sm3(data: bytes) -> bytes:
        state = start.copy()
        state.update(data)
        return state.digest()

    return sm3


def hash_each(suite: str, prefix: bytes, parts: Iterable[bytes]) -> list[bytes]:
    """H(prefix || part) of every part. The hot loop of a draw: copying a started state is the cheapest call."""
    start = _short_sha256(prefix) if suite == "sha256" else _sm3_start()
    if suite != "sha256":
        start.update(prefix)
    copy = start.copy
    digests = []
    append = digests.append
    for part in parts:
        state = copy()
        state.update(part)
        append(state.digest())
    return digests


def _quickest_sha256() -> Any:
    """For the 50 bytes of a ticket the call costs more than the hashing: Python's own SHA-256 takes two thirds of the
    time of OpenSSL's, for the same digests. Its module has another name in each Python, and some lack it."""
    for name in ("_sha2", "_sha256"):
        with suppress(ImportError):
            return import_module(name).sha256
    return hashlib.sha256


_short_sha256 = _quickest_sha256()


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _sm3_start() -> Any:
    try:
        return hashlib.new("sm3")
    except ValueError:
        refuse("本机的 Python 没有国密 SM3 算法。请换用带 OpenSSL 1.1.1 以上的 Python，或改用 sha256。")


# ---- small values -------------------------------------------------------------------------


def is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_text(value: object) -> bool:
    """Non-empty NFC text without control, format or separator characters, no white space at its ends."""
    return (
        isinstance(value, str)
        and value != ""
        and value == value.strip()
        and not any(unicodedata.category(c) in _BAD_CATEGORIES for c in value)
        and unicodedata.is_normalized("NFC", value)
    )


def is_hex(value: object) -> bool:
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def is_count(value: object) -> bool:
    """A whole number from 0 below 2^53; True and False are no numbers here."""
    return type(value) is int and 0 <= value < 2**53


def is_time(value: object) -> bool:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return False
    try:
        date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return False
    return True


def require_id(value: object, what: str) -> str:
    if not is_id(value):
        refuse(f"{what}“{value}”不合规定：只能用 1 到 64 个数字、英文字母和 # _ - 。")
    return value  # type: ignore[return-value]


def require_text(value: object, what: str) -> str:
    if not is_text(value):
        refuse(f"{what}“{value}”不合规定：不能为空，首尾不能有空白，不能有控制字符，须为 NFC 规范形式。")
    return value  # type: ignore[return-value]


def require_hex(value: object, what: str) -> str:
    if not is_hex(value):
        refuse(f"{what}“{value}”不合规定：应为 64 位小写十六进制数。")
    return value  # type: ignore[return-value]


def require_count(value: object, what: str) -> int:
    if not is_count(value):
        refuse(f"{what}“{value}”不合规定：应为 0 以上、2 的 53 次方以下的整数。")
    return value  # type: ignore[return-value]


def require_time(value: object, what: str) -> str:
    if not is_time(value):
        refuse(f"{what}“{value}”不合规定：应写成 2026-12-01T21:30:00+08:00 的样子。")
    return value  # type: ignore[return-value]


def require_one_of(value: object, choices: tuple[str, ...], what: str) -> str:
    if not isinstance(value, str) or value not in choices:
        refuse(f"{what}“{value}”不认识，只能是 {'、'.join(choices)}。")
    return value


# ---- canonical JSON -----------------------------------------------------------------------


def canonical(value: object) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8 unescaped. BadInput for what it cannot hold."""
    _require_plain(value)
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode("utf-8")
    except (UnicodeEncodeError, RecursionError):
        refuse("内容不能写成规范 JSON：有不成对的代理字符，或层数太多。")


def parse_canonical(data: bytes, what: str) -> Any:
    """The value of a canonical JSON file; bytes that are not exactly canonical are refused."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_pairs,
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_small_int,
        )
        same = canonical(value) == data
    except BadInput as problem:
        refuse(f"{what}：{problem.message}")
    except (ValueError, RecursionError):
        refuse(f"{what} 不是 UTF-8 编码的 JSON 文件，请取回原文件。")
    if not same:
        refuse(f"{what} 不是规范 JSON（键未排序、有多余空格或转义），可能被改动过，请取回原文件。")
    return value


def _require_plain(value: object) -> None:
    pending, texts = [value], []
    while pending:
        item = pending.pop()
        kind = type(item)
        if kind is str or isinstance(item, str):
            texts.append(item)
        elif isinstance(item, dict):
            if not all(isinstance(key, str) for key in item):
                refuse("规范 JSON 的键只能是文字。")
            texts.extend(item)
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            pending.extend(item)
        elif kind is int:
            if abs(item) >= 2**53:
                refuse(f"数字 {item} 太大，须小于 2 的 53 次方。")
        elif item is not None and kind is not bool:
            refuse(f"规范 JSON 不能含有“{item}”这样的值（不用小数）。")
    if _CONTROL.search("".join(texts)):  # one search for all: a call for each was most of the time
        refuse(f"文字“{next(filter(_CONTROL.search, texts))!r}”里有控制字符，规范 JSON 不能含有。")


def _pairs(pairs: list[tuple[str, Any]]) -> Document:
    document = dict(pairs)
    if len(document) != len(pairs):
        refuse("有重复的键。")
    return document


def _no_float(text: str) -> NoReturn:
    refuse(f"含有小数或非数“{text}”，只允许整数。")


def _small_int(text: str) -> int:
    if len(text) > 17:
        refuse(f"数字 {text[:20]}… 太大，须小于 2 的 53 次方。")
    return int(text)


# ---- shapes -------------------------------------------------------------------------------


def require_keys(value: object, required: Iterable[str], what: str, *, more: bool = False) -> Document:
    """A JSON object with exactly these keys (or at least these, where `more` is allowed)."""
    if not isinstance(value, dict):
        refuse(f"{what} 应为对象（键和值）。")
    wanted = set(required)
    if missing := sorted(wanted - value.keys()):
        refuse(f"{what} 缺少“{'、'.join(missing)}”。")
    if not more and (unknown := sorted(value.keys() - wanted)):
        refuse(f"{what} 多出“{'、'.join(unknown)}”，只允许 {'、'.join(sorted(wanted))}。")
    return value


def require_list(value: object, what: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        refuse(f"{what} 应为列表。")
    return value  # type: ignore[return-value]


def require_unique(values: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            refuse(f"{what}“{value}”重复出现。")
        seen.add(value)


def require_quota(value: object, what: str, *, sealed: bool) -> Document:
    """`{stratum: {"ppm": 0..1000000} | {"count": n}}`; a sealed one may not single a class out by none or all."""
    if not isinstance(value, dict):
        refuse(f"{what} 应为“分层：比例或数量”的对象。")
    for stratum, entry in value.items():
        require_text(stratum, f"{what}的分层")
        if not isinstance(entry, dict) or len(entry) != 1 or next(iter(entry)) not in ("ppm", "count"):
            refuse(f"{what}的分层“{stratum}”应只写 ppm（百万分比）或 count（数量）之一。")
        number = require_count(next(iter(entry.values())), f"{what}的分层“{stratum}”")
        if "ppm" in entry and number > WHOLE:
            refuse(f"{what}的分层“{stratum}”比例为百万分之 {number}，不能超过 1000000。")
        if sealed and stratum != "*" and (number == 0 or entry == {"ppm": WHOLE}):
            refuse(f"{what}的分层“{stratum}”不能一户不抽或全部抽取：这会泄露分类。请把重点对象另列任务。")
    return value


def parse_quota(data: bytes, what: str = "quota.json") -> Document:
    """The quota of a sealed task, as auditors hold it."""
    return require_quota(parse_canonical(data, what), what, sealed=True)


def parse_result(data: bytes, *, sealed: bool) -> Document:
    """`result.json`: `{task: {"strata": {stratum: {size, available, quota, drawn, reserve}}, two roots if sealed}}`."""
    what = "result.json"
    result = parse_canonical(data, what)
    for task, entry in require_keys(result, (), what, more=True).items():
        require_id(task, f"{what} 的任务")
        keys = ("strata", "ticket_root", "drawn_root") if sealed else ("strata",)
        require_keys(entry, keys, f"{what} 的任务“{task}”")
        for name in keys[1:]:
            require_hex(entry[name], f"{what} 的“{name}”")
        for stratum, row in require_keys(entry["strata"], (), f"{what} 的 strata", more=True).items():
            require_text(stratum, f"{what} 的分层")
            require_keys(row, ("size", "available", "quota", "drawn", "reserve"), f"{what} 的分层“{stratum}”")
            for name in ("size", "available", "quota"):
                require_count(row[name], f"{what} 的“{name}”")
            codes = [*require_list(row["drawn"], "drawn"), *require_list(row["reserve"], "reserve")]
            for code in codes:
                require_id(code, f"{what} 的代码")
            require_unique(codes, f"{what} 的代码")
    return result


def parse_public(data: bytes) -> Document:
    """`public.json` of a sealed round; its sources are checked against the round by `seed.require_values`."""
    what = "public.json"
    public = require_keys(parse_canonical(data, what), ("round_digest", "result_commit", "sources", "tasks"), what)
    require_hex(public["round_digest"], f"{what} 的“round_digest”")
    require_hex(public["result_commit"], f"{what} 的“result_commit”")
    require_list(public["sources"], f"{what} 的“sources”")
    for task, entry in require_keys(public["tasks"], (), f"{what} 的“tasks”", more=True).items():
        require_id(task, f"{what} 的任务")
        require_keys(entry, ("count", "ticket_root", "drawn_root"), f"{what} 的任务“{task}”")
        require_count(entry["count"], f"{what} 的“count”")
        require_hex(entry["ticket_root"], f"{what} 的“ticket_root”")
        require_hex(entry["drawn_root"], f"{what} 的“drawn_root”")
    return public


def sealed(document: Mapping[str, Any]) -> bool:
    """Whether a round's document is a sealed one."""
    return document["disclosure"] == "sealed"
