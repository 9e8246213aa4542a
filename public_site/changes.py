"""Which results changed since the last release: of a hundred thousand entities only theirs need a look."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import msgspec

from public_site.bundle import Bundle
from public_site.pages import entity_path, sheet_path
from public_site.sink import Sink

_ENDS = (".html", ".json", ".html.gz", ".json.gz")  # of an entity's first page; the further ones have no JSON


class _Whose(msgspec.Struct):
    visit: str
    entity: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Entities and visits of which a line is new, other or gone."""

    entities: Collection[str]
    visits: Collection[str]

    def unchanged(self, files: Mapping[str, str]) -> dict[str, str]:
        """Of a release's files those of entities' pages and result sheets that belong to nobody here."""
        theirs = {sheet_path(visit) for visit in self.visits}
        for code in self.entities:
            stem = entity_path(code).removesuffix(".html")
            theirs.update(f"{stem}{end}" for end in _ENDS)
            for number in count(2):
                if (page := f"{stem}-{number}.html") not in files:
                    break
                theirs |= {page, f"{page}.gz"}
        return {path: digest for path, digest in files.items() if path.startswith(("entities/", "sheets/")) and path not in theirs}


def changes_of(bundle: Bundle, sink: Sink) -> Changes | None:
    """What changed since the release a sink builds on; None where that was made with anything else, so that nothing is known."""
    if sink.last is None or not sink.last_made or sink.last_made != sink.made:
        return None
    try:
        before = _lines(sink.last / "data" / "results.jsonl")
        now = {hash(line) for line in bundle.shown_lines()}  # keyed by chance, anew in each process: no two lines can be made to meet
        decode = msgspec.json.Decoder(_Whose).decode
        found = [decode(line) for line in bundle.shown_lines() if hash(line) not in before]
        with (sink.last / "data" / "results.jsonl").open("rb") as stream:
            found += [decode(line) for line in stream if hash(line) not in now]
    except (OSError, msgspec.MsgspecError):
        return None
    return Changes({row.entity for row in found}, {row.visit for row in found})


def _lines(place: Path) -> set[int]:
    with place.open("rb") as stream:
        return {hash(line) for line in stream}
