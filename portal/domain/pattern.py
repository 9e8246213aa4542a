"""Patterns for regex(): a small regular language matched in linear time.

Forms come from spreadsheets written elsewhere, so a pattern is untrusted: the
backtracking of the standard `re` could be made to hang by a few characters.
Here a pattern becomes a small automaton whose states are followed together, so
the work is at most (states x length of the text).  What is accepted means the
same in a browser's RegExp: literals, `.`, `[a-z]`, `[^0-9]`, `\\d \\w \\s` (ASCII)
and their capitals, escapes of signs, `( )`, `(?: )`, `|`, `? * + {m} {m,} {m,n}`,
and `^` at the beginning, `$` at the end.  A pattern always matches the whole text.
Everything else (look-around, back references, lazy or possessive signs) is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LONGEST_PATTERN", "LONGEST_TEXT", "MOST_STATES", "Letters", "Pattern", "PatternError", "parse_pattern"]

LONGEST_PATTERN = 200
LONGEST_TEXT = 1000  # a longer text never matches
MOST_STATES = 2000
MOST_NESTED = 20


@dataclass(frozen=True, slots=True)
class Letters:
    """A set of characters as code points: inclusive ranges, or all others; plain data, so that a browser can follow it."""

    ranges: tuple[tuple[int, int], ...]
    others: bool = False

    def __contains__(self, letter: str) -> bool:
        point = ord(letter)
        return any(first <= point <= last for first, last in self.ranges) != self.others


def _span(first: str, last: str = "") -> tuple[int, int]:
    return ord(first), ord(last or first)


_DIGIT, _SPACE = (_span("0", "9"),), (_span("\t", "\r"), _span(" "))
_WORD = (*_DIGIT, _span("A", "Z"), _span("_"), _span("a", "z"))
_CLASSES = {
    **{name: Letters(ranges) for name, ranges in (("d", _DIGIT), ("w", _WORD), ("s", _SPACE))},
    **{name: Letters(ranges, others=True) for name, ranges in (("D", _DIGIT), ("W", _WORD), ("S", _SPACE))},
}
_EVERY = (0, 0x10FFFF)
_SIGNS = frozenset(r"\^$.|?*+()[]{}/-")


class PatternError(ValueError):
    """The pattern is outside the language; the message (Chinese) says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """States of the automaton: (letters or None, next states); state 0 accepts, `start` begins."""

    states: tuple[tuple[Letters | None, tuple[int, ...]], ...]
    start: int

    def matches(self, text: str) -> bool:
        """Whether the whole of `text` matches; never for a text above LONGEST_TEXT."""
        if len(text) > LONGEST_TEXT:
            return False
        now = self._reach((self.start,))
        for letter in text:
            now = self._reach(
                target
                for state in now
                if (letters := self.states[state][0]) is not None and letter in letters
                for target in self.states[state][1]
            )
            if not now:
                return False
        return 0 in now

    def _reach(self, begin) -> set[int]:
        seen: set[int] = set()
        todo = list(begin)
        while todo:
            state = todo.pop()
            if state not in seen:
                seen.add(state)
                letters, after = self.states[state]
                if letters is None:
                    todo.extend(after)
        return seen


def parse_pattern(source: str) -> Pattern:
    """The automaton of `source`; PatternError (Chinese) for anything outside the language."""
    if len(source) > LONGEST_PATTERN:
        raise PatternError(f"正则表达式长 {len(source)} 个字符，最多 {LONGEST_PATTERN} 个")
    body = source[1:] if source.startswith("^") else source
    if body.endswith("$") and (len(body) - len(body[:-1].rstrip("\\"))) % 2:
        body = body[:-1]  # an even number of \\ before it: the sign $ is not escaped
    reader = _Reader(body)
    tree = reader.alternatives(0)
    if reader.at < len(body):
        raise PatternError("正则表达式多了一个“)”")
    return _assemble(tree)


# A tree is ("one", Letters) | ("seq", [tree]) | ("or", [tree]) | ("times", tree, least, most or None)


