"""The four documents: what they say, how they look, what they must not hold."""

import base64
import json
import re
import socket
from pathlib import Path

import pytest

from portal.domain.errors import BadInput
from portal.prints import pages
from portal.prints.render import TEMPLATES

from . import samples
from tests.prints.test_photos import picture as photo

from .pdf_reading import info, ink_of, insides, lines_of, page_count, pages_of, text_of

LONG_NAME = "福建省晋江市㛃桥𬭎达" + "供应链管理与技术服务" * 4 + "（集团）股份有限公司"
LIST = [{"code": f"9135058200000{n:05d}", "name": samples.NAMES[n % 5], "tasks": ["T0", "T1"]} for n in range(500)]


@pytest.fixture(scope="module")
def printed(printer):
    """`printed(template, context)`: the PDF, made once for however many tests look at it."""
    made = {}

    def look(template, context):
        key = json.dumps([template, context], ensure_ascii=False)
        if key not in made:
            made[key] = printer.render(template, template, context)
        return made[key]

    return look


def plan_notice(**changes):
    return "plan_notice.html", {"about": samples.about(), "plan": samples.plan(**changes)}


def task_notice(state, disclosure="open", **changes):
    return "task_notice.html", {"about": samples.about(), "round": samples.round_(state, disclosure, **changes)}


def result_notice(count):
    return "result_notice.html", {
        "about": samples.about(), "round": samples.round_("revealed"), "results": samples.results(count)}


def result_sheet(**changes):
    return "result_sheet.html", {"about": samples.about(), "result": samples.result(**changes)}


def html_of(template, context):
    return pages.render_page(pages.environment(TEMPLATES), template, context).html


def test_the_plan_notice_has_header_number_title_table_and_sign_off(printed):
    pdf = printed(*plan_notice())
    text = text_of(pdf)
    for words in ("晋江市市场监督管理局文件", "晋市监〔2026〕4号", "关于公布2026年度“双随机、一公开”抽查工作计划的公告",
                  "附件：2026年度“双随机、一公开”抽查工作计划任务表", "2026年3月16日", "2026年3月16日印发", "存证日志第18402条"):
        assert words in text
    assert "主送" not in text


def test_an_empty_number_leaves_no_empty_line():
    assert 'class="no"' in html_of(*plan_notice())
    assert 'class="no"' not in html_of(*plan_notice(number=""))


def test_a_later_version_of_the_plan_says_that_it_replaces_the_earlier(printed):
    assert "第2版" in text_of(printed(*plan_notice(version=2)))


def test_the_annex_of_the_plan_has_every_column_that_somebody_filled_in(printed):
    text = text_of(printed(*plan_notice())).replace("\n", "")
    for words in ("抽查比例及频次", "牵头部门", "配合部门", "消防救援", "检查方式", "检查主体", "县抽县查", "市抽县查", "1.流通领域产品质", "2.登记事项检查", "流通领域联合抽查", "，1次", "20户"):
        assert words in text, words
    assert "A类" not in text and "按信用风险" in text
    plain = samples.plan(rows=3)
    later = ("name", "items", "count", "times", "partners", "method", "inspected_by", "drawn_by_text", "amount")  # what older publications lack
    plain["rows"] = [{name: value for name, value in row.items() if name not in later} for row in plain["rows"]]
    text = text_of(printed("plan_notice.html", {"about": samples.about(), "plan": plain}))
    assert "牵头部门" in text and "配合部门" not in text and "检查主体" not in text and "本局抽取" in text


def test_the_table_with_the_ratio_of_each_class_says_that_it_is_not_public(printed):
    plan = samples.plan(rows=3, internal=True)
    plan["rows"] = [row | {"class_ratios": {"A": "1%", "D": "37%"}} for row in plan["rows"]]
    text = text_of(printed("plan_notice.html", {"about": samples.about(), "plan": plan}))
    assert "A类" in text and "D类" in text and "37%" in text and "（此件不公开）" in text and "（此件公开发布）" not in text
    assert "（此件公开发布）" in text_of(printed(*plan_notice(rows=3)))


def test_a_plan_without_rows_has_no_annex(printed):
    text = text_of(printed(*plan_notice(rows=0)))
    assert "本年度未安排抽查任务" in text
    assert "附件" not in text


