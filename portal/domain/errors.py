"""The three ways an act can be refused, told apart so that callers can answer differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what somebody gave us.

    `field` names the form field, column heading or code; `row` is the 1-based
    row of the file where that makes sense, else 0, and `sheet` the sheet of a
    file that is read in several.
    """

    field: str
    message: str
    row: int = 0
    sheet: str = ""

    def __str__(self) -> str:
        where = f"{self.sheet} 表" if self.sheet else ""
        where += f"第 {self.row} 行" if self.row else ""
        if self.field:
            where += f"“{self.field}”"
        return f"{where}{'：' if where else ''}{self.message}"


class Refused(Exception):
    """An act was refused; nothing was changed. `problems` says what, for people (Chinese)."""

    status = 400

    def __init__(self, message: str, problems: Sequence[Problem] = ()):
        super().__init__(message)
        self.message = message
        self.problems = tuple(problems)


class BadInput(Refused):
    """What was given is wrong: the giver can correct it and try again."""

    status = 422


class WrongMoment(Refused):
    """Right in itself, but not now: a step is missing, or it has been done."""

    status = 409


class Conflict(WrongMoment):
    """Somebody else changed it meanwhile. `both`: (label, what was given now, what stands) of each value that differs."""

    def __init__(self, message: str, both: Sequence[tuple[str, str, str]]):
        super().__init__(message)
        self.both = tuple(both)


class DoneBefore(WrongMoment):
    """The very same form was acted on before; `location` is where that led, empty where that is not known."""

    def __init__(self, location: str):
        super().__init__("这张表单已经提交过，没有重复办理。")
        self.location = location


class NotAllowed(Refused):
    """This person may not do this, or not to this thing."""

    status = 403


class NotFound(Refused):
    """Nothing of that name here (or nothing this person may see)."""

    status = 404
