"""Large files on their way into a table, in short transactions that let everybody else write in between.

First all lines are staged, where nobody sees them; then `begin_merge` says that the file is
whole and will come in; then part after part is merged.  A crash before `begin_merge` leaves
the table as it was (the next load of its kind drops the remains); one after it leaves parts,
and whoever calls `merge_part` again finishes them: merging is by key, a part and the note
that it is done are one transaction, and several may work on one load at once.

Not UNLOGGED on PostgreSQL: a database that crashes empties such tables, and a file half
merged could not be finished.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any

from piccolo.columns.combination import And
from piccolo.table import Table

from portal.domain.errors import WrongMoment
from portal.store.bulk import bulk_load
from portal.store.engine import transaction
from portal.store.locks import hold
from portal.store.name_index import index_names
from portal.store.stations import delete_placements
from portal.store.tables import Entity, Load, LoadPart, Placement

__all__ = [
    "INTO", "PART_LINES", "UNPLACED", "begin_load", "begin_merge", "drop_load", "end_load", "iter_parts", "load_unfinished", "merge_part",
    "require_none_merging", "require_settled", "save_part",
]  # fmt: skip

#: A part is merged in one transaction: for so many lines everybody else may have to wait.
PART_LINES = 4_000
#: where lines go -> (table, unique key)
INTO: dict[str, tuple[type[Table], str]] = {"entity": (Entity, "code"), "placement": (Placement, "entity_code")}
#: lines that are codes, whose placement by address is no longer true
UNPLACED = "unplaced"


async def begin_load(
    what: str, organisation: int, keep: Collection[str], digest: str, by: int, at: datetime
) -> int:
    """A new load (columns in `keep` stay as they are where a row is there already); one of the same kind that never came to its merge is dropped, and its next `save_part` says so."""
    async with transaction():
        await hold("bureau", organisation)
        same = And(And(Load.what == what, Load.organisation == organisation), Load.state == "staging")
        for old in await Load.select(Load.id).where(same).run():
            await _drop(old["id"])
        load = Load(what=what, organisation=organisation, keep=" ".join(sorted(keep)), digest=digest, begun_by=by, begun_at=at)
        return (await Load.insert(load).run())[0]["id"]


async def save_part(load: int, n: int, lines: Sequence[str], names: Sequence[str], into: str = "entity") -> None:
    """Stage lines (`bulk.line_of`) of the columns `names` as part `n`, anew where it was staged before."""
    async with transaction(lasting=False):  # `begin_merge` makes it last
        part = And(LoadPart.load == load, LoadPart.n == n)
        again = await LoadPart.exists().where(part).run()
        more = {} if again else {Load.parts: Load.parts + 1}
        staging = And(Load.id == load, Load.state == "staging")
        if not await Load.update({Load.digest: Load.digest, **more}).where(staging).returning(Load.id).run():
            raise WrongMoment("另一份同类文件已经开始导入，这一份没有导入任何一行。请等它完成后再试。")
        await LoadPart.delete().where(part).run()
        if lines:
            await LoadPart.insert(LoadPart(load=load, n=n, into=into, names=" ".join(names), data=("\n".join(lines) + "\n").encode())).run()


async def iter_parts(load: int, into: str = "entity") -> AsyncIterator[tuple[int, list[str]]]:
    """(number, lines) of the staged parts of a kind."""
    last = -1
    own = And(LoadPart.load == load, LoadPart.into == into)
    while True:
        row = await LoadPart.select().where(And(own, LoadPart.n > last)).order_by(LoadPart.n).first().run()
        if row is None:
            return
        last = row["n"]
        yield last, bytes(row["data"]).decode().split("\n")[:-1]


async def begin_merge(load: int, lines: int) -> None:
    """`lines` is what there is to merge. From here on the file comes in, whatever happens; inside the caller's transaction. WrongMoment while another does.

    Who has to know whose the codes are holds "directory" and asks before.
    """
    await hold("directory")
    row = await Load.select().where(Load.id == load).first().run()
    if row is None or row["state"] != "staging":
        raise WrongMoment("另一份同类文件已经开始导入，这一份没有导入任何一行。请等它完成后再试。")
    if await Load.exists().where(And(Load.what == row["what"], Load.state == "merging")).run():
        raise WrongMoment("另一份同类文件正在并入名录，这一份没有导入任何一行。请等它完成后再试。")
    await Load.update({Load.state: "merging", Load.lines: lines}).where(Load.id == load).run()


async def merge_part(load: int) -> bool:
    """Merge the next part in a transaction of its own; whether there was one."""
    async with transaction(lasting=False):
        row = await Load.select().where(And(Load.id == load, Load.state == "merging")).first().run()
        if row is None:
            return False
        await hold("bureau", row["organisation"])
        await hold("directory")  # whoever holds it may trust in the numbers of entries (directory.load_last_id)
        part = await LoadPart.select().where(LoadPart.load == load).order_by(LoadPart.n).first().run()
        if part is None:
            return False
        if part["into"] == UNPLACED:
            await delete_placements(bytes(part["data"]).decode().split())
        else:
            table, key = INTO[part["into"]]
            keep = row["keep"].split() if part["into"] == "entity" else ()
            await bulk_load(table, part["names"].split(), bytes(part["data"]), key=key, keep=keep)
            await index_names()
        await LoadPart.delete().where(LoadPart.id == part["id"]).run()
        await Load.update({Load.merged: Load.merged + 1}).where(Load.id == load).run()
    return True


async def end_load(load: int, at: datetime) -> dict[str, Any] | None:
    """Note that a load is whole, inside the caller's transaction: its row, or None where somebody else noted it."""
    merging = And(Load.id == load, Load.state == "merging")
    if not await Load.update({Load.state: "done", Load.done_at: at}).where(merging).returning(Load.id).run():
        return None
    return await Load.select().where(Load.id == load).first().run()