def test_before_the_draw_the_notice_gives_digest_sources_and_time(printed):
    text = text_of(printed(*task_notice("committed")))
    for words in (samples.digest("round"), "双色球第2026064期", "2026年6月4日16时20分固定", "抽取时间不早于2026年6月7日21时35分",
                  "晋江市市场监督管理局和晋江市公证处", "公开可验证", "存证日志第18377条"):
        assert words in text
    assert "抽中户数" not in text.split("附件")[-1]


def test_after_the_draw_the_notice_gives_counts_and_visits_avoided(printed):
    text = text_of(printed(*task_notice("drawn")))
    for words in ("抽中1243户次", "合并为1045次入企检查", "减少入企198次", "最多涉及3项任务", "4.11.17.23.28.32./9./",
                  samples.digest("result"), "最迟不超过2026年7月13日"):
        assert words in text


def test_an_unrevealed_round_past_its_date_says_so(printed):
    assert "逾期未披露" in text_of(printed(*task_notice("drawn", overdue=True)))


def test_a_sealed_round_shows_no_list_and_its_honest_label(printed):
    text = text_of(printed(*task_notice("revealed", "sealed", list=LIST)))
    assert "监督机构可复核" in text
    assert "公开可验证" not in text
    assert LIST[0]["code"] not in text
    assert "重新计算" not in text


def test_a_round_without_sources_does_not_claim_public_randomness(printed):
    label = "内部可复核，不能证明结果未被挑选"
    text = text_of(printed(*task_notice("committed", sources=[], label=label)))
    assert label in text
    assert "未使用公开随机数" in text


def test_a_voided_round_gives_the_reason_and_no_table(printed):
    text = text_of(printed(*task_notice("void")))
    assert "检查对象名录导入有误" in text
    assert "附件" not in text


@pytest.mark.long
def test_a_long_list_is_cut_at_two_hundred_and_points_to_the_open_data(printed):
    text = text_of(printed(*task_notice("revealed", list=LIST)))
    assert len(set(re.findall(r"9135058200000\d{5}", text))) == 200
    assert "共500户，此处列前200户" in text


def test_no_results_is_said_in_words(printed):
    pdf = printed(*result_notice(0))
    assert "尚无审核完毕、可以公布的结果" in text_of(pdf)
    assert "附件" not in text_of(pdf)


def test_the_result_notice_counts_and_lists(printed):
    text = text_of(printed(*result_notice(7)))
    assert "已公布7次检查的结果，涉及检查事项14项次。其中未发现问题11项次，发现问题3项次（3户）" in text
    assert "已完结3项次，正在办理0项次" in text
    assert "晋市监公告〔2026〕9号" not in text  # that is the number of the task notice


@pytest.mark.long
def test_five_hundred_results_repeat_the_head_on_every_page_and_stop_at_two_hundred(printed):
    annex = pages_of(printed(*result_notice(500)))[2:]
    assert len(annex) > 10
    assert all("序号检查对象检查事项检查结果后续处置" in page for page in annex)
    assert "共500次检查，此处列前200次" in annex[-1]


def test_the_results_of_a_list_drawn_elsewhere_do_not_claim_a_draw_of_ours():
    own, label = samples.round_("revealed"), "外部抽取，本站不能验证"
    listed = {
        "code": "350582-2026-X001", "title": "餐饮服务检查（外部抽取，泉州市局平台）", "label": label, "platform": "泉州市局平台",
        "drawn_on": "2026-05-20", "window": own["window"], "proof": samples.result(0)["proof"],
    }  # fmt: skip
    notice = html_of("result_notice.html", {"about": samples.about(), "round": listed, "results": samples.results(2)})
    assert "由泉州市局平台于2026年5月20日抽取后下发，不是本局抽取" in notice and "随机抽取确定" not in notice
    sheet = html_of("result_sheet.html", {"about": samples.about(), "result": {**samples.result(0), "label": label, "round_title": listed["title"]}})
    assert "名单来源：" in sheet and "抽取批次" not in sheet and label in sheet


