"""Files of every kind: looked at without a trace, then saved once, all rows or the good ones, and given back with remarks."""

import asyncio
import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from portal import jobs
from portal.domain.cells import Sheet
from portal.domain.codes import make_uscc
from portal.domain.errors import BadInput, NotAllowed, NotFound, WrongMoment
from portal.domain.imports import unpack_sheet
from portal.domain.model import OUTCOMES, PoolRule
from portal.domain.results import point_headings
from portal.sheets.read import read_sheet
from portal.steps import imports, joined_forms, sample, uploads
from portal.store import audit, directory
from portal.store import imports as store
from portal.store import plan as plan_store
from portal.store import records as record_store
from portal.store.tables import Entity, EntityClass, ExternalEntry, Job, Recusal, RegisterEntry
from tests import office
from tests.office import OPEN, snapshot
from tests.shared import shared_file

pytestmark = pytest.mark.anyio

HEAD = ("统一社会信用代码", "企业名称")
NEW = [make_uscc("9", "1", "359921", f"MB00000{n}") for n in range(1, 6)]
WRONG = NEW[0][:17] + ("A" if NEW[0][17] != "A" else "B")


def sheet(*rows, head=HEAD, **more):
    return Sheet((head, *rows), kind="xlsx", **more)


async def bring(act, kind, given, **more):
    return await imports.import_sheet(act, kind, given, "文件.xlsx", b"the file", **more)


def gone(total, new=0, updated=0, same=0, joined=0, refused=0):
    """Where the rows of a file went."""
    assert total == new + updated + same + joined + refused
    return {"数据行": total, "新增": new, "更新原有": updated, "内容未变": same, "并入前面的行": joined, "有错误未导入": refused}


async def upload(act, given, kind="entities", **options):
    return await uploads.save_upload(act, kind, given, "名录.xlsx", b"the file", options)


def said(problems):
    return [(problem.row, problem.field, problem.message) for problem in problems]


async def entity(house, code):
    return await directory.load_entity(code, (await house.acting("operator")).tree)


async def some_codes(house, count=3):
    tree = sorted((await house.acting("operator")).tree)
    rows = await Entity.select(Entity.code, Entity.status).where(Entity.organisation.is_in(tree)).order_by(Entity.code).run()
    return [row["code"] for row in rows if row["status"] == "存续"][:count]


# All or nothing, or the good rows -------------------------------------------------


async def test_one_error_refuses_the_file_and_the_good_rows_come_in_by_choice_only(filled):
    act = await filled.acting("operator")
    given = sheet((NEW[0], "甲公司"), ("", "乙公司"), (NEW[2], "丙公司"))
    before = await snapshot()
    with pytest.raises(BadInput, match="^检查对象名录有 1 处错误，没有导入任何一行。请改正后重新上传。$") as refusal:
        await bring(act, "entities", given)
    assert said(refusal.value.problems) == [(3, "统一社会信用代码", "没有填写。请补上后重新上传。")]
    assert await snapshot() == before
    report = await bring(act, "entities", given, good_rows=True)
    assert report.counts["读入"] == 2 and said(report.errors) == [(3, "统一社会信用代码", "没有填写。请补上后重新上传。")]
    assert [bool(await entity(filled, code)) for code in NEW[:3]] == [True, False, True]
    (row,) = await store.load_uploads(act.tree)
    assert (row["state"], row["good_rows"], row["name"]) == ("applied", True, "文件.xlsx") and ["读入", 2] in row["report"]
    with pytest.raises(BadInput, match="检查对象名录没有一行可以导入"):
        await bring(act, "entities", sheet(("", "乙公司")), good_rows=True)


async def test_what_a_file_has_no_column_for_stays_as_it_was(filled):
    act = await filled.acting("operator")
    code = (await some_codes(filled, 1))[0]
    before = await entity(filled, code)
    await bring(act, "entities", sheet((code, "改了名的公司")))
    after = await entity(filled, code)
    assert after["name"] == "改了名的公司"
    assert {k: v for k, v in after.items() if k not in ("name", "imported_at")} == {k: v for k, v in before.items() if k not in ("name", "imported_at")}
    await bring(act, "entities", sheet((code, "改了名的公司", "注销", ""), head=(*HEAD, "登记状态", "经营范围")))
    assert ((await entity(filled, code))["status"], (await entity(filled, code))["scope"]) == ("注销", "")


