"""Running pure functions where they can be killed: regular expressions, jq, big templates.

    await compute("llmspell_core.templating:render", template, variables, timeout_ms=1000)

A few helper processes serve all event loops and threads. A call that takes too long or too
much memory ends its helper, not the host. On Linux a helper reads files only where it imports
from, and reaches nothing else: no network, no processes, no files to write.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from llmspell_core import _helper, errors
from llmspell_core._helper_process import HelperProcess
from llmspell_core.context import computing
from llmspell_core.errors import LimitError, LLMSpellError

DEFAULT_TIMEOUT_MS = 1000
DEFAULT_MEMORY_MB = 512
#: Memory that functions leak or fragment goes back with the process.
_MOST_USES = 500
#: A cold import of what a function needs is not the function's time.
_IMPORT_SECONDS = 20
_SIZE = max(2, min(4, os.cpu_count() or 2))


class ComputeError(LLMSpellError):
    """The function failed; `details["type"]` names its exception."""

    code = "compute.failed"


async def compute(
    fn: str,
    *args: Any,
    timeout_ms: float = DEFAULT_TIMEOUT_MS,
    memory_mb: int = DEFAULT_MEMORY_MB,
) -> Any:
    """Call a function in a helper process.

    Args:
        fn: `pkg.mod:name` of a module-level function without side effects.
        args: JSON values.
        timeout_ms: from the moment a helper is free and has imported the function.
        memory_mb: address space of the helper (Linux), what it has imported included.

    Returns:
        The function's result, as JSON carries it.

    Raises:
        LimitError: `limit.compute_timeout`, `limit.compute_memory`.
        ComputeError: the function raised; an LLMSpellError comes back as the class it was.
    """
    call = _Call(fn, args, timeout_ms / 1000, memory_mb)
    pool = _pool()
    tell = computing.get(_nobody)
    future = pool.threads.submit(pool.run, call)
    tell(1)
    try:
        answer = await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        call.stop()
        raise
    finally:
        tell(-1)
    return _result(call, answer)


def _nobody(_: int) -> None:
    """Outside of a run nobody counts."""


class _Call:
    """One call and the helper that works on it."""

    def __init__(self, name: str, args: tuple[Any, ...], seconds: float, memory_mb: int) -> None:
        self.name = name
        self.seconds = seconds
        self.request = _helper.frame(
            {
                "function": name,
                "paths": _paths(name),
                "args": args,
                "seconds": seconds,
                "memory_mb": memory_mb,
            }
        )
        self.paths = frozenset(_paths(name))
        self.helper: HelperProcess | None = None
        self.stopped = False
        self.timed_out = False

    def expire(self) -> None:
        """Its time is over."""
        self.timed_out = True

    def stop(self) -> None:
        """Nobody waits any more."""
        self.stopped = True
        helper = self.helper
        if helper is not None:
            helper.kill()


class _Pool:
    """Idle helpers, and one thread for each that works."""

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(_SIZE, thread_name_prefix="llmspell-compute")
        self._idle: list[HelperProcess] = []
        self._lock = threading.Lock()
        self._closed = False

    def run(self, call: _Call) -> Any:
        """Do one call in this thread; None when its helper ended."""
        if call.stopped:
            return None
        with self._lock:
            helper, unfit = self._idle_for(call)
        if unfit is not None:
            unfit.close()
        helper = helper or HelperProcess()
        call.helper = helper
        healthy = False
        try:
            answer = self._exchange(helper, call)
            healthy = answer is not None and "memory" not in answer
        finally:
            call.helper = None
            self._take_back(helper, healthy and not call.stopped and not call.timed_out)
        return answer

    def _idle_for(self, call: _Call) -> tuple[HelperProcess | None, HelperProcess | None]:
        """A helper that may read what the call imports; else the oldest gives way to a new one."""
        for helper in reversed(self._idle):
            if helper.may_read(call.paths):
                self._idle.remove(helper)
                return helper, None
        return None, self._idle.pop(0) if self._idle else None

    def _take_back(self, helper: HelperProcess, healthy: bool) -> None:
        with self._lock:
            keep = healthy and helper.uses < _MOST_USES and not self._closed
            if keep:
                self._idle.append(helper)
        if not keep:
            helper.close()

    def _exchange(self, helper: HelperProcess, call: _Call) -> Any:
        if call.name not in helper.loaded:
            load = _helper.frame({"function": call.name, "paths": _paths(call.name)})
            answer = helper.ask(load, _IMPORT_SECONDS, call.expire)
            if answer is None or "error" in answer:
                return answer
            helper.loaded.add(call.name)
            helper.paths = helper.paths or call.paths
        helper.uses += 1
        return helper.ask(call.request, call.seconds, call.expire)

    def close(self) -> None:
        """End all idle helpers."""
        with self._lock:
            idle, self._idle, self._closed = self._idle, [], True
        for helper in idle:
            helper.close()
        self.threads.shutdown(wait=False, cancel_futures=True)


_made: _Pool | None = None
_made_lock = threading.Lock()


def _pool() -> _Pool:
    global _made  # noqa: PLW0603 - one pool a process; it costs nothing until used
    with _made_lock:
        if _made is None:
            _made = _Pool()
            atexit.register(close_helpers)
        return _made


def close_helpers() -> None:
    """End the idle helper processes; the next call starts new ones."""
    global _made
    with _made_lock:
        pool, _made = _made, None
    if pool is not None:
        pool.close()


@functools.cache
def _paths(name: str) -> list[str]:
    """Where the helper finds the function's package and what that imports."""
    from importlib.util import find_spec

    top = name.partition(":")[0].partition(".")[0]
    spec = find_spec(top)
    if spec is None:
        raise ComputeError(f"no module {top}", code="compute.not_found")
    # An editable installation is on no path of its own: name the folder of the package.
    places = list(spec.submodule_search_locations or [])
    own = [str(Path(place).parent) for place in places]
    if not places and spec.origin and Path(spec.origin).is_absolute():
        own.append(str(Path(spec.origin).parent))
    # Never the working directory, by "" or by "."
    return list(dict.fromkeys(own + [path for path in sys.path if Path(path).is_absolute()]))


def _result(call: _Call, answer: Any) -> Any:
    if answer is None and call.timed_out:
        raise LimitError(
            f"{_short(call.name)} took longer than {call.seconds * 1000:g} ms and was stopped",
            code="limit.compute_timeout",
            hint="simplify it, or give it less input",
        )
    if answer is not None and "memory" in answer:
        raise LimitError(
            f"{_short(call.name)} needed too much memory and was stopped",
            code="limit.compute_memory",
            hint="give it less input",
        )
    if answer is None:
        raise ComputeError(f"{_short(call.name)} ended its process", code="compute.crashed")
    if "error" in answer:
        raise _raised(call, answer["error"])
    return answer["result"]


def _raised(call: _Call, error: dict[str, Any]) -> LLMSpellError:
    data = error.get("data")
    if data is None:
        return ComputeError(error["message"] or error["type"], details={"type": error["type"]})
    # A subclass that a module defines for itself comes back as the one it was derived from.
    kinds = (getattr(errors, name, None) for name in error["kinds"])
    kind: type[LLMSpellError] = next((one for one in kinds if one is not None), LLMSpellError)
    known = ("code", "hint", "details", "retryable")
    return kind(data["message"], **{key: data[key] for key in known if key in data})


def _short(name: str) -> str:
    return name.partition(":")[2]
