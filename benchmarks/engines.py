"""Start-up and host calls of every engine and carrier: the middle and the slow end.

    python benchmarks/engines.py [--json] [--quick]

"Ready" is from opening a session until a script that does nothing has ended. A call goes to a
method that does nothing; the method notes when it is called, so that each round trip is measured
and not their mean. Engines take turns, so that they see the same machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

from measuring import report, rounds

from llmspell_bridge.carrier import Carrier
from llmspell_bridge.engines import load_engine
from llmspell_bridge.session import HostSession
from llmspell_bridge.streams import CapturedStreams
from llmspell_core.config.sources import load
from llmspell_core.runtime import Runtime
from llmspell_core.script.api import ScriptGlobal, script_method
from llmspell_core.script.manifest import compile_manifest

CALLS = 500
#: Engine, language and carrier, by the name of the row.
KINDS = {
    "Lua, in process": ("lua", "lua", "process"),
    "Lua, worker": ("lua", "lua", "worker"),
    "JavaScript, in process": ("js", "js", "process"),
    "JavaScript, worker": ("js", "js", "worker"),
    "ES5, worker": ("duktape", "js", "worker"),
}
SOURCES = {
    "lua": f"for i = 1, {CALLS} do Bench.add(i, 1) end",
    "js": f"for (let i = 0; i < {CALLS}; i++) await Bench.add(i, 1)",
    "duktape": f"for (var i = 0; i < {CALLS}; i++) Bench.add(i, 1)",
}


class Bench(ScriptGlobal):
    """A method that notes when it is called."""

    name = "Bench"
    seen: list[float] = []  # noqa: RUF012 - of all sessions

    @script_method
    def add(self, a: int, b: int) -> int:
        """The sum, at once."""
        self.seen.append(time.perf_counter())
        return a + b


@contextlib.asynccontextmanager
async def opened(runtime: Runtime, kind: str) -> AsyncIterator[HostSession]:
    """A session whose only global is `Bench`, as a run opens one."""
    engine, language, isolation = KINDS[kind]
    ctx = runtime.context(overlay=runtime.base.child(), language=language)
    session = HostSession(ctx, CapturedStreams(), allowed=frozenset(), internal={"Bench": Bench})
    carrier = Carrier(load_engine(engine), load(data={}), isolation)
    options: dict[str, Any] = {"globals": [compile_manifest(Bench)], "limits": {}}
    if language == "lua":
        options["libraries"] = ["base"]
    session.attach(await carrier.open(session, options))
    try:
        yield session
    finally:
        await session.close()


async def ready(runtime: Runtime, kind: str) -> float:
    """Milliseconds until a script of nothing has run."""
    began = time.perf_counter()
    async with opened(runtime, kind) as session:
        await session.run("", "nothing", "script")
        return (time.perf_counter() - began) * 1e3


async def calls(runtime: Runtime, kind: str) -> list[float]:
    """Microseconds of each call of a loop, the first ones left out."""
    async with opened(runtime, kind) as session:
        Bench.seen.clear()
        await session.run(SOURCES[KINDS[kind][0]], "bench", "script")
    seen = Bench.seen[20:]
    return [(b - a) * 1e6 for a, b in pairwise(seen)]


def at(values: list[float], part: float) -> float:
    """The value below which this part of all lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


async def main() -> dict[str, float]:
    """All figures."""
    settings: dict[str, Any] = {"state": {"backend": "memory"}, "security": {"profile": "none"}}
    started: dict[str, list[float]] = {kind: [] for kind in KINDS}
    called: dict[str, list[float]] = {kind: [] for kind in KINDS}
    async with Runtime(settings) as runtime:
        for number in range(rounds(25) + 1):
            for kind in KINDS:
                taken = await ready(runtime, kind)
                if number:
                    started[kind].append(taken)
        for _ in range(rounds(5)):
            for kind in KINDS:
                called[kind] += await calls(runtime, kind)
    figures: dict[str, float] = {}
    for kind in KINDS:
        for name, part in (("p50", 0.5), ("p95", 0.95)):
            figures[f"{kind}: ready {name}, ms"] = at(started[kind], part)
            figures[f"{kind}: call {name}, us"] = at(called[kind], part)
    return figures


if __name__ == "__main__":
    report(asyncio.run(main()))
