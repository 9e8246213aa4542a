"""What hangs on an answer: a photo, a file or a signature; its number, and which files are taken at all."""

from __future__ import annotations

import hashlib
import re

from portal.domain.errors import BadInput
from portal.domain.model import Field, Form

__all__ = ["ATTACHED", "MOST_FILE", "file_media", "is_uploaded", "number_of", "point_of"]

ATTACHED = ("photo", "file", "signature")
MOST_FILE = 15 << 20  # bytes of one
_NUMBER = re.compile(r"F[0-9a-f]{24}")
_POINT = re.compile(r"([a-z][a-z0-9_]*)(?:\.[0-9]{1,3}\.([a-z][a-z0-9_]*))?")
_BEGIN = ((b"%PDF-", "application/pdf"), (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))
_OFFICE = (
    (b"word/document.xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/workbook.xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
)


def number_of(visit: str, form: str, point: str, data: bytes) -> str:
    """The number of an upload: `F` and 24 hex digits of SHA-256.  The same bytes at the same point of a visit are one upload."""
    said = "\n".join((visit, form, point, hashlib.sha256(data).hexdigest()))
    return f"F{hashlib.sha256(said.encode()).hexdigest()[:24]}"


def is_uploaded(number: str) -> bool:
    """Whether it is the number of an upload; else it is that of an original somebody keeps on paper."""
    return _NUMBER.fullmatch(number) is not None


def point_of(form: Form, name: str) -> Field:
    """The photo, file or signature field a page calls `photos` or `machines.0.photo`.  BadInput where the form has none."""
    match = _POINT.fullmatch(name)
    field = next((one for one in form.fields() if match and one.name == match[1]), None)
    if match and match[2] and field is not None:
        field = next((one for one in field.fields if one.name == match[2]), None)
    if field is None or field.type not in ATTACHED:
        raise BadInput("表单里没有可以附照片或材料的这一项，请刷新页面后重试。")
    return field


def file_media(data: bytes, name: str) -> str:
    """The MIME type by content, never by name: PDF, JPEG, PNG, DOCX, XLSX.  BadInput for anything else."""
    for begin, media in _BEGIN:
        if data.startswith(begin):
            return media
    if data.startswith(b"PK\x03\x04"):
        for part, media in _OFFICE:
            if part in data:
                return media
    raise BadInput(f"“{name}”不是可以附上的材料。请上传 PDF、JPG、PNG、DOCX 或 XLSX 文件。")
