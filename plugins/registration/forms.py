"""The 登记事项检查 form. Nothing is pre-filled; every 不合格 asks for its facts."""

from portal.plugin import ARRIVAL, Basis, Choice, Field, Form, Section, guide, judged, signing

from plugins.registration.items import FORM, NAMES, REGULATION

VERSION = "2026-2"
REACHED = "${presence} != 'unreachable' and ${presence} != 'uncooperative'"

#: verdict point -> the item it belongs to
ITEM_OF = {
    "address": "registration.address", "licence_shown": "registration.licence",
    "licence_genuine": "registration.licence", "licence_online": "registration.licence",
    "name_used": "registration.name", "term_valid": "registration.term", "scope_kept": "registration.scope",
    "capital_paid": "registration.capital", "representative_same": "registration.representative",
    "representative_able": "registration.representative", "identity_true": "registration.identity",
}
#: points that only somebody who got in can judge
ON_SITE = ("licence_shown", "licence_genuine", "name_used", "scope_kept", "representative_same")
#: points that other forms of a visit may ask too
SHARED = ("licence_shown", "name_used")


def point(name, label, how, problem, photo, law="", article="", key=False) -> tuple[Field, Field]:
    """A verdict point and the facts that 不合格 asks for."""
    basis = (Basis(law, article),) if law else ()
    return judged(name, label, how, problem, photo, basis, key, REACHED if name in ON_SITE else "", name in SHARED)


FORMS = (
    Form(FORM, VERSION, "登记事项检查表", (
        Section("住所（经营场所）", (
            *ARRIVAL,
            Field("contact_tried", "已经采取的联系方式", "select_multiple", required=True,
                  show_if="${presence} = 'unreachable'", constraint="count(.) >= 2",
                  message="认定无法联系要有两种以上联系方式的记录，请补充。",
                  choices=(Choice("visit", "实地上门"), Choice("phone", "拨打登记的电话"), Choice("post", "邮寄专用信函被退回"),
                           Choice("neighbours", "询问物业、村（居）委会或周边"))),
            Field("address", "登记的住所（经营场所）", "select_one", required=True, key=True, public=True,
                  show_if="${presence} != 'unreachable'",
                  choices=(Choice("yes", "与登记一致"), Choice("no", "与登记不一致")),
                  basis=(Basis(REGULATION, "第八条"),),
                  guide=guide("到登记的住所实地查看，核对门牌和使用证明。", "搬离未变更、一照多址未登记、地址不存在。",
                              "门牌、现场正面全景；联系不上的拍关闭的门面和周边。")),
            Field("address_note", "实际住所与登记不一致的事实", "text", required=True, show_if="${address} = 'no'"),
            Field("site_photos", "住所照片", "photo", required=True, most=9),
        )),
        Section("营业执照", (
            *point("licence_shown", "营业执照置于住所的醒目位置", "查看正本是否悬挂或者以电子方式展示。",
                   "未置于醒目位置，或者只有复印件。", "营业执照和所在位置。", REGULATION, "第三十六条"),
            *point("licence_genuine", "没有伪造、涂改、出租、出借、转让营业执照", "扫二维码核对；询问实际经营者。",
                   "信息被改动，或者实际经营者与登记的主体无关。", "营业执照全貌和二维码核对结果。", REGULATION, "第三十七条", True),
            *point("licence_online", "网上经营的，在首页显著位置公示营业执照信息或链接", "打开自建网站、网店首页；没有网上经营的选不适用。",
                   "没有公示、信息过期或者链接打不开。", "首页截图，带网址和时间。", "中华人民共和国电子商务法", "第十五条"),
        )),
        Section("名称、期限和经营范围", (
            *point("name_used", "使用的名称与登记的名称一致", "核对招牌、公章、合同、票据。",
                   "擅自改动、冒用名称，或者简化后引人误认。", "招牌和票据上的名称。", NAMES, "第二十二条"),
            *point("term_valid", "经营（驻在）期限未届满", "在登记系统查询；长期的判合格，个体工商户选不适用。",
                   "届满仍在经营，又没有办理备案或登记。", "不需要。", REGULATION, "第九条"),
            *point("scope_kept", "实际经营的一般项目在登记的经营范围内", "看现场商品、服务和价目。",
                   "主营的一般项目没有登记；需要审批的项目另行移送。", "经营场景和价目。", REGULATION, "第八条"),
        )),
        Section("注册资本和人员", (
            *point("capital_paid", "依法应当实缴的注册资本已经按期缴足", "查章程、银行凭证、验资或评估材料；未到期、依法不要求实缴的选不适用。",
                   "到期未缴足、虚假出资、抽逃出资。", "凭证首页，遮住账号。", REGULATION, "第四十五条"),
            *point("representative_same", "法定代表人（负责人）与登记一致", "核对在任人员和任免文件。",
                   "已经更换却没有变更登记。", "任免文件。", REGULATION, "第八条"),
            *point("representative_able", "没有依法不得担任法定代表人的情形", "在系统中比对失信、限制任职名单。",
                   "比对命中且情形仍然存在。", "不需要。", REGULATION, "第八条"),
            *point("identity_true", "法定代表人、自然人股东的身份真实", "向本人核实，请其当面或者视频确认。",
                   "本人否认，或者证件系冒用、伪造。", "不拍证件；需要留存的按规定另行归档。", REGULATION, "第四十四条", True),
        )),
        signing(REACHED),
    )),
)
