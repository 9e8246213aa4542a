"""Two items over one form: all catering, and the canteens that other departments check together with us."""

from datetime import date

from plugins.catering.points import FOOD_LAW, METHOD
from portal.plugin import CheckItem, articles

FORM = "catering.check"
CATEGORY = "餐饮服务监督检查"
SERVICE, CANTEEN = "catering.service", "catering.canteen"
#: tags of the directory that make an entry a canteen of children or the old
CANTEENS = ("学校食堂", "托幼机构食堂", "养老机构食堂")
BASIS = articles((FOOD_LAW, "第一百零九条、第一百一十条"), (METHOD, "第二十条、第二十二条"))
POINTS = ("许可与信息公示", "食品安全管理", "从业人员健康管理", "原料控制", "加工制作过程", "食品添加剂使用管理", "场所和设备设施", "餐饮具清洗消毒", "事故处置")
GUIDE = (
    "按要点表逐项检查，不得只查重点项。重点项（*）有一项不合格的为“不符合”，依法调查处理；只有一般项不合格的为“基本符合”，责令改正。"
    "检查结果当场告知，在经营场所公示到下次检查。"
)  # fmt: skip

ITEMS = (
    CheckItem(
        SERVICE, "2026-1", CATEGORY, "餐饮服务食品安全检查", FORM, BASIS, objects="餐饮服务经营者、单位食堂", kind="key",
        methods=("现场检查", "抽样检测"), points=POINTS, qualification="食品检查员", valid_from=date(2024, 1, 1), guide=GUIDE,
        aliases=("餐饮服务监督检查", "餐饮服务食品安全监督检查", "餐饮食品安全", "餐饮服务提供者监督检查", "餐饮质量安全监督检查", "餐饮服务环节食品安全检查"),
    ),
    CheckItem(
        CANTEEN, "2026-1", CATEGORY, "学校、托幼机构、养老机构食堂食品安全检查", FORM,
        (*BASIS, *articles((FOOD_LAW, "第五十七条"), ("学校食品安全与营养健康管理规定", "第四条"))),
        objects="学校、托幼机构、养老机构食堂", kind="key", methods=("现场检查",), points=(*POINTS, "留样"), qualification="食品检查员", valid_from=date(2024, 1, 1), guide=GUIDE,
        aliases=("学校食堂食品安全检查", "校园食品安全检查", "学校食堂监督检查", "托幼机构食堂监督检查"),
    ),
)  # fmt: skip
