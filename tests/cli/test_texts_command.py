"""portal texts, and what a command says in another wording."""

import pytest

from portal.cli import speech
from portal.texts import files
from tests.cli.command import Portal

HEAD = 'msgid ""\nmsgstr ""\n"Language: en\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


def entry(msgid, wording, before=""):
    return f'{before}msgid "{msgid}"\nmsgstr "{wording}"\n\n'


def write(path, *entries, head=HEAD):
    path.write_text(head + "".join(entries), "utf-8")
    return path


@pytest.mark.long
def test_all_texts_are_written_and_a_file_keeps_its_wordings(nowhere, tmp_path):
    target = tmp_path / "own.po"
    assert "条文本" in nowhere.well("texts", "export", target, "--language", "en")
    fresh = target.read_text("utf-8")
    assert fresh.count("\nmsgid ") > 4000 and "#: templates/portal/login.html:" in fresh and '"Language: en\\n"' in fresh
    assert "-Date:" not in fresh and str(tmp_path) not in fresh
    target.write_text(fresh.replace('msgid "登录"\nmsgstr ""', 'msgid "登录"\nmsgstr "Sign in"') + entry("没有了的句子", "gone"), "utf-8")
    nowhere.well("texts", "export", target)
    kept = target.read_bytes()
    assert 'msgid "登录"\nmsgstr "Sign in"' in kept.decode() and '#~ msgid "没有了的句子"' in kept.decode()
    nowhere.well("texts", "export", target)
    assert target.read_bytes() == kept
    assert "有译文 1 条" in nowhere.well("texts", "check", target)
    nowhere.well("texts", "export", tmp_path / "all.pot")
    assert "Language:" not in (tmp_path / "all.pot").read_text("utf-8") and not list(tmp_path.glob("*.new"))


def test_a_wrong_file_is_named_by_line(nowhere, tmp_path):
    wrong = write(tmp_path / "x.po", entry("登录", "Log in"), entry("页面编号 {request_id}，反馈问题时请一并提供。", "Page {id}"), entry("登录", "Sign in"), entry("退出", "Log {out"))
    done = nowhere("texts", "check", wrong)
    assert done.code == 1 and done.err == ""
    assert done.lines("第 ") == [
        "第 9 行：“页面编号 {request_id}，反馈问题时请一并提供。”的译文缺少 {request_id}，原文没有 {id}。",
        "第 12 行：“登录”出现两次，请留一条。",
        "第 15 行：“退出”的译文花括号不成对，或者里面不是名称；文字里的花括号要写两个。",
    ]
    assert "发现 3 处错误，请改正。" in done.out
    assert "第 9 行" in Portal(nowhere.data, PORTAL_TEXTS=str(wrong)).refused("verify", "x")
    assert Portal(nowhere.data, PORTAL_TEXTS=str(wrong))("texts", "check", wrong).code == 1  # which is how one finds out
    fuzzy = write(tmp_path / "y.po", entry("登录", "Log in", "#, fuzzy\n"))
    assert "有译文 0 条" in nowhere.well("texts", "check", fuzzy)


@pytest.mark.parametrize(("name", "data", "words"), [
    ("a.po", b"", "是空的"), ("a.po", b"msgid \xff", "不是 UTF-8"), ("a.po", "中文\n".encode(), "第 1 行不合 .po 文件的写法"), ("a.po", b'msgid "a', "第 1 行"),
    ("a.mo", b"nothing", "不是 .mo 文件"), ("b.po", None, "不能读取"),
])  # fmt: skip
def test_what_is_no_catalogue_is_refused(nowhere, tmp_path, name, data, words):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    assert words in nowhere.refused("texts", "check", tmp_path / name)


def test_wrong_words_for_export_are_refused(nowhere, tmp_path):
    there = write(tmp_path / "x.po")
    assert "扩展名" in nowhere.refused("texts", "export", tmp_path / "x.txt")
    assert "Language" in nowhere.refused("texts", "export", there, "--language", "en")
    assert "不是语言的代码" in nowhere.refused("texts", "export", tmp_path / "y.po", "--language", "klingon")
    assert "不能写入" in nowhere.refused("texts", "export", tmp_path / "none" / "y.po")


def test_commands_speak_the_wording_and_files_of_a_folder_follow_each_other(nowhere, tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    write(folder / "a.po", entry("用法：", "Usage: "), entry("缺少参数 {value}", "Missing: {value}"), entry("参数", "Words"))
    write(folder / "b.po", entry("用法：", "How: "), entry("不认识的参数 {value}", "Unknown: {value}"))
    own = Portal(nowhere.data, PORTAL_TEXTS=str(folder))
    assert own("texts", "--help").out.startswith("How: portal texts") and "\nWords:\n" in own("texts", "--help").out
    assert own("texts").err.startswith("portal: Missing: ") and own("verify", "a", "b").err.startswith("portal: Unknown: b")
    assert nowhere("texts").err.startswith("portal: 缺少参数 ")


def test_what_a_program_reads_is_never_reworded(monkeypatch, tmp_path):
    monkeypatch.setenv("PORTAL_TEXTS", str(write(tmp_path / "x.po", entry("登录", "Log in"), entry("{a}里面是登录，共{b}", "{a} {b}"))))
    assert speech.said("登录") == "Log in"
    assert speech.said('{"k": "里面是登录，共3"}') == '{"k": "里面是登录，共3"}'


def test_a_wording_that_is_not_there_is_refused_with_the_languages_that_are(nowhere):
    said = Portal(nowhere.data, PORTAL_TEXTS="fr").refused("verify", "x")
    assert "PORTAL_TEXTS 指的“fr”" in said and "（en）" in said


def test_a_compiled_catalogue_is_read_too(tmp_path):
    from babel.messages.mofile import write_mo

    read = files.read_catalogue(files.SHIPPED / "en" / "LC_MESSAGES" / "portal.po")
    with (tmp_path / "en.mo").open("wb") as stream:
        write_mo(stream, read.catalog)
    catalogue = files.load_wording(str(tmp_path / "en.mo"))
    assert catalogue.say("登录") == "Log in" and catalogue.language == "en"
