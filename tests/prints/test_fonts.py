"""The fonts: shipped whole, unpacked once, compared with their sums, an operator's own in front, the machine's never."""

import hashlib
import io
import re
import shutil
import subprocess
import sys

import pytest
from fontTools.ttLib import TTFont

from portal.domain.errors import WrongMoment
from portal.prints import cutting, fonts
from portal.prints.render import Printer

from . import samples
from .pdf_reading import fonts_in, missing_glyphs

README = (fonts.SHIPPED / "README.md").read_text("utf-8")
COMMON = "NotoSerifSC-Regular.otf"


def sheet(name="晋江市㛃桥𬭎达有限公司"):
    return "result_sheet.html", {"about": samples.about(), "result": samples.result(name=name)}


@pytest.fixture(scope="module")
def unpacked(fonts_folder):
    fonts.ready_fonts(fonts_folder)
    return fonts_folder / "shipped"


@pytest.fixture
def copy(tmp_path):
    """A copy of the shipped folder to damage: links to the packed fonts, and its list of sums."""
    folder = tmp_path / "program"
    folder.mkdir()
    for path in fonts.SHIPPED.iterdir():
        if path.suffix == ".xz":
            (folder / path.name).symlink_to(path)
    (folder / fonts.SUMS).write_bytes((fonts.SHIPPED / fonts.SUMS).read_bytes())
    return folder


def as_own(folder, file="simfang.ttf", family="FangSong", unpacked=None):
    """A folder of the operator's with one font in it: ours under another name."""
    folder.mkdir(exist_ok=True)
    font = TTFont(unpacked / COMMON)
    for number in (1, 4):
        font["name"].setName(family, number, 3, 1, 0x409)
    font.save(folder / file)
    return folder


# What is shipped --------------------------------------------------------------


def test_every_shipped_font_is_what_its_sum_says_and_nothing_else_lies_there(unpacked):
    sums = fonts.load_sums()
    packed = {path.name for path in fonts.SHIPPED.glob("*.xz")}
    assert packed == {f"{name}.xz" for name in sums}
    assert {path.name for path in fonts.SHIPPED.iterdir()} == packed | {"OFL.txt", "README.md", fonts.SUMS}
    for name, digest in sums.items():
        assert hashlib.sha256((unpacked / name).read_bytes()).hexdigest() == digest  # from load_shipped, in this run


def test_the_shipped_fonts_stay_below_25_megabytes():
    assert sum(path.stat().st_size for path in fonts.SHIPPED.iterdir()) < 25_000_000


def test_the_table_of_the_readme_is_the_list_of_sums():
    rows = re.findall(r"^\| `([\w.-]+\.otf)` \|.*`([0-9a-f]{64})` \|$", README, re.M)
    assert dict(rows) == fonts.load_sums()


def test_the_licence_is_there_and_reserves_no_font_name(unpacked):
    licence = (fonts.SHIPPED / "OFL.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1 - 26 February 2007" in licence
    notice = licence.split("-----")[0]
    assert "with Reserved Font Name" not in notice
    for name in fonts.load_sums():
        table = TTFont(unpacked / name, lazy=True)["name"]
        assert "SIL Open Font License, Version 1.1" in table.getDebugName(13)
        assert table.getDebugName(0).split("(")[0].strip() in notice
        assert "Reserved Font Name" not in table.getDebugName(0)


def test_the_two_parts_of_a_face_share_no_character_and_together_have_the_rare_ones(unpacked):
    for stem in ("NotoSerifSC-Regular", "NotoSerifSC-Bold", "NotoSansSC-Regular"):
        common = set(TTFont(unpacked / f"{stem}.otf", lazy=True).getBestCmap())
        rare = set(TTFont(unpacked / f"{stem}-Rare.otf", lazy=True).getBestCmap())
        assert not common & rare
        assert len(common) > 7500 and len(common | rare) > 44_000
        assert {ord(c) for c in "晋江市市场监督管理局“双随机、一公开”〔2026〕"} <= common
        assert {ord(c) for c in "㛃𬭎喆堃硚浉鄠旸錡한"} <= rare


def test_the_families_are_those_the_style_sheet_is_given(unpacked):
    given = {family for _, families, _ in fonts.ROLES.values() for family in families}
    assert {TTFont(unpacked / name, lazy=True)["name"].getDebugName(1) for name in fonts.load_sums()} == given


def test_gb2312_has_its_7445_characters_and_no_rare_one():
    points = set(cutting.gb2312())
    assert sum(point > 0x7F for point in points) >= 7445
    assert {ord(c) for c in "晋江市市场监督管理局“双随机、一公开”〔2026〕—≥"} <= points
    assert not {ord(c) for c in "㛃𬭎"} & points


# Unpacking --------------------------------------------------------------------


def test_fonts_are_unpacked_once(fonts_folder, unpacked, monkeypatch):
    first = fonts.ready_fonts(fonts_folder)
    monkeypatch.setattr(fonts, "load_shipped", lambda *_: pytest.fail("unpacked twice"))
    assert fonts.ready_fonts(fonts_folder) == first
    assert not list(fonts_folder.rglob("*.part"))


def test_an_unpacked_font_that_is_not_as_it_should_be_is_unpacked_again(tmp_path, monkeypatch):
    monkeypatch.setattr(fonts, "load_sums", lambda: {COMMON: hashlib.sha256(b"font").hexdigest()})
    monkeypatch.setattr(fonts, "load_shipped", lambda name: b"font")
    fonts.ready_fonts(tmp_path)
    (tmp_path / "shipped" / COMMON).write_bytes(b"fond")
    fonts.ready_fonts(tmp_path)
    assert (tmp_path / "shipped" / COMMON).read_bytes() == b"font"


@pytest.mark.long
def test_two_processes_unpacking_at_once_end_with_the_same_whole_files(tmp_path):
    """With the two smallest fonts: what the processes do to each other's files is the same for all of them."""
    names = (COMMON, "NotoSansSC-Regular.otf")
    code = f"""import sys; from pathlib import Path; from portal.prints import fonts
wanted = {{name: digest for name, digest in fonts.load_sums().items() if name in {names}}}
fonts.load_sums = lambda *folder: wanted
print("ready", flush=True); sys.stdin.readline()
fonts.ready_fonts(Path(sys.argv[1]))"""
    runs = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    assert [run.stdout.readline() for run in runs] == [b"ready\n"] * 2
    for run in runs:
        run.stdin.write(b"go\n")
        run.stdin.flush()
    assert [(run.communicate(), run.returncode)[1] for run in runs] == [0, 0]
    assert sorted(path.name for path in (tmp_path / "shipped").iterdir()) == sorted(names)
    for name in names:
        assert hashlib.sha256((tmp_path / "shipped" / name).read_bytes()).hexdigest() == fonts.load_sums()[name]
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("content", "because"),
    [(None, "缺少或不能读取"), (b"", "已损坏"), (b"\xfd7zXZ\x00 cut short", "已损坏"), ("another font", "与 SHA256SUMS 不符")],
)  # fmt: skip
def test_a_shipped_font_that_is_not_as_it_should_be_is_named(copy, content, because):
    (copy / f"{COMMON}.xz").unlink()
    if content == "another font":
        (copy / f"{COMMON}.xz").symlink_to(fonts.SHIPPED / "NotoSansSC-Regular.otf.xz")
    elif content is not None:
        (copy / f"{COMMON}.xz").write_bytes(content)
    with pytest.raises(WrongMoment, match=f"portal/prints/fonts/{COMMON}.xz {because}.*请重新取得完整的程序文件"):
        fonts.load_shipped(COMMON, copy)


