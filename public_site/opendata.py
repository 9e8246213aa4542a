"""Open data beside the tables: schemas, code lists, a dataset description, the feed, site maps."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from markupsafe import escape  # xml.sax would bring half of a browser with it

from portal.domain.model import OUTCOMES
from public_site.bundle import Bundle, plain_json
from public_site.data import COLUMNS, FOLLOW_UP, TITLES
from public_site.pages import announcements
from public_site.wording import DRAWN_BY, EXTERNAL, KINDS, LABELS, LOG_KINDS, PLAN_STATES

Schema = dict[str, Any]

FEED = 100  # entries, the newest
MAP_LIMIT = 50_000  # addresses a site map (sitemaps.org)
#: A list that changes gets a new version: whoever keeps codes needs to know (test_opendata.py holds the digest).
CODES_VERSION = "2026-11"

TEXT: Schema = {"type": "string"}
DAY: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}
INSTANT: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+]08:00$"}
HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
COUNT: Schema = {"type": "integer", "minimum": 0}
BOOL: Schema = {"type": "boolean"}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _row(properties: Mapping[str, Schema], optional: Iterable[str] = ()) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": sorted(set(properties) - set(optional))}


def _one_of(codes: Iterable[str]) -> Schema:
    return {"enum": list(codes)}


_PROOF = _row({"index": COUNT, "hash": HASH, "at": INSTANT, "size": COUNT, "root": HASH})
_NAMED = _list(_row({"code": TEXT, "name": TEXT}))
#: file -> the schema of one line
LINES: dict[str, Schema] = {
    "items": _row({
        "code": TEXT, "version": TEXT, "sector": TEXT, "sector_name": TEXT, "category": TEXT, "name": TEXT, "kind": _one_of(KINDS), "objects": TEXT,
        "methods": _list(TEXT), "inspected_by": TEXT, "points": _list(TEXT), "basis": _list(_row({"law": TEXT, "article": TEXT})), "qualification": TEXT,
        "valid_from": DAY, "valid_to": _or_null(DAY), "published_on": DAY, "proof": _PROOF,
    }),
    "plans": _row({
        "year": COUNT, "version": {}, "title": TEXT, "number": TEXT, "published_on": DAY, "base_note": TEXT, "notes": _list(TEXT), "proof": _PROOF,
        "rows": _list(_row({"number": {}, "category": TEXT, "item": TEXT, "objects": TEXT, "drawn_by": _one_of(DRAWN_BY), "state": _one_of(PLAN_STATES), "task": _or_null(TEXT)})),
    }),
    "rounds": _row({
        "code": TEXT, "title": TEXT, "disclosure": _one_of(("open", "sealed")), "label": _one_of(LABELS), "state": _one_of(("committed", "drawn", "revealed", "void")),
        "number": TEXT, "window": _list(DAY), "digest": HASH, "committed_at": INSTANT, "drawn_at": _or_null(INSTANT), "result_commit": _or_null(HASH), "overdue": BOOL,
        "sources": _list(_row({"name": TEXT, "bits": COUNT, "drawn_at": INSTANT, "value": _or_null(TEXT)})), "holders": _list(_row({"name": TEXT, "commit": HASH})),
        "secrets": _or_null(_list(TEXT)), "tasks": _list(_row({"code": TEXT, "name": TEXT, "department": TEXT, "items": _NAMED, "riders": _NAMED, "pool_size": COUNT})),
        "visits": _or_null(COUNT), "avoided": _or_null(COUNT), "list": _or_null(_NAMED), "files": _list(TEXT), "log": _list(_row({"kind": _one_of(LOG_KINDS), "index": COUNT, "at": INSTANT, "hash": HASH})),
    }),
    "external": _row({
        "code": TEXT, "title": TEXT, "label": _one_of(EXTERNAL), "platform": TEXT, "drawn_on": DAY, "window": _list(DAY), "digest": HASH, "taken_at": INSTANT,
        "task": _row({"code": TEXT, "name": TEXT, "department": TEXT, "items": _NAMED}), "size": COUNT, "taken": COUNT, "list": _or_null(_NAMED), "proof": _or_null(_PROOF),
    }),
    "results": _row({
        "visit": TEXT, "entity": TEXT, "name": TEXT, "aliases": _list(TEXT), "type": TEXT, "status": TEXT, "town": TEXT, "round": TEXT, "round_title": TEXT,
        "label": _one_of((*LABELS, *EXTERNAL)), "inspected_on": DAY, "methods": _list(TEXT), "authority": TEXT, "inspectors": COUNT, "published_on": DAY,
        "items": _list(_row({
            "code": TEXT, "name": TEXT, "outcome": TEXT, "outcome_label": TEXT, "problem": BOOL, "summary": TEXT, "points": _list(_row({"label": TEXT, "answer": TEXT})),
            "follow_up": _row({"kind": TEXT, "label": TEXT, "state": _one_of(FOLLOW_UP), "closed_on": _or_null(DAY)}),
        })),
        "history": _list(_row({"on": DAY, "text": TEXT, "old": TEXT, "new": TEXT}, ("old", "new"))), "proof": _PROOF,
    }, ("aliases",)),
}  # fmt: skip


def schema_of(name: str) -> Schema:
    """The JSON Schema (2020-12) of one line of a file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"{name}.schema.json", "title": f"{TITLES[name]}：{name}.jsonl 的一行", **LINES[name]}


