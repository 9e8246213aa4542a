"""New tables in a migration, written a line a column: what Piccolo generates says the same in two hundred lines a table.

    Upload upload
        organisation -> Organisation
        kind Text = 'entities'
        data Bytea
        settled_at Timestamptz null

`->` is a reference (`?`: may be null; `self`: to the table itself); `null`, `unique`, `index` are flags; a default that
is not written is the empty one of its type.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Mapping
from typing import Any

from piccolo import columns
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import ForeignKey, OnDelete, OnUpdate
from piccolo.columns.indexes import IndexMethod
from piccolo.table import create_table_class

__all__ = ["add_columns", "add_tables"]

_EMPTY = {"Text": "", "BigInt": 0, "Integer": 0, "Boolean": False, "Bytea": b"", "Date": None, "Timestamptz": None}


def add_tables(manager: MigrationManager, text: str, known: Mapping[str, str]) -> None:
    """Tell a migration to make the tables `text` describes; `known`: class -> table of older ones they refer to."""
    lines = [line for line in text.splitlines() if line.strip()]
    heads = dict(line.split() for line in lines if not line.startswith(" "))
    stubs = {name: create_table_class(name, class_kwargs={"tablename": table}) for name, table in {**known, **heads}.items()}
    table_class = ""
    for line in lines:
        if line.startswith(" "):
            _add_column(manager, table_class, heads[table_class], line, stubs)
        else:
            table_class = line.split()[0]
            manager.add_table(class_name=table_class, tablename=heads[table_class], schema=None, columns=None)


def add_columns(manager: MigrationManager, to: str, text: str, known: Mapping[str, str]) -> None:
    """Tell a migration to add the columns `text` describes (a line each) to an older table; `to`: its class and table name."""
    table_class, table = to.split()
    stubs = {name: create_table_class(name, class_kwargs={"tablename": tablename}) for name, tablename in known.items()}
    for line in text.splitlines():
        if line.strip():
            _add_column(manager, table_class, table, line, stubs)


def _add_column(manager: MigrationManager, table_class: str, table: str, line: str, stubs: Mapping[str, Any]) -> None:
    name, kind, params = _column(line.strip(), stubs)
    manager.add_column(
        table_class_name=table_class, tablename=table, column_name=name, db_column_name=name, column_class_name=kind,
        column_class=ForeignKey if kind == "ForeignKey" else getattr(columns, kind), params=params, schema=None,
    )  # fmt: skip


def _column(line: str, stubs: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """(column name, class name, params)."""
    name, arrow, to = line.partition(" -> ")
    if arrow:
        rule = {"on_delete": OnDelete.restrict, "on_update": OnUpdate.restrict, "target_column": None}
        table = to.removesuffix("?")
        return name, "ForeignKey", {"references": "self" if table == "self" else stubs[table], **rule, **_params(null=to.endswith("?"), unique=False, index=True)}
    words, _, default = line.partition(" = ")
    name, kind, *flags = words.split()
    value = literal_eval(default) if default else _EMPTY[kind]
    return name, kind, {"default": value, **_params(null="null" in flags, unique="unique" in flags, index="index" in flags)}


def _params(*, null: bool, unique: bool, index: bool) -> dict[str, Any]:
    return {
        "null": null, "primary_key": False, "unique": unique, "index": index, "index_method": IndexMethod.btree,
        "choices": None, "db_column_name": None, "secret": False,
    }  # fmt: skip
