"""Style sheets and scripts: a fixed few files, read once, addressed by their content.

tokens.css and base.css are the public site's own copies: one look, one truth.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from litestar import get
from litestar.params import FromPath
from litestar.response import Response

from portal.domain.errors import NotFound
from portal.texts.catalogue import Catalogue
from portal.texts.sources import in_scripts
from portal.web.access import PUBLIC

_OURS = Path(__file__).resolve().parent / "static"
_LOOK = Path(__file__).resolve().parents[2] / "public_site" / "static"
FILES = {
    "tokens.css": (_LOOK, "text/css"),
    "base.css": (_LOOK, "text/css"),
    "portal.css": (_OURS, "text/css"),
    "htmx.min.js": (_OURS, "text/javascript"),
    "portal.js": (_OURS, "text/javascript"),
    "rules.js": (_OURS, "text/javascript"),
    "fill.js": (_OURS, "text/javascript"),
    "attach.js": (_OURS, "text/javascript"),
    "keep.js": (_OURS, "text/javascript"),
    "icon.svg": (_LOOK, "image/svg+xml"),
}
#: npm htmx.org 2.0.11, dist/htmx.min.js (Zero-Clause BSD); a test compares
HTMX_SHA256 = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"


@cache
def _read(name: str) -> tuple[bytes, str]:
    data = (FILES[name][0] / name).read_bytes()
    return data, hashlib.sha256(data).hexdigest()[:12]


def address_of(name: str) -> str:
    """Where a page finds the file: the address changes with the content, so it may be kept for ever."""
    return f"/static/{_read(name)[1]}/{name}"


def texts_of(catalogue: Catalogue) -> str:
    """JSON: what the scripts say -> how the catalogue has it (portal.js reads it from the page's head)."""
    return json.dumps({one.msgid: catalogue.say(one.msgid) for one in in_scripts()}, ensure_ascii=False)


@get("/static/{digest:str}/{name:str}", opt={"access": PUBLIC}, sync_to_thread=False)
def static_file(digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    if name not in FILES or digest != _read(name)[1]:
        raise NotFound("没有这个文件，请刷新页面。")
    return Response(
        _read(name)[0], media_type=FILES[name][1], headers={"Cache-Control": "public, max-age=31536000, immutable"}
    )
