"""JSON for our own columns and for disclosure bundles: sorted, compact, line breaks escaped.

The draw's canonical JSON (bundle.py) refuses control characters, since others must
reproduce it byte for byte; guidance and remarks have line breaks and need this one.
"""

from __future__ import annotations

import json
from typing import Any


def pack(value: Any) -> str:
    """The one text of a JSON value: same value, same text."""
    return _ENCODER.encode(value)


# Made once: json.dumps makes one a call, which costs a register of millions as much as the text itself.
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
