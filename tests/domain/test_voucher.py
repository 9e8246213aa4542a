"""抽取凭证: made for the drawn, refused wherever it differs."""

import io
import json

import pytest

from portal.domain import draw, recompute, voucher
from portal.domain.bundle import canonical
from portal.domain.errors import BadInput
from public_site.verify import verify
from tests.domain.draw_fixture import CASES, GOLDEN, read_folder, secret, write_folder

FILES = read_folder(GOLDEN / "sealed")
ROUND, PUBLIC, VOUCHER = FILES["round.json"], FILES["public/public.json"], FILES["voucher-1.json"]
TASK = "350582-2026-T001"
OTHER = "ab" * 32


def changed(data, *path, to):
    """Canonical bytes with one value replaced; `to` may be a function of the old value."""
    document = json.loads(data)
    at = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = to(at[path[-1]]) if callable(to) else to
    return canonical(document)


def verified(tmp_path, text, round_json=ROUND, public_json=PUBLIC):
    folder = write_folder(
        tmp_path, {"v.json": text, "public/round.json": round_json, "public/public.json": public_json}
    )
    out = io.StringIO()
    return verify.main([str(folder / "v.json"), str(folder / "public")], out), out.getvalue()


def test_a_voucher_proves_pool_ticket_and_draw(tmp_path):
    for number in range(1, 5):
        text = FILES[f"voucher-{number}.json"]
        assert voucher.require_voucher(text, ROUND, PUBLIC)["code"].startswith("9135")
        assert verified(tmp_path, text)[0] == 0


def test_a_voucher_shows_neither_class_nor_ticket():
    outcome = recompute.draw_round(FILES)
    for number in range(1, 5):
        text = FILES[f"voucher-{number}.json"].decode()
        code = json.loads(text)["code"]
        assert draw.ticket("sha256", outcome.draw_key, code).hex() not in text
        assert set(json.loads(text)) == {"spec", "round", "task", "code", "salt", "pool", "ticket", "drawn"}


def test_a_voucher_for_somebody_not_drawn_is_refused():
    outcome = recompute.draw_round(FILES)
    picked = draw.drawn_of(outcome.result[TASK]["strata"])
    for stranger in ("91350000000000000X", next(c for c in (f"9135{n:014d}" for n in range(37)) if c not in picked)):
        with pytest.raises(BadInput, match=f"{stranger}.*没有在任务"):
            voucher.format_vouchers(
                outcome.round, TASK, outcome.draw_key, secret("salt"), FILES[f"{TASK}/pool.tsv"], picked, [stranger]
            )


DIFFERENCES = [
    (("spec",), "ssj/2", "ssj/1"),
    (("round",), "350582-2026-R91", "350582-2026-R91"),
    (("task",), "350582-2026-T002", "大小|不成立|序号"),
    (("task",), "350582-2026-T009", "不在本轮"),
    (("code",), "9135#1", "不成立"),
    (("code",), "9 1", "代码"),
    (("salt",), OTHER, "不成立"),
    (("salt",), OTHER.upper(), "盐值"),
    (("pool", "index"), lambda n: n + 1, "序号不一致"),
    (("ticket", "index"), lambda n: n ^ 1, "序号不一致"),
    (("drawn", "index"), lambda n: n + 1, "不成立"),
    (("drawn", "index"), 99, "不成立"),
    (("drawn", "index"), -1, "序号"),
    (("drawn", "index"), True, "序号"),
    (("pool", "size"), lambda n: n + 1, "大小为 38，应为 37"),
    (("ticket", "size"), 36, "大小为 36，应为 37"),
    (("drawn", "size"), 1, "大小"),
    (("pool", "inner"), OTHER, "不成立"),
    (("ticket", "inner"), OTHER, "不成立"),
    (("drawn", "inner"), OTHER, "不成立"),
    (("pool", "path"), lambda path: path[:-1], "不成立"),
    (("pool", "path"), lambda path: [*path, OTHER], "不成立"),
    (("ticket", "path"), lambda path: path[::-1], "不成立"),
    (("drawn", "path"), lambda path: [OTHER, *path[1:]], "不成立"),
    (("drawn", "path"), lambda path: dict.fromkeys(path, 1), "列表"),
    (("drawn", "path"), lambda path: [None], "路径"),
    (("pool",), lambda proof: proof | {"more": 1}, "more"),
]


@pytest.mark.parametrize(("path", "to", "why"), DIFFERENCES)
def test_a_voucher_with_one_difference_is_refused_here_and_by_verify(tmp_path, path, to, why):
    text = changed(VOUCHER, *path, to=to)
    assert text != VOUCHER
    with pytest.raises(BadInput, match=why):
        voucher.require_voucher(text, ROUND, PUBLIC)
    code, said = verified(tmp_path, text)
    assert code == 1 and said.splitlines()[-1].startswith("FAIL  凭证成立")


@pytest.mark.parametrize(
    ("path", "to", "why"),
    [
        (("round_digest",), OTHER, "轮次摘要"),
        (("result_commit",), "x", "result_commit"),
        (("sources",), lambda rows: rows[:1], "1 个种子来源"),
        (("sources", 0, 0), "福彩快乐8 第2026321期", "不符"),
        (("sources", 0, 1), "1./", "号码"),
        (("sources", 0, 2), "2026-12-02T21:30:00+08:00", "不符"),
        (("sources", 0, 1), "-", "不足 80"),
        (("tasks",), lambda tasks: {TASK: tasks[TASK]}, "任务与"),
        (("tasks",), lambda tasks: tasks | {"T9": tasks[TASK]}, "任务与"),
        (("tasks", TASK, "drawn_root"), "x", "drawn_root"),
        (("tasks", "350582-2026-T002", "ticket_root"), None, "ticket_root"),
    ],
)
def test_a_public_file_that_does_not_fit_its_round_is_refused_before_any_voucher(tmp_path, path, to, why):
    public = changed(PUBLIC, *path, to=to)
    with pytest.raises(BadInput, match=why):
        voucher.require_voucher(VOUCHER, ROUND, public)
    code, said = verified(tmp_path, VOUCHER, public_json=public)
    assert code == 1 and said.startswith("FAIL  公开文件合规")


@pytest.mark.parametrize("name", ["ticket_root", "drawn_root", "count"])
def test_a_voucher_against_another_result_is_refused(tmp_path, name):
    public = changed(PUBLIC, "tasks", TASK, name, to=3 if name == "count" else OTHER)
    with pytest.raises(BadInput, match="不成立|大小"):
        voucher.require_voucher(VOUCHER, ROUND, public)
    assert verified(tmp_path, VOUCHER, public_json=public)[0] == 1


def test_an_open_round_has_no_vouchers(tmp_path):
    files = CASES["sm3"]()
    public = changed(PUBLIC, "round_digest", to=recompute.draw_round(files).round_digest.hex())
    with pytest.raises(BadInput, match="公开轮次"):
        voucher.require_voucher(VOUCHER, files["round.json"], public)
    assert verified(tmp_path, VOUCHER, round_json=files["round.json"], public_json=public)[0] == 1
