"""The network of hostile cases: recorded answers, a server on 127.0.0.1, and nothing else.

`Guard` sees to it that nothing else is so whatever the gates do: Python tells it of every
connection, look-up and program before it happens.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpcore
from tool_border_cases import Case
from tool_border_files import answer_of, prepare

from llmspell_core.security.addresses import kind_of, parse_address
from llmspell_core.testing import Answer, RecordedNetwork

LOOPBACK = "127.0.0.1"


class Guard:
    """Refuses what would leave the machine. Hooks cannot be taken back: one is made for ever."""

    def __init__(self) -> None:
        self.on = False
        self.stopped: list[str] = []
        sys.addaudithook(self._heard)

    def _heard(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in ("socket.connect", "socket.sendto"):
            self._check(event, args[1])
        elif event in ("socket.getaddrinfo", "socket.gethostbyname") and not _is_here(args[0]):
            self._stop(f"{event} {args[0]}")

    def _check(self, event: str, address: Any) -> None:
        if isinstance(address, tuple) and not _is_here(address[0]):
            self._stop(f"{event} {address}")

    def _stop(self, what: str) -> None:
        self.stopped.append(what)
        raise OSError(f"the guard of the hostile corpus: {what}")


def _is_here(host: Any) -> bool:
    return host in (LOOPBACK, "::1", "localhost", None, "")


class Network(RecordedNetwork):
    """The answers of a case; whatever is reached by an address that is not public is told."""

    def __init__(self, case: Case, port: int) -> None:
        super().__init__(case.addresses)
        self.port = port
        self.wrong: list[str] = []
        self._turns = {name: list(turns) for name, turns in case.rebinding.items()}
        for one in case.answers:
            answer = Answer(
                one.get("status", 200), one.get("headers", {}), one.get("body", "").encode()
            )
            self.answer(one.get("method", "*"), one["url"], answer)

    async def resolve(self, host: str, port: int) -> list[str]:
        """As recorded; of names that are bound again and again the next one."""
        if turns := self._turns.get(host):
            return turns.pop(0) if len(turns) > 1 else turns[0]
        return [LOOPBACK] if host == "localhost" else await super().resolve(host, port)

    async def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> Any:
        """To the case's own server for real, to public addresses in memory."""
        if (host, port) == (LOOPBACK, self.port):
            return await httpcore.AnyIOBackend().connect_tcp(host, port, *rest, **more)
        if kind_of(parse_address(host)) != "public":
            self.wrong.append(f"connected to {host} port {port}")
        return await super().connect_tcp(host, port, *rest, **more)


@asynccontextmanager
async def serving(routes: dict[str, dict[str, Any]]) -> AsyncIterator[tuple[int, list[str]]]:
    """A server on 127.0.0.1 that answers by path; its port, and the paths that were asked."""
    asked: list[str] = []
    if not routes:
        yield 0, asked
        return

    # Bombs are made before: what takes long here would look like a host that is kept busy.
    prepared = {path: prepare(told) for path, told in routes.items()}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            asked.append(head.split(b" ")[1].decode("latin-1"))
            async for piece in answer_of(prepared.get(asked[-1].partition("?")[0], {})):
                writer.write(piece)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, LOOPBACK, 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()
