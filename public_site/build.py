"""A bundle becomes a site: pages, data, the files of each draw, the log, and PDFs.

`build` writes into a folder that did not exist; `release` (release.py) does so beside the last
release and switches. The same bundle gives the same bytes: nothing here asks for the time.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from portal.domain.errors import BadInput
from public_site import data, opendata, search, tables
from public_site.bundle import Bundle, load_bundle, mark_of, plain_json
from public_site.changes import Changes, changes_of
from public_site.compiled import Compiled
from public_site.hot import Hot
from public_site.known import program
from public_site.listing import save_manifest
from public_site.pages import ABSENT, ADDRESSES, Keep, Page, Paper, address_of, entity_pages, papers, site_pages, versions_of
from public_site.quick import Quick
from public_site.round_results import Table, rows_by
from public_site.sink import Sink
from public_site.wording import FILTERS, WORDS, state_of

SPEC = "mingcha-site/1"
HERE = Path(__file__).parent
TEMPLATES = HERE.parent / "templates" / "public"
STATIC = HERE / "static"
VERIFY = HERE / "verify"
MOST_BYTES = 60 * 1024  # of any HTML file (SITE.md)

HOT_FILTERS = ("cn_date", "cn_day", "cn_time", "count", "pieces", "label_class")  # those the entity page uses

Progress = Callable[[str, int], None]  # what is being made, how many so far


@dataclass(frozen=True, slots=True)
class PdfJob:
    """One PDF to render: a template of templates/print, what makes its context, and the key its bytes are kept under."""

    template: str
    make: Callable[[], Mapping[str, Any]]
    key: str

    @property
    def context(self) -> Mapping[str, Any]:
        """Read from the bundle anew each time: only who renders it asks."""
        return self.make()


class PdfRenderer(Protocol):
    """Renders PDFs, in any order; `version` changes whenever the same job would give other bytes."""

    version: str

    def __call__(self, jobs: Iterable[PdfJob]) -> Iterator[tuple[str, bytes]]: ...


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What was made. `pages`: HTML files; `pdfs`: all PDFs of the site; `bytes`: written, not linked; `rendered`: PDFs not in the cache before."""

    pages: int
    pdfs: int
    files: int
    bytes: int
    rendered: int = 0


def build(
    bundle: Path, out: Path, render_pdfs: PdfRenderer, progress: Progress | None = None, *, pdf_cache: Path | None = None, verify: Path = VERIFY
) -> BuildReport:
    """Build the whole site into `out`, which must not exist yet, with its manifest.

    `pdf_cache` keeps rendered PDFs between builds; without one every PDF is rendered. BadInput where the
    bundle is torn, unsafe, or a page cannot be brought under 60 KB.
    """
    if out.exists():
        raise BadInput(f"输出文件夹“{out.name}”已经存在。请换一个名字，或先移走它。")
    opened, sink = load_bundle(bundle), Sink(out)
    report = build_into(opened, sink, render_pdfs, progress, pdf_cache=pdf_cache, verify=verify)
    put_manifest(sink, opened)
    return report


def put_manifest(sink: Sink, bundle: Bundle) -> str:
    """Write `manifest.json` of a site, every other file's SHA-256, and for pages and PDFs what they were made from; its own SHA-256."""
    head = plain_json({"as_of": bundle.about["as_of"]})[:-1] + b","  # canonical JSON: paths and digests are plain ASCII
    return save_manifest(sink.root / "manifest.json", head, sink.files, sink.inputs, plain_json({"made": sink.made, "spec": SPEC})[1:])


def made_of(bundle: Bundle, render_pdfs: PdfRenderer) -> dict[str, str]:
    """What pages and PDFs are made with."""
    return {"pages": style_digest(bundle), "pdfs": render_pdfs.version}


