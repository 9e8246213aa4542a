"""Open data as tables: CSV that opens in spreadsheets and holds no formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from public_site.bundle import Bundle

Row = dict[str, Any]

BOM = "\ufeff"  # without it Excel reads UTF-8 as GBK
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SUSPECT = ('"', "=", "+", "@", "\t", ",-", "\n-")  # in lines of CSV: there may be a text of such a beginning, or one that stands in quotation marks

#: file -> [(column, what it holds)]; the data page prints this, so file and description cannot part.
COLUMNS: dict[str, list[tuple[str, str]]] = {
    "items": [
        ("事项编码", "本系统编码，不随名称变化"), ("版本", "同一事项修改一次换一个版本"), ("业务领域", "由哪个业务模块提供"), ("抽查类别", "清单的第一级"), ("抽查事项", "清单的第二级"), ("检查对象", "适用的主体类型"),
        ("事项类别", "一般检查事项或重点检查事项"), ("检查方式", "多项以顿号分隔"), ("检查主体", "有权检查的机关"), ("检查依据", "法律法规名称和条款"), ("生效日期", "年-月-日"),
        ("失效日期", "空白表示仍然有效"), ("公布日期", "年-月-日"),
    ],
    "plans": [
        ("年度", "四位数字"), ("版本", "计划调整一次换一个版本"), ("序号", "计划表中的序号"), ("抽查类别", "计划原文"), ("抽查事项", "计划原文"), ("检查对象", "计划原文"), ("事项类别", "一般检查事项或重点检查事项"), ("抽查比例", "计划原文"),
        ("差异化", "是否按信用风险分类差异化抽查"), ("抽查时间", "计划原文"), ("责任科室", "计划原文"), ("抽取方式", "本局抽取、上级统一抽取或外部抽取"), ("备注", "计划原文"), ("任务编号", "尚未列任务的为空白"),
        ("任务名称", "计划原文"), ("全部事项", "一行有几个事项的以分号分隔"), ("全年频次", "次数"), ("配合部门", "计划原文"), ("检查方式", "计划原文"), ("检查主体", "计划原文"),
    ],
    "rounds": [
        ("轮次编号", "不会重复使用"), ("轮次名称", "公告的名称"), ("任务编号", "不会重复使用"), ("任务名称", "一行一项任务"), ("可验证程度", "公开可验证、监督机构可复核、内部可复核"), ("检查开始", "年-月-日"), ("检查截止", "年-月-日"),
        ("承诺时间", "批次文件的指纹公布的时间"), ("抽取时间", "空白表示尚未抽取"), ("名录户数", "含被排除的"), ("排除户数", "空白表示不公布或尚未抽取"), ("抽中户数", "空白表示尚未抽取"), ("批次文件指纹", "SHA-256 或 SM3"),
        ("状态", "截至数据日期"),
    ],
    "external": [
        ("名单编号", "不会重复使用"), ("名单名称", "公告的名称"), ("来源平台", "在哪里抽取"), ("抽取日期", "名单写明的日期"), ("任务编号", "不会重复使用"), ("任务名称", "计划原文"), ("检查开始", "年-月-日"), ("检查截止", "年-月-日"),
        ("名单户数", "名单的行数"), ("安排检查", "其中在本局名录、安排了检查的户数"), ("名单指纹", "名单文件的 SHA-256"),
    ],
    "results": [
        ("统一社会信用代码", "部分个体工商户为旧注册号"), ("名称", "检查时的登记名称"), ("类型", "主体类型"), ("登记状态", "截至最近一次更新"), ("所在乡镇街道", "不公布门牌"), ("轮次编号", "与抽查任务表一致"), ("事项编码", "与事项清单一致"), ("抽查事项", "一行一项"),
        ("抽查结果", "全国统一的结果用语"), ("情况说明", "没有的为空白"), ("后续处置", "处置方式"), ("处置状态", "无需处置、处置中或已完结"), ("完结日期", "年-月-日"), ("检查日期", "年-月-日"), ("检查机关", "实施检查的机关"), ("公示日期", "年-月-日"),
    ],
}  # fmt: skip
TITLES = {"items": "随机抽查事项清单", "plans": "年度抽查工作计划", "rounds": "抽查任务", "external": "外部抽取的名单", "results": "抽查结果"}
FOLLOW_UP = {"none": "无需处置", "open": "处置中", "closed": "已完结"}


def cell(value: Any) -> str:
    """A value for a spreadsheet; a text that a spreadsheet would run as a formula gets a leading '."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def safe(row: list[Any]) -> list[Any]:
    """A row whose texts no spreadsheet runs."""
    return [cell(value) if type(value) is str else value for value in row]


