"""Both quick ways to an entity's page, from values and from the line itself, give the very bytes of the plain one, whatever the values are."""

import copy
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from public_site import pages
from public_site.build import _pages_that_fit, _renderer, environment, hot_of, quick_of
from public_site.bundle import decode, load_bundle, plain_json
from public_site.pages import Page, _seen, entity_pages, entity_path
from public_site.quick import Quick
from public_site.round_results import Table, rows_by

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=1>', "{{ 7 * 7 }}{% raw %}", "a & b &amp; 'c'", "\u202eevil\u202c", "名" * 300, "../../etc", "\ue0000\ue001", "v['name']",
    "一行\n\n又一行", " ", "", "\u3000", "\r", "晋江市潮声里（福建）餐饮管理股份有限公司", "0", "%s {0} \\n", "\u2028", "\x85x", "甲\t乙",
)  # fmt: skip


@pytest.fixture(scope="module")
def ways(bundle: Path) -> tuple[Any, Any, dict[str, Any]]:
    opened = load_bundle(bundle)
    first = next(row for row in opened.results() if any(item["problem"] for item in row["items"]) and len(row["items"]) > 1)
    return hot_of(opened), _renderer(opened), first


NOTHING: list[bytes | None] = []  # what the quickest way said of each visit asked for


def from_line(ways: tuple[Any, Any, dict[str, Any]], visit: dict[str, Any], plain: bytes) -> None:
    """From its line the page is the same or none; the first of a kind and the next one alike."""
    hot = ways[0]
    mine = Quick(hot, lambda _code, _day: "", 1 << 20, 1)
    for one in (ways[2], visit, visit):
        NOTHING.append(mine.render(plain_json(one) + b"\n", entity_path("91350582MA00000000")))
    assert NOTHING[-1] == NOTHING[-2] and NOTHING[-1] in (None, plain), visit


