"""Industries of the national economy (国民经济行业分类, GB/T 4754-2017): codes, names, and reading a cell that holds either."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from portal.domain.industry_table import TABLE

__all__ = ["Industry", "industry_of_code", "parse_industries", "parse_industry", "table"]

_CODED = re.compile(r"([A-T])?(\d{2,4})(?!\d)|([A-T])(?![A-Za-z0-9])")
_FEW = 6  # names listed where a word fits several


@dataclass(frozen=True, slots=True)
class Industry:
    """`code`: A-T, or 2 to 4 digits; `level`: 1 门类 | 2 大类 | 3 中类 | 4 小类; `section`: A-T; `parent`: the code above."""

    code: str
    name: str
    level: int
    section: str
    parent: str


@cache
def table() -> dict[str, Industry]:
    """code -> Industry, in the order of the standard."""
    found: dict[str, Industry] = {}
    section = ""
    for line in TABLE.splitlines():
        head, *classes = line.split("|")
        match = re.match(r"[A-T]|\d+", head)
        assert match, head
        code = match[0]
        section = code if code.isalpha() else section
        level = 1 if code.isalpha() else len(code)
        parent = "" if level == 1 else section if level == 2 else code[:2]
        found[code] = Industry(code, head[len(code) :], level, section, parent)
        for one in classes:
            found[code + one[0]] = Industry(code + one[0], one[1:], 4, section, code)
    return found


@cache
def _by_name() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for code, one in table().items():
        found.setdefault(_plain(one.name), []).append(code)
    return {name: tuple(codes) for name, codes in found.items()}


def industry_of_code(code: str) -> Industry | None:
    """The industry of a code as directories hold it (`F`, `52`, `5272`), or None."""
    return table().get(code)


def parse_industry(text: str) -> tuple[tuple[str, ...], str]:
    """A cell that holds a code (`5272`, `F5272`, `F52 零售业`) or a name (零售业) -> (codes, what is off).

    A name that a group shares with its only class gives the class. Codes of another edition
    are kept and said; without any code the sentence says why.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    coded = _CODED.match(text)
    if coded:
        code = coded[2] or coded[3]
        known = table().get(code)
        if known is None:
            return (code,), f"行业代码 {code} 不在 GB/T 4754-2017 中，已按原样保留，请核对是否旧版代码。"
        if coded[1] and coded[1] != known.section:
            return (code,), f"行业代码 {code}（{known.name}）属于门类 {known.section}，表中写的是 {coded[1]}，请核对。"
        return (code,), ""
    plain = _plain(text)
    codes = _by_name().get(plain) or _by_name().get(f"{plain}业") or ()
    if not codes:
        near = [one for name, found in _by_name().items() if len(plain) >= 2 and plain in name for one in found]
        if not 1 <= len(near) <= _FEW:
            return (), f"“{text[:30]}”不是 GB/T 4754-2017 中的行业代码或名称，未采用。"
        listed = "、".join(f"{table()[code].name} {code}" for code in near)
        return (), f"“{text[:30]}”不是行业的全称，未采用。是否 {listed}？"
    deepest = codes[-1]
    if all(deepest.startswith(code) or table()[deepest].section == code for code in codes):
        return (deepest,), ""
    listed = "、".join(codes)
    return (), f"“{text[:30]}”对应几个行业代码（{listed}），未采用。请填写代码。"


def parse_industries(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A cell with one or several industries -> (codes, what is off). Names have 、 in them (农、林、牧、渔业), lists too."""
    codes: list[str] = []
    problems: list[str] = []
    for part in (one for one in re.split(r"[;；\n]", text) if one.strip()):
        whole = _plain(part) in _by_name()
        for one in [part] if whole else (one for one in re.split("[、，,]", part) if one.strip()):
            found, problem = parse_industry(one)
            codes += found
            problems += [problem] if problem else []
    return tuple(dict.fromkeys(codes)), tuple(problems)


def _plain(name: str) -> str:
    """A name for comparison: half-width, without blanks and commas of either width."""
    return re.sub(r"[\s,，、;；()（）]", "", unicodedata.normalize("NFKC", name))
