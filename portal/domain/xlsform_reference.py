"""The dialect in words, for plugins/README.md: made from what the reader does, in both languages.

`python -m portal.domain.xlsform_reference zh` gives the section; a test keeps the README equal to it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from portal.domain.headings import ITEM
from portal.domain.xlsform import (
    IGNORED, LONGEST_LABEL, MOST_CHOICES, MOST_ROWS, OWN, OWN_OF_CHOICES, TYPES, UNSUPPORTED, UNSUPPORTED_COLUMNS, UNSUPPORTED_TYPES, VERDICT_LABELS, WRITTEN,
)  # fmt: skip

__all__ = ["render_dialect"]

#: our column -> what it says
_OWN = {
    "key": ("重点项，写 yes 或 no", "a key point, yes or no"),
    "public": ("公示，写 yes 或 no；不写就是不公示", "public, yes or no; private unless it says so"),
    "guide": ("检查指引：怎么查、什么算问题、拍什么，可以分行", "guide for inspectors: how, what is a problem, what to photograph; may have lines"),
    "basis": ("法定依据：《法规全称》第几条，一行一部，原文写在“：”后面", "legal basis: 《law》 article, one a line, its words after `：`"),
    "most": ("照片、文件最多几个，重复组最多几行", "the most photos or files, or rows of a repeat"),
    "shared": ("各表共用，写 yes 或 no：一次入企有几张表问它时只问一次", "shared, yes or no: asked once where several forms of one visit ask it"),
    "own": ("在 choices 里：共用的问题中只对本表有效的选项，写 yes 或 no", "in choices: of a shared question, holds for this form alone, yes or no"),
}
_TYPES = {
    "text": ("文字", "text"), "integer": ("整数", "integer"), "decimal": ("小数", "decimal"), "date": ("日期", "date"), "time": ("时间", "time"),
    "note": ("说明", "note"), "photo": ("照片", "photo"), "file": ("文件", "file"), "location": ("位置", "position"), "calculated": ("计算", "calculated"),
}  # fmt: skip
#: where the list needs other words than a refusal, which goes on with what was written
_LISTED = {"nested_rules": "几层组合起来太长的显示条件", "expression": "范围以外的表达式和函数", "name": "不是英文字母、数字、下划线的名称，或者太长"}
#: feature -> English
_ENGLISH = {
    "or_other": "`or_other`", "nested_repeat": "a repeat in a repeat", "note_in_repeat": "a note in a repeat", "repeat_count": "`repeat_count`",
    "choice_filter": "`choice_filter` (cascading choices)", "media": "pictures, sound or video as labels", "readonly": "read-only questions",
    "required_rule": "an expression in `required`", "calculation": "`calculation` elsewhere than in `calculate`", "reference_in_text": "`${answer}` within labels",
    "expression": "expressions outside the subset", "forward": "rules that refer to what comes later", "meta": "rules about what the telephone notes",
    "outside": "rules from outside a repeat into it", "group": "rules about a group", "nested_rules": "conditions of nested groups that are too long together", "duplicate": "one name twice, in different groups too",
    "same_choice": "one choice twice in a list", "trigger": "`trigger`", "parameters": "`parameters`", "search": "`search()`", "application": "other applications",
    "bind": "`bind`, `body`, `instance` columns of other kinds", "name": "names that are not letters, digits and underscores, or too long",
    "required_note": "required notes and calculations", "external": "choices from files", "background": "background recording", "entities": "entities",
    "barcode": "`barcode`", "audio": "`audio`", "video": "`video`", "rank": "`rank`", "range": "`range`", "datetime": "`dateTime`", "geotrace": "`geotrace`",
    "geoshape": "`geoshape`", "acknowledge": "`acknowledge`", "hidden": "`hidden`",
}  # fmt: skip


def render_dialect(language: str) -> str:
    """Types, columns and what is refused as Markdown; `language`: zh or en."""
    zh = language == "zh"
    pick = 0 if zh else 1
    spellings: dict[str, list[str]] = {}
    for written, ours in TYPES.items():
        spellings.setdefault(ours, []).append(written)
    rows = [(f"`{WRITTEN[ours]}`", _listed(written, WRITTEN[ours]), _TYPES[ours][pick]) for ours, written in spellings.items()]
    labels = "、".join(f"{value} {label}" for value, label in VERDICT_LABELS.items())
    rows += [
        ("`select_one L`", "`select one from L`", "单选" if zh else "choose one"), ("`select_multiple L`", "`select all that apply from L`", "多选" if zh else "choose several"),
        ("`select_one L`", f"L：{labels}" if zh else f"L: {labels}", "合格／不合格／不适用（verdict）" if zh else "verdict"),
        ("`image`", "appearance `signature`", "签名" if zh else "signature"),
        ("`begin_group`", "`begin group`", "一节" if zh else "a section"), ("`begin_repeat`", "`begin repeat`", "重复组" if zh else "a repeat"),
    ]  # fmt: skip
    own = [(f"`{name}`", _listed(spellings, name), _OWN[name][pick]) for name, spellings in (OWN | OWN_OF_CHOICES).items()]
    features = sorted({*UNSUPPORTED, *UNSUPPORTED_TYPES.values(), *UNSUPPORTED_COLUMNS.values()})
    refused = "；".join(_LISTED.get(one) or UNSUPPORTED[one].partition("，请")[0] for one in features) if zh else "; ".join(_ENGLISH[one] for one in features)
    left = "、".join(f"`{name}`" for name in IGNORED)
    listed = "、".join(wordings.split()[0] for wordings in ITEM.values())
    if zh:
        return "\n".join((
            _table(("类型", "也可以写", "成为"), rows), "", _table(("本系统的列", "也可以写", "含义"), own), "",
            f"一张表单最多 {MOST_ROWS:,} 行，选项最多 {MOST_CHOICES:,} 行，显示的文字最多 {LONGEST_LABEL} 字。{left} 列不影响填写，列出后不导入。", "",
            f"**不支持，逐处指出后整份拒绝**：{refused}。", "", f"**事项清单认识的列**：{listed}。",
        ))  # fmt: skip
    return "\n".join((
        _table(("type", "also written", "becomes"), rows), "", _table(("own column", "also written", "what it says"), own), "",
        f"A form has at most {MOST_ROWS:,} rows, {MOST_CHOICES:,} rows of choices, and labels of {LONGEST_LABEL} characters. The columns {left} change nothing of what is asked: named and left out.", "",
        f"**Not supported; each place is named and the whole file refused**: {refused}.", "", f"**Columns of an item list**: {listed}.",
    ))  # fmt: skip


def _listed(spellings: Sequence[str], first: str) -> str:
    return "、".join(f"`{one}`" for one in spellings if one != first) or "—"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines: list[Sequence[str]] = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" if line[0] != "---" else f"|{'|'.join(line)}|" for line in lines)


def main(words: Sequence[str]) -> None:
    sys.stdout.write(render_dialect(words[1]) + "\n")


if __name__ == "__main__":
    main(sys.argv)
