"""The HTML of a printed document from its template and context; what of it goes into the metadata."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from portal.prints import wording

PICTURE = "mingcha-picture:"  # and a name among the context's `pictures`: the only pictures a document can have
LIST_ROWS = 200  # longer lists are cut here and point to the open data


@dataclass(frozen=True, slots=True)
class Page:
    """One document before layout.  `on` is its date (YYYY-MM-DD), `attachments` are (name, text)."""

    html: str
    title: str
    on: str
    attachments: tuple[tuple[str, str], ...]


#: template of a published document -> (name of the file inside it, what of the context it holds)
ATTACHED = {
    "plan_notice.html": ("plan.json", ("plan",)), "task_notice.html": ("task.json", ("round",)),
    "result_notice.html": ("results.json", ("round", "results")), "result_sheet.html": ("result.json", ("result",)),
}  # fmt: skip


def environment(folder: Path) -> Environment:
    """Jinja2 that escapes everything and stops at a name it does not know."""
    jinja = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )
    jinja.filters |= {
        "date": wording.cut_date, "time": wording.cut_time, "span": wording.span,
        "months": wording.month_span, "grouped": wording.grouped, "joined": wording.joined,
        "numeral": wording.numeral, "entity_path": wording.entity_path, "task_path": wording.task_path, "alike": wording.alike,
    }
    jinja.globals |= {
        "LIST_ROWS": LIST_ROWS, "header": wording.header, "title_lines": wording.title_lines,
        "without_bureau": wording.without_bureau, "web_address": wording.web_address, "qr": qr,
    }
    return jinja


def render_page(jinja: Environment, template: str, context: dict[str, Any]) -> Page:
    """The page of one document; `template` is a bare name such as `result_sheet.html`.

    Raises ValueError for a template name that is none.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*\.html", template):
        raise ValueError(f"no template: {template!r}")
    html = jinja.get_template(template).render(context | {"on": document_day(context)})
    title = re.search(r"<title>(.*?)</title>", html, re.S)
    attachments = ()
    if template in ATTACHED:  # what the document says, for machines: lines of the open data as they are
        name, keys = ATTACHED[template]
        said = context[keys[0]] if len(keys) == 1 else {key: context[key] for key in keys}
        attachments = ((name, json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))),)
    return Page(html, title.group(1) if title else "", document_day(context), attachments)


def document_day(context: dict[str, Any]) -> str:
    """The date a document bears: that of its data, never of its printing (YYYY-MM-DD)."""
    if "result" in context:
        result = context["result"]
        return max([result["published_on"], *(entry["on"] for entry in result["history"])])[:10]
    if "results" in context:
        return max([r["published_on"] for r in context["results"]] or [context["about"]["as_of"]])[:10]
    if "plan" in context:
        return context["plan"]["published_on"][:10]
    if "round" in context:
        known = context["round"]
        voided = (known["void"] or {}).get("at")
        return (voided or known["revealed_at"] or known["drawn_at"] or known["committed_at"])[:10]
    return context["about"]["as_of"][:10]


def qr(text: str) -> dict[str, Any]:
    """A QR code as one SVG path, a line through each run of dark modules: `size` modules a side, `d` the path, to be
    stroked one module wide.  Outlines to fill would be two and a half times the path.  Nothing to fetch or to trust."""
    code = segno.make(text, error="m", micro=False)
    rows = [bytearray(row) for row in code.matrix]
    path = io.StringIO()
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            run = x
            while run < len(row) and row[run]:
                run += 1
            if run > x:
                path.write(f"M{x} {y}.5h{run - x}")
            x = max(run, x + 1)
    return {"size": len(rows), "d": path.getvalue()}
