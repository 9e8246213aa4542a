"""Open data: what is published fits the published schemas, codes and descriptions; feed and site maps are sound."""

import copy
import hashlib
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from portal.cli.main import main
from public_site import hosting, opendata
from public_site.bundle import Bundle, load_bundle, plain_json
from tests.public_site.test_release import publish

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def opened(bundle: Path) -> Bundle:
    return load_bundle(bundle)


@pytest.fixture(scope="module")
def site(bundle: Path, verify: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site that knows its address."""
    made = tmp_path_factory.mktemp("open") / "site"
    hosting.save_address(made, "https://GS.example.gov.cn")
    publish(bundle, made, verify)
    return made


def rows(opened: Bundle, name: str) -> list[dict]:
    return list(opened.results()) if name == "results" else getattr(opened, name)


def test_every_line_of_the_open_data_fits_its_schema_and_every_field_is_described(opened: Bundle) -> None:
    for name, schema in opendata.LINES.items():
        for row in rows(opened, name):
            assert list(opendata.problems_of(row, schema)) == [], name
        for row in rows(opened, name)[:1]:
            assert name == "plans" or name == "rounds" or set(row) <= set(schema["properties"]), set(row) - set(schema["properties"])


@pytest.mark.parametrize(("change", "said"), [
    ({"visit": 1}, "应为 string"), ({"inspected_on": "2026/6/1"}, "写法不对"), ({"inspectors": -1}, "不能小于 0"), ({"inspectors": True}, "应为 integer"), ({"label": "好"}, "不在允许的代码里"),
    ({"name": None}, "应为 string"), ({"items": [{}]}, "缺少“code”"), ({"proof": []}, "应为 object"), ({"history": [{"on": "2026-06-01"}]}, "缺少“text”"),
])  # fmt: skip
def test_a_line_that_does_not_fit_is_told_where_and_why(opened: Bundle, change: dict, said: str) -> None:
    row = copy.deepcopy(next(opened.results())) | change
    found = list(opendata.problems_of(row, opendata.LINES["results"]))
    assert found and all(next(iter(change)) in one for one in found) and said in found[0], found


def test_a_missing_field_and_a_wrong_null_are_told(opened: Bundle) -> None:
    row = next(opened.results())
    del row["town"]
    row["items"][0]["follow_up"]["closed_on"] = "昨天"
    assert len(list(opendata.problems_of(row, opendata.LINES["results"]))) == 2


def test_schemas_are_published_as_json_schema_and_say_no_more_than_our_validator_knows(site: Path) -> None:
    known = {"$schema", "$id", "title", "type", "properties", "required", "items", "enum", "anyOf", "pattern", "minimum"}

    def words(schema: dict) -> set[str]:
        inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]
        return set(schema) | {word for one in inner for word in words(one)}

    for name in opendata.LINES:
        schema = json.loads((site / f"current/data/schema/{name}.schema.json").read_bytes())
        assert schema["$schema"].endswith("2020-12/schema") and words(schema) <= known


def test_a_code_list_that_changes_gets_a_new_version() -> None:
    lists = opendata.code_lists()
    assert (lists["version"], hashlib.sha256(plain_json(lists["lists"])).hexdigest()[:16]) == ("2026-11", "8b0827b62e6cb82f"), "a list changed: give CODES_VERSION a new value, and this digest"


def test_the_dataset_names_files_that_are_there(site: Path) -> None:
    made = json.loads((site / "current/data/dataset.json").read_bytes())
    assert (made["@context"], made["@type"], made["dateModified"]) == ("https://schema.org/", "Dataset", "2026-06-26")
    assert len(made["distribution"]) == 10
    for part in made["distribution"]:
        assert (site / "current" / part["contentUrl"].removeprefix("https://gs.example.gov.cn/")).is_file()
    assert opendata.dataset(load_bundle_of(site), "")["distribution"][0]["contentUrl"] == "items.csv"


def load_bundle_of(site: Path) -> Bundle:
    """The bundle a release carries."""
    from public_site.forget import bundle_of

    place = site / "carried"
    if not place.exists():
        release = (site / "current").resolve()
        assert bundle_of(release, release, place)
    return load_bundle(place)


def test_the_feed_is_atom_with_ids_that_stay(site: Path, opened: Bundle) -> None:
    tree = ElementTree.fromstring((site / "current/feed.xml").read_bytes())
    assert tree.tag == f"{ATOM}feed" and all(tree.find(f"{ATOM}{name}") is not None for name in ("id", "title", "updated", "author"))
    entries = tree.findall(f"{ATOM}entry")
    ids = [entry.find(f"{ATOM}id").text for entry in entries]
    assert 8 < len(entries) <= opendata.FEED and len(set(ids)) == len(ids) and all(one.startswith("urn:uuid:") for one in ids)
    days = [entry.find(f"{ATOM}updated").text for entry in entries]
    assert days == sorted(days, reverse=True) and tree.find(f"{ATOM}updated").text == days[0]
    assert all((site / "current" / entry.find(f"{ATOM}link").get("href").removeprefix("https://gs.example.gov.cn/")).is_file() for entry in entries)
    bare = ElementTree.fromstring(opendata.feed(opened, ""))
    assert [entry.find(f"{ATOM}id").text for entry in bare.findall(f"{ATOM}entry")] == ids, "an entry is the same wherever the site lies"


def atom_problems(content: bytes) -> list[str]:
    """What of a feed RFC 4287 does not allow (sections 4.1.1, 4.1.2, 4.2.6, 4.2.7, 3.3); `self` counts as required."""
    feed, found = ElementTree.fromstring(content), []
    entries = feed.findall(f"{ATOM}entry")
    for part in (feed, *entries):
        once = {"id", "title", "updated"} | ({"subtitle", "icon", "logo", "generator", "rights"} if part is feed else {"summary", "content", "published", "source", "rights"})
        names = [child.tag.removeprefix(ATOM) for child in part]
        found += [f"{name} missing" for name in ("id", "title", "updated") if name not in names]
        found += [f"{name} twice" for name in once if names.count(name) > 1]
        found += [f"{name} unknown" for name in names if name not in once | {"author", "category", "contributor", "link"} | ({"entry"} if part is feed else set())]
        found += [f"{one.tag.removeprefix(ATOM)} empty" for one in part if one.tag != f"{ATOM}link" and not len(one) and not (one.text or "").strip()]
        for one in part.findall(f"{ATOM}updated"):
            if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", one.text or ""):
                found.append(f"updated {one.text}")
        for one in part.findall(f"{ATOM}id"):
            if not re.fullmatch(r"[a-z][a-z0-9+.-]*:\S+", one.text or ""):
                found.append(f"id {one.text} is no IRI")
        links = part.findall(f"{ATOM}link")
        found += ["link without href" for one in links if not one.get("href")]
        alternates = [(one.get("type"), one.get("hreflang")) for one in links if one.get("rel", "alternate") == "alternate"]
        found += ["alternate twice" for one in set(alternates) if alternates.count(one) > 1]
        if part is not feed and not alternates and part.find(f"{ATOM}content") is None:
            found.append("entry without content or alternate")
        for author in part.findall(f"{ATOM}author"):
            found += ["author without one name"] if len(author.findall(f"{ATOM}name")) != 1 else []
    if feed.find(f"{ATOM}author") is None and not all(entry.find(f"{ATOM}author") is not None for entry in entries):
        found.append("no author")
    if "self" not in {one.get("rel") for one in feed.findall(f"{ATOM}link")}:
        found.append("no self")
    stamps = [(entry.findtext(f"{ATOM}id"), entry.findtext(f"{ATOM}updated")) for entry in entries]
    return found + [f"{one} twice" for one in set(stamps) if stamps.count(one) > 1]


def test_the_feed_is_what_the_atom_standard_asks_for(site: Path, opened: Bundle) -> None:
    made = (site / "current/feed.xml").read_bytes()
    assert atom_problems(made) == atom_problems(opendata.feed(opened, "")) == []
    wrong = [(b"</id>", b"</id><id>urn:x:y</id>"), (b"T00:00:00+08:00", b""), (b'rel="self"', b'rel="via"'), (b"<author>", b"<contributor>"), (b'rel="alternate"', b'rel="related"'),
             (b"urn:uuid:", b""), (b"<title>", b"<titel>"), (b"<name>", b"<nom>")]  # fmt: skip
    for old, new in wrong:
        spoilt = made.replace(old, new)
        for tag in (b"author", b"title", b"name"):
            if b"<" + tag + b">" not in spoilt:
                spoilt = spoilt.replace(b"</" + tag + b">", {b"author": b"</contributor>", b"title": b"</titel>", b"name": b"</nom>"}[tag])
        assert atom_problems(spoilt), old


def test_the_dataset_has_what_search_engines_ask_of_one(site: Path) -> None:
    """Google's guide for Dataset: name and description (50 to 5,000 characters) are required, the rest recommended; schema.org for the types."""
    made = json.loads((site / "current/data/dataset.json").read_bytes())
    assert all(isinstance(made[name], str) and made[name] for name in ("@context", "@type", "name", "identifier", "url", "inLanguage", "dateModified"))
    assert 50 <= len(made["description"]) <= 5000 and made["isAccessibleForFree"] is True and made["keywords"]
    assert made["creator"] == made["publisher"] and made["creator"]["@type"] == "GovernmentOrganization" and made["creator"]["name"]
    assert made["license"]["@type"] == "CreativeWork" and f"<p>{made['license']['name']}</p>" in (site / "current/data/index.html").read_text("utf-8")
    assert made["spatialCoverage"]["@type"] == "Place" and made["spatialCoverage"]["name"]
    for part in made["distribution"]:
        assert part["@type"] == "DataDownload" and part["encodingFormat"] in ("text/csv", "application/jsonl") and part["contentUrl"].startswith("https://gs.example.gov.cn/data/")
    assert all(one["@type"] == "PropertyValue" and one["name"] and one["description"] for one in made["variableMeasured"])


def test_site_maps_hold_every_page_once_and_no_more_than_may_be_in_one(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {str(path.relative_to((site / "current").resolve())) for path in (site / "current").resolve().rglob("*.html")} - {"404.html", "410.html"}
    listed = ElementTree.fromstring((site / "current/sitemaps/1.xml").read_bytes())
    assert {loc.text for loc in listed.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")} == {f"https://gs.example.gov.cn/{page}" for page in pages}
    assert "Sitemap: https://gs.example.gov.cn/sitemap.xml" in (site / "current/robots.txt").read_text()
    monkeypatch.setattr(opendata, "MAP_LIMIT", 30)
    made = dict(opendata.site_maps(pages, "https://x/"))
    assert sum(content.count(b"<url>") for content in made.values()) == len(pages) and max(content.count(b"<url>") for content in made.values()) == 30
    assert made["sitemap.xml"].count(b"<sitemap>") == len(made) - 1
    assert not [path for path, _ in opendata.open_files(load_bundle_of(site), pages, "") if "sitemap" in path]


def test_the_open_data_of_a_site_validates_by_command_and_a_wrong_line_is_named(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "validate", str(site / "current/data")]) == 0
    assert capsys.readouterr().out.count("OK") == 5
    row = json.loads((site / "current/data/results.jsonl").read_bytes().splitlines()[0])
    (tmp_path / "results.jsonl").write_bytes(plain_json(row | {"town": 7}) + b"\nnot json\n")
    assert main(["data", "validate", str(tmp_path / "results.jsonl")]) == 1
    said = capsys.readouterr().out
    assert "results.jsonl：2 处不符" in said and "第 1 行：“town”应为 string，写的是“7”" in said and "第 2 行不是 JSON" in said
    for words in (["data", "validate", str(tmp_path / "none")], ["data", "validate", str(tmp_path)[:-1]]):
        assert main(words) == 1 and "portal: " in capsys.readouterr().err


def test_a_release_can_be_built_from_what_it_carries(site: Path, verify: Path, tmp_path: Path) -> None:
    """So that anybody can, and old releases can be built anew without what must be forgotten."""
    from public_site.build import build
    from tests.public_site.conftest import FakePdfs
    from tests.public_site.test_build import contents

    load_bundle_of(site)
    build(site / "carried", tmp_path / "out", FakePdfs(), verify=verify)
    again, shown = contents(tmp_path / "out"), contents((site / "current").resolve())
    of_address = ("manifest.json", "feed.xml", "robots.txt", "sitemap.xml", "data/dataset.json", "sitemaps/1.xml")
    differ = {name.removesuffix(".gz") for name in {*again, *shown} if again.get(name) != shown.get(name)}
    assert differ == set(of_address)
