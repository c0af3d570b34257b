"""What the JavaScript engine costs by itself, against the floor of this machine, side by side.

    python benchmarks/engine_js.py [--json] [--quick]

As `engine_lua.py`, whose host and floors it uses: no dispatcher, no validation, no policy.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from engine_lua import Quick, best_ms, ping_pong_us
from measuring import report, rounds

from llmspell_bridge.worker.process import Process
from llmspell_bridge.worker.proxy import WorkerSession
from llmspell_bridge.worker.testing import EngineHost, engine_host, manifest

GUEST, REQUIRES = "llmspell_js.guest", ("_quickjs", "llmspell_js")
OPTIONS: dict[str, Any] = {
    "globals": [manifest("Tool", "add", "later")],
    "libraries": ["console", "timers", "TextEncoder", "URL"],
    "limits": {"memory_mb": 256, "cpu_s": 600},
}


async def start() -> dict[str, float]:
    """A worker from nothing to ready, and a session in this process."""
    opened: list[WorkerSession] = []

    async def worker() -> None:
        session = WorkerSession(Process(GUEST, REQUIRES), EngineHost(), OPTIONS)
        opened.append(session)
        await session.ready

    async def in_process() -> None:
        async with engine_host(GUEST, "process", **OPTIONS):
            pass

    ready = 1e9
    for _ in range(rounds(40)):
        ready = min(ready, await best_ms(worker, 1))
        opened.pop().close()
    return {
        "worker ready, ms": ready,
        "session in process, ms": await best_ms(in_process, rounds(40)),
    }


async def calls_us(carrier: str, source: str, times: int) -> float:
    """Microseconds of one pass of a loop in JavaScript."""
    async with engine_host(GUEST, carrier, requires=REQUIRES, host=Quick(), **OPTIONS) as host:
        loop = f"for (let i = 0; i < {times}; i++) {{ {source} }}"
        return await best_ms(lambda: host.run(loop), rounds(10)) * 1000 / times


async def fifty_ms(carrier: str) -> float:
    """Fifty waits of 50 ms at once."""
    async with engine_host(GUEST, carrier, requires=REQUIRES, **OPTIONS) as host:
        source = "await Promise.all(Array.from({length: 50}, () => Async.sleep(50)))"
        return await best_ms(lambda: host.run(source), rounds(10))


async def batch_us(times: int) -> float:
    """Microseconds of one of many calls that are made before the first is awaited."""
    async with engine_host(GUEST, "process", host=Quick(), **OPTIONS) as host:
        source = f"await Promise.all(Array.from({{length: {times}}}, (_, i) => Tool.add(i, 1)))"
        started = time.perf_counter()
        await host.run(source)
        return (time.perf_counter() - started) / times * 1e6


async def figures() -> dict[str, float]:
    """All of it, by name."""
    found = await start()
    found["host call in process, us"] = await calls_us("process", "await Tool.add(i, 1)", 10_000)
    later = "await Tool.later(i, 1)"
    found["... answered later, us"] = await calls_us("process", later, 5_000)
    found["... of 5000 at once, us"] = await batch_us(5_000)
    found["bare ping-pong, us"] = ping_pong_us(3_000)
    through = await calls_us("worker", "await Tool.add(i, 1)", 3_000)
    found["host call through a worker, us"] = through
    found["call through a worker / ping-pong"] = through / found["bare ping-pong, us"]
    found["a task, us"] = await calls_us("process", "await Async.spawn(() => 1)", 5_000)
    value = "JSON.decode(JSON.encode({a: 1, b: 'text', c: [1, 2, 3], d: {e: 1.5, f: true}}))"
    found["JSON of a small object both ways, us"] = await calls_us("process", value, 5_000)
    found["50 waits of 50 ms in process, ms"] = await fifty_ms("process")
    found["50 waits of 50 ms through a worker, ms"] = await fifty_ms("worker")
    return found


if __name__ == "__main__":
    report(asyncio.run(figures()))
