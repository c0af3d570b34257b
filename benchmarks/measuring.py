"""What the benchmarks share: how often, the best of several rounds, figures in and out."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

#: Fewer rounds: enough to see that everything runs, not to compare.
QUICK = "--quick" in sys.argv


def rounds(usual: int) -> int:
    """How many rounds: as many as usual, a fifth of them with ``--quick``."""
    return max(2, usual // 5) if QUICK else usual


async def best_us(
    work: Callable[[], Awaitable[Any]],
    times: int,
    repeat: int,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Microseconds of one call in the quickest of some rounds: noise only ever adds."""
    for _ in range(max(1, times // 10)):
        await work()
    found = []
    for _ in range(repeat):
        gc.collect()
        started = clock()
        for _ in range(times):
            await work()
        found.append(clock() - started)
    return min(found) / times * 1e6


def report(figures: dict[str, float]) -> None:
    """Print figures for people, or with ``--json`` for `run.py`."""
    if "--json" in sys.argv:
        print(json.dumps(figures))
        return
    width = max(map(len, figures), default=0)
    for name, value in figures.items():
        print(f"{name:<{width}} {value:10.2f}")


def clean_environment(folder: str) -> dict[str, str]:
    """The environment of measured processes: byte code is kept, state and caches are their own."""
    keep = {key: value for key, value in os.environ.items() if not key.startswith("LLMSPELL_")}
    keep.pop("PYTHONDONTWRITEBYTECODE", None)
    return {
        **keep,
        "LLMSPELL_SYSTEM__DATA_DIR": os.path.join(folder, "data"),  # noqa: PTH118 - kept small
        "LLMSPELL_SYSTEM__CACHE_DIR": os.path.join(folder, "cache"),  # noqa: PTH118
    }
