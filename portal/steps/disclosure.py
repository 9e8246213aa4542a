"""Writing the disclosure bundle (public_site/README.md): all that leaves the portal, in one folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.domain import log as tlog
from portal.domain.corrections import notice_of
from portal.domain.model import Task
from portal.domain.packing import pack
from portal.domain.publish import per_cent
from portal.domain.rounds import label_of
from portal.plugins import SectorFault
from portal.steps import log
from portal.steps.acting import Acting, stamp
from portal.steps.bundles import PublicFiles, load_public_files
from portal.steps.disclosure_rounds import EXTERNAL, external_row, round_row
from portal.steps.log import Proofs
from portal.steps.publish import published_view
from portal.steps.visits import count_dismissed
from portal.steps.withdraw import load_shown, load_tombstones
from portal.store import directory, draw, plan, records
from portal.store import log as log_store
from portal.store import pool as pools
from portal.store import publish as store
from portal.store import visits as visit_store
from portal.store.engine import transaction

SPEC = "mingcha-bundle/1"


def require_release(act: Acting) -> None:
    """Raises NotAllowed for whoever neither publishes results nor acts on rounds that must be shown."""
    if not (act.may("round.commit") or act.may("round.reveal")):
        act.require("publish.publish")


async def write_bundle(
    act: Acting, folder: Path, *, demo: bool, told: Callable[[str], Awaitable[None]] | None = None
) -> dict[str, Any]:
    """Sign the log's head and write the bundle into `folder`, which is made new.

    What is published is one state: that of the transaction which signs the log, while no other
    act can end.  What takes long (the files of rounds, the pages of sectors) is made before it;
    in it only what has changed since is made again.  `told` is awaited with the code of each round
    made before.  A crash leaves a half folder that the next run removes; nobody reads it before its
    manifest.  Returns {"size", "root", "rounds": ids committed in it}.
    """
    require_release(act)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    made: dict[int, PublicFiles] = {}
    for round_ in await _committed(act):
        made[round_["id"]] = await load_public_files(act, round_)
        if told:
            await told(round_["code"])
    drafted = await _load_pages(act, None)
    async with transaction():
        head = await log.checkpoint(act)
        entries = await log_store.load_entries()
        proofs = Proofs(entries, await log_store.load_checkpoints())
        as_of = stamp(entries[-1]["at"]) if entries else stamp(act.now)
        rounds, external = await _committed(act), await _external(act)
        files: dict[str, bytes] = {}
        lines = []
        for round_ in rounds:
            row, more = await round_row(act, round_, entries, await load_public_files(act, round_, made.get(round_["id"])))
            lines.append(row)
            files |= more
        results = await _results(act, proofs, {r["code"]: r for r in (*rounds, *external)})
        drafted = await _load_pages(act, drafted)
        for fault in drafted.faults:
            await act.audit("sector.fault", fault.sector, hook=fault.hook, message=fault.message)
        pages = [*drafted.pages, *_pages_of(folder.with_name("current"), {fault.sector for fault in drafted.faults})]
        files |= {
            "items.jsonl": _lines(
                [{**row["data"], "proof": proofs.of(row["log_index"], row["salt"])} for row in await store.load_live(act.whole, "item")]
            ),
            "plans.jsonl": _lines(
                [{**row["data"], "proof": proofs.of(row["log_index"], row["salt"])} for row in await store.load_live(act.whole, "plan")]
            ),
            "rounds.jsonl": _lines(lines),
            "external.jsonl": _lines([await external_row(act, one, entries, proofs) for one in external]),
            "results.jsonl": _lines(results),
            "tombstones.jsonl": _lines(await load_tombstones(act)),
            "pages.jsonl": _lines(sorted(pages, key=lambda page: (page["sector"], page["slug"]))),
        }
        files |= {f"log/{path}": data for path, data in log.files(entries, head["note"]).items()}
        origin = await log.origin_of(act)
        about = {
            "spec": SPEC, "bureau": {name: act.top[name] for name in ("code", "name", "region")}, "as_of": as_of,
            "demo": demo, "year": int(as_of[:4]), "figures": await _figures(act, int(as_of[:4]), [*rounds, *external], results),
            "log": {"origin": origin, "key": tlog.format_vkey(origin, act.keys.public()), "size": head["size"], "root": head["root"]},
        }  # fmt: skip
        files["about.json"] = pack(about).encode()
    for path, data in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    listed = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    manifest = pack({"spec": SPEC, "as_of": as_of, "files": listed}).encode()
    fresh = folder / "manifest.new"
    fresh.write_bytes(manifest)
    os.replace(fresh, folder / "manifest.json")
    return {"size": head["size"], "root": head["root"], "rounds": [r["id"] for r in rounds], "digest": hashlib.sha256(manifest).hexdigest()}


async def _committed(act: Acting) -> list[dict[str, Any]]:
    return [round_ for round_ in await draw.load_rounds(act.whole) if round_["round_json"]]


async def _external(act: Acting) -> list[dict[str, Any]]:
    """Lists drawn elsewhere that were taken into work here."""
    return [round_ for round_ in await draw.load_rounds(act.whole, external=True) if round_["state"] == "external"]


def _lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(pack(dict(row)).encode() + b"\n" for row in rows)


# Rounds ----------------------------------------------------------------------


async def _results(
    act: Acting, proofs: Proofs, rounds: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    history = await store.load_history(act.whole, "result")
    notices = {one["publication"]: one for one in await store.load_corrections(act.whole)}
    found = []
    for row in await load_shown(act):
        round_ = rounds[row["data"]["round"]]
        versions = [version for version in history[row["key"]] if version["state"] != "withdrawn"]
        changes: list[dict[str, str]] = [{"on": versions[0]["data"]["published_on"], "text": "首次公示。"}]
        for version in versions[1:]:
            on = version["data"]["published_on"]
            if version["id"] in notices:
                changes.append(notice_of(row["data"], notices[version["id"]], on))
            else:
                changes.append({"on": on, "text": "补充公示其余事项的检查结果，或更新后续处置。"})
        found.append(
            {
                **row["data"], "round_title": round_["title"], "label": label_of(json.loads(round_["round_json"])) if round_["round_json"] else EXTERNAL,
                "published_on": versions[0]["data"]["published_on"], "history": changes,
                "proof": proofs.of(row["log_index"], row["salt"]),
            }
        )  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class _Pages:
    """Sectors' own pages, the sectors that failed, and a digest of what they were shown."""

    shown: str
    pages: Sequence[dict[str, Any]]
    faults: Sequence[SectorFault]