def build_into(
    bundle: Bundle, sink: Sink, render_pdfs: PdfRenderer, progress: Progress | None, *, pdf_cache: Path | None, verify: Path = VERIFY, address: str = ""
) -> BuildReport:
    """Put every file of the site but its manifest into a sink. `address`: the site's own, where it is known (hosting.py)."""
    tell = progress or (lambda _what, _count: None)
    render = _renderer(bundle)
    for name in ("verify.py", "verify.js"):
        if not (verify / name).is_file():
            raise BadInput(f"缺少核验程序“{name}”，不能发布：没有它，公众无法自己核验。")
        sink.put(f"verify/{name}", (verify / name).read_bytes())
    for path in sorted(STATIC.iterdir()):
        sink.put(f"static/{path.name}", path.read_bytes())
    program = (verify / "verify.py").read_bytes()
    facts = {"lines": program.count(b"\n"), "digest": hashlib.sha256(program).hexdigest()}
    pages = 0
    sink.made = made_of(bundle, render_pdfs)
    style = sink.made["pages"]
    changes = changes_of(bundle, sink)
    names = search.source_of(bundle, style)
    if changes:
        index = () if sink.has(search.INDEX, names) else sink.last_under(search.FOLDER)
        sink.keep_rest(changes.touched(sink.last_files).union(index))
    own = list(site_pages(bundle, facts, style, sink.keep, changes and changes.before))  # what stays is taken over here, before anything is made
    hot = hot_of(bundle)
    with tables.put_tables(bundle, sink, hashlib.sha256(plain_json([style, mark_of(bundle.tombstones), bundle.files["results.jsonl"]])).hexdigest()[:32]):
        for page in own:
            pages += _put_page(render, sink, page)
        for page in entity_pages(bundle, style, sink.keep, changes and changes.entities, quick_of(bundle, hot).render):
            pages += _put_page(render, sink, page, hot)
            sink.spill()
            tell("pages", pages)
        _put_data(bundle, sink, names)
        for path, content in opendata.open_files(bundle, (path for path in sink.files.paths() if path.endswith(".html") and path not in ABSENT), address):
            sink.put(path, content)
        rendered = _put_pdfs(bundle, sink, render_pdfs, pdf_cache, tell, changes)
    return BuildReport(sink.tally.html, sink.tally.pdfs, sink.tally.files, sink.bytes, rendered)


def style_digest(bundle: Bundle) -> str:
    """A digest of all that entity pages are made from beside their results: templates, this program, bureau, items."""
    state = hashlib.sha256()
    for path in sorted([*TEMPLATES.glob("*.html"), *HERE.glob("*.py")]):
        state.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    state.update(plain_json([bundle.about["bureau"], bundle.about["demo"], bundle.files["items.jsonl"]]))
    return state.hexdigest()


# HTML ------------------------------------------------------------------------------------------

Render = Callable[[Page, str, dict[str, Any]], bytes]


