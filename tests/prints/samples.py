"""Contexts for the printed documents: invented bureau, entities, numbers and hashes."""

from __future__ import annotations

import hashlib
from typing import Any

BUREAU = "晋江市市场监督管理局"
TASKS = (
    ("登记事项与公示信息检查", "信用监管科", "≥0.5%", 118642, 594),
    ("餐饮服务监督检查", "餐饮科", "≥1%", 21874, 219),
    ("特种设备使用单位监督检查", "特种设备科", "≥5%", 3418, 171),
    ("在用计量器具监督检查", "计量科", "≥2.5%", 6205, 156),
    ("流通领域产品质量检查", "质量科", "≥2%", 5127, 103),
)
NAMES = ("晋江市潮声里餐饮管理有限公司", "晋江市㛃桥食品有限公司", "泉州𬭎达机械设备制造有限公司",
         "晋江市安海镇五里桥海鲜排档", "晋江市梅岭街道和平路小满杂货店")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def proof(index: int) -> dict[str, Any]:
    return {"index": index, "hash": digest(f"leaf {index}"), "at": "2026-06-09T10:20:00+08:00",
            "size": index + 9, "root": digest(f"root {index}")}


def about(**changes: Any) -> dict[str, Any]:
    return {
        "spec": "mingcha-bundle/1", "bureau": {"code": "350582", "name": BUREAU, "region": "福建省泉州市晋江市"},
        "as_of": "2026-07-20", "demo": True, "year": 2026, "figures": [],
        "log": {"origin": "example/log", "key": "example+0+A", "size": 18500, "root": digest("log")},
    } | changes


def plan(rows: int = 12, **changes: Any) -> dict[str, Any]:
    return {
        "year": 2026, "version": 1, "title": f"{BUREAU}2026年度“双随机、一公开”抽查工作计划",
        "number": "晋市监〔2026〕4号", "published_on": "2026-03-16",
        "base_note": "以2025年底企业期末实有数（含未年报企业）118642户为基数，抽查比例不低于3.5%。",
        "notes": ["登记事项检查、公示信息检查可以结合其他业务检查一并进行。", "各项任务于11月20日前完成检查并公布结果。"],
        "proof": proof(18402), "rows": [plan_row(n) for n in range(1, rows + 1)],
    } | changes


def plan_row(number: int) -> dict[str, Any]:
    name, department, ratio, _, _ = TASKS[number % 5]
    return {
        "number": str(number), "category": "市场监管", "item": name, "objects": "辖区内取得相应许可或者从事相应经营活动的企业、个体工商户",
        "kind": "key" if number % 5 == 2 else "general", "ratio": ratio, "differentiated": number % 2 == 0,
        "window": ["2026-03-01", "2026-05-31"] if number % 3 else "全年", "department": department,
        "drawn_by": "superior" if number % 7 == 0 else "here", "note": "与消防救援部门联合检查" if number % 4 == 0 else "",
        "state": "rider" if number % 6 == 0 else "task", "task": f"T{number}",
        "name": f"{name[:4]}联合抽查" if number % 4 == 0 else "", "items": [name, "登记事项检查"] if number % 4 == 0 else [name],
        "count": 20 if number % 5 == 3 else None, "times": 1 if number % 3 == 0 else None, "partners": "消防救援大队" if number % 4 == 0 else "",
        "method": "现场检查、书面检查", "inspected_by": "各市场监督管理所" if number % 2 else "", "drawn_by_text": "市抽县查" if number % 7 == 0 else "县抽县查",
    }


