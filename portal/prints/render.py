"""PDFs from templates, made in limited worker processes that are replaced after some documents.

    with Printer(fonts_folder=DATA / "fonts", own_fonts=settings.fonts) as printer:
        for key, pdf in printer.render_many([(key, "result_sheet.html", context), ...]):
            ...

Templates and their contexts (shapes of public_site/README.md): `plan_notice.html` {about, plan},
`task_notice.html` {about, round}, `result_notice.html` {about, round, results},
`result_sheet.html` {about, result}, `record_sheet.html` {about, sheet, pictures: address -> base64} (steps/documents.py),
`check_notice.html`, `outcome_notice.html`, `rectify_order.html` {about, paper} (steps/papers.py).  `about.base_url` is optional and only then is a QR printed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from portal.domain.errors import BadInput, Problem, WrongMoment
from portal.prints import nursery
from portal.prints.fonts import Fonts, ready_fonts
from portal.prints.wire import Gone, TooLate, read_frame, send_frame

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates" / "print"
START_SECONDS = 60  # for reading the style sheet and the fonts on a slow disk, once a worker
Job = tuple[Hashable, str, dict[str, Any]]


class Printer:
    """Makes PDFs; use it in a `with`.  One printer may be used by several threads.

    `fonts_folder` keeps the fonts unpacked; `own_fonts` is the operator's folder of real 仿宋 and so on.
    `seconds`: the most one document may take; its worker is then ended and the next one starts.
    `memory_bytes`: the most address space of a worker.  `documents`: a worker is replaced after so
    many, because layout libraries keep what they once asked for.
    """

    def __init__(
        self,
        fonts_folder: Path,
        *,
        own_fonts: Path | None = None,
        workers: int = 2,
        seconds: float = 60.0,
        memory_bytes: int = 1024 << 20,
        documents: int = 500,
        templates: Path = TEMPLATES,
    ):
        """Raises WrongMoment when a font that came with the program is damaged or `own_fonts` is no folder."""
        self._fonts = ready_fonts(fonts_folder, own_fonts)
        self._templates = templates
        self._limits = {"seconds": seconds, "memory_bytes": memory_bytes}
        self._documents = documents
        self._count = workers
        self.version = version_of(templates, self._fonts)

    def __enter__(self) -> Printer:
        self._scratch = Path(tempfile.mkdtemp(prefix="mingcha-prints-"))
        self._borrowed = nursery.shared()
        self._nursery = self._borrowed.__enter__()
        self._threads = ThreadPoolExecutor(self._count, thread_name_prefix="prints")
        self._idle: SimpleQueue[_Worker | None] = SimpleQueue()
        for _ in range(self._count):
            self._idle.put(None)  # a worker is started when the first document wants it
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        for _ in range(self._count):
            if worker := self._idle.get():
                worker.end()
        self._borrowed.__exit__(None, None, None)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def render(self, key: Hashable, template: str, context: dict[str, Any]) -> bytes:
        """The PDF of one document.

        Raises BadInput naming `key` when it cannot be made or takes too long, WrongMoment when no
        worker can start (a system library is missing, say).
        """
        [(_, pdf)] = self.render_many([(key, template, context)])
        return pdf

    def render_many(self, jobs: Iterable[Job]) -> Iterator[tuple[Hashable, bytes]]:
        """(key, PDF) for each job in the order given; jobs are taken as they are needed.

        A document that fails holds nothing else up: the others come, and at the end BadInput is
        raised with one Problem (`field` = key) for each that failed.
        """
        waiting: deque[tuple[Hashable, Future[bytes]]] = deque()
        failed: list[Problem] = []
        try:
            for key, template, context in jobs:
                waiting.append((key, self._threads.submit(self._print, key, template, context)))
                if len(waiting) > 2 * self._count:
                    yield from _next(waiting, failed)
            while waiting:
                yield from _next(waiting, failed)
        finally:
            for _, future in waiting:
                future.cancel()
        if failed:
            named = "；".join(str(problem) for problem in failed[:3])
            more = f"等{len(failed)}份" if len(failed) > 3 else ""
            raise BadInput(f"{len(failed)}份文件没有排版成功：{named}{more}", failed)

    def _print(self, key: Hashable, template: str, context: dict[str, Any]) -> bytes:
        worker, keep = self._idle.get(), None
        try:
            worker = worker or self._start()
            answer = worker.ask(json.dumps({"template": template, "context": context}).encode(), self._limits["seconds"])
            if answer[:1] == b"-":
                raise _Failed(f"排版出错（{answer[1:].decode('utf-8', 'replace')}）。请检查这一份的数据后重新生成")
            if worker.done < self._documents:
                keep = worker
            return answer[1:]
        except TooLate:
            limit = f"{self._limits['seconds']:g}"
            raise _Failed(f"排版超过{limit}秒仍未完成，已终止。请减少表格行数后重新生成") from None
        except Gone:
            how = worker.end(wait_seconds=2)
            raise _Failed(f"排版进程意外结束（{how}），可能超出内存或计算时间上限。请减少表格行数后重新生成") from None
        finally:
            # Kept only after a success: a failed document may leave a worker in an odd state.
            if worker and not keep:
                worker.end()
            self._idle.put(keep)

    def _start(self) -> _Worker:
        worker = None
        try:
            worker = _Worker(self._nursery, self._scratch, self._fonts)
            answer = worker.ask(json.dumps(self._setup()).encode(), START_SECONDS)
        except (Gone, TooLate):
            how = worker.end(wait_seconds=2) if worker else "没有响应"
            answer = f"-排版进程没有启动（{how}）".encode()
        if answer[:1] == b"-":
            if worker:
                worker.end()
            raise WrongMoment(
                f"PDF 排版程序不能启动：{answer[1:].decode('utf-8', 'replace')}。请确认已安装 "
                "libpango-1.0-0、libpangoft2-1.0-0 和 libharfbuzz-subset0"
            )
        worker.done = 0
        return worker

    def _setup(self) -> dict[str, Any]:
        return {
            "templates": str(self._templates),
            "css": str(self._templates / "doc.css"),
            "fonts": {role: str(path) for role, path in self._fonts.first.items()},
            "behind": self._fonts.behind,
            **self._limits,
        }


class _Failed(Exception):
    """One document could not be made; the text says why, for people."""


def _next(waiting: deque[tuple[Hashable, Future[bytes]]], failed: list[Problem]) -> Iterator[tuple[Hashable, bytes]]:
    key, future = waiting.popleft()
    try:
        pdf = future.result()
    except _Failed as reason:
        failed.append(Problem(str(key), str(reason)))
    else:
        yield key, pdf


class _Worker:
    """One worker process and its two pipes."""

    def __init__(self, source: nursery.Nursery, scratch: Path, fonts: Fonts):
        """Raises Gone where no process can be had."""
        self.done = 0
        self._ended: str | None = None
        self._nursery = source
        self._own = Path(tempfile.mkdtemp(dir=scratch))
        own = {"HOME": str(self._own), "TMPDIR": str(self._own), "FONTCONFIG_FILE": str(fonts.config)}
        self.pid, self._requests, self._answers = source.start(own)

    def ask(self, request: bytes, seconds: float) -> bytes:
        """The answer to one request.  Raises Gone, TooLate."""
        until = time.monotonic() + seconds
        send_frame(self._requests, request)
        self.done += 1
        return read_frame(self._answers, until)

    def end(self, wait_seconds: float = 0) -> str:
        """End the process whatever it is doing, remove its scratch folder; say how it had ended.

        `wait_seconds`: for a process that is ending by itself, so that its reason is not lost.
        """
        if self._ended is None:
            code = None
            with contextlib.suppress(Gone):
                code = self._nursery.end(self.pid, wait_seconds)
            for pipe in (self._requests, self._answers):
                os.close(pipe)
            shutil.rmtree(self._own, ignore_errors=True)
            self._ended = "没有响应" if code is None else f"信号{-code}" if code < 0 else f"退出码{code}"
        return self._ended


def version_of(templates: Path, fonts: Fonts) -> str:
    """Hex digest over everything but the data that decides a PDF's bytes; for keys of caches.

    Templates, style sheet, fonts, the code of this package, and WeasyPrint's version.
    """
    from importlib.metadata import version

    digest = hashlib.sha256(f"weasyprint {version('weasyprint')}\n{fonts.digest}\n".encode())
    for path in sorted([*templates.glob("*.html"), *templates.glob("*.css"), *Path(__file__).parent.glob("*.py")]):
        digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


class OnDemand:
    """A printer that starts with the first document somebody asks for; it may be asked from several threads."""

    def __init__(self, fonts_folder: Path, own_fonts: Path | None):
        self._folder, self._own = fonts_folder, own_fonts
        self._lock = threading.Lock()
        self._printer: Printer | None = None

    def render(self, name: str, template: str, context: dict[str, Any]) -> bytes:
        with self._lock:
            if self._printer is None:
                self._printer = Printer(self._folder, own_fonts=self._own, workers=1).__enter__()
        return self._printer.render(name, template, context)

    def close(self) -> None:
        with self._lock:
            if self._printer is not None:
                self._printer.__exit__(None, None, None)
                self._printer = None
