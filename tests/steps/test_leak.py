"""A sealed round after its whole walk: nothing public says who is of what class, or who would be next.

`secrets_of` collects everything that must not appear; `found_in` searches every public
byte for it.  That the search finds what is there is itself tested, by planting.
"""

import asyncio
import base64
import gzip
import json
import re
import zlib
from functools import cache
from pathlib import Path

import pytest

from portal.domain.bundle import hash_each
from portal.steps import bundles, disclosure, draw, publish
from portal.steps.bundles import auditor_files, load_draw_keys, load_salt_key
from portal.store import directory, engine
from portal.store import pool as pools
from portal.store.draw import load_round_tasks
from public_site.release import release
from tests import office
from tests.office import INSTANT, SEALED
from tests.steps.test_crash import PlainRenderer

CLASSES = ("A", "B", "C", "D")
BESIDE = (",", ":", " ", "\t", '":"', '","', '", "', "</td><td>")  # what may stand between a code and its class


def _every_way(secret: bytes) -> dict[str, bytes]:
    """How 32 bytes may be written down."""
    whole = base64.b64encode(secret)
    return {"raw": secret, "hex": secret.hex().encode(), "HEX": secret.hex().upper().encode(), "base64": whole,
            "base64url": base64.urlsafe_b64encode(secret).rstrip(b"="), "first half": secret.hex().encode()[:32]}  # fmt: skip


async def secrets_of(house) -> dict[str, bytes]:
    """name -> bytes that no public file may contain."""
    boss = await house.acting("boss")
    round_ = await house.round(SEALED)
    files = await auditor_files(boss, round_)
    reveal = json.loads(files["reveal.json"])
    key, assign_key = load_draw_keys(boss, round_)
    found: dict[str, bytes] = {}
    raw = {"K": key, "assign K": assign_key, "salt_key": load_salt_key(boss, round_)}
    raw |= {f"secret {n}": bytes.fromhex(secret) for n, secret in enumerate(reveal["secrets"])}
    lines = files[f"{INSTANT}/pool.tsv"].decode().splitlines()
    codes = [line.split("\t")[0] for line in lines]
    drawn = {code for one in json.loads(files["result.json"])[INSTANT]["strata"].values() for code in one["drawn"]}
    chosen = sorted(drawn) + [code for code in codes if code not in drawn][:200]
    raw |= {f"ticket of {code}": ticket for code, ticket in zip(chosen, hash_each("sha256", key, [c.encode() for c in chosen]), strict=True)}
    for name, secret in raw.items():
        found |= {f"{name} ({way})": written for way, written in _every_way(secret).items()}
    found |= {f"line of {line.split(chr(9))[0]}": line.encode() for line in lines}
    for line in lines:
        code, stratum, _ = line.split("\t")
        for between in BESIDE:
            found[f"class beside {code} ({between!r})"] = f"{code}{between}{stratum}".encode()
    found["quota"] = files[f"{INSTANT}/quota.json"]
    found["strata"] = json.dumps(json.loads(files["result.json"])[INSTANT]["strata"], separators=(",", ":"), sort_keys=True).encode()
    found["slots"], found["assigned"] = files["slots.json"][:200], files["assigned.json"][:200]
    for row in await directory.load_inspectors(boss.tree):
        found[f"inspector {row['code']}"] = row["code"].encode()
        found[f"inspector name {row['name']}"] = row["name"].encode()
        if row["certificate_no"]:
            found[f"certificate {row['code']}"] = row["certificate_no"].encode()
    return found


def readings(data: bytes) -> list[bytes]:
    """The file itself and, where it is packed, what it holds."""
    found = [data]
    for unpack in (gzip.decompress, zlib.decompress):
        try:
            found.append(unpack(data))
        except (OSError, zlib.error, EOFError):
            continue
    return found


def found_in(files: dict[str, bytes], secrets: dict[str, bytes]) -> list[tuple[str, str]]:
    """(file, what of the secrets it contains). Classes beside codes are most of them: of each length of these one pass over a text finds all."""
    beside = {secret: name for name, secret in secrets.items() if name.startswith("class beside ")}
    others = [(name, secret) for name, secret in secrets.items() if secret not in beside]
    between = b"|".join(re.escape(one.encode()) for one in BESIDE)
    shapes = [re.compile(rb"(?=([0-9A-Z]{%d}(?:%b)[A-Z]))" % (size, between)) for size in {len(re.match(rb"\w+", secret)[0]) for secret in beside}]

    @cache
    def names_in(text: bytes) -> list[str]:  # packed and not, in the bundle and in the site: many a text is there several times
        said = [beside[one] for shape in shapes for one in shape.findall(text) if one in beside]
        return said + [name for name, secret in others if secret in text]

    return [(path, name) for path, data in files.items() for text in (*readings(data), path.encode()) for name in names_in(text)]


