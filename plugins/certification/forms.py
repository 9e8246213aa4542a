"""The two certification forms: CCC by models seen, and voluntary certificates."""

from portal.plugin import Choice, Field, Part, articles, judged, points_of, site_form

VERSION = "2026-1"
CCC_FORM, VOLUNTARY_FORM = "certification.ccc_check", "certification.voluntary_check"
LAW = "中华人民共和国认证认可条例"

_COMPULSORY = articles((LAW, "第二十七条"))

CCC_PARTS = (
    Part("抽查的产品", "certification.ccc", (
        (Field("role", "检查对象的身份", "select_one", required=True, public=True,
               choices=(Choice("maker", "生产者"), Choice("seller", "销售者"), Choice("importer", "进口商"), Choice("user", "在经营活动中使用"))),),
        (Field("products", "逐个型号核对的产品", "repeat", required=True, most=40, fields=(
            Field("goods", "产品名称", "text", required=True), Field("model", "型号规格", "text", required=True),
            Field("maker", "生产者（生产企业）", "text", required=True),
            Field("state", "在认证信息平台核对的结果", "select_one", required=True, choices=(
                Choice("valid", "有效"), Choice("revoked", "已注销、撤销或者暂停"), Choice("other", "有效，型号或者生产者与证书不符"), Choice("none", "没有证书"))),
            Field("certificate", "证书编号", "text", required=True, show_if="${state} != 'none'", constraint="regex(., '[0-9]{10,20}')",
                  message="证书编号是 10 到 20 位数字，请核对。"))),),
        judged("certified", "目录内的产品均经过认证，证书有效", "按铭牌上的生产者、型号在认证信息平台查询，注意证书的发证、注销日期与产品生产日期。",
               "没有认证，证书注销、撤销、暂停以后生产的产品。", "铭牌、标志和平台查询结果。", _COMPULSORY, True),
        judged(
            "marked", "产品或者铭牌上按规定标注 CCC 标志",
            "看本体、铭牌、最小外包装；电线看印字。",
            "没有标注、标注模糊、位置不对，用不干胶贴随意加贴。",
            "标注部位。", _COMPULSORY, True,
        ),
        judged("consistent", "名称、型号、关键元器件与证书一致", "核对铭牌与证书附件；拆一台看关键元器件（如电源线、插头、变压器）的型号和制造者。",
               "型号不在证书内，关键元器件擅自更换。", "铭牌、元器件标记与证书附件。", _COMPULSORY, True),
        judged(
            "forged", "没有伪造、冒用、转让、买卖认证证书和认证标志",
            "核对证书编号、持证人与铭牌；看仓库有无成卷的空白标志。",
            "编号不存在、属于别家、标志来源说不清。",
            "标志、证书和查询结果。", articles((LAW, "第五十四条")), True,
        ),
    )),
    Part("追溯和处置", "certification.ccc", (
        judged(
            "trace", "有进货查验（生产者为一致性检查）记录，能查到供货者",
            "任选两个型号，索要进货票据、证书复印件；生产者看例行检验和确认检验记录。",
            "没有记录，票货不符。",
            "票据和记录。", _COMPULSORY,
        ),
        judged(
            "stopped", "证书失效、产品有问题的停止出厂、销售，并告知购货者",
            "没有这种情况的选不适用；有的看库存、下架和告知记录。",
            "仍在销售，没有处置。",
            "库存和处置记录。", _COMPULSORY,
        ),
    )),
)  # fmt: skip

VOLUNTARY_PARTS = (
    Part("获证组织", "certification.voluntary", (
        judged(
            "in_scope", "认证证书有效，在证书的产品、服务和范围内使用",
            "在认证信息平台查证书状态、覆盖地址和范围，与宣传材料、投标文件、包装核对。",
            "证书失效仍在使用，超范围宣传，把体系认证说成产品认证。",
            "证书和宣传材料。", articles((LAW, "第二十五条、第二十六条")), True,
        ),
        judged(
            "meets", "实际状况与认证要求相符",
            "体系认证的抽两个过程看记录；有机、绿色等产品认证的看投入品、标签和销售量与证书产量。",
            "没有运行记录，现场明显不符，销售量大于证书产量。",
            "现场和记录。", articles((LAW, "第二十七条")),
        ),
        judged(
            "mark_used", "认证标志按规定样式使用，没有误导消费者",
            "看包装、网页、门头上的标志与证书对应关系。",
            "标志样式不对，用在未获证的产品上。",
            "标志使用处。", articles((LAW, "第二十六条")),
        ),
    )),
    Part("认证机构", "certification.voluntary", (
        judged(
            "approved", "认证机构经过批准，在批准的范围内活动",
            "不是认证机构的选不适用；看批准书、分支机构备案、业务范围。",
            "超范围、超期，分支机构独立发证。",
            "批准书。", articles((LAW, "第二十一条")),
        ),
        judged(
            "independent", "没有与行政机关、咨询机构存在利益关系，没有以咨询代替认证",
            "不是认证机构的选不适用；看合同、收款单位、咨询人员与审核人员名单。",
            "咨询认证一条龙，包通过。",
            "合同首页。", articles((LAW, "第二十二条")),
        ),
        judged(
            "records", "认证过程完整、有记录并按规定保存",
            "不是认证机构的选不适用；抽三个项目，看审核计划、到场签到、行程票据、审核报告。",
            "减少程序、遗漏要求、审核人员没有到场。",
            "审核记录和票据。", articles((LAW, "第二十四条")), True,
        ),
        judged(
            "honest", "认证结论客观真实",
            "不是认证机构的选不适用；以获证组织的现场情况验证结论。",
            "没有审核就出证，结论与事实不符。",
            "结论与现场对照。", articles((LAW, "第二十四条、第二十五条")), True,
        ),
    )),
)  # fmt: skip

POINTS = {CCC_FORM: points_of(CCC_PARTS), VOLUNTARY_FORM: points_of(VOLUNTARY_PARTS)}
FORMS = (
    site_form(CCC_FORM, VERSION, "强制性产品认证检查表", CCC_PARTS),
    site_form(VOLUNTARY_FORM, VERSION, "自愿性认证活动检查表", VOLUNTARY_PARTS),
)