async def drop_load(load: int) -> None:
    """Forget a load that is not to come in."""
    async with transaction():
        if await Load.exists().where(And(Load.id == load, Load.state == "staging")).run():
            await _drop(load)


async def _drop(load: int) -> None:
    # The row stays: SQLite would give its number to the next load, and two files would run together.
    await LoadPart.delete().where(LoadPart.load == load).run()
    await Load.update({Load.state: "dropped"}).where(Load.id == load).run()


async def load_unfinished(what: str) -> int | None:
    """The load that was being merged, if one was."""
    row = await Load.select(Load.id).where(And(Load.what == what, Load.state == "merging")).first().run()
    return row["id"] if row else None


async def require_none_merging(what: str) -> None:
    """WrongMoment while a large file of any bureau comes in: whose its codes are was settled before, and nobody may take one meanwhile.

    Asked with "directory" held; what a killed process left is finished by the worker's job, or by the next large import.
    """
    row = await Load.select(Load.merged, Load.parts).where(And(Load.what == what, Load.state == "merging")).first().run()
    if row:
        raise WrongMoment(
            f"一份大文件正在并入名录（已并入 {row['merged']} 批，共 {row['parts']} 批），这一份没有导入任何一行。请等它完成后再试；"
            "批数长时间不变的，请管理员检查后台进程（portal worker）是否在运行。"
        )


async def require_settled(organisations: Collection[int]) -> int:
    """WrongMoment while a file is being merged into these bureaus' directory; else the number of the last one that was.

    Who reads a directory in several queries asks before and after: the same number twice is one directory.
    """
    own = Load.organisation.is_in(sorted(organisations) or [-1])
    row = await Load.select(Load.merged, Load.parts).where(And(own, Load.state == "merging")).first().run()
    if row:
        raise WrongMoment(f"名录正在导入（已并入 {row['merged']} 批，共 {row['parts']} 批），还不完整。请等导入完成后再试。")
    last = await Load.select(Load.id).where(And(own, Load.state == "done")).order_by(Load.id, ascending=False).first().run()
    return last["id"] if last else 0
