"""A made-up county bureau to try everything with: 望溪县市场监督管理局, its register, people, plan and findings.

Everything is a pure function of a seed: the same seed gives the same rows and
bytes in every version of Python. No real place, company or person is meant.
"""

from __future__ import annotations

from portal.domain.sample_answers import ATTACHMENTS, SampleVisit, sample_answers
from portal.domain.sample_entities import SNAPSHOT_ON, sample_entities
from portal.domain.sample_people import SampleBureau, Station, sample_bureau, sample_inspectors, sample_recusals
from portal.domain.sample_plan import sample_plan, sample_plan_rows

__all__ = [
    "ATTACHMENTS", "SNAPSHOT_ON", "SampleBureau", "SampleVisit", "Station", "sample_answers", "sample_bureau",
    "sample_entities", "sample_inspectors", "sample_plan", "sample_plan_rows", "sample_recusals",
]
