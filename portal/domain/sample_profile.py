"""The made-up county's profile: the rules a new installation starts from, to be replaced by its own."""

from __future__ import annotations

from typing import Any

from portal.domain.caps import REASONS
from portal.domain.sample_people import sample_bureau

__all__ = ["sample_profile"]

_OF_2026 = {"from": "2026-01-01", "to": None}
_MADE_UP = {**_OF_2026, "source": "示例数据"}


def sample_profile(seed: str | int = 1) -> dict[str, Any]:
    """The plain value of the profile, for `profile.read_profile`; region and name are the sample bureau's."""
    bureau = sample_bureau(seed)
    region = bureau.region
    city = region[:4] + "00"
    reasons = list(REASONS)
    return {
        "spec": "profile/1", "name": bureau.name, "region": region, "peace_exempt": reasons, "successions": [],
        "floors": [
            {"region": region[:2] + "0000", "kinds": ["企业"], "ppm": 35_000, **_MADE_UP},
            {"region": city, "kinds": ["个体工商户", "农民专业合作社"], "ppm": 10_000, **_MADE_UP},
        ],
        "differentiated": [{"region": region[:2] + "0000", "ppm": 850_000, **_MADE_UP}],
        "due": [{"region": region, "year": 2026, "finish": "2026-11-20", "publish": "2026-11-20", "report": "2026-12-10", "source": "示例数据"}],
        "publication": [{"days": 20, "from": "2019-12-01", "to": None, "source": "食品生产经营监督检查管理办法第三十九条"}],
        "scales": [
            {"code": "credit", "name": "企业信用风险分类", "grades": [["A", "信用风险低"], ["B", "信用风险一般"], ["C", "信用风险较高"], ["D", "信用风险高"]], **_MADE_UP},
            {"code": "food", "name": "食品安全风险等级", "grades": [["A", "A级"], ["B", "B级"], ["C", "C级"], ["D", "D级"]], **_MADE_UP},
        ],
        "class_ratios": [
            {
                "scale": "credit", "items": ["*"], "ppm": {"A": 10_000, "B": 30_000, "C": 100_000, "D": 300_000},
                "frequency": {"A": {"times": 1, "years": 2}, "B": {"times": 1, "years": 1}, "C": {"times": 1, "years": 1}, "D": {"times": 1, "years": 1}},
                "unclassed": 35_000, **_MADE_UP,
            },
        ],
        "attribute_rules": [
            {"code": "zero_report", "name": "年报全零", "attribute": "年报全零企业", "ppm": 1_000_000, "values": [], "at_least": None, **_MADE_UP},
        ],
        "caps": [
            _cap("item_year", "同一事项每年不超过 1 次", "item", 1, reasons),
            _cap("bureau_year", "同一单位每年入企不超过 2 次", "bureau", 2, reasons),
            _cap("all_year", "各级合计每年入企不超过 4 次", "all", 4, reasons),
        ],
        "pauses": [
            {"code": "upper", "name": "上级已查", "after": "upper", "months": 3, "exempt": reasons, **_OF_2026, "source": "食品生产经营监督检查管理办法第四十二条"},
            {"code": "post_licence", "name": "证后已查", "after": "post_licence", "months": 0, "exempt": reasons, **_OF_2026, "source": "特种设备安全监督检查办法第十七条"},
        ],
    }  # fmt: skip


def _cap(code: str, name: str, scope: str, most: int, exempt: list[str]) -> dict[str, Any]:
    return {
        "code": code, "name": name, "scope": scope, "most": most, "window": "year", "n": 1, "of": [], "counts": "visits",
        "on_site": True, "exempt": exempt, **_MADE_UP,
    }  # fmt: skip
