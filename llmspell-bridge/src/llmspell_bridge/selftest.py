"""Trying to break out of a real worker: `llmspell security selftest`.

Each attempt has a worker of its own, so that one that is killed costs only itself. Nothing is
touched but a temporary folder, a port of 127.0.0.1 and this process.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmspell_bridge.worker import selftest_guest
from llmspell_bridge.worker.limits import worker_memory_mb
from llmspell_bridge.worker.process import Process
from llmspell_bridge.worker.proxy import WorkerSession
from llmspell_core.errors import ScriptError

GUEST = "llmspell_bridge.worker.selftest_guest"
#: Small, so that the attempts at them end soon.
LIMITS = {"memory_mb": 64, "cpu_s": 0.5}
#: How long one attempt may take, in seconds.
PATIENCE_S = 60
#: Attempts at the same time.
TOGETHER = 2

#: What is expected, where it is not that the call is refused.
_EXPECTED = {
    "environment": "nothing of the host's",
    "memory": "no more than the limit",
    "cpu": "ended at the limit",
}
#: Ends of a worker that are the sandbox's doing.
_ENDED = {
    "script.cpu_limit": "ended at its CPU limit",
    "script.memory_limit": "ended at its memory limit",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt and how it went."""

    attempt: str
    expected: str
    got: str
    escaped: bool


async def selftest(isolation: str = "worker") -> tuple[list[str], list[Attempt]]:
    """The layers that hold a worker here, and all attempts from inside one.

    Args:
        isolation: ``worker``, ``sandbox`` (a refused call ends the worker), or ``process`` (no
            sandbox at all, to see what it is for).
    """
    room = asyncio.Semaphore(TOGETHER)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "secret.txt").write_text("secret", encoding="utf-8")
        server = await asyncio.start_server(_close, "127.0.0.1", 0)
        async with server:
            given = {
                "folder": folder,
                "port": server.sockets[0].getsockname()[1],
                "pid": os.getpid(),
                "memory_mb": worker_memory_mb({"limits": LIMITS}),
                "cpu_s": LIMITS["cpu_s"],
            }

            async def one(name: str) -> tuple[list[str], Attempt]:
                async with room:
                    return await _attempt(name, isolation, {**given, "attempt": name})

            found = await asyncio.gather(*map(one, selftest_guest.attempts()))
    return found[0][0], [attempt for _, attempt in found]


async def _close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _attempt(name: str, isolation: str, given: dict[str, Any]) -> tuple[list[str], Attempt]:
    host = _Host()
    options = {"limits": LIMITS, "isolation": isolation}
    session = WorkerSession(Process(GUEST, ()), host, options)
    try:
        layers = await session.started()
        session.run(1, json.dumps(given), name, "script")
        try:
            escaped, got = await asyncio.wait_for(host.end, PATIENCE_S)
        except ScriptError as error:
            escaped, got = _verdict(error)
        except TimeoutError:
            escaped, got = True, f"still running after {PATIENCE_S} s"
    finally:
        session.close()
    expected = _EXPECTED.get(name, "refused")
    text = selftest_guest.ATTEMPTS[name][0]
    return layers, Attempt(attempt=text, expected=expected, got=got, escaped=escaped)


def _verdict(error: ScriptError) -> tuple[bool, str]:
    if error.code in _ENDED:
        return False, _ENDED[error.code]
    # SIGSYS: the filter ended the worker. Any other end is a crash, which no layer promises.
    refused = error.code == "script.crashed" and "system call" in error.message
    return not refused, "ended by the filter" if refused else error.message


class _Host:
    """A `HostChannel` that waits for one run and grants nothing."""

    def __init__(self) -> None:
        self.end: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def call(self, *_: object) -> tuple[bool, str]:
        return False, '{"message":"no"}'

    def done(self, _call_id: int, ok: bool, value: str) -> None:
        found = json.loads(value)
        if self.end.done():
            return
        if ok:
            self.end.set_result(found)
        else:
            self.end.set_exception(ScriptError(found["message"], code=found["code"]))

    def cancel(self, call_id: int) -> None: ...

    def write(self, stream: str, text: str) -> None: ...

    def log(self, records: str) -> None: ...

    def drop(self, handles: list[int]) -> None: ...

    def idle(self) -> None: ...

    def unhandled(self, error: str) -> None: ...
