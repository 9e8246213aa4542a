"""What WeasyPrint works out anew for each document and a worker may keep: computed styles, measures that follow from them, lines of text.

A worker prints thousands of sheets with one style sheet, and most of what one says the next says too.  Measured: see
DECISIONS.md, "A sheet in less" and "Real sheets in less".

This reaches into inner parts of WeasyPrint and pydyf, pinned by the lock file.  That the bytes stay the same,
kept values or not, is a test (tests/prints/test_quicker.py).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import tinycss2

from portal.prints import shaped

MOST_STYLES = 5000  # a worker sees some hundred; beyond that something makes them anew each time
MOST_KINS = 20_000  # a sheet has some hundred, a list of 2,000 rows ten thousand
MOST_MEASURES = 100  # of one style: boxes of as many widths and heights around them

_CORNERS = "top_left", "top_right", "bottom_right", "bottom_left"
_LOOKS_BACK = "before", "after", "first-child", "footnote-call", "footnote-marker", "root"
_STROKE = r"M(\d+) (\d+)\.5h(\d+)"


@cache
def install() -> None:
    """Let WeasyPrint use what is below, in this process and for good."""
    import pydyf
    from weasyprint import css
    from weasyprint.draw import text
    from weasyprint.layout import background, percent
    from weasyprint.svg import TAGS
    from weasyprint.text import line_break

    css.StyleFor = kept_styles(css.StyleFor)
    line_break.get_font_description = _once_a_style(line_break.get_font_description)
    line_break._font_style_cache_key = _once_a_style(line_break._font_style_cache_key)
    _put_everywhere(line_break.strut, _once_a_style(line_break.strut))
    _put_everywhere(percent.resolve_percentages, kept_measures(percent.resolve_percentages))
    _put_everywhere(background.layout_box_backgrounds, bare_boxes(background.layout_box_backgrounds))
    shaped.keep_layouts(line_break.Layout)
    _put_everywhere(line_break.split_first_line, shaped.kept_lines(line_break.split_first_line))
    _put_everywhere(text.draw_first_line, shaped.kept_drawing(text.draw_first_line))
    TAGS["path"] = level_strokes(TAGS["path"])
    pydyf._to_bytes = known_kinds(pydyf._to_bytes)
    pydyf.PDF.page_references = property(once_a_page(pydyf.PDF.page_references.fget))


def _put_everywhere(plain: Callable[..., Any], other: Callable[..., Any]) -> None:
    """Let all modules of WeasyPrint call `other` where they call `plain`."""
    for name, module in list(sys.modules.items()):
        if name.startswith("weasyprint.") and getattr(module, plain.__name__, None) is plain:
            setattr(module, plain.__name__, other)


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


def keep_matches(matcher: Any, css: str) -> None:
    """Let `matcher` (cssselect2's, of our style sheet) remember the rules of an element by its kin: its name and class, and its parent's and elder siblings' kin.

    ValueError where a selector of `css` asks for more than these.
    """
    for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        for before, token in pairwise([None, *rule.prelude]) if rule.type == "qualified-rule" else ():
            if token.type in ("[] block", "function", "hash") or before == ":" and token.type == "ident" and token.lower_value not in _LOOKS_BACK:
                raise ValueError(f"line {token.source_line}: a selector that looks at more than names, classes, parents and elder siblings")
    plain, kins = matcher.match, {}

    def match(element: Any) -> Any:
        asked = element.etree_element
        key = asked.tag, asked.get("class"), element.parent and element.parent.kin, element.previous and element.previous.kin
        if key in kins:
            element.kin, rules = kins[key]
            return rules
        rules = plain(element)
        element.kin = -1 if -1 in key or len(kins) >= MOST_KINS else len(kins)
        if element.kin >= 0:
            kins[key] = element.kin, rules
        return rules

    matcher.match = match


def _known_by(value: Any) -> Any:
    """What tells a value of a rule from all others: itself, or its identity where it can not be compared."""
    try:
        hash(value)
    except TypeError:
        return "identity", id(value)
    return value


def kept_measures(plain: Callable[..., Any]) -> Callable[..., Any]:
    """`plain` (WeasyPrint's resolve_percentages): a box's margins, paddings, borders and widths follow from its style and the room around it."""

    def resolve(box: Any, containing_block: Any) -> None:
        style = box.style
        if style["border_collapse"] == "collapse":  # there the table says what borders measure
            plain(box, containing_block)
            return
        known = style.__dict__.setdefault("measures of Mingcha", {})
        around = containing_block if isinstance(containing_block, tuple) else (containing_block.width, containing_block.height)
        key = type(box), *around
        if key not in known:
            if len(known) >= MOST_MEASURES:
                known.clear()
            measured = object.__new__(type(box))
            measured.style = style
            plain(measured, containing_block)
            del measured.style
            known[key] = measured.__dict__
        box.__dict__.update(known[key])

    return resolve


def bare_boxes(plain: Callable[..., Any]) -> Callable[..., Any]:
    """`plain` (WeasyPrint's layout_box_backgrounds) that passes by boxes whose style has neither background nor round corners."""
    square = {f"border_{corner}_radius": (0, 0) for corner in _CORNERS}

    def bare(style: Any) -> bool:
        return (
            style["border_image_source"][0] == style["mask_border_source"][0] == "none"
            and all(kind == "none" for kind, _ in style["background_image"]) and not style["box_shadow"]
            and not isinstance(style["background_color"], str) and style["background_color"].alpha == 0
            and all((0, "px") in style[f"border_{corner}_radius"] for corner in _CORNERS)
        )  # fmt: skip

    def lay_out(page: Any, box: Any, get_image_from_uri: Any, layout_children: bool = True, style: Any = None) -> None:
        known = box.style.__dict__
        if "bare to Mingcha" not in known:
            known["bare to Mingcha"] = bare(box.style)
        if not known["bare to Mingcha"] or style is not None or box is page:
            plain(page, box, get_image_from_uri, layout_children, style)
            return
        box.__dict__.update(square, background=None)
        if layout_children:
            for child in box.all_children():
                lay_out(page, child, get_image_from_uri)

    return lay_out


def level_strokes(plain: Callable[..., Any]) -> Callable[..., Any]:
    """`plain` (WeasyPrint's drawing of an SVG path) that reads a path of level strokes alone, such as `pages.qr` makes, at once."""

    def draw(svg: Any, node: Any, font_size: float) -> None:
        said = node.get("d", "")
        if not re.fullmatch(f"(?:{_STROKE})+", said):
            plain(svg, node, font_size)
            return
        svg.stream.move_to(0, 0)
        svg.stream.stream.extend(
            f"{x} {y}.5 m\n{int(x) + int(length)} {y}.5 l".encode() for x, y, length in re.findall(_STROKE, said)
        )

    return draw


def known_kinds(plain: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """`plain` (pydyf's _to_bytes) that asks first for what there is most of."""

    def to_bytes(item: Any) -> bytes:
        kind = type(item)
        return item if kind is bytes else item.encode("ascii") if kind is str else plain(item)

    return to_bytes


def once_a_page(plain: Callable[[Any], tuple[bytes, ...]]) -> Callable[[Any], tuple[bytes, ...]]:
    """`plain` (pydyf's page_references, asked for by each tag) worked out once for each number of pages."""

    def references(pdf: Any) -> tuple[bytes, ...]:
        known = pdf.__dict__.get("references of Mingcha", ())
        if len(known) * 3 != len(pdf.pages["Kids"]):
            known = pdf.__dict__["references of Mingcha"] = plain(pdf)
        return known

    return references


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