async def test_rows_of_another_bureau_are_errors_of_their_rows(filled):
    ours = await some_codes(filled, 2)
    stranger = await filled.acting("stranger")
    with pytest.raises(BadInput) as refusal:
        await bring(stranger, "entities", sheet((NEW[0], "甲"), (ours[0], "乙")))
    assert said(refusal.value.problems) == [(3, "统一社会信用代码", f"代码 {ours[0]} 已在其他单位的名录中。请删去这一行，或与该单位核对管辖。")]
    report = await bring(stranger, "entities", sheet((NEW[0], "甲"), (ours[0], "乙")), good_rows=True)
    assert report.counts["读入"] == 1


async def test_a_preview_tells_what_would_happen_and_leaves_no_trace(filled):
    act = await filled.acting("operator")
    known = (await some_codes(filled, 1))[0]
    before = await snapshot()
    given = sheet((NEW[0], "甲公司", 1), (known, "旧公司", 2), ("坏!", "乙公司", 3), head=(*HEAD, "天气"))
    preview, _ = await imports.preview_sheet(act, "entities", given, "名录.xlsx", b"x")
    assert await snapshot() == before
    assert (preview.total, preview.good, preview.bad, preview.error_count) == (3, 2, 1, 1)
    assert dict(preview.counts) == gone(3, new=1, updated=1, refused=1) | {"不在册（不参加抽取）": 0} and preview.unknown == ("天气",)
    assert preview.values[0] == "坏!" and preview.sample[0] == (*HEAD, "天气") and preview.sample[1] == (NEW[0], "甲公司", "1")
    with pytest.raises(BadInput, match="没有“trees”这一类文件。可以导入的有：检查对象名录、"):
        await imports.preview_sheet(act, "trees", given, "x", b"x")


# Uploads ----------------------------------------------------------------------------


async def test_an_upload_is_applied_exactly_once(filled):
    act = await filled.acting("operator")
    number = await upload(act, sheet((NEW[0], "甲公司")))
    report = await uploads.apply_upload(act, number, False)
    assert report.counts["读入"] == 1
    for again in (uploads.apply_upload(act, number, False), uploads.drop_upload(act, number), uploads.map_headings(act, number, {"天气": "不导入"})):
        with pytest.raises(WrongMoment, match="“名录.xlsx”已由运维员在 2026-05-25 09:00 导入，没有重复导入。"):
            await again
    acts = [row["act"] for row in await audit.load_acts(0) if row["object"] in (f"upload/{number}", "entities")]
    assert acts.count("imports.upload") == 1
    with pytest.raises(NotFound, match=f"没有编号为 {number} 的导入文件，或者不在您的辖区。"):
        await uploads.load_preview(await filled.acting("stranger"), number)


async def test_two_who_apply_at_once_import_once(filled):
    act = await filled.acting("operator")
    number = await upload(act, sheet((NEW[0], "甲公司")))
    before = (await audit.load_head())["n"]
    made = await asyncio.gather(*(uploads.apply_upload(act, number, False) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, imports.ImportReport) for one in made) == 1
    assert all(isinstance(one, (imports.ImportReport, WrongMoment)) for one in made), made
    assert [row["act"] for row in await audit.load_acts(before)] == ["directory.import"]


async def test_private_columns_are_never_stored_and_the_file_goes_once_it_is_imported(filled):
    act = await filled.acting("operator")
    given = sheet((NEW[0], "甲公司", "13800000000", "350000199001010000"), head=(*HEAD, "手机号", "身份证号"))
    number = await upload(act, given)
    kept = unpack_sheet(await store.load_upload_data(number))
    assert kept.rows == ((*HEAD, "手机号", "身份证号"), (NEW[0], "甲公司", "", ""))
    assert "13800000000" not in str(await snapshot()) and "350000199001010000" not in str(await snapshot())
    await uploads.apply_upload(act, number, False)
    assert await store.load_upload_data(number) == b"" and not await store.has_upload_data(number)
    with pytest.raises(WrongMoment, match="“名录.xlsx”的原文件已经清除，不能再下载。需要时请重新上传。"):
        await uploads.write_remarks(act, number)


