"""Limits a child process sets itself before it touches what came from outside."""

from __future__ import annotations

import math
import resource

__all__ = ["limit_cpu", "limit_process"]


def limit_process(memory_bytes: int, file_bytes: int = 128 << 20) -> None:
    """No core files (they hold data), a ceiling on memory and on the size of a file it writes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))


def limit_cpu(seconds: float) -> None:
    """End this process after so many more seconds of CPU time, in case nobody is left to end it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    until = math.ceil(usage.ru_utime + usage.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))
