"""The log and what `portal verify` finds: checkpoints, tiles, draws, assignments, publications."""

import dataclasses
import json
import re

import pytest

from portal.domain import log as tlog
from portal.domain.packing import pack
from portal.domain.recompute import draw_round as compute
from portal.steps import disclosure, draw, log, publish
from portal.steps.bundles import auditor_files
from portal.steps.verify import _is_signed, verify_installation
from portal.store import accounts, engine
from portal.store import draw as draw_store
from portal.store import log as log_store
from portal.store.tables import Assignment, AssignmentRun, Checkpoint, LogEntry, Pick, Publication, Round, RoundTask, Setting, Source
from tests import office
from tests.office import OPEN, SEALED

pytestmark = pytest.mark.anyio


async def _wrong(house) -> list[str]:
    return [words async for holds, words in verify_installation(await house.acting("auditor")) if not holds]


async def _bundle(house, folder):
    return await disclosure.write_bundle(await house.acting("publisher"), folder, demo=True)


# Checkpoints and tiles -------------------------------------------------------


async def test_the_whole_walk_is_green(published):
    lines = [line async for line in verify_installation(await published.acting("auditor"))]
    assert all(holds for holds, _ in lines) and len(lines) == 11


async def test_a_checkpoint_is_signed_by_the_logs_key_and_its_root_follows_from_the_published_tiles(published, tmp_path):
    made = await _bundle(published, tmp_path / "b")
    about = json.loads((tmp_path / "b" / "about.json").read_bytes())
    name, key = tlog.parse_vkey(about["log"]["key"])
    assert key == published.keys.public() and name == about["log"]["origin"] == "mingcha-log/359921"
    folder = tmp_path / "b" / "log"
    point = tlog.parse_checkpoint(tlog.open_note((folder / "checkpoint").read_text(), name, key, _is_signed))
    entries = [e for path, _ in sorted(_tiles(folder, "entries")) for e in tlog.parse_entry_tile((folder / path).read_bytes())]
    leaves = [leaf for path, _ in sorted(_tiles(folder, "0")) for leaf in tlog.parse_hash_tile((folder / path).read_bytes())]
    assert (point.size, point.root.hex()) == (made["size"], made["root"]) == (len(entries), tlog.tree_root(leaves).hex())
    assert leaves == [tlog.leaf_hash(entry) for entry in entries]


def _tiles(folder, level):
    return [(path.relative_to(folder).as_posix(), 0) for path in (folder / "tile" / level).rglob("*") if path.is_file()]


async def test_each_checkpoint_only_appends_to_the_one_before(approved, tmp_path):
    for day, work in (("2026-07-04", publish.publish_all), ("2026-07-05", None), ("2026-07-06", None)):
        approved.at(f"{day}T09:00")
        if work:
            await _bundle(approved, tmp_path / day)
            await work(await approved.acting("publisher"))
        else:
            code = OPEN if day.endswith("5") else SEALED
            await draw.reveal_round(await approved.acting("approver"), code)
        await _bundle(approved, tmp_path / day)
    leaves = [bytes.fromhex(entry["leaf"]) for entry in await log_store.load_entries()]
    points = [tlog.Checkpoint("o", row["size"], bytes.fromhex(row["root"])) for row in await log_store.load_checkpoints()]
    assert len(points) == 4 and points[-1].size == len(leaves)
    for old, new in zip(points, points[1:], strict=False):
        assert tlog.is_consistent(old, new, tlog.consistency_proof(leaves, old.size, new.size))
    assert await _wrong(approved) == []


async def test_a_bundle_written_twice_signs_one_checkpoint_and_has_the_same_bytes(published, tmp_path):
    first = await _bundle(published, tmp_path / "a")
    second = await _bundle(published, tmp_path / "b")
    assert first["digest"] == second["digest"]
    assert len(await log_store.load_checkpoints()) == 1


