"""A person's data and a class in every text of every table: what is published holds those that are meant for the public, and no other.

Every text column of the database gets words of its own, one after another added to what stands there (in JSON: to each text in it),
past all rules. Then the year is published as ever. A new column is planted without anybody thinking of it: if it comes out, this fails.
"""

import asyncio
import contextlib
import gzip
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from piccolo.columns import Text

from portal.domain.bundle import canonical
from portal.steps import disclosure, draw, publish, withdraw
from portal.store import engine, tables
from portal.store import publish as publications
from portal.store.tables import ALL
from public_site.release import release
from tests import office
from tests.office import OPEN, SEALED
from tests.office_fixtures import stages_on
from tests.store.test_invariants import _a_row

WORDS = "李四13900001111身份证350582199001011234D级高风险"
#: what things are found by or checked against: with other words there the portal refuses to publish, or cannot
KEYS = {
    "account": {"login", "roles"}, "entity": {"code"}, "item": {"code", "version", "data"}, "check_form": {"code", "version", "data"},
    "sheet_sector": {"code"}, "sheet_version": {"sector", "code", "version", "rule", "name", "file_digest"}, "plan_row": {"data"},
    "task": {"code", "item_code", "item_version"}, "rider": {"item_code", "item_version"}, "pick": {"code"}, "exclusion": {"code"},
    "round": {"code", "round_json", "replacement_json", "replacement_commit"}, "source": {"drawn_at"}, "visit": {"code", "entity_code"},
    "record": {"form_code", "form_version"}, "finding": {"item_code", "item_version", "outcome"},
    "correction": {"field", "key"}, "withdrawal": {"key", "entity_code"}, "log_entry": {"leaf"}, "checkpoint": {"root", "note"}, "setting": {"key", "value"},
    "publication": {"key", "data", "salt", "digest"},  # made of all others, before they are planted
}
STATES = {"state", "kind", "disclosure", "suite"}  # columns whose words decide what is done with a row, in every table
#: what the public is told, by the law or by DRAW.md; in `record` the answer to one question
PUBLIC = {
    "organisation": {"code", "name", "region"}, "entity": {"name", "type", "status"}, "visit": {"town"},
    "plan": {"title", "notes"}, "plan_row": {"task_code"}, "task": {"name", "department", "ratio_text"},
    "round": {"title", "digest", "draw_not_before", "result_json", "result_commit"}, "share": {"holder", "commit"}, "source": {"name", "value"},
    "record": {"method"}, "finding": {"summary"}, "correction": {"old", "new"},
}


def texts() -> list[tuple[str, str]]:
    return [(table._meta.tablename, column._meta.name) for table in ALL for column in table._meta.columns if isinstance(column, Text)]


def keys() -> set[tuple[str, str]]:
    return {(table, column) for table, column in texts() if column in STATES or column in KEYS.get(table, ())}


def mark(n: int) -> str:
    return f"ZQ{n:03d}X{WORDS}"


def with_words(value: Any, words: str, path: str | None) -> Any:
    """`path`: the question that is answered there, where it is one; it is said with the words."""
    if isinstance(value, dict):
        return {name: with_words(one, words, path if path is None else path or name) for name, one in value.items()}
    if isinstance(value, list):
        return [with_words(one, words, path) for one in value]
    return f"{value}{words}{f'@{path}@' if path else ''}" if isinstance(value, str) and value else value


def plant(database: sqlite3.Connection, table: str, column: str, words: str) -> None:
    for number, said in database.execute(f'SELECT id, "{column}" FROM "{table}"').fetchall():
        planted = json.dumps(with_words(json.loads(said), words, "" if column == "answers" else None), ensure_ascii=False, sort_keys=True, separators=(",", ":")) if said[:1] in ("{", "[") else said + words
        database.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE id = ?', (planted, number))


