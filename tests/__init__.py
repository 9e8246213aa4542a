"""A package, so that `tests.shared` is ours and not the `tests` folder some installed distribution brings."""

import os

#: set by .ci/run: no test may be skipped, and those that look at many chances look at all of them
NOTHING_LEFT_OUT = bool(os.environ.get("MINGCHA_NO_SKIP"))


def examples(all_of_them: int) -> int:
    """How many made-up cases a property is tried on: a quarter in a newcomer's run."""
    return all_of_them if NOTHING_LEFT_OUT else max(10, all_of_them // 4)


def some(cases: list) -> list:
    """All cases, or in a newcomer's run every fourth and the last one."""
    return cases if NOTHING_LEFT_OUT else [*cases[:-1:4], cases[-1]]
