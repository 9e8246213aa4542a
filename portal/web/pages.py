"""Templates, and what every page shows around its own content."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request
from litestar.response import Redirect, Response
from markupsafe import Markup

from portal.domain import roles
from portal.domain.errors import Refused
from portal.steps.acting import BEIJING, Acting
from portal.store.waiting import count_waiting
from portal.texts import runs
from portal.texts.catalogue import Catalogue
from portal.web import wording
from portal.web.access import entry_of
from portal.web.assets import address_of, texts_of
from portal.web.cells import choices_html

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "portal"
HTML = "text/html"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

#: number, word, address, the act that opens it, and how many wait (a name in the counts)
STEPS = (
    (1, "计划", "/plan", "plan.read", ""),
    (2, "名录", "/pool", "plan.read", ""),
    (3, "抽取", "/draw", "round.read", "draw"),
    (4, "入企", "/visits", "visits.read", ""),
    (5, "匹配", "/assign", "round.read", ""),
    (6, "录入", "/forms", "record.read", "forms"),
    (7, "审核", "/review", "record.read", "review"),
    (8, "公示", "/publish", "publish.read", "publish"),
    (9, "存证", "/log", "round.read", ""),
    (10, "核验", "/verify", "round.read", ""),
)
BESIDE = (
    ("后续处置", "/follow-ups", "record.read"),
    ("统计", "/statistics", "statistics.read"),
    ("导入", "/imports", "imports.read"),
    ("检查对象", "/directory", "directory.read"),
    ("专项库", "/registers", "directory.read"),
    ("执法人员", "/inspectors", "directory.read"),
    ("事项清单", "/items", "plan.read"),
    ("检查表单", "/checklists", "plan.read"),
    ("业务模块", "/sectors", "plan.read"),
    ("后台任务", "/jobs", "jobs.read"),
    ("账号", "/accounts", "accounts.read"),
    ("审计记录", "/audit", "audit.read"),
)


@cache
def build_environment(catalogue: Catalogue | None = None) -> Environment:
    """Every value escaped, every missing one an error; compiled once a process. Speaks as the templates are written, or as `catalogue` has it."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), auto_reload=False, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "n": wording.count, "day": wording.day, "moment": wording.moment, "short": wording.short_hash, "name": break_name,
        "share": wording.percent, "ppm": wording.ppm,
    }  # fmt: skip
    environment.globals |= {"fresh_key": lambda: secrets.token_urlsafe(12), "asset": address_of, "words": wording, "iso": _iso, "choices_html": choices_html}
    environment.globals |= {"lang": "zh-CN", "script_texts": "", "say": _as_written}
    if catalogue:
        _speak(environment, catalogue)
    return environment


def _as_written(said: str) -> str:
    return said


def _speak(environment: Environment, catalogue: Catalogue) -> None:
    """Templates, what Python writes of a page (cells.py) and scripts say things as the catalogue has them."""
    runs.speak(environment, catalogue)

    def choices(pairs: Sequence[tuple[str, str]], chosen: str) -> Markup:
        return choices_html([(value, catalogue.say(word)) for value, word in pairs], chosen)

    environment.globals |= {"lang": catalogue.language, "script_texts": texts_of(catalogue), "say": catalogue.say, "choices_html": choices}


def speech(request: Request) -> Callable[[str], str]:
    """How a sentence is said to whoever reads this page: for what Python writes of it."""
    return request.app.state.portal.templates.globals["say"]


def _iso(at: date | datetime | None) -> str:
    if isinstance(at, datetime):
        return at.astimezone(BEIJING).isoformat(timespec="minutes")
    return at.isoformat() if at else ""


def break_name(name: str) -> Markup:
    """A company's name that breaks only between its parts (the look: <wbr>)."""
    pieces = wording.name_parts(name)
    return Markup("<wbr>").join(pieces)  # join escapes each piece


async def page(
    request: Request, template: str, *, here: str = "", status: int = 200, refused: Refused | None = None, **context: Any
) -> Response[str]:
    """A whole page. `here` is the address of the rail entry that is current; `refused` becomes the error summary on top."""
    act = entry_of(request.scope).act
    shell = frame(request, here) | {"counts": await rail_counts(act) if act else {}, "refused": refused}
    status = refused.status if refused else status
    return render(request, template, status, shell | context)


def fragment(request: Request, template: str, *, status: int = 200, **context: Any) -> Response[str]:
    """A part of a page for htmx: the same template parts, no frame."""
    return render(request, template, status, frame(request, "") | {"counts": {}, "refused": None} | context)


def render(request: Request, template: str, status: int, context: Mapping[str, Any]) -> Response[str]:
    text = request.app.state.portal.templates.get_template(template).render(context)
    return Response(text, status_code=status, media_type=HTML, headers={"Vary": "HX-Request, Cookie"})


def frame(request: Request, here: str) -> dict[str, Any]:
    """What the layout reads: nothing here touches the database."""
    portal = request.app.state.portal
    entry = entry_of(request.scope)
    act = entry.act
    rail = [step for step in STEPS if act and act.may(step[3])]
    beside = [link for link in BESIDE if act and act.may(link[2])]
    return {
        "act": act, "csrf": entry.session.csrf if entry.session else "", "here": here, "rail": rail, "beside": beside,
        "role_names": "、".join(roles.ROLES[role] for role in act.roles) if act else "", "request_id": entry.request_id,
        "senior": request.cookies.get("mingcha-senior") == "1", "simulated": portal.settings.simulated,
        "now": portal.clock().astimezone(BEIJING), "address": request.url.path, "may": act.may if act else _nothing,
    }  # fmt: skip


def _nothing(act: str) -> bool:
    return False


async def rail_counts(act: Acting) -> dict[str, int]:
    """How many things wait at a step, for the people who can do something about it."""
    found: dict[str, int] = {}
    rounds, checks = act.may("round.read"), act.may("record.read")
    if not rounds and not checks:
        return found
    waiting = await count_waiting(act.line, act.tree)
    if rounds:
        found["draw"] = waiting["round"].get("draft", 0) + waiting["round"].get("committed", 0)
    if checks:
        by_state = waiting["record"]
        found |= {"forms": by_state.get("draft", 0) + by_state.get("returned", 0), "review": by_state.get("submitted", 0)}
        found["publish"] = by_state.get("approved", 0)
    return found


def go_to(path: str) -> Redirect:
    """After a post: see other, so that a reload repeats nothing."""
    return Redirect(path, status_code=303)


def download(name: str, data: bytes) -> Response[bytes]:
    """A spreadsheet (XLSX) to be kept under this name."""
    return Response(data, media_type=XLSX, headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"})


def pdf(name: str, data: bytes) -> Response[bytes]:
    """A PDF to be looked at, which keeps its name when saved."""
    return Response(data, media_type="application/pdf", headers={"content-disposition": f"inline; filename*=UTF-8''{quote(name, safe='')}"})


def is_fragment(request: Request) -> bool:
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-history-restore-request") != "true"
