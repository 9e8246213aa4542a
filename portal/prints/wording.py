"""The wording and measures of the printed documents that need more than a template: pure text."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Any

TYPE_AREA_PT = 442  # 156 mm, GB/T 9704-2012
TITLE_PT = 22  # 二号
#: words of these titles that a line never parts; compounds of them are parted between them at need
WORDS = tuple(
    "市场监督管理 公示信息 登记事项 抽查 检查 抽取 结果 公告 公示 信息 计划 监管 随机 企业 事项 监督 登记 任务 工作 部门 联合 年度 食品 销售 生产 经营 餐饮 服务 "
    "产品 质量 安全 特种 设备 计量 认证 检验 检测 机构 价格 收费 广告 网络 交易 知识 产权".split()
)
OPENING, CLOSING = "“‘《〈（〔「", "”’》〉）〕」，。；：、！？"


def cut_date(text: str) -> str:
    """`2026年6月9日` for an ISO date or instant; "" for nothing; other text as it is."""
    day = (text or "")[:10]
    parts = day.split("-")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return text or ""
    year, month, of_month = map(int, parts)
    return f"{year}年{month}月{of_month}日"


def cut_time(text: str) -> str:
    """`2026年6月9日16时20分` for an instant, `16时` on the hour; a plain date stays a date."""
    if not text or len(text) < 16 or text[10] != "T":
        return cut_date(text)
    minutes = "" if text[14:16] == "00" else f"{text[14:16]}分"
    return f"{cut_date(text)}{int(text[11:13])}时{minutes}"


def span(window: Any) -> str:
    """`6月11日至7月10日` with the year in front, for `[from, to]`; a text as it is."""
    if not window:
        return ""
    if isinstance(window, str):
        return window
    first, last = window
    if first == last:
        return cut_date(first)
    tail = cut_date(last)
    return f"{cut_date(first)}至{tail[5:] if first[:4] == last[:4] else tail}"


def month_span(window: Any) -> str:
    """A window short enough for a table cell: `3月至5月`, `6月11日至7月10日`; a text as it is."""
    if not window or isinstance(window, str):
        return window or ""
    first, last = (cut_date(day)[5:] for day in window)
    whole = window[0][8:] == "01" and window[1][8:] >= "28"
    if not whole or window[0][:4] != window[1][:4]:
        return span(window)[5:] if window[0][:4] == window[1][:4] else span(window)
    first, last = first.split("月")[0] + "月", last.split("月")[0] + "月"
    return first if first == last else f"{first}至{last}"


def grouped(number: Any) -> str:
    """12345 as 12,345 for tables; a dash for what is not known."""
    return "—" if number is None else f"{number:,}" if isinstance(number, int) else str(number)


def joined(parts: Iterable[str]) -> str:
    """甲、乙和丙."""
    words = [part for part in parts if part]
    return words[0] if len(words) == 1 else "、".join(words[:-1]) + "和" + words[-1] if words else ""


def numeral(number: int) -> str:
    """一, 二, ... 九十九 for headings."""
    digits = "零一二三四五六七八九"
    if number < 10:
        return digits[number]
    tens, ones = divmod(number, 10)
    return ("" if tens == 1 else digits[tens]) + "十" + (digits[ones] if ones else "")


def width(text: str) -> float:
    """Width in ems: a Chinese character 1, a Latin letter or digit 0.55."""
    return sum(1 if unicodedata.east_asian_width(c) in "WFA" else 0.55 for c in text)


def header(bureau: str) -> dict[str, Any]:
    """The red header: its lines and type size in pt.  The one place with this rule.

    One line as wide as the type area allows, between 26 and 40 pt (36 pt for the usual twelve
    characters); a longer name takes two lines, broken before 市场监督管理 where it has that.
    """
    text = f"{bureau}文件"
    size = int(min(40, (TYPE_AREA_PT - 8) / width(text)))
    if size >= 26:
        return {"lines": [text], "size": size}
    at = text.find("市场监督管理")
    if not len(text) // 4 <= at <= 3 * len(text) // 4:
        at = (len(text) + 1) // 2
    lines = [text[:at], text[at:]]
    return {"lines": lines, "size": int(min(32, (TYPE_AREA_PT - 8) / max(map(width, lines))))}


def title_lines(bureau: str, rest: str) -> list[str]:
    """The title in lines of like length (词意完整，排列对称): the bureau, then 关于……的公告.

    Breaks fall where they part no number, no quotation of up to 16 characters, and no sign from its
    word, nor (where that can be) one of WORDS; at best after a punctuation mark or before 关于 and “.
    """
    if width(bureau + rest) <= 18:
        return [bureau + rest]
    return [*_balanced(bureau), *_balanced(rest)]


def _balanced(text: str) -> list[str]:
    most = TYPE_AREA_PT / TITLE_PT - 1.5
    count = max(1, -int(-width(text) // most))
    lines = []
    while count > 1 or width(text) > most + 1:
        count = max(count, 2)
        target = width(text) / count
        options = [i for i in range(2, len(text) - 1) if _may_break(text, i) and width(text[:i]) <= most + 1]
        if not options:
            break
        whole = [i for i in options if text[i - 1] not in "和与及" and not _parts_a_word(text, i)]
        at = min(whole or options, key=lambda i: abs(width(text[:i]) - target) - _liking(text, i))
        lines.append(text[:at])
        text, count = text[at:], count - 1
    return [*lines, text]


def _may_break(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if after in CLOSING or before in OPENING or (before.isascii() and after.isascii()):
        return False
    if (before.isascii() and before.isdigit()) or after in "年月日的第" or before == "第":
        return False
    opened = max(text.rfind("“", 0, at), text.rfind("《", 0, at))
    closed = max(text.find("”", opened), text.find("》", opened)) if opened >= 0 else -1
    return not (opened < at <= closed and closed - opened <= 16)


def _parts_a_word(text: str, at: int) -> bool:
    return any(text.startswith(word, start) for word in WORDS for start in range(max(0, at - len(word) + 1), at))


def _liking(text: str, at: int) -> float:
    before, after = text[at - 1], text[at]
    if before in CLOSING or after in OPENING:
        return 2.5
    return 2 if before in "年批度季次的" or text[:at].endswith(("抽查", "检查", "计划")) else 0


def without_bureau(title: str, bureau: str) -> str:
    """A title without the bureau's name in front, where the document's own title has it already."""
    return title.removeprefix(bureau).removeprefix("关于").strip() or title


def alike(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items of one visit with the same outcome and follow-up as one row: `names`, and the shared rest, in first order.

    A row an item would turn a notice on 144 companies into 39 pages of 未发现问题.
    """
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for item in items:
        follow_up = item["follow_up"] or {}
        key = (item["outcome_label"], follow_up.get("label", ""), follow_up.get("state", ""))
        rows.setdefault(key, {**item, "names": []})["names"].append(item["name"])
    return list(rows.values())


def entity_path(code: str) -> str:
    """Where the public site keeps an entity's page (public_site/README.md)."""
    return f"entities/{hashlib.sha256(code.encode()).hexdigest()[:2]}/{code.replace('#', '_')}.html"


def task_path(code: str) -> str:
    """Where the public site keeps the page of a round or of a list drawn elsewhere."""
    return f"tasks/{code.replace('#', '_')}.html"


def web_address(base_url: str | None, path: str) -> str:
    """The page's full address; "" unless the base is a plain http(s) address."""
    base = (base_url or "").rstrip("/")
    plain = base.isascii() and base.isprintable() and not set(base) & set(" \"'<>\\")
    return f"{base}/{path}" if plain and base.startswith(("https://", "http://")) else ""
