"""`read_sheet` in a child process that can be killed: for files that came over the network.

The parser is native code reading hostile bytes, so it works in a process of its
own with a limit on memory and on time.  The child answers in JSON, a few hundred
rows a line: nothing that could run code comes back, and decoding a line never
holds up the other threads of this process for long.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

from portal.domain.cells import Cell, Sheet
from portal.domain.errors import BadInput, Problem
from portal.sheets.limits import UPLOAD, Limits, called
from portal.sheets.read import open_sheet
from portal.sheets.source import Source

__all__ = ["read_sheet_limited"]

_ROOT = str(Path(__file__).resolve().parents[2])
_ROWS_A_LINE = 200


def read_sheet_limited(
    data: bytes, name: str = "", limits: Limits = UPLOAD, sheet: str = "",
    seconds: float = 20, memory_bytes: int = 512 << 20,
) -> Sheet:
    """Like `read_sheet`, but the parsing happens elsewhere and ends after `seconds` or beyond `memory_bytes`.

    Blocks: call it in a thread. BadInput where the file is refused, and where the
    child had to be killed or died of it.
    """
    Source(data, called(name), limits)  # refused by size before anything is copied
    task = {"name": name, "limits": asdict(limits), "sheet": sheet, "seconds": int(seconds) + 1, "memory": memory_bytes}
    environment = {"PYTHONPATH": _ROOT, "PYTHONIOENCODING": "utf-8", "PATH": os.environ.get("PATH", "")}
    with tempfile.TemporaryFile() as file:  # not a pipe: nobody waits for the other to read
        file.write(data)
        file.seek(0)
        child = subprocess.Popen(
            [sys.executable, "-B", "-m", "portal.sheets.limited", json.dumps(task)],
            stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
        )
    late = threading.Event()

    def end() -> None:
        late.set()
        child.kill()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    assert child.stdout is not None
    try:
        return _answer(child.stdout, name, limits)
    except _Dead:
        if late.is_set():
            raise BadInput(
                f"{called(name)}在 {seconds:g} 秒内没有读完，已停止。请删除多余的格式和空行，或另存为 CSV 后重新上传。"
            ) from None
        raise BadInput(f"{called(name)}无法读取：内容过大或已损坏。请另存为“Excel 工作簿（.xlsx）”或 CSV 后重新上传。") from None
    finally:
        timer.cancel()
        child.kill()
        child.stdout.close()
        child.wait()


class _Dead(Exception):
    """The child ended before its answer did."""


def _answer(lines: IO[bytes], name: str, limits: Limits) -> Sheet:
    rows: list[tuple[Cell, ...]] = []
    size = 0
    head: dict[str, Any] = {}
    for line in lines:
        size += len(line)
        if size > limits.text_bytes:
            raise BadInput(f"{called(name)}的文字超过 {limits.text_bytes >> 20} MB。请拆分后分别上传。")
        try:
            part = json.loads(line)
        except ValueError:
            raise _Dead from None  # killed in the middle of a line
        if "rows" in part:
            rows += (tuple(map(_from_json, row)) if any(type(c) is dict for c in row) else tuple(row) for row in part["rows"])
        elif "refused" in part:
            raise BadInput(part["refused"], [Problem(*one) for one in part["problems"]])
        elif "end" in part:
            merged = tuple(((a, b), (c, d)) for (a, b), (c, d) in head["merged"])
            return Sheet(tuple(rows), merged, head["name"], head["kind"], tuple(head["others"]))
        else:
            head = part
    raise _Dead


def main() -> None:
    """The child: the task as JSON in its first argument, the file on stdin; the sheet on stdout, a line of JSON a part."""
    task = json.loads(sys.argv[1])
    _limit_process(task["memory"], task["seconds"])
    try:
        opened = open_sheet(sys.stdin.buffer.read(), task["name"], Limits(**task["limits"]), task["sheet"])
        _say({"name": opened.name, "kind": opened.kind, "others": opened.others, "merged": opened.merged})
        while rows := list(islice(opened.rows, _ROWS_A_LINE)):
            _say({"rows": rows})
        _say({"end": True})
    except BadInput as refusal:
        problems = [(p.field, p.message, p.row) for p in refusal.problems]
        _say({"refused": refusal.message, "problems": problems})


def _say(part: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(part, ensure_ascii=False, separators=(",", ":"), default=_to_json) + "\n")


def _limit_process(memory_bytes: int, seconds: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows: there the time limit of the parent is what holds
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _to_json(cell: object) -> dict[str, str]:
    if isinstance(cell, datetime):
        return {"at": cell.isoformat()}
    if isinstance(cell, date):
        return {"on": cell.isoformat()}
    raise TypeError(f"no cell is a {type(cell).__name__}")


def _from_json(cell: object) -> object:
    if type(cell) is dict:
        return datetime.fromisoformat(cell["at"]) if "at" in cell else date.fromisoformat(cell["on"])
    return cell


if __name__ == "__main__":
    main()
