"""`portal plugins`: what is installed, where it came from, and what is wrong with it."""

import json
from importlib.metadata import EntryPoint

import pytest

from portal import plugins as machinery
from portal.hookspecs import API_VERSION, HOOKS
from tests.cli.command import Portal

COUNTS = "事项 2　表单 1　专项库 0"


class _Dist:
    """A distribution as importlib.metadata shows it."""

    def __init__(self, name: str, version: str):
        self.name, self.version = name, version


def point(name: str, value: str, dist: _Dist) -> EntryPoint:
    made = EntryPoint(name, value, machinery.GROUP)
    object.__setattr__(made, "dist", dist)
    return made


OURS, THEIRS = _Dist("mingcha", "0.1.0"), _Dist("mingcha-lifts", "2.1")


@pytest.fixture
def portal(tmp_path, monkeypatch):
    """`portal plugins` where exactly these are installed."""

    def at(*points, named=""):
        monkeypatch.setattr(machinery, "entry_points", lambda group: list(points))
        monkeypatch.setattr("tests.cli.command.ONCE", {})
        return Portal(tmp_path / "none", PORTAL_SECTORS=named)

    return at


GOOD = (point("annual_reports", "plugins.annual_reports", OURS), point("water_heaters", "plugins.water_heaters", OURS))
REGISTRATION = point("registration", "plugins.registration", THEIRS)


def test_each_sector_with_its_version_department_source_hooks_items_forms(portal):
    done = portal(*GOOD, REGISTRATION)("plugins")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert f"annual_reports　公示信息　版本 1　信用监督管理科　来源 内置　{COUNTS}" in lines
    assert any(line.startswith("registration　登记事项　版本 1　信用监督管理科　来源 mingcha-lifts 2.1　事项 8") for line in lines)
    assert "  钩子　sector、check_items、inspection_forms、validate_record、suggest_follow_up、public_summary" in lines
    assert "  事项　annual_reports.annual 2026-1　年度报告公示信息的检查" in lines and "  表单　registration.check 2026-2　登记事项检查表" in lines
    assert lines[-1] == "water_heaters　来源 内置　样例模块，PORTAL_SECTORS 写明时才装入"


def test_as_json_the_same(portal):
    done = portal(*GOOD, REGISTRATION)("plugins", "--json")
    data = json.loads(done.out)
    assert done.code == 0 and data["api_version"] == API_VERSION and data["problems"] == [] and [one["code"] for one in data["sectors"]] == ["annual_reports", "registration", "water_heaters"]
    first, second, sample = data["sectors"]
    assert second["source"] == {"built_in": False, "distribution": "mingcha-lifts", "version": "2.1"} and first["source"]["built_in"]
    assert set(first["hooks"]) <= set(HOOKS) and first["items"][0]["code"] == "annual_reports.annual"
    assert first["forms"] == [{"code": "annual_reports.check", "version": "2026-2", "title": "公示信息检查表"}]
    assert [one["state"] for one in data["sectors"]] == ["running", "running", "sample"] and sample["problems"] == []


def test_problems_stand_with_their_sector_beside_those_that_are_well_and_the_exit_code_is_1(portal):
    wrong = point("pricing", "plugins.registration", THEIRS), point("gas", "no_such_module", THEIRS)
    asked = portal(*GOOD, *wrong, named="annual_reports,pricing,gas,lifts")
    done = asked("plugins")
    assert done.code == 1 and done.err == "portal: 业务模块有 3 处问题，系统不会启动，请逐处改正。\n"
    lines = done.out.splitlines()
    assert lines[0].endswith(COUNTS)
    gas = lines.index("gas　来源 mingcha-lifts 2.1　有问题，没有启动")
    assert lines[gas + 1].startswith("  问题　业务模块“gas”（no_such_module）写了“no_such_module”：无法载入，ModuleNotFoundError")
    lifts = lines.index("lifts　来源 —　有问题，没有启动")
    assert lines[lifts + 1] == "  问题　设置 PORTAL_SECTORS 写了“lifts”：没有安装这个业务模块，已安装的有：annual_reports、gas、pricing、water_heaters。"
    done = asked("plugins", "--json")
    found = {one["code"]: one for one in json.loads(done.out)["sectors"]}
    assert done.code == 1 and {code: one["state"] for code, one in found.items()} == {
        "annual_reports": "running", "gas": "refused", "lifts": "refused", "pricing": "refused"}
    assert found["pricing"]["problems"] == ["业务模块“pricing”（plugins.registration）写了“Sector('registration')”：代码与入口点名称“pricing”不一致。"]
