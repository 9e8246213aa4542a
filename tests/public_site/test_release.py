"""Publishing: one switch, nothing in place, and a crash anywhere leaves the old release shown."""

import fcntl
import gzip
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from portal.domain.errors import NotFound, WrongMoment
from public_site import check
from public_site import release as module
from public_site.bundle import load_bundle
from public_site.check import check_release
from public_site.release import KEPT, Release, current, release, releases_of, roll_back
from public_site.serve import parse_target
from tests import some
from tests.public_site import serving
from tests.public_site.bundle_fixture import make_bundle
from tests.public_site.conftest import FakePdfs
from tests.public_site.test_build import edited


def publish(bundle: Path, site: Path, verify: Path) -> Release:
    return release(bundle, site, FakePdfs(), verify=verify)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def one_changed(bundle: Path, folder: Path, words: str = "晋江市内坑镇") -> Path:
    firm = max(load_bundle(bundle).by_entity)
    return edited(bundle, folder, "results.jsonl", lambda row: row | {"town": words} if row["entity"] == firm else row)


def is_sound(site: Path) -> bool:
    return all(ok for ok, _ in check_release(site / "current"))


@pytest.fixture(scope="module")
def published(bundle: Path, verify: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("published") / "site"
    publish(bundle, made, verify)
    return made


@pytest.fixture
def site(published: Path, tmp_path: Path) -> Path:
    """A site with one release, to do with as a test likes."""
    return Path(shutil.copytree(published, tmp_path / "site", symlinks=True))


# One release after another ---------------------------------------------------------------------


def test_the_first_release_is_whole_and_shown(site: Path) -> None:
    [only] = releases_of(site)
    assert current(site) == only
    assert os.readlink(site / "current") == f"releases/{only}"
    assert is_sound(site)


def test_the_same_data_makes_no_new_release(bundle: Path, site: Path, verify: Path, tmp_path: Path) -> None:
    shown, before = current(site), os.lstat(site / "current").st_ino
    again = publish(make_bundle(tmp_path / "again"), site, verify)
    assert (again.id, again.changed) == (shown, 0)
    assert releases_of(site) == [shown]
    assert os.lstat(site / "current").st_ino == before


def test_the_id_comes_from_the_content_alone(bundle: Path, verify: Path, tmp_path: Path) -> None:
    assert publish(bundle, tmp_path / "a", verify).id == publish(bundle, tmp_path / "b", verify).id


@pytest.mark.parametrize("cloned", [True, False])
def test_a_release_writes_only_what_changed_and_links_the_rest(bundle: Path, site: Path, verify: Path, tmp_path: Path, cloned: bool) -> None:
    """Also where the links made after the last switch are missing, or those of another release."""
    (site / ".next").write_text("000009-000000000000")
    if cloned:
        module._clone(site)
    old = site / "releases" / str(current(site))
    kept = snapshot(old)
    done = publish(one_changed(bundle, tmp_path / "changed"), site, verify)
    new = site / "releases" / done.id
    same = [name for name in kept if (new / name).exists() and (new / name).stat().st_ino == (old / name).stat().st_ino]
    assert 0 < done.changed < 16
    assert len(kept) - len(same) == done.changed + 1  # and the manifest
    assert snapshot(old) == kept
    assert is_sound(site)


def test_what_is_gone_from_the_data_is_gone_from_the_release(bundle: Path, site: Path, verify: Path, tmp_path: Path) -> None:
    firm = max(load_bundle(bundle).by_entity)
    fewer = tmp_path / "fewer"
    shutil.copytree(bundle, fewer)
    lines = [line for line in (fewer / "results.jsonl").read_bytes().splitlines(keepends=True) if firm.encode() not in line]
    (fewer / "results.jsonl").write_bytes(b"".join(lines))
    from tests.public_site.bundle_fixture import seal

    seal(fewer)
    publish(fewer, site, verify)
    assert not list((site / "current").rglob(f"*{firm}*"))
    assert firm not in (site / "current/data/results.csv").read_text("utf-8")
    assert is_sound(site)


def test_five_releases_are_kept_and_one_can_go_back(bundle: Path, site: Path, verify: Path, tmp_path: Path) -> None:
    for number in range(KEPT + 1):
        publish(one_changed(bundle, tmp_path / f"b{number}", f"晋江市第{number}镇"), site, verify)
    kept = releases_of(site)
    assert len(kept) == KEPT
    assert [int(name[:6]) for name in kept] == [3, 4, 5, 6, 7]
    assert roll_back(site, kept[0], FakePdfs(), verify=verify) == current(site) == kept[0]
    assert is_sound(site)
    with pytest.raises(NotFound, match="没有版本“000001-"):
        roll_back(site, "000001-000000000000", FakePdfs(), verify=verify)
    # what is shown is never pruned, however old; publishing the newest data again finds its release
    newest = publish(one_changed(bundle, tmp_path / "again", f"晋江市第{KEPT}镇"), site, verify)
    assert newest.id == kept[-1]
    assert newest.changed > 0


def test_only_one_publisher_works_at_a_time(bundle: Path, site: Path, verify: Path) -> None:
    with (site / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(WrongMoment, match="另一次发布正在进行"):
            publish(bundle, site, verify)
    publish(bundle, site, verify)


def test_a_damaged_last_release_is_no_base_for_the_next(bundle: Path, site: Path, verify: Path, tmp_path: Path) -> None:
    (site / "current/manifest.json").write_bytes(b"{")
    publish(one_changed(bundle, tmp_path / "changed"), site, verify)
    assert is_sound(site)


# Crashes ---------------------------------------------------------------------------------------

SITE = [".known", ".lock", ".next", "current", "gone.map", "gone.txt", "pdf-cache", "releases", "tombstones.jsonl"]
CALLS = ("link", "rename", "replace", "symlink", "mkdir", "fsync", "unlink")


def calls_of_a_publication(bundle: Path, site: Path, verify: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Where to kill: around the name, the lists and the switch, and here and there among the many before and after."""
    seen: list[str] = []
    for name in CALLS:
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, _real=real, _name=name, **more: seen.append(_name) or _real(*args, **more))
    publish(bundle, site, verify)
    monkeypatch.undo()
    switch = max(n for n, name in enumerate(seen) if name == "symlink")
    assert seen[switch + 1] == "replace"
    named = next(n for n in range(switch, 0, -1) if seen[n] == "rename")
    return sorted({0, 1, named // 3, named // 2, *range(named - 2, named + 3), *range(switch - 3, switch + 5), (switch + len(seen)) // 2, len(seen) - 3, len(seen) - 1})


def publish_and_die(bundle: Path, site: Path, verify: Path, at: int) -> None:
    """Publish in a child that is gone, without any tidying up, at its nth call."""
    child = os.fork()
    if child == 0:
        count = -1

        def counted(real):
            def call(*args, **more):
                nonlocal count
                count += 1
                if count == at:
                    os._exit(9)
                return real(*args, **more)

            return call

        for name in CALLS:
            setattr(os, name, counted(getattr(os, name)))
        try:
            publish(bundle, site, verify)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def test_a_crash_anywhere_leaves_a_whole_release_shown_and_the_next_run_tidies_up(
    verify: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle(tmp_path / "small", firm_count=40)
    changed = one_changed(bundle, tmp_path / "changed")
    start = tmp_path / "start"
    publish(bundle, start, verify)
    old = current(start)
    shutil.copytree(start, tmp_path / "trial", symlinks=True)
    points = calls_of_a_publication(changed, tmp_path / "trial", verify, monkeypatch)
    new = current(tmp_path / "trial")
    assert len(points) > 15
    shown = []
    for point in some(points):
        site = tmp_path / f"site{point}"
        shutil.copytree(start, site, symlinks=True)
        publish_and_die(changed, site, verify, point)
        shown.append(current(site))
        assert shown[-1] in (old, new)
        assert is_sound(site)
        done = publish(changed, site, verify)
        assert done.id == new == current(site)
        assert is_sound(site)
        assert releases_of(site) == [old, new]
        assert sorted(path.name for path in site.iterdir()) == SITE
        assert [path.name for path in (site / "releases").iterdir() if path.name.startswith(".")] == [".next"]
        shutil.rmtree(site)
    assert {old, new} == set(shown)  # killed before the switch and after it


# Checking --------------------------------------------------------------------------------------


def faults(path: Path) -> list[str]:
    return [words for ok, words in check_release(path) if not ok]


def rewritten(folder: Path, name: str, content: bytes) -> None:
    """Change a file without touching what shares its bytes with other releases."""
    (folder / name).unlink()
    (folder / name).write_bytes(content)


def test_a_check_names_the_changed_the_missing_and_the_extra_file(site: Path) -> None:
    shown = site / "current"
    rewritten(shown, "about.html", (shown / "about.html").read_bytes() + b" ")
    (shown / "en.html").unlink()
    (shown / "extra.html").write_bytes(b"x")
    (shown / "link").symlink_to("/etc")
    text = "\n".join(faults(shown))
    assert "SHA-256 与清单相同：不符 about.html" in text
    assert "清单所列文件都在：不符 en.html" in text
    assert "没有清单以外的文件：不符 extra.html、link" in text
    assert "→ ./en.html" in text or "en.html" in text


@pytest.mark.parametrize(("addition", "fault"), [
    ('<a href="nowhere.html">x</a>', "站内链接都有去处"), ('<a href="about.html#nowhere">x</a>', "站内链接都有去处"),
    ('<a href="../../secret">x</a>', "站内链接都有去处"), ('<script src="https://example.com/x.js"></script>', "没有指向站外"),
    ("<script>1</script>", "没有内嵌的脚本"), ('<p onclick="x()">', "没有内嵌的脚本"), ('<p style="x">', "没有内嵌的脚本"),
    ('<p id="main">', "标识不重复"), ("x" * 61440, "不超过 60 KB"),
])  # fmt: skip
def test_a_check_finds_what_no_page_may_hold(site: Path, addition: str, fault: str) -> None:
    shown = site / "current"
    rewritten(shown, "index.html", (shown / "index.html").read_bytes() + addition.encode())
    assert any(fault in line for line in faults(shown))


def test_a_check_weighs_a_page_with_all_that_comes_with_it(site: Path) -> None:
    """As a server sends it: the script of 200 KB is small where it has a packed file beside it, and not else."""
    shown, words = site / "current", "压缩传输不超过 60 KB"
    heavy = (shown / "static" / "site.js").read_bytes() + b"//" + b"x" * 200_000
    rewritten(shown, "static/site.js", heavy)
    rewritten(shown, "static/site.js.gz", gzip.compress(heavy))
    assert not any(words in line for line in faults(shown))
    (shown / "static" / "site.js.gz").unlink()
    [line] = [line for line in faults(shown) if words in line]
    assert "404.html（2" in line and "about.html（2" in line and "另有" in line


def test_our_pages_are_read_the_quick_way_and_it_says_what_html_parser_says(site: Path) -> None:
    texts = [page.read_text("utf-8") for page in (site / "current").rglob("*.html")]
    assert len(texts) > 50
    for text in texts:
        tags = check._plain_tags(text)
        assert tags == check._AnyHtml(text).tags


@pytest.mark.parametrize("written", [
    "<A HREF=x>", "<a href='x'>", "<!-- <script> -->", "<script src='x'>'<a href=\"y\">'</script>", '<p title="a>b"><i id="x">', '<p a="1"b="2">',
    '<script src="x"><b></b></script>', "<style>p{}<b></style>", '<p title="<b>">', "1 < 2", "</p", "<title", '<a href="x" onclick>', "<?php <a> ?>",
    '<a\nhref="x&amp;y=&quot;">', "<br/>", '<img src="a"/>', '<a href="1" href="2">', "<p/onclick=x>", '<script src="x"> 1 </script><b>', "<a href>",
])  # fmt: skip
def test_a_page_written_in_any_other_way_is_read_as_html_parser_reads_it(tmp_path: Path, written: str) -> None:
    (tmp_path / "page.html").write_text(f'<p id="first">{written}<p id="last">', "utf-8")
    read, wanted = check._parse(tmp_path / "page.html"), check._Page(check._AnyHtml(f'<p id="first">{written}<p id="last">').tags)
    assert vars(read) == vars(wanted) and read.ids[0] == "first"


def test_a_folder_without_a_manifest_is_no_release(tmp_path: Path) -> None:
    assert faults(tmp_path) == ["manifest.json 读不出来：发布没有完成，或文件已经损坏。"]


# Serving ---------------------------------------------------------------------------------------


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    with serving.served(site) as address:
        yield address


def status(address: str, method: str = "GET", **headers: str) -> int:
    try:
        with urlopen(Request(address, method=method, headers=headers)) as answer:
            return answer.status
    except HTTPError as problem:
        return problem.code


@pytest.mark.parametrize("path", [
    "/../site/.lock", "/%2e%2e/%2e%2e/.lock", "/..%2f..%2f.lock", "/static/../../../.lock", "//etc/passwd", "/static//site.css", "/.lock",
    "/releases/", "/static", "/static/", "/a%00b", "/%ff", "/about.html/", "/about.html%2f", "/C:\\x", "/a\\..\\b", "/current/index.html",
])  # fmt: skip
def test_nothing_but_a_plain_file_of_the_release_is_served(served: str, path: str) -> None:
    assert status(served + path) == 404


def test_no_symbolic_link_in_a_release_is_followed(site: Path, served: str, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (site / "current/out.txt").symlink_to(tmp_path / "secret.txt")
    (site / "current/folder").symlink_to(tmp_path)
    assert status(f"{served}/out.txt") == 404
    assert status(f"{served}/folder/secret.txt") == 404


def test_a_current_that_points_elsewhere_serves_nothing(site: Path, served: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("x")
    (site / "current").unlink()
    (site / "current").symlink_to(tmp_path)
    assert status(f"{served}/index.html") == 404


def test_a_switch_shows_at_the_next_request(bundle: Path, site: Path, served: str, verify: Path, tmp_path: Path) -> None:
    changed = one_changed(bundle, tmp_path / "changed")
    path = "/data/results.csv"
    assert "内坑镇" not in urlopen(served + path).read().decode()
    publish(changed, site, verify)
    assert "内坑镇" in urlopen(served + path).read().decode()


def test_an_unchanged_file_is_not_sent_twice(served: str) -> None:
    with urlopen(f"{served}/about.html") as answer:
        etag = answer.headers["ETag"]
    assert status(f"{served}/about.html", **{"If-None-Match": etag}) == 304


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_there_is_nothing_to_do_but_look(served: str, method: str) -> None:
    assert status(f"{served}/index.html", method) == 405


def test_a_target_is_parsed_into_plain_names() -> None:
    assert parse_target("/") == ["index.html"]
    assert parse_target("/items/?q=1") == ["items", "index.html"]
    assert parse_target("/items/a%40b.html#x") == ["items", "a@b.html"]
    assert parse_target("http://evil/") is None
    assert module.KEPT == 5


def test_the_manifest_names_every_file_of_its_release(site: Path) -> None:
    files = json.loads((site / "current/manifest.json").read_bytes())["files"]
    assert set(files) == set(snapshot(site / "current")) - {"manifest.json"}
