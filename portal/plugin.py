"""All a sector may import; see plugins/README.md."""

from portal.domain.findings import (
    ARRIVAL, FOLLOW_UPS, OPEN, PRESENCE, Part, articles, check_record, failed_points, follow_ups, guide, item_for, judged, points_of,
    signing, site_form, summarise,
)
from portal.domain.model import (
    CERTIFICATE_ONLY, OUTCOMES, Basis, Block, Candidate, CheckItem, Choice, Column, Field, Findings, FollowUp, Form, Outcome, Page,
    PoolRule, Problem, Published, Record, Register, Section, Sector, Task,
)
from portal.hookspecs import API_VERSION, hookimpl

__all__ = [
    "API_VERSION", "ARRIVAL", "CERTIFICATE_ONLY", "FOLLOW_UPS", "OPEN", "OUTCOMES", "PRESENCE", "Basis", "Block", "Candidate", "CheckItem", "Choice",
    "Column", "Field", "Findings", "FollowUp", "Form", "Outcome", "Page", "Part", "PoolRule", "Problem", "Published", "Record",
    "Register", "Section", "Sector", "Task", "articles", "check_record", "failed_points", "follow_ups", "guide",
    "hookimpl", "item_for", "judged", "points_of", "signing", "site_form", "summarise",
]
