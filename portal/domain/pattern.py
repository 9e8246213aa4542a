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

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["LONGEST_PATTERN", "LONGEST_TEXT", "MOST_STATES", "Pattern", "PatternError", "parse_pattern"]

LONGEST_PATTERN = 200
LONGEST_TEXT = 1000  # a longer text never matches
MOST_STATES = 2000
MOST_NESTED = 20

Accepts = Callable[[str], bool]
_DIGITS = frozenset("0123456789")
_WORD = _DIGITS | frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_SPACE = frozenset(" \t\n\r\f\v")
_CLASSES: dict[str, Accepts] = {
    "d": lambda c: c in _DIGITS, "D": lambda c: c not in _DIGITS,
    "w": lambda c: c in _WORD, "W": lambda c: c not in _WORD,
    "s": lambda c: c in _SPACE, "S": lambda c: c not in _SPACE,
}
_SIGNS = frozenset(r"\^$.|?*+()[]{}/-")


class PatternError(ValueError):
    """The pattern is outside the language; the message (Chinese) says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """States of the automaton: (test or None, next states); state 0 accepts, `start` begins."""

    states: tuple[tuple[Accepts | None, tuple[int, ...]], ...]
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
                if (test := self.states[state][0]) is not None and test(letter)
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
                test, after = self.states[state]
                if test is None:
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


# A tree is ("one", test) | ("seq", [tree]) | ("or", [tree]) | ("times", tree, least, most or None)


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
            return ("one", lambda c: c != "\n")
        if letter == "\\":
            return ("one", self.escape())
        if letter in "?*+{}]^$":
            raise PatternError(f"正则表达式里“{letter}”的位置不对，要匹配这个字符请写“\\{letter}”")
        return ("one", lambda c: c == letter)

    def escape(self) -> Accepts:
        letter = self.take()
        if letter in _CLASSES:
            return _CLASSES[letter]
        if letter in _SIGNS:
            return lambda c: c == letter
        raise PatternError(f"正则表达式不支持“\\{letter}”")

    def letters(self) -> Accepts:
        inverted = self.peek() == "^"
        self.at += inverted
        tests: list[Accepts] = []
        while (letter := self.take()) != "]":
            if letter == "\\":
                test = self.escape()
                if self.body[self.at - 1] not in _SIGNS:
                    tests.append(test)
                    continue
                letter = self.body[self.at - 1]
            if self.peek() == "-" and self.body[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                last = self.take()
                if last == "\\" or letter > last:
                    raise PatternError(f"正则表达式的范围“{letter}-{last}”不对")
                tests.append(lambda c, a=letter, b=last: a <= c <= b)
            else:
                tests.append(lambda c, a=letter: c == a)
        if not tests:
            raise PatternError("正则表达式的“[]”里没有字符")
        return lambda c: any(test(c) for test in tests) != inverted

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


def _assemble(tree) -> Pattern:
    states: list[tuple[Accepts | None, tuple[int, ...]]] = [(None, ())]

    def add(test: Accepts | None, *after: int) -> int:
        if len(states) >= MOST_STATES:
            raise PatternError(f"正则表达式太复杂，展开后超过 {MOST_STATES} 步")
        states.append((test, after))
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
