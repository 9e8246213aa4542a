"""`read_sheet` in a child process that can be killed: for files that came over the network.

The parser is native code reading hostile bytes, so it works in a process of its
own with a limit on memory and on time.  The child answers in JSON: nothing that
could run code comes back.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path

from portal.domain.cells import Sheet
from portal.domain.errors import BadInput, Problem
from portal.sheets.read import UPLOAD, Limits, read_sheet

__all__ = ["read_sheet_limited"]

_ROOT = str(Path(__file__).resolve().parents[2])


def read_sheet_limited(
    data: bytes, name: str = "", limits: Limits = UPLOAD, sheet: str = "",
    seconds: float = 20, memory_bytes: int = 1 << 30,
) -> Sheet:
    """Like `read_sheet`, but the parsing happens elsewhere and ends after `seconds` or beyond `memory_bytes`.

    Blocks: call it in a thread. BadInput where the file is refused, and where the
    child had to be killed or died of it.
    """
    called = f"“{name}”" if name else "文件"
    if len(data) > limits.file_bytes:
        read_sheet(data, name, limits, sheet)  # refused by size, before anything is copied
    task = {"name": name, "limits": asdict(limits), "sheet": sheet, "seconds": int(seconds) + 1, "memory": memory_bytes}
    environment = {"PYTHONPATH": _ROOT, "PYTHONIOENCODING": "utf-8", "PATH": os.environ.get("PATH", "")}
    try:
        child = subprocess.run(
            [sys.executable, "-B", "-m", "portal.sheets.limited"], input=json.dumps(task).encode() + b"\n" + data,
            capture_output=True, timeout=seconds, env=environment, check=False,
        )
    except subprocess.TimeoutExpired:
        raise BadInput(f"{called}在 {seconds:g} 秒内没有读完，已停止。请删除多余的格式和空行，或另存为 CSV 后重新上传。") from None
    if child.returncode != 0:
        raise BadInput(f"{called}无法读取：内容过大或已损坏。请另存为“Excel 工作簿（.xlsx）”或 CSV 后重新上传。")
    answer = json.loads(child.stdout)
    if "refused" in answer:
        raise BadInput(answer["refused"], [Problem(*one) for one in answer["problems"]])
    return Sheet(
        tuple(tuple(map(_from_json, row)) if any(type(c) is dict for c in row) else tuple(row) for row in answer["rows"]),
        tuple(((a, b), (c, d)) for (a, b), (c, d) in answer["merged"]),
        answer["name"], answer["kind"], tuple(answer["others"]),
    )


def main() -> None:
    """The child: one line of JSON (the task), then the file, on stdin; the sheet as JSON on stdout."""
    head, _, data = sys.stdin.buffer.read().partition(b"\n")
    task = json.loads(head)
    _limit_process(task["memory"], task["seconds"])
    try:
        sheet = read_sheet(data, task["name"], Limits(**task["limits"]), task["sheet"])
        answer: dict[str, object] = {
            "rows": sheet.rows, "merged": sheet.merged, "name": sheet.name, "kind": sheet.kind, "others": sheet.others,
        }
    except BadInput as refusal:
        problems = [(p.field, p.message, p.row) for p in refusal.problems]
        answer = {"refused": refusal.message, "problems": problems}
    json.dump(answer, sys.stdout, ensure_ascii=False, default=_to_json)


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
