"""The headings bureaus really use, as data: field -> the wordings that mean it.

Compared after `cells.plain_heading`, so brackets are half-width and blanks are
gone.  Where several columns mean one field, the first filled cell counts.
"""

from __future__ import annotations

__all__ = ["CLASS", "ENTITY", "EXTERNAL", "INSPECTOR", "ITEM", "NOT_KEPT", "PERSONAL", "PLAN", "RECUSAL", "REGISTER", "RESULT"]

ENTITY = {
    "code": "uscc 统一社会信用代码 统一社会信用代码/注册号 统一社会信用代码(注册号) 统一社会信用代码或注册号 社会信用代码 信用代码 "
            "代码 主体代码 检查对象代码 注册号 工商注册号 营业执照注册号 对象编号 编号(设备)",
    "name": "name 企业名称 主体名称 经营主体名称 市场主体名称 名称 单位名称 检查对象名称 检查对象 字号名称 个体工商户名称 企业(机构)名称",
    "old_names": "曾用名 曾用名称 原名称",
    "type": "type 企业类型 主体类型 市场主体类型 经营主体类型 企业(机构)类型 类型 对象类型",
    "status": "登记状态 经营状态 企业状态 主体状态 状态 存续状态",
    "region": "行政区划 行政区划代码 区划代码 登记机关代码",
    "authority": "登记机关",
    "station": "属地所 属地监管所 所属监管所 市场监管所 监管所 管辖单位 属地监管单位 所属市场所 检查机关",
    "town": "乡镇 镇街 乡镇街道 所属乡镇 街道 所在乡镇(街道) 镇(街道)",
    "address": "address 地址 住所 住所(经营场所) 经营场所 注册地址 登记地址 主要经营场所 生产经营地址",
    "industries": "行业代码 行业 行业门类代码 国民经济行业代码 所属行业代码 所属行业",
    "scope": "scope 经营范围 经营(业务)范围 业务范围",
    "registered_on": "registered_on 成立日期 注册日期 登记日期 设立日期 核准日期",
    "risk_class": "风险等级 信用风险等级 信用风险分类 企业信用风险等级 风险分类 信用风险类别",
    "tags": "监管标签 标签 对应专项库监管标签 专项库标签 专项库名称",
    "kind": "对象种类 对象类别",
    "holder": "使用单位代码 所属主体代码 所属单位代码 使用单位统一社会信用代码",
    "licence_name": "许可证名称 许可名称 证书名称",
    "licence_number": "许可证编号 证书编号 许可证号 编号",
    "licence_issued_on": "批准日期 发证日期 许可日期",
    "licence_valid_to": "有效期至 许可证有效期至 有效期限至",
    "licence_authority": "发证机关 许可机关",
    "capital": "capital 注册资本 注册资金 注册资本(金) 资金数额",
    "province": "province 省份 所在省份 省",
    "city": "city 地市 所在城市 城市 市",
    "src_year": "src_year",
}

INSPECTOR = {
    "number": "单位工号 工号 人员编号 执法人员编号 编号",
    "name": "姓名 执法人员姓名 检查人员姓名 检查人员",
    "specialities": "岗位大类 岗位类别 业务专长 专长",
    "qualifications": "岗位资质资格 资质资格 岗位资格 专业资质资格 资质",
    "items": "执法事项范围 执法范围 执法事项",
    "town": "地区 所在地区 乡镇 镇街",
    "station": "所属监管所 监管所 市场监管所 所在单位 工作单位 所属单位 单位",
    "level": "层级 人员层级",
    "duty": "担任职务 职务",
    "department": "所在业务部门 业务部门 所在部门 部门 科室",
    "expert": "是否专家 专家",
    "lead": "是否组长 是否主检 是否可任组长 主检 组长",
    "certificate_no": "执法证编号 执法证号 执法证号码 行政执法证号 证件号",
    "certificate_until": "执法证有效期 执法证有效期至 执法证有效期限 证件有效期 有效期至",
    "issued_by": "发证机关 执法证发证机关",
    "status": "执法人员状态 人员状态 状态",
    "standing": "人员性质 人员类别 编制性质 用工性质",
}

RECUSAL = {
    "inspector": "单位工号 工号 执法人员工号 人员编号",
    "entity": "统一社会信用代码 统一社会信用代码/注册号 检查对象代码 代码 注册号",
    "reason": "回避原因 回避情形 原因 理由",
    "since": "回避开始日期 开始日期 起始日期 回避起始日期",
    "until": "回避截止日期 截止日期 终止日期 回避终止日期 有效期至",
    "note": "备注 说明",
}

