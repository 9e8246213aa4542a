"""What the page of a round shows, and what may be done on it now: read only, nothing is decided here.

Steps refuse on their own; this module only spares people buttons that would be refused,
and says what is being waited for and by whom.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from portal.domain.errors import NotFound
from portal.domain.rounds import AUDITOR_VERIFIABLE, INTERNAL_ONLY, PUBLICLY_VERIFIABLE
from portal.steps.acting import Acting, stamp
from portal.steps.parties import name_in_slots
from portal.steps.visits import load_summary
from portal.store import accounts, directory, draw, log, plan, records
from portal.store import pool as pools
from portal.store import visits as visit_store
from portal.web.replace_view import load_replacement_view

NOTICE = timedelta(hours=24)


async def load_round_view(act: Acting, code: str) -> dict[str, Any]:
    """Everything of one round that its page shows. Raises NotFound outside the acting line."""
    round_ = await draw.load_round(code, act.line)
    tasks = await _tasks(round_)
    sources = await draw.load_sources(round_["id"])
    shares = await draw.load_shares(round_["id"])
    entries = await log.load_entries_on([code])
    names = {account["id"]: account["name"] for account in await accounts.load_accounts()}
    if round_["state"] == "external":
        raise NotFound(f"{code} 是外部抽取的名单，不在本平台抽取，没有抽取页。请在“入企”中查看。")
    summary = await load_summary(round_) if round_["state"] in ("drawn", "revealed") else None
    run = await _run(round_)
    states = await _record_states(act, round_)
    view = {
        "round": round_, "tasks": tasks, "sources": sources, "shares": shares, "names": names, "summary": summary, "run": run,
        "states": states, "label": label(round_, sources, shares), "logged": {kind: n for kind, n in _numbers(entries)},
        "entries": len(entries), "bits": sum(s["bits"] for s in sources), "at": stamp(act.now),
        "picked": sum(task["picked"] for task in tasks),
        "replaced": sum(pick["kind"] == "replacement" for pick in await draw.load_picks(round_["id"], ("replacement",))),
    }  # fmt: skip
    view["above"] = await _above(act, round_)
    view["replacement"] = await load_replacement_view(act, round_)
    return view | {"steps": steps(view), "acts": acts(act, view), "waits": waits(act, view)}


async def _above(act: Acting, round_: Mapping[str, Any]) -> dict[str, Any] | None:
    """Of a round drawn above: who drew it and how many of its visits are the own bureau's; None for one of our own."""
    if not act.over or round_["organisation"] not in act.over:
        return None
    organisations = await accounts.load_organisations()
    name = next(one["name"] for one in organisations if one["id"] == round_["organisation"])
    counts = await records.count_visits(accounts.tree_of(organisations, act.bureau["id"]), round_["id"])
    return {"name": name, "visits": counts.get("open", 0) + counts.get("done", 0), "done": counts.get("done", 0)}


