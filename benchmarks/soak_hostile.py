"""The hostile corpus at full size: every case under both profiles, then a thousand runs.

Part of ``make soak``. Each case has to end as it says; after the thousand runs, when their runtimes
are closed, the host's memory has to be what it was before, give or take a tenth.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import logging
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from soak_growth import Growth, handles, rss_kib

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "hostile"))

from hostile_cases import ENGINES, PROFILES, Case, load_cases
from hostile_rig import Rig, missing

#: How much larger the host may be after all the runs.
MOST_GROWTH = 0.1


def hostile(runs: int) -> bool:
    """Print the figures; whether something is not as it should be."""
    engines = [engine for engine in ENGINES if missing(engine) is None]
    with _quiet():
        with _rig() as rig:
            wrong = [_cases(rig, engine, profile) for engine in engines for profile in PROFILES]
        return _runs(engines, runs) or any(wrong)


@contextlib.contextmanager
def _rig() -> Iterator[Rig]:
    with tempfile.TemporaryDirectory() as folder, Rig(Path(folder)) as rig:
        yield rig


def _cases(rig: Rig, engine: str, profile: str) -> bool:
    plan = [case for case in load_cases(engine) if profile in case.profiles]
    wrong: list[str] = []
    before, started = _now(), time.perf_counter()
    for case in plan:
        run = rig.run(case, profile)
        wrong += [f"    {case}, {profile}: {text}" for text in run.wrong]
    _print(f"hostile {engine}, {profile}", len(plan), started, before, wrong)
    return bool(wrong)


def _runs(engines: list[str], times: int) -> bool:
    every: list[tuple[Case, str]] = [
        (case, profile)
        for engine in engines
        for case in load_cases(engine)
        for profile in case.profiles
    ]
    # The heap is as large as what it once held: so every case runs once before, in the same way.
    _many(every)
    before, started = _now(), time.perf_counter()
    wrong = _many(itertools.islice(itertools.cycle(every), times))
    after = _now()
    grown = after[0] / before[0] - 1
    if grown > MOST_GROWTH:
        wrong.append("    the host has grown by more than a tenth")
    _print("hostile runs, two at once", times, started, before, wrong)
    print(
        f"    the host: {before[0] / 1024:.1f} MiB before, {after[0] / 1024:.1f} MiB after"
        f" ({grown:+.1%})"
    )
    return bool(wrong)


def _many(plan: Iterable[tuple[Case, str]]) -> list[str]:
    """Run them in a rig that nobody holds afterwards: closed runtimes keep their events."""
    with _rig() as rig:
        return rig.many(plan)


def _print(
    name: str, times: int, started: float, before: tuple[int, int, int], wrong: list[str]
) -> None:
    grown = [b - a for a, b in zip(before, _now(), strict=True)]
    growth = Growth(name, times, time.perf_counter() - started, *grown)
    print(growth.line(f"{len(wrong)} WRONG" if wrong else "ok"), flush=True)
    for line in wrong:
        print(line, flush=True)


def _now() -> tuple[int, int, int]:
    gc.collect()
    return rss_kib(), len(gc.get_objects()), handles()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the logs of the scripts, which are floods."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