async def test_a_dropped_or_forgotten_upload_is_gone(filled):
    act = await filled.acting("operator")
    dropped, old = await upload(act, sheet((NEW[0], "甲公司"))), await upload(act, sheet((NEW[1], "乙公司")))
    await uploads.drop_upload(act, dropped)
    later = replace(act, now=act.now + uploads.KEPT_FOR + timedelta(hours=1))
    fresh = await upload(later, sheet((NEW[2], "丙公司")))
    for number in (dropped, old):
        assert await store.load_upload_data(number) == b""
        with pytest.raises(WrongMoment, match="“名录.xlsx”已放弃或已过期，请重新上传。"):
            await uploads.apply_upload(later, number, False)
    await uploads.apply_upload(later, fresh, False)


async def test_after_the_good_rows_the_file_stays_for_its_remarks(filled):
    act = await filled.acting("operator")
    number = await upload(act, sheet((NEW[0], "甲公司"), ("", "乙公司")))
    await uploads.apply_upload(act, number, True)
    name, data = await uploads.write_remarks(act, number)
    assert name == "名录（备注）.xlsx" and read_sheet(data).rows[2][2] == "“统一社会信用代码”没有填写。请补上后重新上传。"


async def test_headings_pointed_out_once_are_known_from_then_on(filled):
    act = await filled.acting("operator")
    given = sheet((NEW[0], "甲公司", "晴"), head=("企业注册码", "单位全称", "天气"))
    number = await upload(act, given)
    row, preview = await uploads.load_preview(act, number)
    assert preview.missing == ("统一社会信用代码", "企业名称") and preview.unknown == ("企业注册码", "单位全称", "天气")
    with pytest.raises(BadInput, match="表头对应关系有误") as refusal:
        await uploads.map_headings(act, number, {"企业注册码": "注册码"})
    assert "没有“注册码”这个栏目，可以对应的有：统一社会信用代码、" in refusal.value.problems[0].message
    with pytest.raises(BadInput, match="没有指定任何一列"):
        await uploads.map_headings(act, number, {})
    await uploads.map_headings(act, number, {"企业注册码": "code", "单位全称": "企业名称", "天气": "不导入"})
    _, preview = await uploads.load_preview(act, number)
    assert (preview.good, preview.missing, preview.unknown) == (1, (), ())
    (act_row,) = [row for row in await audit.load_acts(0) if row["act"] == "imports.map"]
    assert '"单位全称":"name"' in act_row["detail"]
    report = await bring(act, "entities", sheet((NEW[1], "乙公司", "雨"), head=("企业注册码", "单位全称", "天气")))
    assert report.warnings and "天气" in report.warnings[0].field and "没有用到" in report.warnings[0].message
    with pytest.raises(BadInput, match="找不到"):  # another bureau has not said so
        await bring(await filled.acting("stranger"), "entities", given)


async def test_a_private_heading_cannot_be_pointed_to_anything(filled):
    act = await filled.acting("operator")
    with pytest.raises(BadInput) as refusal:
        await imports.preview_sheet(act, "inspectors", sheet(), "x", b"x", mapping={"手机号": "单位工号"})
    assert said(refusal.value.problems) == [(0, "手机号", "是个人信息列，本系统不保存，不能对应到其他栏目。")]


async def test_a_long_file_is_applied_by_the_worker(filled, monkeypatch):
    monkeypatch.setattr(uploads, "LONG_ROWS", 1)
    act = await filled.acting("operator")
    number = await upload(act, sheet((NEW[0], "甲公司"), (NEW[1], "乙公司")))
    job = await uploads.request_apply(act, number, False)
    assert job and not await entity(filled, NEW[0])
    with pytest.raises(WrongMoment, match="“名录.xlsx”正在后台导入，请稍后查看。"):
        await uploads.request_apply(act, number, False)
    assert await jobs.work(filled.settings, filled.keys, filled.sectors, until_idle=True) == 1
    assert (await Job.select().where(Job.id == job).first().run())["note"] == "数据行 2，新增 2，读入 2。" and await entity(filled, NEW[1])
    assert (await uploads.load_preview(act, number))[0]["state"] == "applied"


