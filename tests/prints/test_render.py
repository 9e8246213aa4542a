"""The printer: same bytes, limits, named failures, nothing reached from inside."""

import shutil
from pathlib import Path

import pytest

from portal.domain.errors import BadInput, WrongMoment
from portal.prints import render
from portal.prints.render import TEMPLATES, Printer

from . import samples
from .pdf_reading import fonts_in, info, missing_glyphs, page_count

ON = {"about": {"as_of": "2026-07-20"}}
HEAD = '<html lang="zh-CN"><title>试</title><body data-proof="" data-demo="">'


def sheet(number=0, **changes):
    return "result_sheet.html", {"about": samples.about(), "result": samples.result(number, **changes)}


def watch_processes(monkeypatch):
    """The worker processes started from here on."""
    started, start = [], render.subprocess.Popen
    monkeypatch.setattr(render.subprocess, "Popen", lambda *a, **k: started.append(start(*a, **k)) or started[-1])
    return started


@pytest.fixture
def folder(tmp_path):
    """A folder of templates to misuse, with a plain good one."""
    shutil.copytree(TEMPLATES, tmp_path / "print")
    (tmp_path / "print" / "good.html").write_text(HEAD + "<p>好")
    return tmp_path / "print"


def test_two_fresh_workers_make_the_same_bytes(fonts_folder):
    jobs = [("sheet", *sheet(1)), ("plan", "plan_notice.html", {"about": samples.about(), "plan": samples.plan()})]
    outputs = []
    for _ in range(2):
        with Printer(fonts_folder, workers=1) as printer:
            outputs.append(dict(printer.render_many(jobs)))
    assert outputs[0] == outputs[1]


def test_what_a_worker_made_before_does_not_change_what_it_makes_next(fonts_folder, printer):
    with Printer(fonts_folder, workers=1) as fresh:
        alone = fresh.render("a", *sheet(1))
    printer.render("b", "task_notice.html", {"about": samples.about(), "round": samples.round_("drawn")})
    assert printer.render("a", *sheet(1)) == alone


def test_many_documents_come_in_the_order_asked_for_from_two_workers(fonts_folder):
    jobs = [(n, *sheet(n, points=40 if n % 3 == 0 else 0)) for n in range(9)]
    with Printer(fonts_folder, workers=2) as printer:
        made = list(printer.render_many(iter(jobs)))
    assert [key for key, _ in made] == list(range(9))
    assert all(info(pdf, "Title").startswith(samples.NAMES[key % 5]) for key, pdf in made)


def test_a_document_over_its_time_is_ended_and_named_while_the_others_come(fonts_folder, folder):
    (folder / "endless.html").write_text(HEAD + "<table><tr><td colspan=1000000>无尽")
    jobs = [("first", "good.html", ON), ("the-slow-one", "endless.html", ON), ("last", "good.html", ON)]
    with Printer(fonts_folder, workers=1, seconds=2, templates=folder) as printer:
        made = []
        with pytest.raises(BadInput, match="the-slow-one") as refusal:
            for key, pdf in printer.render_many(jobs):
                made.append((key, page_count(pdf)))
    assert made == [("first", 1), ("last", 1)]
    [problem] = refusal.value.problems
    assert problem.field == "the-slow-one"
    assert "2秒" in problem.message or "计算时间上限" in problem.message


def test_a_document_over_its_memory_is_named_and_the_next_one_works(fonts_folder, folder):
    (folder / "huge.html").write_text(HEAD + "{{ 'x' * 3000000000 }}")
    with Printer(fonts_folder, workers=1, templates=folder) as printer:
        with pytest.raises(BadInput, match="huge.*内存"):
            printer.render("huge", "huge.html", ON)
        assert page_count(printer.render("good", "good.html", ON)) == 1


