"""What plans write about how many, when and by whom, read exactly or not at all.

Ratios are parts per million. Whatever is not understood is left to the planner
with the original words; nothing is rounded and nothing is guessed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from portal.domain.cells import Cell, parse_text

__all__ = [
    "Amount", "amount_words", "drawn_at", "inspects_itself", "parse_amount", "parse_drawn_by", "parse_window", "said_beside", "types_of",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Amount:
    """A 抽查比例 cell. `ppm` ratio, `count` in entities, `times` a year; `at_least`/`at_most` bound the ratio or count."""

    text: str = ""
    ppm: int | None = None
    count: int | None = None
    times: int | None = None
    at_least: bool = False
    at_most: bool = False


_FLOOR = r"不低于|不少于|不小于|至少|大于等于|>=|≥|≧"
_CEILING = r"不超过|不高于|不多于|至多|小于等于|<=|≤|≦"
_BOUND = re.compile(f"(?P<floor>{_FLOOR})|(?P<ceiling>{_CEILING})")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)([%‰])(以上|以下|以内)?")
_COUNT = re.compile(r"(\d+)(?:户次|户|家|个|所|台|批次|批)(以上|以下|以内)?")
_TIMES = re.compile(r"(?:每年)?(?:抽查)?(?:频次)?(\d+)次(?:/年|每年)?")
_WORDS = re.compile(r"按|约|抽取|抽查|检查|比例|比|数量|每年|年度|不同|各|全年|[,，、。;；:：()/\-]")


def parse_amount(cell: Cell) -> Amount:
    """不低于3.5%, ≥3%, 10%(20户), 2‰, 50户, 10%，1次, 全覆盖. ValueError (Chinese) for anything not wholly understood."""
    if isinstance(cell, float) and 0 < cell < 1:  # a cell formatted as per cent
        return Amount(f"{(Decimal(repr(cell)) * 100).normalize():f}%", _ppm(Decimal(repr(cell)) * 100, "%"))
    text = parse_text(cell)
    if isinstance(cell, (int, float)) or re.fullmatch(r"\d+(\.\d+)?", text):
        raise ValueError(f"“{text}”没有单位。请写成“{text}%”或“{text}户”。")
    rest = "".join(unicodedata.normalize("NFKC", text).split())
    if not rest:
        return Amount()
    if rest in ("全部", "全覆盖", "全部检查", "全覆盖检查"):
        return Amount(text, 1_000_000)
    shares = _SHARE.findall(rest)
    counts = _COUNT.findall(rest)
    times = _TIMES.findall(_COUNT.sub("", rest))
    bounds = [match.lastgroup for match in _BOUND.finditer(rest)]
    after = [end for *_, end in [*shares, *counts] if end]
    left = rest
    for pattern in (_SHARE, _COUNT, _TIMES, _BOUND, _WORDS):
        left = pattern.sub("", left)
    if left or len(shares) > 1 or len(counts) > 1 or len(times) > 1 or not (shares or counts):
        raise ValueError(f"看不懂“{text}”。请写成“3.5%”“不低于3.5%”“10%(20户)”“2‰”或“50户”。")
    ppm = _ppm(Decimal(shares[0][0]), shares[0][1]) if shares else None
    if ppm is not None and ppm > 1_000_000:
        raise ValueError(f"“{text}”超过了 100%。请写成不超过 100% 的比例；写户数的，请带上“户”字。")
    return Amount(
        text, ppm, int(counts[0][0]) if counts else None, int(times[0]) if times else None,
        "floor" in bounds or "以上" in after, "ceiling" in bounds or "以下" in after or "以内" in after,
    )


def said_beside(text: str, count: int | None, times: int | None) -> tuple[int | None, int | None]:
    """Count and times a year of a row, each None where the words of its ratio say it already."""
    try:
        said = parse_amount(text)
    except ValueError:
        said = Amount()
    return count if said.count != count else None, times if said.times != times else None


def amount_words(text: str, count: int | None, times: int | None) -> str:
    """All that a row says about how many, in one line: 3%，20户，1次."""
    more_count, more_times = said_beside(text, count, times)
    parts = [text, f"{more_count}户" if more_count is not None else "", f"{more_times}次" if more_times is not None else ""]
    return "，".join(part for part in parts if part)


def _ppm(value: Decimal, unit: str) -> int:
    ppm = value * (10_000 if unit == "%" else 1_000)
    if ppm != int(ppm):
        raise ValueError(f"比例“{value}{unit}”过细：最小单位是百万分之一。")
    return int(ppm)


# When ---------------------------------------------------------------------------

_DASH = r"(?:-|~|至|到)"
_FULL = r"(?:(?P<y{0}>20\d\d)[.年/-])?(?P<m{0}>\d{{1,2}})[.月/-](?P<d{0}>\d{{1,2}})日?"
_DAYS = re.compile(_FULL.format(1) + _DASH + _FULL.format(2))
_ONE_DAY = re.compile(_FULL.format(1))
_MONTHS = re.compile(rf"(?:(?P<y>20\d\d)年)?(?P<m1>\d{{1,2}})月?(?:{_DASH}(?:(?P<y2>20\d\d)年)?(?P<m2>\d{{1,2}}))?月(?:份)?")
_UNTIL = re.compile(r"(?:(?P<y>20\d\d)年)?(?P<m>\d{1,2})月(?:(?P<d>\d{1,2})日|底|末)?(?:之?前|底前|末前)(?:完成)?")
_PARTS = {
    "全年": (1, 12), "上半年": (1, 6), "下半年": (7, 12), "一季度": (1, 3), "第一季度": (1, 3), "二季度": (4, 6),
    "第二季度": (4, 6), "三季度": (7, 9), "第三季度": (7, 9), "四季度": (10, 12), "第四季度": (10, 12),
}


def parse_window(cell: Cell, year: int) -> tuple[date, date] | None:
    """6-10月, 7月-10月, 4月, 2026.2.24-2026.11.30, 2026.3.1-11.30, 6月1日—10月31日, 11月20日前, 下半年; None when empty.

    `year` is the plan's. ValueError (Chinese) where the words are not understood or the days do not exist.
    """
    text = parse_text(cell)
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    plain = re.sub(r"[—–−‐‑‒―〜～]+|--+", "-", plain).removeprefix(f"{year}年度").rstrip("。")
    if not plain:
        return None
    try:
        window = _window(plain, year)
    except ValueError:
        raise ValueError(f"“{text}”中有不存在的日期。") from None
    if window is None:
        raise ValueError(f"看不懂“{text}”。请写成“6-10月”或“{year}.3.1-{year}.11.30”。")
    if window[0] > window[1]:
        raise ValueError(f"“{text}”的开始日期晚于结束日期。")
    return window


def _window(text: str, year: int) -> tuple[date, date] | None:
    part = _PARTS.get(text.removeprefix(f"{year}年"))
    if part:
        return date(year, part[0], 1), _month_end(year, part[1])
    match = _DAYS.fullmatch(text)
    if match:
        begins = int(match["y1"] or year)
        return date(begins, int(match["m1"]), int(match["d1"])), date(int(match["y2"] or begins), int(match["m2"]), int(match["d2"]))
    match = _UNTIL.fullmatch(text)
    if match:
        until = int(match["y"] or year)
        last = date(until, int(match["m"]), int(match["d"])) if match["d"] else _month_end(until, int(match["m"]))
        return date(until, 1, 1), last
    match = _MONTHS.fullmatch(text)
    if match:
        begins = int(match["y"] or year)
        return date(begins, int(match["m1"]), 1), _month_end(int(match["y2"] or begins), int(match["m2"] or match["m1"]))
    match = _ONE_DAY.fullmatch(text)
    if match:
        day = date(int(match["y1"] or year), int(match["m1"]), int(match["d1"]))
        return day, day
    return None


def _month_end(year: int, month: int) -> date:
    following = date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)
    return following - timedelta(days=1)


# By whom, of whom ---------------------------------------------------------------

_HERE = re.compile(r"本级|本局|自行|(?:[县旗]|(?<!自治)区)级?(?:统一)?抽|各级自行|各地自行")
_ABOVE = re.compile(r"(?:总局|省|自治区|市|上级|地区|盟|州).{0,6}(?:统一|组织|发起)?.{0,4}抽|省级统一|市级统一")


def parse_drawn_by(cell: Cell) -> str:
    """here (本级抽取, 县抽县查, or nothing said) | superior (泉州市局统一抽取, 市抽县查) | external (anything else)."""
    text = parse_text(cell)
    if not text or _HERE.search(text):
        return "here"
    return "superior" if _ABOVE.search(text) else "external"


_LEVELS = (("province", "省自治区"), ("city", "市州盟地区"), ("county", "县区旗"))
_PAIR = re.compile(r"([省市州盟县区旗])[级局]?(?:统一)?抽([省市州盟县区旗])[级局]?[查检]")


_BELOW = {
    "province": re.compile(r"(?:[市州盟县旗]|(?<!自治)区)级?局?(?:自行|统一)?抽"), "city": re.compile(r"(?:[县旗]|(?<!自治)区)级?局?(?:自行|统一)?抽"),
}  # fmt: skip


def drawn_at(text: str, drawn_by: str, level: str) -> str:
    """Who draws, as a bureau of `level` (province | city | county) reads a cell that `parse_drawn_by` read as a county does.

    What a county calls its superior's draw (市抽县查) is at the city its own; what a county draws (县抽县查) is for the
    city and the province "below".
    """
    if level in _BELOW and _BELOW[level].search(text):
        return "below"
    return "here" if drawn_by == "superior" and level == "city" and not re.search(r"总局|国家|省|自治区", text) else drawn_by


def inspects_itself(text: str, level: str) -> bool:
    """Whether the bureau of `level` that draws also sends its own people (市抽市查): both words name its level."""
    found = _PAIR.search(text)
    letters = dict(_LEVELS)[level]
    return found is not None and found[1] in letters and found[2] in letters


def types_of(objects: str) -> tuple[str, ...]:
    """The entity types a 检查对象 cell names, in the order of the register; () where it names a trade instead."""
    names = (
        ("企业", r"企业|公司"), ("个体工商户", r"个体"), ("农民专业合作社", r"合作社|农专社"),
        ("外国企业常驻代表机构", r"代表机构"),
    )
    text = objects.replace("外国企业常驻代表机构", "常驻代表机构")
    return tuple(name for name, words in names if re.search(words, text))
