"""Whether the words of a 经营范围 say that somebody is in a trade: for registers that give no industry code.

A scope is a text of clauses, full of what is *not* done (`化工原料（不含危险化学品）`, `…的商品除外`).
Those parts are left out before a phrase is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from portal.domain.model import PoolRule

__all__ = ["clause_of", "meets", "names_trade"]

_NOT = r"(?:不含|不包括|除外|不得|禁止|限制)"
_EXCLUDED = (
    re.compile(rf"[（(\[【][^（()）\[\]【】]*{_NOT}[^（()）\[\]【】]*[）)\]】]"),
    re.compile(rf"{_NOT}[^；;。，,）)]*"),
)
_CLAUSE = re.compile(r"[；;。\n]|\s{2,}")


def meets(
    rule: PoolRule, industries: Sequence[str], scope: str, tags: Collection[str], registers: Collection[str]
) -> bool:
    """Whether an entry meets the rule's industries, scope, tags and registers (its kind and type are the database's to ask)."""
    found = []
    if rule.industries and (industries or not rule.scope):
        found.append(any(code.startswith(tuple(rule.industries)) for code in industries))
    elif rule.scope:
        found.append(names_trade(scope, rule.scope))
    if rule.tags:
        found.append(not set(rule.tags).isdisjoint(tags))
    if rule.registers:
        found.append(not set(rule.registers).isdisjoint(registers))
    return any(found) or not found if rule.any_of else all(found)


def names_trade(scope: str, phrases: Sequence[str]) -> bool:
    """Whether one clause of the scope holds all words of one phrase.

    A phrase is words with blanks between them (`蜜饯 生产`); one that begins with `-` must not be
    in the clause (`食品 加工 -机械`). What a scope excludes (不含…, …除外) counts as not there.
    """
    return bool(clause_of(scope, phrases))


def clause_of(scope: str, phrases: Sequence[str]) -> str:
    """The first clause that names the trade, empty where none does."""
    wanted, any_first = _read(tuple(phrases))
    if not any_first.search(scope):
        return ""  # nearly all scopes of a register
    for pattern in _EXCLUDED:
        scope = pattern.sub("", scope)
    for clause in _CLAUSE.split(scope):
        if not any_first.search(clause):
            continue
        for first, rest in wanted.items():
            if first in clause and any(
                all(word in clause for word in words) and not any(word in clause for word in without) for words, without in rest
            ):
                return clause.strip()
    return ""


@lru_cache(maxsize=256)
def _read(phrases: tuple[str, ...]) -> tuple[dict[str, list[tuple[list[str], list[str]]]], re.Pattern[str]]:
    """First word -> (further words, words that must not be there) of its phrases, and a pattern that any first word meets."""
    wanted: dict[str, list[tuple[list[str], list[str]]]] = {}
    for phrase in phrases:
        words = [word for word in phrase.split() if word[0] != "-"]
        without = [word[1:] for word in phrase.split() if word[0] == "-" and word[1:]]
        wanted.setdefault(words[0], []).append((words[1:], without))
    return wanted, re.compile("|".join(map(re.escape, sorted(wanted))))