def test_the_measures_are_those_of_the_national_standard(printed):
    """GB/T 9704-2012: 5.2 margins, type area, 22 lines of 28 characters, 7.2.4 the header, 7.4.1 the imprint's last line, 7.5 the page number."""
    pdf = printed(*task_notice("void", void={"reason": "测" * 1500, "at": "2026-06-05T11:00:00+08:00"}))
    lines = [line.strip() for line in lines_of(pdf, 2)]
    assert [len(line) for line in lines if line.startswith("测")] == [28] * 22

    def near(found, *wanted):
        assert all(one is None or abs(place - one) < 0.5 for place, one in zip(found, wanted, strict=True)), (found, wanted)

    near(ink_of(pdf, 1, 0, 210, 40, 263), 28, 184, 72, None)  # 37 + 35 mm to the marks of the authority's name
    near(ink_of(pdf, 4, 0, 210, 30, 263), 26, 182, None, 262)  # even pages lie the other way round; the last line is the type area's
    near(ink_of(pdf, 1, 162, 166.6, 263, 290), None, None, 269, 269)  # the dash beside the number: 7 mm below
    near(ink_of(pdf, 1, 150, 210, 263, 290), None, 184 - 4.9, None, None)  # one character from the edge
    near(ink_of(pdf, 2, 20, 50, 263, 290), 26 + 4.9, None, None, None)



@pytest.mark.parametrize("document", [plan_notice(), task_notice("drawn"), result_notice(7), result_notice(500)])
def test_the_imprint_stands_once_on_the_last_page(printed, document):
    texts = pages_of(printed(*document))
    assert [("办公室" in page and "日印发" in page) for page in texts] == [False] * (len(texts) - 1) + [True]


@pytest.mark.parametrize("notes", range(9))
def test_the_sign_off_never_stands_on_a_page_without_text(printer, notes):
    context = plan_notice(rows=1, notes=["各项任务按时完成检查并公布结果，不得层层加码。" * 2] * notes)
    [page] = [page for page in pages_of(printer.render("plan", *context)) if "（此件公开发布）" in page]
    assert page.index("我局反映。") < page.index("附件：") < page.index("2026年3月16日（此件公开发布）")


def test_the_sheet_of_one_visit_fits_one_page_and_names_the_draw(printed):
    pdf = printed(*result_sheet())
    assert page_count(pdf) == 1
    text = text_of(pdf)
    for words in ("晋江市潮声里餐饮管理有限公司", "发现问题已责令改正", "责令改正，已完结（2026年7月2日）", "R2026-04", "公开可验证",
                  "执法人员2名", samples.proof(18430)["hash"], samples.proof(18430)["root"], "entities/"):
        assert words in text


def test_points_that_go_over_to_the_next_page_stand_under_their_item_there_too(printed):
    first, second = pages_of(printed(*result_sheet(points=40)))
    head = "餐饮服务监督检查检查情况"
    assert first.count(head) == second.count(head) == 1 and "检查要点" + head in first and second.startswith(head)
    assert "40.食品原料" not in first and "40.食品原料" in second


def test_a_correction_is_shown_with_its_date(printed):
    history = [{"on": "2026-07-20", "text": "检查结果更正为“未发现问题”。"}]
    pdf = printed(*result_sheet(history=history))
    assert "2026年7月20日检查结果更正为“未发现问题”。" in text_of(pdf)
    assert info(pdf, "ModDate") == "D:20260720"


def test_the_code_for_phones_is_printed_only_when_the_address_is_known():
    template, context = result_sheet()
    assert "<svg" not in html_of(template, context)
    about = samples.about(base_url="https://example.gov.cn/ssj")
    html = html_of(template, context | {"about": about})
    assert "<svg" in html
    assert "https://example.gov.cn/ssj/entities/" in html
    assert "<svg" not in html_of(template, context | {"about": samples.about(base_url="javascript:alert(1)")})


@pytest.mark.parametrize("document", [plan_notice(), task_notice("drawn"), result_notice(3)], ids=["plan", "task", "results"])
def test_an_announcement_leads_to_its_own_page(document):
    template, context = document
    assert "<svg" not in html_of(template, context | {"page": "plans/2026.html"})
    html = html_of(template, context | {"page": "plans/2026.html", "about": samples.about(base_url="https://example.gov.cn/ssj")})
    assert pages.qr("https://example.gov.cn/ssj/plans/2026.html")["d"] in html