def round_(state: str = "drawn", disclosure: str = "open", **changes: Any) -> dict[str, Any]:
    drawn = state in ("drawn", "revealed")
    label = "公开可验证" if disclosure == "open" else "监督机构可复核"
    kinds = {"committed": ["round"], "void": ["round", "void"], "drawn": ["round", "sources", "result", "assignment"],
             "revealed": ["round", "sources", "result", "assignment", "reveal"]}[state]
    value = "4.11.17.23.28.32./9./" if drawn else None
    return {
        "code": "R2026-04", "title": "2026年第四批“双随机、一公开”抽查", "disclosure": disclosure, "label": label,
        "state": state, "number": "晋市监公告〔2026〕9号", "window": ["2026-06-11", "2026-07-10"], "suite": "sha256",
        "digest": digest("round"), "committed_at": "2026-06-04T16:20:00+08:00",
        "draw_not_before": "2026-06-07T21:35:00+08:00", "drawn_at": "2026-06-08T08:41:00+08:00" if drawn else None,
        "result_commit": digest("result") if drawn else None, "visited_by": "2026-07-10",
        "reveal_due": "2026-07-13" if disclosure == "open" else None,
        "revealed_at": "2026-07-11T09:00:00+08:00" if state == "revealed" else None, "overdue": False,
        "sources": [
            {"name": "双色球第2026064期", "bits": 24, "drawn_at": "2026-06-07T21:15:00+08:00", "value": value},
            {"name": "快乐8第2026148期", "bits": 61, "drawn_at": "2026-06-07T21:30:00+08:00", "value": value},
        ],
        "holders": [{"name": BUREAU, "commit": digest("a")}, {"name": "晋江市公证处", "commit": digest("b")}],
        "secrets": None, "snapshot": {"on": "2026-06-01", "size": 142310},
        "void": {"reason": "检查对象名录导入有误，需更正后重新组织抽取。", "at": "2026-06-05T11:00:00+08:00"} if state == "void" else None,
        "tasks": [
            {"code": f"T{n}", "name": name, "department": department, "items": [], "riders": [], "ratio": ratio,
             "pool_size": size, "excluded": 12, "rules": [], "pool_root": digest(name), "excluded_root": None,
             "drawn": count if drawn else None, "available": None, "ticket_root": None, "drawn_root": None, "result_file": None}
            for n, (name, department, ratio, size, count) in enumerate(TASKS)
        ],
        "visits": 1045 if drawn else None, "avoided": 198 if drawn else None, "most": 3 if drawn else None,
        "list": None, "files": [], "log": [{"kind": k, "index": 18377 + i, "at": "2026-06-04T16:20:00+08:00", "hash": digest(k)} for i, k in enumerate(kinds)],
    } | changes


def result(number: int = 0, points: int = 8, **changes: Any) -> dict[str, Any]:
    bad = number % 3 == 0
    return {
        "visit": f"R2026-04_9135058200000{number:05d}", "entity": f"9135058200000{number:05d}", "name": NAMES[number % 5],
        "type": "有限责任公司", "status": "存续", "town": "梅岭街道", "round": "R2026-04",
        "round_title": "2026年第四批“双随机、一公开”抽查", "label": "公开可验证", "inspected_on": "2026-06-23",
        "methods": ["现场检查", "书面检查"], "authority": BUREAU, "inspectors": 2,
        "items": [
            {"code": "registration.licence", "name": "营业执照（登记证）规范使用情况的检查", "outcome": "none", "outcome_label": "未发现问题",
             "problem": False, "summary": "", "points": [], "follow_up": {"kind": "none", "label": "", "state": "none", "closed_on": None}},
            {"code": "catering.service", "name": "餐饮服务监督检查", "outcome": "fixed" if bad else "none",
             "outcome_label": "发现问题已责令改正" if bad else "未发现问题", "problem": bad,
             "summary": "消毒后的餐具与未消毒的餐具混放，已责令当场改正。" if bad else "",
             "points": [{"label": f"{n + 1}. 食品原料进货查验记录齐全，票证与实物相符", "answer": "符合" if n % 4 else "不适用"} for n in range(points)],
             "follow_up": {"kind": "rectify", "label": "责令改正", "state": "closed", "closed_on": "2026-07-02"} if bad
             else {"kind": "none", "label": "", "state": "none", "closed_on": None}},
        ],
        "published_on": "2026-07-06", "history": [], "proof": proof(18430 + number),
    } | changes


def results(count: int) -> list[dict[str, Any]]:
    return [result(number) for number in range(count)]
