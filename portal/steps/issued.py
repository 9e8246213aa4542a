"""Numbered documents are issued, listed, printed again and voided.

A number is given in the transaction that keeps what the document says; printing comes later, from what was kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from portal.domain.documents import KINDS, document_number
from portal.domain.errors import BadInput, NotAllowed, NotFound, Problem, Refused, WrongMoment
from portal.domain.packing import pack
from portal.steps import papers
from portal.steps.acting import Acting
from portal.steps.documents import load_pictures
from portal.store import accounts, records, visits
from portal.store import documents as store
from portal.store.engine import transaction
from portal.store.locks import hold

__all__ = ["issue_document", "load_document_file", "load_visit_documents", "void_document"]

LONGEST = 200  # characters of why one is voided


async def issue_document(act: Acting, kind: str, subject: str, *, demo: bool = False) -> dict[str, Any]:
    """Give a document its number, once: {"id", "number", "again"}; asking again gives the one in force.

    `subject`: a visit's code (notice, result), a record's id (record), a follow-up's id (order). Raises WrongMoment, in words,
    while there is nothing to be said yet.
    """
    act.require("documents.issue")
    if kind not in KINDS:
        raise BadInput(f"没有“{kind[:20]}”这种文书，可以是：{'、'.join(f'{code}（{one.title}）' for code, one in KINDS.items())}。")
    if kind in ("record", "order") and not (subject.isascii() and subject.isdigit() and len(subject) <= 12):
        raise BadInput(f"{KINDS[kind].title}要写明{'记录' if kind == 'record' else '后续处置'}的编号，是一个整数，写的是“{subject[:40]}”。")
    visit, record, follow_up = await _about(act, kind, subject)
    bureau = await _issuer(act, kind, visit)
    async with transaction():
        await hold("bureau", bureau["id"])  # the next number is one person's at a time
        await visits.lock_visit(visit["code"], act.tree)
        if known := await store.load_live(bureau["id"], kind, subject):
            return {"id": known["id"], "number": known["number"], "again": True}
        visit, record, follow_up = await _about(act, kind, subject)
        paper = await _paper(act, kind, visit, record, follow_up)
        office = await papers.load_office(act, bureau)
        n = await store.next_number(bureau["id"], kind, act.today.year)
        number = document_number(office["word"], kind, act.today.year, n)
        if owner := await store.load_owner(number):
            raise WrongMoment(f"文号 {number} 已由{owner}使用。请在本单位的辖区规则里写明自己的发文机关代字（documents.word）。")
        data = {
            "paper": {**paper, "number": number},
            "about": {"bureau": {"name": bureau["name"]}, "demo": demo, "as_of": act.today.isoformat(), "base_url": office["site"], **office},
        }
        digest = hashlib.sha256(pack(data).encode()).hexdigest()
        made = await store.save_document(
            {
                "organisation": bureau["id"], "kind": kind, "number": number, "year": act.today.year, "n": n, "visit": visit["id"],
                "record": record["id"] if record else None, "follow_up": follow_up["id"] if follow_up else None, "subject": subject,
                "digest": digest, "issued_by": act.account, "issued_at": act.now,
            },
            data,
        )  # fmt: skip
        await act.audit("documents.issue", number, after=digest, kind=kind, visit=visit["code"], subject=subject)
    return {"id": made, "number": number, "again": False}


async def _about(act: Acting, kind: str, subject: str) -> tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any] | None]:
    """(visit, record, follow-up) in reach; NotFound for what is not."""
    if kind in ("notice", "result"):
        return await visits.load_visit(subject, act.tree), None, None
    follow_up = await records.load_follow_up(int(subject), act.tree) if kind == "order" else None
    record = await records.load_record(follow_up["record"] if follow_up else int(subject), act.tree)
    code = (await visits.load_visits_by_id([record["visit"]]))[record["visit"]]["code"]
    return await visits.load_visit(code, act.tree), record, follow_up


async def _issuer(act: Acting, kind: str, visit: Mapping[str, Any]) -> dict[str, Any]:
    """The bureau whose document it is: the notice is that of the visit's own, everything else of whoever acts."""
    every = await accounts.load_organisations()
    leaf = visit["organisation"] if kind == "notice" else act.organisation["id"]
    if kind == "notice" and leaf not in act.tree:
        raise NotAllowed("检查通知书一次入企一份，由安排入企的单位制作。")
    return next(one for one in every if one["id"] == accounts.bureaus_of(every, leaf)[0])


