"""What hook points, events and state cost: us per operation, the best of several rounds.

python benchmarks/core_costs.py [--json] [--quick]
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from measuring import report, rounds

from llmspell_core.events import EventBus
from llmspell_core.hooks import HookContext, HookRegistry
from llmspell_core.state import StateStore, StateView
from llmspell_core.state.memory import MemoryStore
from llmspell_core.state.sqlite import SqliteStore

FIGURES: dict[str, float] = {}
POINT = "before_tool_execution"
ROW = {"name": "Ada", "tags": ["a", "b"], "count": 3}

Work = Callable[[int], Awaitable[None]]


async def best(work: Work, times: int) -> float:
    """The us of one operation in the quickest round; `work` does `times` of them."""
    await work(times // 10 or 1)
    found = []
    for _ in range(rounds(10)):
        started = time.perf_counter()
        await work(times)
        found.append(time.perf_counter() - started)
    return min(found) / times * 1e6


def row(label: str, us: float) -> None:
    """Keep one figure."""
    FIGURES[label] = us


async def hook_points() -> None:
    """A hook point as the Runner passes it: in a run's layer over the base."""
    for hooks in (0, 1, 10):
        base = HookRegistry()
        layer = HookRegistry(base)
        for number in range(hooks):
            (base if number % 2 else layer).register(POINT, lambda ctx: None)

        async def work(times: int, layer: HookRegistry = layer) -> None:
            for _ in range(times):
                if layer.active(POINT):
                    await layer.run(POINT, HookContext(POINT, tool="t", arguments={"a": 1}))

        row(f"hook point, {hooks} hooks", await best(work, 20_000))

    registry = HookRegistry()

    async def handler(ctx: HookContext) -> None:
        """Awaited, so that its time is limited."""

    registry.register(POINT, handler)

    async def limited(times: int) -> None:
        for _ in range(times):
            await registry.run(POINT, HookContext(POINT))

    row("hook point, 1 async hook", await best(limited, 20_000))


async def events() -> None:
    """An event of a run, which also goes up to the base bus; handlers included."""
    for subscribers in (0, 1, 100):
        base = EventBus()
        bus = EventBus(parent=base)
        for _ in range(subscribers):
            bus.subscribe("tool.*", lambda event: None)

        async def work(times: int, bus: EventBus = bus) -> None:
            for number in range(times):
                bus.emit("tool.invoked", None, correlation_id="c")
                if number % 500 == 0:
                    await bus.drain()
            await bus.drain()

        row(f"event, {subscribers} handlers", await best(work, 20_000 // (subscribers or 1)))

    bus = EventBus()
    waiting = bus.subscribe("tool.*")

    async def received(times: int) -> None:
        for _ in range(times):
            bus.emit("tool.invoked")
            await bus.receive(waiting, 1000)

    row("event, published and received", await best(received, 10_000))


async def state(name: str, store: StateStore, times: int) -> None:
    """Changes and reads of one scope."""
    view = StateView(store, "script:bench.lua")

    async def written(times: int) -> None:
        for number in range(times):
            await view.set(f"k{number % 100}", ROW)

    async def read(times: int) -> None:
        for number in range(times):
            await view.get(f"k{number % 100}")

    async def counted(times: int) -> None:
        for _ in range(times):
            await view.increment("n")

    row(f"state set, {name}", await best(written, times))
    row(f"state get, {name}", await best(read, times))
    row(f"state increment, {name}", await best(counted, times))
    await store.close()


async def main() -> dict[str, float]:
    """All figures, in microseconds."""
    await hook_points()
    await events()
    await state("memory", MemoryStore(), 10_000)
    with tempfile.TemporaryDirectory() as folder:
        await state("sqlite", SqliteStore(Path(folder) / "state.db"), 200)
    return FIGURES


if __name__ == "__main__":
    report(asyncio.run(main()))
