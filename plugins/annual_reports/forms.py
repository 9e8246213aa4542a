"""The 公示信息检查 form: thirteen points of the annual report, overdue payments, instant information.

Every point that differs asks what is wrong (not disclosed, or concealed and
false) and for the facts: the two have different consequences.
"""

from plugins.annual_reports.items import FORM, LAW
from portal.plugin import ARRIVAL, Basis, Choice, Field, Form, Section, guide, signing

VERSION = "2026-2"
#: somebody went there and was let in; papers alone need no signature
ON_SITE = "selected(${methods}, 'site') and ${presence} = 'open'"
FILED = "${filed} = 'on_time' or ${filed} = 'late'"

#: (name, label, how to check, what counts as a problem, what to photograph)
ANNUAL_POINTS = (
    ("phone", "联系电话", "现场拨打公示的电话。", "空号、停机，或者不是本企业使用的电话。", "通话记录，遮住无关号码。"),
    ("postcode", "邮政编码", "与通信地址核对。", "与通信地址不符。", "不需要。"),
    ("email", "电子邮箱", "向公示的邮箱发送核查邮件。", "地址不存在，或者不是本企业使用的邮箱。", "退信截图。"),
    ("state", "存续状态", "与登记系统和现场情况核对。", "已经停业、清算却公示为开业，或者相反。", "经营场所现状。"),
    ("web", "网站和网店", "搜索并打开网站、网店，与公示的名称、网址核对。", "有网站、网店却没有公示，或者网址不符。", "首页截图，带网址和时间。"),
    ("capital", "认缴和实缴的出资", "查章程、银行凭证、验资报告，与公示的出资额、时间、方式核对。", "出资额、出资时间或者方式不符。", "凭证首页，遮住账号。"),
    ("assets", "资产状况信息", "与资产负债表、利润表核对；选择不公示的，核对报送的数据。", "数据与报表不符。", "报表首页。"),
    ("tax", "纳税总额", "与完税证明核对；选择不公示的，核对报送的数据。", "数额与完税证明不符。", "完税证明。"),
    ("transfer", "股东股权转让", "查股权转让协议和章程修正案。", "发生股权转让却没有公示，或者内容不符。", "协议首页，遮住证件号码。"),
    ("investment", "对外投资", "查长期股权投资科目，在公示系统查被投资企业。", "有对外投资却没有公示，或者内容不符。", "公示系统查询结果。"),
    ("guarantee", "对外提供保证担保", "查担保合同和表外项目；选择不公示的，核对报送的数据。", "有对外担保却没有填报，或者内容不符。", "合同首页。"),
    ("other", "其他公示的信息", "核对从业人数、社保、党建等其余内容。", "与实际不符。", "相关材料首页。"),
)
INSTANT_POINTS = (
    ("capital_change", "股东认缴和实缴的出资变更"),
    ("equity_change", "股权转让等股权变更"),
    ("permit", "行政许可的取得、变更、延续"),
    ("pledge", "知识产权出质登记"),
    ("penalty", "受到的行政处罚"),
)

ADDRESS = "address"
#: verdict point -> whether it is of the annual report ("annual") or of instant information ("instant")
PART_OF = (
    {ADDRESS: "annual"}
    | {name: "annual" for name, *_ in ANNUAL_POINTS}
    | {"payments": "annual"}
    | {name: "instant" for name, _ in INSTANT_POINTS}
)
FINDING = (Choice("missing", "未按规定公示"), Choice("false", "隐瞒真实情况、弄虚作假"))


def point(name: str, label: str, how: str, problem: str, photo: str, article: str, show_if: str = "", key=False) -> list[Field]:
    """A verdict point, and for 不合格 its kind and its facts."""
    failed = f"${{{name}}} = 'no'"
    return [
        Field(name, label, required=True, key=key, public=True, show_if=show_if, guide=guide(how, problem, photo),
              hint="一致选合格；企业没有这类信息的选不适用", basis=(Basis(LAW, article),)),
        Field(f"{name}_finding", f"{label}：属于哪种问题", "select_one", required=True, public=True, show_if=failed, choices=FINDING),
        Field(f"{name}_note", f"{label}：公示的内容和查明的事实", "text", required=True, show_if=failed,
              hint="写明公示的内容、实际情况和证据，不写与检查无关的个人信息"),
    ]


