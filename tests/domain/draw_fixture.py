"""Small rounds made from nothing but labels: the same bytes on every machine.

`python -m tests.domain.draw_fixture` writes the golden cases again; a change there is a change of the format.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from portal.domain import assign, commit, draw, pool, recompute, rounds, seed, voucher
from portal.domain.bundle import canonical

GOLDEN = Path(__file__).with_name("golden")
DRAWN_AT = "2026-12-01T21:30:00+08:00"
DRAW_NOT_BEFORE = "2026-12-01T22:00:00+08:00"
COMMITTED_AT = "2026-11-30T09:00:00+08:00"
HAPPY8 = {"name": "福彩快乐8 第2026320期", "bits": 61, "drawn_at": DRAWN_AT, "groups": [[20, 1, 80]]}
DOUBLE = {"name": "福彩双色球 第2026137期", "bits": 24, "drawn_at": DRAWN_AT, "groups": [[6, 1, 33], [1, 1, 16]]}
DICE = {"name": "公证十面骰 二十五次", "bits": 83, "drawn_at": DRAWN_AT, "groups": [[1, 0, 9]] * 25}
VALUES = {
    HAPPY8["name"]: seed.format_value([range(1, 80, 4)]),
    DOUBLE["name"]: "4.11.17.23.28.32./9./",
    DICE["name"]: seed.format_value([[int(digit)] for digit in "3141592653589793238462643"]),
}
HOLDERS = ("信用监管科", "纪检监察组")


def secret(label: str) -> bytes:
    """32 bytes that look random and are not: for tests only."""
    return hashlib.sha256(f"mingcha test {label}".encode()).digest()


def codes(count: int, step: int = 1) -> list[str]:
    return [f"9135{number:014d}" for number in range(0, count * step, step)]


def task(name: str, rows: Sequence[tuple[str, str, int]], quota: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """What the builder wants to know of a task; `excluded`, `rounding`, `minimum`, `reserve` have defaults."""
    return {
        "task": name,
        "rows": rows,
        "quota": quota,
        "excluded": (),
        "rounding": "ceil",
        "minimum": 1,
        "reserve": 2,
    } | more


def committed(
    tasks: Sequence[Mapping[str, Any]],
    *,
    disclosure: str = "open",
    suite: str = "sha256",
    round_id: str = "350582-2026-R90",
    sources: Sequence[Mapping[str, Any]] = (HAPPY8, DOUBLE),
    holders: Sequence[str] = HOLDERS,
    more: Mapping[str, Any] | None = None,
) -> dict[str, bytes]:
    """The files of a round up to its commitment."""
    salt_key = secret("salt") if disclosure == "sealed" else None
    files: dict[str, bytes] = {}
    entries = []
    for each in tasks:
        name = each["task"]
        files[f"{name}/pool.tsv"] = pool.format_pool(each["rows"])
        excluded = pool.format_codes(each["excluded"])
        if excluded is not None:
            files[f"{name}/excluded.txt"] = excluded
        if salt_key:
            files[f"{name}/quota.json"] = canonical(each["quota"])
        entries.append(
            commit.commit_task(
                suite=suite,
                task=name,
                pool=files[f"{name}/pool.tsv"],
                excluded=excluded,
                quota=each["quota"],
                rounding=each["rounding"],
                minimum=each["minimum"],
                reserve=each["reserve"],
                salt_key=salt_key,
            )
        )
    files["round.json"] = rounds.format_round(
        round_id=round_id,
        suite=suite,
        disclosure=disclosure,
        sources=sources,
        secrets=[{"holder": holder, "commit": seed.commit_of(suite, secret(holder))} for holder in holders],
        draw_not_before=DRAW_NOT_BEFORE,
        tasks=entries,
        salt_commit=seed.commit_of(suite, salt_key) if salt_key else None,
        more=more,
    )
    return files


def revealed(files: Mapping[str, bytes], not_drawn: Sequence[str] = ()) -> dict[str, bytes]:
    """The same files with `reveal.json`; sources named in `not_drawn` have the value `-`."""
    round_ = rounds.parse_round(files["round.json"])
    reveal: dict[str, Any] = {
        "sources": [
            [source["name"], "-" if source["name"] in not_drawn else VALUES[source["name"]], source["drawn_at"]]
            for source in round_["sources"]
        ],
        "secrets": [secret(each["holder"]).hex() for each in round_["secrets"]],
    }
    if round_["disclosure"] == "sealed":
        reveal["salt_key"] = secret("salt").hex()
    return {**files, "reveal.json": canonical(reveal)}


def drawn(files: Mapping[str, bytes], *, inspectors: int = 0) -> dict[str, bytes]:
    """The same files with the result and all that belongs beside it; `slots.json` where there are inspectors."""
    outcome = recompute.draw_round(files)
    found = {**files, "result.json": outcome.result_json}
    if outcome.public_json is not None:
        found |= {"public/round.json": files["round.json"], "public/public.json": outcome.public_json}
        number = 1
        for name, entry in sorted(outcome.result.items()):
            picked = draw.drawn_of(entry["strata"])
            for text in voucher.format_vouchers(
                outcome.round, name, outcome.draw_key, secret("salt"), files[f"{name}/pool.tsv"], picked, picked[:2]
            ):
                found[f"voucher-{number}.json"] = text
                number += 1
    if inspectors:
        people = [f"350582-{number:03d}" for number in range(inspectors)]
        visits = sorted({code for entry in outcome.result.values() for code in draw.drawn_of(entry["strata"])})
        slots = {
            f"{outcome.round['round']}_{code}": [people[n % 2 :: 2], people[n % 3 :: 3]]
            for n, code in enumerate(visits)
        }
        found["slots.json"] = canonical(
            {
                "suite": outcome.round["suite"],
                "K": outcome.assign_key.hex(),
                "slots": slots,
                "caps": {who: 2 * len(visits) // inspectors for who in people},
            }
        )
        found["assigned.json"] = assign.assign_file(found["slots.json"])
    return found


def open_case() -> dict[str, bytes]:
    """Open, two tasks over one register, 300 entries (two blocks), exclusions, one source not drawn."""
    first = task("350582-2026-T001", [(c, "*", 1) for c in codes(300)], {"*": {"ppm": 35_000}}, excluded=codes(15, 20))
    towns = ["东石镇", "安海镇", "池店镇"]
    second = task(
        "350582-2026-T002",
        [(c, towns[n % 7 % 3], 1) for n, c in enumerate(codes(150, 2))],
        {"东石镇": {"ppm": 40_000}, "安海镇": {"ppm": 40_000}, "池店镇": {"count": 3}, "金井镇": {"ppm": 0}},
        rounding="lr",
        reserve=0,
    )
    files = committed([first, second], sources=[DICE, HAPPY8], more={"register": {"on": "2026-11-29", "size": 300}})
    return drawn(revealed(files, not_drawn=[HAPPY8["name"]]), inspectors=6)


def sealed_case() -> dict[str, bytes]:
    """Sealed, class strata, risk weights, 37 entries (an odd tree), a stratum with too few available."""
    first = task(
        "350582-2026-T001",
        [(c, "ABCD"[n % 4 if n < 30 else 0], 1) for n, c in enumerate(codes(37))],
        {"A": {"ppm": 50_000}, "B": {"ppm": 100_000}, "C": {"ppm": 200_000}, "D": {"ppm": 900_000}},
        excluded=codes(37)[3:20:4],
    )
    second = task(
        "350582-2026-T002", [(c, "*", 1 + n % 5) for n, c in enumerate(codes(21, 3))], {"*": {"count": 4}}, minimum=0
    )
    return drawn(revealed(committed([first, second], disclosure="sealed")), inspectors=5)


def sm3_case() -> dict[str, bytes]:
    """SM3 throughout, assignment included; no source, one holder."""
    only = task("350582-2026-T001", [(c, "*", 1) for c in codes(24)], {"*": {"ppm": 250_000}})
    return drawn(revealed(committed([only], suite="sm3", sources=(), holders=HOLDERS[:1])), inspectors=4)


def sampled(start: int, stop: int, entries: int, count: int) -> list[list[int]]:
    """The places drawn under the seeds `start` to `stop`, `count` of `entries` each time; for worker processes."""
    data = pool.format_pool((f"91350582{number:010d}", "*", 1) for number in range(entries))
    survey = pool.survey_pool(data)
    found = []
    for number in range(start, stop):
        key = seed.key_of("sha256", number.to_bytes(32, "big"), "draw/R1")
        codes_drawn = draw.smallest("sha256", key, data, [], survey, {"*": count})["*"]
        found.append(sorted(int(code[8:]) for code in codes_drawn))
    return found


CASES = {"open": open_case, "sealed": sealed_case, "sm3": sm3_case}


def read_folder(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def write_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


if __name__ == "__main__":
    for case, make in CASES.items():
        write_folder(GOLDEN / case, make())
