"""Text of a template as messages: each run of text between two tags or blocks, with the `{{ }}` in it as its values.

Works on Jinja's tokens while a template is compiled, so templates stay plain and a page costs nothing more. A run with a wording is replaced by
it; a value that is text goes through the filter `say`. Attributes that a person reads are runs too. What is posted back or was typed is left
alone: `value`, addresses and names, `textarea`, an `option` that is its own value, and whatever has the class `lines-kept` or `translate="no"`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape

from jinja2 import Environment
from jinja2.ext import Extension
from jinja2.lexer import Token

from portal.texts.catalogue import Catalogue
from portal.texts.messages import CHINESE, join, split

READ = {"title", "aria-label", "aria-description", "placeholder", "alt"}
KEPT = {"textarea", "script", "style"}
OWN_WORDS = "own words"

Wording = Callable[[str, int], str | None]  # message, line -> what stands for it
Value = list[Token]  # variable_begin … variable_end

_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)|<!")
_ATTRIBUTE = re.compile(r"""([\w:.-]+)=(["'])|>""")
_OWN_WORDS = re.compile(r"""class=(["'])[^"'<>]*\blines-kept\b|translate=(["'])no\2""")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the HTML one is: in text, in a tag, or in the value of an attribute."""

    tag: str = ""  # of which one is inside the angle brackets
    attributes: frozenset[str] = frozenset()
    quote: str = ""  # of the attribute's value one is in
    read: bool = True  # whether a person reads what stands here
    kept: str = ""  # the element whose content is left alone


@dataclass(slots=True)
class _Runs:
    wording: Wording
    place: _Place = field(default_factory=_Place)
    run: list[str | Value] = field(default_factory=list)
    line: int = 1
    before: list[tuple[str, _Place]] = field(default_factory=list)  # places at the open branches and macros

    def tokens(self, stream: Iterable[Token]) -> Iterator[Token]:
        inside: list[Token] = []
        for token in stream:
            if token.type == "data":
                yield from self.data(token)
            elif token.type in ("variable_begin", "block_begin"):
                inside = [token]
            elif token.type in ("variable_end", "block_end"):
                yield from self.value([*inside, token]) if token.type == "variable_end" else self.block([*inside, token])
                inside = []
            else:
                inside.append(token)
        yield from self.flush()

    def value(self, tokens: Value) -> Iterator[Token]:
        if not self.place.tag and not self.place.kept or self.place.quote and self.place.read:
            if not self.run:
                self.line = tokens[0].lineno
            self.run.append(tokens)
        else:
            yield from tokens

    def block(self, tokens: list[Token]) -> Iterator[Token]:
        """Each branch begins where the first one did; a macro begins in text."""
        yield from self.flush()
        yield from tokens
        word = tokens[1].value
        if word in ("if", "for", "macro"):
            self.before.append((word, self.place))
            self.place = _Place() if word == "macro" else self.place
        elif word in ("elif", "else"):
            self.place = self.before[-1][1]
        elif word in ("endif", "endfor", "endmacro"):
            _, place = self.before.pop()
            self.place = place if word == "endmacro" else self.place

    def data(self, token: Token) -> Iterator[Token]:
        text, at = token.value, 0
        while at < len(text):
            line = token.lineno + text.count("\n", 0, at)
            here = self.place
            if here.quote:
                end = text.find(here.quote, at)
                stop = len(text) if end < 0 else end
                yield from self.text(text[at:stop], line)
                at = stop
                if end >= 0:
                    yield from self.flush()
                    yield Token(line, "data", here.quote)
                    at, self.place = stop + 1, _Place(here.tag, here.attributes, kept=here.kept)
            elif here.tag:
                found = _ATTRIBUTE.search(text, at)
                stop = found.end() if found else len(text)
                yield Token(line, "data", text[at:stop])
                at = stop
                if found:
                    self.place = self.attribute(found) if found[1] else self.opened(here)
                    if found[1] and _OWN_WORDS.match(text, found.start()):
                        self.place = _Place(here.tag, self.place.attributes | {OWN_WORDS}, found[2], False, here.kept)
            else:
                found = re.compile(rf"<(/)({here.kept})\b").search(text, at) if here.kept else _TAG.search(text, at)
                stop = found.start() if found else len(text)
                yield from self.text(text[at:stop], line)
                at = stop
                if found:
                    yield from self.flush()
                    yield Token(line, "data", found[0])
                    at, self.place = found.end(), _Place((found[1] or "") + (found[2] or "!"))

    def attribute(self, found: re.Match) -> _Place:
        here, name = self.place, found[1].lower()
        return _Place(here.tag, here.attributes | {name}, found[2], name in READ, here.kept)

    def opened(self, here: _Place) -> _Place:
        """After the `>` of a tag."""
        left_alone = here.tag in KEPT or here.tag == "option" and "value" not in here.attributes or OWN_WORDS in here.attributes
        return _Place(kept=here.tag if left_alone else "")

    def text(self, text: str, line: int) -> Iterator[Token]:
        if not text:
            return
        if self.place.kept and not self.place.quote or not self.place.read:
            yield Token(line, "data", text)
            return
        if not self.run:
            self.line = line + text[: len(text) - len(text.lstrip())].count("\n")
        self.run.append(text)

    def flush(self) -> Iterator[Token]:
        """The run that ends here, in its wording where it has one."""
        run, self.run = _merged(self.run), []
        message, values, before, after = _message(run)
        wording = self.wording(message, self.line) if message else None
        if wording is None:
            for piece in run:
                yield from [Token(self.line, "data", piece)] if isinstance(piece, str) else _said(piece)
            return
        quote = self.place.quote
        yield Token(self.line, "data", before)
        for text, name in split(wording):
            escaped = text.replace("&", "&amp;").replace("<", "&lt;")
            yield Token(self.line, "data", escaped.replace(quote, "&quot;" if quote == '"' else "&#39;") if quote else escaped)
            if name:
                yield from _said(values[name])
        yield Token(self.line, "data", after)


def _merged(run: list[str | Value]) -> list[str | Value]:
    """Texts side by side (a comment stood between them) as one."""
    found: list[str | Value] = []
    for piece in run:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        else:
            found.append(piece)
    return found


def _message(run: list[str | Value]) -> tuple[str, dict[str, Value], str, str]:
    """(the message, its values by name, white space before, and after); no message: nothing Chinese stands in the text itself."""
    if not any(isinstance(piece, str) and CHINESE.search(piece) for piece in run):
        return "", {}, "", ""
    first, last = run[0], run[-1]
    before = first[: len(first) - len(first.lstrip())] if isinstance(first, str) else ""
    after = last[len(last.rstrip()) :] if isinstance(last, str) else ""
    pieces = [unescape(re.sub(r"[ \t]*\n\s*", " ", piece)) if isinstance(piece, str) else (_name(piece),) for piece in run]
    message = join(pieces)
    if before:
        message = message.lstrip()
    if after:
        message = message.rstrip()
    names = [name for _, name in split(message) if name]
    return message, dict(zip(names, (piece for piece in run if not isinstance(piece, str)), strict=True)), before, after


def _name(value: Value) -> str:
    """What a value is called: the last name before a filter or a condition."""
    found, depth = "", 0
    for token in value[1:-1]:
        depth += {"lparen": 1, "lbracket": 1, "lbrace": 1, "rparen": -1, "rbracket": -1, "rbrace": -1}.get(token.type, 0)
        if token.type == "pipe" or token.type == "name" and token.value in ("if", "or", "and"):
            break
        if token.type == "name" and not depth:
            found = token.value
    return found or "value"


def _said(value: Value) -> Iterator[Token]:
    """`{{ x }}` as `{{ (x)|say }}`."""
    begin, end = value[0], value[-1]
    yield begin
    yield Token(begin.lineno, "lparen", "(")
    yield from value[1:-1]
    for kind, text in (("rparen", ")"), ("pipe", "|"), ("name", "say")):
        yield Token(end.lineno, kind, text)
    yield end


def rewrite(stream: Iterable[Token], wording: Wording) -> Iterator[Token]:
    """A template's tokens with its runs as `wording` has them; None from it leaves a run as it is."""
    return _Runs(wording).tokens(stream)


class Speech(Extension):
    """Compiles templates in the wording that `speak` gave their environment."""

    def filter_stream(self, stream):  # type: ignore[no-untyped-def]
        messages = self.environment.catalogue.messages  # type: ignore[attr-defined]
        return rewrite(stream, lambda message, _: messages.get(message))


def speak(environment: Environment, catalogue: Catalogue) -> None:
    """From now on this environment's templates speak that wording."""
    environment.catalogue = catalogue  # type: ignore[attr-defined]
    environment.filters["say"] = catalogue.say
    environment.add_extension(Speech)
