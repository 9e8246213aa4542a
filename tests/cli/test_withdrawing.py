"""After publication, by command: a result is withdrawn, the site forgets it, and rolling back does not bring it back."""

import pytest

from portal import jobs
from portal.cli.main import main
from tests.cli.command import FakePrinter, Portal
from tests.public_site.test_forget import found


@pytest.fixture
def portal(approved_folder, monkeypatch) -> Portal:
    monkeypatch.setattr(jobs, "Printer", FakePrinter)
    return Portal(approved_folder, PORTAL_CLOCK="simulated")


def test_a_withdrawn_result_stays_away_and_a_correction_is_shown_with_its_day(portal):
    assert "没有更早的版本" in portal.refused("publish", "--rollback", "--as", "publisher")
    portal.well("publish", "--as", "publisher")
    first = portal.well("publication", "list", "--as", "publisher").splitlines()
    visit, code = first[0].split("　")[:2]
    site = portal.data / "site"
    assert (site / "current/data/results.jsonl").read_text("utf-8").count(f'"visit":"{visit}"') == 1
    assert portal.well("publication", "list", "--find", code, "--as", "publisher").splitlines()[-1] != first[-1]

    assert "没有这项权限" in portal.refused("publication", "withdraw", visit, "--reason", "x", "--as", "planner")
    portal.well("publication", "withdraw", visit, "--reason", "原决定已撤销", "--as", "publisher")
    other = next(line.split("　")[0] for line in first[1:-1] if code not in line)
    portal.well("publication", "correct", other, "town", "白鹭镇更正", "--reason", "门牌有误", "--show-old", "--as", "publisher")
    portal.well("publication", "limit", other, "--until", "2029-07-03", "--reason", "满三年", "--as", "publisher")
    portal.well("publish", "--as", "publisher")
    assert "原为<del>" in "".join(path.read_text("utf-8") for path in (site / "current/entities").rglob("*.html") if "白鹭镇更正" in path.read_text("utf-8"))
    said = portal.well("publish", "--rollback", "--as", "publisher")
    assert said.startswith("公示网站已换回 000001-")
    assert [name for name in found(site, f'"visit":"{visit}"', f"{visit}.pdf") if not name.endswith(("tombstones.jsonl", "gone.txt", "gone.map"))] == []
    assert "白鹭镇更正" not in (site / "current/data/results.csv").read_text("utf-8")
    assert portal.well("site", "check", "--site", site).count("OK") == 10
    assert "FAIL" not in portal.well("verify")


def test_the_site_has_an_address_and_a_configuration_and_no_release_is_said_so(tmp_path, capsys):
    folder = str(tmp_path / "site")
    assert main(["site", "address", "--site", folder]) == 0 and "没有设定" in capsys.readouterr().out
    assert main(["site", "address", "https://gs.example.cn", "--site", folder]) == 0
    assert main(["site", "address", "--site", folder]) == 0 and capsys.readouterr().out.endswith("https://gs.example.cn/\n")
    assert main(["site", "nginx", "gs.example.cn", str(tmp_path / "x.conf"), "--site", folder]) == 0
    assert f"root {folder}/current;" in (tmp_path / "x.conf").read_text("utf-8")
    for words in (["site", "serve"], ["site", "check"]):
        assert main([*words, "--site", folder]) == 1 and "还没有发布过网站" in capsys.readouterr().err
    assert main(["site", "nginx", "a b", str(tmp_path / "y.conf"), "--site", folder]) == 1 and not (tmp_path / "y.conf").exists()
