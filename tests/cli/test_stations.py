"""portal stations and portal directory: typed as a person types them, on made-up and on real addresses."""

import gzip
import re

import pytest

from portal.domain.codes import make_legacy, make_uscc
from tests.cli.command import Portal
from tests.shared import shared_file
from tests.real_walk import jinjiang_rows

CODE = make_uscc("9", "1", "359921", "MA000001")
FAR = make_uscc("9", "1", "359921", "MA000002")
WRONG = make_legacy("359921", 77)[:14] + str((int(make_legacy("359921", 77)[14]) + 1) % 10)


@pytest.fixture
def portal(filled_portal, tmp_path):
    """The sample bureau with a table of divisions, two stations' coverage and three entries no station has."""
    (tmp_path / "divisions.csv").write_text("代码,名称\n359921100,东溪镇\n359921101,西溪镇\n", "utf-8")
    (tmp_path / "coverage.csv").write_text("所名称,辖区镇街\n清桥市场监管所,东溪镇\n白鹭市场监管所,西溪镇\n", "utf-8")
    (tmp_path / "entities.csv").write_text(
        f"统一社会信用代码,企业名称,地址\n{CODE},甲商行,望溪县东溪镇南路1号\n{FAR},乙商行,和平路2号\n{WRONG},丙商行,望溪县西溪镇3号\n", "utf-8"
    )
    filled_portal.well("import", "entities", tmp_path / "entities.csv")
    filled_portal.well("stations", "divisions", tmp_path / "divisions.csv")
    filled_portal.well("stations", "make", tmp_path / "coverage.csv")
    return filled_portal


def test_entries_are_placed_by_address_after_a_look(portal):
    out = portal.well("stations", "assign", "--preview", "--as", "planner")
    assert out.startswith("预览，没有保存：") and re.search("地址写明镇街 +2\n", out)
    assert f"待人工　{FAR}　乙商行　和平路2号　地址中没有辖区内的镇街或村居。" in out
    assert portal.well("stations", "unplaced").startswith("没有分到所的检查对象 3 户。")
    assert portal.well("stations", "assign", "--as", "planner").startswith("已按地址分到所：")
    out = portal.well("stations", "unplaced")
    assert out.startswith("没有分到所的检查对象 1 户。") and FAR in out


def test_a_person_places_what_is_left(portal):
    assert portal.well("stations", "place", FAR, "359921-S03", "--reason", "已与企业核实") == f"{FAR} 由白鹭市场监管所管辖。\n"
    assert "本局没有编号为“359922”的所" in portal.refused("stations", "place", FAR, "359922", "--reason", "理由")
    assert "没有写明理由" in portal.refused("stations", "place", FAR, "359921-S03", "--reason", " ")
    assert "还有 1 户没有列出" in portal.well("stations", "unplaced", "--limit", 1)


def test_a_code_is_accepted_with_a_reason(portal, tmp_path):
    assert "校验码不符" in portal.well("import", "entities", tmp_path / "entities.csv")
    out = portal.well("directory", "accept-code", WRONG, "--reason", "与营业执照一致")
    assert out == f"已记录，以后不再提示：注册号 {WRONG} 的第 15 位校验码不符，请与营业执照核对。\n"
    assert "校验码不符" not in portal.well("import", "entities", tmp_path / "entities.csv")
    assert "校验相符，不需要说明" in portal.refused("directory", "accept-code", CODE, "--reason", "理由")


def test_a_bureau_without_divisions_is_told_where_to_begin(filled_portal):
    assert "请先用 portal stations divisions 导入" in filled_portal.refused("stations", "make")
    assert "请先运行 portal stations make" in filled_portal.refused("stations", "assign")


@pytest.mark.shared
def test_4110_jinjiang_companies_get_their_stations_without_a_person(tmp_path, cheap_passphrases):
    portal = Portal(tmp_path / "data")
    companies = tmp_path / "companies.csv"
    companies.write_bytes(jinjiang_rows(shared_file("enterprises/fujian_1978_2004.csv.gz").read_bytes()))
    portal.well("init", "--name", "晋江市市场监督管理局", "--region", "350582")
    assert re.search("村居 +405\n", portal.well("stations", "divisions", shared_file("divisions/villages_jinjiang.csv")))
    assert re.search("新设 +22\n", portal.well("stations", "make"))
    out = portal.well("import", "entities", companies)
    placed, left = (int(re.search(f"{word} +([0-9,]+)\n", out)[1].replace(",", "")) for word in ("已分到所", "未分到所"))
    assert placed + left == 4_110 and placed >= 3_875 and placed == 4_018
    out = portal.well("stations", "unplaced", "--limit", 100)
    assert out.startswith("没有分到所的检查对象 92 户。") and out.count("\n") == 93
    assert "地址在南安市，不在本局辖区。" in out
    assert portal.well("import", "entities", companies) != "" and portal.well("stations", "unplaced").startswith("没有分到所的检查对象 92 户。")


def test_the_villages_file_may_be_compressed(filled_portal, tmp_path):
    (tmp_path / "divisions.csv.gz").write_bytes(gzip.compress("代码,名称\n359921100,清桥镇\n".encode()))
    assert re.search("镇街 +1\n", filled_portal.well("stations", "divisions", tmp_path / "divisions.csv.gz"))
