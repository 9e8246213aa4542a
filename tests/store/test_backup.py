"""Saving a database: damage is found before anything is kept, a password stays off the command line."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from portal.domain.errors import BadInput, WrongMoment
from portal.store import backup

TABLES = """
CREATE TABLE migration (name, app_name);
INSERT INTO migration VALUES ('1', 'portal'), ('9', 'another app');
CREATE TABLE audit (n, digest);
CREATE TABLE log_entry (n);
INSERT INTO log_entry VALUES (0), (1);
CREATE TABLE account (id INTEGER PRIMARY KEY);
CREATE TABLE holding (account REFERENCES account);
"""


@pytest.fixture
def file(tmp_path):
    with closing(sqlite3.connect(tmp_path / "portal.db")) as database:
        database.executescript(TABLES)
    return tmp_path / "portal.db"


def save(file: Path) -> backup.Facts:
    return asyncio.run(backup.save_database(f"sqlite:///{file}", file.with_name("copy")))


def test_the_facts_are_those_of_our_app(file):
    assert save(file) == backup.Facts("sqlite", ("1",), 0, "0" * 64, 2)
    assert backup.Facts.of_data(save_again(file).to_data()) == backup.Facts("sqlite", ("1",), 0, "0" * 64, 2)


def save_again(file: Path) -> backup.Facts:
    file.with_name("copy").unlink()
    return save(file)


def test_a_copy_is_one_file_and_holds_what_only_the_write_ahead_log_held(file):
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA wal_autocheckpoint=0")
        with database:
            database.execute("INSERT INTO audit VALUES (1, 'd')")
        assert save(file).acts == 1
    assert sorted(place.name for place in file.parent.iterdir()) == ["copy", "portal.db"]


def test_a_row_that_refers_to_nothing_stops_the_backup(file):
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("INSERT INTO holding VALUES (5)")
    with pytest.raises(WrongMoment, match="数据库已损坏，没有备份（holding 1）"):
        save(file)


def test_a_damaged_page_stops_the_backup(file):
    with closing(sqlite3.connect(file)) as database, database:
        database.executemany("INSERT INTO audit VALUES (?, ?)", [(n, "x" * 900) for n in range(100)])
        database.execute("CREATE INDEX audit_n ON audit (n)")
    data = bytearray(file.read_bytes())
    data[-4096:] = b"\x0a" + bytes(4095)  # an empty index page where the index's last rows were
    file.write_bytes(data)
    with pytest.raises(WrongMoment, match="数据库已损坏，没有备份"):
        save(file)


@pytest.mark.parametrize("data", [{}, None, {"engine": "sqlite", "migrations": None}])
def test_facts_that_are_none_are_refused(data):
    with pytest.raises(BadInput, match="清单不完整"):
        backup.Facts.of_data(data)


@pytest.mark.parametrize(
    ("url", "address", "password"),
    [
        ("postgresql://ming:s%40crt@db:5433/portal", "postgresql://ming@db:5433/portal", "s@crt"),
        ("postgres://ming@db/portal?sslmode=require", "postgres://ming@db/portal?sslmode=require", None),
        ("postgresql://ming@/portal?host=/run/pg&password=s", "postgresql://ming@/portal?host=%2Frun%2Fpg", "s"),
        ("postgresql://ming:s@[::1]:5432/portal", "postgresql://ming@[::1]:5432/portal", "s"),
        ("postgresql:///portal", "postgresql:///portal", None),
        ("postgresql://db/portal", "postgresql://db/portal", None),
    ],
)  # fmt: skip
def test_a_password_is_taken_out_of_the_address(url, address, password):
    assert backup.without_password(url) == (address, password)


@pytest.fixture
def clients(tmp_path, monkeypatch):
    """`clients(script)`: a machine whose only pg_dump is this one, in Debian's folder of version 15 (and 9)."""
    monkeypatch.setattr(backup, "_SERVERS", tmp_path / "servers")
    monkeypatch.setenv("PATH", str(tmp_path))

    def made(script):
        for version, text in (("9.6", "exit 9"), ("15", script)):
            place = tmp_path / "servers" / version / "bin" / "pg_dump"
            place.parent.mkdir(parents=True)
            place.write_text(f"#!/bin/sh\n{text}\n")
            place.chmod(0o755)

    return made


def test_without_postgresql_programs_it_says_what_to_install(clients):
    with pytest.raises(WrongMoment, match="找不到 PostgreSQL 的 pg_dump。请先安装 postgresql-client"):
        backup.find_client("pg_dump")


def dump(url="postgresql://ming:secret@db/portal"):
    asyncio.run(backup._run_client("pg_dump", url, "--format=custom"))


def test_the_newest_program_is_run_with_the_password_in_its_environment_only(clients, tmp_path):
    clients(f'echo "$PGPASSWORD $*" >{tmp_path}/said')
    dump()
    assert (tmp_path / "said").read_text() == "secret --format=custom --no-password --dbname=postgresql://ming@db/portal\n"


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ("pg_dump: error: aborting because of server version mismatch", "版本低于服务器或备份"),
        ("pg_dump: error: query failed: ERROR:  permission denied for table audit", "使用数据库所有者的账号"),
        ("pg_dump: error: could not write to output file: No space left on device", "没有做完（could not write to output file: No space"),
    ],
)
def test_what_the_program_says_becomes_a_sentence(clients, said, because):
    clients(f'echo "{said}" >&2; exit 1')
    with pytest.raises(WrongMoment, match=because) as refused:
        dump()
    assert "secret" not in refused.value.message and refused.value.message.endswith("。")


def test_a_program_killed_without_a_word_is_a_refusal_too(clients):
    clients("kill -9 $$")
    with pytest.raises(WrongMoment, match="pg_dump 没有做完（exit -9）"):
        dump()