async def test_a_refusal_in_the_background_comes_back_for_a_decision(filled, monkeypatch):
    monkeypatch.setattr(uploads, "LONG_ROWS", 1)
    act = await filled.acting("operator")
    number = await upload(act, sheet((NEW[0], "甲公司"), (NEW[1], "乙公司")))
    await uploads.request_apply(act, number, False)
    await bring(await filled.acting("stranger"), "entities", sheet((NEW[1], "乙公司")))  # meanwhile
    await jobs.work(filled.settings, filled.keys, filled.sectors, until_idle=True)
    row, _ = await uploads.load_preview(act, number)
    assert row["state"] == "previewed" and row["note"] == "检查对象名录有 1 处错误，没有导入任何一行。请改正后重新上传。"
    assert not await entity(filled, NEW[0])
    await uploads.drop_upload(act, number)


# The same file back -----------------------------------------------------------------


async def test_the_remarks_file_is_the_file_itself_and_can_be_imported(filled):
    act = await filled.acting("operator")
    rows = [("望溪县名录", "", ""), (*HEAD, "成立日期"), (NEW[0], "=HYPERLINK(\"x\")公司", date(2020, 5, 1)), ("", "乙公司", "去年"), (WRONG, "丙公司", 43952)]
    given = Sheet(tuple(rows), merged=(((0, 0), (0, 2)),))
    _, data = await imports.preview_sheet(act, "entities", given, "x", b"x")
    back = read_sheet(data)
    assert back.rows[1][3] == "备注（系统）" and back.rows[0][0] == "望溪县名录" and back.merged == given.merged
    assert back.rows[2][:4] == (NEW[0], "=HYPERLINK(\"x\")公司", "2020-05-01", "")
    assert back.rows[3][3] == "“统一社会信用代码”没有填写。请补上后重新上传。" and "校验码" in back.rows[4][3]
    _, again = await imports.preview_sheet(act, "entities", back, "x", b"x")
    assert read_sheet(again).rows == back.rows, "remarks replace remarks"
    report = await bring(act, "entities", back, good_rows=True)
    assert report.counts["读入"] == 2 and (await entity(filled, NEW[0]))["registered_on"] == date(2020, 5, 1)
    assert not any("备注" in problem.field and "不认识" in problem.message for problem in report.warnings)


# Codes vouched for --------------------------------------------------------------------


async def test_a_code_vouched_for_is_warned_about_no_more(filled):
    act = await filled.acting("operator")
    preview, _ = await imports.preview_sheet(act, "entities", sheet((WRONG, "丙公司")), "x", b"x")
    assert preview.doubtful == (WRONG,) and preview.warning_count == 1
    with pytest.raises(BadInput, match="请写明核对的依据"):
        await imports.accept_codes(act, [WRONG], " ")
    with pytest.raises(BadInput, match=f"代码 {NEW[0]} 的校验码是对的，不需要确认。"):
        await imports.accept_codes(act, [WRONG, NEW[0]], "已与营业执照核对")
    assert await imports.accept_codes(act, [WRONG], "已与营业执照核对") == 1
    assert await imports.accept_codes(act, [WRONG], "又核对一次") == 0
    preview, _ = await imports.preview_sheet(act, "entities", sheet((WRONG, "丙公司")), "x", b"x")
    assert preview.doubtful == () and preview.warning_count == 0
    preview, _ = await imports.preview_sheet(await filled.acting("stranger"), "entities", sheet((WRONG, "丙公司")), "x", b"x")
    assert preview.doubtful == (WRONG,)


# Recusals -----------------------------------------------------------------------------


async def test_recusals_are_entered_once_and_name_people_who_are_here(filled):
    act = await filled.acting("operator")
    person = (await directory.load_inspectors(act.tree))[0]
    code = (await some_codes(filled, 1))[0]
    head = ("单位工号", "统一社会信用代码", "回避原因", "回避截止日期", "备注")
    with pytest.raises(BadInput) as refusal:
        await bring(act, "recusals", sheet(("W-NONE", code, "近亲属"), head=head))
    assert said(refusal.value.problems) == [(2, "单位工号", "执法人员名录中没有工号“W-NONE”。请核对，或先导入执法人员名录。")]
    given = sheet((person["number"], code, "近亲属", "2027-12-31", "公函 3 号"), (person["code"], NEW[4], "同学"), head=head)
    report = await bring(act, "recusals", given)
    assert report.counts == gone(2, new=2)
    assert said(report.warnings) == [(3, "统一社会信用代码", f"检查对象名录中没有代码 {NEW[4]}，回避照常登记。")]
    row = await Recusal.select().where(Recusal.entity_code == code).where(Recusal.inspector == person["id"]).order_by(Recusal.id, ascending=False).first().run()
    assert (row["reason"], row["until"], row["since"]) == ("近亲属（公函 3 号）", date(2027, 12, 31), act.today)
    assert (await bring(act, "recusals", given)).counts == gone(2, same=2)


