"""Static search: what is typed is found by a look-up of one small file; announcements by any two neighbouring characters."""

import json
from pathlib import Path

import pytest

from public_site import search
from public_site.bundle import Bundle, load_bundle
from public_site.pages import announcements
from tests.public_site.test_build import edited


def files(bundle: Bundle) -> dict[str, bytes]:
    return dict(search.search_files(bundle))


def reader(found: dict[str, bytes]):
    return lambda path: found[path].decode()


@pytest.fixture(scope="module")
def opened(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Every firm has an old name and an old number besides."""
    return load_bundle(edited(bundle, tmp_path_factory.mktemp("search") / "b", "results.jsonl", lambda row: row | {"aliases": [f"旧{row['name']}", f"350582{row['entity'][-9:]}"]}))


def test_every_firm_is_found_by_code_name_old_name_and_old_number_however_they_are_typed(opened: Bundle) -> None:
    read = reader(files(opened))
    for code in opened.by_entity:
        names = opened.names_of(code)
        for typed in (code, code.lower(), *names, f" {names[0]} ", *opened.aliases_of(code)):
            assert code in [found[0] for found in search.look_up(read, typed)], typed
        assert (code, names[-1], search.look_up(read, code)[0][2]) in search.look_up(read, names[-1])
    assert search.look_up(read, "没有这一家有限公司") == [] == search.look_up(read, "")


@pytest.mark.parametrize(("entities", "count"), [(1_000, 8), (100_000, 512), (8_000_000, 32_768)])
def test_the_number_of_files_grows_with_what_is_in_them_up_to_its_limit(entities: int, count: int) -> None:
    assert search.buckets_for(entities * 2 * 60, search.SIZE) == count
    assert len({search.bucket_path(n).rpartition("/")[0] for n in range(32_768)}) == 128


def test_several_passes_give_the_same_files_as_one(opened: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SIZE", 500)
    whole = files(opened)
    assert len(whole) > 32
    monkeypatch.setattr(search, "AT_ONCE", 20)
    assert files(opened) == whole


def found_text(bundle: Bundle, typed: str) -> set[str]:
    """The addresses of announcements that hold every pair of what is typed, as static/site.js finds them."""
    made = dict(search.text_files(bundle))
    facts = json.loads(made["data/text/index.json"])
    documents = [row for n in range(-(-facts["documents"] // facts["page"])) for row in json.loads(made[f"data/text/documents-{n}.json"])]
    assert len(documents) == facts["documents"]
    index: dict[str, list[int]] = {}
    for n in range(facts["buckets"]):
        index |= json.loads(made[f"data/text/{n:02x}.json"])
    wanted = search.pairs(typed)
    assert wanted
    return {documents[number][1] for number in set.intersection(*(set(index.get(pair, ())) for pair in wanted))}


def test_announcements_are_found_by_what_they_and_their_pages_say(opened: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found_text(opened, "名录快照日期登记有误") == {"tasks/350582-2026-R001.html"}  # a void round's reason
    assert "plans/2026@1.html" in found_text(opened, "〔2026〕12号")
    assert "tasks/350582-2026-R003.html" in found_text(opened, "餐饮服务监督检查")
    assert found_text(opened, "没有这样的话") == set()
    monkeypatch.setattr(search, "TEXT_SIZE", 400)
    monkeypatch.setattr(search, "PAGE", 3)
    assert found_text(opened, "名录快照日期登记有误") == {"tasks/350582-2026-R001.html"}
    every = {row["path"] for row in announcements(opened)}
    assert found_text(opened, "年第三批抽查") <= every


def test_pairs_are_of_words_and_chinese_alike_and_need_two_characters() -> None:
    assert search.pairs("ＡＢ 公示，结果") == {"AB", "公示", "结果"}
    assert search.pairs("字") == set() and search.pairs("。，") == set()
