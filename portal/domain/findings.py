"""What the forms and records of sectors have in common, so that none of them says it again.

A form is made of parts; a part belongs to an item and holds points. A point is a verdict, the
facts that 不合格 asks for, and whatever else belongs to it. `site_form` puts the same first
question before the parts and the same closing section behind them: they are shared, so that a
combined visit asks them only once (domain/shared.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from portal.domain.errors import Problem
from portal.domain.model import OUTCOMES, Basis, Choice, Field, Findings, FollowUp, Form, Record, Section

__all__ = [
    "ARRIVAL", "FOLLOW_UPS", "OPEN", "PRESENCE", "Part", "SHARED", "answers_to", "articles", "check_record", "failed_points", "follow_ups", "guide",
    "item_for", "judged", "points_of", "signing", "site_form", "summarise",
]

#: The first question of a site form. Its answers are `open` and outcomes that leave nothing to judge.
PRESENCE = "presence"
OPEN = f"${{{PRESENCE}}} = 'open'"
_UNDONE = ("not_operating", "unreachable", "uncooperative")
#: outcomes that say a point failed
_FOUND = ("undisclosed", "false_disclosure", "rectified", "pending")

#: outcome -> follow-up as most sectors need it; a sector replaces what its law says otherwise
FOLLOW_UPS: Mapping[str, FollowUp] = {
    "undisclosed": FollowUp("rectify", 10, "ordered", "责令限期公示，逾期未公示的列入经营异常名录。"),
    "false_disclosure": FollowUp("abnormal_list", 10, "inspected", "公示信息弄虚作假，自查实之日起 10 个工作日内列入经营异常名录。"),
    "unreachable": FollowUp("abnormal_list", 10, "inspected", "通过登记的住所无法联系，自查实之日起 10 个工作日内列入经营异常名录。"),
    "rectified": FollowUp("recheck", 10, "ordered", "核对责令改正的完成情况。"),
    "uncooperative": FollowUp("case", 0, "inspected", "不配合检查情节严重，移送办案机构。"),
    "pending": FollowUp("other", 0, "inspected", "由审核员确定后续处置。"),
}


# Declaring --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a form and the item it answers for; `points` as `judged` makes them, further fields inside."""

    title: str
    item: str
    points: Sequence[Sequence[Field]]
    show_if: str = ""


def articles(*given: tuple[str, str]) -> tuple[Basis, ...]:
    """(law, `第八条、第九条`) pairs -> a Basis for each article; no article: the law as a whole."""
    return tuple(Basis(law, article) for law, listed in given for article in listed.split("、"))


def guide(how: str, problem: str, photo: str) -> str:
    """What an inspector reads at a point, in three lines."""
    return f"怎么查：{how}\n什么算问题：{problem}\n拍什么：{photo}"


def judged(
    name: str, label: str, how: str, problem: str, photo: str, basis: Sequence[Basis] = (), key: bool = False, show_if: str = "",
    shared: bool = False,
) -> tuple[Field, Field]:
    """A public verdict with its guide, and the facts (private) that 不合格 asks for."""
    return (
        Field(name, label, required=True, key=key, public=True, show_if=show_if, guide=guide(how, problem, photo), basis=basis,
              shared=shared),
        Field(f"{name}_note", f"不合格的事实：{label}", "text", required=True, show_if=f"${{{name}}} = 'no'",
              hint="写明时间、地点、数量和依据，不写与检查无关的个人信息", shared=shared),
    )  # fmt: skip


def points_of(parts: Sequence[Part]) -> dict[str, str]:
    """verdict point -> item, in the order of the form."""
    return {field.name: part.item for part in parts for field in chain(*part.points) if field.type == "verdict"}


#: Who was met, and why nobody was: one and the same for all forms of a visit, except that a shop
#: may be open and still do nothing of what one of them is about.
ARRIVAL = (
    Field(PRESENCE, "检查时的状况", "select_one", required=True, public=True, shared=True,
          choices=(Choice("open", "正常经营，接受检查"), Choice("not_operating", "没有开展本次抽查涉及的经营活动", own=True),
                   Choice("unreachable", "通过登记的住所（经营场所）无法联系"), Choice("uncooperative", "不配合检查，情节严重")),
          guide=guide("到登记的住所（经营场所）查看；网络检查的，先核对网页所示的经营者。",
                      "大门紧闭、原址已是别家，用两种以上方式都联系不上的，选无法联系；拒绝进入、隐匿材料，告知后果仍不改的，选不配合。",
                      "门牌和现场全景；不配合的全程录像。")),
    Field("presence_note", "没有完成检查的经过", "text", required=True, shared=True,
          show_if=f"${{{PRESENCE}}} != '' and ${{{PRESENCE}}} != 'open'", hint="写明到场的时间、联系的方式和结果、见证人"),
)  # fmt: skip
_HEAD = Section("检查情况", (
    *ARRIVAL,
    Field("pictures", "检查照片", "photo", most=30, hint="每个不合格项至少一张，能看出是哪一项"),
))  # fmt: skip