PLAN = {
    "number": "序号 抽查计划编号 计划编号 编号 抽查任务编号",
    "task": "抽查任务名称 任务名称 年度计划名称 计划名称",
    "category": "抽查类别 抽查领域 行业",
    "item": "抽查事项 检查事项 检查内容 抽查内容",
    "objects": "检查对象 抽查对象 抽查对象范围 联查对象 检查对象范围",
    "kind": "事项类别 事项类型",
    "mode": "抽查类型",
    "ratio": "抽查比例 抽查比例及频次 抽查比例(数量) 抽查比例/数量 比例 抽查比例(户数)",
    "count": "抽查数量 抽查户数 大约抽取的检查对象数量 户数",
    "class_a": "A类 A A类企业 低风险",
    "class_b": "B类 B B类企业 一般风险",
    "class_c": "C类 C C类企业 较高风险",
    "class_d": "D类 D D类企业 高风险",
    "window": "实施时间 起止时间 抽查检查起止时间 检查时间 计划开展时间 时间安排 时段 抽查时间",
    "department": "责任科室 发起部门 牵头部门 业务科室 股室 实施单位 发起主体/指导单位",
    "partners": "配合部门 参与部门 联查部门 参检单位",
    "drawn_by": "抽取方式 抽查检查模式 模式 抽取层级 开展方式",
    "method": "检查方式",
    "risk": "智慧监管(信用风险分类)要求 信用风险分类管理 信用风险分类",
    "inspected_by": "检查主体",
    "basis": "检查依据",
    "frequency": "抽查频次",
    "note": "备注 说明",
}

CLASS = {
    "code": ENTITY["code"],
    "name": ENTITY["name"],
    "class": "信用风险等级 风险等级 信用风险分类 企业信用风险等级 风险分类 信用风险类别 信用风险分类结果 分类结果 分类等级 等级 类别 信用等级",
    "classed_on": "分类日期 评定日期 生成日期 更新日期 分类时间 评定时间 截止日期",
    "version": "分类版本 版本 批次 分类批次",
}

REGISTER = {
    "code": ENTITY["code"].removesuffix(" 编号(设备)"),
    "name": ENTITY["name"],
    "register": "专项库名称 专项库 库名称 名录库名称",
    "tags": "对应专项库监管标签 监管标签 标签 专项库标签",
    "station": "检查机关 属地所 所属监管所 监管所 管辖单位",
    "licence_name": ENTITY["licence_name"],
    "licence_number": ENTITY["licence_number"],
    "licence_issued_on": ENTITY["licence_issued_on"],
    "licence_valid_to": ENTITY["licence_valid_to"],
    "licence_authority": ENTITY["licence_authority"],
}

EXTERNAL = {
    "code": ENTITY["code"],
    "name": ENTITY["name"],
    "task": "抽查任务编号 任务编号 抽查任务名称 任务名称 抽查任务 任务 抽查计划名称 计划名称",
    "item": "抽查事项 检查事项 检查内容 抽查内容",
    "platform": "来源平台 抽取平台 平台 来源 抽取单位",
    "drawn_on": "抽取日期 抽取时间 随机抽取日期 抽查日期",
    "station": "属地所 所属监管所 监管所 检查机关 实施单位",
}

RESULT = {
    "visit": "入企编号 入企检查编号 检查编号",
    "task": "任务 任务编号 抽查任务编号 任务名称 抽查任务名称 抽查任务",
    "code": ENTITY["code"],
    "name": ENTITY["name"],
    "item": "事项 抽查事项 检查事项 事项编号 事项名称",
    "outcome": "结果 检查结果 抽查结果 抽查检查结果",
    "inspected_on": "检查日期 检查时间 抽查检查时间 抽查日期 实施日期",
    "recorder": "检查人员 执法人员 检查人员工号 单位工号 记录人 录入人",
    "method": "检查方式 检查方法",
    "opinion": "当事人意见 企业意见",
    "note": "说明 情况说明 备注",
}

ITEM = {
    "code": "事项代码 事项编码 抽查事项代码 抽查事项编码",
    "version": "版本 事项版本",
    "category": "抽查类别 抽查领域 检查类别",
    "name": "抽查事项 抽查事项名称 检查事项 检查事项名称 事项名称",
    "part": "抽查子项 检查子项 子项",
    "objects": "检查对象 抽查对象",
    "kind": "事项类别 事项类型",
    "methods": "检查方式 抽查方式 检查方法",
    "inspected_by": "检查主体 抽查主体 实施主体",
    "basis": "检查依据 抽查依据 法定依据 法律依据 依据",
    "points": "检查要点 要点 检查内容 抽查内容",
    "guide": "检查指引 检查工作指引",
    "form": "检查表单 表单 表单代码",
    "qualification": "资格要求 检查人员要求 岗位资质资格 人员资质",
    "valid_from": "有效期起 生效日期 施行日期",
    "valid_to": "有效期止 失效日期 有效期至",
    "aliases": "别名 其他名称 计划中的名称",
    "industries": "行业代码 国民经济行业代码 行业",
    "types": "主体类型 企业类型 经营主体类型",
    "tags": "监管标签 标签",
}

#: Columns about private persons: their cells are not even looked at, and the report says so.
PERSONAL = frozenset(
    "身份证号 身份证号码 身份证 证件号码 公民身份号码 手机号 手机 手机号码 联系电话 电话 移动电话 联系方式 家庭住址 住址 "
    "出生日期 出生年月 性别 民族 学历 学历专业 专业 政治面貌 邮箱 电子邮箱 法定代表人 法人代表 法定代表人(负责人) "
    "法定代表人/负责人 负责人 经营者 经营者姓名 联络员 联系人 投资人 法定代表人姓名".split()
)

#: Columns that the official templates have and we have no use for.
NOT_KEPT = frozenset("序号 从事本岗起始日期 年龄 职级 备注 备注(系统)".split())
