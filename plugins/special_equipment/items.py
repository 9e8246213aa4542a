"""Two items: users of equipment (routine), and holders of licences after they got them (post-licence)."""

from datetime import date

from portal.plugin import CheckItem, articles

CATEGORY = "特种设备安全监督检查"
USE, LICENSED = "special_equipment.use", "special_equipment.post_licence"
USE_FORM, LICENSED_FORM = "special_equipment.use_check", "special_equipment.licence_check"

LAW = "中华人民共和国特种设备安全法"
CHECKS = "特种设备安全监督检查办法"
DUTY = "特种设备使用单位落实使用安全主体责任监督管理规定"
MAKERS_DUTY = "特种设备生产单位落实质量安全主体责任监督管理规定"

ITEMS = (
    CheckItem(
        USE, "2026-1", CATEGORY, "特种设备使用单位监督检查", USE_FORM,
        articles((LAW, "第五十七条、第六十一条、第六十二条"), (CHECKS, "第八条、第二十三条、第二十四条、第二十五条")),
        objects="特种设备使用单位", kind="key", methods=("现场检查",),
        points=("使用登记和标志", "定期检验", "作业人员", "管理制度和技术档案", "维护保养和自行检查", "安全附件", "安全总监、安全员和日管控、周排查、月调度"),
        qualification="特种设备安全监察员", valid_from=date(2024, 1, 1),
        aliases=("特种设备使用单位检查", "对特种设备使用单位的监督检查", "特种设备使用安全监督检查", "特种设备使用单位常规监督检查", "特种设备监督检查"),
        guide="先核对台账与现场的台数，再按台抽查；看检验标志和下次检验日期，看安全附件是否在校验期内。发现严重事故隐患的，先责令停止使用，再做记录。",
    ),
    CheckItem(
        LICENSED, "2026-1", CATEGORY, "特种设备生产（充装）单位证后监督检查", LICENSED_FORM,
        articles((LAW, "第十八条、第四十九条、第五十七条"), (CHECKS, "第九条、第十七条、第二十四条、第二十五条")),
        objects="取得本机关许可的特种设备生产单位、移动式压力容器和气瓶充装单位", kind="key", methods=("现场检查", "书面检查"),
        points=("许可有效", "许可条件保持", "质量保证体系", "人员", "产品档案和检验"), qualification="特种设备安全监察员", valid_from=date(2024, 1, 1),
        aliases=("特种设备生产单位监督检查", "特种设备证后监督检查", "气瓶充装单位监督检查", "特种设备生产单位证后监督抽查"),
        guide="对照许可条件逐项看人员、厂房、设备和体系运行记录；当年做过证后监督检查的，不再安排常规监督检查。",
    ),
)  # fmt: skip
