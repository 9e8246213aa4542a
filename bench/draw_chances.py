"""How even the draw is over many draws (DRAW.md section 7): 20,000 of 35 in 1,000, 20 million tickets, on all cores.

    python -m bench.draw_chances [--draws 20000]

Prints p for entries and for pairs of entries; ends with 1 when one is outside (0.001, 0.999). The seeds are fixed, so
the figures are the same each time. tests/domain/test_draw_statistics.py looks at the first 5,000 of these draws.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.domain.draw_chances import ENTRIES, HIGH, LOW, PICKED, of_entries, of_pairs
from tests.domain.draw_fixture import sampled


def drawn(draws: int) -> list[list[int]]:
    """The places of the drawn of each draw, under the seeds 0, 1, 2 ..."""
    step = -(-draws // 8)
    starts = range(0, draws, step)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as workers:
        parts = workers.map(sampled, starts, (min(start + step, draws) for start in starts), [ENTRIES] * 8, [PICKED] * 8)
        return [sample for part in parts for sample in part]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=20_000)
    samples = drawn(parser.parse_args().draws)
    found = {"entries": of_entries(samples), "pairs": of_pairs(samples)}
    for what, p in found.items():
        print(f"{what}: p = {p:.4f} over {len(samples):,} draws of {PICKED} in {ENTRIES:,}")
    return 0 if all(LOW < p < HIGH for p in found.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
