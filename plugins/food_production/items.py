"""The two 食品生产监督检查 items: production itself, and the company's own responsibility."""

from datetime import date

from portal.plugin import CERTIFICATE_ONLY, CheckItem, articles

CATEGORY = "食品生产监督检查"
MAIN = "food_production.supervision"
DUTY = "food_production.duty"
FORM = "food_production.check"

LAW = "中华人民共和国食品安全法"
RULES = "食品生产经营监督检查管理办法"
DUTIES = "企业落实食品安全主体责任监督管理规定"

ITEMS = (
    CheckItem(
        MAIN, "2026-1", CATEGORY, "食品生产监督检查", FORM,
        articles((LAW, "第三十三条、第三十四条、第三十五条、第一百一十条"), (RULES, "第八条、第十五条")),
        objects="取得食品生产许可的企业和其他食品生产者", kind="key", methods=("现场检查", "抽样检测"),
        points=("生产者资质", "生产环境条件", "进货查验", "生产过程控制", "产品检验", "贮存及交付控制", "不合格食品管理和召回", "标签和说明书",
                "食品安全自查", "从业人员管理", "信息记录和追溯", "食品安全事故处置"),
        qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("食品生产企业监督检查", "食品生产者监督检查", "食品生产环节监督检查", "食品生产安全监督检查", "食品生产日常监督检查",
                 "食品生产加工企业监督检查", "食品生产企业检查", "食品生产检查", "对食品生产企业的监督检查"),
        guide="按原料、加工、检验、成品的顺序走一遍车间，再看记录；随机选一批成品，从出厂记录倒查到原料。检查结果要当场书面告知，并在厂区公示到下次检查。",
    ),
    CheckItem(
        DUTY, "2026-1", CATEGORY, "食品生产企业落实食品安全主体责任情况的检查", FORM,
        articles((LAW, "第四条、第四十四条、第四十七条"), (DUTIES, "")), objects="食品生产企业", methods=("现场检查", "书面检查"),
        points=("配备食品安全总监、食品安全员", "风险管控清单", "日管控、周排查、月调度"),
        qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("食品生产企业主体责任落实情况检查", "落实食品安全主体责任监督检查", "食品安全主体责任落实情况检查"),
        guide="抽问食品安全总监和食品安全员各三个与本厂风险有关的问题；抽一周的日管控记录，与周排查报告核对是否一致。",
    ),
)  # fmt: skip
