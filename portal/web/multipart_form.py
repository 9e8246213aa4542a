"""A posted form with one file in it: read strictly, in a thread, with a limit on everything."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from multipart import MultipartError, MultipartParser, parse_options_header

from portal.domain.errors import BadInput
from portal.web.inputs import Pairs

__all__ = ["MOST_UPLOAD", "Given", "Shape", "parse_files", "parse_upload"]

#: bytes of a file; the form around it takes a little more
MOST_UPLOAD = 20 << 20
MOST_FORM = MOST_UPLOAD + (64 << 10)
_PARTS = 12  # fields of the form
_FIELD = 4_096  # bytes of one of them


@dataclass(frozen=True, slots=True)
class Given:
    """A file somebody chose. `name` is only ever shown, never used as a path."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Shape:
    """What a form with files may be: how many parts, how long one of its fields, how many bytes of files together."""

    parts: int = _PARTS
    field: int = _FIELD
    bytes: int = MOST_UPLOAD


def parse_upload(content_type: str, body: bytes, field: str) -> tuple[Pairs, Given | None]:
    """(pairs, the file of `field` or None); BadInput for anything that is not such a form."""
    pairs, files = parse_files(content_type, body, lambda name: name == field, Shape())
    if len(files) > 1:
        raise BadInput("一次只能上传一个文件。")
    return pairs, files[0][1] if files else None


def parse_files(content_type: str, body: bytes, is_file: Callable[[str], bool], shape: Shape) -> tuple[Pairs, list[tuple[str, Given]]]:
    """(pairs, [(field, file)]), a field without a chosen file giving an empty one; BadInput for anything that is not such a form."""
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise BadInput("提交的内容不是带文件的表单。请回到页面，用页面上的按钮提交。")
    pairs: list[tuple[str, str]] = []
    files: list[tuple[str, Given]] = []
    most = shape.bytes + (64 << 10) + shape.parts * 200
    try:
        parser = MultipartParser(
            io.BytesIO(body), options["boundary"], len(body), strict=True, part_limit=shape.parts, partsize_limit=most, spool_limit=most, memory_limit=most * 2,
        )  # fmt: skip
        for part in parser:
            if part.filename is None:
                if part.size > shape.field:
                    raise BadInput(f"“{part.name[:40]}”太长，没有接收。请缩短后重新提交。")
                pairs.append((part.name, part.value))
            elif not is_file(part.name):
                raise BadInput("一次只能上传一个文件。")
            else:
                files.append((part.name, Given(_shown(part.filename), part.raw)))
    except (MultipartError, UnicodeDecodeError):
        raise BadInput("上传的表单不完整，可能没有传完。请重新上传。") from None
    return pairs, files


def _shown(name: str) -> str:
    """The last part of a file's name, without anything that hides or reorders text."""
    last = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    plain = "".join(letter for letter in last if letter.isprintable() and unicodedata.category(letter) != "Cf").strip()
    return plain[-100:] or "未命名文件"
