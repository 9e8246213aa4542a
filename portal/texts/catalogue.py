"""A wording of the portal: what stands for each Chinese sentence.

Text of templates is put in when they are compiled (portal/texts/runs.py). What Python says arrives as finished sentences, so `say` finds the
message again: word for word, or as a sentence with values in it. What no message says is data, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Any

from jinja2 import Undefined

from portal.texts.messages import CHINESE, HAN, Piece, split

LONGEST = 500  # characters: no sentence of ours is longer
DEEPEST = 3  # sentences inside sentences: what people type may hold a thousand commas
#: A sentence with fewer characters of its own would be found in what people type: its values must be known themselves.
ENOUGH = 4
#: What sentences and names are strung together with.
JOINTS = ("。", "；", "：", "，", "、", "\u3000", " ")


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A message with values. `texts`: what stands before each value, and after the last. `weak`: see ENOUGH."""

    texts: tuple[str, ...]
    names: tuple[str, ...]
    wording: tuple[Piece, ...]
    longest: str
    weak: bool

    def readings(self, sentence: str) -> Iterator[list[str]]:
        """The values in a sentence that was made of this message, none where it was not. Linear: each text is found once, from the left.

        Of a weak one also from the right: of “5 个工作日内到期的后续处置 3 件” the space of {title} {count} 件 is the second.
        """
        if not sentence.startswith(self.texts[0]) or not sentence.endswith(self.texts[-1]):
            return
        begin, end = len(self.texts[0]), len(sentence) - len(self.texts[-1])
        if begin > end:
            return
        at, found = begin, []
        for text in self.texts[1:-1]:
            next_ = sentence.find(text, at, end)
            if next_ < 0:
                return
            found.append(sentence[at:next_])
            at = next_ + len(text)
        yield [*found, sentence[at:end]]
        if self.weak:
            at, found = end, []
            for text in reversed(self.texts[1:-1]):
                next_ = sentence.rfind(text, begin, at)
                found.append(sentence[next_ + len(text) : at])
                at = next_
            yield [sentence[begin:at], *reversed(found)]


class Catalogue:
    """`messages`: msgid -> wording, all of them checked (`check_wording`). `language`: the page's `lang`."""

    def __init__(self, messages: Mapping[str, str], language: str = "zh-CN"):
        self.messages, self.language = messages, language
        self._exact: dict[str, str] = {}
        patterns = []
        for msgid, wording in messages.items():
            pieces = split(msgid)
            if any(name for _, name in pieces):
                patterns.append(_pattern(pieces, wording))
            else:
                self._exact["".join(text for text, _ in pieces)] = "".join(text for text, _ in split(wording))
        self._patterns = sorted(patterns, key=lambda one: (-sum(map(len, one.texts)), one.texts))
        self._find = lru_cache(8192)(self._look_up)

    def say(self, value: Any) -> Any:
        """A value on its way to a reader: sentences of ours in this wording, anything else as it is. Never for what is posted back."""
        if value is None or isinstance(value, int | float | Undefined) or hasattr(value, "__html__"):
            return value
        text = value if isinstance(value, str) else str(value)
        if text.isascii() or len(text) > LONGEST:
            return value
        return self._said(text)

    def _said(self, text: str) -> str:
        core = text.strip()
        found = self._find(core, 0)
        return text if found is None else text.replace(core, found, 1)

    def _look_up(self, sentence: str, depth: int) -> str | None:
        """In this wording; None: not ours. `depth`: how many sentences it stands in."""
        if (known := self._exact.get(sentence)) is not None:
            return known
        if not CHINESE.search(sentence):
            return sentence
        if depth > DEEPEST:
            return None
        for pattern in self._patterns:
            for values in pattern.readings(sentence) if pattern.longest in sentence else ():
                said = [self._find(value.strip(), depth + 1) for value in values]
                if pattern.weak and any(one is None and HAN.search(value) for one, value in zip(said, values, strict=True)):
                    continue
                shown = dict(zip(pattern.names, (value if one is None else one for one, value in zip(said, values, strict=True)), strict=True))
                return "".join(text + (shown[name] if name else "") for text, name in pattern.wording)
        return self._strung(sentence, depth + 1)

    def _strung(self, sentence: str, depth: int) -> str | None:
        """Several known sentences or names, strung together; one after a quoted name; or one with its full stop."""
        for joint in JOINTS:
            if joint not in sentence[:-1]:
                continue
            parts = sentence.split(joint, 1 if joint == "：" else -1)
            if joint == "。":
                parts = [f"{part}。" for part in parts[:-1]] + [part for part in parts[-1:] if part]
            said = list(takewhile(_is_known, (self._find(part.strip(), depth) for part in parts)))
            if len(said) == len(parts) and any(map(HAN.search, parts)):
                return self._exact.get(joint, joint).join(said) if joint != "。" else ("" if said[0].endswith("。") else " ").join(said)
        quoted, _, rest = sentence.partition("”")
        if quoted.startswith("“") and rest and (known := self._find(rest, depth)) is not None:  # “登录名”没有填写。
            label = self._find(quoted[1:], depth) or quoted[1:]
            return f"“{label}”{known}" if HAN.search(known) else f'"{label}" {known}'
        if sentence.endswith("。") and (known := self._find(sentence[:-1], depth)) is not None:
            return known + self._exact.get("。", "。")
        return None


def _is_known(said: str | None) -> bool:
    return said is not None


def _pattern(pieces: list[Piece], wording: str) -> _Pattern:
    texts, names = [""], []
    for text, name in pieces:
        texts[-1] += text
        if name:
            names.append(name)
            texts.append("")
    return _Pattern(
        tuple(texts), tuple(names), tuple(split(wording)), max(texts, key=len), len(CHINESE.findall("".join(texts))) < ENOUGH
    )  # fmt: skip
