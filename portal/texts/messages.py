"""What a message is: a Chinese sentence, with `{name}` where a value stands. The sentence is its own key (msgid) in the catalogue.

Braces that are text are doubled, as `str.format` has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import Formatter

#: A character that only a Chinese sentence has; in templates also its punctuation, which an English one writes otherwise.
HAN = re.compile("[\u4e00-\u9fff]")
CHINESE = re.compile("[\u3001-\u301f\u4e00-\u9fff\uff01-\uff1f]")

Piece = tuple[str, str]  # text, then the name of the value after it ("": none)


@dataclass(frozen=True, slots=True)
class Found:
    """A message and where it stands: `home.html`, 12."""

    msgid: str
    file: str
    line: int


def quote(text: str) -> str:
    """Text as it stands in a message."""
    return text.replace("{", "{{").replace("}", "}}")


def split(message: str) -> list[Piece]:
    """Its pieces. Raises ValueError where braces do not match or hold something else than a name."""
    found = []
    for text, name, form, conversion in Formatter().parse(message):
        if name is not None and (form or conversion or not re.fullmatch(r"\w+", name)):
            raise ValueError(name)
        found.append((text, name or ""))
    return found


def join(pieces: Iterable[str | tuple[str]]) -> str:
    """A message of texts and of names, each name a tuple of one; a name used twice becomes name2."""
    said, used = [], {}
    for piece in pieces:
        if isinstance(piece, str):
            said.append(quote(piece))
            continue
        name = re.sub(r"\W", "", piece[0]) or "value"
        used[name] = used.get(name, 0) + 1
        said.append(f"{{{name}{used[name] if used[name] > 1 else ''}}}")
    return "".join(said)


def names_of(pieces: Sequence[Piece]) -> list[str]:
    return [name for _, name in pieces if name]


def check_wording(msgid: str, msgstr: str) -> str:
    """What is wrong with this wording of a message, empty where nothing is."""
    try:
        wanted = set(names_of(split(msgid)))
    except ValueError:
        return "原文不是本程序的文本，请重新导出"
    try:
        given = set(names_of(split(msgstr)))
    except ValueError:
        return "花括号不成对，或者里面不是名称；文字里的花括号要写两个"
    missing, strange = sorted(wanted - given), sorted(given - wanted)
    words = [f"缺少 {'、'.join(f'{{{name}}}' for name in missing)}"] if missing else []
    words += [f"原文没有 {'、'.join(f'{{{name}}}' for name in strange)}"] if strange else []
    return "，".join(words)
