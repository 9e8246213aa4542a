"""Numbered documents (文书): their kinds, their numbers (文号), and which tasks no notice may name beforehand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from portal.domain.model import Basis

__all__ = ["KINDS", "Kind", "default_word", "document_number", "laws_of", "unannounced_by"]


@dataclass(frozen=True, slots=True)
class Kind:
    """`word` stands in the number after the organisation's own; `template` is in templates/print/."""

    title: str
    word: str
    template: str


KINDS: Mapping[str, Kind] = {
    "notice": Kind("检查通知书", "检通", "check_notice.html"),
    "record": Kind("现场检查记录表", "检录", "record_sheet.html"),
    "result": Kind("检查结果告知书", "检告", "outcome_notice.html"),
    "order": Kind("责令改正通知书", "责改", "rectify_order.html"),
}

#: 办法第四十六条 and the plans that say so: whoever reads a notice beforehand would know of the check
_UNANNOUNCED = re.compile(r"飞行检查|不预先告知|不提前告知|不事先告知|不予告知|暗访|突击检查")
#: where a plan row says so
_CELLS = {"task": "任务名称", "item": "抽查事项", "category": "抽查类别", "method": "检查方式", "mode": "抽查方式", "note": "备注"}


def document_number(word: str, kind: str, year: int, n: int) -> str:
    """连市监检通〔2026〕3号: the organisation's word, the kind's, year, sequence (GB/T 9704-2012, 7.2.5: six-cornered brackets, no 第, no leading zero)."""
    return f"{word}{KINDS[kind].word}〔{year}〕{n}号"


def default_word(bureau: str) -> str:
    """An organisation's word (发文机关代字) where its profile gives none: 连江县市场监督管理局 -> 连市监, 望溪县教育局 -> 望教."""
    body = re.sub(r"^.*?(?:自治区|自治州|自治县|[省市县区旗])(?=.)", "", bureau.removesuffix("局")) or bureau
    return bureau[:1] + ("市监" if "市场监督管理" in bureau else body[:1])


def unannounced_by(task: str, row: Mapping[str, str], methods: Sequence[str]) -> str:
    """Why a task is checked without being announced, in words; "" where it is announced.

    `row`: cells of its plan row by PlanRow's names; `methods`: of its items, where 飞行检查 may stand among them.
    """
    if found := _UNANNOUNCED.search(task):
        return f"任务名称写明“{found[0]}”"
    for name, heading in _CELLS.items():
        if found := _UNANNOUNCED.search(str(row.get(name, ""))):
            return f"年度计划的“{heading}”写明“{found[0]}”"
    if found := _UNANNOUNCED.search("、".join(methods)):
        return f"事项清单的检查方式写明“{found[0]}”"
    return ""


def laws_of(bases: Iterable[Basis]) -> list[str]:
    """Each law once, with its articles in the order given: 《食品安全法》第三十三条、第四十九条."""
    articles: dict[str, list[str]] = {}
    for one in bases:
        mine = articles.setdefault(one.law, [])
        if one.article and one.article not in mine:
            mine.append(one.article)
    return [f"《{law}》{'、'.join(mine)}" for law, mine in articles.items()]
