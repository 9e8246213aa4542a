"""Pieces that the forms of several sectors share: a check point, how a visit begins and ends, what an outcome must agree with.

A sector uses them or writes its own; they are data and plain functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from portal.domain.errors import Problem
from portal.domain.model import OUTCOMES, Basis, Choice, Field, FollowUp, Record, Section

__all__ = ["MET", "check_outcomes", "check_point", "failed_points", "guide_text", "met_section", "outcome_follow_ups", "scene_section"]

#: show_if of everything that only somebody who got in and met the activity can judge
MET = "${met} = 'yes'"
#: answer of `met` -> the only outcome it leaves
_UNMET = {"idle": "not_operating", "unreachable": "unreachable", "refused": "uncooperative"}

_FOLLOW_UPS = {
    "undisclosed": FollowUp("rectify", 10, "ordered", "责令限期公示，逾期未公示的列入经营异常名录。"),
    "false_disclosure": FollowUp("abnormal_list", 10, "inspected", "公示信息弄虚作假，自查实之日起 10 个工作日内列入经营异常名录。"),
    "unreachable": FollowUp("abnormal_list", 10, "inspected", "通过登记的住所无法联系，自查实之日起 10 个工作日内列入经营异常名录。"),
    "rectified": FollowUp("recheck", 10, "ordered", "核对责令改正的完成情况。"),
    "uncooperative": FollowUp("case", 0, "inspected", "不配合检查情节严重，移送办案机构。"),
    "pending": FollowUp("other", 0, "inspected", "由审核员确定后续处置。"),
}


def guide_text(how: str, problem: str, photo: str = "问题所在位置和全景。") -> str:
    """What an inspector reads at a point."""
    return f"怎么查：{how}\n什么算问题：{problem}\n拍什么：{photo}"


def check_point(
    name: str, label: str, how: str, problem: str, *, basis: Sequence[Basis] = (), key: bool = False, show_if: str = "", photo: str = "问题所在位置和全景。"
) -> list[Field]:  # fmt: skip
    """A public verdict point, and `<name>_note`, private, for the facts that 不合格 asks for."""
    return [
        Field(name, label, required=True, key=key, public=True, show_if=show_if, guide=guide_text(how, problem, photo), basis=basis),
        Field(f"{name}_note", f"不合格的事实：{label}", "text", required=True, show_if=f"${{{name}}} = 'no'",
              hint="写明时间、地点、品名、数量和依据，不写与检查无关的个人信息"),
    ]  # fmt: skip


def met_section(activity: str) -> Section:
    """The first section: whether the activity (经营, 使用) was met at all, which `MET` asks of the sections after it."""
    return Section("到场情况", (
        Field("met", f"现场能否检查{activity}", "select_one", required=True, public=True, choices=(
            Choice("yes", f"能够检查，正在{activity}"), Choice("idle", f"没有开展本次抽查涉及的{activity}"),
            Choice("unreachable", "通过登记的住所（经营场所）无法联系"), Choice("refused", "拒绝、阻挠检查"))),
        Field("unmet_note", "不能检查的经过", "text", required=True, show_if="${met} != '' and ${met} != 'yes'",
              hint="写明到场时间、询问的对象、联系的方式和结果"),
        Field("site_photos", "现场照片", "photo", required=True, most=9),
    ))  # fmt: skip


def scene_section() -> Section:
    """The last section: whom one spoke to, what they said, who signed."""
    return Section("现场记录", (
        Field("contact_person", "现场人员姓名和职务", "text", required=True),
        Field("refused_to_sign", "拒绝签字", "select_one", required=True, choices=(Choice("no", "未拒绝"), Choice("yes", "拒绝签字"))),
        Field("refused_note", "拒绝签字的原因和见证人", "text", required=True, show_if="${refused_to_sign} = 'yes'"),
        Field("signature", "现场人员签名", "signature", required=True, show_if="${refused_to_sign} = 'no'", most=1),
        Field("note", "其他情况", "text"),
    ), MET)  # fmt: skip


def failed_points(record: Record, names: Sequence[str]) -> list[str]:
    """Those of these verdict points that were judged 不合格, in their order."""
    return [name for name in names if record.answers.get(name) == "no"]


def check_outcomes(record: Record, failed: Mapping[str, str]) -> list[Problem]:
    """Where an outcome contradicts `met` or the points. `failed`: failed point -> the item that answers for it.

    A point whose item is not on the record is answered for by the record's first item.
    """
    met = record.answers.get("met", "yes")
    own = list(record.outcomes)
    owners = {point: item if item in own else own[0] for point, item in failed.items()} if own else {}
    problems = []
    for item, outcome in record.outcomes.items():
        label = OUTCOMES[outcome].label
        bad = [point for point, owner in owners.items() if owner == item]
        if met != "yes" and outcome != _UNMET[met]:
            problems.append(Problem("met", f"“到场情况”与抽查结果不一致：这种情况的抽查结果应选“{OUTCOMES[_UNMET[met]].label}”。"))
        elif met == "yes" and outcome in _UNMET.values():
            problems.append(Problem("met", f"抽查结果是“{label}”，但“到场情况”选的是能够检查。"))
        elif bad and not OUTCOMES[outcome].problem:
            problems.append(Problem(bad[0], f"这项判为不合格，抽查结果不能是“{label}”。"))
        elif met == "yes" and not bad and outcome in ("rectified", "pending"):
            problems.append(Problem(item, f"抽查结果是“{label}”，但没有一项判为不合格。"))
    return problems


def outcome_follow_ups(record: Record) -> list[FollowUp]:
    """What each outcome of the record calls for by itself; empty where there is nothing to do."""
    return [_FOLLOW_UPS[outcome] for outcome in sorted(set(record.outcomes.values())) if outcome in _FOLLOW_UPS]
