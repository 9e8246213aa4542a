"""An item list (随机抽查事项清单) in its official columns -> check items, each with its form and the rule of its pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from portal.domain.model import PoolRule

__all__ = ["rule_data", "rule_from_data"]


def rule_data(rule: PoolRule) -> dict[str, Any]:
    """A pool rule as plain data, what is empty left out."""
    return {name: list(value) for name, value in asdict(rule).items() if value}


def rule_from_data(data: Mapping[str, Sequence[str]]) -> PoolRule:
    """The rule that `rule_data` wrote."""
    return PoolRule(**{name: tuple(value) for name, value in data.items()})
