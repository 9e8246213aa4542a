"""The process that makes PDFs: limited, without network or files, ended after some documents.

A fork of `nursery`, asked by `render.Printer`; frames of `wire` on stdin and stdout.  The first request is the set-up (see `Printer._setup`), each further one a document
`{"template", "context"}`.  It ends when its stdin closes, so it never outlives the portal.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import logging
import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

from portal.prints import embedding, pages, quicker
from portal.prints.limits import limit_cpu, limit_process
from portal.prints.wire import Gone, read_frame, send_frame

# Tagged PDF 1.7.  pdf_variant "pdf/a-3a" works with these pages too, but writes a claim of conformance
# into the file, so it waits for a validator.  No file identifier: to hash the file for one, WeasyPrint
# makes every stream a second time, and only PDF/A asks for it.
PDF_OPTIONS = {"pdf_tags": True, "pdf_version": "1.7"}
FONT_SCHEME = "mingcha-font:"


def load() -> None:
    """Import what a document needs.  Nothing is made yet: fontconfig reads its file with the first Setting.  OSError: a library is missing."""
    import weasyprint.text.fonts  # noqa: F401 - all of it


class Setting:
    """What is made once for all documents of a worker: templates, style sheet, fonts, fetcher."""

    def __init__(self, setup: dict[str, Any]):
        import weasyprint
        from cssselect2 import ElementWrapper
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import URLFetcher, URLFetcherResponse

        logging.getLogger("weasyprint").addHandler(logging.NullHandler())
        logging.getLogger("weasyprint").propagate = False
        embedding.install()
        quicker.install()
        files = {f"{FONT_SCHEME}{role}": Path(path) for role, path in setup["fonts"].items()}

        class OnlyOurs(URLFetcher):
            """Answers for exactly our font files and the pictures that came with the document.  All else stops
            the document: no page of ours asks for it, so a request means that data got where only text may be."""

            pictures: dict[str, bytes] = {}

            def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
                if url in self.pictures:
                    return URLFetcherResponse(url, self.pictures[url])
                if url not in files:
                    raise ValueError("not allowed")
                return URLFetcherResponse(url, files[url].read_bytes())

        class Page(ElementWrapper):
            def query_all(self, *names: str) -> Iterator[Any]:
                """Elements of these names.  WeasyPrint asks for no other selectors, and twice for each document."""
                return (SimpleNamespace(etree_element=element) for element in self.etree_element.iter() if element.tag in names)

        class Document(weasyprint.HTML):
            """Styled by doc.css alone and read as XML, which the templates are (inner parts of WeasyPrint; if
            they go, pages are only slower).  What XML has no place for, a control character in a name, say, is read as HTML."""

            def __init__(self, page: str, fetcher: URLFetcher):
                try:
                    tree = ElementTree.fromstring(page)
                except ElementTree.ParseError:
                    super().__init__(string=page, url_fetcher=fetcher)
                    return
                self.base_url, self.url_fetcher, self.media_type = None, fetcher, "print"
                self.wrapper_element = Page.from_html_root(tree, content_language=None)
                self.etree_element = tree

            def _ua_stylesheets(self, forms: bool = False) -> list[Any]:
                return []

        self.document, self.attachment = Document, weasyprint.Attachment
        self.fetcher = OnlyOurs(allowed_protocols=(), allow_redirects=False, fail_on_errors=True)
        self.font_config = FontConfiguration()
        self.environment = pages.environment(Path(setup["templates"]))
        css = font_faces(setup["fonts"], setup["behind"]) + Path(setup["css"]).read_text("utf-8")
        self.css = weasyprint.CSS(string=css, url_fetcher=self.fetcher, font_config=self.font_config)
        quicker.keep_matches(self.css.matcher, css)

    def render_pdf(self, template: str, context: dict[str, Any]) -> bytes:
        """The PDF of one document; the same bytes for the same input, in any process, on any day."""
        page = pages.render_page(self.environment, template, context)
        self.fetcher.pictures = {url: base64.b64decode(data) for url, data in context.get("pictures", {}).items()}
        html = self.document(page.html, self.fetcher)
        midnight = datetime.fromisoformat(page.on).replace(tzinfo=timezone(timedelta(hours=8)))
        midnight = midnight.astimezone(timezone.utc)
        attachments = [
            self.attachment(  # read once by WeasyPrint, so made for each document
                string=text, name=name, description=page.title, url_fetcher=self.fetcher,
                created=midnight, modified=midnight, relationship="Data",
            )
            for name, text in page.attachments
        ]
        return html.write_pdf(
            stylesheets=[self.css], font_config=self.font_config, attachments=attachments, finisher=embedding.write_bare, **PDF_OPTIONS
        )


def font_faces(files: dict[str, str], behind: dict[str, list[str]]) -> str:
    """The @font-face rules and, for the style sheet, a variable with the family list of each role.

    Roles that share a file share a family too, or the file would be embedded once for each.
    """
    families, faces, lists = {}, [], []
    for role, file in files.items():
        if file not in families:
            families[file] = role
            weight = 700 if role == "MC-XBS" else 400
            faces.append(f"@font-face {{ font-family: {role}; font-weight: {weight}; src: url({FONT_SCHEME}{role}) }}\n")
        others = ", ".join(f'"{name}"' for name in behind[role])
        lists.append(f"--{role.lower()}: {families[file]}, {others}; ")
    return f"{''.join(faces)}:root {{ {''.join(lists)}}}\n"


def serve(requests: int, answers: int) -> None:
    """Answer requests until the printer hangs up."""
    setup = json.loads(read_frame(requests))
    limit_process(setup["memory_bytes"])
    try:
        setting = Setting(setup)
    except Exception as error:
        send_frame(answers, b"-" + f"{type(error).__name__}：{error}".encode()[:2000])
        return
    # What was made so far stays; looking through it and through each half-made page at every 700th
    # object took a fifteenth of the time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    send_frame(answers, b"+")
    while True:
        job = json.loads(read_frame(requests))
        limit_cpu(setup["seconds"])
        try:
            answer = b"+" + setting.render_pdf(job["template"], job["context"])
        except MemoryError:
            answer = "-超出内存上限".encode()
        except BaseException as error:  # also WeasyPrint's FatalURLFetchingError
            answer = b"-" + f"{type(error).__name__}：{error}".encode()[:2000]
        send_frame(answers, answer)


def main() -> None:
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not get between the frames
    with contextlib.suppress(Gone):
        serve(0, answers)
