"""Foreign files, wrong persons, wrong order, wrong words: an act is refused in one sentence and nothing is changed."""

import hashlib
import re
import stat

import pytest

from portal.domain.import_kinds import KINDS
from tests.cli.command import Portal, database_of
from tests.office import INSTANT, OPEN, SEALED, drop_databases_in, query
from tests.once import ready_fonts


@pytest.fixture(scope="module")
def refusing(stages, tmp_path_factory):
    """`refusing(stage)`: one portal at that stage, and all that is in its database, for every test in which nothing may be changed."""
    made, root = {}, tmp_path_factory.mktemp("refusing")

    def at(stage):
        if stage not in made:
            portal = Portal(stages.copy(stage, root / stage))
            made[stage] = portal, database_of(portal)
        return made[stage]

    yield at
    drop_databases_in(root)


# Files ------------------------------------------------------------------------


FOREIGN = {
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG 图片"), "pdf": (b"%PDF-1.7\n" + bytes(100), "PDF 文件"),
    "zip": (b"PK\x05\x06" + bytes(18), ""), "binary": (bytes(range(256)) * 10, "不是表格文件"), "empty": (b"", "是空的"),
    "words": ("今天天气不错\n".encode(), "找不到"), "xlsx cut short": (b"PK\x03\x04" + bytes(200), ""),
}  # fmt: skip


@pytest.mark.parametrize(("content", "because"), FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("what", sorted(KINDS))
def test_a_foreign_file_is_refused_and_nothing_is_imported(refusing, tmp_path, what, content, because):
    portal, before = refusing("filled")
    place = tmp_path / "名录.xlsx"
    place.write_bytes(content)
    assert because in portal.refused("import", what, place)
    assert database_of(portal) == before


def test_files_that_are_missing_or_folders_are_named(filled_portal, tmp_path):
    for words in (("import", "plan"), ("record", "import")):
        assert "找不到文件" in filled_portal.refused(*words, tmp_path / "none.xlsx")
        assert "是一个文件夹" in filled_portal.refused(*words, tmp_path)
    assert "找不到口令文件" in filled_portal.refused("round", "share", OPEN, "--passphrase-file", tmp_path / "none", "--as", "planner")


@pytest.mark.parametrize("content", [b"", b"a\nb\n", b"\xff\xfe\n", b"\n"])
def test_a_passphrase_file_is_one_line_of_text(refusing, tmp_path, content):
    portal, before = refusing("committed")
    (tmp_path / "words").write_bytes(content)
    portal.refused("round", "release", OPEN, "--passphrase-file", tmp_path / "words", "--as", "planner")
    assert database_of(portal) == before


@pytest.mark.parametrize(
    "line", [b"\x89PNG", b"[1]", b"{}", b"[" * 200_000, b'{"visit":1}', b"x", b'"\\ud800"'], ids=range(7)
)
def test_a_file_that_holds_no_records_is_refused_whole(refusing, tmp_path, line):
    portal, before = refusing("drawn")
    (tmp_path / "records.jsonl").write_bytes(line + b"\n")
    portal.refused("record", "import", tmp_path / "records.jsonl")
    assert database_of(portal) == before


# A sealed round ------------------------------------------------------------------


def test_a_sealed_round_is_handed_over_and_nobody_says_its_secrets_are_public(drawn_portal):
    said = [drawn_portal.well("round", "reveal", SEALED, "--as", "approver") for _ in range(2)]
    assert said[0] == f"轮次 {SEALED} 已移交监督机构复核，密值不公开；用 portal round export 导出交监督机构的文件夹。\n"
    assert said[1].startswith(f"轮次 {SEALED} 早已移交监督机构复核") and not [text for text in said if "已公开" in text]


# Who, which, when -------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "because"),
    [
        ("round draw NOPE --as planner", "没有编号为“NOPE”的轮次"),
        (f"round draw {OPEN} --as nobody", "没有登录名为“nobody”的账号"),
        (f"round draw {OPEN}", "账号“operator”没有这项权限，本操作由"),
        (f"round draw {OPEN} --as planner", "以后才能抽取"),
        (f"round commit {OPEN} --as approver", "不能再次公布承诺"),
        (f"round source {OPEN} 1 1./ --as planner", "才开奖，现在不能录入号码"),
        (f"round reveal {OPEN} --as approver", "还没有可以公开的密值"),
        (f"visits combine {OPEN} --as planner", "还没有抽取"),
        (f"visits assign {OPEN} --as planner", "还没有合并"),
        (f"sample answers {OPEN}", "还没有匹配执法人员"),
        (f"record review {OPEN} --as reviewer", "没有待审核的记录"),
        ("record review 99999 --as reviewer", "没有编号为 99999 的检查记录"),
        ("record review 99999999999999999999999 --as reviewer", "没有编号为"),
        (f"record review {OPEN} --return --as reviewer", "退回要逐份办理"),
        ("pool freeze NOPE --as planner", "没有编号为“NOPE”的抽查任务"),
        ("pool check NOPE --as planner", "没有编号为“NOPE”的抽查任务"),
        ("classes adjust X --class D --to 2026-12-31 --reason 抽检不合格 --as approver", "名录中没有代码 X"),
        ("publish --as planner", "本操作由公示员办理"),
        ("sample --entities 10", "名录里已有检查对象"),
        ("sample answers", "请写明轮次编号"),
    ],
)
def test_an_act_by_the_wrong_person_on_the_wrong_thing_or_too_early_is_refused(refusing, words, because):
    portal, before = refusing("committed")
    assert because in portal.refused(*words.split())
    assert database_of(portal) == before


