"""What a document embeds of our fonts: the same outlines, widths and numbers, nothing else, and the same bytes everywhere."""

import hashlib
import io

import pytest
from fontTools.cffLib import CFFFontSet
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.recordingPen import RecordingPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from portal.prints import embedding, fonts

from . import samples
from .pdf_reading import fonts_in, insides

TEXT = "晋江市市场监督管理局，2026年“双随机、一公开”"


@pytest.fixture(scope="module")
def unpacked(fonts_folder):
    fonts.ready_fonts(fonts_folder)
    return fonts_folder / "shipped"


def glyphs_of(font: TTFont, text: str) -> dict[int, str]:
    names = font.getBestCmap()
    return {font.getGlyphID(names[ord(character)]): character for character in text}


def outline(glyphs, name: str) -> tuple:
    """What a glyph draws, and its width, which its own program says too (Technical Note 5177, section 3)."""
    pen, glyph = RecordingPen(), glyphs[name]
    glyph.draw(pen)
    return pen.value, glyph.width


def embedded(font: bytes, glyphs) -> tuple:
    """The part of a font, read (its Top DICT), and the names of its glyphs by their CID."""
    part = CFFFontSet()
    part.decompile(io.BytesIO(embedding.embed(font, glyphs)), None)
    [top] = part.topDictIndex
    return top, {0 if name == ".notdef" else int(name.removeprefix("cid")): name for name in top.charset}


@pytest.mark.parametrize(
    ("name", "text"),
    [("NotoSerifSC-Regular.otf", TEXT), ("NotoSerifSC-Bold.otf", TEXT), ("NotoSansSC-Regular.otf", TEXT),
     ("NotoSerifSC-Regular-Rare.otf", "㛃𬭎喆한"), ("NotoSerifSC-Bold-Rare.otf", "硚"), ("NotoSansSC-Regular-Rare.otf", "堃")],
)  # fmt: skip
def test_outlines_widths_and_numbers_are_those_of_the_whole_font(unpacked, name, text):
    whole = TTFont(unpacked / name)
    wanted = glyphs_of(whole, text)
    part, names = embedded((unpacked / name).read_bytes(), wanted)
    assert list(names) == sorted({0, *wanted}) and part.ROS[:2] == ("Adobe", "Identity") and part.CIDCount > max(wanted)
    drawn = whole.getGlyphSet()
    for number in names:
        assert outline(part.CharStrings, names[number]) == outline(drawn, whole.getGlyphName(number))


def test_a_glyph_costs_what_it_draws_however_far_back_it_stands(unpacked):
    """Between the first character and the last of 65,535 glyphs there is nothing."""
    font = (unpacked / "NotoSerifSC-Regular-Rare.otf").read_bytes()
    last = TTFont(io.BytesIO(font))["maxp"].numGlyphs - 1
    assert last > 20_000 and len(embedding.embed(font, {last})) < 3000


def test_the_same_glyphs_give_the_same_bytes_on_every_machine(unpacked):
    """A digest, not a comparison of two runs: the libraries of this machine must not show."""
    name = "NotoSerifSC-Regular.otf"
    made = embedding.embed((unpacked / name).read_bytes(), glyphs_of(TTFont(unpacked / name), TEXT))
    assert hashlib.sha256(made).hexdigest() == "25501446ae6c43eda455e064746e65d278ac918f7171eaf8b41e393f273d0051"


def test_glyph_0_alone_is_a_font(unpacked):
    part, names = embedded((unpacked / "NotoSansSC-Regular.otf").read_bytes(), {})
    assert names == {0: ".notdef"} and outline(part.CharStrings, ".notdef")[0]


def another_kind(outlines: str) -> bytes:
    builder = FontBuilder(1000, isTTF=outlines == "TrueType")
    builder.setupGlyphOrder([".notdef", "A"])
    builder.setupCharacterMap({65: "A"})
    if outlines == "TrueType":
        builder.setupGlyf({name: TTGlyphPen(None).glyph() for name in (".notdef", "A")})
    else:
        builder.setupCFF("Named", {}, {name: T2CharStringPen(500, None).getCharString() for name in (".notdef", "A")}, {})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "A": (500, 0)})
    builder.setupHorizontalHeader()
    builder.setupNameTable({"familyName": "FangSong", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()


@pytest.mark.parametrize("outlines", ["TrueType", "CFF by name"])
def test_a_font_of_another_kind_is_left_to_harfbuzz(outlines):
    with pytest.raises(embedding.NotOurs):
        embedding.embed(another_kind(outlines), {1: "A"})


def test_an_operators_font_of_another_kind_is_embedded_all_the_same(fonts_folder, tmp_path):
    from portal.prints.render import Printer

    (tmp_path / "simfang.ttf").write_bytes(another_kind("TrueType"))
    with Printer(fonts_folder, own_fonts=tmp_path, workers=1) as printer:
        pdf = printer.render("sheet", "result_sheet.html", {"about": samples.about(), "result": samples.result(name="A公司")})
    # What it lacks comes from Noto Serif: newer Debians find that under the name of another role, MC-KT, which is the same file.
    assert "MC-FS" in fonts_in(pdf) and fonts_in(pdf) & {"MC-Serif", "MC-KT"}


def test_documents_embed_what_is_made_here_and_nothing_of_harfbuzz(printer):
    """harfbuzz would leave an OpenType file."""
    pdf = printer.render("sheet", "result_sheet.html", {"about": samples.about(), "result": samples.result(1)})
    assert pdf.count(b"/Subtype /CIDFontType0C") == len(fonts_in(pdf)) == 3
    inside = insides(pdf)
    assert b"/OpenType" not in pdf and b"OTTO" not in inside and b"/CIDToGIDMap" not in inside
