"""Records from a clerk's table: rows are gathered by visit and form, then go through the very rules of entering."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from portal.domain.errors import BadInput, Problem, Refused, WrongMoment
from portal.domain.forms import parse_answers
from portal.domain.model import OUTCOMES
from portal.domain.results import NOT_HERE, ResultRow, ToFill, answers_of, template_of
from portal.domain.tables import Parsed
from portal.steps import forms, joined_forms
from portal.steps.acting import BEIJING, Acting
from portal.store import directory, draw, plan, records, visits
from portal.store.engine import transaction

Line = tuple[ResultRow, int]

#: Visits of a template read between two waits for the database.
_AT_ONCE = 500


class _Undone(Exception):
    """Takes a trial back."""


async def write_template(act: Acting, round_code: str) -> list[list[str]]:
    """The table of a round's records still to be entered, one row for each item of a visit, with all that is known: `import records` reads it.

    Forms of which a record was begun are left out: they are finished where they were begun. Raises
    WrongMoment where nothing is left to fill.
    """
    act.require("record.import")
    round_ = await draw.load_round(round_code, act.line)
    of_round = await visits.load_visits_of(round_["id"], act.tree)
    rows: list[ToFill] = []
    begun = 0
    for start in range(0, len(of_round), _AT_ONCE):
        part = of_round[start : start + _AT_ONCE]
        made, left_out = await _to_fill(act, part)
        rows += made
        begun += left_out
    if not rows:
        raise WrongMoment(f"轮次 {round_code} 在您的辖区没有待填的检查记录{f'，{begun} 份已经开始填写' if begun else '。入企安排之后才有'}。")
    table = template_of(rows, forms.METHODS)
    if begun:
        table.append([f"备注：另有 {begun} 份记录已在系统中开始填写，没有列出", *[""] * (len(table[0]) - 1)])
    return table


async def _to_fill(act: Acting, of_round: Sequence[Mapping[str, Any]]) -> tuple[list[ToFill], int]:
    ids = [visit["id"] for visit in of_round]
    begun = {(row["visit"], row["form_code"]) for row in await records.load_records_of(ids)}
    assigned = await visits.load_assigned(ids)
    people = await directory.load_inspectors_by_id({who for several in assigned.values() for who in several if who})
    entities = await directory.load_entities([visit["entity_code"] for visit in of_round])
    views = await joined_forms.forms_of_many(of_round)
    rows: list[ToFill] = []
    left_out = 0
    for visit in of_round:
        going = [people[who] for who in assigned.get(visit["id"], ()) if who]
        every = views[visit["id"]]
        called = Counter(item["name"] for joined in every for item in joined["items"])
        entity = entities.get(visit["entity_code"])
        on = visit["arrived_at"].astimezone(BEIJING).date().isoformat() if visit["arrived_at"] else ""
        for joined in every:
            if joined["owner"] not in act.tree:
                continue  # another organisation's record
            if (visit["id"], joined["form"].code) in begun:
                left_out += 1
                continue
            names = _words([person for person in going if joined_forms.enters(person, joined)])
            rows += [
                ToFill(visit["code"], joined["task"]["code"], visit["entity_code"], entity["name"] if entity else "",
                       item["name"] if called[item["name"]] == 1 else item["code"], names, on, joined["form"], n == 0)
                for n, item in enumerate(joined["items"])
            ]  # fmt: skip
    return rows, left_out


def _words(people: Sequence[Mapping[str, Any]]) -> str:
    """The names of the people assigned as `_recorder` reads them; codes where two are called the same."""
    called = Counter(person["name"] for person in people)
    return "、".join(person["name"] if called[person["name"]] == 1 else person["code"] for person in people)


async def check_results(act: Acting, parsed: Parsed[ResultRow]) -> tuple[Parsed[ResultRow], dict[str, int]]:
    """Enter everything and take it back: the preview and the import cannot disagree."""
    problems: list[Problem] = []
    counts: dict[str, int] = {}
    try:
        async with transaction():
            problems, counts = await _enter(act, parsed)
            raise _Undone
    except _Undone:
        pass
    return parsed.found(problems), counts


async def save_results(act: Acting, parsed: Parsed[ResultRow], digest: str) -> dict[str, int]:
    """Enter the rows in the caller's transaction; counts of records and outcomes."""
    problems, counts = await _enter(act, parsed)
    if problems:  # somebody entered one of them since the check
        raise BadInput(f"检查记录表有 {len(problems)} 处问题，一条也没有导入。", problems[:200])
    await act.audit("record.import", "records", after=digest, count=counts["检查记录"])
    return counts