@contextlib.contextmanager
def past_all_rules(folder: Path):
    """The database as somebody has it who may do anything."""
    with contextlib.closing(sqlite3.connect(folder / "portal.db")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        yield database


class Words:
    """PDFs that say all that is in their context, as the true ones may."""

    version = "words-1"

    def __call__(self, jobs):
        for job in jobs:
            yield job.key, b"%PDF-1.7\n" + canonical(job.context) + b"\n%%EOF\n"


def read(folder: Path) -> bytes:
    """All that is in all files of a folder, unpacked, and their names."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            found += [str(path.relative_to(folder)).encode(), gzip.decompress(data) if path.suffix == ".gz" else data]
    return b"\n".join(found)


@pytest.fixture(scope="module")
def published(tmp_path_factory, cheap_passphrases):
    """(columns that were planted, those whose words are in what is public). What a bundle says does not depend on the engine (test_same_bytes.py)."""
    folder = stages_on("sqlite", tmp_path_factory).copy("approved", tmp_path_factory.mktemp("planted") / "data")

    async def at_work(doing):
        house = await office.open_house(folder)
        try:
            return await doing(house)
        finally:
            await engine.close_engine()

    async def reveal(house):
        for code in (OPEN, SEALED):
            await draw.reveal_round(await house.acting("approver"), code)

    async def show(house):
        publisher = await house.acting("publisher")
        await publish.publish_all(publisher)
        first, second = [row["key"] for row in (await publications.load_live(publisher.tree, "result"))[:2]]
        await withdraw.withdraw(publisher, first, "原决定已撤销")
        await withdraw.correct(publisher, second, "", "town", "别的镇", "门牌有误", shown=True)
        for name in sorted({one for one, _ in texts()} - {"sheet_version", "checkpoint"}):  # the one belongs to a form, the other is made last
            with contextlib.suppress(AssertionError):
                await _a_row(name)
        somebody = (await tables.Account.select(tables.Account.id).first().run())["id"]
        for row in (tables.RecoveryCode(account=somebody), tables.WebSession(account=somebody), tables.DoneForm(), tables.Division(code="359921100")):
            await row.save().run()

    async def write(house):
        await disclosure.write_bundle(await house.acting("publisher"), folder / "bundle", demo=False)

    planted: dict[tuple[str, str], int] = {}

    def plant_all(database, skip):
        for n, (table, column) in enumerate(texts()):
            if (table, column) not in planted and (table, column) not in keys() and table not in skip and database.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone():
                plant(database, table, column, mark(n))
                planted[table, column] = n

    asyncio.run(at_work(reveal))
    with past_all_rules(folder) as database:
        plant_all(database, ())
    asyncio.run(at_work(show))
    with past_all_rules(folder) as database:
        plant_all(database, ("publication",))
    asyncio.run(at_work(write))
    release(folder / "bundle", folder / "site", Words())
    found = {(int(n), at.decode()) for part in ("bundle", "site") for n, at in re.findall(rb"ZQ(\d{3})X[^@\"<Z]*(@\w+@|)", read(folder / part))}
    names = {n: one for one, n in planted.items()}
    return planted, {(names[n][0], f"{names[n][1]}{at.rstrip('@')}") for n, at in found}


def test_what_is_public_is_what_is_meant_to_be(published):
    planted, seen = published
    answers = {column for table, column in seen if table == "record" and column.startswith("answers")}
    chosen = {f"answers@{field.name}" for form in office.sectors().forms for field in form.fields() if field.public and field.type in ("verdict", "select_one", "select_multiple")}
    assert len(answers) > 10 and answers <= chosen, "of what was answered the points that a form says are public, and no free text"
    assert seen - {("record", one) for one in answers} == {(table, column) for table, columns in PUBLIC.items() for column in columns}


def test_every_text_is_planted_or_a_key(published):
    planted, _ = published
    assert planted.keys() | keys() == set(texts()) and not planted.keys() & keys()
