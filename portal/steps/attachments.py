"""Photos, files and signatures: kept with the draft they belong to, shown to those who may read the record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain import attachments as domain
from portal.domain.errors import BadInput, NotFound
from portal.domain.model import Form
from portal.prints import photos
from portal.steps.acting import Acting
from portal.steps.forms import save_record
from portal.steps.joined_forms import forms_of, load_shared_uploads
from portal.store import attachments as store
from portal.store import visits
from portal.store.engine import transaction

__all__ = ["Kept", "attach", "load_attachment", "read_file"]

_READERS: Mapping[str, Callable[[bytes, str], photos.Picture]] = {"photo": photos.read_photo, "signature": photos.read_signature}


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it will be kept. `point`: the answer it belongs to, as the page calls it (`photos`, `machines.0.photo`)."""

    code: str
    point: str
    kind: str
    name: str
    media: str
    original: str
    taken: str
    data: bytes


def read_file(visit_code: str, form: Form, point: str, name: str, data: bytes) -> Kept:
    """Look at a file that came for a point.  Blocks: call it in a thread.  BadInput where it is not fit to be kept there."""
    field = domain.point_of(form, point)
    if len(data) > domain.MOST_FILE:
        raise BadInput(f"“{name}”有 {len(data) / 1048576:.1f} MB，一个文件最多 {domain.MOST_FILE >> 20} MB。请压缩或重新拍摄后上传。")
    code = domain.number_of(visit_code, form.code, point, data)
    taken = ""
    if reader := _READERS.get(field.type):
        picture = reader(data, name)
        kept, media, taken = picture.data, picture.media, picture.taken
    else:
        kept, media = data, domain.file_media(data, name)
    return Kept(code, point, field.type, name, media, hashlib.sha256(data).hexdigest(), taken, kept)


async def attach(act: Acting, visit_code: str, form: Form, files: Sequence[Kept], **draft: Any) -> int:
    """Keep the files and save the draft that names them, both or neither; the record's id.  `draft`: see forms.save_record."""
    act.require("record.enter")
    async with transaction():
        visit = await visits.lock_visit(visit_code, act.tree)
        owner = next((one["owner"] for one in await forms_of(visit) if one["form"].code == form.code), visit["organisation"])
        for one in files:
            await store.save_attachment(
                code=one.code, visit=visit["id"], organisation=owner, form_code=form.code, point=one.point, kind=one.kind, name=one.name,
                media=one.media, original=one.original, taken=one.taken, size=len(one.data), data=one.data, saved_by=act.account, saved_at=act.now,
            )  # fmt: skip
        record = await save_record(act, visit_code, form.code, submit=False, **draft)
        for one in files:
            await act.audit("record.attach", f"{visit_code}/{form.code}", after=one.original, point=one.point, kind=one.kind)
        return record


async def load_attachment(act: Acting, code: str) -> dict[str, Any]:
    """One attachment with its bytes, for those who may read the record it belongs to; a shared one, for all who have a part in its visit."""
    act.require("record.read")
    try:
        return await store.load_attachment(code, act.tree)
    except NotFound:
        if not await _is_shared(act, code):
            raise
    return await store.load_attachment(code, act.tree, shared=True)


async def _is_shared(act: Acting, code: str) -> bool:
    made_on = await visits.load_visits_by_id([await store.load_visit_of(code) or -1])
    return any([await visits.is_seen(visit, act.tree) and code in await load_shared_uploads(visit) for visit in made_on.values()])
