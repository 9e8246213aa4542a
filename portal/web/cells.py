"""What a page has hundreds of, written by Python: the cells of a list and the choices of its filters.

A template's branches, look-ups and macros for each of them cost more than all the rest of a page. What decides about a column is
decided once a page; whatever comes from data goes through `escape` here, as templates do it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from string import Formatter
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

from portal.domain.lists import Column
from portal.steps.acting import BEIJING, Acting
from portal.web import wording

__all__ = ["choices_html", "rows_html"]

Row = Mapping[str, Any]
Words = Mapping[str, tuple[str, str]]
Say = Callable[[str], str]
_CLASSES = {"number": "n", "code": "code", "hash": "hash", "name": "nm", "list": "", "text": "nw"}


def rows_html(act: Acting, columns: Sequence[Column], rows: Sequence[Row], words: Mapping[str, Words], say: Say = str) -> list[Markup]:
    """The cells of each row. `words`: a column's `words` -> value -> (tag class or "", word). `say`: words and days as the page says them."""
    writers = [_writer(act, column, words, say) for column in columns]
    return [Markup("".join([write(row) for write in writers])) for row in rows]


def _writer(act: Acting, column: Column, words: Mapping[str, Words], say: Say) -> Callable[[Row], str]:
    """Writes the cell of one column."""
    name, narrow = column.name, "" if column.narrow else " opt"
    start, said = f'<td class="{_CLASSES.get(column.kind, "nw")}{narrow}">', _SAID.get(column.kind, _made if column.made else _text)
    tagged = f'<td class="{_CLASSES.get(column.kind, "tagged")}{narrow}">'
    known, year = {value: (tag, say(word)) for value, (tag, word) in words[column.words].items()} if column.words else {}, act.today.year
    link = _linker(column.href) if column.href and (not column.needs or act.may(column.needs)) else None

    def write(row: Row) -> str:
        value = row.get(name)
        begin = start
        if value in known:
            tag, word = known[value]
            begin, inner = (tagged, f'<span class="tag {escape(tag)}">{escape(word)}</span>') if tag else (start, str(escape(word)))
        else:
            inner = said(value, year, say)
        if link and value not in (None, ""):
            inner = f'<a href="{link(row)}">{inner}</a>'
        return f"{begin}{inner}</td>"

    return write


def _linker(href: str) -> Callable[[Row], str]:
    names = [name for _, name, _, _ in Formatter().parse(href) if name]
    safe = str(escape(href))  # what is quoted has nothing that HTML would read
    return lambda row: safe.format_map({name: _quoted(row[name]) for name in names})


def _quoted(value: Any) -> str:
    said = str(value)
    return said if said.isascii() and said.isalnum() else quote(said, safe="")


def _text(value: Any, year: int, say: Say) -> str:
    if value is None:
        return ""
    said = str(value)
    return said if said.isalnum() else str(escape(said))  # letters and digits alone, as most are, have nothing to escape


def _made(value: Any, year: int, say: Say) -> str:
    """What a step put together, not a column of a table: ours to say."""
    return "" if value is None else str(escape(say(value)))


def _list(value: Any, year: int, say: Say) -> str:
    return "" if value == "[]" else str(escape(say("、".join(json.loads(value)))))


def _day(value: Any, year: int, say: Say) -> str:
    """`date` of _parts.html."""
    if not value:
        return ""
    on = value.astimezone(BEIJING).isoformat(timespec="minutes") if isinstance(value, datetime) else value.isoformat()
    return f'<time datetime="{on}">{say(wording.day(value, year))}</time>'


def _moment(value: datetime | None, year: int, say: Say) -> str:
    return say(wording.moment(value)) if value else ""


def _number(value: int | None, year: int, say: Say) -> str:
    return wording.count(value)


_SAID: Mapping[str, Callable[[Any, int, Say], str]] = {"list": _list, "day": _day, "moment": _moment, "number": _number}


# Choices of a filter ------------------------------------------------------------------


def choices_html(choices: Sequence[tuple[str, str]], chosen: str) -> Markup:
    """The options of a select, (value, word) each; a value `chosen` that is not among them is one more."""
    html = _options(tuple(choices))
    if not chosen:
        return Markup(html)
    begin = f'<option value="{escape(chosen)}"'
    if f"{begin}>" in html:
        return Markup(html.replace(f"{begin}>", f"{begin} selected>", 1))
    return Markup(f"{html}{begin} selected>{escape(chosen)}</option>")


@lru_cache(32)  # a register may have a thousand towns, the same on every page until somebody imports
def _options(choices: tuple[tuple[str, str], ...]) -> str:
    return "".join([f'<option value="{escape(value)}">{escape(word)}</option>' for value, word in choices])
