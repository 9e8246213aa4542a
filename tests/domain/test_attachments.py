import pytest

from portal.domain.attachments import file_media, is_uploaded, number_of, point_of
from portal.domain.errors import BadInput
from portal.domain.model import Field, Form, Section
from portal.sheets.write import write_xlsx

FORM = Form("a.b", "1", "表", (Section("一", (
    Field("photos", "照片", "photo"), Field("said", "说明", "text"),
    Field("lifts", "电梯", "repeat", fields=(Field("label", "标志照片", "photo"), Field("number", "编号", "text"))),
)),))  # fmt: skip


def test_the_same_bytes_at_the_same_point_of_a_visit_have_one_number():
    one = number_of("V1", "a.b", "photos", b"x")
    assert is_uploaded(one) and one == number_of("V1", "a.b", "photos", b"x")
    others = {number_of(*changed) for changed in (("V2", "a.b", "photos", b"x"), ("V1", "a.c", "photos", b"x"), ("V1", "a.b", "lifts.0.label", b"x"), ("V1", "a.b", "photos", b"y"))}
    assert len(others | {one}) == 5
    assert not any(map(is_uploaded, ("IMG_1", "F12", one.upper(), f"{one}0", "")))


@pytest.mark.parametrize(("name", "label"), [("photos", "照片"), ("lifts.0.label", "标志照片"), ("lifts.199.label", "标志照片")])
def test_a_point_is_found_by_what_the_page_calls_it(name, label):
    assert point_of(FORM, name).label == label


@pytest.mark.parametrize("name", ["said", "lifts", "lifts.0.number", "lifts.0", "photos.0.label", "nothing", "", "../photos", "lifts.0.label.x", "lifts.-1.label"])
def test_a_point_that_takes_no_file_is_refused(name):
    with pytest.raises(BadInput, match="没有可以附照片或材料的这一项"):
        point_of(FORM, name)


def test_a_file_is_known_by_its_content():
    assert file_media(b"%PDF-1.7 ...", "x.exe") == "application/pdf"
    assert file_media(b"\xff\xd8\xff\xe0", "x") == "image/jpeg"
    assert file_media(write_xlsx([["a"]]), "x").endswith("spreadsheetml.sheet")
    for data in (b"", b"MZ...", b"<html>", b"PK\x03\x04 something else", b" %PDF"):
        with pytest.raises(BadInput, match="“报告.pdf”不是可以附上的材料"):
            file_media(data, "报告.pdf")
