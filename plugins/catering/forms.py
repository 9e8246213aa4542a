"""The catering form: the first question, 56 points in nine groups, the staff counted."""

from plugins.catering.items import FORM, SERVICE
from plugins.catering.points import GROUPS
from portal.plugin import Choice, Field, Part, articles, judged, site_form

BUSINESS = (
    Choice("restaurant", "餐饮服务经营者"), Choice("chain", "连锁餐饮门店"), Choice("canteen", "单位食堂"), Choice("school", "学校、托幼机构食堂"),
    Choice("nursing", "养老机构食堂"), Choice("central", "中央厨房、集体用餐配送单位"), Choice("small", "小餐饮、其他"),
)  # fmt: skip
BASICS = (
    Field("business", "实际业态", "select_one", required=True, public=True, choices=BUSINESS),
    Field("staff", "在岗人数（接触直接入口食品）", "integer", required=True, constraint=". >= 0", message="在岗人数不能是负数。"),
    Field("staff_uncertified", "其中没有有效健康证明的人数", "integer", required=True, constraint=". >= 0 and . <= ${staff}",
          message="没有健康证明的人数应在 0 到在岗人数之间。", hint="只填人数，不写姓名"),
)  # fmt: skip
PARTS = (
    Part("基本情况", SERVICE, (BASICS,)),
    *(
        Part(title, SERVICE, tuple(
            judged(name, label, how, problem, "问题所在位置和全景。", articles(*bases), key) for name, key, label, how, problem in points
        ))
        for title, bases, points in GROUPS
    ),
)  # fmt: skip
FORMS = (site_form(FORM, "2026-1", "餐饮服务食品安全监督检查要点表", PARTS),)
