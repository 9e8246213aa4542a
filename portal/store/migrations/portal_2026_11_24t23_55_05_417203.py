"""Divisions, what stations cover, how entries came to their stations.

Written from what `piccolo migrations new portal --auto` generated: column -> kind, flags, default.
"""

from __future__ import annotations

from typing import Any

from piccolo import columns
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import ForeignKey, OnDelete, OnUpdate
from piccolo.columns.indexes import IndexMethod
from piccolo.table import create_table_class

ID = "2026-11-24T23:55:05:417203"
VERSION = "1.38.0"
DESCRIPTION = "stations by address"

Column = tuple[str, str, str, Any]  # name, kind or table referred to, flag, default
TABLES: dict[tuple[str, str], list[Column]] = {
    ("Division", "division"): [("code", "Text", "unique", ""), ("name", "Text", "", ""), ("above", "Text", "index", "")],
    ("StationArea", "station_area"): [
        ("organisation", "Organisation", "", None), ("street", "Text", "", ""), ("villages", "Text", "", "[]"),
        ("old_names", "Text", "", "[]"),
    ],
    ("Placement", "placement"): [
        ("entity_code", "Text", "unique", ""), ("organisation", "Organisation", "", None), ("placed_by", "Text", "", "address"),
        ("confidence", "Text", "", ""), ("why", "Text", "", ""), ("account", "Account", "", None), ("placed_at", "Timestamptz", "null", None),
    ],
}  # fmt: skip
REFERRED = {"Organisation": "organisation", "Account": "account"}


def _params(kind: str, flag: str, default: Any) -> dict[str, Any]:
    shared = {
        "null": flag == "null", "primary_key": False, "unique": flag == "unique", "index": flag == "index" or kind in REFERRED,
        "index_method": IndexMethod.btree, "choices": None, "db_column_name": None, "secret": False,
    }  # fmt: skip
    if kind not in REFERRED:
        return {"default": default, **shared}
    table = create_table_class(kind, class_kwargs={"tablename": REFERRED[kind]})
    return {"references": table, "on_delete": OnDelete.restrict, "on_update": OnUpdate.restrict, "target_column": None, **shared}


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="portal", description=DESCRIPTION)
    for (table_class, tablename), listed in TABLES.items():
        manager.add_table(class_name=table_class, tablename=tablename, schema=None, columns=None)
        for name, kind, flag, default in listed:
            refers = kind in REFERRED
            manager.add_column(
                table_class_name=table_class, tablename=tablename, column_name=name, db_column_name=name,
                column_class_name="ForeignKey" if refers else kind, column_class=ForeignKey if refers else getattr(columns, kind),
                params=_params(kind, flag, default), schema=None,
            )  # fmt: skip
    return manager
