"""What a host call from Lua costs: in process, through the worker, and the bare ping-pong.

    python benchmarks/host_calls.py [--json] [--quick]

The method does nothing, so that what is measured is the way there and back: Lua, JSON text,
finding the method, checking the arguments, the answer. The ping-pong sends the very frames of
such a call between two processes, with no work at either end.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from measuring import best_us, report, rounds

from llmspell_bridge.carrier import Carrier
from llmspell_bridge.engines import load_engine
from llmspell_bridge.session import HostSession
from llmspell_bridge.streams import CapturedStreams
from llmspell_bridge.worker.frames import encode_answer, encode_call
from llmspell_core.config.sources import load
from llmspell_core.runtime import Runtime
from llmspell_core.script.api import ScriptGlobal, script_method
from llmspell_core.script.manifest import compile_manifest

CALLS = 2_000
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


class Bench(ScriptGlobal):
    """Methods that do nothing."""

    name = "Bench"

    @script_method
    def add(self, a: int, b: int) -> int:
        """The sum, at once."""
        return a + b

    @script_method
    async def later(self, a: int, b: int) -> int:
        """The sum, after the task was suspended."""
        return a + b


@contextlib.asynccontextmanager
async def opened(runtime: Runtime, isolation: str) -> AsyncIterator[HostSession]:
    """A session whose only global is `Bench`, as a run opens one."""
    ctx = runtime.context(overlay=runtime.base.child(), language="lua")
    session = HostSession(ctx, CapturedStreams(), allowed=frozenset(), internal={"Bench": Bench})
    carrier = Carrier(load_engine("lua"), load(data={}), isolation)
    options = {"globals": [compile_manifest(Bench)], "libraries": ["base"], "limits": {}}
    session.attach(await carrier.open(session, options))
    try:
        yield session
    finally:
        await session.close()


async def calls(
    session: HostSession, method: str, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Microseconds of one call, the loop around it included."""
    source = f"for i = 1, {CALLS} do Bench.{method}(i, 1) end"

    async def work() -> None:
        await session.run(source, "bench.lua", "script")

    return await best_us(work, 1, rounds(15), clock) / CALLS


async def ping_pong() -> float:
    """Microseconds of a round trip of the frames of one call, received by an event loop."""
    asked = len(encode_call(1234, "Bench", "add", "[1234,1]", 1))
    answer = encode_answer(1234, True, "1235")
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-I", "-S", "-c", ECHO]
    child = subprocess.Popen(
        [*command, str(theirs.fileno()), str(len(answer)), str(asked)],
        pass_fds=(theirs.fileno(),),
    )
    theirs.close()
    ours.setblocking(False)
    loop = asyncio.get_running_loop()
    found = []
    try:
        for _ in range(rounds(15)):
            over: asyncio.Future[None] = loop.create_future()
            left = CALLS

            def received(over: asyncio.Future[None] = over) -> None:
                nonlocal left
                ours.recv(65536)
                left -= 1
                if left:
                    ours.send(answer)
                else:
                    over.set_result(None)

            loop.add_reader(ours, received)
            started = time.perf_counter()
            ours.send(answer)
            await over
            found.append(time.perf_counter() - started)
            loop.remove_reader(ours)
    finally:
        ours.close()
        child.wait()
    return min(found) / CALLS * 1e6


async def main() -> dict[str, float]:
    """All figures."""
    figures: dict[str, float] = {}
    settings: dict[str, Any] = {"state": {"backend": "memory"}, "security": {"profile": "none"}}
    async with Runtime(settings) as runtime:
        async with opened(runtime, "process") as session:
            # What else runs on the machine is no part of it: CPU time.
            figures["sync_us"] = await calls(session, "add", time.process_time)
            figures["suspended_us"] = await calls(session, "later", time.process_time)
        figures["ping_pong_us"] = await ping_pong()
        async with opened(runtime, "worker") as session:
            figures["worker_sync_us"] = await calls(session, "add")
            figures["worker_suspended_us"] = await calls(session, "later")
    return figures


if __name__ == "__main__":
    report(asyncio.run(main()))
