"""All a sector may import; see plugins/README.md."""

from portal.domain.model import (
    OUTCOMES, Basis, Block, Candidate, CheckItem, Choice, Column, Field, FollowUp, Form, Outcome, Page, PoolRule,
    Problem, Published, Record, Register, Section, Sector, Task,
)
from portal.domain.points import (
    MET, check_outcomes, check_point, failed_points, guide_text, met_section, outcome_follow_ups, scene_section,
)
from portal.hookspecs import hookimpl

__all__ = [
    "MET", "OUTCOMES", "Basis", "Block", "Candidate", "CheckItem", "Choice", "Column", "Field", "FollowUp", "Form",
    "Outcome", "Page", "PoolRule", "Problem", "Published", "Record", "Register", "Section", "Sector", "Task",
    "check_outcomes", "check_point", "failed_points", "guide_text", "hookimpl", "met_section", "outcome_follow_ups",
    "scene_section",
]
