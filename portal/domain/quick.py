"""The short way through a register of millions: rows with nothing odd in them, which are nearly all.

`directory` has the rules, one function a field, and keeps its findings. Here a row that is
plainly clean is put together from what those very functions said of the same cells before;
any other row goes to them whole.  Both ways give the same rows and the same findings: that
is a property test (tests/domain/test_quick.py), and the only reason this file may exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any, TypeVar
from unicodedata import is_normalized

from portal.domain.cells import Cell
from portal.domain.codes import ALPHABET, ORGANISATION_WEIGHTS, USCC_WEIGHTS, check_code, organisation_check, uscc_check
from portal.domain.tables import Findings, Table

__all__ = ["entity_reader"]

T = TypeVar("T")
Read = Callable[[Table, int, Sequence[Cell]], Any]

#: The columns of a register in the order they are taken from a row; those with dates last.
TEXTS = (
    "code", "name", "kind", "holder", "old_names", "type", "status", "region", "station", "town", "address", "industries",
    "scope", "risk_class", "tags", "licence_name", "licence_number", "licence_authority",
    "authority", "capital", "province", "city", "src_year",
)  # fmt: skip
DATES = ("registered_on", "licence_issued_on", "licence_valid_to")

#: What a field was found to be is kept for so many different cells.
_KEPT = 20_000
_ODD = object()


def entity_reader(
    table: Table, slowly: Callable[[int, Sequence[Cell]], T | None], fields: Mapping[str, Read], make: Callable[[tuple[Any, ...]], T], town_of: Callable[[str], str],
    type_of: Callable[[str, str], str],
) -> Callable[[int, Sequence[Cell]], T | None]:  # fmt: skip
    """A function of a file row and its cells that gives what `slowly` would, mostly without asking it.

    The short way is open to new entities under their own USCC or 15-digit number.  `fields`: the functions of the fields that are looked up, by name; `make`: the row from its
    values in order; `type_of`: the entity type from the wording and the code.
    """
    if any(len(where) > 1 for where in table.columns.values()):
        return slowly  # the first filled of several: no file of millions has that
    places = [table.columns[name][0] if name in table.columns else -1 for name in (*TEXTS, *DATES)]
    pick = itemgetter(*places)
    width = max(places) + 1
    texts = len(TEXTS)
    starts: dict[str, tuple[int, str] | None] = {}
    types: dict[tuple[str, str], str] = {}
    first, second, third, fourth = _PAIRS
    old_names_of, status_of, industries_of = (_remembered(table, fields[name]) for name in ("old_names", "status", "industries"))
    class_of, tags_of = _remembered(table, fields["risk_class"]), _remembered(table, fields["tags"])
    registered_of, issued_of, until_of = (_remembered(table, fields[name]) for name in DATES)

    def read(line: int, row: Sequence[Cell]) -> T | None:
        if len(row) < width:
            return slowly(line, row)
        cells = pick((*row, ""))  # an absent column is the blank at the end
        try:
            whole = "|".join(cells[:texts])
        except TypeError:  # a number or a date in a column of texts
            return slowly(line, row)
        if not whole.isprintable() or "| " in whole or " |" in whole or whole[-1:] == " " or not is_normalized("NFC", whole):
            return slowly(line, row)
        (code, name, kind, holder, old, wording, status, region, station, town, address, industry, scope, risk, tags, licence,
         number, licence_authority, authority, capital, province, city, year, registered, issued, until) = cells  # fmt: skip
        if not name or kind or (holder and holder != code):
            return slowly(line, row)
        if len(code) == 15:
            if not check_code(code).ok:
                return slowly(line, row)
            start, code_region = code[:7], code[:6]  # the seventh digit tells the type
        else:
            start = code[:8]
            if start not in starts:
                starts[start] = _start(start)
            known = starts[start]
            if known is None or len(code) != 18:
                return slowly(line, row)
            sum17, code_region = known
            try:  # both check digits at once; a character of no code is in no table
                sums = first[code[8:10]] + second[code[10:12]] + third[code[12:14]] + fourth[code[14:16]]
                inner = code[16]
                if "0123456789X"[-(sums >> 16) % 11] != inner or ALPHABET[-(sum17 + (sums & 65_535) + _LAST[inner]) % 31] != code[17]:
                    return slowly(line, row)
            except KeyError:
                return slowly(line, row)
        old_names, status, industries = old_names_of(old, row), status_of(status, row), industries_of(industry, row)
        risk, tags, on = class_of(risk, row), tags_of(tags, row), registered_of(registered, row)
        if old_names is _ODD or status is _ODD or industries is _ODD or risk is _ODD or tags is _ODD or on is _ODD:
            return slowly(line, row)
        licences: tuple[dict[str, str], ...] = ()
        if licence or number:
            issued, until = issued_of(issued, row), until_of(until, row)
            if issued is _ODD or until is _ODD:
                return slowly(line, row)
            licences = ({"name": licence, "number": number, "issued_on": issued, "valid_to": until, "authority": licence_authority},)
        sort = types.get((wording, start))
        if sort is None:
            sort = types[wording, start] = type_of(wording, code)
        attributes = {}
        if authority:
            attributes["authority"] = authority
        if capital:
            attributes["capital"] = capital
        if province:
            attributes["province"] = province
        if city:
            attributes["city"] = city
        if year:
            attributes["src_year"] = year
        if wording and wording != "N/A":
            attributes["registered_type"] = wording
        return make((
            code, "entity", code, "", name, old_names, sort, status, region[:6] or code_region, station,
            town or town_of(address), address, industries, scope, on, risk, tags, licences, attributes,
        ))  # fmt: skip

    return read


def _remembered(table: Table, read: Read) -> Callable[[Cell, Sequence[Cell]], Any]:
    """What `read` makes of a cell, asked once a cell; _ODD where it has something to say about it."""
    known: dict[Cell, Any] = {}

    def look(cell: Cell, row: Sequence[Cell]) -> Any:
        value = known.get(cell, known)
        if value is known:
            tried = replace(table, findings=Findings())
            value = read(tried, 0, row)
            if tried.findings.errors or tried.findings.warnings:
                value = _ODD
            if len(known) >= _KEPT:
                known.clear()
            known[cell] = value
        return value

    return look


def _start(start: str) -> tuple[int, str] | None:
    """What a USCC's first eight characters add to its check digit, and its region; None where no code may begin so."""
    try:
        code = start + "MA000001" + organisation_check("MA000001")
        code += uscc_check(code)
        total = sum(ALPHABET.index(character) * weight for character, weight in zip(start, USCC_WEIGHTS))
    except ValueError:
        return None
    return (total, start[2:8]) if check_code(code).ok else None


def _pairs(at: int) -> dict[str, int]:
    """Two characters, from place `at` of a USCC -> what they add to the inner check digit (times 65,536) and to the last."""
    def share(place: int, character: str) -> int:
        inner = _LETTERS.index(character) * ORGANISATION_WEIGHTS[place - 8]
        return inner << 16 | ALPHABET.index(character) * USCC_WEIGHTS[place]

    return {a + b: share(at, a) + share(at + 1, b) for a in ALPHABET for b in ALPHABET}


_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PAIRS = tuple(_pairs(at) for at in (8, 10, 12, 14))
_LAST = {character: ALPHABET.index(character) * USCC_WEIGHTS[16] for character in "0123456789X"}