# Classes ------------------------------------------------------------------------------

CLASS_HEAD = ("统一社会信用代码", "信用风险等级", "分类日期", "分类版本")


async def test_classes_keep_their_history_and_the_directory_shows_the_latest(filled):
    act = await filled.acting("operator")
    one, two = await some_codes(filled, 2)
    report = await bring(act, "classes", sheet((one, "C类", "2026-03-31", "一季度"), (two, "红", "2026-03-31", "一季度"), (NEW[0], "低风险", "2026-03-31", "一季度"), head=CLASS_HEAD))
    assert report.counts == gone(3, new=3) | {"读入": 3, "分类批次": 1, "名录已更新": 2}
    assert said(report.warnings) == [(4, "统一社会信用代码", f"检查对象名录中没有代码 {NEW[0]}，分类结果先保留，进入名录时带出。")]
    assert [(await entity(filled, code))["risk_class"] for code in (one, two)] == ["C", "红"]
    older = await bring(act, "classes", sheet((one, "A"), head=CLASS_HEAD[:2]), options={"分类日期": "2025-12-31", "version": "上年"})
    assert older.counts["名录已更新"] == 0 and (await entity(filled, one))["risk_class"] == "C"
    bureau = act.bureau["id"]
    assert [(row["risk_class"], row["classed_on"], row["version"]) for row in await store.load_class_history(bureau, one)] == [
        ("C", date(2026, 3, 31), "一季度"), ("A", date(2025, 12, 31), "上年")]
    await bring(act, "entities", sheet((NEW[0], "新公司"), (one, "旧公司")))
    assert (await entity(filled, NEW[0]))["risk_class"] == "A" and (await entity(filled, one))["risk_class"] == "C"
    assert await EntityClass.count().run() == 4


async def test_classes_need_their_day_and_a_class(filled):
    act = await filled.acting("operator")
    one, two = await some_codes(filled, 2)
    with pytest.raises(BadInput, match="文件里没有“分类日期”列。请补上该列，或在导入时填写分类日期。"):
        await bring(act, "classes", sheet((one, "A"), head=CLASS_HEAD[:2]))
    with pytest.raises(BadInput) as refusal:
        await bring(act, "classes", sheet((one, "A", "", ""), (two, "很不好的一家", "2026-05-01", ""), (NEW[1], "???", "2026-05-01", ""), (NEW[2], "", "2026-05-01", ""), (NEW[3], "B", "2026-05-26", ""), head=CLASS_HEAD))
    assert said(refusal.value.problems) == [
        (2, "分类日期", "没有填写。请补上后重新上传。"), (4, "信用风险等级", "“???”不是风险等级。请填写分类结果，例如 A、B、C、D。"),
        (5, "信用风险等级", "没有填写。请补上后重新上传。"), (6, "分类日期", "2026-05-26 在今天之后。请核对日期。")]
    with pytest.raises(BadInput) as refusal:
        await bring(act, "classes", sheet((one, "A"), head=CLASS_HEAD[:2]), options={"分类日期": "去年", "天气": "晴"})
    assert said(refusal.value.problems) == [
        (0, "classed_on", "“分类日期”“去年”不是日期。请写成 2027-12-31 这样。"), (0, "天气", "导入信用风险分类结果没有这一栏，可以写的有：分类日期、分类版本、分类体系。")]


# Registers ----------------------------------------------------------------------------

REGISTER_HEAD = ("专项库名称", "对应专项库监管标签", "代码", "企业名称", "许可证名称", "编号", "批准日期", "有效期至", "发证机关", "检查机关", "生产线")


