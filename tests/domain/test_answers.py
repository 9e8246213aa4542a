"""What changed between two saved states of a record, in words."""

from portal.domain.answers import differences
from portal.domain.model import Choice, Field, Form, Section

FORM = Form("x.y", "1", "表", (
    Section("一", (Field("sign", "亮照"), Field("sign_note", "事实", "text", show_if="${sign} = 'no'"),
                  Field("kind", "类别", "select_one", choices=(Choice("a", "甲"), Choice("b", "乙"))))),
    Section("二", (Field("photos", "照片", "photo"), Field("note", "其他", "text"))),
))  # fmt: skip


def test_answers_that_differ_come_in_the_forms_order_with_both_words():
    old = {"sign": "no", "sign_note": "没挂", "kind": "a", "photos": ["F" + "0" * 24]}
    new = {"sign": "yes", "kind": "b", "photos": ["F" + "1" * 24], "note": "", "gone": "x"}
    assert differences(FORM, old, new) == [
        ("1.1", "亮照", "不合格", "合格"), ("", "事实", "没挂", ""), ("1.2", "类别", "甲", "乙"), ("2.1", "照片", "1 份", "1 份（内容已换）"),
    ]  # fmt: skip
    assert differences(FORM, old, old) == [] and differences(FORM, {"note": None}, {"note": ""}) == []
