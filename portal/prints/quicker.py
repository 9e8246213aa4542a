"""What WeasyPrint works out anew for each document and a worker may keep: computed styles, descriptions of fonts.

A worker prints thousands of sheets with one style sheet.  Which values an element ends up with follows
from the rules it matches and from its parent's values, so they are worked out once a worker, an eighth
of the work of a sheet.  Measured: see DECISIONS.md, "A sheet in less".

This reaches into inner parts of WeasyPrint, pinned by the lock file.  That the bytes stay the same, kept
values or not, is a test (tests/prints/test_quicker.py).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

MOST_STYLES = 5000  # a worker sees some hundred; beyond that something makes them anew each time
LEVEL = 6  # 9, pydyf's, takes twice the time for half a hundredth of the size


def install() -> None:
    """Let WeasyPrint use what is below, in this process and for good."""
    import pydyf
    from weasyprint import css
    from weasyprint.text import line_break

    css.StyleFor = kept_styles(css.StyleFor)
    line_break.get_font_description = _once_a_style(line_break.get_font_description)
    line_break._font_style_cache_key = _once_a_style(line_break._font_style_cache_key)
    pydyf.zlib = SimpleNamespace(compress=zlib.compress, compressobj=lambda level: zlib.compressobj(LEVEL))


def kept_styles(plain: type) -> type:
    """`plain` (WeasyPrint's StyleFor) that takes a style over from the document before where all it follows from is the same.

    All it follows from: the parent's style, itself a kept one, and the values the rules give.  A kept
    style holds its values and its parent, so an identity is never that of a later object.
    """
    kept: dict[tuple[Any, ...], Any] = {}

    class KeptStyles(plain):  # type: ignore[misc, valid-type]
        def set_computed_styles(
            self, element: Any, parent: Any, root: Any = None, pseudo_type: str | None = None,
            base_url: str | None = None, target_collector: Any = None,
        ) -> None:
            over = None if parent is None else self.get_computed_styles()[parent, None]
            own = self.get_cascaded_styles().get((element, pseudo_type), {})
            key = (id(over), id(self.font_config), pseudo_type, *[
                (name, _known_by(value), origin, layer, *specificity) for name, (value, (origin, layer, specificity)) in own.items()
            ])
            known = kept.get(key)
            if known is not None:
                self.get_computed_styles()[element, pseudo_type] = known
                if target_collector and known["anchor"]:
                    target_collector.collect_anchor(known["anchor"])
                return
            super().set_computed_styles(element, parent, root, pseudo_type, base_url, target_collector)
            made = self.get_computed_styles()[element, pseudo_type]
            made.kept = (over is None or over.kept) and len(kept) < MOST_STYLES
            if made.kept:
                kept[key] = made

    return KeptStyles


def _known_by(value: Any) -> Any:
    """What tells a value of a rule from all others: itself, or its identity where it can not be compared."""
    try:
        hash(value)
    except TypeError:
        return "identity", id(value)
    return value


def _once_a_style(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function(style, ...)` whose result is kept with the style."""
    place = f"{function.__name__} of Mingcha"

    def once(style: Any, *more: Any, **named: Any) -> Any:
        known = style.__dict__.setdefault(place, {})
        key = (more, *named.items())
        if key not in known:
            known[key] = function(style, *more, **named)
        return known[key]

    return once