async def test_register_rows_join_the_entry_and_survive_its_next_import(filled):
    act = await filled.acting("operator")
    code = (await some_codes(filled, 1))[0]
    await bring(act, "entities", sheet((code, "甲公司", "卫生许可证", "W1", "100万元"), head=(*HEAD, "许可证名称", "许可证编号", "注册资本")))
    rows = [("食品生产", "食品生产，网络经营", code, "甲公司", "食品生产许可证", "SC1", "2024-01-02", "长期", "望溪局", "城关所", "2 条"),
            ("食品生产", "", code, "甲公司", "食品生产许可证", "SC2", "", "", "", "", ""), ("特种设备使用", "", code, "甲公司", "", "", "", "", "", "", "")]
    report = await bring(act, "registers", sheet(*rows, head=REGISTER_HEAD))
    assert report.counts == gone(3, new=3) | {"读入": 3, "涉及检查对象": 1}
    await bring(act, "entities", sheet((code, "甲公司", "卫生许可证", "W1", "200万元"), head=(*HEAD, "许可证名称", "许可证编号", "注册资本")))
    [batch] = [b async for b in directory.load_candidates(PoolRule(registers=("食品生产",)), act.tree, (), {}, {})]
    (candidate, _, _) = next(one for one in batch if one[0].code == code)
    assert [one["number"] for one in candidate.licences] == ["W1", "SC1", "SC2"]
    assert candidate.licences[1] == {"name": "食品生产许可证", "number": "SC1", "issued_on": "2024-01-02", "valid_to": "9999-09-09", "authority": "望溪局", "register": "食品生产"}
    assert candidate.attributes["capital"] == "200万元" and candidate.attributes["特种设备使用"] == [{}]
    assert candidate.attributes["食品生产"][0]["生产线"] == "2 条" and candidate.attributes["食品生产"][0]["tags"] == ["食品生产", "网络经营"]
    again = await bring(act, "registers", sheet((*rows[0][:-1], "3 条"), head=REGISTER_HEAD))
    assert (again.counts["更新原有"], await RegisterEntry.count().run()) == (1, 3)
    assert '"生产线":"3 条"' in (await entity(filled, code))["attributes"]


async def test_register_rows_without_an_entry_or_a_register_are_errors(filled):
    act = await filled.acting("operator")
    code = (await some_codes(filled, 1))[0]
    head = ("代码", "许可证名称", "编号")
    given = sheet((code, "食品经营许可证", "JY1"), (NEW[0], "食品经营许可证", "JY2"), (code, "食品经营许可证", "JY1"), ("", "x", "y"), head=head)
    with pytest.raises(BadInput) as refusal:
        await bring(act, "registers", given, options={"专项库名称": "食品经营"})
    assert said(refusal.value.problems) == [
        (3, "代码", f"检查对象名录中没有代码 {NEW[0]}。请先导入检查对象名录，或删去这一行。"),
        (4, "代码", "与第 2 行是同一库、同一代码、同一编号。请只保留一行。"), (5, "代码", "没有填写。请补上后重新上传。")]
    with pytest.raises(BadInput) as refusal:
        await bring(act, "registers", sheet((code, "食品经营许可证", "JY1"), head=head))
    assert said(refusal.value.problems) == [(2, "专项库名称", "没有写明是哪个专项库。请补上该列，或在导入时写明专项库名称。")]


# Lists drawn elsewhere ------------------------------------------------------------------

LIST_HEAD = ("统一社会信用代码", "企业名称", "抽查任务编号", "来源平台", "抽取日期")


async def test_an_outside_list_is_matched_kept_and_labelled(filled):
    act = await filled.acting("operator")
    tasks = await plan_store.load_tasks(act.tree)
    above = next((task for task in tasks if task["drawn_by"] != "here"), None)
    code, other = await some_codes(filled, 2)
    name = (await entity(filled, other))["name"]
    given = sheet((code, "甲"), ("", name), (NEW[0], "不在名录的"), head=LIST_HEAD[:2])
    report = await bring(act, "draw", given, options={"来源平台": "省双随机平台", "抽取日期": "2026年5月20日", **({"抽查任务": above["code"]} if above else {})})
    assert report.counts == gone(3, new=3) | {"读入": 3, "名单": 1, "名录中有": 2, "名录中没有": 1}
    assert said(report.warnings) == [
        (3, "企业名称", f"没有代码，按名称对照为 {other}。请核对。"),
        (4, "统一社会信用代码", f"检查对象名录中没有代码 {NEW[0]}，名单照存。请先补录名录，再安排检查。")]
    (one,) = await store.load_external_lists(act.tree)
    assert (one["platform"], one["drawn_on"], one["size"], one["matched"], one["task.code"]) == ("省双随机平台", date(2026, 5, 20), 3, 2, above["code"] if above else None)
    rows = await store.load_external_rows(one["id"])
    assert [(row["code"], row["matched"]) for row in rows] == [(code, True), (other, True), (NEW[0], False)]
    assert await store.load_external_lists((await filled.acting("stranger")).tree) == []
    with pytest.raises(NotFound, match="没有编号为 .* 的外部抽取名单，或者不在您的辖区。"):
        await store.load_external_list(one["id"], (await filled.acting("stranger")).tree)


