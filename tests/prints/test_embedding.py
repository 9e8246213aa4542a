"""What a document embeds of our fonts: the same outlines, widths and numbers, and the same bytes everywhere."""

import hashlib
import io

import pytest
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


def outline(font: TTFont, number: int) -> tuple:
    pen, glyph = RecordingPen(), font.getGlyphSet()[font.getGlyphName(number)]
    glyph.draw(pen)
    return pen.value, glyph.width


@pytest.mark.parametrize(
    ("name", "text"),
    [("NotoSerifSC-Regular.otf", TEXT), ("NotoSerifSC-Bold.otf", TEXT), ("NotoSansSC-Regular.otf", TEXT),
     ("NotoSerifSC-Regular-Rare.otf", "㛃𬭎喆한"), ("NotoSerifSC-Bold-Rare.otf", "硚"), ("NotoSansSC-Regular-Rare.otf", "堃")],
)  # fmt: skip
def test_outlines_widths_and_numbers_are_those_of_the_whole_font(unpacked, name, text):
    whole = TTFont(unpacked / name)
    wanted = glyphs_of(whole, text)
    part = TTFont(io.BytesIO(embedding.embed((unpacked / name).read_bytes(), wanted)))
    assert {point: part.getGlyphID(glyph) for point, glyph in part.getBestCmap().items()} == {ord(c): n for n, c in wanted.items()}
    assert part["maxp"].numGlyphs == max(wanted) + 1
    for number in (0, *wanted):
        assert outline(part, number) == outline(whole, number)
    unused = next(number for number in range(1, max(wanted)) if number not in wanted)
    assert outline(part, unused) == ([], 0)


def test_the_same_glyphs_give_the_same_bytes_on_every_machine(unpacked):
    """A digest, not a comparison of two runs: the libraries of this machine must not show."""
    name = "NotoSerifSC-Regular.otf"
    made = embedding.embed((unpacked / name).read_bytes(), glyphs_of(TTFont(unpacked / name), TEXT))
    assert hashlib.sha256(made).hexdigest() == "f8c42d6caa2fb2df68d6e288f319087e87460ba91aacec54f4d0cb7e6f5efe3e"


def test_glyph_0_alone_is_a_font(unpacked):
    part = TTFont(io.BytesIO(embedding.embed((unpacked / "NotoSansSC-Regular.otf").read_bytes(), {})))
    assert part["maxp"].numGlyphs == 1 and part["CFF "].cff.topDictIndex[0].CharStrings


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
    """harfbuzz would leave the font's name table in."""
    pdf = printer.render("sheet", "result_sheet.html", {"about": samples.about(), "result": samples.result(1)})
    inside = insides(pdf)
    embedded = [inside[at:] for at in range(len(inside)) if inside.startswith(b"OTTO\x00", at)]
    assert len(embedded) == 3
    for font in embedded:
        tables = [font[12 + 16 * n : 16 + 16 * n] for n in range(int.from_bytes(font[4:6], "big"))]
        assert tables == [b"CFF ", b"OS/2", b"cmap", b"head", b"hhea", b"hmtx", b"maxp", b"post"]