@pytest.mark.parametrize("text", ["", "x\n", "0" * 64 + f"  {COMMON}\n", "\ufeff"])
def test_a_list_of_sums_that_lacks_a_font_is_named(copy, text):
    (copy / fonts.SUMS).write_text(text, "utf-8")
    with pytest.raises(WrongMoment, match="SHA256SUMS 缺少或不完整"):
        fonts.load_sums(copy)


# An operator's own ------------------------------------------------------------


def test_an_operators_fang_song_is_used_first_and_ours_stands_behind_it(fonts_folder, unpacked, tmp_path):
    own = as_own(tmp_path / "own", "SIMFANG.TTF", unpacked=unpacked)
    ready = fonts.ready_fonts(fonts_folder, own)
    assert ready.first["MC-FS"].name.startswith("SIMFANG-0-")
    assert ready.behind["MC-FS"] == ("FangSong", "MC Serif", "MC Serif Rare")
    assert ready.first["MC-KT"] == unpacked / COMMON
    plain = fonts.ready_fonts(fonts_folder)
    assert (ready.digest, ready.config) != (plain.digest, plain.config)
    assert str(own) in ready.config.read_text() and str(own) not in plain.config.read_text()


def test_a_rare_character_that_the_operators_font_lacks_comes_from_ours(fonts_folder, unpacked, tmp_path):
    own = as_own(tmp_path / "own", unpacked=unpacked)
    with Printer(fonts_folder, own_fonts=own, workers=1) as printer:
        pdf = printer.render("sheet", *sheet())
    assert not missing_glyphs(pdf)
    assert "MC-Serif-Rare" in fonts_in(pdf)


def test_a_configured_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(WrongMoment, match="PORTAL_FONTS 指的字体文件夹.*none.*不存在"):
        fonts.ready_fonts(tmp_path, tmp_path / "none")


def test_cutting_without_harfbuzz_leaves_the_operators_font_whole(tmp_path, unpacked, monkeypatch):
    def gone():
        raise OSError("libharfbuzz-subset.so.0: cannot open shared object file")

    monkeypatch.setattr(cutting, "_harfbuzz", gone)
    assert cutting.cut_font(unpacked / COMMON, 0, cutting.gb2312()) is None


def test_a_cut_font_has_every_character_asked_for_and_no_other(unpacked):
    points = sorted(map(ord, "明查"))
    cut = cutting.cut_font(unpacked / COMMON, 0, points)
    if cut is None:
        pytest.skip("libharfbuzz-subset is not installed")
    assert sorted(TTFont(io.BytesIO(cut)).getBestCmap()) == points


# The machine's ----------------------------------------------------------------


@pytest.mark.long
def test_the_machines_fonts_are_never_looked_at(fonts_folder, unpacked, printer, tmp_path, monkeypatch):
    """Workers have fontconfig's file of ours only: a machine without fonts, or one whose own file says otherwise, prints the same bytes."""
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "none.conf"))
    monkeypatch.setenv("FONTCONFIG_PATH", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    shutil.copytree(unpacked, tmp_path / "fresh" / "shipped")
    with Printer(tmp_path / "fresh", workers=1) as other:
        assert other.render("sheet", *sheet()) == printer.render("sheet", *sheet())
    config = fonts.ready_fonts(fonts_folder).config.read_text()
    assert re.findall(r"<dir>(.*?)</dir>", config) == [str(fonts_folder / "shipped")]
    assert "include" not in config and "prefix" not in config
