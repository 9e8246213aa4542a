"""Lines of text that a worker shapes and draws once: labels, answers and headings are the same on sheet after sheet.

Where a line breaks and what it measures follows from its text, its style and the room it has; what is drawn
follows from that line, but for the place.  Both are kept: they were a fifth of the work of a sheet.

This reaches into inner parts of WeasyPrint, as `quicker` does, and is held to its bytes by the same test.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from copy import copy
from itertools import count
from typing import Any

MOST_LINES = 5000  # a sheet has a hundred, nine in ten of which the next one has too

_SAYS = "show_text", "set_font_size", "set_text_rise", "set_text_matrix"  # all that drawing a line of letters says to a stream


def kept_lines(split: Callable[..., Any]) -> Callable[..., Any]:
    """`split` (WeasyPrint's split_first_line) that takes over what it said of the same text in the same style and room."""
    kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
    numbers = count()

    def split_once(
        text: str, style: Any, context: Any, max_width: float | None, justification_spacing: float, is_line_start: bool = True, minimum: bool = False,
    ) -> Any:
        number = style.__dict__.get("number of Mingcha")
        if number is None:  # an address may be that of another style, later
            number = style.__dict__["number of Mingcha"] = next(numbers)
        key = number, text, max_width, justification_spacing, is_line_start, minimum
        found = kept.get(key)
        if found is not None:
            kept.move_to_end(key)
            return found
        found = kept[key] = split(text, style, context, max_width, justification_spacing, is_line_start, minimum)
        found[0].drawn = None
        if len(kept) > MOST_LINES:
            kept.popitem(last=False)
        return found

    return split_once


def keep_layouts(layout: type[Any]) -> None:
    """Let `layout` (WeasyPrint's Layout) be shaped again for drawing only where it is not known what it draws."""
    reactivate, deactivate = layout.reactivate, layout.deactivate

    def when_unknown(self: Any, style: Any) -> None:
        if self.__dict__.get("drawn") is None:
            reactivate(self, style)

    def when_active(self: Any) -> None:
        if "layout" in self.__dict__:
            deactivate(self)

    layout.reactivate, layout.deactivate, layout.shape = when_unknown, when_active, reactivate


def kept_drawing(draw: Callable[..., Any]) -> Callable[..., Any]:
    """`draw` (WeasyPrint's draw_first_line) that says again what it said of the same line of `kept_lines`."""
    alive: dict[tuple[int, float], Any] = {}
    pairs: dict[Any, Any] = {}  # a glyph with its width or its character once for all lines: else a line takes ten kilobytes

    def draw_once(stream: Any, textbox: Any, text_overflow: str, block_ellipsis: str, matrix: Any) -> Any:
        line = textbox.pango_layout
        if hasattr(line, "drawn") and text_overflow == "clip" and block_ellipsis == "none" and textbox.text.strip():
            if line.drawn is None:
                listener = _Listener(stream, line, alive)
                draw(listener, textbox, text_overflow, block_ellipsis, matrix)
                line.drawn = listener.drawn(pairs)
            if line.drawn and _say_again(stream, matrix, *line.drawn):
                return []
        if "layout" not in line.__dict__:
            line.shape(textbox.style)
        return draw(stream, textbox, text_overflow, block_ellipsis, matrix)

    return draw_once


class _Listener:
    """A stream that draws nothing and remembers: `said` are the calls in their order, `fonts` what the line takes of each font."""

    def __init__(self, stream: Any, line: Any, alive: dict[tuple[int, float], Any]):
        self.stream, self.line, self.alive = stream, line, alive
        self.ink_rect, self.logical_rect = stream.ink_rect, stream.logical_rect
        self.said: list[tuple[str, tuple[Any, ...]]] = []
        self.fonts: list[tuple[int, Any, Any]] = []

    def add_font(self, pango_font: Any) -> tuple[Any, float]:
        font, size = self.stream.add_font(pango_font)
        key = next(key for key, known in self.stream._fonts.items() if known is font)
        # A font lives as long as a layout that has it: one for each size is kept, lest an address be that of nothing.
        held, _ = self.alive.setdefault((key, size), (pango_font, self.line.layout))
        alone = copy(font)
        alone.widths, alone.to_unicode, alone.missing = {}, {}, {}
        self.fonts.append((key, held, alone))
        return alone, size

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name not in _SAYS:
            raise AttributeError(name)
        return lambda *values: self.said.append((name, values))

    def drawn(self, pairs: dict[Any, Any]) -> tuple[list[Any], list[Any]] | tuple[()]:
        """What `_say_again` takes; empty where a glyph is missing or has a picture: such a line is drawn anew each time."""
        if any(font.missing or font.svg or font.png or font.colr for _, _, font in self.fonts):
            return ()
        (place, _), *said = self.said
        assert place == "set_text_matrix"
        return said, [
            (key, held, [pairs.setdefault(pair, pair) for pair in font.widths.items()], [pairs.setdefault(pair, pair) for pair in font.to_unicode.items()])
            for key, held, font in self.fonts
        ]


def _say_again(stream: Any, matrix: Any, said: list[Any], used: list[Any]) -> bool:
    """Draw a line; False, and nothing drawn, where this document has measured a glyph at another size and rounded it otherwise."""
    fonts = [stream._fonts.get(key) or stream.add_font(held)[0] for key, held, _, _ in used]
    for font, (_, _, widths, _) in zip(fonts, used, strict=True):
        if any(font.widths.get(glyph, width) != width for glyph, width in widths):
            return False
    for font, (_, _, widths, texts) in zip(fonts, used, strict=True):
        for glyph, width in widths:
            font.widths.setdefault(glyph, width)
        for glyph, text in texts:
            font.to_unicode.setdefault(glyph, text)
    stream.set_text_matrix(*matrix.values)
    for name, values in said:
        getattr(stream, name)(*values)
    return True