def _read(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def walked(stages, tmp_path_factory):
    """(secrets, public files, the sealed round's draw folder) after publication of all, both rounds revealed."""
    folder = stages.copy("approved", tmp_path_factory.mktemp("leak") / "data")

    async def walk():
        house = await office.open_house(folder)
        try:
            for code in (office.OPEN, SEALED):
                await draw.reveal_round(await house.acting("approver"), code)
            publisher = await house.acting("publisher")
            await publish.publish_all(publisher)
            await disclosure.write_bundle(publisher, folder / "bundle", demo=False)
            boss = await house.acting("boss")
            exported = {}
            for code in (office.OPEN, SEALED):
                exported |= {f"export/{code}/{name}": data for name, data in (await bundles.export_round(boss, code, "public")).items()}
            rows = await load_round_tasks((await house.round(SEALED))["id"])
            header = (await pools.load_pools([rows[0]["pool"]]))[rows[0]["pool"]]
            return await secrets_of(house), exported, await auditor_files(boss, await house.round(SEALED)), header
        finally:
            await engine.close_engine()

    secrets, files, sealed, header = asyncio.run(walk())
    release(folder / "bundle", folder / "site", PlainRenderer())
    files |= {f"bundle/{name}": data for name, data in _read(folder / "bundle").items()}
    files |= {f"site/{name}": data for name, data in _read(folder / "site" / "releases").items()}
    return secrets, files, sealed, header


def test_nothing_public_of_a_sealed_round_contains_a_secret_a_ticket_a_class_or_a_person(walked):
    secrets, files, _, _ = walked
    assert len(secrets) > 1000 and len(files) > 50
    assert any(SEALED.encode() in data for data in files.values()), "the round itself is public"
    assert found_in(files, secrets) == []


@pytest.mark.parametrize("way", ["K (hex)", "salt_key (base64)", "secret 0 (raw)", "assign K (HEX)", "quota", "strata", "slots", *(f"({one!r})" for one in BESIDE)])
def test_the_search_finds_what_is_planted(walked, way):
    secrets, _, _, _ = walked
    way = next(name for name in secrets if name.endswith(way))
    plain, packed = b"<p>" + secrets[way] + b"</p>", gzip.compress(b"x" * 50 + secrets[way])
    assert ("a.html", way) in found_in({"a.html": plain}, secrets)
    assert ("a.gz", way) in found_in({"a.gz": packed}, secrets)


def test_the_search_finds_a_sealed_folder_published_by_mistake(walked):
    secrets, _, sealed, _ = walked
    names = {name.split(" (")[0].split(" of ")[0].split(" beside ")[0] for _, name in found_in(sealed, secrets)}
    assert {"salt_key", "secret 0", "line", "quota", "strata", "slots", "assigned"} <= names


def test_a_sealed_rounds_public_folder_holds_two_files(walked):
    _, files, _, _ = walked
    assert {name for name in files if name.startswith(f"export/{SEALED}/")} == {f"export/{SEALED}/round.json", f"export/{SEALED}/public.json"}
    assert {name for name in files if name.startswith(f"bundle/rounds/{SEALED}/")} == {
        f"bundle/rounds/{SEALED}/round.json", f"bundle/rounds/{SEALED}/public.json"}  # fmt: skip
    public = json.loads(files[f"export/{SEALED}/public.json"])
    assert set(public) == {"round_digest", "result_commit", "sources", "tasks"}
    assert set(public["tasks"][INSTANT]) == {"count", "ticket_root", "drawn_root"}
    document = json.loads(files[f"export/{SEALED}/round.json"])
    assert "quota" not in document["tasks"][0]


def test_a_sealed_rounds_line_says_one_number_of_its_pool_and_one_of_its_draw(walked):
    """No class sizes can follow from what is published: no count by class, no ratio by class, no second equation."""
    _, files, sealed, header = walked
    rounds = [json.loads(line) for line in files["bundle/rounds.jsonl"].splitlines()]
    row = next(row for row in rounds if row["code"] == SEALED)
    task = row["tasks"][0]
    assert task["ratio"] == "按信用风险分类差异化抽查"
    strata = json.loads(sealed["result.json"])[INSTANT]["strata"]
    assert len(strata) > 2
    by_class = {number for one in strata.values() for number in (one["size"], one["available"])} - {header["size"], task["available"]}
    shown = _numbers({key: value for key, value in row.items() if key not in ("log", "sources", "window")})
    large = {number for number in by_class if number > 25}  # small ones may stand for anything
    assert large and not large & shown
    assert task["pool_size"] == header["size"] and task["drawn"] == sum(len(one["drawn"]) for one in strata.values())
    assert row["secrets"] is None and row["revealed_at"] is None
    assert all(entry["tasks"] is None for entry in row["list"] or [])


def _numbers(value) -> set[int]:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return set()
    if isinstance(value, int):
        return {value}
    return set().union(*map(_numbers, value.values() if isinstance(value, dict) else value), set())


def test_the_plan_shows_that_a_row_is_differentiated_and_not_how(walked):
    _, files, _, _ = walked
    rows = [row for line in files["bundle/plans.jsonl"].splitlines() for row in json.loads(line)["rows"]]
    classed = [row for row in rows if row["differentiated"]]
    assert classed and all(not row["ratio"] or "30%" not in row["ratio"] for row in classed)
    assert not any("class_ratios" in row or any(name in row for name in CLASSES) for row in rows)


def test_private_answers_photos_and_signatures_are_not_public(walked):
    _, files, _, _ = walked
    text = b"".join(data for name, data in files.items() if name.startswith(("bundle/results", "site/")) and not name.endswith(".pdf"))
    for word in ("sample-photo", "sample-signature", "两次上门均大门紧闭", "presence_note", "risk_class", "entered_by"):
        assert word.encode() not in text, word
