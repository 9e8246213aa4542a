"""Chinese fonts: found, cut once, or asked for by name."""

import io
import subprocess
import sys

import pytest
from fontTools.ttLib import TTFont

from portal.domain.errors import WrongMoment
from portal.prints import fonts


def test_without_a_chinese_font_the_package_to_install_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(fonts, "SYSTEM_FOLDERS", (str(tmp_path / "none"),))
    with pytest.raises(WrongMoment, match="apt-get install fonts-noto-cjk"):
        fonts.require_fonts()


def test_one_cjk_font_serves_every_role_when_nothing_better_is_there(monkeypatch, tmp_path):
    (tmp_path / "wqy-microhei.ttc").write_bytes(b"font")
    monkeypatch.setattr(fonts, "SYSTEM_FOLDERS", (str(tmp_path),))
    assert {(face.role, face.file.name) for face in fonts.require_fonts()} == {
        (role, "wqy-microhei.ttc") for role in fonts.ROLES
    }


def test_an_operators_fang_song_is_preferred_to_the_systems_serif(monkeypatch, tmp_path):
    (tmp_path / "system").mkdir()
    (tmp_path / "system" / "wqy-microhei.ttc").write_bytes(b"font")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "SIMFANG.TTF").write_bytes(b"font")
    monkeypatch.setattr(fonts, "SYSTEM_FOLDERS", (str(tmp_path / "system"),))
    by_role = {face.role: face.file.name for face in fonts.require_fonts((tmp_path / "own",))}
    assert by_role["MC-FS"] == "SIMFANG.TTF"
    assert by_role["MC-HT"] == "wqy-microhei.ttc"


def test_gb2312_has_its_7445_characters_and_no_rare_one():
    points = set(fonts.gb2312())
    assert sum(point > 0x7F for point in points) >= 7445
    assert {ord(c) for c in "晋江市场监督管理局“双随机、一公开”〔2026〕—≥"} <= points
    assert not {ord(c) for c in "㛃𬭎"} & points


def test_the_faces_are_those_for_simplified_chinese(fonts_folder):
    for face in fonts.require_fonts():
        name = TTFont(face.file, fontNumber=face.index, lazy=True)["name"].getDebugName(1)
        assert name == face.name


def test_a_cut_font_has_every_character_of_gb2312_in_a_fifth_of_the_size(fonts_folder):
    face = fonts.require_fonts()[0]
    data = fonts.cut_font(face.file, face.index, fonts.gb2312())
    if data is None:
        pytest.skip("libharfbuzz-subset is not installed: whole fonts are used")
    have = set(TTFont(io.BytesIO(data)).getBestCmap())
    whole = set(TTFont(face.file, fontNumber=face.index, lazy=True).getBestCmap())
    assert have == set(fonts.gb2312()) & whole
    assert len(data) < face.file.stat().st_size / 5


def test_fonts_are_cut_once_and_an_unfinished_file_is_never_used(fonts_folder, tmp_path, monkeypatch):
    faces = fonts.require_fonts()
    first = fonts.cut_fonts(faces, tmp_path)
    monkeypatch.setattr(fonts, "cut_font", lambda *_: pytest.fail("cut twice"))
    assert fonts.cut_fonts(faces, tmp_path) == first
    assert not list(tmp_path.glob("*.part"))


def test_two_processes_cutting_at_once_end_with_the_same_whole_files(fonts_folder, tmp_path):
    code = (
        "import sys; from pathlib import Path; from portal.prints import fonts; "
        "fonts.cut_fonts(fonts.require_fonts(), Path(sys.argv[1]))"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "both")]) for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    alone = fonts.cut_fonts(fonts.require_fonts(), tmp_path / "alone")
    for path in alone.cut.values():
        assert (tmp_path / "both" / path.name).read_bytes() == path.read_bytes()
    assert not list((tmp_path / "both").glob("*.part"))


def test_another_font_file_gives_another_digest(fonts_folder, tmp_path):
    faces = fonts.require_fonts()
    plain = fonts.cut_fonts(faces, tmp_path / "cut")
    (tmp_path / "simfang.ttf").write_bytes(plain.cut["MC-FS"].read_bytes())
    other = fonts.cut_fonts(fonts.require_fonts((tmp_path,)), tmp_path / "cut")
    assert other.digest != plain.digest
