"""Other processes for tests: forked from one that has imported the program already, which is a second of processor time each.

Each is a process of its own, with its own engine, connections and locks; it was never this one, and has nothing open of ours.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from typing import Any


def _run(work: Callable[..., Awaitable[Any]], pipe: Connection, *given: Any) -> None:
    def meet() -> None:
        pipe.send("ready")
        pipe.recv()

    pipe.send(asyncio.run(work(meet, *given)))


async def at_once(work: Callable[..., Awaitable[Any]], *each: tuple) -> list[Any]:
    """What `work(meet, *given)` returns in a process for each of these; all go on from their `meet()` when the last has come there."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([work.__module__])
    pipes, processes = [], []
    for given in each:
        ours, theirs = context.Pipe()
        processes.append(context.Process(target=_run, args=(work, theirs, *given), daemon=True))
        processes[-1].start()
        theirs.close()
        pipes.append(ours)
    for pipe in pipes:
        assert await asyncio.to_thread(pipe.recv) == "ready"
    for pipe in pipes:
        pipe.send("go")
    said = [await asyncio.to_thread(pipe.recv) for pipe in pipes]
    for process in processes:
        await asyncio.to_thread(process.join)
        assert process.exitcode == 0
    return said