async def test_an_outside_list_says_where_and_when_and_never_replaces_our_own_draw(filled):
    act = await filled.acting("operator")
    code, other = await some_codes(filled, 2)
    with pytest.raises(BadInput) as refusal:
        await bring(act, "draw", sheet((code, "甲", "", "", ""), (other, "乙", office.ANNUAL, "省平台", "2026-05-20"), ("", "没有这家", "x", "省平台", "2026-06-20"), ("", "", "", "省平台", ""), head=LIST_HEAD))
    assert said(refusal.value.problems) == [
        (2, "来源平台", "没有写明在哪里抽取。请补上，或在导入时填写来源平台。"), (2, "抽取日期", "没有写明抽取日期。请补上，或在导入时填写抽取日期。"),
        (3, "抽查任务编号", f"任务 {office.ANNUAL} 由本局抽取，不能用外部名单代替。请核对任务编号。"),
        (4, "企业名称", "“没有这家”没有代码，名录中也没有这个名称。请补上代码。"), (4, "抽取日期", "2026-06-20 在今天之后。请核对日期。"),
        (5, "统一社会信用代码", "代码和名称都没有填写。请至少补上一项后重新上传。")]
    assert await ExternalEntry.count().run() == 0


# Records --------------------------------------------------------------------------------


async def a_visits_rows(house):
    """(visit, its form's table with good answers) from the simulated answers."""
    house.at(office.ENTERED)
    operator = await house.acting("operator")
    visit = (await office.visits_of(OPEN))[0]
    lines = [json.loads(line) for line in await sample.make_answers(operator, OPEN, office.SEED)]
    people = await office.inspectors_of(visit)
    heads, rows = {}, []
    for row in (one for one in lines if one["visit"] == visit["code"]):
        joined = next(one for one in await joined_forms.forms_of(visit) if one["form"].code == row["form"])
        fields, titles = {field.name: field for field in joined["form"].fields()}, point_headings(joined["form"])
        points = {}
        for name, answer in row["answers"].items():
            labels = {"yes": "合格", "no": "不合格", "na": "不适用"} if fields[name].type == "verdict" else {c.value: c.label for c in fields[name].choices}
            points[titles[name]] = "、".join(labels.get(one, one) for one in (answer if isinstance(answer, list) else [str(answer)]))
        for item, outcome in row["outcomes"].items():
            called = next(one["name"] for one in joined["items"] if one["code"] == item)
            rows.append({"入企编号": visit["code"], "代码": visit["entity_code"], "事项": called, "结果": OUTCOMES[outcome].label, "检查日期": "2026年7月1日",
                         "检查人员": "、".join(person["name"] for person in people), "检查方式": row["method"], **points})
        heads |= dict.fromkeys(key for one in rows for key in one)
    return visit, sheet(*(tuple(row.get(name, "") for name in heads) for row in rows), head=tuple(heads))


async def test_a_clerks_table_becomes_records_by_the_rules_of_entering(drawn):
    visit, given = await a_visits_rows(drawn)
    operator = await drawn.acting("operator")
    before = await snapshot()
    preview, _ = await imports.preview_sheet(operator, "records", given, "x", b"x")
    assert await snapshot() == before and preview.error_count == 0, preview.errors
    report = await bring(operator, "records", given)
    made = await record_store.load_records_of([visit["id"]])
    assert report.counts["检查记录"] == len(made) > 0 and {row["state"] for row in made} == {"submitted"}
    assert {row["inspected_on"] for row in made} == {date(2026, 7, 1)} and all(row["recorder"] for row in made)
    with pytest.raises(BadInput) as refusal:
        await bring(operator, "records", given)
    assert all("已有一份记录（待审核）" in p.message or "是同一份记录" in p.message for p in refusal.value.problems), refusal.value.problems
    assert sum("已有一份记录（待审核）" in p.message for p in refusal.value.problems) == len(made)