@pytest.mark.parametrize(
    ("document", "keys"),
    [(plan_notice(rows=60), ("plan",)), (task_notice("drawn"), ("round",)), (result_notice(3), ("round", "results")), (result_sheet(points=56), ("result",))],
    ids=["plan", "task", "results", "sheet"],
)  # fmt: skip
def test_what_is_printed_is_attached_for_machines_and_nothing_more(printed, document, keys):
    template, context = document
    said = {key: context[key] for key in keys}
    line = json.dumps(said if len(keys) > 1 else said[keys[0]], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    inside = insides(printed(template, context))
    assert line.encode() in inside and inside.count(b"/Type /Filespec") == 1


def test_the_code_for_phones_covers_exactly_the_dark_modules():
    segno = pytest.importorskip("segno")
    drawn = pages.qr("https://example.gov.cn/ssj")
    dark = set()
    for x, y, run in re.findall(r"M(\d+) (\d+)\.5h(\d+)", drawn["d"]):
        dark |= {(int(x) + i, int(y)) for i in range(int(run))}
    matrix = segno.make("https://example.gov.cn/ssj", error="m", micro=False).matrix
    assert dark == {(x, y) for y, row in enumerate(matrix) for x, module in enumerate(row) if module}


def test_the_demo_mark_is_on_every_page_and_only_in_demos(printed):
    template, context = result_notice(7)
    assert all("演示数据" in page for page in pages_of(printed(template, context)))
    real = context | {"about": samples.about(demo=False)}
    assert "演示" not in text_of(printed(template, real))


@pytest.mark.parametrize(
    "document",
    [plan_notice(rows=60), task_notice("drawn"), result_notice(3), result_sheet(points=56)],
    ids=["plan", "task", "results", "sheet"],
)
def test_the_metadata_names_the_bureau_and_the_title_and_nobody(printed, document):
    pdf = printed(*document)
    assert info(pdf, "Author") == samples.BUREAU
    assert "双随机、一公开" in info(pdf, "Title")
    assert info(pdf, "Producer").startswith("WeasyPrint")
    assert not any(info(pdf, field) for field in ("Creator", "Subject", "Keywords"))
    assert b"/Lang (zh-CN)" in insides(pdf)
    assert b"/StructTreeRoot" in insides(pdf)
    assert info(pdf, "CreationDate").startswith("D:2026")


def test_rare_characters_and_names_of_sixty_are_printed_whole(printed):
    assert len(LONG_NAME) >= 58
    sheet = printed(*result_sheet(name=LONG_NAME))
    assert LONG_NAME in text_of(sheet)
    template, context = result_notice(2)
    context["results"][0]["name"] = LONG_NAME
    # pdftotext puts the number of the row between the lines of a long cell
    printed = re.sub(r"\d", "", text_of(printed(template, context)))
    assert all(part in printed for part in re.findall(".{6}", LONG_NAME))


HOSTILE = (
    "file:///etc/passwd", '<img src="http://127.0.0.1:{port}/a">', "<link rel=attachment href=file:///etc/passwd>",
    "url(http://127.0.0.1:{port}/b)", '"><style>@import "http://127.0.0.1:{port}/c"</style>', "<td colspan=1000000>",
    "{{{{ 7 * 7 }}}}",
)


def test_addresses_and_markup_in_data_are_printed_as_text_and_nothing_is_fetched(printed):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        texts = [text.format(port=port) for text in HOSTILE]
        result = samples.result(name=texts[0], town=texts[1], type=texts[6], status=texts[5])
        result["items"][1] |= {"summary": texts[2], "points": [{"label": texts[3], "answer": texts[4]}]}
        pdf = printed("result_sheet.html", {"about": samples.about(), "result": result})
        with pytest.raises(BlockingIOError):
            server.accept()
    text = text_of(pdf)
    for hostile in texts:
        assert "".join(hostile.split()) in text
    assert b"root:" not in insides(pdf)
    assert insides(pdf).count(b"/Type /EmbeddedFile") == 1  # its own record
    assert b"/URI" not in insides(pdf)


def test_no_template_marks_text_as_safe_or_refers_to_another_file():
    for path in sorted(Path(TEMPLATES).glob("*.html")):
        source = re.sub(r"\{#.*?#\}", "", path.read_text("utf-8"), flags=re.S)
        if path.name == "record_sheet.html":  # pictures that came with the document, by steps/documents.py
            source = re.sub(r'src="\{\{ (picture|photo\.src) \}\}"', "", source)
        assert not re.search(r"\|\s*safe|autoescape|Markup|href=|src=|<link|<script", source), path.name
    assert "url(" not in (Path(TEMPLATES) / "doc.css").read_text("utf-8")


def record_sheet(picture: str = f"{pages.PICTURE}F1", **changes):
    sheet = {
        "title": "餐饮服务检查表", "form": "catering.check", "version": "2026-1", "entity_name": LONG_NAME, "entity": "91350582MA0000007P", "address": "梅岭街道和平路1号",
        "visit": "350582-2026-R01_1", "task": "餐饮服务监督检查", "method": "实地核查", "inspected_on": "2026-07-03", "arrived_at": "2026-07-03T09:12+08:00",
        "number": "", "inspectors": [{"name": "沈听雨", "certificate": "闽350582001"}, {"name": "吴望溪", "certificate": ""}], "items": [{"name": "餐饮服务监督检查", "outcome": "未发现问题"}],
        "sections": [{"title": "原料控制", "points": [
            {"number": f"2.{n}", "key": n % 3 == 0, "label": "未采购、贮存、使用超过保质期的食品原料", "verdict": "合格", "said": "", "signatures": []} for n in range(1, 57)
        ] + [{"number": "3.1", "key": False, "label": "现场人员签名", "verdict": "", "said": "", "signatures": [picture]}]}],
        "opinion": "无异议", "mark": "记录 7　第 3 次保存", "unfinished": "", "photos": [{"src": picture, "number": "2.3", "label": "照片", "taken": "2026-07-03 09:20", "original": "0" * 64}],
    } | changes  # fmt: skip
    about = {"bureau": {"name": "晋江市市场监督管理局"}, "demo": False, "as_of": "2026-07-03"}
    return "record_sheet.html", {"about": about, "sheet": sheet, "pictures": {f"{pages.PICTURE}F1": base64.b64encode(photo((400, 300))).decode()}}


def test_a_record_sheet_says_every_point_and_shows_signature_and_photos(printed):
    pdf = printed(*record_sheet())
    text = text_of(pdf)
    for words in ("检查记录", "沈听雨（闽350582001）、吴望溪", "2.56", "2026年7月3日9时12分", "当事人（签名）", "2026-07-0309:20拍摄", "记录7"):
        assert words in text, words
    assert page_count(pdf) == 3 and pdf.count(b"/Subtype /Image") + pdf.count(b"/Subtype/Image") == 1  # once, however often it is shown


def test_photos_follow_where_there_is_room_and_rows_of_a_repeat_go_across_the_page(printed):
    device = [["设备代码或者使用登记证编号", "梯11闽C00001"], ["不合格的事实", "检验有效期已过，没有申报定期检验，仍在使用，已当场责令停止使用"]]
    point = {"number": "2.1", "key": False, "label": "抽查的设备", "verdict": "", "said": "", "signatures": [], "rows": [device]}
    name, context = record_sheet(sections=[{"title": "使用单位", "points": [point, *[{**point, "rows": [], "said": "无"}] * 20]}])
    context["sheet"]["photos"] *= 5
    pages = pages_of(printed(name, context))
    assert [page.count("SHA-256") for page in pages] == [0, 2, 3] and "当事人（签名）" in pages[1], "on the page of the signatures"
    assert "（1）设备代码或者使用登记证编号：梯11闽C00001，不合格的事实：检验有效期已过" in pages[0]


def test_a_record_sheet_has_no_picture_but_those_that_came_with_it(printer):
    for address in (f"{pages.PICTURE}F2", "file:///etc/passwd"):  # each refusal ends a worker
        with pytest.raises(BadInput):
            printer.render("x", *record_sheet(address))
