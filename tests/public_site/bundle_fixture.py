"""A small but complete disclosure bundle, the same bytes on every run; all firms and findings are invented.

Four rounds: R01 open and revealed, R02 sealed and after its visits, R03 committed only, R04 void.
The open round is a true draw (ssj/1) of its files, so its pages can be verified.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from portal.domain.bundle import canonical, hasher
from portal.domain.codes import make_uscc
from portal.domain.draw import draw_task, drawn_of, result_commit
from portal.domain.pool import blocks_of, format_codes, format_pool, parse_codes
from portal.domain.rounds import format_round, label_of, parse_round
from portal.domain.seed import commit_of, key_of, seed_of
from portal.domain.trees import leaf_hash, root

AS_OF = "2026-06-26"
SHA = hasher("sha256")
PLACES = ("青阳街道", "梅岭街道", "西园街道", "罗山街道", "新塘街道", "灵源街道", "陈埭镇", "池店镇", "安海镇", "磁灶镇", "东石镇")
NAMES = ("潮声里", "海丝", "五里桥", "鸿江", "宝龙山", "晋光", "源兴", "永丰年", "紫帽", "金井湾", "围头", "深沪", "衙口", "灵秀", "龙湖")
TRADES = ("餐饮管理", "食品", "鞋业", "服饰织造", "伞业", "建材", "陶瓷", "机电设备", "商贸", "电子商务", "酒店管理", "物业管理")
FORMS = ("有限公司", "有限公司", "股份有限公司", "有限责任公司")

BASIS = {
    "registration": [["企业信息公示暂行条例", "第十五条"], ["企业公示信息抽查办法", "第四条"]],
    "catering": [["中华人民共和国食品安全法", "第一百零九条"], ["食品生产经营监督检查管理办法", "第二条"]],
    "special_equipment": [["中华人民共和国特种设备安全法", "第五十七条"], ["特种设备安全监督检查办法", "第三条"]],
    "product_quality": [["中华人民共和国产品质量法", "第十五条"]],
}
# code, version, sector, sector name, category, name, kind, methods, points
ITEMS = (
    ("registration.address", "1", "registration", "登记事项", "登记事项检查", "住所（经营场所）或驻在场所的检查", "general", ["实地核查", "书面检查"],
     ["登记的住所（经营场所）能否取得联系", "实际经营地址与登记地址是否一致"]),
    ("registration.report", "1", "registration", "登记事项", "公示信息检查", "年度报告公示信息的检查", "general", ["书面检查", "网络监测"],
     ["是否按时报送并公示年度报告", "公示的通信地址、联系电话是否真实", "公示的出资信息是否与章程一致"]),
    ("registration.report", "2", "registration", "登记事项", "公示信息检查", "年度报告公示信息的检查", "general", ["实地核查", "书面检查", "网络监测"],
     ["是否按时报送并公示年度报告", "公示的通信地址、联系电话是否真实", "公示的出资信息是否与章程一致", "公示的社保信息是否真实"]),
    ("catering.service", "2026.1", "catering", "餐饮服务", "食品安全监督检查", "餐饮服务监督检查", "key", ["实地核查"],
     ["食品经营许可证是否合法有效", "食品原料进货查验记录是否齐全", "食品及原料是否超过保质期", "从业人员健康证明是否有效", "餐饮具清洗消毒是否符合要求"]),
    ("special_equipment.user", "1", "special_equipment", "特种设备", "特种设备检查", "特种设备使用单位监督检查", "key", ["实地核查"],
     ["使用登记证是否在有效期内", "作业人员是否持证上岗", "是否按期检验并公示检验标志"]),
    ("product_quality.retail", "1", "product_quality", "产品质量", "产品质量监督检查", "流通领域商品质量检查", "general", ["实地核查", "检验检测"],
     ["进货检查验收制度是否执行", "产品标识是否符合规定"]),
)
OUTCOMES = (  # code, label, problem, summary, follow-up kind, follow-up label
    ("none", "未发现问题", False, "", "none", "无需处置"),
    ("none", "未发现问题", False, "", "none", "无需处置"),
    ("none", "未发现问题", False, "", "none", "无需处置"),
    ("rectified", "发现问题已责令改正", True, "两袋调味料超过保质期，已当场封存", "rectify", "责令改正"),
    ("none", "未发现问题", False, "", "none", "无需处置"),
    ("unreachable", "通过登记的住所（经营场所）无法联系", True, "两次实地核查均未能联系上", "abnormal_list", "列入经营异常名录"),
    ("none", "未发现问题", False, "", "none", "无需处置"),
)
SOURCES = (
    ("福彩快乐8 第2026132期", 61, "2026-05-19T21:30:00+08:00", [[20, 1, 80]], "2.5.9.13.17.21.24.28.33.36.41.45.49.52.58.61.66.70.74.79./"),
    ("福彩双色球 第2026055期", 24, "2026-05-19T21:15:00+08:00", [[6, 1, 33], [1, 1, 16]], "3.8.14.19.26.31./11./"),
)
HOLDERS = ("信用监管科", "派驻纪检监察组")


def number(*parts: object) -> int:
    """A repeatable number from what is given; stands in for chance."""
    return int.from_bytes(hashlib.sha256("|".join(map(str, parts)).encode()).digest()[:6], "big")


def digest(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def firms(count: int) -> dict[str, dict[str, str]]:
    """`count` invented businesses by code."""
    made: dict[str, dict[str, str]] = {}
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    for n in range(count):
        name = ("", "新", "大", "小", "老")[n // 180 % 5] + NAMES[n % len(NAMES)] + (str(n // 900) if n >= 900 else "")
        trade, form = TRADES[(n // len(NAMES)) % len(TRADES)], FORMS[number("form", n) % len(FORMS)]
        organisation = "MA" + "".join(alphabet[number("org", n, k) % 31] for k in range(6))
        code = make_uscc("9", "1", "350582", organisation)
        shop = n % 9 == 4
        made[code] = {
            "code": code, "name": f"晋江市{name}小吃店" if shop else f"晋江市{name}{trade}{form}",
            "type": "个体工商户" if shop else "有限责任公司", "status": "注销" if n % 41 == 7 else "存续", "town": PLACES[n % len(PLACES)],
        }  # fmt: skip
    return made


class Log:
    """The transparency log of the fixture: leaf hashes in order, a checkpoint for each batch."""

    def __init__(self) -> None:
        self.leaves: list[bytes] = []

    def add(self, *parts: object) -> dict[str, Any]:
        self.leaves.append(leaf_hash(SHA, digest("entry", *parts).encode()))
        return {"index": len(self.leaves) - 1, "hash": self.leaves[-1].hex()}

    def proof(self, at: str, *parts: object) -> dict[str, Any]:
        entry = self.add(*parts)
        return entry | {"at": at, "size": len(self.leaves), "root": root(SHA, self.leaves).hex()}


def make_bundle(folder: Path, firm_count: int = 320, demo: bool = True, as_of: str = AS_OF) -> Path:
    """Write the bundle into `folder` (made if need be) and give it back."""
    folder.mkdir(parents=True, exist_ok=True)
    log, directory = Log(), firms(firm_count)
    items = [_item(row, log) for row in ITEMS]
    plans = [_plan(1, log), _plan(2, log)]
    rounds = [
        _open_round(folder, directory, log), _sealed_round(folder, directory, log),
        _committed(folder, directory, log), _void(folder, directory, log),
    ]  # fmt: skip
    names = {item["code"]: item["name"] for item in items}
    results = [result for one in rounds[:2] for result in _results(one, directory, names, log)]
    pages = [{
        "sector": "catering", "slug": "spring-2026", "title": "春季餐饮检查情况",
        "blocks": [
            {"kind": "text", "title": "总体情况", "body": "春季共检查餐饮服务单位 30 户，均已公示结果。"},
            {"kind": "table", "title": "常见问题", "body": [["问题", "户数"], ["原料超过保质期", "3"], ["健康证明过期", "2"]]},
            {"kind": "figure", "title": "各街道检查户数", "body": [["青阳街道", 9], ["梅岭街道", 6], ["陈埭镇", 15]]},
        ],
    }]  # fmt: skip
    head = root(SHA, log.leaves).hex()
    about = {
        "spec": "mingcha-bundle/1", "bureau": {"code": "350582", "name": "晋江市市场监督管理局", "region": "福建省晋江市"},
        "as_of": as_of, "demo": demo, "year": int(as_of[:4]),
        "figures": [
            {"label": "抽查比例", "value": "2.18", "unit": "%", "base": "已抽中企业 2,601 户，占上年末实有企业 118,971 户；年度目标 3.5%。"},
            {"label": "到期任务按时完成", "value": 100, "unit": "%", "base": "到期任务 6 项，按时完成 6 项。"},
            {"label": "检查结果按时公示", "value": 100, "unit": "%", "base": f"到期应公示 {len(results)} 户次，已公示 {len(results)} 户次。"},
            {"label": "发现问题后续处置", "value": "96.7", "unit": "%", "base": "应处置 30 项，已完结 29 项。"},
            {"label": "合并入企，少跑", "value": 483, "unit": "次", "base": "各任务抽中 1,224 户次，合并为 741 次入企。"},
        ],
        "log": {"origin": "mingcha.example/jinjiang", "key": "mingcha.example/jinjiang+8f2a41c7+AXIm" + digest("key")[:40],
                "size": len(log.leaves), "root": head},
    }  # fmt: skip
    _write(folder, "about.json", canonical(about))
    _lines(folder, "items.jsonl", items, lambda row: (row["code"], row["version"]))
    _lines(folder, "plans.jsonl", plans, lambda row: (row["year"], row["version"]))
    _lines(folder, "rounds.jsonl", rounds, lambda row: row["code"])
    _lines(folder, "results.jsonl", results, lambda row: row["visit"])
    _lines(folder, "pages.jsonl", pages, lambda row: (row["sector"], row["slug"]))
    _write(folder, "log/checkpoint", f"{about['log']['origin']}\n{len(log.leaves)}\n{head}\n\n— fixture\n".encode())
    _write(folder, f"log/tile/0/000.p/{len(log.leaves) % 256}", b"".join(log.leaves[-(len(log.leaves) % 256) :]))
    seal(folder, as_of)
    return folder


def seal(folder: Path, as_of: str = AS_OF) -> None:
    """Write the bundle's manifest over what lies in the folder now."""
    files = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    _write(folder, "manifest.json", canonical({"spec": "mingcha-bundle/1", "as_of": as_of, "files": files}))