def test_a_class_is_adjusted_by_hand_and_a_pool_looked_at_before_it_is_frozen(filled_portal):
    code = query(filled_portal.data, "SELECT code FROM entity WHERE kind = 'entity' AND type = '企业' AND status = '存续' AND risk_class = 'A' ORDER BY code LIMIT 1")[0][0]
    look = ("pool", "check", INSTANT, "--strata", "class", "--as", "planner")
    before = filled_portal.well(*look)
    assert "会被排除" in before and "分层“D”" in before
    adjust = ("classes", "adjust", code, "--class", "D", "--to", "2026-12-31", "--reason", "抽检不合格", "--as", "approver")
    assert f"分类已调整为 D，到 2026-12-31：{code}" in filled_portal.well(*adjust) and "没有重复登记" in filled_portal.well(*adjust)
    assert filled_portal.well(*look) != before
    assert f"已恢复为导入的分类：{code}" in filled_portal.well("classes", "adjust", code, "--reason", "复议撤销", "--as", "approver")
    assert filled_portal.well(*look) == before
    assert query(filled_portal.data, "SELECT count(*) FROM pool") == [(0,)]
    # The same before a round is drafted: how many, without drafting it.
    trial = ("round", "try", INSTANT, "--disclosure", "sealed", "--as", "planner")
    assert "还没有冻结" in filled_portal.refused(*trial)
    filled_portal.well("pool", "freeze", INSTANT, "--strata", "class", "--as", "planner")
    found = filled_portal.well(*trial)
    assert re.search(r"名录 +\d+ 户\n.*可抽 +\d+ 户\n.*会抽 +[1-9]\d* 户", found) and query(filled_portal.data, "SELECT count(*) FROM round") == [(0,)]


ROUND = ("round", "create", "359921-2026-T003", "--title", "一轮", "--as", "planner", "--draw-not-before")
LATER = "2026-08-01T22:00:00+08:00"


@pytest.mark.parametrize(
    ("words", "because"),
    [
        (("soon",), "最早抽取时间“soon”应为"),
        ((LATER, "--source", "x"), "来源“x”写法不对"),
        ((LATER, "--source", "x@soon"), "号码形状不知道"),
        ((LATER, "--source", "快乐8@soon"), "soon"),
        ((LATER, "--source", f"x@{LATER}@9/1-5"), "不成立"),
        ((LATER, "--source", f"x@{LATER}@9999/1-9999999999"), "不成立"),
        ((LATER, "--source", f"x@{LATER}@99999999999/1-5"), "写法不对"),
        ((LATER, "--holder", "planner"), "应为 名称=账号"),
        ((LATER, "--holder", "某科=nobody"), "账号“nobody”不存在"),
        ((LATER, "--window", "2026-08-01"), "应为 起..止"),
        ((LATER, "--window", "2026-08-01.."), "应为 YYYY-MM-DD"),
        ((LATER, "--window", "20260801..20260802"), "应为 YYYY-MM-DD"),
        ((LATER, "--reveal-due", "never"), "应为 YYYY-MM-DD"),
        ((LATER,), "请至少设一位秘密持有人"),
        ((LATER, "--holder", "某科=planner"), "还没有冻结名录"),
    ],
)
def test_a_round_described_wrongly_is_refused(refusing, words, because):
    portal, before = refusing("filled")
    assert because in portal.refused(*ROUND, *words)
    assert database_of(portal) == before


# Secrets and exported folders -------------------------------------------------


@pytest.fixture
def drafted(filled_portal, tmp_path):
    """A portal with one drafted round, and a passphrase file."""
    (tmp_path / "words").write_text("一句足够长的口令 0001\n")
    filled_portal.well("pool", "freeze", "359921-2026-T001", "--as", "planner")
    holders = ("--holder", "甲=planner", "--holder", "乙=supervisor")
    filled_portal.well("round", "create", "359921-2026-T001", "--title", "一轮", *holders, "--draw-not-before", LATER, "--as", "planner")
    return filled_portal, ("round", "share", OPEN, "--passphrase-file", tmp_path / "words", "--as", "planner")


def test_a_holder_may_bring_a_secret_of_their_own(drafted, tmp_path):
    portal, share = drafted
    own = bytes(range(7, 39))
    (tmp_path / "own").write_text(own.hex() + "\n")
    said = portal.well(*share, "--secret-file", tmp_path / "own")
    assert hashlib.sha256(own).hexdigest() in said and own.hex() not in said
    assert (tmp_path / "own").read_text() == own.hex() + "\n"


