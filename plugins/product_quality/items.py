"""Sampling of products, whose result a laboratory gives later, and a check of whoever sells them."""

from datetime import date

from portal.plugin import CERTIFICATE_ONLY, CheckItem, articles

CATEGORY = "产品质量监督抽查"
SAMPLING, MARKET = "product_quality.sampling", "product_quality.market"
SAMPLING_FORM, RESULT_FORM, MARKET_FORM = "product_quality.sample", "product_quality.result", "product_quality.seller"

LAW = "中华人民共和国产品质量法"
METHOD = "产品质量监督抽查管理暂行办法"

ITEMS = (
    CheckItem(
        SAMPLING, "2026-1", CATEGORY, "工业产品质量监督抽查", SAMPLING_FORM,
        articles((LAW, "第十五条、第十七条"), (METHOD, "第二条")), objects="工业产品的生产者、销售者", kind="key",
        methods=("抽样检测", "现场检查"), points=("抽样", "检验结论", "复检", "标识", "禁止生产、销售的产品"), qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1),
        aliases=("产品质量监督抽查", "工业产品质量抽查", "产品质量抽样检验", "生产领域产品质量监督抽查", "流通领域产品质量监督抽查"),
        guide="样品在待销产品中随机抽取，当场封样，双方签字；样品费和检验费不向当事人收取。抽了样的，抽查结果选“待检验结果”，收到报告后再录入检验结果。",
        later_form=RESULT_FORM,
    ),
    CheckItem(
        MARKET, "2026-1", CATEGORY, "销售者产品质量责任检查", MARKET_FORM,
        articles((LAW, "第三十三条、第三十四条、第三十五条、第三十六条、第三十七条、第三十八条、第三十九条")), objects="工业产品销售者",
        methods=("现场检查", "网络检查"), points=("进货检查验收", "失效、变质和淘汰产品", "产地、厂名和质量标志", "标识", "掺假和以次充好"),
        qualification=CERTIFICATE_ONLY, valid_from=date(2024, 1, 1), aliases=("流通领域商品质量检查", "商品质量监督检查", "销售领域产品质量检查"),
        guide="抽三种商品，从货架倒查到进货凭证；看标识、日期和认证标志，发现禁止销售的，先下架再取证。",
    ),
)  # fmt: skip
