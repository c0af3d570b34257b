"""`WorkerSession`: a `ScriptSession` whose engine is a worker process.

The host trusts nothing that comes back. Whatever is no frame, too long, or refers to what was
never given ends the worker and the run with ``script.protocol``.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from llmspell_bridge.turns import TURN_S
from llmspell_bridge.worker.bounds import UNREAD, largest_frame, most_unread
from llmspell_bridge.worker.frames import FrameError, Reader, check_guest, encode, encode_answer
from llmspell_bridge.worker.limits import worker_memory_mb
from llmspell_bridge.worker.process import Process
from llmspell_bridge.worker.stream import Stream, open_stream
from llmspell_core.errors import ScriptError
from llmspell_core.script.compact import compact
from llmspell_core.script.engine import EngineInfo
from llmspell_core.script.protocol import HostChannel

#: How long a worker may take to end by itself, and how long it may keep the others waiting.
GRACE_S = 0.2


class WorkerProcess:
    """A worker of one engine that waits for its session; start it early, use it once."""

    def __init__(self, engine: EngineInfo) -> None:
        self._process = Process(engine.guest, engine.requires)

    async def start(self, channel: HostChannel, options: dict[str, Any]) -> WorkerSession:
        """The session of this worker. What is asked of it before it is ready waits there."""
        return WorkerSession(self._process, channel, options)

    def kill(self) -> None:
        """End a worker that is not needed after all."""
        self._process.kill()


class WorkerSession:
    """The session in `worker`. Use it from the thread of its event loop."""

    def __init__(
        self,
        worker: Process,
        channel: HostChannel,
        options: dict[str, Any],
        *,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._worker = worker
        self._channel = channel
        self._loop = loop or asyncio.get_running_loop()
        self._reader = Reader(largest_frame(options))
        self._most_unread = most_unread(options)
        self._out = bytearray()
        self._holding = False
        self._scheduled = False
        self._started = 0
        self._idle_at = 0
        self._open: set[int] = set()
        self._calls: set[int] = set()
        self._place = ""
        self._over = False
        self._paused = False
        self._ending = False
        self._failure: ScriptError | None = None
        #: Done when the worker has given its powers away: the layers that hold it now.
        self.ready: asyncio.Future[list[str]] = self._loop.create_future()
        self._stream: Stream = open_stream(worker.socket, self._loop, self._received)
        self._start(options)

    def _start(self, options: dict[str, Any]) -> None:
        manifests = [one for one in map(compact, options.get("globals") or ()) if one]
        self._send(encode("start", json.dumps({**options, "globals": manifests})))
        self._flush()
        self._worker.limit_memory(worker_memory_mb(options))

    @property
    def pid(self) -> int:
        """The worker's process."""
        return self._worker.pid

    async def started(self) -> list[str]:
        """The layers that hold the worker, once it is ready; its error if it ended before."""
        await asyncio.wait([self.ready])
        if self.ready.cancelled():
            raise self._failure or ScriptError("the session is over", code="script.closed")
        return self.ready.result()

    # -- ScriptSession -----------------------------------------------------------------------

    def run(self, call_id: int, source: str, name: str, mode: str) -> None:
        self._request(call_id, encode("run", call_id, source, name, mode))

    def invoke(self, call_id: int, function: int, args: str) -> None:
        self._request(call_id, encode("invoke", call_id, function, args))

    def answer(self, call_id: int, ok: bool, value: str) -> None:
        if call_id in self._calls:
            self._calls.discard(call_id)
            waiting = len(self._out) + self._stream.waiting
            if waiting > 2 * self._most_unread:
                self._fail("script.protocol", "the worker does not read its answers")
            elif waiting and waiting + len(value) > self._most_unread:
                ok, value = False, UNREAD
            self._send(encode_answer(call_id, ok, value))

    def cancel(self, call_id: int) -> None:
        if call_id in self._open:
            self._send(encode("cancel", call_id))

    def release(self, functions: list[int]) -> None:
        self._send(encode("release", functions))

    def idle(self) -> bool:
        return self._over or (not self._open and self._idle_at == self._started)

    def interrupt(self, code: str, message: str) -> None:
        """End the script at once: the worker is killed, what is open fails with this error."""
        self._fail(code, message)

    def close(self) -> None:
        """Ask an idle worker to leave; kill one that is busy or does not leave in time."""
        if self._over:
            return
        polite = self.idle()
        if polite:
            self._send(encode("close"))
            self._flush()
        self._end()
        if polite:
            self._worker.ended(GRACE_S)
        self._worker.kill()

    # -- sending -----------------------------------------------------------------------------

    def _request(self, call_id: int, frame: bytes) -> None:
        self._open.add(call_id)
        if self._over:
            self._fail_open(ScriptError("the session is over", code="script.closed"))
        else:
            self._started += 1
            self._send(frame)

    def _send(self, frame: bytes) -> None:
        """Collect: what one turn of the loop has to say goes in one piece."""
        if self._over:
            return
        self._out += frame
        if not self._holding and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        if self._out and not self._over:
            out, self._out = self._out, bytearray()
            self._stream.send(out)

    # -- receiving ---------------------------------------------------------------------------

    def _received(self, data: bytes) -> None:
        if self._over:
            return
        if data:
            self._turn(data)
        elif self._paused:
            self._ending = True
        else:
            self._gone()

    def _turn(self, data: bytes = b"") -> None:
        """Handle frames for a while; what is left has its turn after the others'."""
        self._holding = True
        until = time.monotonic() + TURN_S
        try:
            for frame in self._reader.feed(data):
                self._frame(frame)
                if self._over:
                    return
                if time.monotonic() > until:
                    self._pause()
                    break
        except FrameError as error:
            self._fail("script.protocol", f"the worker broke the protocol: {error}")
        finally:
            self._holding = False
        self._flush()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._stream.pause()
        self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._paused = False
        if not self._over:
            self._turn()
        if self._ending and not self._paused:
            self._gone()
        elif not (self._over or self._paused):
            self._stream.resume()

    def _frame(self, frame: list[Any]) -> None:
        check_guest(frame)
        kind = frame[0]
        if kind == "call":
            self._call(*frame[1:])
        elif kind == "done":
            self._done(*frame[1:])
        elif kind == "idle":
            self._idle(frame[1])
        elif kind == "cancel":
            self._calls.discard(frame[1])
            self._channel.cancel(frame[1])
        elif kind == "drop":
            self._drop(frame[1])
        elif kind == "busy":
            self._place = frame[1][:1000]
        elif kind == "ready":
            self._ready(frame[1])
        elif kind == "write" and frame[1] not in ("stdout", "stderr"):
            raise FrameError("an unknown stream")
        else:
            getattr(self._channel, kind)(*frame[1:])

    def _ready(self, layers: list[Any]) -> None:
        if self.ready.done() or not all(type(one) is str for one in layers):
            raise FrameError("ready twice, or with what is no layer")
        self.ready.set_result([*layers, *self._worker.layers])

    def _call(self, call_id: int, target: str | int, method: str, args: str, origin: int) -> None:
        if call_id in self._calls:
            raise FrameError("a call under a number in use")
        self._calls.add(call_id)
        answer = self._channel.call(call_id, target, method, args, origin)
        if answer is not None:
            self.answer(call_id, *answer)

    def _done(self, call_id: int, ok: bool, value: str) -> None:
        if call_id not in self._open:
            raise FrameError("the end of what was never started")
        self._open.discard(call_id)
        self._channel.done(call_id, ok, value)

    def _drop(self, handles: list[Any]) -> None:
        if not all(type(one) is int for one in handles):
            raise FrameError("a handle that is no number")
        self._channel.drop(handles)

    def _idle(self, started: int) -> None:
        self._idle_at = started
        if self.idle():
            self._channel.idle()

    # -- the end -----------------------------------------------------------------------------

    def _gone(self) -> None:
        """The worker has closed its side: it is ending, or has been killed."""
        rest = self._reader.rest
        if not self._worker.ended(GRACE_S):
            self._fail("script.protocol", "the worker closed its connection")
        elif rest and self._worker.why()[0] == "script.crashed" and self._worker.left_by_itself():
            self._fail("script.protocol", "the worker broke off in the middle of a frame")
        else:
            self._fail(*self._worker.why())

    def _fail(self, code: str, message: str) -> None:
        if self._over:
            return
        self._end()
        self._worker.kill()
        error = self._failure = ScriptError(message, code=code, source=self._place or None)
        self._fail_open(error)
        # With nothing open, the host would otherwise not learn that the session is over.
        crashed = getattr(self._channel, "crashed", None)
        if crashed is not None:
            crashed(error)

    def _fail_open(self, error: ScriptError) -> None:
        text = json.dumps(error.to_dict())
        opened, self._open = self._open, set()
        for call_id in opened:
            self._channel.done(call_id, False, text)

    def _end(self) -> None:
        self._over = True
        self._stream.close()
        calls, self._calls = self._calls, set()
        for call_id in calls:
            self._channel.cancel(call_id)
        if not self.ready.done():
            self.ready.cancel()