async def _load_pages(act: Acting, before: _Pages | None) -> _Pages:
    """`before` where sectors would be shown the same again."""
    tasks = await plan.load_tasks(act.whole)
    live = await load_shown(act)
    sizes = await pools.load_committed_sizes([task["id"] for task in tasks])
    shown = hashlib.sha256(repr((tasks, sizes, [(row["key"], row["digest"]) for row in live])).encode()).hexdigest()
    if before and before.shown == shown:
        return before
    return _Pages(shown, *_pages(act, tasks, sizes, [row["data"] for row in live]))


def _pages(
    act: Acting, tasks: Sequence[Mapping[str, Any]], sizes: Mapping[int, int], results: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[SectorFault]]:
    """Pages and failed sectors; sectors see public records only, and give blocks, never HTML."""
    views = [published_view(data) for data in results]
    found = []
    faults: dict[str, SectorFault] = {}
    for task in tasks:
        items = {code for code, _ in plan.items_of(task)}
        mine = [view for view in views if items & set(view.items)]
        if not mine:
            continue
        view = Task(
            code=task["code"], name=task["name"], sector=task["sector"], items=tuple(sorted(items)),
            window=(task["window_from"], task["window_to"]), frozen_on=task["window_from"], base=sizes.get(task["id"], 0),
        )  # fmt: skip
        pages, failed = act.sectors.publication_pages(view, mine)
        faults |= {fault.sector: fault for fault in failed}
        for sector, page in pages:
            blocks = [{"kind": b.kind, "title": b.title, "body": b.body} for b in page.blocks]
            found.append({"sector": sector, "slug": page.slug, "title": page.title, "blocks": blocks})
    unique = {(page["sector"], page["slug"]): page for page in found if page["sector"] not in faults}
    return list(unique.values()), [faults[sector] for sector in sorted(faults)]


