"""Numbers of documents, the words in them, laws in short, and which tasks no notice names."""

import pytest

from portal.domain.documents import KINDS, default_word, document_number, laws_of, unannounced_by
from portal.domain.errors import BadInput
from portal.domain.model import Basis
from portal.domain.profile import read_profile
from portal.domain.sample_profile import sample_profile


def test_a_number_is_the_organisations_word_the_kinds_the_year_and_a_sequence():
    assert document_number("连市监", "notice", 2026, 3) == "连市监检通〔2026〕3号"
    assert len({kind.word for kind in KINDS.values()}) == len(KINDS) == len({kind.title for kind in KINDS.values()})


@pytest.mark.parametrize(
    ("name", "word"),
    [("连江县市场监督管理局", "连市监"), ("晋江市市场监督管理局", "晋市监"), ("望溪县教育局", "望教"), ("福建省市场监督管理局", "福市监"), ("教育局", "教教")],
)
def test_without_a_word_of_its_own_a_bureau_gets_one_from_its_name(name, word):
    assert default_word(name) == word


def test_a_law_is_named_once_with_its_articles():
    bases = [Basis("食品安全法", "第三十三条"), Basis("食品安全法", "第四十九条"), Basis("计量法", ""), Basis("食品安全法", "第三十三条")]
    assert laws_of(bases) == ["《食品安全法》第三十三条、第四十九条", "《计量法》"]


@pytest.mark.parametrize(
    ("task", "row", "methods", "why"),
    [
        ("餐饮服务监督检查", {"method": "现场检查", "note": ""}, ["实地核查"], ""),
        ("餐饮服务飞行检查", {}, [], "任务名称写明“飞行检查”"),
        ("餐饮服务监督检查", {"note": "不预先告知"}, [], "年度计划的“备注”写明“不预先告知”"),
        ("餐饮服务监督检查", {"method": "现场检查、飞行检查"}, [], "年度计划的“检查方式”写明“飞行检查”"),
        ("餐饮服务监督检查", {"mode": None}, ["飞行检查"], "事项清单的检查方式写明“飞行检查”"),
    ],
)
def test_what_is_checked_unannounced_says_so_in_plan_or_item_list(task, row, methods, why):
    assert unannounced_by(task, row, methods) == why


def test_a_profile_may_say_what_documents_say_of_its_bureau():
    profile = sample_profile()
    assert read_profile(profile).documents == {}
    said = {"word": "望市监", "site": "https://amr.example.gov.cn/sjgk", "court": "望溪县人民法院"}
    assert read_profile({**profile, "documents": said}).documents == said
    for wrong, words in (({"word": "WX"}, "发文机关代字"), ({"site": "ftp://x"}, "https://"), ({"fax": "1"}, "documents.fax"), ({"word": ""}, "documents.word")):
        with pytest.raises(BadInput, match=words):
            read_profile({**profile, "documents": wrong})