def both(ways: tuple[Any, Any, dict[str, Any]], *visits: dict[str, Any]) -> tuple[bytes | None, bytes]:
    """(the quick page or None, the plain one) of an entity with these visits."""
    hot, render, _ = ways
    seen = [_seen(copy.deepcopy(visit), {}) for visit in visits]
    path = entity_path("91350582MA00000000")
    as_of = max([visits[0]["published_on"], *(entry["on"] for entry in visits[0]["history"])])
    page = Page(path, "entity.html", "results", as_of, {"entity": seen[0], "visits": seen, "brief": False}, long="visits")
    plain = _pages_that_fit(render, page)[0][1]
    if len(visits) == 1:
        from_line(ways, visits[0], plain)
    return hot.render(seen, path, as_of, plain_json(visits)), plain


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every text a page may print."""
    if isinstance(value, dict):
        return [place for name, part in value.items() if name not in ("visit", "entity", "round", "state", "inspected_on", "published_on", "on", "at", "closed_on", "proof") for place in places(part, (*path, name))]
    if isinstance(value, list):
        return [place for n, part in enumerate(value) for place in places(part, (*path, n))]
    return [path] if isinstance(value, str) else []


def put(value: Any, path: tuple[Any, ...], text: str) -> Any:
    made = copy.deepcopy(value)
    here = made
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = text
    return made


def test_hostile_values_in_every_place_give_the_same_bytes_or_go_the_plain_way(ways: tuple[Any, Any, dict[str, Any]]) -> None:
    first, quick_ones = ways[2], 0
    every = places(first)
    assert len(every) > 15
    for n, path in enumerate(every):
        for text in HOSTILE[n % 4 :: 4]:  # each value in a quarter of the places
            quick, plain = both(ways, put(first, path, text))
            assert quick is None or quick == plain, (path, text)
            quick_ones += quick is not None
    whole = first
    for path in every:
        whole = put(whole, path, HOSTILE[1])
    quick, plain = both(ways, whole)
    assert quick == plain and b"<img" not in plain
    assert quick_ones > len(every) * 2, "most of them went the quick way"


@pytest.mark.parametrize("text", ["一行\n\n又一行", "\n"])
def test_a_value_that_would_move_lines_goes_the_plain_way(ways: tuple[Any, Any, dict[str, Any]], text: str) -> None:
    assert both(ways, put(ways[2], ("town",), text))[0] is None


@pytest.mark.parametrize("text", [" ", "\u3000", "", 7, True, None, "&", "'"])
def test_a_blank_a_number_and_a_single_mark_go_the_quick_way(ways: tuple[Any, Any, dict[str, Any]], text: Any) -> None:
    for path in (("town",), ("items", 0, "name"), ("items", 0, "points", 0, "answer"), ("history", 0, "text")):
        quick, plain = both(ways, put(ways[2], path, text))
        assert quick == plain, path


def test_shapes_of_every_kind_give_the_same_bytes(ways: tuple[Any, Any, dict[str, Any]]) -> None:
    first = ways[2]
    item = first["items"][0]
    kinds = [
        first | {"items": []}, first | {"items": [item] * 5}, first | {"methods": []}, first | {"methods": ["甲", "乙", "<丙>"]}, first | {"history": []},
        first | {"history": [{"on": f"2026-06-{n:02d}", "text": f"第 {n} 次"} for n in range(1, 8)]}, first | {"items": [item | {"points": []}]},
        first | {"items": [item | {"points": [{"label": f"点{n}", "answer": "<b>"} for n in range(40)]}, item]}, first | {"label": "没有这样的标签"},
        *[first | {"items": [item | {"follow_up": {"kind": "x", "label": "责令改正", "state": state, "closed_on": on}}]} for state in ("none", "open", "closed") for on in (None, "2026-06-09")],
        first | {"items": [item | {"problem": False}]}, first | {"items": [item | {"summary": ""}]},
    ]  # fmt: skip
    for visit in kinds:
        quick, plain = both(ways, visit)
        assert quick == plain, visit
    old = first | {"history": [{"on": "2026-06-10", "text": "更正名称。", "old": "<甲>", "new": "乙"}]}
    quick, plain = both(ways, old)
    assert quick is None and "原为<del>&lt;甲&gt;</del>，更正为<ins>乙</ins>" in plain.decode()
    assert both(ways, first, first)[0] is None


def test_the_line_of_a_result_is_its_json_on_the_page_beside(bundle: Path) -> None:
    line = next(load_bundle(bundle).shown_lines())
    assert decode(line) == json.loads(line)


def test_every_page_of_a_bundle_comes_from_its_line_but_for_marks_and_is_the_plain_one(bundle: Path) -> None:
    """With items of several versions, whose addresses depend on the day."""
    opened = load_bundle(bundle)
    render, quick = _renderer(opened), quick_of(opened, hot_of(opened))
    quick.patience = 1
    plain = {page.path: page for page in entity_pages(opened, "", lambda _path, _source: False)}
    made = [page for page in entity_pages(opened, "", lambda _path, _source: False, None, quick.render) if page.content]
    assert len(made) > len(plain) / 2
    assert any(b"registration.report@1" in page.content for page in made) and any(b"registration.report@2" in page.content for page in made)
    for page in made:
        assert [(page.path, page.content, page.source)] == _pages_that_fit(render, plain[page.path])
        assert page.twin == plain[page.path].twin


def test_a_second_kind_of_as_many_texts_is_made_when_it_is_worth_it(ways: tuple[Any, Any, dict[str, Any]]) -> None:
    hot, _, first = ways
    other = first | {"items": [item | {"problem": not item["problem"]} for item in first["items"]]}
    mine = Quick(hot, lambda _code, _day: "", 1 << 20, 3)
    assert mine.render(plain_json(first), "entities/00/a.html")
    assert [bool(mine.render(plain_json(other | {"name": name}), "entities/00/a.html")) for name in "甲乙丙丁"] == [False, False, True, True]
    assert mine.count == 2 and mine.render(plain_json(first), "entities/00/a.html")


def test_blocks_of_any_size_give_the_same_pages_but_those_that_are_kept(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, asked = load_bundle(bundle), []

    def keep(path: str, source: str) -> bool:
        asked.append((path, source))
        return int(source, 16) % 3 == 0

    every = list(entity_pages(opened, "style", lambda _path, _source: False))
    assert len(every) > 2 and [page.path for page in every] == [entity_path(code) for code in sorted(opened.by_entity)]
    for size in (1, 2, len(every), len(every) + 1):
        monkeypatch.setattr(pages, "BLOCK", size)
        asked.clear()
        assert list(entity_pages(opened, "style", keep)) == [page for page in every if int(page.source, 16) % 3]
        assert asked == [(page.path, page.source) for page in every]


def test_a_line_of_another_kind_is_not_taken_for_one_that_is_known(ways: tuple[Any, Any, dict[str, Any]]) -> None:
    hot, _, first = ways
    line = plain_json(first | {"inspectors": 2, "items": [first["items"][0] | {"problem": True, "outcome": "rectify", "summary": "已当场更正", "points": [{"label": "甲", "answer": "符合"}]}]})
    mine = Quick(hot, lambda _code, _day: "", 1 << 20, 1)
    assert mine.render(line, "entities/00/a.html")
    others = [
        line.replace(b'"inspectors":2', b'"inspectors":2.5'), line.replace(b'"inspectors":2', b'"inspectors":null'), line.replace("已当场更正".encode(), b""),
        line.replace(b'"answer":', b'"anwser":'), line.replace(b'"problem":true', b'"problem":false'), line.replace(b"rectify", b"re<ctify"), line.replace(b"rectify", b"re\\u0022"),
    ]  # fmt: skip
    [[kind]] = mine.kinds.values()
    assert kind.match(line) and kind.match(line + b"\n") and kind.match(line.replace("已当场更正".encode(), "已说明".encode()))
    for other in others[:-2]:
        assert other != line and not kind.match(other), other
    assert Quick(hot, lambda _code, _day: "", 1 << 20, 1).render(line.replace(b'"inspectors":2', b'"inspectors":-2'), "entities/00/a.html") is None
    assert mine._kind_of(b" " + line, 2) is None and mine._kind_of(line.replace("已当场更正".encode(), "\ue0000\ue001".encode()), 2) is None
    assert [mine.render(other, "entities/00/a.html") for other in others[-2:]] == [None, None]
    assert Quick(hot, lambda _code, _day: "", 100).render(line, "entities/00/a.html") is None  # too long: it is split the plain way


# The table of a round's results ----------------------------------------------------------------


def test_rows_joined_are_rows_rendered_whatever_is_in_them(ways: tuple[Any, Any, dict[str, Any]]) -> None:
    first = ways[2]
    visits = [first, put(first, ("items", 0, "follow_up", "state"), "closed"), {**first, "items": first["items"] * 3}]
    visits += [put(first, path, text) for text in (*HOSTILE, "\ue000entity\ue001") for path in (("name",), ("items", 0, "name"), ("items", 0, "outcome_label"))]
    visits += [{**one, "items": [{**item, "problem": False} for item in one["items"]]} for one in visits]
    lines = [plain_json(one) for one in visits]
    shown = Table(SimpleNamespace(lines=lambda numbers: [lines[n] for n in numbers]), range(len(lines)), b"", entity_path)[:]
    macro = environment().get_template("parts.html").module.result_row
    assert rows_by(macro, "../", shown) == "".join(str(macro("../", row)) for row in shown)
    assert not [text for text in ("<script", "<img") if text in rows_by(macro, "../", shown)]
