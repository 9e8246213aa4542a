"""Uploads, headings pointed out, codes vouched for; classes by version, register rows, lists drawn elsewhere."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from piccolo.columns.combination import And, Or, WhereRaw

from portal.domain.errors import NotFound
from portal.domain.packing import pack
from portal.domain.registers import join_registers
from portal.domain.risk import CREDIT
from portal.store.accounts import within
from portal.store.bulk import insert_rows
from portal.store.engine import current_engine
from portal.store.tables import (
    AcceptedCode, ClassVersion, Entity, EntityClass, ExternalEntry, ExternalList, HeadingAlias, RegisterEntry, Upload,
)  # fmt: skip

CHUNK = 500
_JSON = ("options", "mapping", "report")


def _chunks(codes: Collection[str]) -> Iterable[list[str]]:
    wanted = sorted(codes)
    return (wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK))


# Uploads -------------------------------------------------------------------------


async def save_upload(**values: Any) -> int:
    packed = {name: pack(value) if name in _JSON else value for name, value in values.items()}
    return (await Upload.insert(Upload(**packed)).run())[0]["id"]


async def load_upload(upload: int, seen: Collection[int]) -> dict[str, Any]:
    """One upload without its file; see `load_upload_data`."""
    found = await _uploads(And(Upload.id == upload, within(Upload.organisation, seen)), 1)
    if not found:
        raise NotFound(f"没有编号为 {upload} 的导入文件，或者不在您的辖区。")
    return found[0]


async def load_uploads(seen: Collection[int], *, before: int = 0, limit: int = 50) -> list[dict[str, Any]]:
    """The newest first, keyset-paged by the last id of the page before; forms have pages of their own."""
    where: Any = And(within(Upload.organisation, seen), Upload.kind != "form")
    return await _uploads(And(where, Upload.id < before) if before else where, limit)


async def _uploads(where: Any, limit: int) -> list[dict[str, Any]]:
    columns = [column for column in Upload._meta.columns if column._meta.name != "data"]
    rows = await Upload.select(*columns, Upload.uploaded_by.name, Upload.settled_by.name).where(where).order_by(Upload.id, ascending=False).limit(limit).run()
    return [{**row, **{name: json.loads(row[name]) for name in _JSON}} for row in rows]


async def load_upload_data(upload: int) -> bytes:
    """The kept sheet (imports.unpack_sheet), empty once it was erased."""
    row = await Upload.select(Upload.data).where(Upload.id == upload).first().run()
    return bytes(row["data"]) if row else b""


async def has_upload_data(upload: int) -> bool:
    return await Upload.exists().where(And(Upload.id == upload, Upload.data != b"")).run()


async def update_upload(upload: int, was: str, **values: Any) -> bool:
    """Change an upload whose state still is `was`; False where somebody was first."""
    packed = {name: pack(value) if name in _JSON else value for name, value in values.items()}
    return bool(await Upload.update(**packed).where(And(Upload.id == upload, Upload.state == was)).returning(Upload.id).run())


async def forget_old_uploads(before: datetime) -> int:
    """Erase the files nobody settled, or whose good rows were imported, since `before`; the count."""
    old = And(Upload.uploaded_at < before, And(Upload.state != "queued", Upload.data != b""))
    waiting = And(old, Upload.state == "previewed")
    count = await Upload.count().where(old).run()
    if count:
        await Upload.update(state="dropped", settled_at=before).where(waiting).run()
        await Upload.update(data=b"").where(old).run()
    return count


# Headings and codes ----------------------------------------------------------------


async def load_aliases(organisation: int, kind: str) -> dict[str, str]:
    """plain heading -> field."""
    rows = await HeadingAlias.select().where(And(HeadingAlias.organisation == organisation, HeadingAlias.kind == kind)).run()
    return {row["wording"]: row["field"] for row in rows}


async def save_aliases(organisation: int, kind: str, mapping: Mapping[str, str], by: int, at: datetime) -> None:
    """Remember headings; one pointed out anew replaces what was said before."""
    for wording, field in sorted(mapping.items()):
        same = And(And(HeadingAlias.organisation == organisation, HeadingAlias.kind == kind), HeadingAlias.wording == wording)
        if not await HeadingAlias.update(field=field, by=by, at=at).where(same).returning(HeadingAlias.id).run():
            await HeadingAlias.insert(HeadingAlias(organisation=organisation, kind=kind, wording=wording, field=field, by=by, at=at)).run()


async def load_accepted(organisation: int) -> frozenset[str]:
    rows = await AcceptedCode.select(AcceptedCode.code).where(AcceptedCode.organisation == organisation).run()
    return frozenset(row["code"] for row in rows)


async def load_acceptance(organisation: int, code: str) -> dict[str, Any] | None:
    """Who vouched for a code, when and why."""
    of = And(AcceptedCode.organisation == organisation, AcceptedCode.code == code)
    return await AcceptedCode.select(AcceptedCode.all_columns(), AcceptedCode.by.name).where(of).first().run()


async def save_accepted(organisation: int, codes: Collection[str], reason: str, by: int, at: datetime) -> int:
    """Vouch for codes; those vouched for already keep their first reason. The count of new ones."""
    fresh = sorted(set(codes) - await load_accepted(organisation))
    return await insert_rows(
        AcceptedCode, ({"organisation": organisation, "code": code, "reason": reason, "by": by, "at": at} for code in fresh)
    )


# Classes ---------------------------------------------------------------------------


async def save_classes(values: Mapping[str, Any], rows: Sequence[tuple[str, str]], seen: Collection[int]) -> int:
    """One version of (code, class); the directory gets those for which no later version speaks. Entries changed or confirmed.

    Grades of a sector's own scale stay out of the directory's class: only the pools of its tasks ask for them.
    """
    version = (await ClassVersion.insert(ClassVersion(**values, count=len(rows))).run())[0]["id"]
    await insert_rows(EntityClass, ({"version": version, "code": code, "risk_class": one} for code, one in rows))
    if values.get("scale", CREDIT) != CREDIT:
        return 0
    same = And(ClassVersion.organisation == values["organisation"], ClassVersion.scale == CREDIT)
    later = await ClassVersion.select(ClassVersion.id).where(And(same, ClassVersion.classed_on > values["classed_on"])).run()
    stale = await _codes_in([row["id"] for row in later], [code for code, _ in rows])
    by_class: dict[str, list[str]] = {}
    for code, one in rows:
        if code not in stale:
            by_class.setdefault(one, []).append(code)
    changed = 0
    for one, codes in sorted(by_class.items()):
        for part in _chunks(codes):
            mine = And(Entity.code.is_in(part), within(Entity.organisation, seen))
            changed += len(await Entity.update(risk_class=one).where(mine).returning(Entity.id).run())
    return changed


async def _codes_in(versions: Sequence[int], codes: Sequence[str]) -> set[str]:
    found: set[str] = set()
    if versions:
        for part in _chunks(codes):
            rows = await EntityClass.select(EntityClass.code).where(And(EntityClass.version.is_in(list(versions)), EntityClass.code.is_in(part))).run()
            found |= {row["code"] for row in rows}
    return found


async def load_latest_classes(organisation: int, codes: Collection[str], scale: str = CREDIT) -> dict[str, str]:
    """code -> class (of credit risk, or of another scale) of the latest version that has it."""
    of_scale = And(ClassVersion.organisation == organisation, ClassVersion.scale == scale)
    versions = await ClassVersion.select().where(of_scale).order_by(ClassVersion.classed_on, ClassVersion.id).run()
    order = {row["id"]: n for n, row in enumerate(versions)}
    found: dict[str, tuple[int, str]] = {}
    for part in _chunks(codes) if order else ():
        rows = await EntityClass.select().where(And(EntityClass.version.is_in(list(order)), EntityClass.code.is_in(part))).run()
        for row in rows:
            found[row["code"]] = max(found.get(row["code"], (-1, "")), (order[row["version"]], row["risk_class"]))
    return {code: one for code, (_, one) in found.items()}


async def load_class_history(organisation: int, code: str) -> list[dict[str, Any]]:
    """The classes of a code, the latest first: classed_on, scale, version, risk_class."""
    rows = (
        await EntityClass.select(EntityClass.risk_class, EntityClass.version.classed_on, EntityClass.version.version, EntityClass.version.id, EntityClass.version.scale)
        .where(And(EntityClass.code == code, EntityClass.version.organisation == organisation))
        .run()
    )
    rows.sort(key=lambda row: (row["version.classed_on"], row["version.id"]), reverse=True)
    return [{"classed_on": r["version.classed_on"], "version": r["version.version"], "risk_class": r["risk_class"], "scale": r["version.scale"]} for r in rows]


# Registers -------------------------------------------------------------------------


async def save_register_rows(
    organisation: int, rows: Iterable[Mapping[str, Any]], seen: Collection[int], by: int, at: datetime,
    lost: Sequence[tuple[int, str]] = (),
) -> dict[str, int]:  # fmt: skip
    """Add or replace rows (register, code, number, data), drop the `lost` (id, code), and join all into the entries of `seen`. Counts: added, replaced, same."""
    given = _by_key(rows)
    known = await _load_known(organisation, given)
    fresh = []
    for key, row in given.items():
        if key in known:
            await RegisterEntry.update(data=pack(row["data"]), imported_by=by, imported_at=at).where(RegisterEntry.id == known[key][0]).run()
        else:
            fresh.append({"organisation": organisation, **row, "data": pack(row["data"]), "imported_by": by, "imported_at": at})
    await insert_rows(RegisterEntry, fresh)
    counts = _sorted_rows(given, known)
    for start in range(0, len(lost), CHUNK):
        await RegisterEntry.delete().where(RegisterEntry.id.is_in([row for row, _ in lost[start : start + CHUNK]])).run()
    touched = {code for _, code, _ in given} | {code for _, code in lost}
    joined = await load_register_rows(organisation, touched)
    for part in _chunks(touched):
        mine = And(Entity.code.is_in(part), within(Entity.organisation, seen))
        for entity in await Entity.select(Entity.id, Entity.code, Entity.licences, Entity.attributes).where(mine).run():
            licences, attributes = join_registers(json.loads(entity["licences"]), json.loads(entity["attributes"]), joined.get(entity["code"], ()))
            await Entity.update(licences=pack(licences), attributes=pack(attributes)).where(Entity.id == entity["id"]).run()
    return counts


async def load_lost_rows(organisation: int, rows: Iterable[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """(id, code) of rows that the registers of these rows have beside them."""
    given = _by_key(rows)
    named = And(RegisterEntry.organisation == organisation, RegisterEntry.register.is_in(sorted({register for register, _, _ in given}) or ["-"]))
    there = await RegisterEntry.select(RegisterEntry.id, RegisterEntry.register, RegisterEntry.code, RegisterEntry.number).where(named).run()
    return [(row["id"], row["code"]) for row in there if (row["register"], row["code"], row["number"]) not in given]


async def sort_register_rows(organisation: int, rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """What `save_register_rows` would do: added, replaced, same."""
    given = _by_key(rows)
    return _sorted_rows(given, await _load_known(organisation, given))


_Key = tuple[str, str, str]  # register, code, number


def _by_key(rows: Iterable[Mapping[str, Any]]) -> dict[_Key, Mapping[str, Any]]:
    return {(row["register"], row["code"], row["number"]): row for row in rows}


async def _load_known(organisation: int, keys: Collection[_Key]) -> dict[_Key, tuple[int, str]]:
    """key -> (id, data) of the rows of these codes that are there."""
    known = {}
    for part in _chunks({code for _, code, _ in keys}):
        for row in await RegisterEntry.select().where(And(RegisterEntry.organisation == organisation, RegisterEntry.code.is_in(part))).run():
            known[row["register"], row["code"], row["number"]] = row["id"], row["data"]
    return known


def _sorted_rows(given: Mapping[_Key, Mapping[str, Any]], known: Mapping[_Key, tuple[int, str]]) -> dict[str, int]:
    there = [key for key in given if key in known]
    same = sum(known[key][1] == pack(given[key]["data"]) for key in there)
    return {"added": len(given) - len(there), "replaced": len(there) - same, "same": same}


async def load_register_rows(organisation: int, codes: Collection[str]) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """code -> [(register, data)] in the order of register and number."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for part in _chunks(codes):
        rows = (
            await RegisterEntry.select()
            .where(And(RegisterEntry.organisation == organisation, RegisterEntry.code.is_in(part)))
            .order_by(RegisterEntry.register, RegisterEntry.number)
            .run()
        )
        for row in rows:
            found.setdefault(row["code"], []).append((row["register"], json.loads(row["data"])))
    return found


