"""What tracing adds to an agent's turn with one tool call: off, kept in memory, exported.

    python benchmarks/tracing_cost.py [--json] [--quick]

Microseconds of CPU of this process, the exporter's thread among them, and the best of several
rounds. Exported is to a collector in another process. `the look` is all that is paid when nothing
is traced.
"""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
import time

from agent_turn import Instant, stock
from measuring import best_us, report, rounds

from llmspell_agents import Agent
from llmspell_core.hooks import HookRegistry
from llmspell_core.runtime import Runtime

TURNS = 300
ROUNDS = rounds(10)
LOOKS = 100_000
COLLECTOR = """
import time
from llmspell_core.testing.otlp import OtlpCollector

with OtlpCollector() as collector:
    print(collector.endpoint, flush=True)
    time.sleep(3600)
"""


def the_look() -> float:
    """Microseconds of looking for a tracer where there is none."""
    hooks = HookRegistry(HookRegistry())
    found = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(LOOKS):
            if hooks.tracer is not None:
                raise AssertionError
        found.append(time.perf_counter() - started)
    return min(found) / LOOKS * 1e6


async def turn_us(settings: dict[str, object], *, hook: bool = False) -> float:
    """Microseconds of a turn under these settings."""
    async with Runtime(settings) as runtime:
        runtime.add_provider(Instant())
        if hook:
            runtime.base.hooks.enable("tracing", {"max_spans": 100_000})
        agent = Agent("Be brief.", model="scripted/m", tools=[stock])
        ctx = runtime.context()
        return await best_us(
            lambda: agent.execute("Any kettles?", ctx), TURNS, ROUNDS, time.process_time
        )


def main() -> dict[str, float]:
    """All figures."""
    off: dict[str, object] = {"system": {"telemetry": "off"}}
    figures = {"the look, us": the_look(), "turn, off, us": asyncio.run(turn_us(off))}
    figures["turn, hook, us"] = asyncio.run(turn_us(off, hook=True))
    if importlib.util.find_spec("opentelemetry") is None:
        return figures
    with subprocess.Popen(
        [sys.executable, "-c", COLLECTOR], stdout=subprocess.PIPE, text=True
    ) as collector:
        try:
            assert collector.stdout is not None
            endpoint = collector.stdout.readline().strip()
            exported = asyncio.run(turn_us({"telemetry": {"endpoint": endpoint}}))
            figures["turn, exported, us"] = exported
        finally:
            collector.terminate()
    return figures


if __name__ == "__main__":
    report(main())
