"""What a build makes of a bundle."""

import copy
import csv
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment, UndefinedError

from portal.domain.bundle import canonical
from portal.domain.errors import BadInput
from public_site import data, search
from public_site import release as release_module
from public_site.build import MOST_BYTES, VERIFY, Sink, build, environment, put_manifest
from public_site.bundle import load_bundle, plain_json, require_path, slug
from public_site.check import check_release
from public_site.compiled import Compiled
from public_site.pages import announcements, entity_path
from public_site.release import release
from public_site.wording import cn_date, drawn_value, lead, percent, pieces, ratio, state_of
from tests.public_site.bundle_fixture import add_external, make_bundle, seal
from tests.public_site.conftest import FakePdfs, make_small


@pytest.fixture(scope="module")
def out(bundle: Path, verify: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle's site, for those who only look."""
    made = tmp_path_factory.mktemp("built") / "out"
    build(bundle, made, FakePdfs(), verify=verify)
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def edited(bundle: Path, folder: Path, name: str, change) -> Path:
    """A copy of the bundle in which every row of one file has passed through `change`."""
    shutil.copytree(bundle, folder)
    place = folder / name
    rows = [json.loads(line) for line in place.read_bytes().splitlines()]
    place.write_bytes(b"".join(canonical(change(row) or row) + b"\n" for row in rows))
    seal(folder)
    return folder


# The whole ------------------------------------------------------------------------------------


def test_every_check_of_a_built_site_is_ok(out: Path) -> None:
    lines = check_release(out)
    assert len(lines) == 10
    assert all(ok for ok, _ in lines), lines


def test_two_builds_of_one_bundle_are_the_same_bytes(bundle: Path, verify: Path, tmp_path: Path, out: Path) -> None:
    build(bundle, tmp_path / "again", FakePdfs(), verify=verify)
    assert contents(tmp_path / "again") == contents(out)


def test_the_fixture_bundle_is_the_same_bytes_every_time(bundle: Path, tmp_path: Path) -> None:
    assert contents(make_bundle(tmp_path / "again")) == contents(bundle)


def test_the_report_counts_what_lies_there(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    report = build(bundle, tmp_path / "out", pdfs, verify=verify)
    found = contents(tmp_path / "out")
    del found["manifest.json"]
    assert report.files == len(found)
    assert report.bytes == sum(map(len, found.values()))
    assert report.pages == sum(name.endswith(".html") for name in found)
    assert report.pdfs == sum(name.endswith(".pdf") for name in found) == report.rendered


def test_a_folder_that_exists_is_never_built_into(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    with pytest.raises(BadInput, match="已经存在"):
        build(bundle, tmp_path, pdfs, verify=verify)


def test_a_site_without_its_verification_program_is_not_built(bundle: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(BadInput, match=r"缺少核验程序“verify\.py”"):
        build(bundle, tmp_path / "out", pdfs, verify=tmp_path / "none")


def test_a_bureau_that_has_published_nothing_yet_has_a_sound_site(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(bundle, bare)
    shutil.rmtree(bare / "rounds")
    for name in ("items", "plans", "rounds", "results", "pages"):
        (bare / f"{name}.jsonl").write_bytes(b"")
    about = json.loads((bare / "about.json").read_bytes())
    (bare / "about.json").write_bytes(canonical(about | {"figures": []}))
    seal(bare)
    build(bare, tmp_path / "out", pdfs, verify=verify)
    assert all(ok for ok, _ in check_release(tmp_path / "out"))
    assert "还没有公告" in (tmp_path / "out/index.html").read_text("utf-8")


def test_a_lower_bureaus_plan_has_its_own_address_and_its_own_name_on_the_paper(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    both = tmp_path / "both"
    shutil.copytree(bundle, both)
    own = [json.loads(line) for line in (both / "plans.jsonl").read_bytes().splitlines()]
    below = [{**plan, "bureau": {"code": "350599", "name": "邻县市场监督管理局"}} for plan in own]
    (both / "plans.jsonl").write_bytes(b"".join(canonical(plan) + b"\n" for plan in [*own, *below]))
    seal(both)
    build(both, tmp_path / "out", pdfs, verify=verify)
    assert all(ok for ok, _ in check_release(tmp_path / "out"))
    named = {path.stem: "邻县市场监督管理局" in path.read_text("utf-8") for path in (tmp_path / "out/plans").glob("*2026*.html")}
    assert named == {"2026": False, "2026@1": False, "350599-2026": True, "350599-2026@1": True}
    assert 'href="../plans/350599-2026.html"' in (tmp_path / "out/plans/350599-2026@1.html").read_text("utf-8")
    signed = {("bureau" in job.context["plan"], job.context["about"]["bureau"]["name"]) for job in pdfs.asked if job.template == "plan_notice"}
    assert signed == {(True, "邻县市场监督管理局"), (False, json.loads((bundle / "about.json").read_bytes())["bureau"]["name"])}


def test_a_list_drawn_elsewhere_has_its_page_its_results_and_its_place_in_the_data(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    more = tmp_path / "more"
    shutil.copytree(bundle, more)
    listed, first = add_external(more)
    code, label = listed["code"], listed["label"]
    build(more, tmp_path / "out", pdfs, verify=verify)
    assert all(ok for ok, _ in check_release(tmp_path / "out")), list(check_release(tmp_path / "out"))
    out = {name: (tmp_path / "out" / name).read_text("utf-8") for name in (f"tasks/{code}.html", f"tasks/{code}-list.html", f"results/{code}.html", "tasks/index.html", "tasks/external.html", "news.html", "data/external.csv")}  # fmt: skip
    assert "泉州市局平台" in out[f"tasks/{code}.html"] and "不能验证它是怎样抽取的" in out[f"tasks/{code}.html"] and "ab" * 32 in out[f"tasks/{code}.html"]
    assert label in out[f"results/{code}.html"] and first["name"] in out[f"tasks/{code}-list.html"]
    assert "外部抽取的名单（1）" in out["tasks/index.html"] and f"{code}.html" in out["tasks/external.html"] and code in out["data/external.csv"]
    assert listed["title"] in out["news.html"]
    assert {job.template for job in pdfs.asked if job.context.get("round") == listed} == {"result_notice"}


# Refusals -------------------------------------------------------------------------------------


def test_a_torn_bundle_is_refused_by_the_name_of_the_file(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    torn = tmp_path / "torn"
    shutil.copytree(bundle, torn)
    with (torn / "results.jsonl").open("ab") as stream:
        stream.write(b"{}\n")
    with pytest.raises(BadInput, match=r"results\.jsonl”与清单不符"):
        build(torn, tmp_path / "out", pdfs, verify=verify)
    assert not (tmp_path / "out").exists()


def test_a_symbolic_link_in_a_bundle_is_refused(bundle: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    shutil.copytree(bundle, linked)
    (linked / "about.json").rename(tmp_path / "about.json")
    (linked / "about.json").symlink_to(tmp_path / "about.json")
    with pytest.raises(BadInput, match="符号链接"):
        load_bundle(linked)


@pytest.mark.parametrize("path", ["../x", "a/../b", "/etc/passwd", "a//b", ".hidden", "a/.b", "a\\b", "名单.html", "a b", "a\n", ""])
def test_an_unsafe_path_is_refused(path: str) -> None:
    with pytest.raises(BadInput, match="不能用作文件名"):
        require_path(path)


def test_a_code_with_a_hash_mark_has_a_plain_address() -> None:
    assert slug("91350582MA#2") == "91350582MA_2"


def test_two_codes_of_one_address_are_refused(tmp_path: Path) -> None:
    sink = Sink(tmp_path)
    sink.put("a/b.html", b"1")
    with pytest.raises(BadInput, match="同一个地址"):
        sink.put("a/b.html", b"2")


def test_a_result_of_an_unknown_round_is_refused(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="没有这一轮"):
        load_bundle(edited(bundle, tmp_path / "odd", "results.jsonl", lambda row: row | {"round": "nowhere"}))


def test_a_template_that_asks_for_an_unknown_name_stops_the_build() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ no_such_name }}").render()


# Pages ----------------------------------------------------------------------------------------


def test_a_compiled_template_is_used_again_by_the_same_program_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    compiled: list[str] = []
    compile_ = Environment.compile
    monkeypatch.setattr(Environment, "compile", lambda self, source, *more, **named: compiled.append(source) or compile_(self, source, *more, **named))

    def says(source: str, program: str, folder: Path = tmp_path / "kept") -> str:
        made = Environment(loader=DictLoader({"a.html": source}), bytecode_cache=Compiled(folder, program))
        return made.get_template("a.html").render(x=1)

    assert (says("{{ x }}", "p"), says("{{ x }}", "p"), len(compiled)) == ("1", "1", 1)
    assert (says("{{ x + 1 }}", "p"), says("{{ x + 1 }}", "q"), len(compiled)) == ("2", "2", 3)
    [place] = (tmp_path / "kept").iterdir()
    assert place.stat().st_mode & 0o077 == 0
    for content in (b"", place.read_bytes()[:-9], place.read_bytes()[:20], b"foreign"):
        place.write_bytes(content)
        assert says("{{ x + 1 }}", "q") == "2"
    assert len(compiled) == 7
    assert says("{{ x }}", "p", place / "not a folder") == "1"  # where nobody may write
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert says("{{ x }}", "p", tmp_path / "none") == "1" and not (tmp_path / "none").exists()


def test_text_from_the_bundle_is_never_markup(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    attack = '<script>alert(1)</script>"><img src=x onerror=1>'

    def poison(row):
        row["name"] = row["town"] = row["authority"] = attack
        row["history"][0]["text"] = attack
        for item in row["items"]:
            item["summary"] = item["name"] = item["outcome_label"] = attack
            item["points"] = [{"label": attack, "answer": attack}]

    build(edited(bundle, tmp_path / "bad", "results.jsonl", poison), tmp_path / "out", pdfs, verify=verify)
    assert all(ok for ok, _ in check_release(tmp_path / "out"))
    for path in (tmp_path / "out").rglob("*.html"):
        text = path.read_text("utf-8")
        assert "<img" not in text
        assert "<script>" not in text


def test_a_long_list_is_paged_and_every_page_is_short(verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    make_bundle(tmp_path / "large", firm_count=1700)
    build(tmp_path / "large", tmp_path / "out", pdfs, verify=verify)
    pages = sorted((tmp_path / "out/results").glob("350582-2026-R003*.html"))
    assert len(pages) > 1
    assert all(path.stat().st_size <= MOST_BYTES for path in (tmp_path / "out").rglob("*.html"))
    assert all(ok for ok, _ in check_release(tmp_path / "out"))
    entities = {row["entity"] for row in json.loads((tmp_path / "out/results/350582-2026-R003.json").read_bytes())["results"]}
    shown = "".join(path.read_text("utf-8") for path in pages)
    assert all(code in shown for code in entities)


def test_a_visit_with_very_many_points_keeps_them_in_its_files(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    firm = min(load_bundle(bundle).by_entity, key=lambda code: entity_path(code))

    def swell(row):
        if row["entity"] == firm:
            row["items"][0]["points"] = [{"label": f"要点{n}" * 20, "answer": "符合"} for n in range(800)]

    build(edited(bundle, tmp_path / "wide", "results.jsonl", swell), tmp_path / "out", pdfs, verify=verify)
    page = min((tmp_path / "out/entities").rglob("*.html"))
    assert "检查要点较多" in page.read_text("utf-8")
    assert "要点799" in page.with_suffix(".json").read_text("utf-8")


def test_a_page_that_cannot_be_made_short_is_refused(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    with pytest.raises(BadInput, match="超过 61,440 字节"):
        build(edited(bundle, tmp_path / "wide", "items.jsonl", lambda row: row | {"points": ["很长" * 20000]}), tmp_path / "out", pdfs, verify=verify)


def test_a_sealed_round_shows_one_list_without_tasks(out: Path) -> None:
    text = (out / "tasks/350582-2026-R002-list.html").read_text("utf-8")
    assert "餐饮服务监督检查" not in text
    assert "登记事项与公示信息检查" not in text
    assert "餐饮服务监督检查" in (out / "tasks/350582-2026-R003-list.html").read_text("utf-8")


def test_a_round_not_yet_visited_has_no_list(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    hidden = edited(bundle, tmp_path / "early", "rounds.jsonl", lambda row: row | {"list": None})
    build(hidden, tmp_path / "out", pdfs, verify=verify)
    assert not list((tmp_path / "out/tasks").glob("*-list.html"))
    assert "名单在检查结束（2026年6月5日）以后公布" in (tmp_path / "out/tasks/350582-2026-R003.html").read_text("utf-8")


def test_a_replacement_is_told_in_plain_words_and_a_sealed_round_gives_counts_alone(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    done = {"on": "2026-05-22", "commit": "ab" * 32, "entities": 2, "picks": 3, "filled": 2, "empty": 1, "kept": 1, "reasons": {"注销": 1, "迁出": 1}}
    nobody = done | {"on": "2026-04-16", "entities": 0, "picks": 0, "filled": 0, "empty": 0, "kept": 0, "reasons": {}}
    names: list[str] = []

    def replaced(row):
        if row["code"].endswith("R003"):
            names.extend(one["name"] for one in row["list"][:2])
            notes = ["struck", "replacement", *[None] * (len(row["list"]) - 2)]
            row["list"] = [one | {"note": note} for one, note in zip(row["list"], notes, strict=True)]
            return row | {"replacement": {"on": "2026-05-21", "done": done}}
        return row | {"replacement": {"on": row["window"][0], "done": nobody if row["code"].endswith("R002") else None}}

    build(edited(bundle, tmp_path / "replaced", "rounds.jsonl", replaced), tmp_path / "out", pdfs, verify=verify)
    page = " ".join((tmp_path / "out/tasks/350582-2026-R003.html").read_text("utf-8").split())
    assert "2026年5月22日按约定补抽一次：抽中的企业里有 2 户已经注销（1 户）、迁出（1 户），涉及 3 户次。" in page
    assert "由后面的企业递补 2 户次；名录里已没有可以递补的 1 户次，空缺不补。" in page and "ab" * 32 in page
    assert "另有 1 户在补抽以前已经检查，不再递补。" in page and "原定 2026年5月21日，实际于 2026年5月22日办理。" in page
    listed = (tmp_path / "out/tasks/350582-2026-R003-list.html").read_text("utf-8")
    assert listed.count("已由补抽替换") == 1 and listed.count(">补抽<") == 1
    sealed = (tmp_path / "out/tasks/350582-2026-R002.html").read_text("utf-8")
    assert "2026年4月16日按约定查对登记状态，抽中的企业没有需要递补的。" in sealed
    assert "补抽" not in (tmp_path / "out/tasks/350582-2026-R002-list.html").read_text("utf-8")


def test_an_overdue_round_says_so_on_its_page_the_list_and_the_home_page(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    def delay(row):
        if row["code"].endswith("R003"):
            return row | {"state": "drawn", "overdue": True, "secrets": None, "revealed_at": None}
        return row

    build(edited(bundle, tmp_path / "late", "rounds.jsonl", delay), tmp_path / "out", pdfs, verify=verify)
    for name in ("index.html", "tasks/index.html", "tasks/350582-2026-R003.html", "verify/index.html"):
        assert "逾期未披露" in (tmp_path / "out" / name).read_text("utf-8")
    assert "在网页上重算" not in (tmp_path / "out/tasks/350582-2026-R003.html").read_text("utf-8")


def test_each_page_links_the_item_version_in_force_on_the_day(bundle: Path, out: Path) -> None:
    opened = load_bundle(bundle)
    for result in opened.results():
        if any(item["code"] == "registration.report" for item in result["items"]):
            page = next((out / "entities").rglob(f"{result['entity']}.html")).read_text("utf-8")
            version = "1" if result["inspected_on"] <= "2026-05-09" else "2"
            assert f"items/registration.report@{version}.html" in page


def test_a_changed_day_of_the_data_leaves_entity_pages_alone(bundle: Path, verify: Path, tmp_path: Path, out: Path) -> None:
    """Else every page, and every PDF, would change with every release."""
    make_bundle(tmp_path / "next", as_of="2026-06-27")
    build(tmp_path / "next", tmp_path / "out2", FakePdfs(), verify=verify)
    before, after = contents(out), contents(tmp_path / "out2")
    changed = {name for name in before if before[name] != after[name]}
    assert "index.html" in changed
    assert not {name for name in changed if name.startswith(("entities/", "sheets/", "items/registration")) or name.endswith(".pdf")}


def moved(row: dict) -> dict:
    return row | {"town": "晋江市内坑镇"}


def renamed(row: dict) -> dict:
    return row | {"name": f"新{row['name']}", "aliases": [row["name"]]}


@pytest.mark.parametrize(("change", "known", "cloned", "index"), [
    (moved, True, True, False), (moved, True, False, False), (moved, False, True, False), (renamed, True, True, True), (None, True, True, True), ("more", True, True, True),
])  # fmt: skip
def test_an_incremental_release_is_the_full_build(
    bundle: Path, in_pieces: Path, verify: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change, known: bool, cloned: bool, index: bool
) -> None:
    """One firm changes, goes (None) or comes: what is taken over, pieces of tables included, must be what a full build gives, with and
    without what is known of the release before; the exact index stays but where a name changed."""
    make_small(monkeypatch)
    site = Path(shutil.copytree(in_pieces, tmp_path / "site", symlinks=True))
    firm = sorted(load_bundle(bundle).by_entity)[7]
    rows = [json.loads(line) for line in (bundle / "results.jsonl").read_bytes().splitlines()]
    mine = [row for row in rows if row["entity"] == firm]
    if change == "more":
        fresh = [row | {"visit": f"{row['visit']}x", "entity": f"{firm[:-1]}0"} for row in mine]
    else:
        fresh = [change(row) for row in mine if change]
    rows = sorted([*fresh, *(row for row in rows if change == "more" or row["entity"] != firm)], key=lambda row: row["visit"])
    changed = Path(shutil.copytree(bundle, tmp_path / "changed"))
    (changed / "results.jsonl").write_bytes(b"".join(canonical(row) + b"\n" for row in rows))
    seal(changed)
    if not known:
        (site / ".known").unlink()
    if not cloned:
        (site / ".next").unlink()
    sinks = []
    monkeypatch.setattr(release_module, "put_manifest", lambda sink, opened: sinks.append(sink) or put_manifest(sink, opened))
    release(changed, site, FakePdfs(), verify=verify)
    report = build(changed, tmp_path / "full", FakePdfs(), verify=verify)
    assert contents(site / "current") == contents(tmp_path / "full")
    [sink] = sinks
    assert (sink.known is not None) is known
    assert (sink.tally.files, sink.tally.html, sink.tally.pdfs) == (report.files, report.pages, report.pdfs)
    assert any(path.startswith("data/search/") for path in sink.fresh) is index
    assert 0 < len([path for path in sink.fresh if not path.endswith(".gz") and not path.startswith("data/search/")]) < 30


# PDFs -----------------------------------------------------------------------------------------


def test_a_second_build_renders_only_what_is_new(bundle: Path, verify: Path, tmp_path: Path) -> None:
    cache, first, second, third = tmp_path / "cache", FakePdfs(), FakePdfs(), FakePdfs("fake/2")
    build(bundle, tmp_path / "one", first, pdf_cache=cache, verify=verify)
    firm = max(load_bundle(bundle).by_entity)
    changed = edited(bundle, tmp_path / "changed", "results.jsonl", lambda row: row | {"town": "晋江市内坑镇"} if row["entity"] == firm else row)
    build(changed, tmp_path / "two", second, pdf_cache=cache, verify=verify)
    asked = sorted({job.template for job in second.asked})
    assert asked == ["result_notice", "result_sheet"]
    assert len(second.asked) < 6 < len(first.asked)
    build(bundle, tmp_path / "three", third, pdf_cache=cache, verify=verify)
    assert len(third.asked) == len(first.asked)  # another template or font: everything again


def test_a_renderer_that_leaves_one_out_stops_the_build(bundle: Path, verify: Path, tmp_path: Path) -> None:
    class Lazy(FakePdfs):
        def __call__(self, jobs):
            yield from list(super().__call__(jobs))[1:]

    with pytest.raises(BadInput, match="PDF 没有生成"):
        build(bundle, tmp_path / "out", Lazy(), verify=verify)


def test_no_pdf_is_told_the_latest_checkpoint_or_the_figures(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    build(bundle, tmp_path / "out", pdfs, verify=verify)
    for job in pdfs.asked:
        assert job.context["about"]["figures"] == []
        if job.template == "result_sheet":
            proof = job.context["result"]["proof"]
            assert (job.context["about"]["log"]["size"], job.context["about"]["log"]["root"]) == (proof["size"], proof["root"])
    assert {job.template for job in pdfs.asked} == {"plan_notice", "task_notice", "result_notice", "result_sheet"}


# Data -----------------------------------------------------------------------------------------


def test_csv_files_open_in_spreadsheets_and_hold_no_formula(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    formula = '=HYPERLINK("http://x")'
    build(edited(bundle, tmp_path / "bad", "results.jsonl", lambda row: row | {"name": formula, "authority": "@SUM(1)", "type": "+1", "status": "-1", "town": "-2"}), tmp_path / "out", pdfs, verify=verify)
    raw = (tmp_path / "out/data/results.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert rows[0] == [column for column, _ in data.COLUMNS["results"]]
    assert {tuple(row[1:5]) for row in rows[1:]} == {(f"'{formula}", "'+1", "'-1", "'-2")}
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]


def test_rows_written_quickly_are_those_the_csv_writer_writes(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a text may need more than commas around it, the quick way says nothing."""
    plain = list(load_bundle(bundle).results())[:6]
    hostile = ["=1", "a=1", "-1", "a-1", "+", "@x", "\tx", "\rx", "a\rb", "a\nb", "a\r\n=b", "甲,乙", "，-", '"', 'a"b', "\\", "", " x", "\x00", "\u2028"]
    fields = [("name",), ("town",), ("published_on",), ("entity",), ("items", 0, "summary"), ("items", 0, "follow_up", "closed_on")]
    cases = [plain, [], *([*plain, with_text(plain[1], where, text), plain[2]] for where in fields for text in hostile)]
    lines_of = [[plain_json(row) for row in case] for case in cases]
    quick = list(map(data.result_rows, lines_of))
    monkeypatch.setattr(data, "_quick_rows", lambda _rows: None)
    assert quick == list(map(data.result_rows, lines_of))
    monkeypatch.undo()
    said = [data._quick_rows(list(map(data._result, case))) is not None for case in lines_of]
    assert said[0] and said[1] and 20 < sum(said) < len(said) - 40


def with_text(row: dict, where: tuple, text: str) -> dict:
    made = here = copy.deepcopy(row)
    for step in where[:-1]:
        here = here[step]
    here[where[-1]] = text
    return made


def test_every_csv_row_has_a_cell_for_each_described_column(out: Path) -> None:
    for name, columns in data.COLUMNS.items():
        rows = list(csv.reader(io.StringIO((out / f"data/{name}.csv").read_text("utf-8-sig"))))
        assert (len(rows) > 1) is (name != "external")  # this bureau took no list drawn elsewhere
        assert {len(row) for row in rows} == {len(columns)}


def test_full_width_marks_and_spaces_do_not_hide_a_firm() -> None:
    assert search.search_key("晋江（集团） ａb有限公司") == search.search_key("晋江(集团)AB有限公司")


def test_announcements_come_newest_first(bundle: Path) -> None:
    days = [row["on"] for row in announcements(load_bundle(bundle))]
    assert days == sorted(days, reverse=True)
    assert len(days) > 8


def test_a_sealed_round_that_went_to_the_auditors_is_not_called_revealed(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs) -> None:
    def handed(row):
        if row["disclosure"] == "sealed":
            row["log"].append({**row["log"][-1], "kind": "reveal", "at": "2026-05-06T10:00:00+08:00"})

    copy = edited(bundle, tmp_path / "bundle", "rounds.jsonl", handed)
    titles = [row["title"] for row in announcements(load_bundle(copy))]
    assert "2026年第二批抽查：已移交监督机构复核" in titles
    assert [title for title in titles if title.endswith("：密值已公开，可以核验")] == ["2026年第三批抽查：密值已公开，可以核验"]
    build(copy, tmp_path / "out", pdfs, verify=verify)
    page = (tmp_path / "out" / "tasks" / "350582-2026-R002.html").read_text("utf-8")
    assert "移交监督机构复核<br>" in page and "密值公开<br>" not in page


def test_the_home_page_gives_the_year_of_what_is_older_than_its_own(bundle: Path, verify: Path, tmp_path: Path, pdfs: FakePdfs, out: Path) -> None:
    later = edited(bundle, tmp_path / "bundle", "about.json", lambda about: about | {"year": about["year"] + 1})
    build(later, tmp_path / "later", pdfs, verify=verify)
    days = [re.findall(r'<time class="end" datetime="(2026[^"]*)">([^<]*)<', (site / "index.html").read_text("utf-8")) for site in (out, tmp_path / "later")]
    assert days[0] and [(on, f"2026年{day}") for on, day in days[0]] == days[1]


def test_every_json_file_of_the_site_is_canonical(out: Path) -> None:
    files = [path for path in out.rglob("*.json") if "rounds" not in path.parts]
    assert len(files) > 70
    for path in files:
        assert canonical(json.loads(path.read_bytes())) == path.read_bytes(), path


# Words ----------------------------------------------------------------------------------------


def test_values_are_written_as_people_write_them() -> None:
    assert cn_date("2026-06-08T10:00:00+08:00") == "2026年6月8日"
    assert lead("2026-05-15T10:00:00+08:00", "2026-05-19T21:15:00+08:00") == "4 天 11 小时"
    assert drawn_value("4.11.17.23.28.32./9./") == "04 11 17 23 28 32 + 09"
    assert drawn_value("-") == "未按期开奖（记为 -）"
    assert drawn_value(None) == "尚未开奖"
    assert (ratio(35000), ratio("10%（20 户）"), ratio(None)) == ("3.5%", "10%（20 户）", "不公布")
    assert (percent(999, 1000), percent(1999, 2000), percent(2000, 2000), percent(0, 0)) == ("99.9%", "99.9%", "100%", "0%")


@pytest.mark.parametrize(("name", "wanted"), [
    ("晋江市潮声里餐饮管理有限公司", ["晋江市潮声里", "餐饮管理", "有限公司"]),
    ("福建潮声里集团有限公司", ["福建潮声里", "集团有限公司"]),
    ("晋江市新海丝小吃店", ["晋江市新海丝小吃店"]),
    ("某某（福建）食品股份有限公司", ["某某", "（福建）", "食品", "股份有限公司"]),
])  # fmt: skip
def test_a_long_name_breaks_before_its_trade_and_its_form(name: str, wanted: list[str]) -> None:
    assert pieces(name) == wanted
    assert "".join(pieces(name)) == name


def test_a_delay_is_said_before_the_state() -> None:
    round_ = {"overdue": True, "state": "drawn", "list": []}
    assert state_of(round_) == ("bad", "逾期未披露")
    assert state_of(round_ | {"overdue": False}) == ("half", "检查结束，名单已公布")
    assert state_of(round_ | {"overdue": False, "list": None}) == ("half", "已抽取，检查中")


def test_the_open_round_of_the_fixture_verifies_with_the_program_the_site_offers(out: Path, bundle: Path) -> None:
    """So what a reader downloads from the built pages is enough to recompute the draw."""
    program = VERIFY / "verify.py"
    [round_] = [row for row in load_bundle(bundle).rounds if row["state"] == "revealed"]
    run = subprocess.run([sys.executable, program, out / "rounds" / round_["code"], round_["digest"]], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    assert "FAIL" not in run.stdout
