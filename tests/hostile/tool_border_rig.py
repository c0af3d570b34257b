"""Runs the cases of the tool border: each in a place of its own, under the real policy.

    with BorderRig(folder) as rig:
        assert rig.run(case).wrong == []

What holds for every case: the canary is not shown, nothing outside of the project changes, no
address but public ones (in memory) and the case's own server is reached, it ends in time, and
the host can do other things meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from tool_border_cases import CANARY, Case, filled
from tool_border_network import Guard, Network, serving
from tool_border_place import Place, swapping

from llmspell_core.errors import LLMSpellError
from llmspell_core.extensions import Extensions
from llmspell_core.testing import ToolBench
from llmspell_core.tool import Tool

#: Resident memory that a case may add.
MOST_MB = 400
BEAT_S = 0.02
SWAPPED_CALLS = 100


@dataclass(slots=True)
class Ended:
    """How a case ended, and what is wrong with that."""

    outcomes: set[str] = field(default_factory=set)
    shown: str = ""
    output: Any = None
    seconds: float = 0.0
    stalled_s: float = 0.0
    wrong: list[str] = field(default_factory=list)


class BorderRig:
    """Runs cases one after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = _guard()
        self._count = 0
        self._temp = tempfile.tempdir
        self._environment = dict(os.environ)

    def __enter__(self) -> BorderRig:
        self._guard.on = True
        return self

    def __exit__(self, *exc: object) -> None:
        self._guard.on = False
        tempfile.tempdir = self._temp

    def run(self, case: Case) -> Ended:
        """Run a case to its end and check what is left."""
        self._count += 1
        place = Place(self._folder / str(self._count))
        tempfile.tempdir = str(place.root / "temp")
        self._guard.stopped.clear()
        memory = _resident()
        own = filled(case.environment, place.words(0))
        os.environ.update({"HOME": str(place.home), "CANARY_KEY": CANARY, **own})
        try:
            ended = asyncio.run(self._placed(case, place))
        finally:
            os.environ.clear()
            os.environ.update(self._environment)
        grown = (_resident() - memory) // 1024 // 1024
        if grown > MOST_MB:
            ended.wrong.append(f"{grown} MB more are in use")
        ended.wrong += [f"tried {one}" for one in self._guard.stopped]
        return ended

    async def _placed(self, case: Case, place: Place) -> Ended:
        ended = Ended()
        async with serving(case.server) as (port, asked):
            words = place.words(port)
            case = replace(
                case,
                **{
                    one.name: filled(getattr(case, one.name), words)
                    for one in fields(case)
                    if one.name != "expect"
                },
            )
            place.build(case)
            before = place.beyond()
            network = Network(case, port)
            async with _bench(case, place, network) as bench:
                await _calls(case, place, bench, ended)
                urls = [one.url for one in network.requests]
            reached = urls + [f"http://127.0.0.1:{port}{path}" for path in asked]
        ended.wrong += network.wrong
        judge(case, ended)
        judge_place(case, ended, place, before)
        if case.reached not in (reached, ["*"]):
            ended.wrong.append(f"reached {reached}, not {case.reached}")
        judge_sent(case, ended, network)
        return ended


@cache
def _guard() -> Guard:
    return Guard()


@cache
def tool(name: str) -> Tool:
    """A built-in tool, as everybody finds it."""
    made: Tool = Extensions("tools")[name].load()()
    return made


@asynccontextmanager
async def _bench(case: Case, place: Place, network: Network) -> AsyncIterator[ToolBench]:
    bench = ToolBench(
        profile=case.profile,
        security=case.security,
        settings=case.settings,
        folder=place.project,
        network=network,
        secrets=case.secrets,
    )
    async with bench:
        for secret in case.secrets.values():
            # As the store of secrets does when it hands one out.
            bench.runtime.redactor.add(secret)
        yield bench


