"""What the Lua engine costs by itself, against the floor of this machine, side by side.

    python benchmarks/engine_lua.py [--json] [--quick]

The host answers from a table: no dispatcher, no validation, no policy. The floors are taken in
the same run: an isolated interpreter that does nothing, and a bare ping-pong of the same bytes.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from measuring import report, rounds

from llmspell_bridge.worker.frames import encode_answer, encode_call
from llmspell_bridge.worker.process import Process
from llmspell_bridge.worker.proxy import WorkerSession
from llmspell_bridge.worker.testing import EngineHost, engine_host, manifest
from llmspell_core.script.protocol import Answer

GUEST, REQUIRES = "llmspell_lua.guest", ("lupa", "llmspell_lua")
OPTIONS: dict[str, Any] = {
    "globals": [manifest("Tool", "add", "later")],
    "libraries": ["os", "io"],
    "limits": {"memory_mb": 256, "cpu_s": 600},
}
ECHO = """
import socket, sys
line = socket.socket(fileno=int(sys.argv[1]))
asked, answered = int(sys.argv[2]), b"x" * int(sys.argv[3])
while True:
    rest = asked
    while rest:
        got = line.recv(rest)
        if not got: sys.exit()
        rest -= len(got)
    line.sendall(answered)
"""


class Quick(EngineHost):
    """Answers at once, or in the next turn of the loop."""

    def call(
        self, call_id: int, target: str | int, method: str, args: str, origin: int = 0
    ) -> Answer | None:
        if method == "add":
            return True, "3"
        loop = asyncio.get_running_loop()
        loop.call_soon(self.session.answer, call_id, True, "3")
        return None


async def best_ms(work: Callable[[], Awaitable[Any]], times: int) -> float:
    """Milliseconds of the quickest: other work on the machine only ever adds."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        await work()
        found.append(time.perf_counter() - started)
    return min(found) * 1000


async def start() -> dict[str, float]:
    """A worker from nothing to ready, and an interpreter that does nothing."""

    async def bare() -> None:
        subprocess.run([sys.executable, "-I", "-S", "-E", "-c", "pass"], check=True)

    opened: list[WorkerSession] = []

    async def worker() -> None:
        session = WorkerSession(Process(GUEST, REQUIRES), EngineHost(), OPTIONS)
        opened.append(session)
        await session.ready

    async def in_process() -> None:
        async with engine_host(GUEST, "process", **OPTIONS):
            pass

    times = rounds(40)
    floor, ready, memory = 1e9, 1e9, 0.0
    for _ in range(times):
        floor = min(floor, await best_ms(bare, 1))
        ready = min(ready, await best_ms(worker, 1))
        memory = max(memory, peak_mib(opened[-1].pid))
        opened.pop().close()
    return {
        "python -c pass, ms": floor,
        "worker ready, ms": ready,
        "worker ready / python -c pass": ready / floor,
        "worker, MiB": memory,
        "session in process, ms": await best_ms(in_process, times),
    }


def peak_mib(pid: int) -> float:
    """The most memory that a process had, where the system tells; else 0."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


async def calls_us(carrier: str, source: str, times: int) -> float:
    """Microseconds of one pass of a loop in Lua."""
    async with engine_host(GUEST, carrier, requires=REQUIRES, host=Quick(), **OPTIONS) as host:
        loop = f"for i = 1, {times} do {source} end"
        return await best_ms(lambda: host.run(loop), rounds(10)) * 1000 / times


def ping_pong_us(times: int) -> float:
    """A call's bytes there and its answer's back, between two processes and nothing else."""
    ours, theirs = socket.socketpair()
    asked = encode_answer(1000, True, "3")
    answered = encode_call(1000, "Tool", "add", "[1000,1]", 1)
    command = [
        sys.executable,
        "-c",
        ECHO,
        str(theirs.fileno()),
        str(len(asked)),
        str(len(answered)),
    ]
    with subprocess.Popen(command, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        best = 1e9
        for _ in range(rounds(10)):
            started = time.perf_counter()
            for _ in range(times):
                ours.sendall(asked)
                rest = len(answered)
                while rest:
                    rest -= len(ours.recv(rest))
            best = min(best, time.perf_counter() - started)
        ours.close()
        process.wait()
    return best / times * 1e6


async def figures() -> dict[str, float]:
    """All of it, by name."""
    found = await start()
    found["host call in process, us"] = await calls_us("process", "Tool.add(i, 1)", 20_000)
    found["... that suspends, us"] = await calls_us("process", "Tool.later(i, 1)", 10_000)
    found["bare ping-pong, us"] = ping_pong_us(3_000)
    found["host call through a worker, us"] = await calls_us("worker", "Tool.add(i, 1)", 3_000)
    found["call through a worker / ping-pong"] = (
        found["host call through a worker, us"] / found["bare ping-pong, us"]
    )
    spawn = "Async.spawn(function() end):await()"
    found["a task, us"] = await calls_us("process", spawn, 5_000)
    value = (
        "JSON.parse(JSON.stringify({a = 1, b = 'text', c = {1, 2, 3}, d = {e = 1.5, f = true}}))"
    )
    found["JSON of a small table both ways, us"] = await calls_us("process", value, 5_000)
    return found


if __name__ == "__main__":
    report(asyncio.run(figures()))
