"""Where the shared test data lies: env MINGCHA_SHARED or `../shared` beside the project; never committed."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("MINGCHA_SHARED") or Path(__file__).resolve().parents[2] / "shared")


def shared_file(name: str) -> Path:
    """A file of the shared data (`plans/x.xlsx`); the test is skipped, with a reason, where it is absent."""
    path = SHARED / "data" / name
    if not path.exists():
        pytest.skip(f"shared test data {name} is not here (set MINGCHA_SHARED)")
    return path
