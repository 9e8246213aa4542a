"""Photos and materials of a record: they go up with the draft, belong to their visit, and are seen by few."""

import re
from datetime import timedelta
from hashlib import sha256
from urllib.parse import quote

import pytest

from portal.domain.attachments import number_of
from tests.prints.pdf_reading import text_of
from tests.prints.test_photos import picture
from tests.web.bureau import SECTORS
from tests.web.test_imports import BOUNDARY
from tests.web.test_walk import filled, my_visit

FORM = "annual_reports.check"


def parts(fields, files=()):
    said = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields]
    for field, name, data in files:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: image/jpeg\r\n\r\n'
        said.append(head.encode() + data + b"\r\n")
    return b"".join([*said, f"--{BOUNDARY}--\r\n".encode()])


class Entering:
    """The inspector in front of one form."""

    def __init__(self, house):
        self.house = house
        house.clock.forward(days=29)
        self.person = house.browser("inspector")
        self.code = my_visit(house)
        self.address = f"/visits/{quote(self.code)}/{FORM}"
        self.person.post(f"/visits/{quote(self.code)}/arrive")

    def version(self):
        return re.search(r'name="_version" value="(\d+)"', self.person.get(self.address).text)[1]

    def attach(self, files, *more, version=None):
        fields = [("csrf", self.person.csrf), ("_version", version or self.version()), ("_method", ""), ("_opinion", "说明"), *more]
        headers = {"Origin": self.person.origin, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return self.person.send("POST", f"{self.address}/attach", headers, content=parts(fields, files))

    def kept(self):
        return self.house.query("SELECT code, kind, media, size FROM attachment ORDER BY id")


@pytest.fixture
def entering(house_at):
    return Entering(house_at("drawn"))


def test_a_photo_goes_up_with_the_draft_and_is_shown_to_those_who_may(entering):
    photo = picture((300, 200))
    done = entering.attach([("_file.photos", "门头.jpg", photo), ("_file.photos", "", b"")], ("photos", "纸-12"))
    code = number_of(entering.code, FORM, "photos", photo)
    assert done.status_code == 303 and done.headers["location"].endswith("?said=attached#f-photos"), done.text
    page = entering.person.get(entering.address).text
    assert f'src="/attachments/{code}"' in page and 'value="纸-12"' in page and "说明" in page
    shown = entering.person.get(f"/attachments/{code}")
    assert shown.headers["content-type"] == "image/jpeg" and shown.headers["x-content-type-options"] == "nosniff"
    assert shown.content[:3] == b"\xff\xd8\xff" and shown.headers["cache-control"] == "no-store"
    assert entering.house.browser("reviewer").get(f"/attachments/{code}").status_code == 200
    assert entering.house.browser("other").get(f"/attachments/{code}").status_code == 404
    assert entering.house.browser("auditor").get(f"/attachments/{code}").status_code == 403
    assert entering.person.get("/attachments/F000000000000000000000000").status_code == 404


def test_a_paper_record_is_entered_with_its_scan_and_the_papers_day(entering):
    person, house = entering.person, entering.house
    day = house.clock.now.date() - timedelta(days=3)

    def send(on, *files):
        headers = {"Origin": person.origin, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return person.send("POST", f"{entering.address}/paper", headers, content=parts([("csrf", person.csrf), ("paper_on", on)], files))

    scan = ("_file.scan", "记录表.pdf", b"%PDF-1.7 page 1")
    entering.version()
    tomorrow = house.clock.now.date() + timedelta(days=1)
    for refused, words in ((send(str(tomorrow), scan), "在今天之后"), (send(str(day)), "没有选择扫描件"),
                           (send(str(day), ("_file.scan", "a.docx", b"PK\x03\x04 word/document.xml")), "不是照片或 PDF")):  # fmt: skip
        assert refused.status_code == 422 and words in refused.text
    assert entering.kept() == []
    assert send(str(day), scan).status_code == 303 and send(str(day), scan).status_code == 303
    assert send(str(day - timedelta(days=1)), ("_file.scan", "b.pdf", b"%PDF-1.7 page 2")).status_code == 422, "all pages are of one day"
    assert [(media, size) for _, _, media, size in entering.kept()] == [("application/pdf", 15)], "the same page twice is one"
    page = person.get(entering.address).text
    assert "纸质补录" in page and f'href="/attachments/{entering.kept()[0][0]}"' in page
    person.post(entering.address, {"_version": entering.version(), "_act": "draft", "_method": "", "_opinion": "照纸质记录填"})
    ((record, on),) = house.query("SELECT id, inspected_on FROM record")
    assert str(on) == str(day)
    seen = house.browser("reviewer").get(f"/review/{record}").text
    assert "纸质补录" in seen and "检查日期按纸质记录" in seen
    assert send(str(day), scan).status_code == 303
    assert house.browser("other").send("POST", f"{entering.address}/paper", {"Origin": person.origin}).status_code in (400, 403, 404, 422)


def test_the_same_photo_twice_is_one_and_a_tick_taken_away_removes_it(entering):
    photo = picture()
    entering.attach([("_file.photos", "a.jpg", photo)])
    entering.attach([("_file.photos", "a.jpg", photo)], ("photos", entering.kept()[0][0]))
    assert len(entering.kept()) == 1
    saved = entering.person.post(entering.address, {"_version": entering.version(), "_act": "draft", "_method": "", "_opinion": "", "photos": ""})
    assert saved.status_code == 303 and "/attachments/F" not in entering.person.get(entering.address).text
    assert len(entering.kept()) == 1  # an earlier draft names it


def test_what_is_refused_loses_nothing_that_was_typed(entering):
    for files, said in (
        ([("_file.photos", "页.jpg", b"<html>")], "“页.jpg”不能作为照片读取"), ([], "没有选择照片或文件"),
        ([("_file.nothing", "a.jpg", picture())], "表单里没有可以附照片或材料的这一项"), ([("_file.photos.0.x", "a.jpg", picture())], "表单里没有可以附照片"),
        ([("other", "a.jpg", picture())], "一次只能上传一个文件"),
    ):
        refused = entering.attach(files)
        assert refused.status_code == 422 and said in refused.text, (files, refused.text[:300])
        if files and files[0][0] != "other":
            assert "说明" in refused.text
    assert entering.kept() == []
    stale = entering.attach([("_file.photos", "a.jpg", picture())], version="7")
    assert stale.status_code == 409 and "别人改动过" in stale.text and entering.kept() == []


def test_an_upload_of_another_visit_cannot_be_named(entering):
    entering.attach([("_file.photos", "a.jpg", picture())])
    code, version = entering.kept()[0][0], entering.version()
    foreign = code[:-1] + ("0" if code[-1] != "0" else "1")
    refused = entering.person.post(entering.address, [("_version", version), ("_act", "draft"), ("_method", ""), ("_opinion", ""), ("photos", foreign)])
    assert refused.status_code == 422 and "不属于这次检查" in refused.text


def test_only_those_on_the_visit_may_add_to_it(entering):
    entering.person = entering.house.browser("reviewer")
    headers = {"Origin": entering.person.origin, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    body = parts([("csrf", entering.person.csrf)], [("_file.photos", "a.jpg", picture())])
    assert entering.person.send("POST", f"{entering.address}/attach", headers, content=body).status_code == 403
    assert entering.kept() == []


def test_a_reviewer_sees_the_photos_of_a_submitted_record(entering):
    entering.attach([("_file.photos", "a.jpg", picture())])
    code, page = entering.kept()[0][0], entering.person.get(entering.address).text
    items = re.findall(r'name="(_outcome\.[^"]+)"', page)
    answers = filled(SECTORS.form(FORM), entering.house.clock().date())
    own = [("_version", "1"), ("_act", "submit"), ("_method", "实地核查"), ("_opinion", "无"), ("photos", code)]
    sent = entering.person.post(entering.address, [*own, *((item, "none") for item in items), *answers])
    assert sent.status_code == 303, sent.text
    record = entering.house.query("SELECT id FROM record WHERE state = 'submitted'")[0][0]
    page = entering.house.browser("reviewer").get(f"/review/{record}").text
    assert f'<a href="/attachments/{code}"><img src="/attachments/{code}"' in page


def test_a_record_is_printed_with_its_photos_and_for_those_who_may_read_it(entering, printing):
    printing(entering.house)
    photo = picture((400, 300))
    entering.attach([("_file.photos", "a.jpg", photo), ("_file.signature", "s.png", picture((600, 240), "PNG"))])
    record = entering.house.query("SELECT id FROM record")[0][0]
    printed = entering.person.get(f"/review/{record}/record.pdf")
    assert printed.status_code == 200 and printed.headers["content-type"] == "application/pdf", printed.text[:500]
    text = "".join(text_of(printed.content).split())
    for words in ("检查记录", "本记录的状态是“草稿”", "公示信息检查表", "照片", "原件SHA-256", sha256(photo).hexdigest()[:20]):
        assert words in text, words
    assert entering.house.browser("other").get(f"/review/{record}/record.pdf").status_code == 404