async def test_a_clerks_table_says_what_is_missing_and_where(drawn):
    visit, good = await a_visits_rows(drawn)
    operator = await drawn.acting("operator")
    at = {name: n for n, name in enumerate(good.rows[0])}

    async def refused(**changed):
        row = list(good.rows[1])
        for name, value in changed.items():
            row[at[name]] = value
        with pytest.raises(BadInput) as refusal:
            await bring(operator, "records", Sheet((good.rows[0], tuple(row)), kind="xlsx"))
        return said(refusal.value.problems)

    assert await refused(结果="挺好") == [(2, "结果", "“挺好”不在结果清单中。可以填写：未发现问题、未按规定公示应当公示的信息、公示信息隐瞒真实情况、弄虚作假、通过登记的住所（经营场所）无法联系、发现问题已责令改正、不配合检查情节严重、未发现开展本次抽查涉及的经营活动、发现问题待后续处理。")]
    assert [(row, field) for row, field, _ in await refused(事项="种树")] == [(2, "事项")]
    assert "“赵某某”不是本次检查的执法人员" in (await refused(检查人员="赵某某"))[0][2]
    assert "没有填写检查人员" in (await refused(检查人员=""))[0][2]
    assert (await refused(入企编号="无此编号"))[0] == (2, "入企编号", "没有编号为“无此编号”的入企检查，或者不在您的辖区。")
    assert any("请选择检查方式" in message for _, _, message in await refused(检查方式="看看"))
    assert (await refused(检查日期="2027-01-01"))[0][2] == "检查日期 2027-01-01 在今天之后。"
    assert (await refused(入企编号="", 代码=""))[0] == (2, "入企编号", "没有写明是哪一次检查。请填写入企编号或代码。")


async def test_another_bureau_enters_nothing_for_us(drawn):
    visit, given = await a_visits_rows(drawn)
    before = await snapshot()
    with pytest.raises(BadInput) as refusal:
        await bring(await drawn.acting("stranger"), "records", given)
    assert "不在您的辖区" in refusal.value.problems[0].message and await snapshot() == before
    with pytest.raises(NotAllowed):
        await bring(await drawn.acting("planner"), "records", given)


# Real files -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["changzhi_2024", "county_2026", "jinjiang_style_2024"])
async def test_every_row_of_a_real_plan_is_a_task_waits_for_its_module_or_is_named(filled, name):
    act = await filled.acting("operator")
    data = shared_file(f"plans/{name}.xlsx").read_bytes()
    given = read_sheet(data, f"{name}.xlsx")
    preview, remarks = await imports.preview_sheet(act, "plan", given, name, data)
    report = await bring(act, "plan", given, good_rows=True)
    (plan,) = [one for one in await plan_store.load_plans(act.tree) if one["imported_by"] == act.account and one["id"] > 1]
    rows = await plan_store.load_plan_rows(plan["id"])
    named = {problem.row for problem in report.errors}
    assert {row["state"] for row in rows} <= {"task", "rider", "pending"} and len(rows) + len(named) == preview.total
    assert not named & {row["row"] for row in rows} and report.counts["计划行"] == len(rows) > 0
    again, _ = await imports.preview_sheet(act, "plan", read_sheet(remarks), name, remarks)
    assert (again.total, again.good, again.bad) == (preview.total, preview.good, preview.bad)


async def test_the_real_inspectors_come_in_without_the_sample_row_and_only_those_in_force_can_be_drawn(filled):
    act = await filled.acting("operator")
    data = shared_file("plans/inspectors_jinjiang.xlsx").read_bytes()
    report = await bring(act, "inspectors", read_sheet(data), good_rows=True)
    assert report.counts["读入"] == 180 and report.errors == ()
    assert report.counts["今日可派"] + report.counts["证件到期或失效"] == 180
    rows = [row for row in await directory.load_inspectors(act.tree) if row["number"].startswith("JJ")]
    assert len(rows) == 180 and not any("案例" in row["name"] + row["number"] for row in rows)
    idle = [row for row in rows if row["status"] != "有效" or row["certificate_until"] < act.today]
    assert len(idle) == report.counts["证件到期或失效"] > 17
