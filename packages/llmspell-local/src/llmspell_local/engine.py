"""`Engine`: one loaded model, its worker threads, and requests that can be stopped."""

from __future__ import annotations

import asyncio
import atexit
import json
import queue
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmspell_core.errors import Cancelled, DeadlineError, LLMSpellError
from llmspell_local.native import LoadOptions, load_model

_EXIT_WAIT_S = 10.0
_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


@dataclass(slots=True, eq=False)
class _Job:
    body: dict[str, Any]
    deadline: float | None
    loop: asyncio.AbstractEventLoop
    out: asyncio.Queue[dict[str, Any] | BaseException | None]
    stop: threading.Event = field(default_factory=threading.Event)
    embeds: bool = False

    def over(self) -> bool:
        """Whether nobody waits for more."""
        late = self.deadline is not None and time.monotonic() > self.deadline
        return late or self.stop.is_set()

    def tell(self, item: dict[str, Any] | BaseException | None) -> None:
        """Hand an item to the event loop; a loop that is gone wants none."""
        try:
            self.loop.call_soon_threadsafe(self.out.put_nowait, item)
        except RuntimeError:
            self.stop.set()


class Engine:
    """A model file, loaded on the first request and freed by `close`.

    As many requests run at once as there are slots; the others wait in their order.
    """

    def __init__(self, path: Path, options: LoadOptions) -> None:
        self.path = path
        self.options = options
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._open: set[_Job] = set()
        self._threads: list[threading.Thread] = []
        self._server: Any = None
        self._loading = threading.Lock()
        self._closed = False
        _engines.add(self)

    async def chat(
        self, body: dict[str, Any], deadline: float | None = None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """llama.cpp's chunks of one chat completion; stops generating when it is closed.

        Args:
            body: of an OpenAI chat completion, with llama.cpp's additions.
            deadline: in `time.monotonic()` seconds.

        Raises:
            DeadlineError: the deadline passed.
            Cancelled: the engine was closed meanwhile.
            EngineError: llama.cpp refused the request.
        """
        async with aclosing(self._items(self._job(body, deadline))) as items:
            async for item in items:
                yield item

    async def embed(self, texts: list[str], deadline: float | None = None) -> dict[str, Any]:
        """llama.cpp's embeddings of texts, in the form of OpenAI's. Raises as `chat`.

        What is being worked on cannot be stopped: give it few texts at once.
        """
        job = self._job({"input": texts}, deadline)
        job.embeds = True
        found: dict[str, Any] = {}
        async with aclosing(self._items(job)) as items:
            async for item in items:
                found = item
        return found

    def _job(self, body: dict[str, Any], deadline: float | None) -> _Job:
        if self._closed:
            raise _closed()
        return _Job(body, deadline, asyncio.get_running_loop(), asyncio.Queue())

    async def _items(self, job: _Job) -> AsyncGenerator[dict[str, Any], None]:
        """What the worker says about a job, which ends with the iteration."""
        self._submit(job)
        try:
            while (item := await _next(job)) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            job.stop.set()
            self._open.discard(job)

    async def close(self) -> None:
        """Stop what runs, free the memory."""
        await asyncio.to_thread(self.close_now)

    def close_now(self, wait_s: float | None = None) -> None:
        """As `close`, from a thread that may wait; gives up on workers after `wait_s`."""
        self._closed = True
        for job in tuple(self._open):
            job.stop.set()
            job.tell(_closed())
        for _ in self._threads:
            self._jobs.put(None)
        until = None if wait_s is None else time.monotonic() + wait_s
        for thread in self._threads:
            thread.join(None if until is None else max(0.0, until - time.monotonic()))
        if not any(thread.is_alive() for thread in self._threads):
            self._server = None

    def _submit(self, job: _Job) -> None:
        self._open.add(job)
        self._jobs.put(job)
        if len(self._threads) < min(self.options.parallel, len(self._open)):
            thread = threading.Thread(target=self._work, name="llmspell-local", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._answer(job)

    def _answer(self, job: _Job) -> None:
        try:
            server = self._loaded()
            if job.embeds and not job.over():
                _receiver(job)(json.dumps(server.handle_embeddings(job.body)))
            elif not job.over():
                server.handle_chat_completions(json.dumps(job.body), _receiver(job))
            job.tell(None)
        except LLMSpellError as error:
            job.tell(error)
        except (RuntimeError, ValueError) as error:
            job.tell(EngineError({"message": str(error), "code": 400}))

    def _loaded(self) -> Any:
        with self._loading:
            if self._server is None:
                self._server = load_model(self.path, self.options)
            return self._server


class EngineError(Exception):
    """llama.cpp refused a request or failed; `data` is its error object."""

    def __init__(self, data: dict[str, Any]) -> None:
        super().__init__(str(data.get("message", "failed")))
        self.data = data


def _receiver(job: _Job) -> Callable[[str], bool]:
    def receive(text: str) -> bool:
        """Whether llama.cpp should stop: asked at every token and batch of the prompt."""
        chunk = json.loads(text)
        answer = "data" if job.embeds else "choices"
        error = chunk.get("error") or (answer not in chunk and chunk)
        job.tell(EngineError(error) if error else chunk)
        return bool(error) or job.over()

    return receive


async def _next(job: _Job) -> dict[str, Any] | BaseException | None:
    left = None if job.deadline is None else job.deadline - time.monotonic()
    try:
        async with asyncio.timeout(left):
            return await job.out.get()
    except TimeoutError:
        raise DeadlineError("the local model did not answer in time") from None


def _closed() -> Cancelled:
    return Cancelled("the local model was closed")


@atexit.register
def _close_all() -> None:
    """A model left loaded would be torn down under its running threads."""
    for engine in tuple(_engines):
        engine.close_now(_EXIT_WAIT_S)
