"""A small host for tests of script engines, over both carriers.

    async with engine_host("llmspell_lua.guest", "worker", requires=("lupa",)) as host:
        host.methods["Tool.add"] = lambda a, b: a + b
        assert await host.run("return Tool.add(1, 2)") == 3

Values are the protocol's JSON with its markers left in, but for escaped objects, which come as
they are meant, and functions of the script, which become callables. No policy, no validation:
what is tested is the engine.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from llmspell_bridge.worker.process import Process
from llmspell_bridge.worker.proxy import WorkerSession
from llmspell_core.errors import ScriptError
from llmspell_core.script.protocol import Answer, ScriptSession

CARRIERS = ("process", "worker")


def manifest(name: str, *methods: str, guest: Iterable[str] = (), **more: Any) -> dict[str, Any]:
    """The manifest of a global with these methods, in the form that engines read."""
    declared = {method: {"aliases": [], "guest": method in set(guest)} for method in methods}
    for method in guest:
        declared.setdefault(method, {"aliases": [], "guest": True})
    return {"name": name, "aliases": [], "kind": "table", "methods": declared, **more}


class Function:
    """A function of the script in the host's hands."""

    def __init__(self, host: EngineHost, handle: int) -> None:
        self._host = host
        self.handle = handle

    async def __call__(self, *args: Any) -> Any:
        return await self._host.invoke(self.handle, *args)


class EngineHost:
    """Implements `HostChannel` over plain Python functions."""

    def __init__(self) -> None:
        self.session: ScriptSession
        self.methods: dict[str, Callable[..., Any]] = {"Async.sleep": _sleep}
        self.objects: dict[int, dict[str, Callable[..., Any]]] = {}
        self.writes: list[tuple[str, str]] = []
        self.logs: list[dict[str, Any]] = []
        self.dropped: list[int] = []
        self.cancelled: list[int] = []
        self.failures: list[dict[str, Any]] = []
        self.origins: list[int] = []
        self.crash: ScriptError | None = None
        self.idled = 0
        self._next = 0
        self._ends: dict[int, asyncio.Future[Any]] = {}
        self._work: dict[int, asyncio.Task[Any]] = {}

    @property
    def output(self) -> dict[str, str]:
        """What was written so far, by stream."""
        return {
            name: "".join(text for stream, text in self.writes if stream == name)
            for name in ("stdout", "stderr")
        }

    # -- for tests ---------------------------------------------------------------------------

    async def run(self, source: str, name: str = "spell.lua", mode: str = "script") -> Any:
        """Run a main chunk; its value, or its error as `ScriptError`."""
        number, end = self._begin()
        self.session.run(number, source, name, mode)
        return await end

    async def invoke(self, handle: int, *args: Any) -> Any:
        """Call a function of the script."""
        number, end = self._begin()
        self.session.invoke(number, handle, json.dumps(list(args)))
        return await end

    def start(self, source: str, name: str = "spell.lua") -> tuple[int, asyncio.Future[Any]]:
        """Run a main chunk without waiting; its number, to cancel it by."""
        number, end = self._begin()
        self.session.run(number, source, name, "script")
        return number, end

    async def wait_idle(self) -> None:
        """Wait until no task of the script is left."""
        while not self.session.idle():
            await asyncio.sleep(0.001)

    def give(
        self, handle: int, type_: str, fields: dict[str, Any], **methods: Callable[..., Any]
    ) -> dict[str, Any]:
        """A host object as a value of the channel."""
        self.objects[handle] = methods
        return {"$h": [handle, type_, fields]}

    def _begin(self) -> tuple[int, asyncio.Future[Any]]:
        self._next += 1
        end = self._ends[self._next] = asyncio.get_running_loop().create_future()
        return self._next, end

    # -- HostChannel -------------------------------------------------------------------------

    def call(
        self, call_id: int, target: str | int, method: str, args: str, origin: int = 0
    ) -> Answer | None:
        self.origins.append(origin)
        try:
            found = (
                self.objects[target][method]
                if isinstance(target, int)
                else self.methods[f"{target}.{method}"]
            )
            value = found(*(self._revived(one) for one in json.loads(args)))
        except Exception as error:  # noqa: BLE001 - nothing may be raised into an engine
            return False, _failure(error)
        if inspect.iscoroutine(value):
            work = self._work[call_id] = asyncio.ensure_future(value)
            work.add_done_callback(lambda ended: self._finish(call_id, ended))
            return None
        return True, json.dumps(value)

    def _finish(self, call_id: int, work: asyncio.Task[Any]) -> None:
        if work.cancelled():
            return
        error = work.exception()
        if error is not None:
            self.session.answer(call_id, False, _failure(error))
        else:
            self.session.answer(call_id, True, json.dumps(work.result()))

    def _revived(self, value: Any) -> Any:
        if isinstance(value, dict):
            if len(value) == 1 and isinstance(value.get("$"), dict):
                value = value["$"]
            elif len(value) == 1 and "$f" in value:
                return Function(self, value["$f"])
            return {key: self._revived(one) for key, one in value.items()}
        return [self._revived(one) for one in value] if isinstance(value, list) else value

    def cancel(self, call_id: int) -> None:
        self.cancelled.append(call_id)
        if call_id in self._work:
            self._work.pop(call_id).cancel()

    def done(self, call_id: int, ok: bool, value: str) -> None:
        end = self._ends.pop(call_id)
        if end.done():
            return
        found = self._revived(json.loads(value))
        if ok:
            end.set_result(found)
        else:
            end.set_exception(ScriptError(found.pop("message"), **found))

    def write(self, stream: str, text: str) -> None:
        self.writes.append((stream, text))

    def log(self, records: str) -> None:
        self.logs.extend(json.loads(records))

    def drop(self, handles: list[int]) -> None:
        self.dropped.extend(handles)

    def idle(self) -> None:
        self.idled += 1

    def unhandled(self, error: str) -> None:
        self.failures.append(json.loads(error))

    def crashed(self, error: ScriptError) -> None:
        """The worker is gone."""
        self.crash = error


def _failure(error: BaseException) -> str:
    if isinstance(error, ScriptError):
        return json.dumps(error.to_dict())
    return json.dumps({"code": "host.failed", "message": str(error), "retryable": False})


async def _sleep(ms: float) -> None:
    await asyncio.sleep(ms / 1000)


@asynccontextmanager
async def engine_host(
    guest: str,
    carrier: str,
    *,
    requires: Iterable[str] = (),
    host: EngineHost | None = None,
    **options: Any,
) -> AsyncIterator[EngineHost]:
    """A host with a session of this guest module, in the process or in a worker."""
    host = host or EngineHost()
    if carrier == "worker":
        host.session = WorkerSession(Process(guest, requires), host, options)
    else:
        host.session = importlib.import_module(guest).create(host, options)
    try:
        yield host
    finally:
        host.session.close()
        for task in host._work.values():
            task.cancel()
