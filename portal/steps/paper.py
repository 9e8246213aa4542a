"""纸质补录: a record that was made on paper is entered at a desk, with its scan; the day is the paper's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from portal.domain import attachments as domain
from portal.domain.errors import BadInput, NotAllowed, Problem, WrongMoment
from portal.steps.acting import Acting
from portal.steps.forms import EDITABLE
from portal.steps.joined_forms import enters, forms_of
from portal.store import attachments as store
from portal.store import records, visits
from portal.store.engine import transaction

__all__ = ["Scan", "attach_paper", "read_scan"]

_SCANS = ("application/pdf", "image/jpeg", "image/png")
POINT = "paper"  # no field of a form: a scan belongs to the whole of it


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan as it will be kept."""

    code: str
    name: str
    media: str
    data: bytes


def read_scan(visit_code: str, form_code: str, name: str, data: bytes) -> Scan:
    """BadInput where it is too large, or neither a picture nor a PDF by its content."""
    if len(data) > domain.MOST_FILE:
        message = f"“{name}”有 {len(data) / 1048576:.1f} MB，一个文件最多 {domain.MOST_FILE >> 20} MB。请压缩后上传。"
        raise BadInput(message, [Problem("paper_scan", message)])
    media = domain.file_media(data, name)
    if media not in _SCANS:
        raise BadInput("扫描件应是照片或 PDF。", [Problem("paper_scan", f"“{name}”不是照片或 PDF，请重新选择。")])
    return Scan(domain.number_of(visit_code, form_code, POINT, data), name, media, data)


async def attach_paper(act: Acting, visit_code: str, form_code: str, on: date, scan: Scan) -> None:
    """Keep a scan of the paper record of one form; `on`: the day of the check as the paper says, not after today.

    Only by an inspector of the visit, before the record is submitted. All pages are of one day: the first one's stands.
    """
    act.require("record.enter")
    async with transaction():
        visit = await visits.lock_visit(visit_code, act.tree)
        assigned = (await visits.load_assigned([visit["id"]])).get(visit["id"], [])
        if act.inspector is None or act.inspector["id"] not in assigned:
            raise NotAllowed("您不是这次入企的执法人员，不能补录。")
        if visit["state"] == "closed":
            raise WrongMoment(f"入企检查 {visit_code} 不再进行，不能补录。")
        joined = next((one for one in await forms_of(visit) if one["form"].code == form_code), None)
        if joined is None or joined["owner"] not in act.tree or not enters(act.inspector, joined):
            raise NotAllowed("这次入企没有由您填写的这张表。")
        known = next((one for one in await records.load_records_of([visit["id"]]) if one["form_code"] == form_code), None)
        if known and known["state"] not in EDITABLE:
            raise WrongMoment("这份记录已经提交审核，不能再附扫描件。审核退回后可以附。")
        there = (await store.load_paper_copies(visit["id"])).get(form_code, [])
        if any(one["code"] == scan.code and one["inspected_on"] == on for one in there):
            return  # this very page is there
        if on > act.today:
            raise BadInput("扫描件没有保存，请按提示修改。", [Problem("paper_on", f"检查日期 {on} 在今天之后。")])
        if there and there[0]["inspected_on"] != on:
            raise BadInput("扫描件没有保存，请按提示修改。", [Problem("paper_on", f"这份纸质记录已登记为 {there[0]['inspected_on']} 检查，各页应是同一天。")])
        await store.save_attachment(
            code=scan.code, visit=visit["id"], organisation=joined["owner"], form_code=form_code, point=POINT, kind="file", name=scan.name, media=scan.media,
            original=hashlib.sha256(scan.data).hexdigest(), taken="", size=len(scan.data), data=scan.data, saved_by=act.account, saved_at=act.now,
        )  # fmt: skip
        await store.save_paper_copy(visit["id"], form_code, scan.code, on, act.account, act.now)
        await act.audit("record.paper", f"{visit_code}/{form_code}", after=hashlib.sha256(scan.data).hexdigest(), on=on.isoformat())