async def test_entries_hold_digests_and_never_text(published):
    kinds = set()
    for entry in await log_store.load_entries():
        said = json.loads(bytes(entry["data"]))
        kinds.add(said.pop("kind"))
        assert said.pop("at").endswith("+08:00")
        said.pop("acts", None)
        for value in (said.pop("digest"), said.pop("round", "0" * 64), *(r for t in said.pop("roots", {}).values() for r in t.values())):
            assert len(bytes.fromhex(value)) == 32
        assert not said, f"also in the log: {said}"
    assert kinds == {"round", "sources", "result", "assignment", "item", "plan", "audit"}


async def test_every_published_thing_proves_itself_by_its_salt(published, tmp_path):
    await _bundle(published, tmp_path / "b")
    entries = await log_store.load_entries()
    for name in ("items", "plans", "results"):
        rows = [json.loads(line) for line in (tmp_path / "b" / f"{name}.jsonl").read_bytes().splitlines()]
        assert rows
        for row in rows:
            proof = row["proof"]
            assert proof["hash"] == entries[proof["index"]]["leaf"] and proof["size"] > proof["index"]


# What verification finds -----------------------------------------------------


async def _entry(**values):
    async with engine.transaction():
        await LogEntry.update(values, force=True).where(LogEntry.n == 1).run()


async def _cut_log_tail() -> None:
    size = await log_store.load_size()
    await LogEntry.delete().where(LogEntry.n >= size - 2).run()


async def _renumber() -> None:
    await LogEntry.insert(LogEntry(n=-1, kind="item", key="x", data=b"{}", leaf=tlog.leaf_hash(b"{}").hex())).run()


async def _other_root() -> None:
    await Checkpoint.update({Checkpoint.root: "0" * 64}, force=True).run()


async def _other_note() -> None:
    row = await Checkpoint.select().first().run()
    await Checkpoint.update({Checkpoint.note: row["note"].replace("359921", "359920")}, force=True).run()


async def _rewritten_log() -> None:
    """Entry 1 says something else, and every leaf fits: only the signed root tells."""
    data = b'{"digest":"' + b"0" * 64 + b'","kind":"round"}'
    await LogEntry.update(data=data, leaf=tlog.leaf_hash(data).hex()).where(LogEntry.n == 1).run()


async def _moved_pick() -> None:
    pick = await Pick.select().where(Pick.kind == "drawn").first().run()
    await Pick.update(code="91359921MA00000000").where(Pick.id == pick["id"]).run()


async def _lost_pick() -> None:
    pick = await Pick.select().where(Pick.kind == "drawn").first().run()
    await Pick.delete().where(Pick.id == pick["id"]).run()


async def _other_inspector() -> None:
    rows = await Assignment.select().order_by(Assignment.id).limit(2).run()
    await Assignment.update(inspector=rows[1]["inspector"]).where(Assignment.id == rows[0]["id"]).run()


async def _fewer_candidates() -> None:
    """Somebody is taken out of the candidates and the assignment made anew to fit."""
    run = await AssignmentRun.select().first().run()
    slots = json.loads(run["slots"])
    visit = next(iter(slots["slots"]))
    slots["slots"][visit][1] = slots["slots"][visit][1][1:]
    await AssignmentRun.update(slots=pack(slots)).where(AssignmentRun.id == run["id"]).run()


def _round(**values):
    async def work() -> None:
        await Round.update(values).where(Round.code == SEALED).run()

    return work


def _published(**values):
    async def work() -> None:
        row = await Publication.select().where(Publication.kind == "result").first().run()
        await Publication.update(values).where(Publication.id == row["id"]).run()

    return work


async def _lost_publication() -> None:
    row = await Publication.select().where(Publication.kind == "result").first().run()
    await Publication.delete().where(Publication.id == row["id"]).run()


async def _bad_quota() -> None:
    await RoundTask.update({RoundTask.quota: "{not json"}, force=True).run()