async def _tasks(round_: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = await draw.load_round_tasks(round_["id"])
    tasks = await plan.load_tasks_by_id({row["task"] for row in rows})
    frozen = await pools.load_pools({row["pool"] for row in rows})
    picks = Counter(pick["task"] for pick in await draw.load_picks(round_["id"], ("drawn",)))
    found = []
    for row in rows:
        pool = frozen[row["pool"]]
        rules = Counter(line["rule"] for line in await pools.load_exclusions(pool["id"]))
        found.append({"row": row, "task": tasks[row["task"]], "pool": pool, "rules": dict(rules), "picked": picks[row["task"]]})
    return found


def _numbers(entries: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    return [(entry["kind"], entry["n"]) for entry in entries]


async def _run(round_: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first assignment run as figures, and its unfilled slots with the visits they belong to."""
    runs = await visit_store.load_runs(round_["id"])
    if not runs:
        return None
    result, caps = json.loads(runs[-1]["result"]), json.loads(runs[0]["slots"])["caps"]
    filled = [who for row in result["assigned"].values() for who in row if who]
    lacking = Counter(visit for visit, row in result["assigned"].items() for who in row if who is None)  # a later run names its own slots only
    named = {name_in_slots(round_["code"], v["code"]): v for v in await visit_store.load_visits_of(round_["id"])}
    visits = {name: v for name, v in named.items() if name in lacking}
    entities = await directory.load_entities({v["entity_code"] for v in visits.values()})
    return {
        "made_at": runs[0]["made_at"], "made_by": runs[0]["made_by"], "slots": sum(map(len, result["assigned"].values())),
        "filled": len(filled), "people": len(set(filled)), "candidates": len(caps), "raised": len(result["raised"]),
        "digest": runs[0]["slots_digest"], "visits": len(result["assigned"]),
        "unfilled": [
            {"visit": visits[code], "entity": entities.get(visits[code]["entity_code"]), "lacks": n}
            for code, n in sorted(lacking.items())
            if code in visits
        ],
    }  # fmt: skip


async def _record_states(act: Acting, round_: Mapping[str, Any]) -> dict[str, int]:
    if round_["state"] not in ("drawn", "revealed"):
        return {}
    visits = [visit["id"] for visit in await visit_store.load_visits_of(round_["id"])]
    return dict(Counter(row["state"] for row in await records.load_records_of(visits)))


def label(round_: Mapping[str, Any], sources: Sequence[Any], shares: Sequence[Mapping[str, Any]]) -> str:
    """The words of DRAW.md section 3, from the draft on (portal.domain.rounds.label_of reads a committed one)."""
    if not sources or len({share["holder"] for share in shares}) < 2:
        return INTERNAL_ONLY
    return AUDITOR_VERIFIABLE if round_["disclosure"] == "sealed" else PUBLICLY_VERIFIABLE


def drawn_at(source: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(source["drawn_at"])


# The line of ten steps ----------------------------------------------------------------


def _verify_word(round_: Mapping[str, Any]) -> str:
    if round_["disclosure"] == "sealed":
        return "监督机构可以重算" if round_["state"] == "revealed" else "移交监督机构后"
    return "可以重算" if round_["state"] == "revealed" else "密值公开后"


def steps(view: Mapping[str, Any]) -> list[dict[str, Any]]:
    """[{n, word, anchor, done, now, lines}] of the progress line; the first that is not done is the present one."""
    round_, names, summary, run, states = (view[name] for name in ("round", "names", "summary", "run", "states"))
    state = round_["state"]
    drawn = state in ("drawn", "revealed")
    expected = sum(states.values())
    reviewed = states.get("approved", 0) + states.get("published", 0) + states.get("withdrawn", 0)
    visits, done = (summary["visits"], summary["done"]) if summary else (0, 0)
    frozen = max((task["pool"]["frozen_at"] for task in view["tasks"]), default=None)
    found = [
        ("计划", "plan", True, [names.get(round_["created_by"], ""), round_["created_at"]]),
        ("名录", "pool", True, [names.get(view["tasks"][0]["pool"]["frozen_by"], "") if view["tasks"] else "", frozen]),
        ("抽取", "draw", drawn, [names.get(round_["drawn_by"], ""), round_["drawn_at"]] if drawn else [_draw_word(view)]),
        ("入企", "visits", visits > 0, [f"{visits:,} 次"] if visits else ["未开始"]),
        ("匹配", "assign", run is not None, [f"余 {run['slots'] - run['filled']} 个名额"] if run else ["未开始"]),
        ("录入", "next", visits > 0 and done == visits, [f"{done:,} / {visits:,}"] if visits else ["未开始"]),
        ("审核", "next", expected > 0 and reviewed == expected and done == visits, [f"{reviewed:,} / {expected:,}"] if expected else ["未开始"]),
        ("公示", "next", expected > 0 and states.get("published", 0) + states.get("withdrawn", 0) == expected and done == visits, [f"{states.get('published', 0):,} 份"] if expected else ["未开始"]),
        ("存证", "next", state == "revealed", [f"已记 {view['entries']} 条"]),
        ("核验", "next", state == "revealed", [_verify_word(round_)]),
    ]  # fmt: skip
    present = next((n for n, step in enumerate(found) if not step[2]), -1) if state != "void" else -1
    return [
        {"n": n + 1, "word": word, "anchor": anchor, "done": done, "now": n == present, "lines": [line for line in lines if line]}
        for n, (word, anchor, done, lines) in enumerate(found)
    ]


def _draw_word(view: Mapping[str, Any]) -> str:
    return {"draft": "等待承诺", "committed": "等待抽取", "void": "已作废"}.get(view["round"]["state"], "")


# What may be done now ------------------------------------------------------------------


def acts(act: Acting, view: Mapping[str, Any]) -> dict[str, Any]:
    """The acts this person may do on this round now: key -> what its form needs."""
    round_, sources, shares = view["round"], view["sources"], view["shares"]
    state = round_["state"]
    mine = next((share for share in shares if share["account"] == act.account), None)
    fallen = all(drawn_at(source) <= act.now for source in sources)
    found: dict[str, Any] = {}
    if mine and act.may("round.share"):
        if state == "draft" and not mine["commit"]:
            found["share"] = mine
        if state == "committed" and not mine["released_at"] and fallen:
            found["release"] = mine
    if round_["organisation"] not in act.tree:  # a superior's: seen, and worked where it meets this bureau, never changed
        return found
    if state == "draft" and act.may("round.commit") and round_["created_by"] != act.account and all(s["commit"] for s in shares):
        found["commit"] = True
    if state == "committed" and act.may("round.source"):
        due = [source["n"] for source in sources if not source["value"] and drawn_at(source) <= act.now]
        if due:
            found["source"] = due
    if state == "committed" and act.may("round.draw") and round_["committed_by"] != act.account and not _draw_lacks(act, view):
        found["draw"] = True
    if view["summary"] is not None and act.may("visits.combine") and not view["summary"]["visits"]:
        found["combine"] = view["picked"]
    if view["summary"] and view["summary"]["visits"] and view["run"] is None and act.may("visits.assign"):
        found["assign"] = view["summary"]["visits"]
    replaced = view["replacement"]
    if replaced and act.may("round.replace") and replaced["due"] and not replaced["done"] and not replaced["over"]:
        found["replace"] = True
    if state == "drawn" and act.may("round.reveal") and view["summary"]["visits"] and _may_reveal(act, view):
        found["reveal"] = True
    first = min((drawn_at(source) for source in sources), default=datetime.fromisoformat(round_["draw_not_before"]))
    if act.may("round.void") and (state == "draft" or (state == "committed" and first > act.now)):
        if round_["void_by"] is None:
            found["void"] = "propose"
        elif round_["void_by"] != act.account:
            found["void"] = "approve"
    return found


def _may_reveal(act: Acting, view: Mapping[str, Any]) -> bool:
    over = view["summary"]["done"] == view["summary"]["visits"] or act.today > view["round"]["window_to"]
    return view["round"]["disclosure"] == "sealed" or over


def _draw_lacks(act: Acting, view: Mapping[str, Any]) -> list[str]:
    """What still stands between a commitment and its draw, for people."""
    round_, found = view["round"], []
    if round_["published_at"] is None:
        found.append("承诺随公示网站发布（由后台任务自动完成）")
    elif any(drawn_at(s) - round_["published_at"] < NOTICE for s in view["sources"]):
        found.append("承诺发布距开奖不足 24 小时，本轮只能作废")
    for source in view["sources"]:
        if drawn_at(source) > act.now:
            found.append(f"{source['name']}开奖")
        elif not source["value"]:
            found.append(f"录入{source['name']}的号码")
    found += [f"{share['holder']}交出密值" for share in view["shares"] if not share["released_at"]]
    if datetime.fromisoformat(round_["draw_not_before"]) > act.now:
        found.append("约定的抽取时间")
    return found


def waits(act: Acting, view: Mapping[str, Any]) -> list[str]:
    """What the round waits for: shown to everybody, so that nobody has to ask around."""
    round_ = view["round"]
    if round_["state"] == "draft":
        missing = [f"{share['holder']}生成密值" for share in view["shares"] if not share["commit"]]
        return missing or ["复核人公布承诺（不能是拟制人）"]
    if round_["state"] == "committed":
        return _draw_lacks(act, view) or ["执行抽取（不能是复核人）"]
    return []


async def next_line(act: Acting, round_: Mapping[str, Any]) -> tuple[str, str]:
    """(tag class, words) of where a round stands, for lists."""
    state = round_["state"]
    if state == "void":
        return "warn", "已作废"
    if state == "draft":
        missing = [share["holder"] for share in await draw.load_shares(round_["id"]) if not share["commit"]]
        return "off", f"待{'、'.join(missing)}生成密值" if missing else "待公布承诺"
    if state == "committed":
        sources = await draw.load_sources(round_["id"])
        ahead = [source for source in sources if drawn_at(source) > act.now]
        if ahead:
            return "half", f"已承诺，等{ahead[0]['name']}开奖"
        if any(not source["value"] for source in sources):
            return "half", "待录入开奖号码"
        held = [share["holder"] for share in await draw.load_shares(round_["id"]) if not share["released_at"]]
        return "half", f"待{'、'.join(held)}交出密值" if held else "可以抽取"
    counts = await records.count_visits(act.tree, round_["id"])
    visits = sum(n for state, n in counts.items() if state != "closed")
    if not visits:
        return "half", "已抽取，待合并入企"
    if not await visit_store.load_runs(round_["id"]):
        return "half", "待匹配执法人员"
    if counts.get("open"):
        return "half", f"检查中，余 {counts['open']:,} 次入企"
    sealed = round_["disclosure"] == "sealed"
    if state == "revealed":
        return "ok", "检查完成，已移交监督机构" if sealed else "检查完成，密值已公开"
    return "half", "检查完成，待移交监督机构" if sealed else "检查完成，待公开密值"


def town_chart(towns: Mapping[str, int], columns: int = 5) -> dict[str, Any]:
    """Boxes of a schematic by town, in rows of `columns`: {width, height, boxes: [{x, y, name, count, bar}], most, least}."""
    most = max(towns.values(), default=0)
    boxes = []
    for n, (name, count) in enumerate(sorted(towns.items(), key=lambda pair: (-pair[1], pair[0]))):
        short = name.removesuffix("街道").removesuffix("镇").removesuffix("乡") if len(name) > 2 else name
        boxes.append({
            "x": n % columns * 88, "y": n // columns * 48, "name": short[:4], "count": count, "bar": count * 76 // most if most else 0,
        })  # fmt: skip
    rows = -(-len(boxes) // columns)
    return {"width": min(len(boxes), columns) * 88 - 8, "height": max(rows * 48 - 4, 1), "boxes": boxes}