class _Reader:
    def __init__(self, body: str):
        self.body, self.at = body, 0

    def peek(self) -> str:
        return self.body[self.at] if self.at < len(self.body) else ""

    def take(self) -> str:
        letter = self.peek()
        if not letter:
            raise PatternError("正则表达式没有写完")
        self.at += 1
        return letter

    def alternatives(self, depth: int):
        if depth > MOST_NESTED:
            raise PatternError(f"正则表达式的括号超过 {MOST_NESTED} 层")
        branches = [self.sequence(depth)]
        while self.peek() == "|":
            self.at += 1
            branches.append(self.sequence(depth))
        return branches[0] if len(branches) == 1 else ("or", branches)

    def sequence(self, depth: int):
        parts = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated(self.single(depth)))
        return ("seq", parts)

    def single(self, depth: int):
        letter = self.take()
        if letter == "(":
            if self.peek() == "?":
                if self.body[self.at : self.at + 2] != "?:":
                    raise PatternError("正则表达式不支持“(?…)”，只支持“(?:…)”")
                self.at += 2
            tree = self.alternatives(depth + 1)
            if self.peek() != ")":
                raise PatternError("正则表达式少了一个“)”")
            self.at += 1
            return tree
        if letter == "[":
            return ("one", self.letters())
        if letter == ".":
            return ("one", Letters((_span("\n"),), others=True))
        if letter == "\\":
            return ("one", self.escape())
        if letter in "?*+{}]^$":
            raise PatternError(f"正则表达式里“{letter}”的位置不对，要匹配这个字符请写“\\{letter}”")
        return ("one", Letters((_span(letter),)))

    def escape(self) -> Letters:
        letter = self.take()
        if letter in _CLASSES:
            return _CLASSES[letter]
        if letter in _SIGNS:
            return Letters((_span(letter),))
        raise PatternError(f"正则表达式不支持“\\{letter}”")

    def letters(self) -> Letters:
        inverted = self.peek() == "^"
        self.at += inverted
        ranges: list[tuple[int, int]] = []
        while (letter := self.take()) != "]":
            if letter == "\\":
                escaped = self.escape()
                if self.body[self.at - 1] not in _SIGNS:
                    ranges += _others(escaped.ranges) if escaped.others else escaped.ranges
                    continue
                letter = self.body[self.at - 1]
            if self.peek() == "-" and self.body[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                last = self.take()
                if last == "\\" or letter > last:
                    raise PatternError(f"正则表达式的范围“{letter}-{last}”不对")
                ranges.append(_span(letter, last))
            else:
                ranges.append(_span(letter))
        if not ranges:
            raise PatternError("正则表达式的“[]”里没有字符")
        return Letters(tuple(ranges), others=bool(inverted))

    def repeated(self, tree):
        letter = self.peek()
        if letter not in ("?", "*", "+", "{"):
            return tree
        self.at += 1
        least, most = {"?": (0, 1), "*": (0, None), "+": (1, None)}.get(letter) or self.bounds()
        if self.peek() in ("?", "*", "+", "{"):
            raise PatternError("正则表达式的重复符号不能连写")
        return ("times", tree, least, most)

    def bounds(self) -> tuple[int, int | None]:
        end = self.body.find("}", self.at)
        low, comma, high = self.body[self.at : max(end, self.at)].partition(",")
        if end < 0 or not low.isascii() or not low.isdigit() or not (high == "" or high.isascii() and high.isdigit()):
            raise PatternError("正则表达式的“{}”里要写次数，例如 {2} 或 {2,5}")
        self.at = end + 1
        least, most = int(low), int(high) if high else (None if comma else int(low))
        if most is not None and most < least or max(least, most or 0) > LONGEST_TEXT:
            raise PatternError(f"正则表达式的次数“{{{low}{comma}{high}}}”不对，最多 {LONGEST_TEXT} 次")
        return least, most


def _others(ranges: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """The gaps between sorted ranges that neither touch nor overlap."""
    starts = [_EVERY[0], *(last + 1 for _, last in ranges)]
    ends = [*(first - 1 for first, _ in ranges), _EVERY[1]]
    return [(first, last) for first, last in zip(starts, ends, strict=True) if first <= last]


def _assemble(tree) -> Pattern:
    states: list[tuple[Letters | None, tuple[int, ...]]] = [(None, ())]

    def add(letters: Letters | None, *after: int) -> int:
        if len(states) >= MOST_STATES:
            raise PatternError(f"正则表达式太复杂，展开后超过 {MOST_STATES} 步")
        states.append((letters, after))
        return len(states) - 1

    def build(node, after: int) -> int:
        """The state from which `node` and then `after` is matched."""
        if node[0] == "one":
            return add(node[1], after)
        if node[0] == "seq":
            for part in reversed(node[1]):
                after = build(part, after)
            return after
        if node[0] == "or":
            return add(None, *[build(branch, after) for branch in node[1]])
        _, inner, least, most = node
        if most is None:
            loop = add(None)
            states[loop] = (None, (build(inner, loop), after))
            after = loop
        else:
            end = after
            for _ in range(most - least):
                after = add(None, build(inner, after), end)
        for _ in range(least):
            after = build(inner, after)
        return after

    start = build(tree, 0)
    return Pattern(tuple(states), start)
