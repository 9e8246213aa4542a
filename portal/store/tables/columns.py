"""The five kinds of column our tables are made of, each with its rule in one place."""

from __future__ import annotations

from piccolo.columns import Date, ForeignKey, OnDelete, OnUpdate, Text, Timestamptz


def ref(table, *, null: bool = False) -> ForeignKey:
    # Piccolo's default is nullable, unindexed, ON DELETE CASCADE: each is wrong here.
    return ForeignKey(table, null=null, index=True, on_delete=OnDelete.restrict, on_update=OnUpdate.restrict)


def text(default: str = "") -> Text:
    return Text(default=default)


def at() -> Timestamptz:
    return Timestamptz(null=True, default=None)


def on() -> Date:
    return Date(null=True, default=None)


def json(default: str = "{}") -> Text:
    return Text(default=default)
