"""All a sector may import; see plugins/README.md."""

from portal.domain.model import (
    OUTCOMES, Basis, Block, Candidate, CheckItem, Choice, Column, Field, FollowUp, Form, Outcome, Page, PoolRule,
    Problem, Published, Record, Register, Section, Sector, Task,
)
from portal.hookspecs import hookimpl

__all__ = [
    "OUTCOMES", "Basis", "Block", "Candidate", "CheckItem", "Choice", "Column", "Field", "FollowUp", "Form",
    "Outcome", "Page", "PoolRule", "Problem", "Published", "Record", "Register", "Section", "Sector", "Task",
    "hookimpl",
]
