"""Checking a release without trusting who built it: files against the manifest, links against files."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from public_site.build import MOST_BYTES, SPEC
from public_site.bundle import CHUNK
from public_site.pages import ABSENT

SHOWN = 5  # faults named in one line; the rest are counted

Line = tuple[bool, str]


# The plain way a page of ours is written. Where each "<" of a page begins one of these, they are its tags and nothing
# else is; html.parser says the same, ten times slower.
_TAG = re.compile(
    r'''<(?:(?P<tag>[a-z][a-z0-9]*)(?P<attributes>(?:\s+[a-z][a-z0-9:-]*(?:="[^"<>]*")?)*)\s*/?>|/[a-z][a-z0-9]*>|!doctype html>)'''
)
_ATTRIBUTE = re.compile(r'''([a-z][a-z0-9:-]*)(?:="([^"]*)")?''')
_VERBATIM = ("script", "style")  # what stands in these is no markup
# What a browser fetches with a page unasked: (tag, rel) and the attribute that names it.
_LOADED = {("link", rel): ("href",) for rel in ("stylesheet", "icon", "preload", "modulepreload")} | {("script", ""): ("src",), ("img", ""): ("src",)}


class _Page:
    """The links, ids and inline code of a page, and the files that come with it."""

    def __init__(self, tags: Iterable[tuple[str, dict[str, str]]]) -> None:
        self.links: list[str] = []
        self.ids: list[str] = []
        self.inline: list[str] = []
        self.loads: list[str] = []
        for tag, found in tags:
            self.links += [found[name] for name in ("href", "src", "action") if name in found]
            self.loads += [found[name] for name in _LOADED.get((tag, found.get("rel", "")), ()) if name in found]
            self.ids += [found["id"]] if "id" in found else []
            if tag == "style" or (tag == "script" and "src" not in found):
                self.inline.append(f"<{tag}>")
            self.inline += [name for name in found if name == "style" or name.startswith("on")]


class _AnyHtml(HTMLParser):
    """The start tags of a page however it is written."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


def _plain_tags(text: str) -> list[tuple[str, dict[str, str]]] | None:
    """(tag, attributes) of each start tag of a page in the plain way; None where it is written in any other."""
    found = list(_TAG.finditer(text))
    if len(found) != text.count("<"):
        return None
    tags = []
    for n, match in enumerate(found):
        tag, written = match["tag"], match["attributes"]
        if tag is None:
            continue
        if tag in _VERBATIM and (n + 1 == len(found) or found[n + 1][0] != f"</{tag}>"):
            return None
        attributes = dict(_ATTRIBUTE.findall(written)) if written else {}
        tags.append((tag, {name: unescape(value) for name, value in attributes.items()} if "&" in written else attributes))
    return tags