def _points(fields: list[list[Field]]) -> tuple[Field, ...]:
    return tuple(field for group in fields for field in group)


def _instant(name: str, label: str) -> list[Field]:
    return point(
        name, label, "查材料的形成日期，与公示系统的公示日期核对。", "应当公示而没有公示，超过 20 个工作日，或者内容不符。",
        "材料首页和公示页面。", "第十条",
    )


FORMS = (
    Form(FORM, VERSION, "公示信息检查表", (
        Section("检查情况", ARRIVAL),
        Section("年度报告", (
            Field("filed", "上一年度年度报告", "select_one", required=True, key=True, public=True,
                  choices=(Choice("on_time", "在规定期限内公示"), Choice("late", "逾期后补报公示"), Choice("missing", "未公示"),
                           Choice("exempt", "当年新设立，不需要报送")),
                  basis=(Basis(LAW, "第八条"),),
                  guide=guide("在公示系统查看报送日期。", "6 月 30 日以后才公示，或者没有公示。", "公示系统页面截图。")),
            Field("filed_note", "未按期公示的情况", "text", required=True,
                  show_if="${filed} = 'late' or ${filed} = 'missing'"),
        )),
        Section("联系地址", (
            Field(ADDRESS, "企业通信地址", "select_one", required=True, key=True, public=True,
                  show_if="${presence} != 'unreachable'", hint="没有报送年度报告的，核对登记的住所",
                  choices=(Choice("yes", "与实际一致"), Choice("no", "与实际不一致")),
                  basis=(Basis(LAW, "第九条"),),
                  guide=guide("与登记的住所和实际地址核对；书面检查的看回函。",
                              "公示的地址不是实际通信地址；登记的住所和公示的地址都联系不上的，在“检查时的状况”选无法联系。",
                              "门牌和现场；退回的信函。")),
            Field("address_finding", "企业通信地址：属于哪种问题", "select_one", required=True, public=True,
                  show_if="${address} = 'no'", choices=FINDING),
            Field("address_note", "企业通信地址：公示的内容和查明的事实", "text", required=True, show_if="${address} = 'no'"),
        )),
        Section("年度报告公示的信息", _points([
            point(*one, "第九条", key=one[0] in ("state", "capital")) for one in ANNUAL_POINTS
        ]), show_if=FILED),
        Section("大型企业逾期未支付中小企业款项", (
            Field("large", "是否为大型企业", "select_one", required=True,
                  choices=(Choice("yes", "是"), Choice("no", "否")), hint="按统计上大中小微型企业划分办法认定"),
            *point("payments", "年度报告公示了逾期尚未支付中小企业款项的信息", "查应付账款账龄和合同，与公示的合同数量、金额核对。",
                   "有逾期未付款项却没有公示，或者数量、金额不符。", "账龄表首页。", "第九条", show_if="${large} = 'yes'"),
        ), show_if=FILED),
        Section("即时公示信息", _points([_instant(*one) for one in INSTANT_POINTS])),
        Section("检查记录", (
            Field("methods", "采用的检查方式", "select_multiple", required=True, public=True,
                  choices=(Choice("paper", "书面检查"), Choice("site", "现场检查"), Choice("online", "网络检查"),
                           Choice("expert", "委托专业机构"))),
            Field("expert", "受委托的专业机构", "text", required=True, show_if="selected(${methods}, 'expert')"),
            Field("files", "核查材料", "file", most=20),
            Field("photos", "照片", "photo", most=20),
        )),
        signing(ON_SITE),
    )),
)
