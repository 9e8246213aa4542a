"""The words and measures of the printed documents."""

import pytest

from portal.prints import wording

BUREAU = "晋江市市场监督管理局"


def test_dates_and_times_are_written_the_official_way():
    assert wording.cut_date("2026-06-09") == "2026年6月9日"
    assert wording.cut_date("2026-06-09T16:20:00+08:00") == "2026年6月9日"
    assert wording.cut_time("2026-06-09T06:05:00+08:00") == "2026年6月9日6时05分"
    assert wording.cut_time("2026-06-09T11:00:00+08:00") == "2026年6月9日11时"
    assert wording.cut_time("2026-06-09") == "2026年6月9日"


def test_what_is_no_date_stays_as_it_is():
    assert wording.cut_date("全年") == "全年"
    assert wording.cut_date("") == ""


@pytest.mark.parametrize(
    ("window", "long", "short"),
    [
        (["2026-06-11", "2026-07-10"], "2026年6月11日至7月10日", "6月11日至7月10日"),
        (["2026-03-01", "2026-05-31"], "2026年3月1日至5月31日", "3月至5月"),
        (["2026-04-01", "2026-04-30"], "2026年4月1日至4月30日", "4月"),
        (["2026-12-01", "2027-01-31"], "2026年12月1日至2027年1月31日", "2026年12月1日至2027年1月31日"),
        ("第三季度", "第三季度", "第三季度"),
        (None, "", ""),
    ],
)
def test_a_window_is_a_span_of_days_or_its_own_words(window, long, short):
    assert wording.span(window) == long
    assert wording.month_span(window) == short


@pytest.mark.parametrize(("number", "text"), [(3, "三"), (10, "十"), (12, "十二"), (20, "二十"), (35, "三十五")])
def test_headings_are_numbered_in_chinese(number, text):
    assert wording.numeral(number) == text


def test_names_are_joined_with_a_final_and():
    assert wording.joined(["甲"]) == "甲"
    assert wording.joined(["甲", "乙", "丙"]) == "甲、乙和丙"
    assert wording.joined([]) == ""


def test_the_usual_header_of_twelve_characters_is_36_pt():
    assert wording.header(BUREAU) == {"lines": ["晋江市市场监督管理局文件"], "size": 36}


@pytest.mark.parametrize(
    "bureau",
    ["厦门市场监管局", BUREAU, "福建省平潭综合实验区市场监督管理局", "内蒙古自治区鄂尔多斯市康巴什区市场监督管理局",
     "某某某某某某某某某某某某某某某某某某某某某某某某某某某某局"],
)
def test_a_header_of_any_length_fits_the_type_area_and_loses_no_character(bureau):
    header = wording.header(bureau)
    assert "".join(header["lines"]) == bureau + "文件"
    assert len(header["lines"]) <= 2
    assert max(wording.width(line) for line in header["lines"]) * header["size"] <= wording.TYPE_AREA_PT
    assert 22 <= header["size"] <= 40


@pytest.mark.parametrize(
    "rest",
    [
        "关于公布2026年第四批“双随机、一公开”抽查结果的公告",
        "关于公布2026年度“双随机、一公开”抽查工作计划的公告",
        "关于2026年第十二批食品生产、餐饮服务、特种设备、计量器具和认证活动跨部门联合抽查随机抽取结果的公告",
    ],
)
def test_a_title_breaks_into_lines_that_fit_and_part_no_number_or_quotation(rest):
    lines = wording.title_lines(BUREAU, rest)
    assert "".join(lines) == BUREAU + rest
    assert lines[0] == BUREAU
    assert max(map(wording.width, lines)) * wording.TITLE_PT <= wording.TYPE_AREA_PT
    for line in lines:
        assert line[0] not in wording.CLOSING
        assert line[-1] not in wording.OPENING
    assert not any("“双随机" in line and "一公开”" not in line for line in lines)
    assert not any(a[-1].isdigit() and b[0].isdigit() for a, b in zip(lines, lines[1:], strict=False))


@pytest.mark.parametrize(
    "lines",
    [
        ["关于2024年公示信息抽查", "随机抽取结果的公告"],
        ["关于公布2026年", "食品销售监督检查结果的公告"],
        ["关于2026年第一批登记事项", "和公示信息检查随机抽取结果的公告"],
        ["关于公布2024年度部门联合", "“双随机、一公开”抽查工作计划表的公告"],
    ],
)
def test_a_title_is_not_broken_inside_a_word(lines):
    assert wording.title_lines(BUREAU, "".join(lines)) == [BUREAU, *lines]


def test_a_title_that_is_nothing_but_words_is_broken_all_the_same():
    lines = wording.title_lines(BUREAU, "市场监督管理" * 8)
    assert "".join(lines[1:]) == "市场监督管理" * 8
    assert max(map(wording.width, lines)) * wording.TITLE_PT <= wording.TYPE_AREA_PT


def test_the_bureau_is_not_named_twice_in_a_title():
    assert wording.without_bureau(f"{BUREAU}2026年度抽查工作计划", BUREAU) == "2026年度抽查工作计划"
    assert wording.without_bureau("2026年度抽查工作计划", BUREAU) == "2026年度抽查工作计划"
    assert wording.without_bureau(BUREAU, BUREAU) == BUREAU


def test_an_entity_page_is_found_by_the_hash_of_its_code():
    assert wording.entity_path("91350582M0000TEST1#2").startswith("entities/")
    assert wording.entity_path("91350582M0000TEST1#2").endswith("/91350582M0000TEST1_2.html")
    assert len(wording.entity_path("A").split("/")[1]) == 2


@pytest.mark.parametrize(
    "base", ["", None, "javascript:alert(1)", "file:///srv", "https://a b/", 'https://a/"x', "https://例子/", "//a"]
)
def test_only_a_plain_web_address_becomes_one(base):
    assert wording.web_address(base, "x.html") == ""


def test_a_web_address_has_one_slash_before_the_path():
    assert wording.web_address("https://example.gov.cn/ssj/", "x.html") == "https://example.gov.cn/ssj/x.html"
