"""Which results changed since the last release: of a hundred thousand entities only theirs need a look."""

from __future__ import annotations

from collections.abc import Collection, Container
from dataclasses import dataclass
from itertools import count

from public_site.bundle import Bundle
from public_site.lines import visit_of
from public_site.pages import entity_path, sheet_path
from public_site.round_results import Before
from public_site.sink import Sink

_ENDS = (".html", ".json", ".html.gz", ".json.gz")  # of an entity's first page; the further ones have no JSON


@dataclass(frozen=True, slots=True)
class Changes:
    """Entities and visits of which a line is new, other or gone."""

    entities: Collection[str]
    visits: Collection[str]
    lines: list[bytes]  # new and other ones
    before: Before | None  # where none is new or gone

    def touched(self, files: Container[str]) -> frozenset[str]:
        """All their pages and result sheets in a release with these files, and what they may have had there."""
        theirs = {sheet_path(visit) for visit in self.visits}
        for code in self.entities:
            stem = entity_path(code).removesuffix(".html")
            theirs.update(f"{stem}{end}" for end in _ENDS)
            for number in count(2):
                if (page := f"{stem}-{number}.html") not in files:
                    break
                theirs |= {page, f"{page}.gz"}
        return frozenset(theirs)


def changes_of(bundle: Bundle, sink: Sink) -> Changes | None:
    """What changed since the release a sink builds on; None where nothing is known of that, or it was made with anything else."""
    if sink.last is None or sink.known is None or bundle.since is None or sink.known.made != sink.made:
        return None
    lines = list(bundle.since.fresh())
    rows = list(map(visit_of, (*lines, *bundle.since.gone)))
    old, index = sink.known.lines, bundle.index
    before = Before(old, sink.last_page, sink.has) if (old.rounds, old.codes) == (index.rounds, index.codes) else None
    return Changes({row.entity for row in rows}, {row.visit for row in rows}, lines, before)
