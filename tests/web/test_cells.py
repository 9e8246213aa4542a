"""Cells and choices written by Python say what a template would, and let no markup of anybody's through."""

import json
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from portal.domain.lists import Column
from portal.web.cells import choices_html, rows_html

BAD = "<b onclick=\"x\">'&</b>"
SAFE = "&lt;b onclick=&#34;x&#34;&gt;&#39;&amp;&lt;/b&gt;"
ACT = SimpleNamespace(today=date(2026, 11, 28), may=lambda act: act == "open")
WORDS = {"states": {"done": ("ok", "已办结"), BAD: (BAD, BAD), "": ("", "")}}


@pytest.mark.parametrize("kind, shape, value, said", [
    ("text", "nw", BAD, SAFE), ("name", "nm", BAD, SAFE), ("code", "code", BAD, SAFE), ("list", "", json.dumps([BAD, "乙"]), f"{SAFE}、乙"), ("list", "", "[]", ""),
    ("text", "nw", None, ""), ("text", "nw", 0, "0"), ("number", "n", 12345, "12,345"), ("number", "n", None, "—"), ("day", "nw", None, ""),
    ("day", "nw", date(2026, 6, 9), '<time datetime="2026-06-09">6月9日</time>'), ("day", "nw", date(2025, 6, 9), '<time datetime="2025-06-09">2025年6月9日</time>'),
    ("moment", "nw", datetime(2026, 6, 9, 1, 12, tzinfo=UTC), "6月9日 09:12"), ("moment", "nw", None, ""),
])  # fmt: skip
def test_a_cell_of_each_kind(kind, shape, value, said):
    assert rows_html(ACT, [Column(name="it", label="", kind=kind)], [{"it": value}], {}) == [f'<td class="{shape}">{said}</td>']


def test_words_links_and_what_a_phone_leaves_out():
    state = Column(name="state", label="", kind="words", words="states", narrow=False)
    cells = rows_html(ACT, [state], [{"state": one} for one in ("done", BAD, "", "unknown" + BAD)], WORDS)
    assert cells == [
        '<td class="tagged opt"><span class="tag ok">已办结</span></td>', f'<td class="tagged opt"><span class="tag {SAFE}">{SAFE}</span></td>',
        '<td class="nw opt"></td>', f'<td class="nw opt">unknown{SAFE}</td>',
    ]  # fmt: skip
    open_, shut = (Column(name="name", label="", kind="name", href="/x/{code}/y", needs=needs) for needs in ("open", "shut"))
    row = {"name": BAD, "code": "a/b?\"'<"}
    assert rows_html(ACT, [open_, shut], [row], {}) == [f'<td class="nm"><a href="/x/a%2Fb%3F%22%27%3C/y">{SAFE}</a></td><td class="nm">{SAFE}</td>']
    assert rows_html(ACT, [open_], [{"name": "", "code": "1"}], {}) == ['<td class="nm"></td>']


def test_the_choice_in_force_is_selected_or_added():
    choices = [("1", "甲"), (BAD, BAD), ("11", "乙")]
    plain = f'<option value="1">甲</option><option value="{SAFE}">{SAFE}</option><option value="11">乙</option>'
    assert choices_html(choices, "") == plain
    assert choices_html(choices, "1") == plain.replace('value="1">', 'value="1" selected>')
    assert choices_html(choices, BAD) == plain.replace(f'value="{SAFE}">', f'value="{SAFE}" selected>')
    assert choices_html(choices, "<2") == f'{plain}<option value="&lt;2" selected>&lt;2</option>'