@pytest.mark.parametrize(
    "reference",
    ['<img src="file:///etc/passwd">', '<img src="http://127.0.0.1:9/x">', "<style>@import 'file:///etc/passwd'</style>",
     '<p style="background: url(data:image/png;base64,AAAA)">x', '<link rel=attachment href="file:///etc/passwd">',
     '<object data="file:///etc/passwd"></object>'],
)
def test_a_page_that_asks_for_any_file_or_address_is_refused(fonts_folder, folder, reference):
    (folder / "asks.html").write_text(HEAD + reference)
    with Printer(fonts_folder, workers=1, templates=folder) as printer, pytest.raises(BadInput, match="asks"):
        printer.render("asks", "asks.html", ON)


def test_a_missing_value_stops_the_document_and_is_named(printer):
    template, context = sheet()
    del context["result"]["authority"]
    with pytest.raises(BadInput, match="visit-7.*authority"):
        printer.render("visit-7", template, context)


def test_only_templates_of_the_folder_can_be_named(printer):
    with pytest.raises(BadInput, match="no template"):
        printer.render("x", "../public/index.html", ON)


def test_a_worker_is_replaced_after_so_many_documents(fonts_folder, folder, monkeypatch):
    started = watch_processes(monkeypatch)
    with Printer(fonts_folder, workers=1, documents=2, templates=folder) as printer:
        assert len(list(printer.render_many((n, "good.html", ON) for n in range(5)))) == 5
    assert len(started) == 3
    assert all(process.poll() is not None for process in started)


def test_a_worker_knows_nothing_of_the_portals_environment(fonts_folder, folder, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody:secret@host/x")
    started = watch_processes(monkeypatch)
    with Printer(fonts_folder, workers=1, templates=folder) as printer:
        printer.render("good", "good.html", ON)
        environ = Path(f"/proc/{started[0].pid}/environ").read_bytes()
    assert b"TMPDIR=" in environ
    assert b"secret" not in environ


def test_nothing_is_left_behind_in_the_temporary_folder(fonts_folder, folder, tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(render.tempfile, "tempdir", str(tmp_path / "scratch"))
    (folder / "endless.html").write_text(HEAD + "<table><tr><td colspan=1000000>无尽")
    with Printer(fonts_folder, workers=1, seconds=1, templates=folder) as printer:
        printer.render("good", "good.html", ON)
        with pytest.raises(BadInput):
            printer.render("slow", "endless.html", ON)
    assert not list((tmp_path / "scratch").iterdir())


def test_a_worker_that_cannot_start_says_what_to_install(fonts_folder, monkeypatch):
    with Printer(fonts_folder, workers=1) as printer:
        monkeypatch.setattr(render.sys, "executable", "/bin/false")
        with pytest.raises(WrongMoment, match="libpango-1.0-0"):
            printer.render("sheet", *sheet())


def test_the_version_changes_with_a_template_and_only_then(fonts_folder, folder):
    first = Printer(fonts_folder, templates=folder).version
    assert Printer(fonts_folder, templates=folder).version == first
    (folder / "doc.css").write_text((folder / "doc.css").read_text("utf-8") + "p { color: red }")
    assert Printer(fonts_folder, templates=folder).version != first


def test_a_sheet_stays_below_150_kb(printer):
    assert len(printer.render("sheet", *sheet(0, points=20))) < 150_000


def test_common_characters_come_from_the_small_fonts_and_rare_ones_from_those_behind_them(printer):
    common, rare = (printer.render("sheet", *sheet(name=name)) for name in ("晋江市某某有限公司", "晋江市㛃桥有限公司"))
    assert fonts_in(common) <= {"MC-FS", "MC-HT"}
    assert fonts_in(rare) <= {"MC-FS", "MC-HT", "MC-Serif-Rare"} and "MC-Serif-Rare" in fonts_in(rare)
    assert not missing_glyphs(rare)


def test_a_character_no_font_has_is_not_taken_for_printed(printer):
    assert missing_glyphs(printer.render("sheet", *sheet(name="晋江市\U0010FFF0有限公司")))
