"""What can be imported: each kind of file with its headings, its parser, and what may be said beside the file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from portal.domain import headings
from portal.domain.cells import Sheet, parse_date, parse_text, plain_heading
from portal.domain.classes import parse_classes
from portal.domain.directory import parse_entities, parse_inspectors
from portal.domain.errors import BadInput, Problem
from portal.domain.external import parse_external
from portal.domain.plan import parse_plan
from portal.domain.recusals import parse_recusals
from portal.domain.registers import parse_registers
from portal.domain.results import parse_results
from portal.domain.sheet_items import parse_items
from portal.domain.tables import LEFT_OUT, Aliases, Parsed, fill_merged, usual_heading

__all__ = ["KINDS", "Asked", "Kind", "Reading", "parse_mapping", "parse_options", "template_rows"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Something the file may leave open and whoever imports may say: `name` in code, `label` to people."""

    name: str
    label: str
    hint: str = ""
    kind: str = "text"  # text | date | year


@dataclass(frozen=True, slots=True)
class Reading:
    """What a parser is told beside the file: headings pointed out, options by name, codes vouched for."""

    today: date
    aliases: Aliases = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    accepted: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file. `parse(sheet, reading)` gives the rows; `act` is who may (domain/roles.py).

    `unit` counts rows in words; `example` is the row of the template marked 案例（请删除）, heading -> cell.
    """

    code: str
    label: str
    act: str
    unit: str
    names: Mapping[str, str]
    parse: Callable[[Sheet, Reading], Parsed[Any]]
    about: str
    example: Mapping[str, str]
    asks: tuple[Asked, ...] = ()

    def heading(self, name: str) -> str:
        return usual_heading(self.names, name)


def _plan(sheet: Sheet, reading: Reading) -> Parsed[Any]:
    year = reading.options.get("year", "")
    parsed = parse_plan(sheet, int(year) if year else None, reading.aliases)
    lines = tuple(row.row for row in parsed.rows)
    return Parsed(parsed.rows, parsed.problems, (), lines, len(set(lines)), parsed.headings, parsed, aside=parsed.aside)


_CODE, _NAME = "统一社会信用代码", "企业名称"
_LIST = (
    Kind(
        "entities", "检查对象名录", "directory.import", "户", headings.ENTITY,
        lambda sheet, r: parse_entities(fill_merged(sheet), r.aliases, r.accepted),
        "企业、个体工商户、农民专业合作社等，每户一行；同一户有几个许可的，可以写几行。只有代码和名称两列也可以导入，文件里没有的栏目保持原样。",
        {_CODE: "91359921MA00000015", _NAME: "案例（请删除）", "企业类型": "企业", "登记状态": "存续", "属地所": "城关所", "乡镇": "城关镇",
         "地址": "望溪县城关镇南街1号", "行业代码": "5272", "经营范围": "五金零售", "成立日期": "2020-05-01", "风险等级": "A", "监管标签": "网络经营",
         "许可证名称": "", "许可证编号": "", "批准日期": "", "有效期至": "", "发证机关": ""},
    ),
    Kind(
        "inspectors", "执法检查人员名录", "directory.import", "人", headings.INSPECTOR,
        lambda sheet, r: parse_inspectors(fill_merged(sheet), r.today, r.aliases),
        "每人一行。身份证号、手机号等个人信息列不保存。执法证过期、状态为失效的人员也会导入，但不参加抽取。",
        {"单位工号": "案例（请删除）", "姓名": "林某某", "地区": "城关镇", "所属监管所": "城关所", "层级": "所", "担任职务": "科员", "所在业务部门": "",
         "岗位大类": "食品、计量", "岗位资质资格": "食品检查员", "执法事项范围": "", "是否专家": "否", "是否组长": "否", "执法证编号": "闽C000000",
         "执法证有效期": "2028-12-31", "发证机关": "福建省人民政府", "执法人员状态": "有效"},
    ),
    Kind(
        "recusals", "回避名单", "directory.import", "条", headings.RECUSAL,
        lambda sheet, r: parse_recusals(fill_merged(sheet), r.aliases),
        "一行一条：哪名执法人员不得检查哪一户，原因必填。已承诺的轮次按承诺时的名单办理，不受影响。",
        {"单位工号": "案例（请删除）", _CODE: "91359921MA00000015", "回避原因": "近亲属任职", "回避开始日期": "2026-01-01", "回避截止日期": "", "备注": ""},
    ),
    Kind(
        "classes", "信用风险分类结果", "directory.import", "户", headings.CLASS,
        lambda sheet, r: parse_classes(fill_merged(sheet), r.aliases),
        "省平台下发的分类结果，几类都可以。历次结果都保留，名录中显示日期最近的一次；人工调整过的到期前仍按调整。名录里没有的代码会列出，待其进入名录时自动带出。",
        {_CODE: "91359921MA00000015", _NAME: "案例（请删除）", "信用风险等级": "B", "分类日期": "2026-03-31", "分类版本": "2026年第一季度"},
        (Asked("classed_on", "分类日期", "文件里没有“分类日期”列时填写", "date"), Asked("version", "分类版本", "例如 2026年第一季度"),
         Asked("scale", "分类体系", "不填为企业信用风险分类；部门自己的分级填辖区规则中的代码，例如 food")),
    ),
    Kind(
        "registers", "专项库和许可名录", "directory.import", "行", headings.REGISTER,
        lambda sheet, r: parse_registers(fill_merged(sheet), r.options.get("register", ""), r.aliases),
        "特种设备、食品生产、检验检测机构等专项库，一户可以有几行。不认识的列按原表头作为文字保存。检查对象须已在名录中。",
        {"专项库名称": "食品生产", "对应专项库监管标签": "食品生产许可", "代码": "91359921MA00000015", _NAME: "案例（请删除）", "许可证名称": "食品生产许可证",
         "编号": "SC10135992100001", "批准日期": "2024-01-02", "有效期至": "2029-01-01", "发证机关": "望溪县市场监督管理局", "检查机关": "城关所"},
        (Asked("register", "专项库名称", "文件里没有“专项库名称”列时填写"),
         Asked("whole", "整库替换", "填“是”：文件是整个专项库，库里有而文件里没有的行删去")),
    ),
    Kind(
        "plan", "年度抽查工作计划", "plan.import", "行", headings.PLAN, _plan,
        "年度抽查计划表。合并单元格、“10%(20户)”“≥3%”“2‰”“1户”等写法都能识别；每一行都会保留，没有业务模块的标为待模块。",
        {"序号": "1", "抽查任务名称": "案例（请删除）", "抽查事项": "营业执照（登记证）规范使用情况的检查", "检查对象": "企业", "事项类别": "一般检查事项", "抽查比例": "3%",
         "实施时间": "2026年6月至10月", "责任科室": "信用监督管理科", "抽取方式": "县级抽取", "备注": ""},
        (Asked("year", "计划年度", "标题里没有写年份时填写", "year"),),
    ),
    Kind(
        "items", "随机抽查事项清单", "sheets.import", "项", headings.ITEM,
        lambda sheet, r: parse_items(fill_merged(sheet), r.aliases),
        "一个业务模块的事项，每项一行，按国家清单的栏目填写。每项要有检查依据和检查表单（先导入表单）；行业代码、主体类型、监管标签决定从哪些检查对象中抽取。",
        {"序号": "1", "抽查类别": "产品质量监督抽查", "抽查事项": "案例（请删除）", "检查对象": "企业、个体工商户", "事项类别": "重点检查事项", "检查方式": "现场检查",
         "检查主体": "县级以上市场监督管理部门", "检查依据": "《中华人民共和国产品质量法》第三十三条", "检查要点": "强制性产品认证标志；标识", "检查表单": "shop",
         "事项代码": "sale", "版本": "2026-1", "资格要求": "无需", "有效期起": "2026-01-01", "有效期止": "", "别名": "", "行业代码": "5245",
         "主体类型": "", "监管标签": "", "检查指引": ""},
        (Asked("sector", "业务模块", "模块代码，例如 toys"), Asked("name", "模块名称", "新建模块时填写"), Asked("department", "业务科室", "新建模块时填写"),
         Asked("version", "版本", "文件里没有“版本”列时填写，不填为 1")),
    ),
    Kind(
        "draw", "外部抽取名单", "draw.import", "户", headings.EXTERNAL,
        lambda sheet, r: parse_external(fill_merged(sheet), r.aliases),
        "上级或其他平台抽取后下发的名单，标为“外部抽取”，不作为本系统核验过的抽取结果。按代码对照名录，对不上的会列出。",
        {_CODE: "91359921MA00000015", _NAME: "案例（请删除）", "抽查任务编号": "", "抽查事项": "", "来源平台": "省双随机平台", "抽取日期": "2026-05-20", "属地所": "城关所"},
        (Asked("platform", "来源平台", "文件里没有“来源平台”列时填写"), Asked("drawn_on", "抽取日期", "文件里没有“抽取日期”列时填写", "date"),
         Asked("task", "抽查任务", "计划中的任务编号，例如 359921-2026-T003")),
    ),
    Kind(
        "records", "检查记录表", "record.import", "行", headings.RESULT,
        lambda sheet, r: parse_results(fill_merged(sheet), r.aliases),
        "在别处填好的检查结果，一次检查的每个事项一行，检查表单的要点各占一列（列名与表单要点的文字相同）。与在系统里录入用同样的规则核对，导入后待审核。",
        {"入企编号": "案例（请删除）", "任务": "", "代码": "91359921MA00000015", "事项": "营业执照（登记证）规范使用情况的检查", "结果": "未发现问题", "检查日期": "2026-06-15",
         "检查人员": "林某某、王某某", "检查方式": "实地核查", "说明": ""},
    ),
)  # fmt: skip
KINDS: Mapping[str, Kind] = {kind.code: kind for kind in _LIST}


# What whoever imports says beside the file ----------------------------------------------


def parse_options(kind: Kind, given: Mapping[str, str]) -> dict[str, str]:
    """Checked options by name; `given` may use names or labels. BadInput names the unknown and the unreadable."""
    names = {one.label: one for one in kind.asks} | {one.name: one for one in kind.asks}
    found: dict[str, str] = {}
    problems = []
    for said, text in given.items():
        one = names.get(said)
        if one is None:
            can = "、".join(ask.label for ask in kind.asks) or "无"
            problems.append(Problem(said[:40], f"导入{kind.label}没有这一栏，可以写的有：{can}。"))
        elif text:
            try:
                found[one.name] = _option(one, text)
            except ValueError as wrong:
                problems.append(Problem(one.name, f"“{one.label}”{wrong}"))
    if problems:
        raise BadInput("有些内容无法接收，请按提示修改。", problems)
    return found


def _option(asked: Asked, text: str) -> str:
    if asked.kind == "date":
        on = parse_date(text)
        return on.isoformat() if on else ""
    if asked.kind == "year":
        if not (text.isascii() and text.isdigit() and 2015 <= int(text) <= 2099):
            raise ValueError(f"应是年份，例如 2026，填的是“{text[:20]}”。")
        return text
    plain = parse_text(text)
    if len(plain) > 80:
        raise ValueError(f"有 {len(plain)} 个字，最多 80 个。")
    return plain


def parse_mapping(kind: Kind, given: Mapping[str, str]) -> dict[str, str]:
    """plain heading -> field, from heading -> field name or its usual heading; 不导入 or - leaves a column out."""
    fields = {kind.heading(name): name for name in kind.names} | {name: name for name in kind.names}
    fields |= {LEFT_OUT: LEFT_OUT, "不导入": LEFT_OUT}
    found: dict[str, str] = {}
    problems = []
    for heading, said in given.items():
        plain = plain_heading(heading)
        if said not in fields or not plain:
            can = "、".join(kind.heading(name) for name in kind.names)
            problems.append(Problem(heading[:40], f"没有“{said[:40]}”这个栏目，可以对应的有：{can}，或写“不导入”。"))
        elif plain in headings.PERSONAL and said not in (LEFT_OUT, "不导入"):
            problems.append(Problem(heading[:40], "是个人信息列，本系统不保存，不能对应到其他栏目。"))
        else:
            found[plain] = fields[said]
    if problems:
        raise BadInput("表头对应关系有误，请按提示修改。", problems)
    return found


def template_rows(kind: Kind) -> list[list[str]]:
    """Headings and one row marked 案例（请删除）, which an import leaves out."""
    return [list(kind.example), list(kind.example.values())]
