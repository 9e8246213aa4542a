"""The table of a round's results, which goes over many pages: what it says of each line, and what each page of it was made from.

A result that changes is on one page, and in the totals, which are on the first; the other pages are taken over from the last release.
Very many rows are alike but for the firm: of those the template's words are asked for once, with a token for each text, and joined with the texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec
from markupsafe import Markup, escape

from public_site.bundle import Bundle, Numbers, sha256
from public_site.lines import MARK, FollowUp, Lines
from public_site.wording import pieces

_TOKENS = tuple(Markup(f"\ue000{name}\ue001") for name in ("path", "name", "entity"))  # of the private use area: they stand in no template
_WORDS = 1 << 12  # kinds of rows that are remembered
_BEGIN, _END = "    <tr>\n", "    </tr>\n"  # of a row as the template writes it; no text holds this, and where the template changes its rows are just not taken over


class _Item(msgspec.Struct, gc=False):
    name: str
    outcome_label: str
    problem: bool
    follow_up: FollowUp


class _Result(msgspec.Struct, gc=False):
    """What the table needs of a line; the rest of it is not even made into objects."""

    entity: str
    name: str
    inspected_on: str
    items: list[_Item]


_result = msgspec.json.Decoder(_Result).decode


class Problem(NamedTuple):
    outcome_label: str
    name: str


class Cells(NamedTuple):
    """All cells of a row but the first."""

    inspected_on: str
    items: int
    problems: tuple[Problem, ...]
    outcomes: tuple[str, ...]  # where there is no problem
    state: str  # open | closed | none


class Shown(NamedTuple):
    """A result as its row says it, as HTML: `path` of its page from the site's root, `name` cut where it may break."""

    path: str
    name: str
    entity: str
    cells: Cells


class Before(NamedTuple):
    """The release before, made with the same templates, whose results have the same places: `read` gives a page of it, "" where there is none or it is
    damaged; `has(path, source)` says what it was made from."""

    lines: Lines
    read: Callable[[str], str]
    has: Callable[[str, str], bool]


class Table(Sequence[Shown]):
    """The rows of a round's results, read when a page asks for them. `base`: all that pages are made from beside results; `path_of`: an entity's page."""

    def __init__(self, bundle: Bundle, numbers: Numbers, base: bytes, path_of: Callable[[str], str], before: Before | None = None):
        self.bundle, self.numbers, self.base, self.path_of, self.before = bundle, numbers, base, path_of, before

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, part):  # type: ignore[no-untyped-def,override]
        found = list(map(self._shown, map(_result, self.bundle.lines(self.numbers[part] if isinstance(part, slice) else [self.numbers[part]]))))
        return found if isinstance(part, slice) else found[0]

    def on(self, path: str, start: int, size: int) -> list[Shown | str]:
        """The rows of a page; as HTML those that the release before has there, made from the same lines."""
        numbers, before = self.numbers[start : start + size], self.before
        there = before and (not start or before.has(path, self.source_of(start, size, before.lines)))  # else its pages may have been of another size
        rows = _rows_of(before.read(path)) if there else []
        if len(rows) != len(numbers):
            return self[start : start + size]
        old, new = before.lines.marks, self.bundle.index.marks
        found: list[Shown | str] = list(rows)
        for at in [at for at, n in enumerate(numbers) if old[n * MARK : (n + 1) * MARK] != new[n * MARK : (n + 1) * MARK]]:
            found[at] = self[start + at]
        return found

    def source_of(self, start: int, size: int, lines: Lines | None = None) -> str:
        """What a page after the first was made from, as the manifest keeps it; `lines`: of other results at the same places."""
        marks = (lines or self.bundle.index).marks_of(self.numbers[start : start + size])
        return sha256(b"%b\n%d %d\n%b" % (self.base, len(self), size, marks)).hexdigest()[:32]

    def as_of(self, start: int, size: int) -> str:
        """The last day any of these rows was published or changed."""
        return self.bundle.index.last_day(self.numbers[start : start + size])

    def _shown(self, result: _Result) -> Shown:
        items = result.items
        problems = tuple([Problem(item.outcome_label, item.name) for item in items if item.problem])
        states = {item.follow_up.state for item in items if item.problem}
        outcomes = () if problems else tuple(dict.fromkeys([item.outcome_label for item in items]))
        state = "open" if "open" in states else "closed" if "closed" in states else "none"
        name = "<wbr>".join([piece if piece.isalnum() else escape(piece) for piece in pieces(result.name)])
        return Shown(self.path_of(result.entity), name, result.entity, Cells(result.inspected_on, len(items), problems, outcomes, state))


def _rows_of(page: str) -> list[str]:
    """The rows of a table on a page, as HTML."""
    rows = page.split(_BEGIN)[1:]
    if rows:
        rows[-1] = rows[-1].partition(_END)[0] + _END
    return [_BEGIN + row for row in rows]


def rows_by(macro: Callable[..., str], root: str, rows: Iterable[Shown | str]) -> Markup:
    """What `macro(root, row)` of the templates gives for all rows; a text is one already. A path and a code hold nothing to escape (bundle.slug)."""
    words, found = _words(macro, root), []
    for row in rows:
        if isinstance(row, str):
            found.append(row)
            continue
        path, name, entity, cells = row
        before, between, after, rest = words(cells)
        found += before, path, between, name, after, entity, rest
    return Markup("".join(found))


@lru_cache(8)  # a template keeps its macros
def _words(macro: Callable[..., str], root: str) -> Callable[[Cells], list[str]]:
    """The words around the texts of a row with these cells, which are its first: a text in a cell may look like a token."""

    def words(cells: Cells) -> list[str]:
        found = [str(macro(root, Shown(*_TOKENS, cells)))]
        for token in _TOKENS:
            found += found.pop().split(token, 1)
        return found

    return lru_cache(_WORDS)(words)
