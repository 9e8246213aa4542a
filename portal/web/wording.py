"""Words and figures as users read them. Numbers are rounded down: what is not complete never reads 100%."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime

from portal.domain.follow_ups import ENDINGS as ENDINGS
from portal.domain.follow_ups import STATES, Due, label_of
from portal.domain.model import AWAITING, OUTCOMES, Field
from portal.steps.acting import BEIJING
from portal.steps.review import FOLLOW_UPS as FOLLOW_UPS  # templates say follow-ups through here

#: state -> (tag class, word); the class gives the shape, the word the meaning
ROUND_STATES: Mapping[str, tuple[str, str]] = {
    "draft": ("off", "未承诺"),
    "committed": ("half", "已承诺，待抽取"),
    "drawn": ("half", "已抽取"),
    "revealed": ("ok", "密值已公开"),
    "handed": ("ok", "已移交监督机构"),
    "void": ("warn", "已作废"),
    "external": ("half", "外部抽取"),
}
RECORD_STATES: Mapping[str, tuple[str, str]] = {
    "draft": ("off", "草稿"),
    "submitted": ("half", "待审核"),
    "returned": ("warn", "已退回"),
    "approved": ("half", "已通过，待公示"),
    "published": ("ok", "已公示"),
    "withdrawn": ("warn", "已撤回"),
}
FOLLOW_UP_STATES: Mapping[str, tuple[str, str]] = {
    state: (tag, STATES[state]) for state, tag in (("open", "off"), ("issued", "half"), ("answered", "half"), ("closed", "ok"))
}
VISIT_STATES: Mapping[str, tuple[str, str]] = {"open": ("half", "待办"), "done": ("ok", "已办结"), "closed": ("off", "不再检查")}
ROW_STATES: Mapping[str, tuple[str, str]] = {
    "task": ("ok", "任务"),
    "rider": ("half", "结合检查"),
    "pending": ("off", "待模块"),
}
ROW_CHANGES: Mapping[str, tuple[str, str]] = {"changed": ("half", "已改"), "new": ("ok", "新加"), "gone": ("off", "撤下")}
PUBLICATIONS: Mapping[str, tuple[str, str]] = {
    "": ("", ""),
    "in_time": ("ok", "按时公示"),
    "late": ("warn", "逾期公示"),
    "waiting": ("half", "待公示"),
    "overdue": ("bad", "逾期未公示"),
}
FOLLOW_UP_TIMES: Mapping[str, tuple[str, str]] = {
    "open": ("half", "办理中"),
    "late": ("bad", "逾期未办结"),
    "closed": ("ok", "按期办结"),
    "closed_late": ("warn", "逾期办结"),
}
STANDINGS: Mapping[str, tuple[str, str]] = {"valid": ("", "有效"), "expired": ("warn", "证件到期"), "none": ("off", "无执法证"), "off": ("off", "失效")}
ACCOUNT_STATES: Mapping[str, tuple[str, str]] = {"active": ("ok", "启用"), "disabled": ("off", "停用")}
FACTORS: Mapping[str, tuple[str, str]] = {"on": ("", "已绑定"), "off": ("off", "没有绑定")}
STATUSES: Mapping[str, tuple[str, str]] = {"注销": ("warn", "注销"), "吊销": ("warn", "吊销"), "迁出": ("warn", "迁出")}
JOB_STATES: Mapping[str, tuple[str, str]] = {
    "queued": ("off", "排队中"),
    "running": ("half", "正在执行"),
    "done": ("ok", "已完成"),
    "failed": ("bad", "没有完成"),
}
JOB_KINDS: Mapping[str, str] = {"publish": "公示并发布网站", "release": "发布网站", "import": "导入文件", "simulate": "模拟全年", "load": "接着完成名录导入"}
UPLOAD_STATES: Mapping[str, tuple[str, str]] = {
    "previewed": ("half", "待确认"),
    "queued": ("half", "正在导入"),
    "applied": ("ok", "已导入"),
    "dropped": ("off", "已放弃"),
}
#: what an address says of its station (portal/domain/stations.py)
CONFIDENCES: Mapping[str, tuple[str, str]] = {
    "sure": ("ok", "地址写明"),
    "likely": ("half", "可以推定"),
    "ambiguous": ("warn", "几个所都可能"),
    "none": ("off", "看不出"),
}
DISCLOSURES: Mapping[str, str] = {"open": "公开", "sealed": "密封"}
STRATA: Mapping[str, str] = {"none": "不分层", "class": "按信用风险分类", "list": "专列名单", "town": "按镇街"}
DRAWN_BY: Mapping[str, str] = {"here": "本局抽取", "superior": "上级抽取", "external": "外部抽取", "below": "由县级局自行抽取"}
ITEM_KINDS: Mapping[str, str] = {"general": "一般检查事项", "key": "重点检查事项"}
PICK_KINDS: Mapping[str, str] = {"drawn": "抽中", "reserve": "备选", "struck": "已由补抽替换", "replacement": "补抽", "external": "外部抽取"}
VERDICTS: Mapping[str, tuple[str, str]] = {"yes": ("ok", "合格"), "no": ("bad", "不合格"), "na": ("off", "不适用")}
WEEKDAYS = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日")


def deadline(due: Due) -> str:
    """The deadline of an open follow-up in words."""
    if due.on is not None:
        return f"{day(due.on)}以前办结"
    return {"none": "没有期限", "waits": "期限从收到整改报告之日起算，还没有收到", "unpublished": "期限所在年份的工作日安排尚未公布"}[due.state]


def step_of(kind: str, act: str) -> str:
    """A step of a follow-up as its kind calls it: 责令改正通知书送达."""
    return label_of(kind, act)


def outcome(code: str) -> str:
    known = OUTCOMES.get(code)
    return known.label if known else code


def outcomes(later: bool = False) -> list[tuple[str, str, bool]]:
    """(code, label, is a problem) of every 抽查结果, in the national order; before them 待检验结果 where a result may come `later`."""
    return [(AWAITING, "待检验结果", False)] * later + [(one.code, one.label, one.problem) for one in OUTCOMES.values()]


def count(number: int | None) -> str:
    """12345 -> 12,345; nothing is a dash, zero is 0."""
    return "—" if number is None else f"{number:,}"


def percent(part: int, whole: int) -> str:
    """One decimal, rounded down; 0 of 0 has no percentage."""
    if not whole:
        return "—"
    tenths = part * 1000 // whole
    return f"{tenths // 10}.{tenths % 10}%" if tenths % 10 else f"{tenths // 10}%"


def ppm(value: int | None) -> str:
    """Parts per million as a percentage, exactly: 35000 -> 3.5%."""
    if value is None:
        return "—"
    whole, rest = divmod(value, 10_000)
    digits = f"{rest:04d}".rstrip("0")
    return f"{whole}.{digits}%" if digits else f"{whole}%"


def day(on: date | datetime | None, year: int | None = None) -> str:
    """6月9日, with the year where it is not `year` (when given)."""
    if on is None:
        return "—"
    if isinstance(on, datetime):
        on = on.astimezone(BEIJING).date()
    said = f"{on.month}月{on.day}日"
    return said if year in (None, on.year) else f"{on.year}年{said}"


def moment(at: datetime | str | None) -> str:
    """6月9日 09:12 in Beijing."""
    if not at:
        return "—"
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    at = at.astimezone(BEIJING)
    return f"{at.month}月{at.day}日 {at:%H:%M}"


def weekday(on: date) -> str:
    return WEEKDAYS[on.weekday()]


def short_hash(value: str | None) -> str:
    return f"{value[:8]}…{value[-4:]}" if value and len(value) > 16 else value or "—"


_ENDS = re.compile(
    r"(.+?)((?:餐饮|食品|物流|科技|纺织|贸易|商贸|检测|汽车|建材|五金|广告|传媒|服饰|机械|电子|医药|管理|服务|制品|水产|农业|百货)*)"
    r"((?:有限责任公司|股份有限公司|有限公司|专业合作社|合伙企业|经营部|分公司|商行|工作室)?)"
)


def name_parts(name: str) -> list[str]:
    """晋江市潮声里餐饮管理有限公司 -> [晋江市潮声里, 餐饮管理, 有限公司]: where a heading may break."""
    found = _ENDS.fullmatch(name)
    return [piece for piece in found.groups() if piece] if found else [name]


#: what the label of a question asks for where a line is enough: a number, a name, a place
_LINE = re.compile(r"[^：]*(号|代码|电话|姓名|职务|名称|产品|规格|型号|标准|项目|机构|企业|平台|生产者|地址)(（[^）：]*）)?$|网址[^：]*$")


def is_short(field: Field) -> bool:
    """Whether a text answer is usually one line: its rule is a pattern, or its label asks for a number or a name; facts and words are longer."""
    return field.constraint.startswith("regex(.,") or _LINE.match(field.label) is not None