def add_external(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a bundle a list drawn elsewhere, with one result of it; (the list, the result it was made from)."""
    rounds, results = ([json.loads(line) for line in (folder / f"{name}.jsonl").read_bytes().splitlines()] for name in ("rounds", "results"))
    first, code, label = results[0], "350582-2026-X001", "外部抽取，本站不能验证"
    source = next(row for row in rounds if row["code"] == first["round"])
    listed = {
        "code": code, "title": "餐饮服务检查（外部抽取，泉州市局平台）", "label": label, "platform": "泉州市局平台", "drawn_on": "2026-03-20",
        "window": source["window"], "digest": "ab" * 32, "taken_at": "2026-03-21T09:00:00+08:00",
        "task": {"code": "350582-2026-T009", "name": "餐饮服务检查", "department": "餐饮科", "items": [{"code": "x.y", "name": "餐饮服务监督检查"}]},
        "size": 3, "taken": 1, "visits": 1, "avoided": 0, "visited_by": source["window"][1],
        "list": [{"code": first["entity"], "name": first["name"], "tasks": ["350582-2026-T009"]}], "proof": first["proof"],
    }  # fmt: skip
    own = {**first, "visit": f"{code}_{first['entity']}", "round": code, "round_title": listed["title"], "label": label}
    _write(folder, "external.jsonl", canonical(listed) + b"\n")
    _write(folder, "results.jsonl", b"".join(canonical(row) + b"\n" for row in sorted([*results, own], key=lambda row: row["visit"])))
    seal(folder)
    return listed, first


def _write(folder: Path, name: str, data: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _lines(folder: Path, name: str, rows: list[dict[str, Any]], key: Any) -> None:
    _write(folder, name, b"".join(canonical(row) + b"\n" for row in sorted(rows, key=key)))


def _item(row: tuple[Any, ...], log: Log) -> dict[str, Any]:
    code, version, sector, sector_name, category, name, kind, methods, points = row
    old = (code, version) == ("registration.report", "1")
    published = "2025-12-30" if old or version != "2" else "2026-05-06"
    return {
        "code": code, "version": version, "sector": sector, "sector_name": sector_name, "category": category, "name": name,
        "kind": kind, "objects": "企业、个体工商户、农民专业合作社", "methods": methods, "inspected_by": "县级以上市场监督管理部门",
        "points": points, "basis": [{"law": law, "article": article} for law, article in BASIS[sector]],
        "qualification": "特种设备安全监察员证" if sector == "special_equipment" else "",
        "valid_from": "2026-01-01" if published < "2026" else "2026-05-10", "valid_to": "2026-05-09" if old else None,
        "published_on": published, "proof": log.proof(f"{published}T09:00:00+08:00", "item", code, version),
    }  # fmt: skip


def _plan(version: int, log: Log) -> dict[str, Any]:
    head = ("登记事项检查、公示信息检查", "企业、个体工商户", "general", "3.5%", True, "3月至10月", "信用监管科")
    kinds = [
        (*head, "here", "", "task", "350582-2026-T001"),
        ("餐饮服务监督检查", "餐饮服务提供者", "key", "10%", False, "3月至10月", "餐饮服务监督管理科", "here", "可与登记事项检查合并进行", "task", "350582-2026-T002"),
        ("特种设备使用单位监督检查", "特种设备使用单位", "key", "8%（重点单位 20%）", False, "4月至9月", "特种设备安全监察科", "here", "", "task", "350582-2026-T003"),
        ("年度报告公示信息的检查", "企业", "general", "随其他任务", True, "3月至10月", "信用监管科", "here", "随餐饮服务检查一并进行", "rider", "350582-2026-T002"),
        ("食品生产企业监督检查", "获证食品生产企业", "key", "5%", False, "5月至9月", "食品生产监督管理科", "superior", "泉州市局统一抽取", "pending", None),
        ("检验检测机构监督检查", "检验检测机构", "general", "10%（12 户）", False, "6月至8月", "质量监督管理科", "external", "省级平台抽取", "pending", None),
    ]  # fmt: skip
    rows = []
    for number_, row in enumerate(kinds * 2 if version == 2 else kinds, 1):
        keys = ("category", "objects", "kind", "ratio", "differentiated", "window", "department", "drawn_by", "note", "state", "task")
        rows.append({"number": number_, "item": row[0], **dict(zip(keys, row, strict=True))})
        if version == 2:  # version 1 was published before these were
            rows[-1] |= {
                "name": "部门联合抽查", "items": [row[0], "登记事项检查"], "count": None, "times": 1, "amount": f"{row[3]}，1次", "partners": "教育局、消防救援大队",
                "method": "现场检查", "inspected_by": "各市场监督管理所", "drawn_by_text": "市抽县查" if row[-4] == "superior" else "",
            }  # fmt: skip
    published = "2026-02-27" if version == 1 else "2026-04-10"
    return {
        "year": 2026, "version": version, "title": "2026年度“双随机、一公开”抽查工作计划", "number": "晋市监〔2026〕12号" if version == 1 else "",
        "published_on": published, "base_note": "以2025年底企业期末实有数（含未年报）118,971 户为基数，抽查比例不低于 3.5%。",
        "notes": ["除专业领域外，各项任务按信用风险分类实行差异化抽查。", "各项任务应于2026年11月20日前完成并公示。"],
        "proof": log.proof(f"{published}T09:00:00+08:00", "plan", version), "rows": rows,
    }  # fmt: skip


def _results(
    round_: dict[str, Any], directory: dict[str, dict[str, str]], names: dict[str, str], log: Log
) -> list[dict[str, Any]]:
    """A result for every visit of a round but its last two, which are still within their time."""
    labels = {code: (label, problem, summary, kind, follow) for code, label, problem, summary, kind, follow in OUTCOMES}
    found = []
    for entry in round_["list"][:-2]:
        firm, code = directory[entry["code"]], entry["code"]
        serial = number(round_["code"], code)
        month = "05" if round_["disclosure"] == "open" else "04"
        day = f"2026-{month}-{22 + serial % 8:02d}"
        published = f"2026-06-{1 + serial % 9:02d}" if round_["disclosure"] == "open" else f"2026-05-{6 + serial % 9:02d}"
        tasks = [task for task in round_["tasks"] if entry["tasks"] is None or task["code"] in entry["tasks"]]
        items, closed = [], False
        for item in (item["code"] for task in tasks for item in task["items"] + task["riders"]):
            outcome = OUTCOMES[number(serial, item) % len(OUTCOMES)][0]
            if any(row["code"] == item for row in items):
                continue
            label, problem, summary, kind, follow = labels[outcome]
            if outcome == "rectified" and not item.startswith("catering"):
                summary = "公示的联系电话无法接通，已当场更正"
            is_closed = kind != "none" and serial % 4 != 0
            closed = closed or is_closed
            points = next(row[8] for row in ITEMS if row[0] == item)
            items.append({
                "code": item, "name": names[item], "outcome": outcome, "outcome_label": label, "problem": problem, "summary": summary,
                "points": [{"label": point, "answer": "不符合" if problem and n == 0 else "符合"} for n, point in enumerate(points)],
                "follow_up": {"kind": kind, "label": follow, "state": "none" if kind == "none" else "closed" if is_closed else "open",
                              "closed_on": "2026-06-16" if is_closed else None},
            })  # fmt: skip
        history = [{"on": published, "text": "首次公示。"}]
        if closed:
            history.append({"on": "2026-06-16", "text": "后续处置由“处置中”改为“已完结”。"})
        visit = f"{round_['code']}_{code}"
        found.append({
            "visit": visit, "entity": code, "name": firm["name"], "type": firm["type"], "status": firm["status"],
            "town": f"晋江市{firm['town']}", "round": round_["code"], "round_title": round_["title"], "label": round_["label"],
            "inspected_on": day, "methods": ["实地核查"], "authority": "晋江市市场监督管理局", "inspectors": 2 + serial % 2, "items": items,
            "published_on": published, "history": history, "proof": log.proof(f"{published}T09:04:00+08:00", "result", visit),
        })  # fmt: skip
    return found


# Rounds ----------------------------------------------------------------------------------------

ROUND_TASKS = (  # code, name, department, items, riders, ratio, share of the directory in its pool, ppm
    ("350582-2026-T001", "登记事项与公示信息检查", "信用监管科", ["registration.address", "registration.report"], [], "3.5%", 100, 70000),
    ("350582-2026-T002", "餐饮服务监督检查", "餐饮服务监督管理科", ["catering.service"], ["registration.report"], "10%", 45, 120000),
    ("350582-2026-T003", "特种设备使用单位监督检查", "特种设备安全监察科", ["special_equipment.user"], [], "8%", 30, 80000),
)


def _base(code: str, title: str, disclosure: str, window: list[str], state: str, round_bytes: bytes, at: str, log: Log) -> dict[str, Any]:
    document = parse_round(round_bytes)
    names = {row[0]: row[5] for row in ITEMS}
    tasks = []
    for entry, (task, name, department, items, riders, ratio, _share, _ppm) in zip(document["tasks"], ROUND_TASKS, strict=False):
        tasks.append({
            "code": task, "name": name, "department": department, "items": [{"code": c, "name": names[c]} for c in items],
            "riders": [{"code": c, "name": names[c]} for c in riders], "ratio": ratio, "pool_size": entry["pool_size"], "excluded": None,
            "rules": [{"rule": "cap", "label": "今年检查次数已到上限", "count": 4}, {"rule": "recent", "label": "近期已查过同样事项", "count": 7}],
            "pool_root": entry["pool_root"], "excluded_root": entry["excluded_root"], "drawn": None, "available": None,
            "ticket_root": None, "drawn_root": None, "result_file": None,
        })  # fmt: skip
    found = SHA(round_bytes).hex()
    return {
        "code": code, "title": title, "disclosure": disclosure, "label": label_of(document), "state": state, "number": "", "window": window,
        "suite": "sha256", "digest": found, "committed_at": at, "draw_not_before": document["draw_not_before"], "drawn_at": None,
        "result_commit": None, "visited_by": window[1], "reveal_due": None, "revealed_at": None, "overdue": False,
        "sources": [{"name": s["name"], "bits": s["bits"], "drawn_at": s["drawn_at"], "value": None} for s in document["sources"]],
        "holders": [{"name": s["holder"], "commit": s["commit"]} for s in document["secrets"]], "secrets": None, "void": None,
        "snapshot": {"on": at[:10], "size": 118642}, "tasks": tasks, "visits": None, "avoided": None, "most": None, "list": None,
        "files": ["round.json"], "log": [{"kind": "round", "at": at, **log.add("round", code)}],
    }  # fmt: skip


def _pools(code: str, directory: dict[str, Any], count: int) -> list[tuple[bytes, bytes | None]]:
    found = []
    for task, *_rest, share, _ppm in ROUND_TASKS[:count]:
        inside = [c for c in directory if number(task, c) % 100 < share]
        excluded = [c for c in inside if number(code, "excluded", c) % 40 == 0]
        found.append((format_pool((c, "*", 1) for c in inside), format_codes(excluded)))
    return found


def _commit(
    code: str, disclosure: str, pools: list[tuple[bytes, bytes | None]], at: str, sources: tuple[Any, ...] = SOURCES, holders: tuple[str, ...] = HOLDERS
) -> bytes:
    """`round.json`; in a sealed round the roots stand for salted trees the fixture does not make."""
    tasks = []
    for (pool, excluded), (task, *_rest, ppm) in zip(pools, ROUND_TASKS, strict=False):
        entry = {"task": task, "pool_size": pool.count(b"\n"), "rounding": "ceil", "minimum": 1, "reserve": 2}
        if disclosure == "open":
            entry["pool_root"] = root(SHA, [leaf_hash(SHA, block) for block in blocks_of(pool)]).hex()
            entry["excluded_root"] = root(SHA, [leaf_hash(SHA, b) for b in blocks_of(excluded)]).hex() if excluded else None
            entry["quota"] = {"*": {"ppm": ppm}}
        else:
            entry |= {name: digest(code, task, name) for name in ("pool_root", "excluded_root", "quota_commit")}
        tasks.append(entry)
    return format_round(
        round_id=code, suite="sha256", disclosure=disclosure, draw_not_before=at, tasks=tasks,
        sources=[{"name": n, "bits": b, "drawn_at": d, "groups": g} for n, b, d, g, _value in sources],
        secrets=[{"holder": h, "commit": commit_of("sha256", bytes.fromhex(digest("secret", code, h)))} for h in holders],
        salt_commit=digest("salt", code) if disclosure == "sealed" else None, more={"snapshot": {"on": "2026-05-15", "size": 118642}},
    )  # fmt: skip


def _draw(row: dict[str, Any], round_bytes: bytes, pools: list[tuple[bytes, bytes | None]], sources: tuple[Any, ...], at: str) -> dict[str, Any]:
    """Draw the round and enter what is public at once into its row; gives `result.json` and who meets which tasks."""
    code, document = row["code"], parse_round(round_bytes)
    values = [[name, value, drawn_at] for name, _bits, drawn_at, _groups, value in sources]
    secrets = [digest("secret", code, holder["name"]) for holder in row["holders"]]
    key = key_of("sha256", seed_of("sha256", bytes.fromhex(row["digest"]), values, secrets), f"draw/{code}")
    result, met = {}, {}
    for (pool, excluded), entry, task, share in zip(pools, document["tasks"], row["tasks"], ROUND_TASKS, strict=False):
        gone = parse_codes(excluded) if excluded else []
        strata = draw_task("sha256", key, pool, gone, {"*": {"ppm": share[-1]}}, entry)
        result[task["code"]] = {"strata": strata}
        drawn = drawn_of(strata)
        task |= {"excluded": len(gone), "drawn": len(drawn), "available": strata["*"]["available"]}
        for one in drawn:
            met.setdefault(one, []).append(task["code"])
    for source, value in zip(row["sources"], values, strict=True):
        source["value"] = value[1]
    total = sum(task["drawn"] for task in row["tasks"])
    row |= {
        "state": "drawn", "drawn_at": at, "result_commit": result_commit("sha256", key, canonical(result)), "visits": len(met),
        "avoided": total - len(met), "most": max(map(len, met.values())),
    }  # fmt: skip
    return {"values": values, "secrets": secrets, "result": result, "met": met}


def _open_round(folder: Path, directory: dict[str, Any], log: Log) -> dict[str, Any]:
    code = "350582-2026-R003"
    pools = _pools(code, directory, 2)
    data = _commit(code, "open", pools, "2026-05-19T22:00:00+08:00")
    row = _base(code, "2026年第三批抽查", "open", ["2026-05-21", "2026-06-05"], "drawn", data, "2026-05-15T10:00:00+08:00", log)
    drawn = _draw(row, data, pools, SOURCES, "2026-05-20T09:05:00+08:00")
    row |= {
        "state": "revealed", "number": "晋市监抽〔2026〕3号", "reveal_due": "2026-06-12", "revealed_at": "2026-06-08T10:00:00+08:00", "secrets": drawn["secrets"],
        "list": [{"code": c, "name": directory[c]["name"], "tasks": drawn["met"][c]} for c in sorted(drawn["met"])],
    }  # fmt: skip
    names = {"round.json": data, "reveal.json": canonical({"secrets": drawn["secrets"], "sources": drawn["values"]}), "result.json": canonical(drawn["result"])}
    for (pool, excluded), task in zip(pools, row["tasks"], strict=True):
        names[f"{task['code']}/pool.tsv"] = pool
        task["result_file"] = "result.json"
        if excluded:
            names[f"{task['code']}/excluded.txt"] = excluded
    for name, content in names.items():
        _write(folder, f"rounds/{code}/{name}", content)
    row["files"] = sorted(names)
    stages = (("sources", "2026-05-19T22:05:00+08:00"), ("result", row["drawn_at"]), ("assignment", "2026-05-20T09:20:00+08:00"), ("reveal", row["revealed_at"]))
    row["log"] += [{"kind": kind, "at": at, **log.add(kind, code)} for kind, at in stages]
    return row


def _sealed_round(folder: Path, directory: dict[str, Any], log: Log) -> dict[str, Any]:
    code = "350582-2026-R002"
    sources = tuple((name.replace("132", "101").replace("055", "042"), bits, at.replace("05-19", "04-14"), groups, value) for name, bits, at, groups, value in SOURCES)
    pools = _pools(code, directory, 3)
    data = _commit(code, "sealed", pools, "2026-04-14T22:00:00+08:00", sources)
    row = _base(code, "2026年第二批抽查", "sealed", ["2026-04-16", "2026-04-30"], "drawn", data, "2026-04-10T10:00:00+08:00", log)
    drawn = _draw(row, data, pools, sources, "2026-04-15T09:05:00+08:00")
    row["list"] = [{"code": c, "name": directory[c]["name"], "tasks": None} for c in sorted(drawn["met"])]
    for task in row["tasks"]:
        task |= {"ratio": None, "rules": [], "available": None, "ticket_root": digest("tickets", task["code"]), "drawn_root": digest("drawn", task["code"])}
    public = {
        "round_digest": row["digest"], "result_commit": row["result_commit"], "sources": drawn["values"],
        "tasks": {t["code"]: {"count": t["drawn"], "ticket_root": t["ticket_root"], "drawn_root": t["drawn_root"]} for t in row["tasks"]},
    }  # fmt: skip
    for name, content in {"round.json": data, "public.json": canonical(public)}.items():
        _write(folder, f"rounds/{code}/{name}", content)
    row["files"] = ["public.json", "round.json"]
    row["log"] += [{"kind": kind, "at": at, **log.add(kind, code)} for kind, at in (("sources", "2026-04-14T22:05:00+08:00"), ("result", row["drawn_at"]))]
    return row


def _committed(folder: Path, directory: dict[str, Any], log: Log) -> dict[str, Any]:
    code = "350582-2026-R004"
    sources = tuple((name.replace("132", "171").replace("055", "073"), bits, at.replace("05-19", "06-28"), groups, value) for name, bits, at, groups, value in SOURCES)
    data = _commit(code, "open", _pools(code, directory, 2), "2026-06-28T22:00:00+08:00", sources)
    _write(folder, f"rounds/{code}/round.json", data)
    row = _base(code, "2026年第四批抽查", "open", ["2026-07-01", "2026-07-31"], "committed", data, "2026-06-24T10:00:00+08:00", log)
    return row | {"reveal_due": "2026-08-07"}


def _void(folder: Path, directory: dict[str, Any], log: Log) -> dict[str, Any]:
    code = "350582-2026-R001"
    data = _commit(code, "open", _pools(code, directory, 1), "2026-03-10T22:00:00+08:00", (), HOLDERS[:1])
    _write(folder, f"rounds/{code}/round.json", data)
    row = _base(code, "2026年第一批抽查", "open", ["2026-03-12", "2026-03-31"], "void", data, "2026-03-06T10:00:00+08:00", log)
    row["void"] = {"reason": "名录快照日期登记有误，开奖前发现，经第二人批准作废。任务并入2026年第二批。", "at": "2026-03-08T15:30:00+08:00"}
    row["log"].append({"kind": "void", "at": row["void"]["at"], **log.add("void", code)})
    return row