def test_the_copy_of_a_new_secret_goes_into_a_new_file_that_only_its_owner_reads(drafted, tmp_path):
    portal, share = drafted
    said = portal.well(*share, "--secret-file", tmp_path / "copy")
    secret = (tmp_path / "copy").read_text().strip()
    assert re.fullmatch("[0-9a-f]{64}", secret) and secret not in said
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["hello\n", "0" * 64 + "\n", "AB" * 32 + "\n", "", "ab" * 31])
def test_a_file_that_holds_no_secret_is_neither_taken_nor_overwritten(drafted, tmp_path, content):
    portal, share = drafted
    (tmp_path / "file").write_text(content)
    portal.refused(*share, "--secret-file", tmp_path / "file")
    assert (tmp_path / "file").read_text() == content


def test_a_refused_share_leaves_no_file_and_a_copy_that_cannot_be_written_makes_no_share(drafted, tmp_path):
    portal, share = drafted
    portal.refused(*share[:-1], "approver", "--secret-file", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    before = database_of(portal)
    assert "密值副本不能写到" in portal.refused(*share, "--secret-file", tmp_path / "none" / "copy")
    assert database_of(portal) == before
    assert "只显示这一次" in portal.well(*share)


def test_export_replaces_only_a_draw_folder_and_shuts_it_to_others(drawn_portal, tmp_path):
    export = ("round", "export", SEALED, "--as", "supervisor", "--to")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    assert "里有别的内容" in drawn_portal.refused(*export, tmp_path / "mine")
    assert "是一个文件" in drawn_portal.refused(*export, tmp_path / "mine" / "notes.txt")
    assert "里有别的内容" in drawn_portal.refused(*export, "/")
    drawn_portal.well(*export, tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    drawn_portal.well(*export, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names and drawn_portal("verify", tmp_path / "out").code == 0
    (tmp_path / "out" / "notes.txt").write_text("x")
    assert "里有别的内容" in drawn_portal.refused(*export, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_only_what_is_public_of_a_sealed_round_is_exported_to_the_public(drawn_portal, tmp_path):
    drawn_portal.well("round", "export", SEALED, "--public", "--to", tmp_path / "out", "--as", "supervisor")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["public.json", "round.json"]
    assert drawn_portal("verify", tmp_path / "out").code == 0


# A visit split, and its documents --------------------------------------------------


@pytest.mark.long
def test_a_visit_is_split_and_its_notice_numbered_printed_listed_and_voided_by_commands(drawn_portal, tmp_path, engine_kind, tmp_path_factory):
    (drawn_portal.data / "fonts").symlink_to(ready_fonts(tmp_path_factory))
    code = query(drawn_portal.data, "SELECT v.code FROM visit v JOIN visit_task t ON t.visit = v.id GROUP BY v.code HAVING count(*) > 1")[0][0]
    words = ("visits", "split", code, "--task", INSTANT, "--on", "2026-06-22", "--as", "planner")
    assert f"  分出　{INSTANT} " in drawn_portal.well(*words, "--preview")
    assert "请写明分开的原因" in drawn_portal.refused(*words)
    assert f"另行入企的编号是 {code}-2。" in drawn_portal.well(*words, "--reason", "检验人员不能到场")
    moved = ("visits", "reschedule", f"{code}-2", "--reason", "停业", "--as", "planner")
    assert f"入企检查 {code}-2 已改到 2026-06-23。" in drawn_portal.well(*moved, "--on", "2026-06-23")
    assert "应在" in drawn_portal.refused(*moved, "--on", "2027-01-04")
    away = ("visits", "recuse", code, "--reason", "近亲属", "--as", "planner")
    number = query(drawn_portal.data, "SELECT i.number FROM assignment a JOIN inspector i ON i.id = a.inspector JOIN visit v ON v.id = a.visit WHERE v.code = ? ORDER BY a.slot", code)[0][0]
    assert "不是这次入企的执法人员" in drawn_portal.refused(*away, "--inspector", "没有这个人")
    assert "已登记回避，请计划员补派" in drawn_portal.well(*away, "--inspector", number) and "登记过回避" in drawn_portal.well(*away, "--inspector", number)
    pdf = tmp_path / "通知书.pdf"
    printed = engine_kind == "sqlite"  # laying it out does not depend on the database
    said = drawn_portal.well("documents", "issue", "notice", f"{code}-2", *(("--to", pdf) if printed else ()), "--as", "planner")
    assert "检查通知书 望市监检通〔2026〕1号 已制作，文书编号 1" in said and (not printed or pdf.read_bytes().startswith(b"%PDF-"))
    assert "作废要由另一个人办理" in drawn_portal.refused("documents", "void", "1", "--reason", "有误", "--as", "planner")
    drawn_portal.well("documents", "void", "1", "--reason", "有误", "--as", "boss")
    listed = drawn_portal.well("documents", "list", f"{code}-2", "--as", "planner")
    assert "望市监检通〔2026〕1号　检查通知书" in listed and "已作废：有误" in listed and "notice" in listed
    if printed:
        again = tmp_path / "再印.pdf"
        drawn_portal.well("documents", "print", "1", again, "--as", "planner")
        assert again.read_bytes() == pdf.read_bytes()
