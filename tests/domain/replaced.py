"""A small round that was replaced, open or sealed: two tasks, three of the drawn struck, one of them visited before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from portal.domain import draw, recompute, replacement
from portal.domain.pool import parse_codes
from tests.domain.draw_fixture import codes, committed, drawn, revealed, task

DAY = "2026-12-05"
MORE = {"replace_on": DAY}
EVIDENCE = {"status": "注销", "known_at": "2026-12-04T10:00:00+08:00", "source": "cd" * 32}
STATES = ("注销", "迁出", "吊销")


def files_of(kind: str, more: Mapping[str, Any] = MORE) -> dict[str, bytes]:
    tasks = [
        task("T1", [(code, "*", 1) for code in codes(60)], {"*": {"count": 6}}, excluded=codes(60)[5:9]),
        task("T2", [(code, "*", 1) for code in codes(40)], {"*": {"count": 8}}),
    ]
    return drawn(revealed(committed(tasks, disclosure=kind, more=more)))


def order_of(files: Mapping[str, bytes], outcome: recompute.Outcome, name: str = "T1") -> list[str]:
    gone = parse_codes(files[f"{name}/excluded.txt"], "") if f"{name}/excluded.txt" in files else []
    return draw.order_of("sha256", outcome.draw_key, files[f"{name}/pool.tsv"], gone, "*")


def replaced(kind: str) -> dict[str, bytes]:
    files = files_of(kind)
    outcome = recompute.draw_round(files)
    first, second = (outcome.result[name]["strata"]["*"]["drawn"] for name in ("T1", "T2"))
    both = [code for code in first if code in second]
    gone = [both[0], next(code for code in second if code not in first), both[1]]  # in two tasks, in one, visited before
    struck = {code: EVIDENCE | {"status": status} for code, status in zip(gone, STATES, strict=True)}
    found = replacement.replace_tasks("sha256", outcome.draw_key, files, outcome.result, struck, gone[2:])
    data = replacement.format_replacement(outcome.round, outcome.round_digest.hex(), date.fromisoformat(DAY), struck, gone[2:], found)
    return {**files, "replacement.json": data}