TAMPERINGS = {
    "an entry's data": (lambda: _entry(data=b"{}"), "存证日志第 1 条缺失或被改动过"),
    "an entry's leaf": (lambda: _entry(leaf="0" * 64), "存证日志第 1 条缺失或被改动过"),
    "an entry and its leaf": (_rewritten_log, "检查点与存证日志不符，日志被改写过"),
    "an entry that is no JSON": (lambda: _entry(data=b"\xff\x00"), "存证日志第 1 条缺失或被改动过"),
    "the tail of the log": (_cut_log_tail, "检查点与存证日志不符"),
    "an entry before the first": (_renumber, "存证日志第 0 条缺失"),
    "a checkpoint's text": (_other_note, "检查点"),
    "a checkpoint's root": (_other_root, "检查点与存证日志不符"),
    "a drawn company": (_moved_pick, "抽中名单 7 户次与数据库登记的不符"),
    "a drawn company gone": (_lost_pick, "与数据库登记的不符"),
    "an inspector": (_other_inspector, "人员匹配重算不一致"),
    "the candidates": (_fewer_candidates, "人员匹配重算不一致"),
    "the round file": (_round(round_json="{not json"), SEALED),
    "the result": (_round(result_json='{"x":1}'), SEALED),
    "the result that is no JSON": (_round(result_json="{"), SEALED),
    "the result's commitment": (_round(result_commit="0" * 64), "public.json 与重新计算的结果不一致"),
    "the round's digest": (_round(digest="0" * 64), "摘要为"),
    "the sealed salt key": (_round(salt_sealed=b"0" * 60), "密钥文件 keys/portal.key 与数据库不匹配"),
    "the sealed K": (_round(key_sealed=b"0" * 92), "密钥文件"),
    "a quota that is no JSON": (_bad_quota, "读不出来，被改动过"),
    "a published result": (_published(data='{"a":1}'), "与存证日志不符，被改动过"),
    "a published result that is no JSON": (_published(data="{"), "公示内容读不出来"),
    "a publication's salt": (_published(salt="zz"), "与存证日志不符"),
    "a publication's place in the log": (_published(log_index=0), "与存证日志不符"),
    "a publication gone": (_lost_publication, "登记的公示内容 .* 不见了"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_a_change_behind_the_programs_back_is_found(published, what):
    tamper, words = TAMPERINGS[what]
    await office.take_guards_away()
    await tamper()
    wrong = await _wrong(published)
    assert any(re.search(words, line) for line in wrong), wrong


async def test_another_signing_key_is_found(published):
    other = dataclasses.replace(published.keys, signing=bytes(32))
    act = dataclasses.replace(await published.acting("auditor"), keys=other)
    wrong = [words async for holds, words in verify_installation(act) if not holds]
    assert any("检查点" in line and "没有“mingcha-log/359921”的签名" in line for line in wrong)


async def test_another_origin_is_found(published):
    await Setting.update(value="mingcha-log/000000").where(Setting.key == log.ORIGIN).run()
    assert any("检查点" in line for line in await _wrong(published))


async def test_one_failure_does_not_hide_another(published):
    await office.take_guards_away()
    await _moved_pick()
    await _lost_publication()
    assert len(await _wrong(published)) == 2


async def test_a_result_redrawn_with_another_value_contradicts_the_log(drawn):
    """An insider with the database and the keys rewrites value, result, picks: the log's entry of the result remains."""
    await office.take_guards_away()
    round_ = await drawn.round()
    source = (await draw_store.load_sources(round_["id"]))[0]
    await Source.update(value=".".join(str(n) for n in range(1, 21)) + "./").where(Source.id == source["id"]).run()
    act = await drawn.acting("boss")
    files = await auditor_files(act, {**round_, "result_json": ""})
    made = compute(files)
    await Round.update(
        result_json=made.result_json.decode(), result_commit=made.result_commit,
        key_sealed=act.keys.seal(made.draw_key + made.assign_key, f"keys/{OPEN}"),
    ).where(Round.code == OPEN).run()  # fmt: skip
    assert any("结果摘要与存证日志登记的不符" in line for line in await _wrong(drawn))


async def test_the_logs_name_is_fixed_at_its_first_checkpoint(published):
    assert await accounts.load_setting(log.ORIGIN) == "mingcha-log/359921"
    assert await log.origin_of(await published.acting("stranger")) == "mingcha-log/359921"
