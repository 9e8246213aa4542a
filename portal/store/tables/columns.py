"""The five kinds of column our tables are made of, each with its rule in one place; and what makes asking for whole rows cheap."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from piccolo.columns import Column, Date, ForeignKey, OnDelete, OnUpdate, Text, Timestamptz
from piccolo.query import Select
from piccolo.querystring import QueryString
from piccolo.table import Table


# Piccolo lists all names of a foreign key (`dir`) each time one is asked for, some of them for every query: a third of the time of
# making one. Only a column of the other table needs that care. (A class of our own would be another kind of column to its migrations.)
_OWN, _with_care = frozenset(dir(ForeignKey)), ForeignKey.__getattribute__


def _own_first(self: ForeignKey, name: str) -> Any:
    if name in _OWN and not isinstance(value := object.__getattribute__(self, name), Column):
        return value
    return _with_care(self, name)


ForeignKey.__getattribute__ = _own_first  # type: ignore[method-assign]


class Rows(Select):
    """`Table.select()`. The text of "every column" is put together once a table, not for every query: another third."""

    @property
    def default_querystrings(self) -> Sequence[QueryString]:
        chosen = self.columns_delegate
        chosen.selected_columns = chosen.selected_columns or [_every_column(self.table, self.engine_type)]
        return super().default_querystrings


@cache
def _every_column(table: type[Table], engine: str) -> QueryString:
    return QueryString(", ".join(column.get_select_string(engine).template for column in table._meta.columns))


def select(table: type[Table], *columns: Any) -> Rows:
    return Rows(table, columns_list=table._process_column_args(*columns))


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
