"""From a bundle to the contexts of its pages and PDFs. Nothing is rendered or written here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from public_site.bundle import Bundle, decode, last_change, plain_json, sha256, shard, slug
from public_site.data import COLUMNS, TITLES
from public_site.lines import visit_of
from public_site.round_results import Before, Table

Row = dict[str, Any]
Keep = Callable[[str, str], bool]
Quickly = Callable[[bytes, str], bytes | None]

NEWS = 8  # announcements on the home page
ROWS = 120  # results on a page of a round
MISSING, GONE = ABSENT = ("404.html", "410.html")  # what servers answer with, at any address: their links begin at the host's root (hosting.py)
BLOCK = 32  # entities read, then made, then written together: a quarter less than one by one, since what the processor holds of each task serves again
CHOICES = 100  # rounds offered by the verification form; older ones are reached from their own page


@dataclass(slots=True)  # not frozen: a hundred thousand are made
class Page:
    """One page to render. `long` names the list in `context` that goes on -2, -3, ... when it does not fit,
    `size` how many of its rows to try on one page (a `Table` says of each page what it is made from); `twin` is the JSON beside the HTML; `root` is what its links begin
    with where that is not the way up from `path`."""

    path: str
    template: str
    here: str
    as_of: str
    context: Row = field(default_factory=dict)
    long: str = ""
    size: int = 200
    twin: bytes | None = None
    source: str = ""
    root: str = ""
    content: bytes = b""  # where it is made already


# Addresses -------------------------------------------------------------------------------------


def item_path(row: Row) -> str:
    return f"items/{slug(row['code'])}@{slug(str(row['version']))}.html"


def plan_path(plan: Row, newest: Row) -> str:
    """The newest version of a year's plan has the year's address; older ones are kept beside it. Of a bureau below ours: with its code."""
    code, year = edition(plan)
    own = f"{slug(code)}-{year}" if code else f"{year}"
    return f"plans/{own}.html" if plan is newest else f"plans/{own}@{slug(str(plan['version']))}.html"


def plan_path_of(bundle: Bundle, plan: Row) -> str:
    return plan_path(plan, newest_plans(bundle)[edition(plan)])


def edition(plan: Row) -> tuple[str, int]:
    """What a plan is a version of: (code of the bureau, "" for the site's own, year)."""
    return plan.get("bureau", {}).get("code", ""), plan["year"]


def task_path(code: str) -> str:
    return f"tasks/{slug(code)}.html"


def list_path(code: str) -> str:
    return f"tasks/{slug(code)}-list.html"


def result_path(code: str) -> str:
    return f"results/{slug(code)}.html"


def entity_path(code: str) -> str:
    return f"entities/{shard(code)}/{slug(code)}.html"


def entity_json_path(code: str) -> str:
    return f"entities/{shard(code)}/{slug(code)}.json"


def sheet_path(visit: str) -> str:
    return f"sheets/{shard(visit)}/{slug(visit)}.pdf"


def page_path(row: Row) -> str:
    return f"pages/{slug(row['sector'])}/{slug(row['slug'])}.html"


#: What templates may call for an address, seen from the site's root.
ADDRESSES = {
    "item_path": item_path, "task_path": task_path, "list_path": list_path, "result_path": result_path, "entity_path": entity_path, "entity_json_path": entity_json_path,
    "sheet_path": sheet_path, "page_path": page_path,
}  # fmt: skip


# Pages -----------------------------------------------------------------------------------------


def site_pages(bundle: Bundle, facts: Row, style: str, keep: Keep, before: Before | None = None) -> Iterator[Page]:
    """Every page but those of entities; `facts` are the figures of verify.py that its page prints.

    `style` stands for all that pages are made from beside their data; `keep(path, source)` may say that the last
    release holds this very page, which then is not even parsed here; `before` is that release where rows of its pages may be taken over.
    """
    as_of = bundle.about["as_of"]
    rounds = sorted(bundle.rounds, key=lambda row: row["committed_at"], reverse=True)
    plans = newest_plans(bundle)
    news = announcements(bundle)
    external = sorted(bundle.external, key=lambda row: (row["drawn_on"], row["code"]), reverse=True)
    published = [row for row in (*rounds, *external) if row["code"] in bundle.by_round]
    late = [row for row in rounds if row["overdue"]]
    counts = {"items": len(bundle.items), "plans": len(bundle.plans), "rounds": len(bundle.rounds), "external": len(bundle.external), "entities": len(bundle.by_entity)}
    counts["results"] = len(bundle.index.sizes)
    yield Page("index.html", "home.html", "home", as_of, {"news": news[:NEWS], "late": late, "topics": bundle.pages, "counts": counts})
    yield Page("news.html", "news.html", "home", as_of, {"rows": news}, long="rows")
    yield from _item_pages(bundle)
    yield from _plan_pages(bundle, plans)
    yield Page("tasks/index.html", "tasks.html", "tasks", as_of, {"rows": rounds, "external": len(external)}, long="rows", size=100)
    for row in rounds:
        yield from _round_pages(bundle, row)
    if external:
        yield Page("tasks/external.html", "externals.html", "tasks", as_of, {"rows": external}, long="rows", size=100)
    for row in external:
        yield from _external_pages(bundle, row)
    yield Page("results/index.html", "results.html", "results", as_of, {"rows": [_published(bundle, row) for row in published]}, long="rows", size=100)
    for row in published:
        source = _source(style, plain_json(row), bundle.digests[row["code"]].encode())
        if not keep(result_path(row["code"]), source):
            yield _result_page(bundle, row, source, style, before)
    for row in bundle.pages:
        yield Page(page_path(row), "topic.html", "home", as_of, {"topic": row}, twin=plain_json(row))
    revealed = [row for row in rounds if row["state"] == "revealed" and row["disclosure"] == "open"]
    yield Page("verify/index.html", "verify.html", "verify", as_of, {"rounds": rounds[:CHOICES], "revealed": revealed, "facts": facts})
    yield Page("data/index.html", "data.html", "data", as_of, {"columns": COLUMNS, "titles": TITLES, "counts": counts})
    yield Page("about.html", "about.html", "about", as_of, {"facts": facts})
    yield Page("en.html", "en.html", "en", as_of, {"rounds": rounds[:NEWS], "counts": counts})
    for path in ABSENT:
        yield Page(path, "absent.html", "absent", as_of, {"gone": path == GONE}, root="/")


def _item_pages(bundle: Bundle) -> Iterator[Page]:
    versions: dict[str, list[Row]] = {}
    for row in bundle.items:
        versions.setdefault(row["code"], []).append(row)
    newest = [max(rows, key=lambda row: (row["valid_from"], row["published_on"], str(row["version"]))) for rows in versions.values()]
    newest.sort(key=lambda row: (row["sector_name"], row["category"], row["code"]))
    yield Page("items/index.html", "items.html", "items", bundle.about["as_of"], {"rows": newest}, long="rows", size=150)
    for row in bundle.items:
        others = [one for one in versions[row["code"]] if one is not row]
        yield Page(item_path(row), "item.html", "items", row["published_on"], {"item": row, "others": others}, twin=plain_json(row))


def newest_plans(bundle: Bundle) -> dict[tuple[str, int], Row]:
    """The newest version of each edition's plan."""
    found: dict[tuple[str, int], Row] = {}
    for plan in bundle.plans:
        if edition(plan) not in found or plan["version"] >= found[edition(plan)]["version"]:
            found[edition(plan)] = plan
    return found


def _plan_pages(bundle: Bundle, newest: dict[tuple[str, int], Row]) -> Iterator[Page]:
    plans = sorted(bundle.plans, key=lambda plan: (plan["year"], plan["version"]), reverse=True)
    rows = [{"plan": plan, "path": plan_path(plan, newest[edition(plan)]), "newest": plan is newest[edition(plan)]} for plan in plans]
    yield Page("plans/index.html", "plans.html", "plans", bundle.about["as_of"], {"rows": rows}, long="rows")
    tasks = {task["code"]: row["code"] for row in sorted(bundle.rounds, key=lambda row: row["committed_at"]) for task in row["tasks"]}
    for row in rows:
        plan = row["plan"]
        others = [one for one in rows if edition(one["plan"]) == edition(plan) and one is not row]
        context = {"plan": plan, "rows": plan["rows"], "others": others, "newest": row["newest"], "tasks": tasks}
        context["current"] = plan_path(newest[edition(plan)], newest[edition(plan)])
        yield Page(row["path"], "plan.html", "plans", plan["published_on"], context, long="rows", size=120, twin=plain_json(plan))


def _round_pages(bundle: Bundle, row: Row) -> Iterator[Page]:
    code, as_of = row["code"], bundle.about["as_of"]
    files = [(path, (bundle.folder / path).stat().st_size) for path in bundle.under(f"rounds/{code}/")]
    places = {entry["kind"]: entry for entry in row["log"]}
    context = {"round": row, "files": files, "places": places, "published": len(bundle.by_round.get(code, ()))}
    yield Page(task_path(code), "task.html", "tasks", as_of, context, twin=plain_json(row))
    if row["list"] is not None:
        names = {task["code"]: task["name"] for task in row["tasks"]}
        context = {"round": row, "rows": row["list"], "names": names, "known": bundle.by_entity}
        yield Page(list_path(code), "task_list.html", "tasks", as_of, context, long="rows", size=150)


def _external_pages(bundle: Bundle, row: Row) -> Iterator[Page]:
    code, as_of = row["code"], bundle.about["as_of"]
    context = {"round": row, "published": len(bundle.by_round.get(code, ()))}
    yield Page(task_path(code), "external.html", "tasks", as_of, context, twin=plain_json(row))
    if row["list"] is not None:
        context = {"round": row, "rows": row["list"], "names": {row["task"]["code"]: row["task"]["name"]}, "known": bundle.by_entity}
        yield Page(list_path(code), "task_list.html", "tasks", as_of, context, long="rows", size=150)


def _published(bundle: Bundle, row: Row) -> Row:
    code = row["code"]
    return {"round": row, "count": len(bundle.by_round[code]), "problems": bundle.totals[code]["problems"], "updated": bundle.updated[code]}


def _source(style: str, *parts: bytes) -> str:
    """What a page was made from, as the manifest keeps it."""
    return sha256(b"\n".join((style.encode(), *parts))).hexdigest()[:32]


def _result_page(bundle: Bundle, row: Row, source: str, style: str, before: Before | None) -> Page:
    code = row["code"]
    table = Table(bundle, bundle.by_round[code], b"%b\n%b" % (style.encode(), plain_json(row)), entity_path, before)
    context = {"round": row, "rows": table, "totals": bundle.totals[code]}
    return Page(result_path(code), "result.html", "results", bundle.updated[code], context, long="rows", size=ROWS, source=source)


def versions_of(bundle: Bundle) -> dict[str, list[Row]]:
    """The versions of each item."""
    versions: dict[str, list[Row]] = {}
    for item in bundle.items:
        versions.setdefault(item["code"], []).append(item)
    return versions


def entity_pages(bundle: Bundle, style: str, keep: Keep, only: Collection[str] | None = None, quick: Quickly | None = None) -> Iterator[Page]:
    """The page of every entity with a published result (of `only` these), by code; `style` and `keep` as in `site_pages`.

    `quick(line, path)` may make the page of an entity with one result (quick.py).
    """
    versions = versions_of(bundle)
    codes = sorted(bundle.by_entity if only is None else bundle.by_entity.keys() & set(only))
    for start in range(0, len(codes), BLOCK):
        mine = [(code, bundle.results_of(code)) for code in codes[start : start + BLOCK]]
        read = [(code, entity_path(code), bundle.lines(numbers)) for code, numbers in mine]
        sources = [_source(style, bundle.index.marks_of(numbers)) for _, numbers in mine]
        asked = [(*one, source) for one, source in zip(read, sources, strict=True) if not keep(one[1], source)]
        made = [quick(lines[0], path) if quick and len(lines) == 1 else None for _, path, lines, _ in asked]
        for (code, path, lines, source), content in zip(asked, made, strict=True):
            if content:
                yield Page(path, "entity.html", "results", "", {}, twin=_entity_twin(code, lines), source=source, content=content)
                continue
            visits = [_seen(decode(line), versions) for line in lines]
            if len(lines) > 1:
                order = sorted(range(len(lines)), key=lambda n: (visits[n]["inspected_on"], visits[n]["visit"]), reverse=True)
                visits, lines = [visits[n] for n in order], [lines[n] for n in order]
            context = {"entity": visits[0], "visits": visits, "brief": False}
            as_of = max(map(last_change, visits))
            yield Page(path, "entity.html", "results", as_of, context, "visits", twin=_entity_twin(code, lines), source=source)


def _entity_twin(code: str, lines: list[bytes]) -> bytes:
    """The JSON beside an entity's page. `slug` let the code pass: nothing to escape."""
    return b'{"entity":"%b","results":[%b]}' % (code.encode(), b",".join([line.rstrip(b"\n") for line in lines]))


def _seen(visit: Row, versions: dict[str, list[Row]]) -> Row:
    """A visit as its page shows it: changes newest first, and each item with the address of the version in force that
    day ("" where the item is not in the list)."""
    for item in visit["items"]:
        item["address"] = address_of(versions, item["code"], visit["inspected_on"])
    if len(visit["history"]) > 1:
        visit["history"].sort(key=lambda entry: entry["on"], reverse=True)
    return visit


def address_of(versions: Mapping[str, list[Row]], code: str, day: str) -> str:
    found = ""
    for version in versions.get(code, ()):
        if version["valid_from"] <= day and (version["valid_to"] is None or day <= version["valid_to"]):
            found = item_path(version)
    return found


def announcements(bundle: Bundle) -> list[Row]:
    """What was made public and when, newest first: `{on, title, path}`."""
    found = []
    newest = newest_plans(bundle)
    for plan in bundle.plans:
        words = "公告" if str(plan["version"]) == "1" else f"公告（第 {plan['version']} 版，已调整）"
        found.append({"on": plan["published_on"], "title": plan["title"] + words, "path": plan_path(plan, newest[edition(plan)])})
    words = {"round": "任务公告（抽取前承诺）", "result": "：名单已抽取，检查结束后公布", "reveal": "：密值已公开，可以核验", "void": "：本轮作废"}
    for row in bundle.rounds:
        for entry in row["log"]:
            if entry["kind"] in words:
                handed = entry["kind"] == "reveal" and row["disclosure"] == "sealed"  # its secrets go to the auditors only
                said = "：已移交监督机构复核" if handed else words[entry["kind"]]
                found.append({"on": entry["at"][:10], "title": row["title"] + said, "path": task_path(row["code"])})
    for row in bundle.external:
        found.append({"on": row["taken_at"][:10], "title": f"{row['title']}：开始检查", "path": task_path(row["code"])})
    for row in (*bundle.rounds, *bundle.external):
        if row["code"] in bundle.by_round:
            title = f"{row['title']}结果公告（已公示 {len(bundle.by_round[row['code']]):,} 户）"
            found.append({"on": bundle.updated[row["code"]], "title": title, "path": result_path(row["code"])})
    days: dict[str, int] = {}
    for item in bundle.items:
        days[item["published_on"]] = days.get(item["published_on"], 0) + 1
    found += [{"on": day, "title": f"随机抽查事项清单公布 {n} 项", "path": "items/index.html"} for day, n in days.items()]
    return sorted(found, key=lambda row: (row["on"], row["path"], row["title"]), reverse=True)


# PDFs ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Paper:
    """One PDF: where, from which template, and what its content address is made of; `make` gives its context."""

    path: str
    template: str
    parts: tuple[bytes, ...]
    make: Callable[[], Row]


def papers(bundle: Bundle, only: Iterable[bytes] | None = None) -> Iterator[Paper]:
    """Every PDF (of result sheets `only` those of these lines). `page`: the announcement's own page, whose address its QR code holds.

    `about` in a context is as of the record itself, with the first checkpoint that holds it: else every PDF
    would change at every release.
    """
    newest = newest_plans(bundle)
    for plan in bundle.plans:
        path = plan_path(plan, newest[edition(plan)]).removesuffix(".html") + ".pdf"
        about = _about(bundle, plan["published_on"], plan["proof"])
        page = path.removesuffix(".pdf") + ".html"
        context = {"about": {**about, "bureau": {**about["bureau"], **plan.get("bureau", {})}}, "plan": plan, "page": page}
        yield Paper(path, "plan_notice", (plain_json(context),), lambda context=context: context)
    for row in bundle.rounds:
        day = max([row["committed_at"][:10], *(entry["at"][:10] for entry in row["log"])])
        if row["overdue"] and row["reveal_due"]:
            day = max(day, row["reveal_due"])
        context = {"about": _about(bundle, day, None), "round": row, "page": task_path(row["code"])}
        yield Paper(task_path(row["code"]).removesuffix(".html") + ".pdf", "task_notice", (plain_json(context),), lambda context=context: context)
    for row in (*bundle.rounds, *bundle.external):
        if row["code"] in bundle.by_round:
            context = {"about": _about(bundle, bundle.updated[row["code"]], None), "round": row, "page": result_path(row["code"])}
            parts = (plain_json(context), bundle.digests[row["code"]].encode())
            yield Paper(result_path(row["code"]).removesuffix(".html") + ".pdf", "result_notice", parts, lambda context=context: _with_results(bundle, context))
    always = plain_json(_about(bundle, "0000", None))  # the rest of a sheet's context is in its line
    for line in bundle.shown_lines() if only is None else only:
        yield Paper(sheet_path(visit_of(line).visit), "result_sheet", (always, line), lambda line=line: _sheet(bundle, decode(line)))


def _with_results(bundle: Bundle, context: Row) -> Row:
    return {**context, "results": list(map(decode, bundle.lines(bundle.by_round[context["round"]["code"]])))}


def _sheet(bundle: Bundle, result: Row) -> Row:
    return {"about": _about(bundle, last_change(result), result["proof"]), "result": result}


def _about(bundle: Bundle, as_of: str, proof: Row | None) -> Row:
    log = bundle.about["log"]
    kept = {"origin": log["origin"], "key": log["key"], "size": proof and proof["size"], "root": proof and proof["root"]}
    return bundle.about | {"as_of": as_of, "year": int(as_of[:4]), "figures": [], "log": kept}