async def _paper(
    act: Acting, kind: str, visit: Mapping[str, Any], record: Mapping[str, Any] | None, follow_up: Mapping[str, Any] | None
) -> dict[str, Any]:
    if kind == "notice":
        return await papers.notice_paper(act, visit)
    if kind == "result":
        return await papers.result_paper(act, visit)
    assert record is not None
    if kind == "record":
        return await papers.record_paper(act, record)
    assert follow_up is not None
    return await papers.order_paper(act, follow_up, record, visit)


async def void_document(act: Acting, document: int, reason: str) -> None:
    """A document is no longer in force, with the reason; its number stays used. By somebody other than who issued it."""
    act.require("documents.void")
    reason = reason.strip()
    if not reason or len(reason) > LONGEST:
        raise BadInput("文书没有作废，请按提示修改。", [Problem("reason", f"请写明作废的原因，最多 {LONGEST} 个字。")])
    async with transaction():
        row = await store.load_document(document, act.line)
        visit = (await visits.load_visits_by_id([row["visit"]]))[row["visit"]]
        await visits.lock_visit(visit["code"], act.tree)
        if row["issued_by"] == act.account:
            raise NotAllowed(f"文书 {row['number']} 由您制作，作废要由另一个人办理。")
        if not await store.save_voided(document, reason, act.account, act.now):
            raise WrongMoment(f"文书 {row['number']} 已经作废。")
        await act.audit("documents.void", row["number"], reason=reason)


async def load_document_file(act: Acting, document: int) -> tuple[str, str, dict[str, Any]]:
    """(file name, template, context) of a document as it was issued: printed with the same program the same bytes."""
    act.require("visits.read")
    row = await store.load_document(document, act.line)
    visit = (await visits.load_visits_by_id([row["visit"]]))[row["visit"]]
    if not await visits.is_seen(visit, act.tree) or (row["kind"] == "result" and _beside(act)):
        raise NotFound(f"没有编号为 {document} 的文书，或者不在您的辖区。")
    kind, data = KINDS[row["kind"]], row["data"]
    name = f"{kind.title} {data['paper']['entity_name']} {row['number']}{'（已作废）' if row['state'] == 'voided' else ''}.pdf"
    if row["record"]:
        act.require("record.read")
        await records.load_record(row["record"], act.tree)
    if row["kind"] != "record":
        return name, kind.template, data
    return name, kind.template, {"about": data["about"], "sheet": data["paper"], "pictures": await load_pictures(act, data["paper"])}


def _beside(act: Acting) -> bool:
    """Of another department: the notice is for everybody who goes, what the bureau found and told the company is not."""
    return act.organisation["kind"] == "partner"


async def load_visit_documents(act: Acting, visit_code: str) -> dict[str, Any]:
    """A visit's documents and what could be issued: {"visit", "entity_code", "rows", "open": [{"kind", "subject", "about", "why"}]}.

    `why`: the sentence that says why not yet; empty where it can be.
    """
    act.require("visits.read")
    visit = await visits.load_visit(visit_code, act.tree)
    rows = await store.load_documents_of(visit["id"], act.line)
    own = [row for row in await records.load_records_of([visit["id"]]) if row["organisation"] in act.tree]
    rows = [row for row in rows if (not _beside(act) if row["kind"] == "result" else row["record"] is None or row["record"] in {one["id"] for one in own})]
    wanted: list[dict[str, Any]] = [{"kind": "notice", "subject": visit_code, "about": ""}]
    wanted += [{"kind": "record", "subject": str(row["id"]), "about": row["form_code"]} for row in own]
    wanted += [{"kind": "result", "subject": visit_code, "about": ""}]
    follow_ups = await records.load_follow_ups([row["id"] for row in own])
    wanted += [{"kind": "order", "subject": str(row["id"]), "about": row["note"]} for several in follow_ups.values() for row in several if row["kind"] == "rectify"]
    standing = {(row["kind"], row["subject"]) for row in rows if row["state"] == "issued"}
    found = []
    for one in wanted:
        if (one["kind"], one["subject"]) not in standing:
            try:
                await _issuer(act, one["kind"], visit)
                await _paper(act, one["kind"], *await _about(act, one["kind"], one["subject"]))
                found.append({**one, "why": ""})
            except Refused as refused:
                found.append({**one, "why": refused.message})
    return {"visit": visit, "rows": rows, "open": found, "silent": (await papers.announced_tasks(visit))[1] if visit["state"] == "open" else []}