def code_lists() -> dict[str, Any]:
    """Every list of codes that the data uses, with what each code reads as."""
    lists: dict[str, Mapping[str, str]] = {
        "outcome": {code: one.label for code, one in OUTCOMES.items()}, "follow_up_state": FOLLOW_UP, "item_kind": KINDS, "drawn_by": DRAWN_BY,
        "plan_row_state": PLAN_STATES, "log_kind": LOG_KINDS, "label": {label: note for label, (_, note) in (LABELS | EXTERNAL).items()},
    }  # fmt: skip
    return {"version": CODES_VERSION, "lists": {name: [{"code": code, "label": label} for code, label in codes.items()] for name, codes in lists.items()}}


def problems_of(value: Any, schema: Schema, place: str = "") -> Iterator[str]:
    """What of a value a schema does not allow, in words; of JSON Schema what LINES uses."""
    where = place or "这一行"
    if "anyOf" in schema:
        found = [list(problems_of(value, one, place)) for one in schema["anyOf"]]
        if all(found):
            yield from found[0]
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"“{where}”是“{value}”，不在允许的代码里"
    kind = schema.get("type")
    if kind and not _is(value, kind):
        yield f"“{where}”应为 {kind}，写的是“{str(value)[:40]}”"
        return
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"“{where}”的写法不对：“{value[:40]}”"
    if value_below(value, schema):
        yield f"“{where}”不能小于 {schema['minimum']}"
    for name in schema.get("required", ()):
        if name not in value:
            yield f"“{where}”缺少“{name}”"
    for name, one in schema.get("properties", {}).items():
        if name in value:
            yield from problems_of(value[name], one, f"{place}.{name}".lstrip("."))
    for n, one in enumerate(value if "items" in schema else ()):
        yield from problems_of(one, schema["items"], f"{place}[{n}]")


def value_below(value: Any, schema: Schema) -> bool:
    return "minimum" in schema and value < schema["minimum"]


def _is(value: Any, kind: str) -> bool:
    types: dict[str, Any] = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None)}
    return isinstance(value, types[kind]) and not (kind == "integer" and isinstance(value, bool))


# Files ---------------------------------------------------------------------------------------


def open_files(bundle: Bundle, pages: Iterable[str], address: str) -> Iterator[tuple[str, bytes]]:
    """Schemas, code lists, the dataset, the feed, and (only where the site's address is known) site maps."""
    for name in LINES:
        yield f"data/schema/{name}.schema.json", plain_json(schema_of(name))
    yield "data/codes.json", plain_json(code_lists())
    yield "data/dataset.json", plain_json(dataset(bundle, address))
    yield "feed.xml", feed(bundle, address)
    maps = list(site_maps(pages, address)) if address else []
    yield from maps
    yield "robots.txt", ("User-agent: *\nAllow: /\n" + (f"Sitemap: {address}sitemap.xml\n" if maps else "")).encode()


