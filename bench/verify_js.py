"""How long a headless Chromium needs to recompute an open round with verify.js, files fetched over loopback.

    python -m bench.verify_js [--entries 1000000] [--runs 3] [--suite sha256|sm3] [--kind plain|towns|weights|all]

`plain`: one stratum, 3.5 %. `towns`: 20 strata, lr. `weights`: weights 1 to 9. `all`: 1,000,000 ppm, every entry ordered.
Prints seconds: the first run (fetching and a cold worker), then the median of runs whose files are in memory.
The drawn round is made by the portal's own code, so the run also shows that both agree. Target (DRAW.md section 7):
1 M entries in 5 s or less.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal.domain import commit, pool, recompute, rounds, seed
from portal.domain.bundle import canonical
from public_site.build import VERIFY
from tests.public_site.browser import Browser, Page, program

TASK, ROUND = "350582-2026-T001", "350582-2026-R01"
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


RUN = """new Promise((done) => {
  window.worker ??= new Worker("verify.js");
  const job = {kind: "recompute", base: new URL("round/", document.baseURI).href, announcement: new URL("round/round.json", document.baseURI).href, round: %s, digest: %s};
  const began = performance.now(), bad = [];
  worker.onmessage = ({data}) => {
    if (data.line?.tag === "bad") bad.push(data.line.what);
    if (data.end) done({ok: data.end.ok, bad, seconds: (performance.now() - began) / 1000});
  };
  worker.postMessage(job);
})"""


def measure(page: Page, digest: str) -> float:
    found = page.value(RUN % (json.dumps(ROUND), json.dumps(digest)))
    if not found["ok"]:
        raise SystemExit(f"verify.js does not agree with the portal: {found['bad']}")
    return float(found["seconds"])


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Only figures are printed."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--suite", default="sha256", choices=["sha256", "sm3"])
    parser.add_argument("--kind", default="plain", choices=sorted(KINDS))
    asked = parser.parse_args()
    if program() is None:
        raise SystemExit("needs a Chromium browser on PATH")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        digest = write_round(folder / "round", asked.entries, asked.suite, asked.kind)
        made = time.perf_counter() - began
        (folder / "verify.js").write_bytes((VERIFY / "verify.js").read_bytes())
        (folder / "index.html").write_text("<!doctype html><title>bench</title>", "utf-8")
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            with Browser() as browser:
                page = browser.page()
                page.open(f"http://127.0.0.1:{server.server_address[1]}/index.html")
                first, *later = [measure(page, digest) for _ in range(asked.runs + 1)]
            server.shutdown()
    print(f"{asked.entries:,} entries, {asked.suite}, {asked.kind}: first run {first:.2f} s; files in memory {statistics.median(later):.2f} s (median of {asked.runs})")
    print(f"{asked.entries / statistics.median(later):,.0f} entries a second; the round was made and drawn in Python in {made:.1f} s; target: 1,000,000 in 5 s")


if __name__ == "__main__":
    main()
