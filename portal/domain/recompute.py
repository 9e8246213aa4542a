"""A whole bundle from its files: every commitment opened, the draw run again (DRAW.md section 6).

Files are a mapping of paths inside the bundle (`round.json`, `<task>/pool.tsv`, ...) to bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portal.domain.assign import assign_file, parse_slots
from portal.domain.bundle import Document, canonical, parse_quota, refuse, sealed
from portal.domain.draw import draw_task, drawn_of, result_commit
from portal.domain.pool import marked, parse_codes, quota_commit, roots, sealed_root, ticket_entries
from portal.domain.replacement import require_replacement
from portal.domain.rounds import label_of, parse_round, round_digest
from portal.domain.seed import key_of, parse_reveal, seed_of
from portal.domain.voucher import format_public, require_voucher

_VOUCHER = re.compile(r"voucher-(0|[1-9][0-9]*)\.json", re.ASCII)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A round's draw. Keys and digests are bytes; `public` is None in an open round; `warnings` are for people."""

    round: Document
    reveal: Document
    label: str
    round_digest: bytes
    seed: bytes
    draw_key: bytes
    assign_key: bytes
    result: Document
    result_json: bytes
    result_commit: str
    public_json: bytes | None
    warnings: tuple[str, ...]

    @property
    def result_key(self) -> bytes:
        """The key of what is logged on the day: K in an open round, the salt key in a sealed one."""
        return bytes.fromhex(self.reveal["salt_key"]) if sealed(self.round) else self.draw_key


def recompute(files: Mapping[str, bytes]) -> bytes:
    """Canonical `result.json` of a bundle. BadInput where a file is missing or opens no commitment."""
    return draw_round(files).result_json


def draw_round(files: Mapping[str, bytes]) -> Outcome:
    """The outcome of a round from `round.json`, `reveal.json` and the tasks' files; the same bytes, the same outcome."""
    round_json = _file(files, "round.json")
    round_ = parse_round(round_json)
    reveal = parse_reveal(round_, _file(files, "reveal.json"))
    suite = round_["suite"]
    digest = round_digest(suite, round_json)
    seed = seed_of(suite, digest, reveal["sources"], reveal["secrets"])
    key = key_of(suite, seed, f"draw/{round_['round']}")
    salt_key = bytes.fromhex(reveal["salt_key"]) if sealed(round_) else None
    result = {task["task"]: _draw(files, suite, key, salt_key, task) for task in round_["tasks"]}
    result_json = canonical(result)
    commit = result_commit(suite, salt_key or key, result_json)
    return Outcome(
        round=round_,
        reveal=reveal,
        label=label_of(round_),
        round_digest=digest,
        seed=seed,
        draw_key=key,
        assign_key=key_of(suite, seed, f"assign/{round_['round']}"),
        result=result,
        result_json=result_json,
        result_commit=commit,
        public_json=format_public(round_json, reveal["sources"], result, commit) if salt_key else None,
        warnings=tuple(_warnings(result)),
    )


def _draw(
    files: Mapping[str, bytes], suite: str, key: bytes, salt_key: bytes | None, task: Mapping[str, Any]
) -> Document:
    name = task["task"]
    pool, excluded = _file(files, f"{name}/pool.tsv"), files.get(f"{name}/excluded.txt")
    if (excluded is None) != (task["excluded_root"] is None):
        refuse(f"任务“{name}”的 excluded.txt 与承诺不一致：文件和 excluded_root 应同时有或同时没有。")
    codes = parse_codes(excluded, f"{name}/excluded.txt") if excluded is not None else []
    quota = task["quota"] if salt_key is None else parse_quota(_file(files, f"{name}/quota.json"), f"{name}/quota.json")
    strata = draw_task(suite, key, pool, codes, quota, task)  # checks every line, so the roots can trust the file
    pool_root, excluded_root = roots(suite, name, pool, excluded, salt_key)
    if pool_root != task["pool_root"]:
        refuse(f"任务“{name}”的 pool.tsv 与事先承诺的根 pool_root 不符，名录被改动过。")
    if excluded_root != task["excluded_root"]:
        refuse(f"任务“{name}”的 excluded.txt 与事先承诺的根 excluded_root 不符，排除名单被改动过。")
    if salt_key is None:
        return {"strata": strata}
    if quota_commit(suite, salt_key, name, quota) != task["quota_commit"]:
        refuse(f"任务“{name}”的 quota.json 与事先承诺的 quota_commit 不符，比例被改动过。")
    drawn = marked((code.encode() for code in drawn_of(strata)), "drawn")
    return {
        "strata": strata,
        "ticket_root": sealed_root(suite, salt_key, name, ticket_entries(suite, key, pool)).hex(),
        "drawn_root": sealed_root(suite, salt_key, name, drawn).hex(),
    }


def _warnings(result: Mapping[str, Any]) -> Iterator[str]:
    for task, entry in result.items():
        for stratum, row in entry["strata"].items():
            if len(row["drawn"]) < row["quota"]:
                yield (
                    f"任务“{task}”分层“{stratum}”应抽 {row['quota']} 户，"
                    f"扣除排除对象后只有 {row['available']} 户可抽，实抽 {len(row['drawn'])} 户。"
                )


def require_bundle(files: Mapping[str, bytes], logged_digest: str | None = None) -> Outcome:
    """The outcome of a bundle whose every published file is what recomputing gives.

    Checks `result.json`, and where present `replacement.json`, `slots.json`, `assigned.json`, `public/` and
    `voucher-<n>.json`, as verify.py does. BadInput names the first file that differs.
    """
    outcome = draw_round(files)
    if logged_digest is not None and logged_digest != outcome.round_digest.hex():
        refuse(f"round.json 的摘要为 {outcome.round_digest.hex()}，日志中登记的是 {logged_digest}。")
    if _file(files, "result.json") != outcome.result_json:
        refuse("result.json 与重新计算的结果不一致，抽取结果被改动过。")
    if "replacement.json" in files:
        require_replacement(
            files["replacement.json"], outcome.round, outcome.round_digest.hex(), outcome.draw_key, files, outcome.result
        )
    _require_assignment(files, outcome)
    if outcome.public_json is not None:
        if any(name.startswith("public/") for name in files):
            if _file(files, "public/round.json") != files["round.json"]:
                refuse("public/round.json 与 round.json 不一致。")
            if _file(files, "public/public.json") != outcome.public_json:
                refuse("public/public.json 与重新计算的结果不一致。")
        for name in sorted(files):
            if _VOUCHER.fullmatch(name):
                require_voucher(files[name], files["round.json"], outcome.public_json)
    return outcome


def _require_assignment(files: Mapping[str, bytes], outcome: Outcome) -> None:
    if "slots.json" not in files and "assigned.json" not in files:
        return
    slots = parse_slots(_file(files, "slots.json"))
    if (slots["suite"], slots["K"]) != (outcome.round["suite"], outcome.assign_key.hex()):
        refuse("slots.json 的 K 或算法不是本轮推出的，人员匹配不属于本轮。")
    prefix = outcome.round["round"] + "_"
    if strange := sorted(visit for visit in slots["slots"] if not visit.startswith(prefix)):
        refuse(f"slots.json 的检查编号“{strange[0]}”不以本轮编号“{prefix}”开头。")
    if _file(files, "assigned.json") != assign_file(files["slots.json"]):
        refuse("assigned.json 与重新匹配的结果不一致，人员名单被改动过。")


def _file(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        refuse(f"缺少文件 {name}。请取得完整的抽取文件夹。")
    return files[name]
