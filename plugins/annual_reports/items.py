"""The two 公示信息检查 items of the national list (second edition).

企业信息公示暂行条例 as amended on 2024-03-10 (in force 2024-05-01); 企业公示信息抽查办法
as amended on 2025-03-18. Individual businesses and cooperatives report under rules of their own.
"""

from datetime import date

from portal.plugin import CERTIFICATE_ONLY, CheckItem, articles

CATEGORY = "公示信息检查"
ANNUAL = "annual_reports.annual"  # carries the category where a plan names only that
INSTANT = "annual_reports.instant"
FORM = "annual_reports.check"

LAW = "企业信息公示暂行条例"
SAMPLING = "企业公示信息抽查办法"

ITEMS = (
    CheckItem(
        ANNUAL, "2026-1", CATEGORY, "年度报告公示信息的检查", FORM, articles((LAW, "第八条、第九条、第十四条、第十五条、第十七条"), (SAMPLING, "")),
        methods=("书面检查", "现场检查", "网络检查"),
        points=("年度报告在规定期限内公示", "年度报告公示的信息与实际一致"),
        aliases=("公示信息检查", "公示信息", "公示信息抽查", "企业公示信息抽查", "企业公示信息检查", "年报公示信息检查", "年报公示信息抽查",
                 "年度报告公示信息抽查", "年度报告公示信息检查", "年报抽查", "年度报告抽查"),
        qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        guide="先下载年度报告，再逐项与登记信息、财务报表、纳税资料和网站核对；可以委托会计师事务所、税务师事务所协助。",
    ),
    CheckItem(
        INSTANT, "2026-1", CATEGORY, "即时公示信息的检查", FORM, articles((LAW, "第十条、第十四条、第十五条、第十七条"), (SAMPLING, "")),
        objects="企业", methods=("书面检查", "现场检查", "网络检查"),
        points=("应当即时公示的信息自形成之日起 20 个工作日内公示", "即时公示的信息与实际一致"),
        aliases=("即时公示信息检查", "即时公示信息抽查", "即时信息公示情况检查"),
        qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        guide="对照出资、股权、许可、知识产权出质和处罚的材料，看形成日期和公示日期相差是否超过 20 个工作日。",
    ),
)