@cache
def environment() -> Environment:
    """Templates escape everything and stop at an unknown name; compiled once a process at most (half a second)."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        bytecode_cache=Compiled(TEMPLATES / "__pycache__", program()), auto_reload=False,
    )  # fmt: skip
    made.filters |= FILTERS
    made.globals |= WORDS
    made.globals["rows_by"] = rows_by
    return made


def hot_of(bundle: Bundle) -> Hot:
    """The quick way to entity pages (hot.py)."""
    return Hot(environment(), _fixed(bundle), ADDRESSES, {name: FILTERS[name] for name in HOT_FILTERS})


def quick_of(bundle: Bundle, hot: Hot) -> Quick:
    """The quickest (quick.py)."""
    return Quick(hot, partial(address_of, versions_of(bundle)), MOST_BYTES)


def _fixed(bundle: Bundle) -> dict[str, Any]:
    return {"about": bundle.about, "bureau": bundle.about["bureau"]} | ADDRESSES


def _renderer(bundle: Bundle) -> Render:
    templates, fixed = environment(), _fixed(bundle)

    def render(page: Page, path: str, context: dict[str, Any]) -> bytes:
        root = page.root or "../" * path.count("/") or "./"
        text = templates.get_template(page.template).render(fixed, **context, root=root, path=path, here=page.here, as_of=page.as_of)
        return "\n".join([line for line in text.split("\n") if line.strip()]).encode() + b"\n"

    return render


class Part(NamedTuple):
    """A page, or one of those it goes on at. `content`: None where the last release has it; `source`: as in the manifest."""

    path: str
    content: bytes | None
    source: str = ""


def _put_page(render: Render, sink: Sink, page: Page, hot: Hot | None = None) -> int:
    quick = page.content or (hot and page.twin and hot.render(page.context["visits"], page.path, page.as_of, page.twin))
    parts = [Part(page.path, quick, page.source)] if quick and len(quick) <= MOST_BYTES else _pages_that_fit(render, page, sink.has)
    for path, content, source in parts:
        if content is None:
            sink.keep_files(path, source, [path])
            continue
        sink.put(path, content)
        if source:
            sink.inputs[path] = source
    if page.twin is not None:
        sink.put(page.path.removesuffix(".html") + ".json", page.twin)
    return len(parts)


def _pages_that_fit(render: Render, page: Page, has: Keep = lambda _path, _source: False) -> list[Part]:
    """The page, or as many pages as it takes to keep each under the limit; refused if even one row is too long."""
    if not page.long:
        return [_require_short(Part(page.path, render(page, page.path, page.context), page.source))]
    rows, size = page.context[page.long], page.size
    while True:
        found = _split(render, page, rows, size, has)
        if not any(_is_long(part) for part in found):
            return found
        if size == 1:
            break
        size = max(1, min(size, len(rows)) * 2 // 3)
    if "brief" in page.context:  # one visit with very many check points: they stay in the PDF and the JSON
        found = _split(render, page, rows, 1, has, brief=True)
    return list(map(_require_short, found))


def _split(render: Render, page: Page, rows: Sequence[Any], size: int, has: Keep, **more: Any) -> list[Part]:
    stem = page.path.removesuffix(".html")
    starts = list(range(0, len(rows), size)) or [0]
    paths = [page.path, *(f"{stem}-{n}.html" for n in range(2, len(starts) + 1))]
    found: list[Part] = []
    for number, (path, start) in enumerate(zip(paths, starts, strict=True), 1):
        this, source = page, page.source if number == 1 else ""
        if number > 1 and isinstance(rows, Table):
            source = rows.source_of(start, size)
            if has(path, source):
                found.append(Part(path, None, source))
                continue
            this = replace(page, as_of=rows.as_of(start, size))
        pager = {"number": number, "paths": paths, "start": start, "total": len(rows)}
        mine = rows.on(path, start, size) if isinstance(rows, Table) else rows[start : start + size]
        found.append(Part(path, render(this, path, page.context | more | {page.long: mine, "pager": pager}), source))
        if _is_long(found[-1]) and size > 1:
            break  # the caller tries fewer rows
    return found


def _is_long(part: Part) -> bool:
    return part.content is not None and len(part.content) > MOST_BYTES


def _require_short(part: Part) -> Part:
    if part.content is not None and _is_long(part):
        raise BadInput(f"页面“{part.path}”有 {len(part.content):,} 字节，超过 {MOST_BYTES:,} 字节的上限。请检查这条数据是否过长。")
    return part


# Data and PDFs ---------------------------------------------------------------------------------


def _put_data(bundle: Bundle, sink: Sink, names: str) -> None:
    states = {row["code"]: state_of(row)[1] for row in bundle.rounds}
    for path, pieces in data.csv_files(bundle, states):
        sink.put_pieces(path, pieces)
    for name in data.COLUMNS:
        if name == "results":
            continue
        if f"{name}.jsonl" in bundle.files:
            sink.copy(f"data/{name}.jsonl", bundle.folder / f"{name}.jsonl", bundle.files[f"{name}.jsonl"])
        else:
            sink.put(f"data/{name}.jsonl", b"")
    # with these a release carries all it was made from (forget.py builds old ones anew)
    sink.copy("data/about.json", bundle.folder / "about.json", bundle.files["about.json"])
    sink.copy("data/pages.jsonl", bundle.folder / "pages.jsonl", bundle.files["pages.jsonl"])
    if search.INDEX not in sink.files and not sink.keep_files(search.INDEX, names, [path for path in sink.last_under(search.FOLDER) if not path.endswith(".gz")]):
        for path, content in search.search_files(bundle):
            sink.put(path, content)
        sink.inputs[search.INDEX] = names
    for path, content in search.text_files(bundle):
        sink.put(path, content)
    for path in [*bundle.under("rounds/"), *bundle.under("log/")]:
        sink.copy(path, bundle.folder / path, bundle.files[path])


def pdf_key(paper: Paper, version: str) -> str:
    """The content address of a PDF: what it says, and what it is rendered with."""
    return hashlib.sha256(b"\0".join((paper.template.encode(), *paper.parts, version.encode()))).hexdigest()


def _put_pdfs(bundle: Bundle, sink: Sink, render_pdfs: PdfRenderer, cache: Path | None, tell: Progress, changes: Changes | None) -> int:
    with tempfile.TemporaryDirectory() as spare:
        kept = cache or Path(spare)
        wanted: dict[str, str] = {}  # path -> key, of those the last release has not
        rendered = 0
        for key, content in render_pdfs(_missing(papers(bundle, changes and changes.lines), sink, kept, wanted, render_pdfs.version)):
            _write_whole(_cached(kept, key), content)
            rendered += 1
            tell("pdfs", rendered)
        for path, key in wanted.items():
            place = _cached(kept, key)
            if not place.is_file():
                raise BadInput(f"公告“{path}”的 PDF 没有生成。请查看 PDF 生成程序的日志后重新发布。")
            sink.put(path, place.read_bytes())
            sink.inputs[path] = key
    return rendered


def _missing(every: Iterable[Paper], sink: Sink, cache: Path, wanted: dict[str, str], version: str) -> Iterator[PdfJob]:
    asked: set[str] = set()
    for paper in every:
        key = pdf_key(paper, version)
        if sink.keep_files(paper.path, key, [paper.path]):
            continue
        wanted[paper.path] = key
        if key not in asked and not _cached(cache, key).is_file():
            asked.add(key)
            yield PdfJob(paper.template, paper.make, key)


def _cached(cache: Path, key: str) -> Path:
    return cache / key[:2] / f"{key}.pdf"


def _write_whole(place: Path, content: bytes) -> None:
    """A crash here leaves a .part file, which is never read, and no half PDF."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_suffix(".part")
    part.write_bytes(content)
    os.replace(part, place)