def _pages_of(last: Path, sectors: Collection[str]) -> list[dict[str, Any]]:
    """What these sectors' pages were in the bundle published last: a sector that fails loses nothing already shown."""
    try:
        lines = (last / "pages.jsonl").read_bytes().splitlines() if sectors else []
    except FileNotFoundError:
        return []
    return [page for page in map(json.loads, lines) if page["sector"] in sectors]


async def _figures(
    act: Acting, year: int, every_round: Sequence[Mapping[str, Any]], every_result: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The figures of the rounds whose checks begin in a year; percentages rounded down, each with its base in a sentence.

    A visit that two rounds share is one visit: counted for each, its one result would never make a hundred per cent.
    """
    rounds = [one for one in every_round if one["window_from"].year == year and (one["result_json"] or one["state"] == "external")]
    drawn: set[str] = set()
    made: dict[str, bool] = {}  # visit -> done
    parts: set[str] = set()
    avoided = 0
    for round_ in rounds:
        picks = await draw.load_picks(round_["id"])
        if round_["state"] != "external":
            drawn |= {pick["code"] for pick in picks}
        if visits := await visit_store.load_visits_of(round_["id"]):
            made |= {visit["code"]: visit["state"] == "done" for visit in visits}
            parts |= {visit["code"] for visit in visits if visit["part"] > 1}
            avoided += len(picks) - await count_dismissed(round_, picks)
    avoided -= len(made)
    done = sum(made.values())
    results = [row for row in every_result if row["visit"] in made]
    base = await directory.count_entities(act.whole, directory.DRAWABLE)
    problems = sum(any(item["problem"] for item in row["items"]) for row in results)
    rows = await records.load_follow_ups_state(act.whole, [round_["id"] for round_ in rounds])
    return [
        {"label": "抽取户数", "value": len(drawn), "unit": "户", "base": f"占在册 {base:,} 户的 {per_cent(len(drawn), base)}。"},
        {"label": "入企检查", "value": per_cent(done, len(made)), "unit": "", "base": f"应入企 {len(made):,} 次，已完成 {done:,} 次。"},
        {"label": "结果公示", "value": per_cent(len(results), done), "unit": "", "base": f"已完成 {done:,} 次，已公示 {len(results):,} 次。"},
        {"label": "发现问题", "value": problems, "unit": "户次", "base": f"后续处置应办 {sum(rows.values()):,} 件，已办结 {rows.get('closed', 0):,} 件。"},
        {"label": "少跑", "value": avoided, "unit": "次", "base": "几项检查合并为一次入企，少进企业门的次数" + (f"；因故分开进行的 {len(parts):,} 次已经扣除。" if parts else "。")},
    ]  # fmt: skip


async def save_published(act: Acting, written: Mapping[str, Any], release: Mapping[str, Any]) -> None:
    """Note the release that now shows this bundle; rounds in it count as published from here on."""
    require_release(act)
    async with transaction():
        await draw.save_published(written["rounds"], act.now)
        await store.save_release(
            {
                "code": release["id"], "manifest_digest": release["id"].rpartition("-")[2], "bundle_digest": written["digest"],
                "log_size": written["size"], "pages": release["pages"], "pdfs": release["pdfs"], "made_by": act.account, "made_at": act.now,
            }
        )  # fmt: skip
        await act.audit("publish.release", release["id"], after=written["digest"], changed=release["changed"])
