"""The made-up bureau's plan of 2026, in the layout bureaus publish (序号 | 抽查类别 | ... | 备注)."""

from __future__ import annotations

from portal.domain.cells import Cell, Merged, Sheet
from portal.domain.sample_people import sample_bureau

__all__ = ["sample_plan", "sample_plan_rows"]

HEAD = (
    "序号", "抽查类别", "抽查事项", "检查对象", "事项类别", "抽查比例", "A类", "B类", "C类", "D类", "实施时间", "责任科室", "抽取方式", "备注",
)
_RIDES = "结合其他业务板块合并进行"
_ALL = "企业、个体工商户、农民专业合作社"
_CREDIT = "信用监督管理科"
_DISCLOSURE = "公示信息检查"
_REGISTRATION = "登记事项检查"
_CLASSES = ("1%", "3%", "10%", "30%")
_NONE = ("", "", "", "")

#: (category, item, objects, key item?, ratio, class ratios, window, department, drawn by, note)
_ROWS = (
    (_DISCLOSURE, "年度报告公示信息的检查", "企业", False, "不低于3.5%", _NONE, "6-10月", _CREDIT, "本级抽取", ""),
    (_DISCLOSURE, "即时公示信息的检查", "企业", False, "", _CLASSES, "4-10月", _CREDIT, "本级抽取", ""),
    (_REGISTRATION, "营业执照（登记证）规范使用情况的检查", _ALL, False, "不低于3.5%", _NONE, "4-10月", _CREDIT, "本级抽取", _RIDES),
    (_REGISTRATION, "名称规范使用情况的检查", _ALL, False, "", _NONE, "4-10月", _CREDIT, "本级抽取", ""),
    (_REGISTRATION, "住所（经营场所）或驻在场所的检查", _ALL, False, "", _NONE, "4-10月", _CREDIT, "本级抽取", ""),
    (_REGISTRATION, "注册资本实缴情况的检查", "企业", False, "0.5%", _NONE, "7-9月", _CREDIT, "本级抽取", ""),
    ("食品生产监督检查", "食品生产监督检查", "食品生产企业", True, "30%", _NONE, "3-11月", "食品生产安全监督管理科", "本级抽取", ""),
    ("食品销售监督检查", "食品销售监督检查", "食品销售者", True, "5%", ("2%", "5%", "15%", "50%"), "4-11月", "食品流通安全监督管理科", "本级抽取", ""),
    ("餐饮服务监督检查", "餐饮服务监督检查", "餐饮服务提供者、学校和养老机构食堂", True, "10%(200户)", _NONE, "2026.3.1-2026.11.20", "餐饮服务安全监督管理科", "本级抽取", ""),
    ("特种设备使用监督检查", "特种设备使用单位监督检查", "特种设备使用单位", True, "50户", _NONE, "3-10月", "特种设备安全监察科", "市局统一抽取", "名单由市局下发"),
    ("产品质量监督检查", "工业产品质量安全监督检查", "重点工业产品生产企业", True, "≥10%", _NONE, "3-11月", "质量安全监督管理科", "本级抽取", ""),
    ("计量监督检查", "在用计量器具监督检查", "集贸市场、加油站、眼镜店", False, "10%", _NONE, "4-9月", "计量科", "本级抽取", ""),
    ("广告行为检查", "广告经营行为的检查", "广告经营者、广告发布者", False, "2‰", _NONE, "5-9月", "广告监督管理科", "本级抽取", ""),
    ("房屋安全检查", "经营性自建房安全检查", "经营性自建房使用单位", True, "20户", _NONE, "4-10月", "住房和城乡建设局", "本级抽取", "部门联合抽查"),
    ("职业病防治检查", "用人单位职业病防治情况的检查", "存在职业病危害的用人单位", True, "10%", _NONE, "4-10月", "卫生健康局", "本级抽取", "部门联合抽查"),
)
_REMARK = "备注：抽查比例以2025年底期末实有户数（含未年报企业）为基数；各项任务应于2026年11月20日前完成并向社会公示。"


def sample_plan_rows(seed: str | int = 1) -> list[list[Cell]]:
    """The cells of the plan sheet, title and remark included; merged cells are empty but for their corner."""
    return [list(row) for row in sample_plan(seed).rows]


def sample_plan(seed: str | int = 1) -> Sheet:
    """The plan of 2026 as a sheet (rows and merged ranges): what `sheets.write.write_xlsx` makes the file from.

    The first three 登记事项 rows ride together under one merged ratio; one 公示信息 row has an
    overall ratio (an open round), the other class ratios (a sealed one). The same for every seed.
    """
    empty = [""] * (len(HEAD) - 1)
    rows: list[tuple[Cell, ...]] = [(f"{sample_bureau(seed).name}2026年度“双随机、一公开”监管工作计划表", *empty), HEAD]
    merged: list[Merged] = [((0, 0), (0, len(HEAD) - 1))]
    starts: dict[str, int] = {}
    for number, (category, item, objects, key, ratio, classes, window, department, by, note) in enumerate(_ROWS, 1):
        at = len(rows)
        first = starts.setdefault(category, at)
        rows.append((
            number, category if first == at else "", item, objects, "重点检查事项" if key else "一般检查事项", ratio, *classes,
            window, department, by, note,
        ))
    for category, first in starts.items():
        last = first + sum(row[0] == category for row in _ROWS) - 1
        if last > first:
            merged.append(((first, 1), (last, 1)))
    licence = starts[_REGISTRATION]
    merged.append(((licence, 5), (licence + 2, 5)))
    rows.append(("", *empty))
    rows.append((_REMARK, *empty))
    merged.append(((len(rows) - 1, 0), (len(rows) - 1, len(HEAD) - 1)))
    return Sheet(tuple(rows), tuple(sorted(merged)), "计划表")