def dataset(bundle: Bundle, address: str) -> dict[str, Any]:
    """schema.org Dataset (JSON-LD)."""
    about = bundle.about
    bureau = {"@type": "GovernmentOrganization", "name": about["bureau"]["name"]}
    terms = {"@type": "CreativeWork", "name": "可以自由使用，请注明来源", **({"url": f"{address}data/index.html#files"} if address else {})}  # the words of that page
    parts = [(name, end, kind) for name in COLUMNS for end, kind in (("csv", "text/csv"), ("jsonl", "application/jsonl"))]
    return {
        "@context": "https://schema.org/", "@type": "Dataset", "name": f"{about['bureau']['name']}双随机抽查公开数据",
        "description": f"{about['bureau']['name']}“双随机、一公开”抽查的事项清单、计划、任务和结果，截至 {about['as_of'][:10]}。", "inLanguage": "zh-CN", "isAccessibleForFree": True,
        "dateModified": about["as_of"][:10], "spatialCoverage": {"@type": "Place", "name": about["bureau"]["region"]}, "creator": bureau, "publisher": bureau, "license": terms,
        "identifier": f"urn:uuid:{_uuid(bundle, 'dataset')}", "keywords": ["双随机、一公开", "抽查结果", "市场监管"], **({"url": f"{address}data/index.html"} if address else {}),
        "distribution": [{"@type": "DataDownload", "name": f"{TITLES[name]} {end}", "encodingFormat": kind, "contentUrl": f"{address}data/{name}.{end}" if address else f"{name}.{end}"} for name, end, kind in parts],
        "variableMeasured": [{"@type": "PropertyValue", "name": column, "description": note} for column, note in COLUMNS["results"]],
    }  # fmt: skip


def _uuid(bundle: Bundle, name: str) -> uuid.UUID:
    """The same for ever, wherever the site lies: from the log's name."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{bundle.about['log']['origin']}/{name}")


def feed(bundle: Bundle, address: str) -> bytes:
    """The newest announcements as an Atom feed (RFC 4287)."""
    rows = announcements(bundle)[:FEED]
    entries, seen = [], set()
    for row in rows:
        name = f"{row['path']} {row['on']} {row['title']}"
        if name in seen:
            continue
        seen.add(name)
        entries.append(
            f"<entry><id>urn:uuid:{_uuid(bundle, name)}</id><title>{escape(row['title'])}</title><updated>{row['on'][:10]}T00:00:00+08:00</updated>"
            f'<link rel="alternate" href="{escape(address + row["path"])}"/></entry>\n'
        )
    name, day = escape(bundle.about["bureau"]["name"]), rows[0]["on"][:10] if rows else bundle.about["as_of"][:10]
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-CN">\n'
        f"<id>urn:uuid:{_uuid(bundle, 'feed')}</id><title>{name}双随机抽查公告</title><updated>{day}T00:00:00+08:00</updated><author><name>{name}</name></author>\n"
        f'<link rel="self" href="{escape(address)}feed.xml"/><link rel="alternate" href="{escape(address)}index.html"/>\n{"".join(entries)}</feed>\n'
    ).encode()


def site_maps(pages: Iterable[str], address: str) -> Iterator[tuple[str, bytes]]:
    """Every page's address, at most 50,000 a file, and the list of these files."""
    every = sorted(pages)
    starts = range(0, len(every), MAP_LIMIT)
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    for n, start in enumerate(starts, 1):
        rows = "".join(f"<url><loc>{escape(address + page)}</loc></url>\n" for page in every[start : start + MAP_LIMIT])
        yield f"sitemaps/{n}.xml", f'<?xml version="1.0" encoding="utf-8"?>\n<urlset {space}>\n{rows}</urlset>\n'.encode()
    rows = "".join(f"<sitemap><loc>{address}sitemaps/{n}.xml</loc></sitemap>\n" for n in range(1, len(starts) + 1))
    yield "sitemap.xml", f'<?xml version="1.0" encoding="utf-8"?>\n<sitemapindex {space}>\n{rows}</sitemapindex>\n'.encode()
