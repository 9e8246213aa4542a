"""How long the verification page in a headless Chromium needs to recompute an open round, files fetched over loopback.

    python -m bench.verify_js [--entries 1000000] [--runs 5] [--suite sha256|sm3] [--kind plain|towns|weights|all]

`plain`: one stratum, 3.5 %. `towns`: 20 strata, lr. `weights`: weights 1 to 9. `all`: 1,000,000 ppm, every entry ordered.
Prints seconds from the click to the verdict: medians of the first time in a new browser context (fetching and a cold worker) and
of a second time (files in memory); then the same with one character changed, which must turn its line red. The drawn round is made by the portal's own code, so the run also shows that both agree. Target (DRAW.md section 7):
1 M entries in 5 s or less.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import multiprocessing
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal.domain import commit, pool, recompute, rounds, seed
from portal.domain.bundle import canonical
from public_site.build import build
from public_site.bundle import load_bundle
from tests.public_site.browser import Browser, Page, program
from tests.public_site.bundle_fixture import make_bundle
from tests.public_site.conftest import FakePdfs

TASK, ROUND = "350582-2026-T001", "350582-2026-R003"
KINDS: dict[str, dict[str, Any]] = {
    "plain": {"towns": 1, "weights": 1, "ppm": 35_000, "rounding": "ceil"},
    "towns": {"towns": 20, "weights": 1, "ppm": 35_000, "rounding": "lr"},
    "weights": {"towns": 1, "weights": 9, "ppm": 35_000, "rounding": "ceil"},
    "all": {"towns": 1, "weights": 1, "ppm": 1_000_000, "rounding": "ceil"},
}


def rows(count: int, towns: int, weights: int) -> Iterator[tuple[str, str, int]]:
    """`count` sorted rows of 18-character codes."""
    for n in range(count):
        yield f"91350582{n * 7:010d}", "*" if towns == 1 else f"第{n * n % towns:02d}镇", 1 + n % weights


def write_round(folder: Path, count: int, suite: str, kind: str) -> str:
    """Write the files of a drawn and revealed round; gives its digest."""
    shape = KINDS[kind]
    directory = pool.format_pool(rows(count, shape["towns"], shape["weights"]))
    excluded = pool.format_codes(f"91350582{n * 7:010d}" for n in range(0, count, 97))
    strata = ["*"] if shape["towns"] == 1 else [f"第{n:02d}镇" for n in range(shape["towns"])]
    secrets = [bytes([n]) * 32 for n in (1, 2)]
    entry = commit.commit_task(
        suite=suite, task=TASK, pool=directory, excluded=excluded, quota={name: {"ppm": shape["ppm"]} for name in strata},
        rounding=shape["rounding"], minimum=1, reserve=0, salt_key=None,
    )  # fmt: skip
    sources = [{"name": "公证十面骰 二十五次", "bits": 83, "drawn_at": "2026-12-01T21:30:00+08:00", "groups": [[1, 0, 9]] * 25}]
    files = {f"{TASK}/pool.tsv": directory}
    if excluded:
        files[f"{TASK}/excluded.txt"] = excluded
    files["round.json"] = rounds.format_round(
        round_id=ROUND, suite=suite, disclosure="open", sources=sources,
        secrets=[{"holder": name, "commit": seed.commit_of(suite, one)} for name, one in zip(("信用监管科", "纪检监察组"), secrets, strict=True)],
        draw_not_before="2026-12-01T22:00:00+08:00", tasks=[entry], salt_commit=None, more=None,
    )  # fmt: skip
    value = seed.format_value([[int(digit)] for digit in "3141592653589793238462643"])
    files["reveal.json"] = canonical({"sources": [[sources[0]["name"], value, sources[0]["drawn_at"]]], "secrets": [one.hex() for one in secrets]})
    files["result.json"] = recompute.recompute(files)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return rounds.round_digest(suite, files["round.json"]).hex()


def make_site(folder: Path, count: int, suite: str, kind: str) -> None:
    """The site the tests build, its open round replaced by one of so many entries."""
    bundle = make_bundle(folder / "bundle")
    old = next(row["digest"] for row in load_bundle(bundle).rounds if row["code"] == ROUND)
    build(bundle, folder / "site", FakePdfs())
    shutil.rmtree(folder / "site/rounds" / ROUND)
    new = write_round(folder / "site/rounds" / ROUND, count, suite, kind)
    place = folder / "site/verify/index.html"
    page = place.read_text("utf-8")
    if old not in page:
        raise SystemExit("the verification page does not name the round's digest any more")
    place.write_text(page.replace(old, new), "utf-8")
    (folder / "site/tasks" / f"{ROUND}.json").unlink()  # of the round that was there: what it says would be compared


#: Presses a button of the page and gives what the summary says at the end, and after how many seconds.
PRESS = """new Promise((done) => {
  const summary = document.getElementById("summary"), began = performance.now();
  const seen = new MutationObserver(() => {
    if (!summary.className.startsWith("note")) return;
    seen.disconnect();
    done({said: summary.textContent, bad: [...document.querySelectorAll("#lines li.bad")].map((one) => one.textContent), seconds: (performance.now() - began) / 1000});
  });
  seen.observe(summary, {attributes: true, childList: true});
  document.querySelector(%s).click();
})"""


def measure(page: Page, button: str = "#recompute button") -> dict[str, Any]:
    return page.value(PRESS % json.dumps(button))


def agreed(found: dict[str, Any]) -> float:
    if "0 项不一致" not in found["said"]:
        raise SystemExit(f"verify.js does not agree with the portal: {found['said']} {found['bad']}")
    return float(found["seconds"])


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Only figures are printed."""


def serve(folder: Path, told: multiprocessing.Queue) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        told.put(server.server_address[1])
        server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--suite", default="sha256", choices=["sha256", "sm3"])
    parser.add_argument("--kind", default="plain", choices=sorted(KINDS))
    asked = parser.parse_args()
    if program() is None:
        raise SystemExit("needs a Chromium browser on PATH")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        make_site(folder, asked.entries, asked.suite, asked.kind)
        made = time.perf_counter() - began
        told: multiprocessing.Queue = multiprocessing.Queue()
        server = multiprocessing.Process(target=serve, args=(folder / "site", told), daemon=True)
        server.start()
        address = f"http://127.0.0.1:{told.get()}/verify/index.html?round={ROUND}"
        with Browser() as browser:
            cold, warm = [], []
            for _ in range(asked.runs):
                page = browser.page()  # a new context: nothing fetched, nothing compiled
                page.open(address)
                cold.append(agreed(measure(page)))
                warm.append(agreed(measure(page)))
            changed = measure(page, "#tamper")
        server.terminate()
        server.join()
    if not changed["bad"]:
        raise SystemExit(f"a changed character was not found: {changed['said']}")
    print(f"{asked.entries:,} entries, {asked.suite}, {asked.kind}: {statistics.median(cold):.2f} s from the click to the verdict, fetching included; {statistics.median(warm):.2f} s again")
    print(f"medians of {asked.runs}, each in a new browser context: {' '.join(f'{one:.2f}' for one in cold)}; again {' '.join(f'{one:.2f}' for one in warm)}; target: 1,000,000 in 5 s")
    print(f"one character changed: {changed['seconds']:.2f} s until “{changed['bad'][0]}”; the round was made and drawn in Python in {made:.1f} s")


if __name__ == "__main__":
    main()
