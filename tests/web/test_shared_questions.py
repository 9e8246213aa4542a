"""Questions that the forms of a visit share, on their pages: asked once, never overwritten unseen."""

import re
from datetime import date
from urllib.parse import quote

import pytest

from tests.web.test_walk import filled, my_visit
from tests.web.bureau import SECTORS

ONE, OTHER = "annual_reports.check", "registration.check"
WHO = "contact_person"


class Page:
    """A form open in a browser: what it would send is what it showed, and what is typed into it."""

    def __init__(self, person, code, form):
        self.person, self.form, self.address = person, form, f"/visits/{quote(code)}/{form}"
        self.open()

    def open(self):
        self.text = self.person.get(self.address).text
        self.read(self.text)

    def read(self, text):
        self.version, self.seen = (re.search(rf'name="{name}" value="([^"]*)"', text)[1] for name in ("_version", "_seen"))

    def save(self, act="draft", live=False, **typed):
        fields = [("_version", self.version), ("_seen", self.seen), ("_act", act), ("_method", "实地核查"), ("_opinion", "")]
        done = self.person.post(self.address, [*fields, *typed.items()], headers={"HX-Request": "true"} if live else None)
        if 'name="_version"' in done.text:
            self.read(done.text)
        elif done.status_code == 303 and act == "draft":
            self.open()
        return done


@pytest.fixture
def pages(house_at):
    """Opens one of the two forms of a visit."""
    house = house_at("drawn")
    house.clock.forward(days=29)
    person, code = house.browser("inspector"), my_visit(house)
    person.post(f"/visits/{quote(code)}/arrive")
    return lambda form: Page(person, code, form)


def test_an_answer_given_in_one_form_stands_in_the_other_and_may_be_changed_there(pages):
    first = pages(OTHER)
    assert "各表共用，只问一次" in first.text
    assert first.save(presence="open", contact_person="张三").status_code == 303
    second = pages(ONE)
    assert ">张三</textarea>" in second.text and "各表共用，已在《登记事项检查表》填写；在这里改，各表一起改" in second.text
    assert second.save(presence="open", methods="site", contact_person="李四").status_code == 303
    assert ">李四</textarea>" in pages(OTHER).text and "现场人员姓名和职务</dt><dd>李四" in first.person.get(first.address.rpartition("/")[0]).text


def test_two_open_pages_do_not_overwrite_each_other(pages):
    first, second = pages(OTHER), pages(ONE)
    assert first.save(live=True, presence="open", contact_person="张三").status_code == 200
    assert first.save(live=True, presence="open", contact_person="张三丰").status_code == 200  # one's own next draft is no conflict
    assert second.save(live=True, presence="open", methods="site").status_code == 200  # fills in what it has not
    told = second.save(live=True, presence="open", methods="site", contact_person="李四")
    assert told.status_code == 422 and "填写为“张三丰”，这里填的是“李四”" in told.text and "草稿没有保存" in told.text
    told = second.save(presence="open", methods="site", contact_person="李四")
    assert told.status_code == 409 and ">李四</textarea>" in told.text and "填写为“张三丰”，这里填的是“李四”" in told.text
    assert second.save(presence="open", methods="site", contact_person="李四").status_code == 303  # told of both, this is meant
    assert first.save(live=True, presence="open", contact_person="张三丰").status_code == 200  # left as it was shown: follows
    assert ">李四</textarea>" in pages(OTHER).text
    told = first.save("submit", presence="open", contact_person="张三丰")
    assert told.status_code == 409 and "“李四”" in told.text and "“张三丰”" in told.text


def test_a_submitted_answer_is_shown_and_stays(pages):
    first = pages(OTHER)
    outcomes = {name: "none" for name in re.findall(r'name="(_outcome\.[^"]+)"', first.text)}
    done = first.save("submit", **outcomes, **dict(filled(SECTORS.form(OTHER), date(2026, 7, 3))))
    assert done.status_code == 303, re.findall(r'class="wrong">([^<]+)', done.text)
    second = pages(ONE)
    assert "本次入企已填，见《登记事项检查表》" in second.text and 'id="f-contact_person" data-fixed' in second.text
    presence = second.text[second.text.index('id="f-presence"') :].partition("</fieldset>")[0]
    assert re.findall(r'value="([a-z_]+)"', presence) == ["open", "not_operating"]
    told = second.save(presence="open", methods="site", contact_person="李四")
    assert told.status_code == 409 and "已随提交审核的《登记事项检查表》确定为“样例”，这里填的是“李四”" in told.text
    assert second.save(methods="site").status_code == 303
