"""A large register into the directory: read whole first, then merged a few thousand rows at a time while the office works on.

All or nothing, in two halves: until the merge begins nothing of the file is anywhere but
in the stage; once it has begun it is finished, if need be by whoever comes next (the worker,
the next import).  Meanwhile pools cannot be frozen.  Smaller files need none of this:
`directory.save_entity_rows` writes them in one transaction.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Any

from portal.domain.directory import EntityRow, doubled
from portal.domain.errors import BadInput, NotAllowed
from portal.domain.tables import Findings, Parsed
from portal.steps.acting import Acting
from portal.store import directory, loads
from portal.store.engine import transaction
from portal.store.jobs import save_job

__all__ = ["SMALL", "finish_as_job", "finish_load", "load_entities"]

#: Rows that one transaction may write: nobody waits long for it.
SMALL = 20_000
#: Warnings kept of one file; whoever has more looks at the file.
_WARNINGS = 1_000


async def load_entities(
    act: Acting, rows: Iterable[tuple[int, EntityRow]], organisation_of: Callable[[EntityRow], int], tree: Collection[int],
    counts: Counter[str], findings: Findings, heading: str = "", digest: str = "",
) -> int:  # fmt: skip
    """Rows with their file rows, through the stage, into the directory; how many entities that were.

    `findings` may fill while rows are read: an error there refuses the whole file with BadInput.
    """
    act.require("directory.import")
    await finish_load(act)
    staged = await loads.begin_load("entities", act.bureau["id"], directory.ENTITY_NAMES, digest, act.account, act.now)
    try:
        saved = await _stage(act, staged, rows, organisation_of, tree, counts, findings, heading)
        before = await directory.count_entities(tree)
        async with transaction():
            await loads.begin_merge(staged, {"file": digest, "before": before})
            await act.audit("directory.import.begin", "entities", after=digest, count=saved)
            await save_job("load", str(staged), {"login": act.login}, act.account, act.now)
    except BaseException:
        await loads.drop_load(staged)
        raise
    while await loads.merge_part(staged):
        pass
    await finish_load(act)
    counts["更新原有"] = saved - (await directory.count_entities(tree) - before)
    return saved


async def finish_load(act: Acting) -> bool:
    """Merge what is left of an interrupted import, if there is one; whether there was."""
    load = await loads.load_unfinished("entities")
    if load is None:
        return False
    while await loads.merge_part(load):
        pass
    async with transaction():
        done = await loads.end_load(load, act.now)
        if done:
            await act.audit("directory.import", "entities", after=done["digest"], count=done["lines"])
    return True


async def _stage(
    act: Acting, load: int, rows: Iterable[tuple[int, EntityRow]], organisation_of: Callable[[EntityRow], int],
    tree: Collection[int], counts: Counter[str], findings: Findings, heading: str,
) -> int:  # fmt: skip
    """Every row as a line of its part; the number of lines. Of each code only its hash is kept."""
    at = directory.stored_instant(act.now)
    line_of = directory.entity_line
    shared = await directory.has_entities_outside(tree)
    hashes, places = array("q"), array("L")
    lines: list[str] = []
    codes: list[str] = []
    foreign: list[str] = []
    placed = gone = parts = warned = 0
    bureau = act.bureau["id"]
    drawable = directory.DRAWABLE

    async def save() -> None:
        nonlocal parts, warned
        if shared:
            owners = await directory.load_owners(codes)
            foreign.extend(code for code, owner in owners.items() if owner not in tree)
        codes.clear()
        await loads.save_part(load, parts, lines)
        lines.clear()
        parts += 1
        warned += max(0, len(findings.warnings) - _WARNINGS)
        del findings.warnings[_WARNINGS:]

    for place, row in rows:
        organisation = organisation_of(row)
        if organisation != bureau:
            placed += 1
        if row.status != drawable:
            gone += 1
        lines.append(line_of(row, organisation, at))
        hashes.append(hash(row.code))
        places.append(place)
        if shared:
            codes.append(row.code)
        if len(lines) == loads.PART_LINES:
            await save()
    if lines:
        await save()
    if warned:
        findings.warn(0, "", f"还有 {warned} 处提示没有列出。")
    counts.update({"读入": len(hashes), "已分到所": placed, "未分到所": len(hashes) - placed, "不在册（不参加抽取）": gone})
    for name in [name for name, count in counts.items() if not count]:
        del counts[name]
    joined = await _join_doubled(load, hashes, places, findings, heading)
    if findings.errors:
        _refuse(findings)
    if foreign:
        raise NotAllowed(f"有 {len(foreign)} 户已在其他单位的名录中，例如 {min(foreign)}。请删去这些行后重新上传。")
    if not hashes:
        raise BadInput("文件里没有一户检查对象。")
    return len(hashes) - joined


async def _join_doubled(load: int, hashes: array[int], places: array[int], findings: Findings, heading: str) -> int:
    """Join the rows of codes that came twice, or note the error; how many lines went into earlier ones."""
    ordered = sorted(hashes)
    twice = {one for one, other in zip(ordered, ordered[1:]) if one == other}
    del ordered
    if not twice:
        return 0
    first: dict[str, tuple[int, int]] = {}  # code -> its part and place there
    kept: dict[int, list[str | None]] = {}
    joined = passed = 0
    async for n, lines in loads.iter_parts(load):
        changed: list[str | None] = list(lines)
        for k, line in enumerate(lines):
            if hashes[passed + k] not in twice:
                continue
            code = line.partition("\t")[0]
            if code not in first:
                first[code] = n, k
                kept.setdefault(n, changed)
                continue
            part, place = first[code]
            one = directory.join_lines(kept[part][place] or "", line)
            if one is None:
                earlier = places[part * loads.PART_LINES + place]
                findings.error(places[passed + k], heading, doubled(code, earlier))
                continue
            kept[part][place], changed[k] = one, None
            kept.setdefault(n, changed)
            joined += 1
        passed += len(lines)
    if not findings.errors:
        for n, changed in kept.items():
            await loads.save_part(load, n, [line for line in changed if line is not None])
    return joined


def _refuse(findings: Findings) -> None:
    findings.errors.sort(key=lambda problem: problem.row)
    Parsed((), errors=tuple(findings.errors)).require_no_errors("检查对象名录")


async def finish_as_job(act: Acting, *_: Any) -> dict[str, str]:
    """`finish_load` for the worker, should whoever began the import be gone."""
    if not await finish_load(act):
        return {"note": "名录导入已经完成。"}
    return {"note": "已接着完成中断的名录导入。"}
