"""The printer: same bytes, limits, named failures, nothing reached from inside."""

import contextlib
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from portal.domain.errors import BadInput, WrongMoment
from portal.prints import nursery, render
from portal.prints.render import TEMPLATES, Printer

from . import samples
from .pdf_reading import fonts_in, info, missing_glyphs, page_count

ON = {"about": {"as_of": "2026-07-20"}}
HEAD = '<html lang="zh-CN"><title>试</title><body data-proof="" data-demo="">'


def sheet(number=0, **changes):
    return "result_sheet.html", {"about": samples.about(), "result": samples.result(number, **changes)}


def watch_workers(monkeypatch):
    """The workers started from here on."""
    started, start = [], render._Worker
    monkeypatch.setattr(render, "_Worker", lambda *a: started.append(start(*a)) or started[-1])
    return started


def is_there(worker) -> bool:
    """Still at work: what nobody's parent has waited for is only a name."""
    try:
        return Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of templates to misuse, with a plain good one and others that are not."""
    folder = tmp_path_factory.mktemp("templates") / "print"
    shutil.copytree(TEMPLATES, folder)
    (folder / "good.html").write_text(HEAD + "<p>好")
    (folder / "endless.html").write_text(HEAD + "<table><tr><td colspan=1000000>无尽")
    (folder / "huge.html").write_text(HEAD + "{{ 'x' * 3000000000 }}")
    return folder


# A worker starts with the style sheet and the fonts, so what may share one does


@dataclass(frozen=True)
class Run:
    """What one printer made (key, PDF), what it refused, its workers, and what it left in the temporary folder."""

    made: list
    refusal: BadInput | None
    workers: list
    left: list


def run(fonts_folder, scratch, jobs, **limits):
    with pytest.MonkeyPatch.context() as patch:
        workers, made, refusal = watch_workers(patch), [], None
        scratch.mkdir()
        patch.setattr(render.tempfile, "tempdir", str(scratch))
        with Printer(fonts_folder, workers=1, **limits) as printer:
            try:
                made += printer.render_many(jobs)
            except BadInput as reason:
                refusal = reason
    return Run(made, refusal, workers, list(scratch.iterdir()))


@pytest.fixture(scope="module")
def replaced(fonts_folder, tmp_path_factory):
    """Five documents of a printer that gives each worker two."""
    jobs = [("sheet", *sheet(1)), ("plan", "plan_notice.html", {"about": samples.about(), "plan": samples.plan()})] * 2
    return run(fonts_folder, tmp_path_factory.mktemp("replaced") / "scratch", [*jobs, jobs[0]], documents=2)


@pytest.fixture(scope="module")
def overtime(fonts_folder, folder, tmp_path_factory):
    """Three documents; the second would never end."""
    jobs = [("first", "good.html", ON), ("the-slow-one", "endless.html", ON), ("last", "good.html", ON)]
    return run(fonts_folder, tmp_path_factory.mktemp("overtime") / "scratch", jobs, seconds=2, templates=folder)


@pytest.fixture(scope="module")
def refused(fonts_folder, folder, tmp_path_factory):
    """A document over its memory, and one for each reference; good ones between."""
    jobs = [("good-0", "good.html", ON), ("huge", "huge.html", ON), ("good-1", "good.html", ON)]
    for number, reference in enumerate(REFERENCES):
        (folder / f"asks{number}.html").write_text(HEAD + reference)
        jobs.append((f"asks-{number}", f"asks{number}.html", ON))
    return run(fonts_folder, tmp_path_factory.mktemp("refused") / "scratch", jobs, templates=folder)


def test_two_fresh_workers_make_the_same_bytes(replaced):
    assert [key for key, _ in replaced.made] == ["sheet", "plan", "sheet", "plan", "sheet"] and replaced.refusal is None
    outputs = [pdf for _, pdf in replaced.made]
    assert outputs[:2] == outputs[2:4] and outputs[4] == outputs[0]


def test_a_worker_is_replaced_after_so_many_documents(replaced):
    assert len({worker.pid for worker in replaced.workers}) == len(replaced.workers) == 3
    assert not any(map(is_there, replaced.workers))


def test_what_a_worker_made_before_does_not_change_what_it_makes_next(replaced, printer):
    _, alone = replaced.made[0]
    printer.render("b", "task_notice.html", {"about": samples.about(), "round": samples.round_("drawn")})
    assert printer.render("a", *sheet(1)) == alone


def test_many_documents_come_in_the_order_asked_for_from_two_workers(fonts_folder):
    jobs = [(n, *sheet(n, points=40 if n % 3 == 0 else 0)) for n in range(9)]
    with Printer(fonts_folder, workers=2) as printer:
        made = list(printer.render_many(iter(jobs)))
    assert [key for key, _ in made] == list(range(9))
    assert all(info(pdf, "Title").startswith(samples.NAMES[key % 5]) for key, pdf in made)


@pytest.mark.long
def test_a_document_over_its_time_is_ended_and_named_while_the_others_come(overtime):
    assert [(key, page_count(pdf)) for key, pdf in overtime.made] == [("first", 1), ("last", 1)]
    [problem] = overtime.refusal.problems
    assert problem.field == "the-slow-one" and "the-slow-one" in overtime.refusal.message
    assert "2秒" in problem.message or "计算时间上限" in problem.message


def test_a_document_over_its_memory_is_named_and_the_next_one_works(refused):
    assert [(key, page_count(pdf)) for key, pdf in refused.made] == [("good-0", 1), ("good-1", 1)]
    assert [problem.message for problem in refused.refusal.problems if problem.field == "huge" and "内存" in problem.message]


REFERENCES = (
    '<img src="file:///etc/passwd">', '<img src="http://127.0.0.1:9/x">', "<style>@import 'file:///etc/passwd'</style>",
    '<p style="background: url(data:image/png;base64,AAAA)">x', '<link rel=attachment href="file:///etc/passwd">',
    '<object data="file:///etc/passwd"></object>',
)  # fmt: skip


@pytest.mark.parametrize("number", range(len(REFERENCES)), ids=REFERENCES)
def test_a_page_that_asks_for_any_file_or_address_is_refused(refused, number):
    assert f"asks-{number}" not in dict(refused.made)
    [problem] = [problem for problem in refused.refusal.problems if problem.field == f"asks-{number}"]
    assert "FatalURLFetchingError" in problem.message


def test_a_missing_value_stops_the_document_and_is_named(printer):
    template, context = sheet()
    del context["result"]["authority"]
    with pytest.raises(BadInput, match="visit-7.*authority"):
        printer.render("visit-7", template, context)


def test_only_templates_of_the_folder_can_be_named(printer):
    with pytest.raises(BadInput, match="no template"):
        printer.render("x", "../public/index.html", ON)


@pytest.fixture
def own_nursery(monkeypatch):
    """A nursery started in this test: all others of the process share one."""
    own = nursery.Nursery()
    monkeypatch.setattr(nursery, "shared", lambda: contextlib.nullcontext(own))
    yield own
    own.close()


@pytest.mark.long
def test_a_worker_knows_nothing_of_the_portals_environment_and_a_killed_nursery_is_replaced(fonts_folder, folder, monkeypatch, own_nursery):
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody:secret@host/x")
    started = watch_workers(monkeypatch)
    with Printer(fonts_folder, workers=1, templates=folder) as printer:
        printer.render("good", "good.html", ON)
        environ = Path(f"/proc/{started[0].pid}/environ").read_bytes()
        assert list(printer._scratch.glob("*/weasyprint-*")), "its unpacked fonts lie where they go with it, even when it is killed"
        own_nursery._process.kill()
        own_nursery._process.wait()
        printer.render("good", "good.html", ON)  # its worker is still there
        with pytest.raises(BadInput, match="none.html"):
            printer.render("x", "none.html", ON)  # now it is not wanted any more
        printer.render("good", "good.html", ON)
    assert b"PYTHONHASHSEED=" in environ and b"secret" not in environ
    waiting = threading.Event()
    assert len(started) == 2 and any(not any(map(is_there, started)) or waiting.wait(0.1) for _ in range(200))


@pytest.mark.parametrize("name", ["replaced", pytest.param("overtime", marks=pytest.mark.long), "refused"])
def test_nothing_is_left_behind_in_the_temporary_folder(name, request):
    done = request.getfixturevalue(name)
    assert len(done.workers) > 1 and done.left == []


def test_a_worker_that_cannot_start_says_what_to_install(fonts_folder, monkeypatch, own_nursery):
    with Printer(fonts_folder, workers=1) as printer:
        monkeypatch.setattr(nursery.sys, "executable", "/bin/false")
        with pytest.raises(WrongMoment, match="libpango-1.0-0"):
            printer.render("sheet", *sheet())


def test_the_version_changes_with_a_template_and_only_then(fonts_folder, tmp_path):
    folder = shutil.copytree(TEMPLATES, tmp_path / "print")
    first = Printer(fonts_folder, templates=folder).version
    assert Printer(fonts_folder, templates=folder).version == first
    (folder / "doc.css").write_text((folder / "doc.css").read_text("utf-8") + "p { color: red }")
    assert Printer(fonts_folder, templates=folder).version != first


def test_a_sheet_stays_below_150_kb(printer):
    """SITE.md; with a code for phones, a name with rare characters and twenty points it is less than half."""
    template, context = sheet(2, points=20)
    about = samples.about(base_url="https://example.gov.cn/ssj")
    assert len(printer.render("sheet", template, context | {"about": about})) < 75_000


def test_common_characters_come_from_the_small_fonts_and_rare_ones_from_those_behind_them(printer):
    common, rare = (printer.render("sheet", *sheet(name=name)) for name in ("晋江市某某有限公司", "晋江市㛃桥有限公司"))
    assert fonts_in(common) <= {"MC-FS", "MC-HT"}
    assert fonts_in(rare) <= {"MC-FS", "MC-HT", "MC-Serif-Rare"} and "MC-Serif-Rare" in fonts_in(rare)
    assert not missing_glyphs(rare)


def test_a_character_no_font_has_is_not_taken_for_printed(printer):
    assert missing_glyphs(printer.render("sheet", *sheet(name="晋江市\U0010FFF0有限公司")))
