"""verify.js in a headless Chromium: agrees with the portal, goes red on any change, works on the page."""

import base64
import hashlib
import json
import random
import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest

from portal.domain import draw, pool, recompute, replacement
from portal.domain.bundle import canonical, hasher
from public_site.release import release
from public_site.verify import verify
from tests.domain.draw_fixture import GOLDEN, codes, committed, drawn, read_folder, revealed, task
from tests.domain.replaced import EVIDENCE, replaced
from tests.domain.test_replacement import WRONG
from tests.public_site.browser import Browser, Page, program
from tests.public_site.bundle_fixture import make_bundle, seal
from tests.public_site.conftest import FakePdfs
from tests.public_site.test_verify_py import MALFORMED_ROUNDS, VECTORS, WRONG_FILES, WRONG_REVEALS, with_excluded, with_pool
from tests.public_site.serving import served

pytestmark = pytest.mark.chromium

ROUND, SEALED_ROUND = "350582-2026-R003", "350582-2026-R90"
T1 = "350582-2026-T001"
Files = Mapping[str, bytes]

#: Runs rounds and vouchers from memory: a list of {files: {path: base64}, digest, voucher} in, a list of outcomes out.
HARNESS = """window.checkAll = async (jobs) => {
  const found = [];
  for (const {files, digest, voucher} of jobs) {
    const bytes = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]));
    const read = async (name) => {
      if (bytes[name] || name.endsWith("/excluded.txt")) return bytes[name] ?? null;
      throw Object.assign(new Error("读不到"), {where: name});
    };
    const lines = [], tell = (step) => { if (step.line) lines.push(step.line); };
    const steps = voucher ? ssj1.voucher({voucher: bytes[voucher], digest}) : ssj1.recompute({round: "", digest});
    try {
      const {K, S, commit, result, label, code} = await ssj1.drive(steps, {read, tell});
      found.push({ok: true, K, S, commit, result, label, code, lines});
    } catch (error) { found.push({ok: false, what: error.message, where: error.where, hash: error.hash, lines}); }
  }
  return found;
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a published site with true verify programs and a golden sealed round beside the fixture's own."""
    folder = tmp_path_factory.mktemp("verify-site")
    bundle = make_bundle(folder / "bundle")
    public = bundle / "rounds" / SEALED_ROUND
    shutil.copytree(GOLDEN / "sealed" / "public", public)
    seal(bundle)
    release(bundle, folder / "site", FakePdfs())
    with served(folder / "site") as address:
        yield f"{address}/verify/index.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if program() is None:
        pytest.skip("needs a Chromium browser")
    with Browser(unseen=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def engine(browser: Browser, site: str) -> Page:
    """A page on which checks run from memory."""
    page = browser.page()
    page.open(site)
    page.value(f"{HARNESS}; 0")
    return page


def check_all(engine: Page, jobs: list[tuple[Files, str, str]]) -> list[dict[str, Any]]:
    """Outcomes of (files, digest or "", voucher's name or "")."""
    sent = [
        {"files": {name: base64.b64encode(data).decode() for name, data in files.items()}, "digest": digest, "voucher": voucher}
        for files, digest, voucher in jobs
    ]
    return list(engine.value(f"checkAll({json.dumps(sent)})"))


def check(engine: Page, files: Files, digest: str = "", voucher: str = "") -> dict[str, Any]:
    return check_all(engine, [(files, digest, voucher)])[0]


def require_same(found: dict[str, Any], files: Files) -> None:
    outcome = recompute.draw_round(files)
    assert found["ok"], found
    assert (found["K"], found["S"], found["commit"]) == (outcome.draw_key.hex(), outcome.seed.hex(), outcome.result_commit)
    assert found["result"].encode() == files["result.json"] and found["label"] == outcome.label
    assert "bad" not in [line["tag"] for line in found["lines"]]


# Replacement -----------------------------------------------------------------------------------


def announced(files: Files) -> Files:
    """The files with an announcement beside them that tells of the replacement."""
    outcome = recompute.draw_round(files)
    done = {"commit": replacement.replacement_commit("sha256", outcome.draw_key, files["replacement.json"])}
    row = {"digest": outcome.round_digest.hex(), "committed_at": "2026-11-30T09:00:00+08:00", "result_commit": outcome.result_commit,
           "replacement": {"on": "2026-12-05", "done": done}, "tasks": []}  # fmt: skip
    return {**files, "announcement": json.dumps(row).encode()}


def test_a_replacement_is_replaced_again_beyond_the_reserve_too(engine: Page) -> None:
    files = replaced("open")
    outcome = recompute.draw_round(files)
    row = outcome.result["T1"]["strata"]["*"]
    states = {code: EVIDENCE for code in (row["drawn"][1], *row["reserve"])}
    found = replacement.replace_tasks("sha256", outcome.draw_key, files, outcome.result, states)
    far = replacement.format_replacement(outcome.round, outcome.round_digest.hex(), date(2026, 12, 5), states, (), found)
    for one in (files, {**files, "replacement.json": far}):
        recompute.require_bundle(one)
        lines = check(engine, announced(one))["lines"]
        assert any("补抽" in line["what"] and line["tag"] == "ok" for line in lines), lines


def test_a_wrong_replacement_goes_red_here_too(engine: Page) -> None:
    names = sorted(WRONG.keys() - {"evidence from a file without digest"})
    outcomes = check_all(engine, [(announced(WRONG[name][0]), "", "") for name in names])
    assert [name for name, found in zip(names, outcomes, strict=True) if found["ok"]] == []
    other = announced(replaced("open"))
    other["announcement"] = other["announcement"].replace(json.loads(other["announcement"])["replacement"]["done"]["commit"].encode(), b"ab" * 32)
    assert not check(engine, other)["ok"]


# True rounds and vouchers ----------------------------------------------------------------------


@pytest.mark.parametrize("case", ["open", "sm3"])
def test_a_golden_round_comes_out_the_same(engine: Page, case: str) -> None:
    files = read_folder(GOLDEN / case)
    require_same(check(engine, files, recompute.draw_round(files).round_digest.hex()), files)


@pytest.mark.parametrize("name", ["open", "internal", "sm3_weighted"])
def test_a_shared_vector_comes_out_the_same(engine: Page, name: str) -> None:
    if not VECTORS.is_dir():
        pytest.skip("the draw vectors are not here (set MINGCHA_SHARED)")
    files = read_folder(VECTORS / name)
    found = check(engine, files)
    require_same(found, files)
    wanted = next(one for one in json.loads((VECTORS / "vectors.json").read_bytes())["bundles"] if one["bundle"] == name)
    assert (found["S"], found["K"], found["commit"]) == (wanted["S"], wanted["K"], wanted["result_commit"])


@pytest.mark.parametrize("suite", ["sha256", "sm3"])
def test_large_and_weighted_pools_come_out_the_same(engine: Page, suite: str) -> None:
    towns = ["东石镇", "Ａ镇", "𠮷镇"]  # one name beyond U+FFFF: JavaScript would sort it before the full-width letter
    many = [(code, towns[n % 3], 999_999) for n, code in enumerate(codes(15_000))]
    some = [(code, "*", 1 + n * n % 7) for n, code in enumerate(codes(3000, 5))]
    odd = [(code, "*", 1) for code in sorted(["a", "A" * 64, "A", "A-", "A#", "_", "__proto__", *codes(700)])]
    tasks = [
        task("__proto__", many, {name: {"ppm": 930_000} for name in towns}, rounding="lr", excluded=codes(900, 16)),
        task("T2", some, {"*": {"ppm": 50_000}}, reserve=7),
        task("T4", [(code, ("Aa", "BB")[n % 2], 1) for n, code in enumerate(codes(40))], {"Aa": {"count": 3}, "BB": {"count": 5}}),  # alike in hash
        task("T3", odd, {"*": {"ppm": 1_000_000}}, excluded=["A", "A-", "__proto__"]),
    ]
    files = drawn(revealed(committed(tasks, suite=suite)))
    require_same(check(engine, files), files)


def test_random_rounds_come_out_the_same(engine: Page) -> None:
    chance, rounds = random.Random("verify.js"), []
    for number in range(12):
        size = chance.choice([1, 2, 255, 256, 257, 512, 700])
        rows = [(code, chance.choice("AB"), chance.choice([1, 1, 1, 2])) for code in codes(size)]
        quota = {"A": {"count": max(1, size // 50)}, "B": {"ppm": chance.randrange(1, 60_000)}, "C": {"ppm": 500_000}}
        gone = [code for code, _, _ in rows if chance.random() < 0.1]
        each = task("T1", rows, quota, excluded=gone, minimum=0, reserve=chance.randrange(5), rounding=chance.choice(["ceil", "lr"]))
        rounds.append(committed([each], round_id=f"R{number}") if size > 2 else committed([each | {"rows": [(c, s, 1) for c, s, _ in rows], "excluded": []}]))
    rounds = [drawn(revealed(files)) for files in rounds]
    for found, files in zip(check_all(engine, [(files, "", "") for files in rounds]), rounds, strict=True):
        require_same(found, files)


def test_lottery_numbers_are_left_to_the_reader(engine: Page) -> None:
    lines = check(engine, read_folder(GOLDEN / "open"))["lines"]
    asked = [line["what"] for line in lines if line["word"] == "对照"]
    assert any("快乐8" in what and "72 小时内没有开出" in what for what in asked) and any("十面骰" in what for what in asked)
    assert next(line["hash"] for line in lines if "十面骰" in line["what"]) == " ".join("3141592653589793238462643")


def sealed_cases() -> list[tuple[Files, str]]:
    """The public folder with each voucher of the sealed golden bundle and, where present, of the shared one."""
    found = []
    for folder in (GOLDEN / "sealed", VECTORS / "sealed"):
        for path in sorted(folder.glob("voucher-*.json")):
            public = {name: (folder / "public" / name).read_bytes() for name in ("round.json", "public.json")}
            found.append(({**public, "voucher.json": path.read_bytes()}, json.loads(path.read_bytes())["code"]))
    return found


def test_every_true_voucher_holds(engine: Page) -> None:
    cases = sealed_cases()
    assert len(cases) >= 4
    outcomes = check_all(engine, [(files, hashlib.sha256(files["round.json"]).hexdigest(), "voucher.json") for files, _ in cases])
    for found, (_, code) in zip(outcomes, cases, strict=True):
        assert found["ok"] and found["code"] == code, found
        assert len([line for line in found["lines"] if line["word"] == "一致" and line["what"].startswith(code)]) == 3


def test_a_voucher_with_anything_changed_does_not_hold(engine: Page) -> None:
    files = sealed_cases()[0][0]
    whole = json.loads(files["voucher.json"])
    wrong = [whole | {"code": "913500000000000003"}, whole | {"task": "350582-2026-T002"}, whole | {"task": "T9"}, whole | {"round": "R1"},
             whole | {"salt": "ab" * 32}, whole | {"spec": "ssj/2"}, whole | {"note": 1}, {"spec": "ssj/1"}]  # fmt: skip
    for part in ("pool", "ticket", "drawn"):
        proof = whole[part]
        for change in ({"index": proof["index"] + 1}, {"index": proof["size"]}, {"size": proof["size"] + 1}, {"inner": "ab" * 32}, {"path": proof["path"][:-1]},
                       {"path": [*proof["path"], "ab" * 32]}, {"path": proof["path"][::-1]}, {"index": -1}, {"index": 0.5}):  # fmt: skip
            wrong.append(whole | {part: proof | change})
    jobs = [(files | {"voucher.json": json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()}, "", "voucher.json") for one in wrong]
    jobs += [(files | {"voucher.json": files["voucher.json"] + b"\n"}, "", "voucher.json"), (files, "ab" * 32, "voucher.json")]
    for name in ("round.json", "public.json"):
        data, chance = files[name], random.Random(name)
        for place in [chance.randrange(len(data)) for _ in range(25)]:
            jobs.append((files | {name: data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]}, "", "voucher.json"))
    holds = [number for number, found in enumerate(check_all(engine, jobs)) if found["ok"]]
    # What no voucher can prove: the result's digest (left to the reader), and another task's count and roots.
    for number in holds:
        assert number >= len(wrong) + 2
        public = json.loads(jobs[number][0]["public.json"])
        before = json.loads(files["public.json"])
        assert {**public, "result_commit": "", "tasks": {whole["task"]: public["tasks"][whole["task"]]}} == {
            **before, "result_commit": "", "tasks": {whole["task"]: before["tasks"][whole["task"]]}}  # fmt: skip


# Red lines -------------------------------------------------------------------------------------


def test_any_one_byte_change_goes_red_and_names_the_file(engine: Page) -> None:
    jobs, names = [], []
    for case in ("open", "sm3"):
        files = read_folder(GOLDEN / case)
        digest, chance = recompute.draw_round(files).round_digest.hex(), random.Random(f"one byte of {case}")
        for name in (name for name in files if name not in ("slots.json", "assigned.json")):
            data = files[name]
            places = {0, len(data) - 1, *(chance.randrange(len(data)) for _ in range(10))}
            changed = [data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :] for place in places]
            for wrong in (*changed, data[:-1], data + b"\n", b""):
                jobs.append((files | {name: wrong}, digest, ""))
                names.append(name)
    for found, name in zip(check_all(engine, jobs), names, strict=True):
        assert not found["ok"] and found["where"].startswith(name), (name, found)


def test_a_wrong_line_is_named_by_its_number(engine: Page) -> None:
    files = read_folder(GOLDEN / "open")
    lines = files[f"{T1}/pool.tsv"].split(b"\n")
    lines[259] = lines[259].replace(b"\t1", b"\t0")
    found = check(engine, files | {f"{T1}/pool.tsv": b"\n".join(lines)})
    assert found["where"] == f"{T1}/pool.tsv 第 260 行"
    result = json.loads(files["result.json"])
    codes_drawn = result[T1]["strata"]["*"]["drawn"]
    codes_drawn[2], codes_drawn[5] = codes_drawn[5], codes_drawn[2]
    found = check(engine, files | {"result.json": canonical(result)})
    assert "层“*”抽中的第 3 位不同" in found["what"] and found["hash"] == f"公布 {codes_drawn[2]}　算出 {codes_drawn[5]}"


def is_open(files: Files) -> bool:
    return b'"disclosure":"sealed"' not in files["round.json"]


def test_what_the_portal_refuses_is_refused(engine: Page) -> None:
    open_only = [(what, files, place) for cases, place in ((WRONG_REVEALS, "reveal.json"), (WRONG_FILES, "T1/")) for what, files in cases.items() if is_open(files)]
    cases = [(what, files, "round.json") for what, files in MALFORMED_ROUNDS.items()] + open_only
    assert len(cases) > 80
    for found, (what, _, place) in zip(check_all(engine, [(files, "", "") for _, files, _ in cases]), cases, strict=True):
        assert not found["ok"], what
        assert (found["where"] or "").startswith((place, "round.json") if what == "a stratum without quota" else place), (what, found)
        assert place != "round.json" or not found["lines"], what  # the first thing checked


def test_the_same_files_committed_rightly_are_accepted(engine: Page) -> None:
    for files in (with_pool(b"A\t*\t1\nB\t*\t1\nC\t*\t1\nD\t*\t2\n", {"*": {"count": 2}}), with_excluded(b"A\nC\n")):
        whole = drawn(files)
        require_same(check(engine, whole), whole)


def test_a_sealed_round_is_not_recomputed_here(engine: Page) -> None:
    found = check(engine, read_folder(GOLDEN / "sealed"))
    assert not found["ok"] and "只能核对凭证" in found["what"]


CANONICAL = {
    '{"a":1,"b":[true,null,"x\\"\\\\"]}': True, '{"":0,"Ａ":1,"𠮷":2}': True, "[-9007199254740991]": True, '"\u2028"': True, '{"__proto__":1}': True,
    '{"b":1,"a":2}': False, '{"a":1,"a":1}': False, '{"a": 1}': False, '"\\u0041"': False, '"\\/"': False, '"\\n"': False, "[1.0]": False, "[-0]": False,
    "[1e2]": False, "[01]": False, "[9007199254740992]": False, "[1e+21]": False, '{"𠮷":2,"Ａ":1}': False, "\ufeff[]": False, "[]\n": False, "": False,
    '"\\ud800"': False, '{"__proto__":1,"__proto__":1}': False, "[NaN]": False,
}  # fmt: skip


def test_json_is_read_only_where_it_is_canonical(engine: Page) -> None:
    script = "(texts) => texts.map((text) => { try { ssj1.readJson(new TextEncoder().encode(text), 'x'); return true; } catch { return false; } })"
    found = engine.value(f"({script})({json.dumps(list(CANONICAL))})")
    assert dict(zip(CANONICAL, found, strict=True)) == CANONICAL
    for text, fine in CANONICAL.items():  # verify.py says the same
        try:
            verify.read_json(text.encode())
        except ValueError:
            assert not fine, text
        else:
            assert fine, text
    assert engine.value("(() => { try { ssj1.readJson(Uint8Array.of(34, 0xc0, 0xaf, 34), 'x'); } catch { return 'refused'; } })()") == "refused"


# Parts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", ["sha256", "sm3"])
def test_its_hashes_are_the_standard_ones(engine: Page, suite: str) -> None:
    lengths = [*range(135), 191, 192, 193, 1000, 4095]
    script = f"({json.dumps(lengths)}).map((n) => ssj1.hex(ssj1.{suite}(Uint8Array.from({{length: n}}, (_, i) => (i * 7 + n) & 255))))"
    assert engine.value(script) == [hasher(suite)(bytes((i * 7 + n) & 255 for i in range(n))).hex() for n in lengths]
    known = {"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "sm3": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"}
    assert engine.value(f"ssj1.hex(ssj1.{suite}('abc'))") == known[suite]


def test_order_keys_are_divided_exactly(engine: Page) -> None:
    chance = random.Random("divide")
    cases = [(chance.getrandbits(64), chance.randrange(1, 1_000_000)) for _ in range(3000)]
    cases += [(top, weight) for top in (0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 2**53, 999_999 * 2**32) for weight in (1, 2, 3, 999_998, 999_999)]
    found = engine.value(f"({json.dumps([[n >> 32, n & 0xFFFFFFFF, w] for n, w in cases])}).map((one) => ssj1.divide(...one))")
    assert [high * 2**32 + low for high, low in found] == [n // weight for n, weight in cases]


def test_quotas_are_rounded_as_the_portal_rounds(engine: Page) -> None:
    chance, cases = random.Random("quotas"), []
    for _ in range(400):
        names = chance.sample(["A", "B", "C", "D", "东", "西", "Ａ", "𠮷"], chance.randrange(1, 8))
        sizes = {name: chance.choice([1, 2, 5, 40, 300, 8_000_000]) for name in names if chance.random() < 0.9}
        ppm = chance.randrange(1_000_001)  # often alike: ties
        quota = {name: {"count": chance.randrange(400)} if chance.random() < 0.2 else {"ppm": chance.choice([0, ppm, ppm, 1_000_000, 35_000])} for name in names}
        cases.append([list(sizes.items()), list(quota.items()), chance.choice(["ceil", "lr", "lr"]), chance.randrange(5)])
    script = "(cases) => cases.map(([sizes, quota, rounding, minimum]) => [...ssj1.quotas(new Map(sizes), new Map(quota), rounding, minimum)])"
    found = engine.value(f"({script})({json.dumps(cases)})")
    assert [dict(one) for one in found] == [draw.quotas(dict(sizes), dict(quota), rounding, minimum) for sizes, quota, rounding, minimum in cases]


# The page --------------------------------------------------------------------------------------

DONE = "/note/.test(document.getElementById('{}').className)"


def text_of(page: Page, name: str) -> str:
    return str(page.value(f"document.getElementById('{name}').textContent"))


@pytest.mark.parametrize("worker", [True, False], ids=["in a worker", "where workers are refused"])
def test_the_page_recomputes_a_round_named_in_its_address(browser: Browser, site: str, worker: bool) -> None:
    page = browser.page()
    if not worker:
        page.run_first("window.Worker = class { constructor() { throw new Error('refused'); } }")
    page.open(f"{site}?round={ROUND}&run=1")
    page.until(DONE.format("summary"))
    assert "9 项一致，0 项不一致。另有 2 项请您自己对照。本轮属于“公开可验证”。" in text_of(page, "summary")
    assert page.value("[...document.querySelectorAll('#lines .tag')].map((tag) => tag.textContent).join()") == (
        "一致,一致,一致,对照,对照,一致,算出,一致,一致,一致,一致,一致"
    )
    assert "承诺早于开奖 4 天 11 小时" in text_of(page, "lines") and "登记事项与公示信息检查：抽中 23 户，逐户、逐位次相同" in text_of(page, "lines")
    assert page.value("document.getElementById('progress').hidden") is True
    page.value("document.getElementById('tamper').click()")
    page.until("document.querySelector('#lines li.bad')")
    page.until(DONE.format("summary"))
    assert "改一个字，核验就发现了" in text_of(page, "summary") and "名录根不同" in text_of(page, "lines")
    assert page.value("[...document.querySelectorAll('#lines .tag')].slice(-3).map((tag) => tag.textContent).join()") == "试改,不一致,未算"
    page.value("document.querySelector('#recompute button').click()")
    page.until("document.querySelectorAll('#lines .tag.ok').length === 9")
    assert page.complaints == []


def test_a_code_is_looked_up_in_the_round(browser: Browser, site: str) -> None:
    page = browser.page(390)
    page.open(f"{site}?round={ROUND}")
    strata = page.value(f"fetch('../rounds/{ROUND}/result.json').then((answer) => answer.json())")[T1]["strata"]["*"]

    def ask(code: str) -> tuple[str, str]:
        page.value("document.getElementById('lookup-summary').className = ''")
        page.value(f"document.getElementById('code').value = {json.dumps(code)}; document.querySelector('#lookup button').click()")
        page.until(DONE.format("lookup-summary"))
        return text_of(page, "lookup-summary"), text_of(page, "lookup-lines")

    summary, lines = ask(f" {strata['drawn'][4].lower()} ")
    assert "抽中" in summary and f"{strata['available']} 户里排第 5 位，抽 {strata['quota']} 户，抽中" in lines
    _, lines = ask(strata["reserve"][0])
    assert "没有抽中，候补第 1 位" in lines
    listed = page.value(f"fetch('../rounds/{ROUND}/{T1}/excluded.txt').then((answer) => answer.text())").split()
    assert "列入排除名单" in ask(listed[0])[1]
    summary, lines = ask("91350582MA00000000")
    assert "不在这一轮的名录里" in summary and "不在名录里" in lines
    assert "请输入统一社会信用代码" in ask("晋江市")[0]
    data = page.value(f"fetch('../rounds/{ROUND}/{T1}/pool.tsv').then((answer) => answer.text())").encode()
    middle = pool.BLOCK_LINES + 3  # an entry of the second block: its line and its ticket
    code = data.split(b"\n")[middle - 1].split(b"\t")[0].decode()
    lines = ask(code)[1]
    key = recompute.draw_round(site_files(page)).draw_key
    assert f"第 {middle} 行，第 2 块" in lines and hashlib.sha256(key + code.encode()).hexdigest() in lines
    assert page.value("document.documentElement.scrollWidth") <= 390 and page.complaints == []


def site_files(page: Page) -> dict[str, bytes]:
    names = ["round.json", "reveal.json", *(f"350582-2026-T00{n}/{name}" for n in (1, 2) for name in ("pool.tsv", "excluded.txt"))]
    texts = page.value(f"Promise.all({json.dumps(names)}.map((name) => fetch('../rounds/{ROUND}/' + name).then((answer) => answer.text())))")
    return {name: text.encode() for name, text in zip(names, texts, strict=True)}


def test_a_voucher_is_checked_on_the_page(browser: Browser, site: str) -> None:
    page = browser.page()
    page.open(site)
    true = (GOLDEN / "sealed" / "voucher-1.json").read_text("utf-8")

    def choose(content: str) -> str:
        page.value(
            f"(() => {{ const chosen = new DataTransfer(); chosen.items.add(new File([{json.dumps(content)}], 'voucher.json'));"
            "document.getElementById('voucher-file').files = chosen.files;"
            "document.getElementById('voucher-summary').className = ''; document.querySelector('#voucher button').click(); })()"
        )
        page.until(DONE.format("voucher-summary"))
        return text_of(page, "voucher-summary")

    assert "凭证成立。" in choose(true) and page.value("document.querySelectorAll('#voucher-lines .tag.ok').length") == 4
    assert "凭证不成立。" in choose(true.replace('"salt":"', '"salt":"0', 1)) and page.value("document.querySelectorAll('#voucher-lines li.bad').length") == 1
    assert "凭证不成立。" in choose("not a voucher")
    assert "没有核对成。" in choose(true.replace("-R90", "-R91"))


def test_a_round_that_cannot_be_recomputed_is_not_replaced_by_another(browser: Browser, site: str) -> None:
    page = browser.page()
    page.open(f"{site}?round=350582-2026-R002&run=1")
    page.until(DONE.format("summary"))
    assert "这一轮现在不能重算" in text_of(page, "summary") and page.value("document.getElementById('lines').hidden") is True


def test_a_file_that_cannot_be_read_is_said_and_is_no_verdict(browser: Browser, site: str) -> None:
    page = browser.page()
    page.open(site)
    page.value("document.getElementById('recompute').dataset.rounds = '../nowhere/'")
    page.value("document.querySelector('#recompute button').click()")
    page.until(DONE.format("summary"))
    assert "没有算完。读不到文件 round.json（404）" in text_of(page, "summary") and "不一致" not in text_of(page, "lines")
