"""What the acts in the audit are called by people, and the groups an auditor looks for them in."""

from __future__ import annotations

__all__ = ["ACT_GROUPS", "ACT_NAMES", "act_name"]

#: beginning of an act -> its group
ACT_GROUPS = {
    "session.": "登录退出", "account": "账号", "setup.": "安装和备份", "directory.": "名录", "imports.": "导入文件", "stations.": "辖区", "sheets.": "表单和事项",
    "sector.": "业务模块", "plan.": "计划", "pool.": "名录冻结", "caps.": "频次", "classes.": "分类", "round.": "轮次", "draw.": "外部名单", "visit": "入企",
    "record.": "检查记录", "documents.": "文书", "publish.": "公示", "lists.": "导出", "jobs.": "后台任务",
}  # fmt: skip

ACT_NAMES = {
    "session.open": "登录", "session.close": "退出", "session.end": "结束其他登录",
    "account.create": "建立账号", "account.password": "修改密码", "account.factor": "启用动态口令",
    "accounts.create": "申请新建账号", "accounts.change": "修改账号", "accounts.disable": "停用账号", "accounts.grant": "授予角色", "accounts.password": "重置密码",
    "accounts.policy": "修改登录规则", "accounts.propose": "提出账号申请", "accounts.decide": "批复账号申请",
    "setup.init": "安装", "setup.declare": "登记业务模块", "setup.administrators": "补设管理员", "setup.backup": "备份", "setup.restore": "恢复", "setup.bureau": "登记下级局",
    "setup.partner": "登记联合部门",
    "directory.import": "导入名录", "directory.import.begin": "开始导入名录", "directory.place": "指定属地",
    "imports.upload": "上传文件", "imports.map": "指认表头", "imports.request": "要求导入", "imports.refused": "导入未通过", "imports.drop": "放弃文件", "imports.accept": "接受代码",
    "stations.divisions": "导入村居", "stations.make": "设所和辖区", "stations.assign": "按地址分所",
    "sheets.upload": "上传表单", "sheets.apply": "确认表单", "sheets.drop": "放弃表单", "sheets.form": "导入表单", "sheets.items": "导入事项", "sheets.sector": "新建业务模块",
    "sector.fault": "业务模块出错",
    "plan.import": "导入计划", "plan.edit": "完成修改稿", "plan.profile": "设定辖区规则", "plan.base": "固定基数", "plan.measure": "核对计划", "plan.approve": "批准计划",
    "plan.simulate": "模拟全年", "plan.simulate.request": "要求模拟", "plan.draft.begin": "开修改稿", "plan.draft.row": "修改计划行", "plan.draft.withdraw": "撤下计划行",
    "plan.draft.restore": "恢复计划行", "plan.draft.drop": "放弃修改稿",
    "pool.freeze": "冻结名录", "caps.allow": "批准超频次", "caps.peace": "登记免检", "classes.adjust": "动态调整分类",
    "round.create": "拟制轮次", "round.share": "登记密值", "round.commit": "公布承诺", "round.source": "录入开奖号码", "round.release": "交出密值", "round.draw": "抽取",
    "round.replace": "补抽", "round.reveal": "公开密值", "round.void.propose": "申请作废轮次", "round.void": "作废轮次", "round.export": "导出抽取文件夹",
    "draw.import": "导入外部名单", "draw.take": "采用外部名单",
    "visits.combine": "合并入企", "visits.assign": "匹配人员", "visits.refill": "补派人员", "visits.split": "分开入企", "visits.reschedule": "改期", "visits.recuse": "申报回避", "visit.arrive": "登记到场",
    "record.draft": "保存草稿", "record.submit": "提交记录", "record.import": "导入记录", "record.attach": "添加附件", "record.paper": "附原件扫描", "record.approve": "审核通过",
    "record.return": "审核退回", "record.follow": "办理后续处置", "record.report": "登记整改材料", "record.extend": "延长期限", "record.recheck": "安排复查", "record.close": "办结后续处置",
    "documents.issue": "制作文书", "documents.void": "作废文书",
    "publish.request": "要求发布", "publish.publish": "公示", "publish.release": "网站切换", "publish.rollback": "网站退回", "publish.withdraw": "撤下公示",
    "publish.limit": "设定公示期限", "publish.expire": "公示到期", "publish.correct": "更正公示",
    "lists.export": "导出清单", "jobs.cancel": "取消后台任务",
}  # fmt: skip


def act_name(act: str) -> str:
    """What people call an act; of one that an older version wrote its code."""
    return ACT_NAMES.get(act, act)