def csv_chunks(head: list[str], rows: Iterable[list[Any]]) -> Iterator[bytes]:
    """A CSV file in pieces: BOM, CRLF; the rows are `safe`."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BOM)
    writer.writerow(head)
    for row in rows:
        writer.writerow(row)
        if buffer.tell() > 1 << 16:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def csv_files(bundle: Bundle, states: dict[str, str]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """(path, pieces) of each CSV file but that of results (tables.py); `states` gives a round's state in words by its code."""
    makers = {
        "items": map(safe, _item_rows(bundle)), "plans": map(safe, _plan_rows(bundle)), "rounds": map(safe, _round_rows(bundle, states)),
        "external": map(safe, _external_rows(bundle)),
    }  # fmt: skip
    for name, rows in makers.items():
        yield f"data/{name}.csv", csv_chunks([column for column, _ in COLUMNS[name]], rows)


def _item_rows(bundle: Bundle) -> Iterator[list[Any]]:
    for row in bundle.items:
        basis = "；".join(f"《{one['law']}》{one['article']}" for one in row["basis"])
        kind = "重点检查事项" if row["kind"] == "key" else "一般检查事项"
        yield [
            row["code"], row["version"], row["sector_name"], row["category"], row["name"], row["objects"], kind, "、".join(row["methods"]),
            row["inspected_by"], basis, row["valid_from"], row["valid_to"], row["published_on"],
        ]  # fmt: skip


def _plan_rows(bundle: Bundle) -> Iterator[list[Any]]:
    drawn_by = {"here": "本局抽取", "superior": "上级统一抽取", "external": "外部抽取", "below": "由县级局自行抽取"}
    for plan in bundle.plans:
        for row in plan["rows"]:
            kind = "重点检查事项" if row["kind"] == "key" else "一般检查事项"
            yield [
                plan["year"], plan["version"], row["number"], row["category"], row["item"], row["objects"], kind, row["ratio"],
                "是" if row["differentiated"] else "否", row["window"], row["department"], drawn_by[row["drawn_by"]], row["note"], row["task"],
                row.get("name", ""), "；".join(row.get("items", [row["item"]])), row.get("times"), row.get("partners", ""), row.get("method", ""),
                row.get("inspected_by", ""),
            ]  # fmt: skip


def _external_rows(bundle: Bundle) -> Iterator[list[Any]]:
    for row in bundle.external:
        task = row["task"]
        yield [
            row["code"], row["title"], row["platform"], row["drawn_on"], task["code"], task["name"], *row["window"], row["size"], row["taken"], row["digest"],
        ]  # fmt: skip


def _round_rows(bundle: Bundle, states: dict[str, str]) -> Iterator[list[Any]]:
    for row in bundle.rounds:
        for task in row["tasks"]:
            yield [
                row["code"], row["title"], task["code"], task["name"], row["label"], *row["window"], row["committed_at"], row["drawn_at"],
                task["pool_size"], task["excluded"], task["drawn"], row["digest"], states[row["code"]],
            ]  # fmt: skip


class _FollowUp(msgspec.Struct):
    label: str
    state: str
    closed_on: str | None


class _Item(msgspec.Struct):
    code: str
    name: str
    outcome_label: str
    summary: str
    follow_up: _FollowUp


class _Result(msgspec.Struct):
    """What the table shows of a result: the points of its items are most of the line, and are not even made into objects."""

    entity: str
    name: str
    type: str
    status: str
    town: str
    round: str
    inspected_on: str
    authority: str
    published_on: str
    items: list[_Item]


_result = msgspec.json.Decoder(_Result).decode


def result_head() -> bytes:
    """The first line of results.csv."""
    return b"".join(csv_chunks([column for column, _ in COLUMNS["results"]], ()))


def result_rows(lines: Iterable[bytes]) -> bytes:
    """The lines of results.csv that lines of results.jsonl make: one for each item."""
    rows = list(map(_result, lines))
    quick = _quick_rows(rows)
    if quick is not None:
        return quick
    buffer = io.StringIO()
    write = csv.writer(buffer, lineterminator="\r\n").writerow
    for row in rows:
        for item in row.items:
            follow = item.follow_up
            write(safe([
                row.entity, row.name, row.type, row.status, row.town, row.round, item.code, item.name, item.outcome_label,
                item.summary, follow.label, FOLLOW_UP[follow.state], follow.closed_on, row.inspected_on, row.authority, row.published_on,
            ]))  # fmt: skip
    return buffer.getvalue().encode()


def _quick_rows(rows: Iterable[_Result]) -> bytes | None:
    """The same of rows none of whose texts needs marks around it or is a formula's beginning; None of others, which their marks give away."""
    found: list[str] = []
    for row in rows:
        before = f"{row.entity},{row.name},{row.type},{row.status},{row.town},{row.round},"
        after = f",{row.inspected_on},{row.authority},{row.published_on}\r\n"
        for item in row.items:
            follow = item.follow_up
            found.append(f"{before}{item.code},{item.name},{item.outcome_label},{item.summary},{follow.label},{FOLLOW_UP[follow.state]},{follow.closed_on or ''}{after}")
    text = "".join(["\n", *found])
    whole = text.count(",") == (len(COLUMNS["results"]) - 1) * len(found) and text.count("\n") - 1 == text.count("\r") == len(found)
    return text[1:].encode() if whole and not any([mark in text for mark in _SUSPECT]) else None