async def _calls(case: Case, place: Place, bench: ToolBench, ended: Ended) -> None:
    beat = asyncio.create_task(_beat(ended))
    started = time.monotonic()
    for one in case.before:
        await bench.call(tool(one["tool"]), one.get("params", {}))
    with swapping(case, place):
        for _ in range(SWAPPED_CALLS if case.swap else 1):
            try:
                async with asyncio.timeout(case.within_s):
                    await _once(case, bench, ended)
            except TimeoutError:
                ended.outcomes.add("never ended")
    ended.seconds = time.monotonic() - started
    beat.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await beat


async def _once(case: Case, bench: ToolBench, ended: Ended) -> None:
    try:
        if case.tool:
            result = await bench.call(
                tool(case.tool), case.params, chosen_by_model=case.chosen_by_model
            )
            ended.output = result.output
            shown = json.dumps(result.to_dict(), ensure_ascii=False, default=str)
        else:
            ended.output = await _gate(case, bench)
            shown = repr(ended.output)
        ended.outcomes.add("ok")
    except LLMSpellError as error:
        ended.outcomes.add(error.code)
        shown = json.dumps(error.to_dict(), ensure_ascii=False, default=str)
    if not case.swap or CANARY in shown:
        ended.shown += shown


async def _gate(case: Case, bench: ToolBench) -> Any:
    found: Any = bench.runtime.policy
    for name in case.gate.split("."):
        found = getattr(found, name)
    value = found(*case.args, **case.params)
    return await value if inspect.isawaitable(value) else value


def judge(case: Case, ended: Ended) -> None:
    """Compare the outcome to what the case states."""
    if not ended.outcomes <= set(case.expect):
        ended.wrong.append(f"expected {case.expect}, got {ended.outcomes}: {ended.shown[:600]}")
    if CANARY in ended.shown:
        ended.wrong.append(f"shows the canary: {ended.shown[:600]}")
    for sign in ("Traceback (most recent", 'File "/', "site-packages"):
        if sign in ended.shown:
            ended.wrong.append(f"shows the inside: {ended.shown[:600]}")
    if case.output is not None and ended.output != case.output:
        ended.wrong.append(f"gives {str(ended.output)[:300]!r}, not {case.output!r}")
    ended.wrong += [
        f"does not show {one!r}: {ended.shown[:600]}"
        for one in case.shows
        if one not in ended.shown
    ]
    ended.wrong += [
        f"shows {one!r}: {ended.shown[:600]}" for one in case.hides if one in ended.shown
    ]
    if ended.stalled_s > case.stalls_s:
        ended.wrong.append(f"the host was kept from everything else for {ended.stalled_s:.2f} s")


def judge_place(case: Case, ended: Ended, place: Place, before: dict[str, bytes]) -> None:
    """Nothing outside has changed, and in the project what should be there is."""
    if place.beyond() != before:
        ended.wrong.append("something outside of the project has changed")
    for name in case.exists:
        if not os.path.lexists(place.project / name):
            ended.wrong.append(f"{name} is not there")
    for name in case.missing:
        if os.path.lexists(place.project / name):
            ended.wrong.append(f"{name} is there")


def judge_sent(case: Case, ended: Ended, network: Network) -> None:
    """What the last request had in its headers."""
    headers = network.requests[-1].headers if network.requests else {}
    for name, value in case.sent.items():
        if headers.get(name) != value:
            ended.wrong.append(f"sent {name}: {headers.get(name)}, not {value}")
    ended.wrong += [f"sent {name}: {headers[name]}" for name in case.not_sent if name in headers]


async def _beat(ended: Ended) -> None:
    while True:
        asleep = time.monotonic()
        await asyncio.sleep(BEAT_S)
        ended.stalled_s = max(ended.stalled_s, time.monotonic() - asleep - BEAT_S)


def _resident() -> int:
    """Resident bytes of this process; 0 where they cannot be told."""
    with contextlib.suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0
