"""What a record must agree with besides its form: the items of its visit, and the uploads made on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from portal.domain.attachments import ATTACHED, is_uploaded
from portal.domain.errors import Problem
from portal.domain.model import AWAITING, OUTCOMES, Field, Form, Section
from portal.store import attachments


def check_outcomes(
    wanted: set[str], chosen: Mapping[str, str], items: Sequence[Mapping[str, Any]], records: Mapping[str, Mapping[str, Any]]
) -> list[Problem]:
    later = {item["code"]: item["later"] for item in items if item["later"]}
    problems = [Problem(f"outcome.{code}", f"这次入企没有检查事项 {code}。") for code in sorted(chosen.keys() - wanted)]
    names = {item["code"]: item["name"] for item in items}
    for code in sorted(wanted):
        if code not in chosen:
            problems.append(Problem(f"outcome.{code}", f"“{names[code]}”没有选择检查结果。"))
        elif code in later and later[code] in records and chosen[code] != AWAITING:
            problems.append(Problem(f"outcome.{code}", f"“{names[code]}”的检验结果已经在另一张表里录入，这里应选“待检验结果”。"))
        elif chosen[code] not in OUTCOMES and not (code in later and chosen[code] == AWAITING):
            problems.append(Problem(f"outcome.{code}", f"“{names[code]}”的检查结果“{chosen[code]}”不在结果清单中。"))
    return problems


async def check_attached(visit: Mapping[str, Any], form: Form, answers: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> list[Problem]:
    """An answer may name an upload only where it was made for this form of this visit; a shared one, for that question in any form of it.

    `names`: shared question -> codes of the forms that ask it.
    """
    named = list(_uploads_named(form, answers))
    known = await attachments.load_attachments(visit["id"]) if named else {}

    def is_at_home(field: Field, code: str, row: int) -> bool:
        made = known.get(code)
        if made is None or made["form_code"] == form.code:
            return made is not None
        asking = names.get(field.name, ()) if not row else ()  # inside a repeat nothing is shared
        return made["point"] == field.name and form.code in asking and made["form_code"] in asking

    return [
        Problem(field.name, f"“{field.label}”的附件 {code} 不属于这次检查，请重新上传。", row)
        for field, code, row in named
        if not is_at_home(field, code, row)
    ]


def _uploads_named(form: Form, answers: Mapping[str, Any]) -> Iterator[tuple[Field, str, int]]:
    """(field, number of the upload, row of its repeat or 0)."""
    for field in form.fields():
        answer = answers.get(field.name)
        if field.type == "repeat":
            for n, row in enumerate(answer if isinstance(answer, list) else [], 1):
                if isinstance(row, Mapping):
                    inner = Form(form.code, form.version, "", (Section("", field.fields),))
                    yield from ((child, code, n) for child, code, _ in _uploads_named(inner, row))
        elif field.type in ATTACHED and isinstance(answer, list):
            yield from ((field, code, 0) for code in map(str, answer) if is_uploaded(code))
