"""The page of an entity with one result, from the line of JSON itself: nothing of it is read as JSON.

A line of canonical JSON without a backslash, cut at its quotation marks, has every text at a place that the other pieces
fix: keys, commas and brackets. The first line of a kind is read, and the template is rendered for it once with a token in place
of each value (as hot.py does); of the next ones it is enough that all pieces but the values are the same. What does not fit is None here,
and goes the other way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from public_site.bundle import decode, plain_json
from public_site.hot import MARKS, OFTEN, Hot, Slot

Row = dict[str, Any]
Path = tuple[str | int, ...]
Make = Callable[[list[bytes]], bytes]

MOST_KINDS = 500
ASKED = ("state",)  # texts that the template asks about (hot.shape_of): a kind has one of each
NUMBERS = {("inspectors",), ("proof", "index"), ("proof", "size")}
