"""Single values of a jurisdiction profile, read strictly; each error names the path of the value."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from portal.domain.bundle import WHOLE, is_count, is_text, refuse, require_keys, require_list

__all__ = ["number", "on", "one_of", "optional", "ppm", "region", "text", "texts", "truth", "values"]

T = TypeVar("T")


def text(value: object, path: str) -> str:
    if not is_text(value):
        refuse(f"{path} 应是文字（不为空，首尾无空白），写的是“{value}”。")
    return value  # type: ignore[return-value]


def texts(value: object, path: str) -> tuple[str, ...]:
    return tuple(text(one, f"{path}[{n}]") for n, one in enumerate(require_list(value, path)))


def number(value: object, path: str) -> int:
    if not is_count(value):
        refuse(f"{path} 应是 0 以上的整数，写的是“{value}”。")
    return value  # type: ignore[return-value]


def ppm(value: object, path: str) -> int:
    """Parts per million, 0 to 1,000,000: 35000 is 3.5 %."""
    if (read := number(value, path)) > WHOLE:
        refuse(f"{path} 是百万分比，最大 {WHOLE}，写的是 {read}（3.5% 写 35000）。")
    return read


def truth(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        refuse(f"{path} 应是 true 或 false，写的是“{value}”。")
    return value


def on(value: object, path: str) -> date:
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value)
    except ValueError:
        pass
    refuse(f"{path} 应是形如 2026-01-31 的日期，写的是“{value}”。")


def region(value: object, path: str) -> str:
    """A GB/T 2260 code."""
    if not (isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{5}", value)):
        refuse(f"{path} 应是六位行政区划代码，写的是“{value}”。")
    return value


def one_of(value: object, path: str, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        refuse(f"{path}“{value}”不认识，只能是 {'、'.join(choices)}。")
    return value


def optional(read: Callable[[Any, str], T]) -> Callable[[Any, str], T | None]:
    """The same reader, which also takes null."""
    return lambda value, path: None if value is None else read(value, path)


def values(read: Callable[[Any, str], T]) -> Callable[[Any, str], dict[str, T]]:
    """A reader of an object whose values are all alike."""
    return lambda value, path: {name: read(one, f"{path}.{name}") for name, one in require_keys(value, (), path, more=True).items()}