def check_release(path: Path) -> list[Line]:
    """`(ok, words)` for each check of the release in a folder; a release is sound if every line is ok."""
    try:
        manifest = json.loads((path / "manifest.json").read_bytes())
        files: dict[str, str] = manifest["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return [(False, "manifest.json 读不出来：发布没有完成，或文件已经损坏。")]
    if manifest.get("spec") != SPEC:
        return [(False, f"manifest.json 的格式是“{manifest.get('spec')}”，本程序只认识 {SPEC}。")]
    there, odd = _walk(path)
    pages = {name: _parse(path / name) for name in sorted(files) if name.endswith(".html") and name in there}
    return [
        _line("清单所列文件都在", [name for name in files if name not in there]),
        _line("没有清单以外的文件", sorted(there - set(files) - {"manifest.json"}) + odd),
        _line("每个文件的 SHA-256 与清单相同", [name for name, digest in sorted(files.items()) if name in there and _digest(path / name) != digest]),
        _line("每个压缩文件与原文件内容相同", [name for name in sorted(files) if name.endswith(".gz") and name in there and not _is_twin(path / name)]),
        _line("站内链接都有去处", _dead_links(pages, set(files) | {"manifest.json"})),
        _line("没有指向站外的文件和链接", [f"{name} → {link}" for name, page in pages.items() for link in page.links if _is_foreign(link)]),
        _line("页面里没有内嵌的脚本和样式", [f"{name}：{code}" for name, page in pages.items() for code in page.inline]),
        _line("页面里的标识不重复", [name for name, page in pages.items() if len(page.ids) != len(set(page.ids))]),
        _line("每个页面不超过 60 KB", [name for name in pages if (path / name).stat().st_size > MOST_BYTES]),
        _line("每个页面连同样式和脚本，压缩传输不超过 60 KB", _heavy_pages(path, pages, set(files))),
    ]


def _line(words: str, faults: list[str]) -> Line:
    if not faults:
        return True, f"{words}。"
    more = f"，另有 {len(faults) - SHOWN} 处" if len(faults) > SHOWN else ""
    return False, f"{words}：不符 {'、'.join(faults[:SHOWN])}{more}。"


def _walk(path: Path) -> tuple[set[str], list[str]]:
    """Plain files, and what is neither a plain file nor a folder."""
    plain: set[str] = set()
    odd: list[str] = []
    for folder, folders, names in os.walk(path):
        for name in [*names, *folders]:
            place = Path(folder) / name
            shown = str(PurePosixPath(place.relative_to(path)))
            if place.is_symlink() or not (place.is_file() or place.is_dir()):
                odd.append(shown)
            elif place.is_file():
                plain.add(shown)
    return plain, sorted(odd)


def _parse(path: Path) -> _Page:
    text = path.read_text("utf-8")
    plain = _plain_tags(text)
    return _Page(_AnyHtml(text).tags if plain is None else plain)


def _is_foreign(link: str) -> bool:
    parts = urlsplit(link)
    return bool(parts.scheme or parts.netloc)


def _dead_links(pages: dict[str, _Page], files: set[str]) -> list[str]:
    found = []
    ids = {name: set(page.ids) for name, page in pages.items()}
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            path = unquote(parts.path)
            target = _resolve(name, path.removeprefix("/") or "index.html" if name in ABSENT else path)
            if target not in files or (parts.fragment and target in ids and unquote(parts.fragment) not in ids[target]):
                found.append(f"{name} → {link}")
    return found


def _heavy_pages(path: Path, pages: dict[str, _Page], files: set[str]) -> list[str]:
    """Pages that are over SITE.md's 60 KB with all a browser fetches for them, each file as a server with `gzip_static` sends it."""
    sizes: dict[str, int] = {}

    def sent(name: str) -> int:
        if name not in sizes:
            sizes[name] = min(((path / way).stat().st_size for way in (name, f"{name}.gz") if way in files and (path / way).is_file()), default=0)
        return sizes[name]

    def whole(name: str, page: _Page) -> int:
        loaded = {_resolve("" if name in ABSENT else name, urlsplit(link).path.removeprefix("/" if name in ABSENT else "")) for link in page.loads}
        return sent(name) + sum(map(sent, loaded))

    return [f"{name}（{size} 字节）" for name, page in pages.items() if (size := whole(name, page)) > MOST_BYTES]


def _resolve(page: str, link: str) -> str:
    """The file a link on a page leads to; `..` above the root stays visible, so it is never found."""
    if not link:
        return page
    folder = page.rpartition("/")[0]
    resolved = os.path.normpath(f"{folder}/{link}" if folder else link)
    return f"{resolved}/index.html" if link.endswith("/") else resolved


def _is_twin(path: Path) -> bool:
    plain = path.with_suffix("")
    try:
        with gzip.open(path) as packed, plain.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                if packed.read(len(chunk)) != chunk:
                    return False
            return packed.read(1) == b""
    except (OSError, EOFError, zlib.error):
        return False


def _digest(path: Path) -> str:
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            state.update(chunk)
    return state.hexdigest()
