"""`round.json`: everything fixed before the randomness exists (DRAW.md section 2), and the label it earns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.domain.bundle import (
    DISCLOSURES,
    ROUNDINGS,
    SPEC,
    SUITES,
    Document,
    canonical,
    hasher,
    parse_canonical,
    refuse,
    require_count,
    require_hex,
    require_id,
    require_keys,
    require_list,
    require_one_of,
    require_quota,
    require_time,
    require_unique,
    sealed,
)
from portal.domain.seed import require_chance

PUBLICLY_VERIFIABLE = "公开可验证"
AUDITOR_VERIFIABLE = "监督机构可复核"
INTERNAL_ONLY = "内部可复核，不能证明结果未被挑选"

_ROUND_KEYS = ("spec", "suite", "round", "disclosure", "sources", "secrets", "draw_not_before", "tasks")
_TASK_KEYS = ("task", "pool_root", "pool_size", "excluded_root", "rounding", "minimum", "reserve")


def parse_round(data: bytes) -> Document:
    """The round of a `round.json`; keys beyond the specification are kept, they are hashed with the rest."""
    return require_round(parse_canonical(data, "round.json"))


def require_round(value: object) -> Document:
    """A round's document, every field checked. Shapes: DRAW.md section 2."""
    found = require_keys(value, _ROUND_KEYS, "round.json", more=True)
    require_one_of(found["spec"], (SPEC,), "round.json 的“spec”")
    require_one_of(found["suite"], SUITES, "round.json 的“suite”")
    require_one_of(found["disclosure"], DISCLOSURES, "round.json 的“disclosure”")
    require_id(found["round"], "轮次编号")
    require_time(found["draw_not_before"], "抽取时间 draw_not_before")
    sources = require_list(found["sources"], "round.json 的“sources”")
    secrets = require_list(found["secrets"], "round.json 的“secrets”")
    require_chance(sources, secrets, found["draw_not_before"])
    if sealed(found):
        require_hex(found.get("salt_commit"), "密封轮次的 salt_commit")
    elif "salt_commit" in found:
        refuse("公开轮次不应有 salt_commit：一轮只能全部公开或全部密封。")
    tasks = require_list(found["tasks"], "round.json 的“tasks”")
    if not tasks:
        refuse("本轮没有任务。请至少放入一个任务。")
    for task in tasks:
        _require_task(task, is_sealed=sealed(found))
    require_unique((task["task"] for task in tasks), "任务")
    return found


def _require_task(value: object, *, is_sealed: bool) -> None:
    task = require_keys(value, _TASK_KEYS, "round.json 的任务", more=True)
    name = require_id(task["task"], "任务编号")
    require_hex(task["pool_root"], f"任务“{name}”的 pool_root")
    if task["excluded_root"] is not None:
        require_hex(task["excluded_root"], f"任务“{name}”的 excluded_root")
    require_one_of(task["rounding"], ROUNDINGS, f"任务“{name}”的 rounding")
    for field in ("pool_size", "minimum", "reserve"):
        require_count(task[field], f"任务“{name}”的 {field}")
    wanted, other = ("quota_commit", "quota") if is_sealed else ("quota", "quota_commit")
    if other in task:
        refuse(f"任务“{name}”不应有 {other}：一轮只能全部公开或全部密封，不能混合。")
    if wanted not in task:
        refuse(f"任务“{name}”缺少 {wanted}。")
    if is_sealed:
        require_hex(task["quota_commit"], f"任务“{name}”的 quota_commit")
    else:
        require_quota(task["quota"], f"任务“{name}”的 quota", sealed=False)


def format_round(
    *,
    round_id: str,
    suite: str,
    disclosure: str,
    sources: Sequence[Mapping[str, Any]],
    secrets: Sequence[Mapping[str, Any]],
    draw_not_before: str,
    tasks: Sequence[Mapping[str, Any]],
    salt_commit: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> bytes:
    """`round.json`, canonical and checked. `more` holds our own keys (register snapshot, rosters, sectors, ...)."""
    document: Document = {
        "spec": SPEC,
        "suite": suite,
        "round": round_id,
        "disclosure": disclosure,
        "sources": list(sources),
        "secrets": list(secrets),
        "draw_not_before": draw_not_before,
        "tasks": list(tasks),
    }
    if salt_commit is not None:
        document["salt_commit"] = salt_commit
    if clash := sorted(document.keys() & (more or {}).keys()):
        refuse(f"附加内容“{'、'.join(clash)}”与规定的键重名。")
    return canonical(require_round(document | dict(more or {})))


def round_digest(suite: str, data: bytes) -> bytes:
    """The digest that is logged and that the seed starts from."""
    return hasher(suite)(data)


def label_of(round_: Mapping[str, Any]) -> str:
    """The words shown wherever a draw of this round is shown."""
    if not round_["sources"] or len({secret["holder"] for secret in round_["secrets"]}) < 2:
        return INTERNAL_ONLY
    return AUDITOR_VERIFIABLE if sealed(round_) else PUBLICLY_VERIFIABLE
