"""How values are written on the public site: dates, numbers, names, the words for states."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

Row = dict[str, Any]

# A long company name may break before its trade and before its legal form, nowhere else.
_TRADES = (
    "餐饮|食品|鞋业|鞋服|服饰|服装|织造|纺织|伞业|建材|陶瓷|机械|机电|电子|商贸|贸易|商务|酒店|宾馆|物业|科技|信息|网络|物流|运输|汽车|"
    "医药|药业|医疗|检测|检验|认证|投资|置业|房地产|建设|装饰|工程|塑胶|塑料|包装|印刷|印染|化工|五金|石材|水产|农业|种植|养殖|超市|教育|文化|广告"
)
_STARTS = "".join(sorted({trade[0] for trade in _TRADES.split("|")} | set("股集有（")))  # looked for first: most places are done with at that
_BREAKS = re.compile(rf"(?=[{_STARTS}])(?:(?<=.{{4}})(?=(?:{_TRADES}))|(?<=.{{2}})(?<!股份)(?<!集团)(?=(?:股份|集团)?有限(?:责任)?公司|（))")
_MIN_PIECE = 2

KINDS = {"general": "一般检查事项", "key": "重点检查事项"}
DRAWN_BY = {"here": "本局抽取", "superior": "上级统一抽取", "external": "外部抽取", "below": "由县级局自行抽取"}
PLAN_STATES = {"task": "已列任务", "rider": "随其他任务检查", "pending": "待安排"}
LOG_KINDS = {
    "round": "承诺：批次文件的指纹", "sources": "号码来源的开奖值", "result": "抽取结果的指纹", "replacement": "补抽的指纹", "assignment": "派员结果的指纹",
    "reveal": "密值公开", "handed": "移交监督机构复核", "void": "作废", "external": "外部名单的指纹", "audit": "审计链的指纹",
}  # fmt: skip
FILE_NAMES = {
    "round.json": "批次文件：号码来源、密值指纹、比例、名录根", "reveal.json": "公开的密值与开奖号码", "result.json": "抽取结果",
    "replacement.json": "补抽：谁已注销、吊销、迁出，由谁递补", "public.json": "各任务户数与名单根", "pool.tsv": "参加抽取的名录", "excluded.txt": "排除名单",
}  # fmt: skip

#: label -> (CSS class of the tag, what it means in one sentence)
LABELS = {
    "公开可验证": ("ok", "号码来源是公开开奖的，密值在检查结束后公开；任何人都可以用公布的文件重算出同一份名单。"),
    "监督机构可复核": ("half", "号码来源是公开开奖的；各任务的名录和分任务的名单不宜公开，由监督机构用同一程序全部重算。被抽中的企业可用抽取凭证核对自己这一户。"),
    "内部可复核，不能证明结果未被挑选": ("warn", "这一轮没有公开的号码来源，或密值只由一方持有。文件可以重算，但不能证明结果没有被挑选过。"),
}  # fmt: skip
#: beside them, of lists that no round of ours drew
EXTERNAL = {"外部抽取，本站不能验证": ("off", "名单由上级机关或其他平台抽取后下发，本站只公布名单的来源、指纹和检查结果，不能验证它是怎样抽取的。")}


def state_of(round_: Row) -> tuple[str, str]:
    """(CSS class, words) of a round's state; a delay is said first."""
    if round_["overdue"]:
        return "bad", "逾期未披露"
    state = round_["state"]
    if state == "void":
        return "off", "已作废"
    if state == "revealed":
        return "ok", "密值已公开"
    if state == "committed":
        return "off", "已承诺，待抽取"
    return ("half", "检查结束，名单已公布") if round_["list"] is not None else ("half", "已抽取，检查中")


def label_class(label: str) -> str:
    return (LABELS | EXTERNAL).get(label, ("off", ""))[0]


def label_note(label: str) -> str:
    return (LABELS | EXTERNAL).get(label, ("off", ""))[1]


def cn_date(value: str) -> str:
    """`2026-06-08` (or an instant) as 2026年6月8日."""
    year, month, day = value[:10].split("-")
    return f"{year}年{int(month)}月{int(day)}日"


def cn_day(value: str) -> str:
    """`2026-06-08` as 6月8日."""
    return cn_date(value)[5:]


def cn_time(value: str) -> str:
    """An instant as 2026年5月15日 10:00."""
    return f"{cn_date(value)} {value[11:16]}"


def lead(earlier: str, later: str) -> str:
    """How long before, rounded down: 4 天 11 小时."""
    gap = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    hours = int(gap.total_seconds()) // 3600
    return f"{hours // 24} 天 {hours % 24} 小时" if hours >= 24 else f"{hours} 小时"


def count(value: Any) -> str:
    """A whole number with thousands marks; a text unchanged; nothing known as a dash."""
    if value is None:
        return "—"
    return f"{value:,}" if isinstance(value, int) else str(value)


def ratio(value: Any) -> str:
    """A ratio as the plan writes it; whole numbers are parts per million."""
    if value is None:
        return "不公布"
    if isinstance(value, int):
        return f"{value / 10_000:g}%"
    return str(value)


def percent(part: int, whole: int) -> str:
    """Rounded down to a tenth, so that 100% means all."""
    tenths = part * 1000 // whole if whole else 0
    return f"{tenths // 10}.{tenths % 10}%" if tenths % 10 else f"{tenths // 10}%"


def drawn_value(value: str | None) -> str:
    """A source's value for reading: `3.8.14./11./` as `03 08 14 + 11`."""
    if value is None:
        return "尚未开奖"
    if value == "-":
        return "未按期开奖（记为 -）"
    groups = [group.rstrip(".").split(".") for group in value.rstrip("/").split("/")]
    return " + ".join(" ".join(number.zfill(2) for number in group) for group in groups)


def pieces(name: str) -> list[str]:
    """A name cut where it may break on a line."""
    found: list[str] = []
    for piece in _BREAKS.split(name):
        if found and len(found[-1]) < _MIN_PIECE:
            found[-1] += piece
        else:
            found.append(piece)
    return found


def short_hash(value: str) -> str:
    return f"{value[:8]}…{value[-6:]}"


def file_note(path: str) -> str:
    """What a file of a draw is, by its name."""
    return FILE_NAMES.get(path.rsplit("/", 1)[-1], "")


FILTERS = {
    "cn_date": cn_date, "cn_day": cn_day, "cn_time": cn_time, "count": count, "ratio": ratio, "value": drawn_value, "pieces": pieces,
    "short_hash": short_hash, "file_note": file_note, "label_class": label_class, "label_note": label_note,
}  # fmt: skip
def near(number: int, count: int) -> list[int]:
    """Which of `count` pages the way between them names on page `number`: the first, the last, two on either side; 0 for those left out between."""
    named = {1, count, *range(max(1, number - 2), min(count, number + 2) + 1)}
    return [n if n in named else 0 for n in sorted(named | {n for n in (number - 3, number + 3) if 1 < n < count})]


WORDS = {
    "kinds": KINDS, "drawn_by": DRAWN_BY, "plan_states": PLAN_STATES, "log_kinds": LOG_KINDS, "labels": LABELS, "state_of": state_of,
    "lead": lead, "percent": percent, "near": near,
}  # fmt: skip