async def _enter(act: Acting, parsed: Parsed[ResultRow]) -> tuple[list[Problem], dict[str, int]]:
    titles = {name: title for title, name in parsed.headings.known}
    problems: list[Problem] = []
    entered: Counter[str] = Counter()
    records = 0
    of_visits = await _by_visit(act, parsed, titles, problems)
    codes = [visit["code"] for visit, _ in of_visits]
    await visits.lock_visits(codes)
    known = await visits.load_visits_by_code(codes, act.tree)
    hand = await forms.load_hand(act, list(known.values()))
    for lines in of_visits:
        for row, members in await _records_of(act, lines, titles, problems):
            try:
                await forms.import_one(act, row, known.get(row["visit"]), hand)
                records += 1
                entered.update(OUTCOMES[code].label for code in row["outcomes"].values())
            except Refused as refusal:
                problems += _placed(refusal, members, titles)
    return problems, {"检查记录": records, **dict(sorted(entered.items()))}


async def _by_visit(
    act: Acting, parsed: Parsed[ResultRow], titles: Mapping[str, str], problems: list[Problem]
) -> list[tuple[dict[str, Any], list[Line]]]:
    """(visit, its lines) for every visit that was found; the others are errors of their first line, the rest follow it."""
    groups: dict[tuple[str, str, str], list[Line]] = {}
    for row, line in zip(parsed.rows, parsed.lines, strict=True):
        groups.setdefault((row.visit, "" if row.visit else row.task, "" if row.visit else row.code), []).append((row, line))
    to = await visits.load_visits_to({code for visit, _, code in groups if not visit}, act.tree)
    found = []
    for (code, task, entity), lines in groups.items():
        try:
            found.append((await visits.load_visit(code, act.tree) if code else await _one_visit(to.get(entity, []), entity, task), lines))
        except Refused as refusal:
            column = titles.get("visit" if code else "code", "")
            problems += [Problem(column, refusal.message if n == 0 else f"与第 {lines[0][1]} 行是同一次检查，一并没有导入。", line)
                         for n, (_, line) in enumerate(lines)]  # fmt: skip
    return found


async def _one_visit(known: Sequence[dict[str, Any]], entity: str, task: str) -> dict[str, Any]:
    if task:
        carried = await visits.load_tasks_of_visits([visit["id"] for visit in known])
        tasks = await plan.load_tasks_by_id({one for several in carried.values() for one in several})
        known = [visit for visit in known if any(task in (tasks[one]["code"], tasks[one]["name"]) for one in carried.get(visit["id"], []))]
    still_open = [visit for visit in known if visit["state"] == "open"]
    if len(still_open) == 1:
        return still_open[0]
    if len(known) == 1:
        return known[0]
    of_task = f"任务“{task[:40]}”" if task else ""
    if known:
        raise BadInput(f"代码 {entity} {of_task}有 {len(known)} 次入企检查，看不出是哪一次。请填写入企编号。")
    raise BadInput(f"代码 {entity} {of_task}没有入企检查，或者不在您的辖区。请核对代码和任务。")


