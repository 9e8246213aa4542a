"""A sector for bench/register.py: six items, each drawn from those whose business scope has its words (as tags of the directory)."""

from portal.plugin import Basis, CheckItem, Field, Form, PoolRule, Section, Sector, hookimpl

#: item -> (name, words of the business scope, any; "" for everybody)
SCOPES = {
    "food": ("食品销售", ("食品销售", "预包装食品", "副食")), "catering": ("餐饮服务", ("餐饮", "饭店", "酒楼")),
    "products": ("工业产品", ("制造", "生产", "加工")), "advertising": ("广告经营", ("广告",)),
    "online": ("网络交易", ("互联网", "网上", "电子商务")), "disclosure": ("公示信息", ("",)),
}  # fmt: skip


@hookimpl
def sector():
    return Sector("scopes", "经营范围六类抽查", department="信用监督管理科", sample=True)


@hookimpl
def check_items():
    return [
        CheckItem(f"scopes.{code}", "2026-1", f"{name}检查", f"{name}的检查", form="scopes.check", basis=[Basis("（测算用）")], methods=["现场检查"], points=["情况"])
        for code, (name, _) in SCOPES.items()
    ]


@hookimpl
def inspection_forms():
    return [Form("scopes.check", "2026-1", "测算用检查表", [Section("情况", [Field("fine", "符合要求", required=True, key=True, public=True)])])]


@hookimpl
def pool_rule(task):
    name, words = SCOPES[task.items[0].removeprefix("scopes.")]
    return PoolRule(tags=[] if words == ("",) else [name])
