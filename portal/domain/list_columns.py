"""The lists there are: what each shows, and by what it is filtered. Their rows: store/list_sql.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from portal.domain.act_names import ACT_GROUPS
from portal.domain.lists import Column, Filter, Listing
from portal.domain.roles import ROLES

__all__ = ["ACCOUNTS", "AUDIT", "CHECKS", "DIRECTORY", "FOLLOW_UPS", "INSPECTORS", "LISTS", "PUBLICATIONS", "RECORDS", "RESULTS", "ROUNDS", "TASKS", "VISITS"]

YES = (("1", "是"), ("0", "否"))
_ENTITY = Column(name="name", label="检查对象", kind="name", href="/directory/{code}", needs="directory.read")
_CODE = Column(name="code", label="统一社会信用代码", kind="code")
_TOWN = Column(name="town", label="镇街", narrow=False)
_STATION = Column(name="station", label="属地", narrow=False)
_FIND = Filter(name="q", label="名称或代码", kind="like", columns=("code", "name"))
_BY_TOWN = Filter(name="town", label="镇街", columns=("town",), options="towns")
_BY_TREE = Filter(name="org", label="单位及其下级", kind="tree", columns=("organisation",), options="units")
_BY_UNIT = Filter(name="unit", label="单位", columns=("unit",), options="units", shown=False)
_BY_SECTOR = Filter(name="sector", label="业务模块", columns=("sector",), options="sectors", shown=False)
_BY_PLAN = Filter(name="plan", label="计划", kind="whole", columns=("plan",), options="plans")
_BY_ROUND = Filter(name="round", label="轮次", columns=("round",), options="rounds")
_BY_MONTH = Filter(name="month", label="检查月份", columns=("month",), shown=False)
_INSPECTED = (
    Filter(name="since", label="检查日期从", kind="from", columns=("inspected_on",)),
    Filter(name="until", label="到", kind="to", columns=("inspected_on",)),
)
_BEGINS = (
    Filter(name="begins_from", label="检查期限始于", kind="from", columns=("begins",), shown=False),
    Filter(name="begins_to", label="检查期限始于（不晚于）", kind="to", columns=("begins",), shown=False),
)

CHECKS = Listing(
    name="checks", path="/lists/checks", title="抽查户次", act="statistics.read", unit="户次", key="id", order="id",
    about="每个对象在每项任务中算一户次；已由补抽替换、作废或按规则不再检查的不算。", empty="没有符合条件的户次。",
    columns=(
        Column(name="id", label="编号", kind="number", shown=False), _ENTITY, Column(name="code", label="统一社会信用代码", kind="code", narrow=False),
        Column(name="task_name", label="任务", kind="name"), Column(name="task_code", label="任务编号", kind="code", shown=False),
        Column(name="department", label="责任科室", shown=False), Column(name="sector", label="业务模块", words="sectors", shown=False),
        _STATION, Column(name="town", label="镇街", shown=False), Column(name="class", label="信用类别", shown=False),
        Column(name="round", label="轮次", kind="code", shown=False, href="/draw/{round}", needs="round.read"),
        Column(name="visit_code", label="入企", kind="code", shown=False, href="/visits/{visit_code}", needs="visits.read"),
        Column(name="inspected_on", label="检查日期", kind="day"), Column(name="outcome", label="结果", kind="name", words="outcomes"),
        Column(name="due", label="公示期限", kind="day", shown=False), Column(name="published_on", label="公示日期", kind="day", shown=False),
        Column(name="publication", label="公示", words="publications"),
    ),
    filters=(
        _FIND, _BY_PLAN, Filter(name="task", label="任务", kind="whole", columns=("task",), options="tasks"), _BY_ROUND, _BY_TREE, _BY_TOWN, *_INSPECTED,
        Filter(name="done", label="已检查", kind="whole", columns=("done",), options=YES), Filter(name="publication", label="公示", columns=("publication",), words="publications"),
        Filter(name="problem", label="发现问题", kind="whole", columns=("problem",), options=YES), _BY_UNIT, _BY_SECTOR, _BY_MONTH, *_BEGINS,
        Filter(name="grade", label="信用类别", columns=("class",), options="classes", shown=False),
        Filter(name="unclassed", label="信用类别", columns=("class",), shown=False),
        Filter(name="visited", label="已安排入企", kind="whole", columns=("visited",), options=YES, shown=False),
        Filter(name="saved", label="随同另一户次一次入企", kind="whole", columns=("saved",), options=YES, shown=False),
        Filter(name="differentiated", label="按分类差异化抽取", kind="whole", columns=("differentiated",), options=YES, shown=False),
        Filter(name="professional", label="专业领域", kind="whole", columns=("professional",), options=YES, shown=False),
    ),
)  # fmt: skip

VISITS = Listing(
    name="visits", path="/visits", title="入企检查", act="visits.read", unit="次", key="code", order="code", personal=True,
    empty="没有符合条件的入企检查。抽取并合并后，入企会出现在这里。",
    columns=(
        Column(name="day", label="日期", kind="day"), Column(name="name", label="检查对象", kind="name", href="/visits/{code}", needs="visits.read"),
        Column(name="entity_code", label="统一社会信用代码", kind="code", narrow=False), Column(name="code", label="入企编号", kind="code", shown=False),
        _TOWN, Column(name="station", label="属地", shown=False), Column(name="round", label="轮次", kind="code", shown=False, href="/draw/{round}", needs="round.read"),
        Column(name="tasks", label="任务", kind="number", narrow=False), Column(name="sectors", label="业务模块数", kind="number", shown=False),
        Column(name="people", label="执法人员", made=True, sort=False), Column(name="filed", label="表单", made=True, sort=False),
        Column(name="arrived_at", label="到场", kind="moment", shown=False), Column(name="done_at", label="办结", kind="moment", shown=False),
        Column(name="state", label="状态", words="VISIT_STATES"),
    ),
    filters=(
        Filter(name="q", label="名称或代码", kind="like", columns=("entity_code", "name")),
        Filter(name="state", label="状态", columns=("state",), words="VISIT_STATES"), _BY_ROUND, _BY_TOWN,
        Filter(name="since", label="日期从", kind="from", columns=("day",)), Filter(name="until", label="到", kind="to", columns=("day",)),
        Filter(name="mine", label="只看派给我的", kind="own"), _BY_UNIT, Filter(name="org", label="单位及其下级", kind="tree", columns=("organisation",), options="units", shown=False), *_BEGINS,
        Filter(name="plan", label="计划", kind="whole", options="plans", shown=False),
        Filter(name="made", label="要入企的", kind="whole", columns=("made",), options=YES, shown=False),
        Filter(name="joint", label="联合入企", kind="whole", columns=("joint",), options=YES, shown=False),
    ),
)  # fmt: skip

FOLLOW_UPS = Listing(
    name="follow-ups", path="/lists/follow-ups", title="后续处置清单", act="statistics.read", unit="项", key="id", order="due_on", empty="没有符合条件的后续处置。",
    columns=(
        Column(name="id", label="编号", kind="number", shown=False), Column(name="name", label="检查对象", kind="name", href="/review/{record}", needs="record.read"),
        Column(name="code", label="统一社会信用代码", kind="code", narrow=False), Column(name="kind", label="处置", words="FOLLOW_UPS"), Column(name="note", label="内容", kind="name"),
        _STATION, Column(name="inspected_on", label="检查日期", kind="day", narrow=False), Column(name="due_on", label="期限", kind="day"),
        Column(name="closed_on", label="办结日期", kind="day"), Column(name="result", label="办结情况", kind="name", shown=False), Column(name="state", label="状态", words="FOLLOW_UP_TIMES"),
    ),
    filters=(
        _FIND, Filter(name="state", label="状态", columns=("state",), words="FOLLOW_UP_TIMES"), Filter(name="kind", label="处置", columns=("kind",), words="FOLLOW_UPS"),
        _BY_PLAN, _BY_TREE, _BY_TOWN, *_INSPECTED, _BY_UNIT, _BY_SECTOR, _BY_MONTH,
    ),
)  # fmt: skip

RECORDS = Listing(
    name="records", path="/lists/records", title="检查记录", act="record.read", unit="份", key="id", order="due", personal=True, empty="没有符合条件的检查记录。",
    columns=(
        Column(name="id", label="编号", kind="number"), Column(name="name", label="检查对象", kind="name", href="/review/{id}", needs="record.read"),
        Column(name="code", label="统一社会信用代码", kind="code", narrow=False), Column(name="form_code", label="表单", kind="name", words="forms"), Column(name="sector", label="业务模块", words="sectors", shown=False),
        _STATION, replace(_TOWN, shown=False), Column(name="round", label="轮次", kind="code", shown=False), Column(name="recorder", label="录入人"), Column(name="inspected_on", label="检查日期", kind="day"),
        Column(name="found", label="结果", kind="name", made=True, sort=False), Column(name="due", label="公示期限", kind="day"),
        Column(name="submitted_at", label="提交", kind="moment", shown=False), Column(name="reviewed_at", label="审核", kind="moment", shown=False), Column(name="state", label="状态", words="RECORD_STATES"),
    ),
    filters=(_FIND, Filter(name="state", label="状态", columns=("state",), words="RECORD_STATES"), _BY_ROUND, _BY_TREE, _BY_TOWN, *_INSPECTED, _BY_UNIT, _BY_SECTOR),
)  # fmt: skip

DIRECTORY = Listing(
    name="directory", path="/directory", title="检查对象名录", act="directory.read", unit="户", key="code", order="code", empty="没有符合条件的检查对象。",
    columns=(
        Column(name="name", label="名称", kind="name", href="/directory/{code}", needs="directory.read"), _CODE, Column(name="type", label="主体类型"), Column(name="station", label="属地"),
        _TOWN, Column(name="address", label="地址", kind="name", shown=False), Column(name="registered_on", label="成立日期", kind="day", shown=False),
        Column(name="tags", label="专项库", kind="list", sort=False, narrow=False), Column(name="status", label="登记状态", words="statuses"),
    ),
    filters=(
        _FIND, _BY_TOWN, Filter(name="type", label="主体类型", columns=("type",), options="types"), Filter(name="status", label="登记状态", columns=("status",), options="statuses"),
        Filter(name="org", label="属地", kind="tree", columns=("organisation",), options="units"),
    ),
)  # fmt: skip

INSPECTORS = Listing(
    name="inspectors", path="/inspectors", title="执法人员名录", act="directory.read", unit="人", key="code", order="code", personal=True, empty="没有符合条件的执法人员。",
    about="名额只算检查期限始于所选期间的轮次。本表不按名额排列：工作量由随机匹配决定，不用来评比。",
    columns=(
        Column(name="name", label="姓名", href="/inspectors/{code}", needs="directory.read"), Column(name="number", label="工号", kind="code"), Column(name="code", label="编号", kind="code", shown=False),
        Column(name="station", label="单位"), Column(name="department", label="科室", narrow=False), Column(name="skills", label="资格与专长", kind="name", made=True, sort=False, narrow=False),
        Column(name="certificate_until", label="执法证到期", kind="day"), Column(name="recusals", label="回避", kind="number", sort=False), Column(name="slots", label="名额", kind="number", sort=False),
        Column(name="standing", label="状态", words="standings"),
    ),
    filters=(
        Filter(name="q", label="姓名或工号", kind="like", columns=("number", "name")), replace(_BY_TREE, options="homes"), Filter(name="standing", label="状态", columns=("standing",), words="standings"),
        Filter(name="begins_from", label="名额：检查期限始于", kind="from"), Filter(name="begins_to", label="到", kind="to"),
        Filter(name="slots", label="名额", kind="whole", columns=("slots",), shown=False), replace(_BY_UNIT, options="homes"),
    ),
)  # fmt: skip

TASKS = Listing(
    name="tasks", path="/lists/tasks", title="抽查任务", act="plan.read", unit="项", key="code", order="code", empty="没有符合条件的任务。",
    columns=(
        Column(name="code", label="任务编号", kind="code", href="/pool/{code}", needs="plan.read"), Column(name="name", label="任务", kind="name"), Column(name="department", label="责任科室"),
        Column(name="sector", label="业务模块", words="sectors", narrow=False), Column(name="objects", label="检查对象", kind="name", shown=False), Column(name="ratio_text", label="比例或户数", sort=False),
        Column(name="window_from", label="开始", kind="day", narrow=False), Column(name="window_to", label="截止", kind="day"), Column(name="drawn_by", label="抽取方式", words="DRAWN_BY", shown=False),
        Column(name="round", label="轮次", kind="code", href="/draw/{round}", needs="round.read"),
    ),
    filters=(Filter(name="q", label="编号或名称", kind="like", columns=("code", "name")), _BY_PLAN, Filter(name="sector", label="业务模块", columns=("sector",), options="sectors"), Filter(name="drawn_by", label="抽取方式", columns=("drawn_by",), words="DRAWN_BY")),
)  # fmt: skip

ROUNDS = Listing(
    name="rounds", path="/lists/rounds", title="抽取轮次清单", act="round.read", unit="轮", key="code", order="-code", empty="没有符合条件的轮次。",
    columns=(
        Column(name="code", label="编号", kind="code", href="/draw/{code}", needs="round.read"), Column(name="title", label="名称", kind="name"), Column(name="disclosure", label="公开方式", words="DISCLOSURES"),
        Column(name="tasks", label="任务", kind="number"), Column(name="window_from", label="检查开始", kind="day"), Column(name="window_to", label="检查截止", kind="day"),
        Column(name="drawn_at", label="抽取时间", kind="moment"), Column(name="state", label="状态", words="ROUND_STATES"),
    ),
    filters=(Filter(name="q", label="编号或名称", kind="like", columns=("code", "title")), Filter(name="state", label="状态", columns=("state",), words="ROUND_STATES"), Filter(name="disclosure", label="公开方式", columns=("disclosure",), words="DISCLOSURES")),
)  # fmt: skip

#: columns and order after 双随机抽查结果信息 of 国家企业信用信息公示系统: plan, task, kind, authority, whom, when, which item, what came of it
RESULTS = Listing(
    name="results", path="/lists/results", title="抽查检查结果公示表", act="publish.read", unit="项", key="id", order="-published_on", empty="没有符合条件的公示结果。",
    about="已经公示、没有撤下的结果，一项检查一行；列的次序参照国家企业信用信息公示系统的“双随机抽查结果信息”，计划名称、事项类别、抽查机关可在“选择列”中加上。",
    columns=(
        Column(name="id", label="编号", kind="number", shown=False), Column(name="plan_code", label="抽查计划编号", kind="code", narrow=False), Column(name="plan_title", label="抽查计划名称", kind="name", shown=False),
        Column(name="task_code", label="抽查任务编号", kind="code", narrow=False), Column(name="task_name", label="抽查任务名称", kind="name", narrow=False), Column(name="task_kind", label="事项类别", words="ITEM_KINDS", shown=False),
        Column(name="authority", label="抽查机关", shown=False), Column(name="name", label="检查对象", kind="name", href="/publications/{publication}", needs="publish.read"), Column(name="code", label="统一社会信用代码", kind="code"),
        Column(name="inspected_on", label="抽查完成日期", kind="day"), Column(name="item", label="抽查事项", kind="name", words="items"), Column(name="outcome", label="抽查结果", kind="name", words="outcomes"),
        Column(name="published_on", label="公示日期", kind="moment"), Column(name="round", label="轮次", kind="code", shown=False, href="/draw/{round}", needs="round.read"), Column(name="town", label="镇街", shown=False),
    ),
    filters=(
        _FIND, _BY_PLAN, _BY_ROUND, Filter(name="outcome", label="抽查结果", columns=("outcome",), words="outcomes"), _BY_TREE, _BY_TOWN, *_INSPECTED, _BY_SECTOR,
    ),
)  # fmt: skip

PUBLICATIONS = Listing(
    name="publications", path="/publications", title="已公示的结果", act="publish.read", unit="份", key="id", order="-published_at", empty="没有符合条件的公示结果。",
    about="一次入企一份，没有撤下的都在这里。撤回、设定公示期限和更正在各自的页面办理。",
    columns=(
        Column(name="id", label="编号", kind="number", shown=False), Column(name="name", label="检查对象", kind="name", href="/publications/{id}", needs="publish.read"), replace(_CODE, narrow=False),
        Column(name="key", label="检查编号", kind="code", shown=False, href="/visits/{key}", needs="visits.read"), Column(name="version", label="版次", kind="number", shown=False),
        Column(name="inspected_on", label="检查日期", kind="day"), Column(name="published_at", label="公示时间", kind="moment", narrow=False),
        Column(name="found", label="结果", kind="name", made=True, sort=False), Column(name="until", label="停止公示", kind="day", made=True, sort=False), _STATION, replace(_TOWN, shown=False),
    ),
    filters=(
        Filter(name="q", label="名称、代码或检查编号", kind="like", columns=("key", "name", "code", "key")), _BY_ROUND, _BY_TREE, _BY_TOWN,
        Filter(name="since", label="公示日期从", kind="from", columns=("published_on",)), Filter(name="until", label="到", kind="to", columns=("published_on",)),
    ),
)  # fmt: skip

ACCOUNTS = Listing(
    name="accounts", path="/accounts", title="账号", act="accounts.read", unit="个", key="login", order="login", personal=True, empty="没有符合条件的账号。",
    columns=(
        Column(name="login", label="登录名", kind="code", href="/accounts/{id}", needs="accounts.read"), Column(name="name", label="姓名"), Column(name="station", label="单位", narrow=False),
        Column(name="held", label="角色", kind="name", made=True, sort=False), Column(name="number", label="工号", kind="code", shown=False), Column(name="factor", label="动态口令", words="factors", shown=False),
        Column(name="created_at", label="建立", kind="moment", shown=False), Column(name="password_at", label="上次改密码", kind="moment", shown=False), Column(name="state", label="状态", words="account_states"),
    ),
    filters=(
        Filter(name="q", label="登录名或姓名", kind="like", columns=("login", "login", "name")), Filter(name="role", label="角色", kind="has", columns=("roles",), options=tuple(ROLES.items())),
        Filter(name="state", label="状态", columns=("state",), words="account_states"), replace(_BY_TREE, options="homes"), Filter(name="factor", label="动态口令", columns=("factor",), words="factors", shown=False),
    ),
)  # fmt: skip

AUDIT = Listing(
    name="audit", path="/audit", title="审计记录", act="audit.read", unit="条", key="n", order="-n", personal=True, enough=10_000, empty="没有符合条件的审计记录。",
    about="每一次办理和它的结果写在同一个事务里，逐条相扣，不能改、不能删。",
    columns=(
        Column(name="n", label="序号", kind="number"), Column(name="at", label="时间", kind="moment", sort=False), Column(name="actor", label="账号", sort=False),
        Column(name="address", label="来自", sort=False, narrow=False), Column(name="station", label="单位", sort=False, narrow=False), Column(name="named", label="办理", made=True, sort=False),
        Column(name="act", label="办理代码", kind="code", sort=False, shown=False), Column(name="object", label="对象", kind="hash", sort=False), Column(name="told", label="详情", kind="name", made=True, sort=False),
        Column(name="before", label="原值", kind="hash", sort=False, shown=False), Column(name="after", label="新值", kind="hash", sort=False, shown=False), Column(name="digest", label="链摘要", kind="hash", sort=False, shown=False),
    ),
    filters=(
        Filter(name="actor", label="账号", kind="text", columns=("actor",)), Filter(name="act", label="办理", kind="begins", columns=("act",), options=tuple(ACT_GROUPS.items())),
        Filter(name="organisation", label="单位", columns=("unit",), options="homes"), Filter(name="since", label="起", kind="from", columns=("day",)), Filter(name="until", label="止", kind="to", columns=("day",)),
        Filter(name="object", label="对象", kind="text", columns=("object",), shown=False),
    ),
)  # fmt: skip

LISTS: Mapping[str, Listing] = {one.name: one for one in (CHECKS, VISITS, FOLLOW_UPS, RECORDS, DIRECTORY, INSPECTORS, TASKS, ROUNDS, RESULTS, PUBLICATIONS, ACCOUNTS, AUDIT)}
