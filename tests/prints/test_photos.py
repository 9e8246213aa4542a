"""Photos: made plain in a child that can be killed; what is no photo is refused by name."""

import io

import pytest
from PIL import Image

from portal.domain.errors import BadInput
from portal.prints.photos import LONGEST_SIDE, read_photo, read_signature


def picture(size=(40, 20), kind="JPEG", mode="RGB", colour="red", exif=None) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, kind, **({"exif": exif} if exif else {}))
    return out.getvalue()


def test_a_photo_comes_back_upright_small_and_without_the_cameras_data():
    exif = Image.Exif()
    exif[274], exif[271] = 6, "某品牌相机 24.81,118.57"  # to be turned by 90 degrees; maker
    exif.get_ifd(0x8769)[36867] = "2026:06:05 10:39:08"
    exif.get_ifd(0x8825)[1] = "N"
    found = read_photo(picture((3000, 1500), exif=exif), "a.jpg")
    assert (found.width, found.height) == (LONGEST_SIDE // 2, LONGEST_SIDE) and found.media == "image/jpeg"
    assert found.taken == "2026-06-05 10:39:08"
    kept = Image.open(io.BytesIO(found.data))
    assert kept.size == (found.width, found.height) and not kept.getexif() and b"Exif" not in found.data and b"GPS" not in found.data
    assert kept.getpixel((10, 10))[0] > 200


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_pictures_become_jpeg_and_what_was_clear_becomes_white(kind):
    found = read_photo(picture(kind=kind, mode="RGBA", colour=(0, 0, 0, 0)), "a")
    assert Image.open(io.BytesIO(found.data)).convert("L").getpixel((5, 5)) > 250 and found.taken == ""


def test_a_signature_is_black_on_white():
    found = read_signature(picture((2400, 300), "PNG", "RGBA", (0, 0, 0, 255)), "s.png")
    kept = Image.open(io.BytesIO(found.data))
    assert (kept.format, kept.mode, kept.size) == ("PNG", "L", (1200, 150)) and kept.getpixel((5, 5)) == 0


def test_the_cameras_clock_may_say_anything():
    exif = Image.Exif()
    exif.get_ifd(0x8769)[36867] = "<script>"
    assert read_photo(picture(exif=exif), "a.jpg").taken == ""


HUGE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xff\xff\x00\x00\xff\xff\x08\x02\x00\x00\x00"
BAD = {"text": b"hello", "empty": b"", "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>", "cut": picture((500, 500))[:300], "huge": HUGE + b"\0" * 100, "gif": picture(kind="GIF"), "tiff": picture(kind="TIFF")}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_photo_is_refused_by_its_name(name):
    with pytest.raises(BadInput, match=f"“{name}.jpg”不能作为照片读取"):
        read_photo(BAD[name], f"{name}.jpg")


def test_a_child_that_takes_too_long_or_too_much_is_ended():
    with pytest.raises(BadInput, match="不能作为照片读取"):
        read_photo(picture((4000, 4000), "PNG"), "x", memory_bytes=60 << 20)
    with pytest.raises(BadInput, match="不能作为照片读取"):
        read_photo(picture(), "x", seconds=0.001)