async def _records_of(
    act: Acting, of_visit: tuple[dict[str, Any], list[Line]], titles: Mapping[str, str], problems: list[Problem]
) -> list[tuple[dict[str, Any], list[Line]]]:
    """(record as `forms.import_one` takes it, the lines it comes from), one for each form the lines speak of."""
    visit, lines = of_visit
    by_item = {}
    for joined in await joined_forms.forms_of(visit):
        for item in joined["items"]:
            by_item[item["code"]] = by_item[item["name"]] = (joined, item["code"])
    members: dict[str, list[Line]] = {}
    for row, line in lines:
        if row.item not in by_item:
            can = "、".join(name for name in by_item if "." not in name)
            problems.append(Problem(titles["item"], f"入企检查 {visit['code']} 没有事项“{row.item[:60]}”。可以填写：{can}。", line))
        else:
            members.setdefault(by_item[row.item][0]["form"].code, []).append((row, line))
    assigned = (await visits.load_assigned([visit["id"]])).get(visit["id"], [])
    people = list((await directory.load_inspectors_by_id({who for who in assigned if who})).values())
    made = []
    for code, own in members.items():
        joined = by_item[own[0][0].item][0]
        try:
            there = [person for person in people if joined_forms.enters(person, joined)]
            made.append((_record(visit, joined, own, there, {row.item: by_item[row.item][1] for row, _ in own}), own))
        except Refused as refusal:
            problems += _placed(refusal, own, titles)
    return made


def _record(
    visit: Mapping[str, Any], joined: Mapping[str, Any], lines: Sequence[Line], people: Sequence[Mapping[str, Any]], items: Mapping[str, str]
) -> dict[str, Any]:
    first = lines[0][0]
    form = joined["form"]
    points: dict[str, str] = {}
    for row, line in lines:
        for name in ("inspected_on", "method", "recorder", "opinion"):
            if getattr(row, name) and getattr(row, name) != getattr(first, name):
                raise BadInput("", [Problem(name, f"同一份记录的第 {lines[0][1]} 行与第 {line} 行写得不同。请改成一致。")])
        for title, text in row.points.items():
            if text != NOT_HERE and points.setdefault(title, text) != text:
                raise BadInput("", [Problem(title, f"同一份记录的第 {lines[0][1]} 行与第 {line} 行写得不同。请改成一致。")])
    notes = "；".join(dict.fromkeys(row.note for row, _ in lines if row.note))
    return {
        "visit": visit["code"], "form": form.code, "version": form.version, "task": "", "inspected_on": first.inspected_on,
        "answers": parse_answers(form, answers_of(form, points, notes)), "outcomes": {items[row.item]: row.outcome for row, _ in lines},
        "recorder": _recorder(first, people), "method": first.method, "opinion": first.opinion,
    }  # fmt: skip


def _recorder(row: ResultRow, people: Sequence[Mapping[str, Any]]) -> str:
    """The code of the first person named who was assigned; all who are named must have been."""
    words: dict[str, list[str]] = {}
    for person in people:
        for word in {person["code"], person["number"], person["name"]}:
            words.setdefault(word, []).append(person["code"])
    listed = "、".join(person["name"] for person in people) or "尚未匹配执法人员"
    if not row.recorder:
        raise BadInput("", [Problem("recorder", f"没有填写检查人员。本次检查的执法人员：{listed}。")])
    for word in row.recorder:
        if len(words.get(word, [])) != 1:
            raise BadInput("", [Problem("recorder", f"“{word}”不是本次检查的执法人员（{listed}）。请核对。")])
    return words[row.recorder[0]][0]


def _placed(refusal: Refused, lines: Sequence[Line], titles: Mapping[str, str]) -> list[Problem]:
    """What was refused, at the line and column it is about; lines of the same record go down with it."""
    first = lines[0][1]
    found = []
    for problem in refusal.problems or (Problem("", refusal.message),):
        name = problem.field.partition(".")[0]
        column = titles.get("outcome" if name == "outcome" else name, "" if name.isascii() else name)
        found.append(Problem(column, problem.message, first))
    return found + [Problem("", f"与第 {first} 行是同一份记录，一并没有导入。", line) for _, line in lines[1:]]