async def count_register_rows(organisation: int, seen: Collection[int]) -> dict[str, int]:
    """register -> its rows about entries of `seen`."""
    from piccolo.query.functions.aggregate import Count

    mine = And(RegisterEntry.organisation == organisation, _about(seen, ""))
    rows = await RegisterEntry.select(RegisterEntry.register, Count(RegisterEntry.id)).where(mine).group_by(RegisterEntry.register).run()
    return {row["register"]: row["count"] for row in sorted(rows, key=lambda row: row["register"])}


async def load_register_page(
    organisation: int, register: str, seen: Collection[int], *, query: str = "", after: int = 0, limit: int = 50
) -> list[dict[str, Any]]:
    """Rows of a register about entries of `seen` with the entry's name, as they came in, keyset-paged by the last id of the page before.

    `query`: a part of the entry's name, its code, or the row's number.
    """
    where: Any = And(And(RegisterEntry.organisation == organisation, RegisterEntry.register == register), _about(seen, ""))
    if query:
        escaped = query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        where = And(where, Or(Or(RegisterEntry.code == query.upper(), RegisterEntry.number == query), _about(seen, escaped)))
    if after:
        where = And(where, RegisterEntry.id > after)
    rows = await RegisterEntry.select().where(where).order_by(RegisterEntry.id).limit(limit).run()
    names = {}
    for part in _chunks({row["code"] for row in rows}):
        names |= {one["code"]: one["name"] for one in await Entity.select(Entity.code, Entity.name).where(Entity.code.is_in(part)).run()}
    return [{**row, "name": names.get(row["code"], ""), "data": json.loads(row["data"])} for row in rows]


