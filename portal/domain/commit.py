"""What must hold before a round is committed: after that its outcome stands (DRAW.md sections 1, 2 and 4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from portal.domain.bundle import (
    ROUNDINGS,
    Document,
    refuse,
    require_count,
    require_id,
    require_one_of,
    require_quota,
    require_time,
    require_unique,
    sealed,
)
from portal.domain.draw import quotas, require_fair_weights
from portal.domain.errors import WrongMoment
from portal.domain.pool import parse_codes, quota_commit, roots, survey_pool
from portal.domain.rounds import parse_round
from portal.domain.seed import commit_of

NOTICE = timedelta(hours=24)


def commit_task(
    *,
    suite: str,
    task: str,
    pool: bytes,
    excluded: bytes | None,
    quota: Mapping[str, Any],
    rounding: str,
    minimum: int,
    reserve: int,
    salt_key: bytes | None = None,
) -> Document:
    """A task's entry in `round.json`, its files and quota checked; sealed where a salt key is given."""
    require_id(task, "任务编号")
    require_count(minimum, f"任务“{task}”的每层最少数")
    require_count(reserve, f"任务“{task}”的备抽数")
    require_one_of(rounding, ROUNDINGS, f"任务“{task}”的取整方式")
    require_quota(quota, f"任务“{task}”的抽取比例", sealed=salt_key is not None)
    survey = survey_pool(pool, parse_codes(excluded) if excluded is not None else [])
    require_fair_weights(survey, quotas(survey.sizes, quota, rounding, minimum))
    pool_root, excluded_root = roots(suite, task, pool, excluded, salt_key)
    entry: Document = {
        "task": task,
        "pool_root": pool_root,
        "pool_size": survey.size,
        "excluded_root": excluded_root,
        "rounding": rounding,
        "minimum": minimum,
        "reserve": reserve,
    }
    if salt_key is None:
        return entry | {"quota": dict(quota)}
    return entry | {"quota_commit": quota_commit(suite, salt_key, task, quota)}


def require_committable(
    round_json: bytes,
    files: Mapping[str, bytes],
    *,
    committed_at: str,
    quotas_of: Mapping[str, Mapping[str, Any]] | None = None,
    salt_key: bytes | None = None,
    by_class: Collection[str] = (),
) -> Document:
    """The round, if it may be published and logged at `committed_at` (`YYYY-MM-DDTHH:MM:SS+08:00`).

    `files` holds `<task>/pool.tsv` and `<task>/excluded.txt`; `quotas_of` the quotas of sealed tasks;
    `by_class` the tasks whose strata are risk classes or whose weights are risk weights.
    BadInput for what is wrong in it, WrongMoment where its first source is drawn too soon.
    """
    round_ = parse_round(round_json)
    is_sealed = sealed(round_)
    if not is_sealed and (classed := sorted(set(by_class) & {task["task"] for task in round_["tasks"]})):
        refuse(f"任务“{'、'.join(classed)}”按风险分类分层或加权，本轮须全部密封；请改为密封，或把这些任务另开一轮。")
    if is_sealed != (salt_key is not None):
        refuse("密封轮次须有盐值密钥，公开轮次不能有。")
    if salt_key is not None and commit_of(round_["suite"], salt_key) != round_["salt_commit"]:
        refuse("盐值密钥与 round.json 的 salt_commit 不符。请用生成本轮时的密钥。")
    # Two holders of one secret are one holder.
    require_unique((secret["holder"] for secret in round_["secrets"]), "秘密持有人")
    require_unique((secret["commit"] for secret in round_["secrets"]), "秘密承诺值")
    for task in round_["tasks"]:
        name = task["task"]
        quota = (quotas_of or {}).get(name) if is_sealed else task["quota"]
        if quota is None or f"{name}/pool.tsv" not in files:
            refuse(f"任务“{name}”缺少名录文件或抽取比例，不能提交本轮。")
        entry = commit_task(
            suite=round_["suite"],
            task=name,
            pool=files[f"{name}/pool.tsv"],
            excluded=files.get(f"{name}/excluded.txt"),
            quota=quota,
            rounding=task["rounding"],
            minimum=task["minimum"],
            reserve=task["reserve"],
            salt_key=salt_key,
        )
        if differing := sorted(key for key, value in entry.items() if task[key] != value):
            refuse(f"任务“{name}”的“{'、'.join(differing)}”与其名录、排除名单或比例不符。请重新生成轮次文件。")
    require_notice(round_, committed_at)
    return round_


def require_notice(round_: Mapping[str, Any], committed_at: str) -> None:
    """Refuse a round published less than 24 hours before its first source is drawn (or after its draw)."""
    at = datetime.fromisoformat(require_time(committed_at, "提交时间"))
    if datetime.fromisoformat(round_["draw_not_before"]) <= at:
        raise WrongMoment(f"抽取时间 {round_['draw_not_before']} 已到或已过，不能再提交本轮。请另定抽取时间。")
    for source in round_["sources"]:
        if datetime.fromisoformat(source["drawn_at"]) - at < NOTICE:
            raise WrongMoment(
                f"种子来源“{source['name']}”将于 {source['drawn_at']} 开奖，距提交不足 24 小时。请改用以后的期次。"
            )
