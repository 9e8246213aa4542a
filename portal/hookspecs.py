"""Every hook a sector can implement, in the order a task meets them.

gather     every sector answers; the answers are merged and sorted by code
ask owner  only the sector that owns the task or form is asked
tell       something happened; the answer is ignored

All are plain functions: data in, data out; no request, database or clock.
`python -m portal.hookspecs` prints the reference of plugins/README.md.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence

import pluggy

from portal.domain.model import (
    Candidate, CheckItem, FollowUp, Form, Page, PoolRule, Problem, Published, Record, Register, Sector, Task,
)

__all__ = ["API_VERSION", "HOOKS", "PROJECT", "hookimpl", "render_reference"]

#: What sectors are written against; what may change with which number: plugins/README.md
API_VERSION = "1.0"

PROJECT = "portal"
hookimpl = pluggy.HookimplMarker(PROJECT)
_mark = pluggy.HookspecMarker(PROJECT)


def gather(chinese: str):
    return lambda function: _declare(function, "gather", chinese)


def ask_owner(chinese: str):
    return lambda function: _declare(function, "ask owner", chinese)


def tell(chinese: str):
    return lambda function: _declare(function, "tell", chinese)


def _declare(function, kind: str, chinese: str):
    # firstresult only where one sector is asked: across sectors the one installed last would win.
    function.kind, function.chinese = kind, chinese
    return _mark(function, firstresult=kind == "ask owner")


@gather("这个模块是谁：代码、名称、科室、版本；唯一必须写的钩子。")
def sector() -> Sector:
    """Who this is: code, name, department and version; the only mandatory hook."""


@gather("随机抽查事项，每项带版本、法定依据、检查方式和检查指引。")
def check_items() -> Sequence[CheckItem]:
    """The inspection items of this sector, each with its version, legal basis, methods and guide."""


@gather("检查表单，每张带版本；用过的版本不再改动。")
def inspection_forms() -> Sequence[Form]:
    """The inspection forms of this sector, each with its version; a version in use never changes."""


@gather("专项库的列；存储、导入和查询由系统完成，各户的行在 Candidate.attributes[专项库代码] 中。")
def registers() -> Sequence[Register]:
    """The special registers as typed columns, which the core stores, imports, lists and offers row by row in Candidate.attributes[code]."""


@ask_owner("任务从哪些检查对象中抽取；不写则由计划员指定。")
def pool_rule(task: Task) -> PoolRule | None:
    """Which directory entries the task is drawn from; None leaves it to the planner."""


@ask_owner("本批对象中哪些不参加抽取及原因；一批最多 10,000 个。")
def exclude_from_pool(task: Task, batch: Sequence[Candidate]) -> Mapping[str, str] | None:
    """The reason (public, Chinese) for each candidate code of the batch, of at most 10,000, that must not be drawn."""


@ask_owner("本批对象中哪些要调整风险类别；类别属于 task.scale 这一分类体系，不公开。")
def adjust_risk(task: Task, batch: Sequence[Candidate]) -> Mapping[str, str] | None:
    """The class (never public) for each candidate code of the batch whose risk class, of the scale task.scale, must differ from the imported one."""


@ask_owner("表单自身检查通过后，再查各项之间是否矛盾。")
def validate_record(record: Record, form: Form) -> Sequence[Problem] | None:
    """What is wrong across points and outcomes, asked only after check_answers found nothing."""


@ask_owner("建议的后续处置，由审核员确认。")
def suggest_follow_up(record: Record, form: Form) -> Sequence[FollowUp] | None:
    """The follow-up that the record calls for, which a reviewer confirms or changes."""


@ask_owner("公示用的一句话，不含个人信息。")
def public_summary(record: Record, form: Form) -> str | None:
    """One plain sentence for the public page, without personal data; the record holds public answers only."""


@gather("公示网站上本模块自己的页面，由文字、表格、图组成；逐个任务询问，地址相同的以后一个任务为准。")
def publication_pages(task: Task, published: Sequence[Published]) -> Sequence[Page]:
    """Pages of this sector for the public site, made of blocks and from public records only; asked for each task, of one slug the last task's page stays."""


@tell("结果已经公示。")
def results_published(task: Task, count: int) -> None:
    """The results of `count` entities of the task have just been published."""


#: name -> specification, in life-cycle order
HOOKS = {
    name: thing
    for name, thing in list(globals().items())
    if inspect.isfunction(thing) and hasattr(thing, "kind")
}

_KINDS = {"gather": "汇总", "ask owner": "询问所属模块", "tell": "通知"}


def render_reference(language: str) -> str:
    """The reference as a Markdown table; `language` is "zh" or "en"."""
    chinese = language == "zh"
    lines = ["| 钩子 | 方式 | 说明 |" if chinese else "| hook | kind | what it is |", "|---|---|---|"]
    for name, hook in HOOKS.items():
        signature = f"{name}{inspect.signature(hook)}".replace("'", "").replace("|", "\\|")
        words = (_KINDS[hook.kind], hook.chinese) if chinese else (hook.kind, inspect.getdoc(hook))
        lines.append(f"| `{signature}` | {words[0]} | {words[1]} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for wanted in sys.argv[1:] or ["zh", "en"]:
        print(render_reference(wanted))