def _about(seen: Collection[int], named: str) -> WhereRaw:
    """Rows about directory entries of these organisations, called so where `named` (escaped for LIKE) is given."""
    inside = ", ".join(str(int(one)) for one in sorted(seen)) or "-1"
    sql = f'EXISTS (SELECT 1 FROM "entity" WHERE "entity"."code" = "register_entry"."code" AND "entity"."organisation" IN ({inside})'
    if not named:
        return WhereRaw(sql + ")")
    like = "LIKE" if current_engine().engine_type == "sqlite" else "ILIKE"  # as in the directory's own search
    return WhereRaw(sql + f" AND \"entity\".\"name\" {like} {{}} ESCAPE '\\')", f"%{named}%")


async def has_register_rows(organisation: int) -> bool:
    return await RegisterEntry.exists().where(RegisterEntry.organisation == organisation).run()


async def has_classes(organisation: int) -> bool:
    return await ClassVersion.exists().where(ClassVersion.organisation == organisation).run()


# Lists drawn elsewhere ---------------------------------------------------------------


async def save_external_list(values: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> int:
    one = (await ExternalList.insert(ExternalList(**values)).run())[0]["id"]
    await insert_rows(ExternalEntry, ({"external": one, **row, "data": pack(row["data"])} for row in rows))
    return one


async def load_external_lists(seen: Collection[int]) -> list[dict[str, Any]]:
    return (
        await ExternalList.select(ExternalList.all_columns(), ExternalList.task.code, ExternalList.task.name, ExternalList.imported_by.name)
        .where(within(ExternalList.organisation, seen))
        .order_by(ExternalList.id, ascending=False)
        .run()
    )


async def load_external_list(number: int, seen: Collection[int]) -> dict[str, Any]:
    found = next((row for row in await load_external_lists(seen) if row["id"] == number), None)
    if found is None:
        raise NotFound(f"没有编号为 {number} 的外部抽取名单，或者不在您的辖区。")
    return found


async def load_external_rows(external: int, *, after: int = 0, limit: int = 200) -> list[dict[str, Any]]:
    rows = (
        await ExternalEntry.select()
        .where(And(ExternalEntry.external == external, ExternalEntry.row > after))
        .order_by(ExternalEntry.row)
        .limit(limit)
        .run()
    )
    return [{**row, "data": json.loads(row["data"])} for row in rows]


async def load_names(names: Collection[str], seen: Collection[int]) -> dict[str, list[str]]:
    """name -> codes of the bureau's entries called so."""
    found: dict[str, list[str]] = {}
    for part in _chunks(names):
        rows = await Entity.select(Entity.code, Entity.name).where(And(Entity.name.is_in(part), within(Entity.organisation, seen))).run()
        for row in rows:
            found.setdefault(row["name"], []).append(row["code"])
    return found
