"""What the other side said of a check is asked once: by the form where it has a question of its own, else beside the form.

A record keeps the words in either case as its `opinion`; a form's own question is a text named `opinion`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.domain.model import Form

__all__ = ["OPINION", "asked_in", "into_answers", "of_answers", "said_beside"]

OPINION = "opinion"


def asked_in(form: Form) -> bool:
    return any(field.name == OPINION and field.type == "text" for field in form.fields())


def into_answers(form: Form, answers: Mapping[str, Any], opinion: str) -> Mapping[str, Any]:
    """The answers with words given beside them (a column of a file, an older draft) where the form's own question has none."""
    return {**answers, OPINION: opinion} if opinion and asked_in(form) and not answers.get(OPINION) else answers


def of_answers(form: Form, cleaned: Mapping[str, Any], opinion: str) -> str:
    """A record's opinion: the answer where the form asks; the words beside it where it does not, or not in this case."""
    return str(cleaned.get(OPINION) or opinion) if asked_in(form) else opinion


def said_beside(form: Form, answers: Mapping[str, Any], opinion: str) -> str:
    """What no answer says: empty where it is the answer itself. Records from before the question was one may say two things."""
    return "" if asked_in(form) and answers.get(OPINION) == opinion else opinion