def signing(show_if: str) -> Section:
    """The closing section: who was there, what they said, whether they signed; asked where `show_if` holds."""
    return Section("现场记录", (
        Field("contact_person", "现场人员姓名和职务", "text", required=True, show_if=show_if, shared=True),
        Field("contact_phone", "联系电话", "text", show_if=show_if, shared=True, constraint="regex(., '[0-9+ -]{7,20}')",
              message="联系电话只能是数字、空格和“-”，7 到 20 位。"),
        Field("opinion", "检查对象意见", "text", show_if=show_if),
        Field("refused", "拒绝签字", "select_one", required=True, show_if=show_if, shared=True,
              choices=(Choice("no", "未拒绝"), Choice("yes", "拒绝签字"))),
        Field("refused_note", "拒绝签字的原因和见证人", "text", required=True, show_if="${refused} = 'yes'", shared=True),
        Field("signature", "现场人员签名", "signature", required=True, show_if="${refused} = 'no'", most=1, shared=True),
        Field("note", "其他情况", "text"),
    ))  # fmt: skip


#: names of the fields that every site form has
SHARED = tuple(field.name for field in (*_HEAD.fields, *signing(OPEN).fields))


def site_form(code: str, version: str, title: str, parts: Sequence[Part]) -> Form:
    """The first question, the parts (asked where the entity is open for business), the closing section."""
    middle = [
        Section(part.title, tuple(chain(*part.points)), f"{OPEN} and ({part.show_if})" if part.show_if else OPEN) for part in parts
    ]
    return Form(code, version, title, (_HEAD, *middle, signing(OPEN)))


# Judging ----------------------------------------------------------------------


def item_for(record: Record, points: Mapping[str, str], point: str, main: str = "") -> str:
    """The item on the record that carries a point.

    A plan that names only the category puts one item on the record: it answers for the points of all.
    A problem found beside the items of the record must not be lost: `main`, or the first of them, carries it.
    """
    own = [item for item in record.outcomes if item in points.values()]
    return points[point] if points[point] in own else main if main in own else own[0] if own else ""


def failed_points(record: Record, points: Mapping[str, str], item: str, main: str = "") -> list[str]:
    """The points judged 不合格 that this item carries."""
    return [name for name in points if record.answers.get(name) == "no" and item_for(record, points, name, main) == item]


def check_record(record: Record, points: Mapping[str, str], main: str = "", grave: Sequence[str] = ()) -> list[Problem]:
    """Where the first question, the points and the outcomes contradict each other.

    `grave`: points whose 不合格 must go to a case office, so that an order to rectify cannot be the end of it.
    """
    problems = []
    presence = record.answers.get(PRESENCE, "open")
    for item, outcome in record.outcomes.items():
        if item not in points.values():
            continue
        label = OUTCOMES[outcome].label
        bad = failed_points(record, points, item, main)
        judged_here = [name for name in points if name in record.answers and item_for(record, points, name, main) == item]
        if presence != "open":
            if outcome != presence:
                problems.append(Problem(PRESENCE, f"按“检查时的状况”，抽查结果应选“{OUTCOMES[presence].label}”，现在是“{label}”。"))
        elif outcome in _UNDONE:
            problems.append(Problem(PRESENCE, f"抽查结果是“{label}”，但“检查时的状况”选了“正常经营，接受检查”。"))
        elif bad and not OUTCOMES[outcome].problem:
            problems.append(Problem(bad[0], f"这项判为不合格，抽查结果不能是“{label}”。"))
        elif not bad and outcome in _FOUND:
            problems.append(Problem(item, f"抽查结果是“{label}”，但没有一项判为不合格。"))
        elif judged_here and all(record.answers[name] == "na" for name in judged_here):
            problems.append(Problem(item, "各项都选了不适用，等于没有检查。没有这类经营活动的，请在“检查时的状况”中选择。"))
        elif outcome == "rectified" and (name := next((one for one in grave if one in bad), "")):
            problems.append(Problem(name, "这项涉嫌违法，应当移送办案机构，不能以责令改正结束，请选“发现问题待后续处理”。"))
    return problems


def follow_ups(record: Record, by_outcome: Mapping[str, FollowUp], by_point: Mapping[str, FollowUp]) -> list[FollowUp]:
    """One follow-up for each outcome and for each failed point that has one, none twice; else `none`."""
    found = [by_outcome[outcome] for outcome in sorted(set(record.outcomes.values())) if outcome in by_outcome]
    found += [then for name, then in by_point.items() if record.answers.get(name) == "no"]
    if len(found) > 1:  # a named follow-up makes the open one superfluous
        found = [one for one in found if one.kind != "other"]
    return list(dict.fromkeys(found)) or [FollowUp("none")]


def summarise(record: Record, category: str, points: Mapping[str, str]) -> str:
    """`登记事项检查：判断11项，不合格1项；抽查结果：发现问题已责令改正。`"""
    labels = "、".join(OUTCOMES[one].label for one in OUTCOMES if one in set(record.outcomes.values()))
    verdicts = [record.answers[name] for name in points if record.answers.get(name) in ("yes", "no")]
    return f"{category}：判断{len(verdicts)}项，不合格{verdicts.count('no')}项；抽查结果：{labels}。"


def answers_to(findings: Findings) -> dict[str, Callable[..., Any]]:
    """The hooks that a sector's Findings stand for, by name."""

    def points(form: Form) -> Mapping[str, str]:
        return findings.points.get(form.code, {}) if any(not isinstance(item, str) for item in findings.points.values()) else findings.points

    return {
        "suggest_follow_up": lambda record, form: follow_ups(record, FOLLOW_UPS, findings.cases),
        "public_summary": lambda record, form: summarise(record, findings.category, points(form)),
    }
