"""`fuzz_tool`: hundreds of calls that no test would think of, and what must hold for each.

    def test_whatever_it_is_given() -> None:
        fuzz_tool(Weather(), examples=50)

- Parameters that match the tool's schema give a result, or an error with a documented code.
- Parameters that do not give `input.invalid`, which names the wrong field.
- Nothing hangs, no exception but an llmspell error comes out, no text shows a traceback, and what
  comes out is JSON.

With hypothesis installed the parameters are made and made smaller by it, else from a seed.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.testing.bench import ToolBench
from llmspell_core.testing.samples import Broken, broken, matching
from llmspell_core.threads import inline

if TYPE_CHECKING:
    from llmspell_core.tool import Tool

#: What the codes of a call's errors begin with; a tool with codes of its own names them.
DOCUMENTED = (
    "input.", "tool.", "limit.", "policy.", "network.", "process.", "file.", "template.",
    "compute.", "provider.", "state.", "extension.unavailable", "timeout",
)  # fmt: skip
_TRACEBACK = "Traceback (most recent call last)"


class _HungError(BaseException):
    """Raised in the middle of a call that took too long."""


def fuzz_tool(
    tool: Tool,
    *,
    examples: int = 50,
    timeout_s: float = 5,
    codes: Iterable[str] = (),
    seed: int = 0,
    change: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    **bench: Any,
) -> None:
    """Call a tool in many ways; an AssertionError says which call did what it must not.

    Args:
        tool: the tool
        examples: how many calls with matching parameters, and as many with broken ones
        timeout_s: the most that one call may take
        codes: what further codes of errors may begin with
        seed: for the choices, where hypothesis is not installed
        change: called with matching parameters before each call, for what must not be random
        bench: arguments of `ToolBench`
    """
    known = (*DOCUMENTED, *codes)
    schema = tool.schema()
    json.dumps(schema)
    with asyncio.Runner() as runner:
        place = runner.run(ToolBench(**bench).__aenter__())
        trial = _Trial(tool, place, runner, known, timeout_s)
        try:
            _for_many(lambda random: trial.good(_made(schema, random, change)), examples, seed)
            _for_many(lambda random: trial.bad(broken(schema, random)), examples, seed)
        finally:
            runner.run(place.__aexit__(None, None, None))


def _made(
    schema: dict[str, Any],
    random: Random,
    change: Callable[[dict[str, Any]], dict[str, Any]] | None,
) -> dict[str, Any]:
    params = matching(schema, random)
    return change(params) if change else params


class _Trial:
    """The calls of one tool, and what is said of each."""

    def __init__(
        self,
        tool: Tool,
        place: ToolBench,
        runner: asyncio.Runner,
        known: tuple[str, ...],
        timeout_s: float,
    ) -> None:
        self._tool = tool
        self._place = place
        self._runner = runner
        self._known = known
        self._timeout_s = timeout_s

    def good(self, params: dict[str, Any]) -> None:
        """A call whose parameters match the schema."""
        error, data = self._call(params)
        if error is None:
            self._check_result(params, data)
            return
        if not error.code.startswith(self._known):
            raise self._wrong(params, f"ended in the undocumented code {error.code}: {error}")
        if not error.message:
            raise self._wrong(params, f"ended in {error.code} without a word")

    def bad(self, made: Broken | None) -> None:
        """A call with one mistake."""
        if made is None:
            return
        error, _ = self._call(made.params)
        if error is None:
            raise self._wrong(made.params, f"was taken, though {made.what}")
        if not isinstance(error, ValidationError) or error.code != "input.invalid":
            raise self._wrong(made.params, f"ended in {error.code}: {error}, though {made.what}")
        if not _names(error, made.field, self._tool):
            raise self._wrong(made.params, f"was refused without naming {made.field}: {error}")

    def _call(self, params: dict[str, Any]) -> tuple[LLMSpellError | None, Any]:
        """The error of a call, or its result's data."""
        started = time.monotonic()
        try:
            with _watched(2 * self._timeout_s):
                result = self._runner.run(self._bounded(params))
        except LLMSpellError as error:
            cause = error.__cause__
            if "exception" in error.details and not isinstance(cause, LLMSpellError):
                raise self._wrong(params, f"raised {type(cause).__name__}: {cause}") from cause
            if _TRACEBACK in f"{error.message}{error.hint}":
                raise self._wrong(params, "shows a traceback in its error") from error
            return error, None
        except (TimeoutError, _HungError):
            took = time.monotonic() - started
            raise self._wrong(params, f"did not end within {took:.1f} s") from None
        return None, result

    async def _bounded(self, params: dict[str, Any]) -> Any:
        # Nothing stops a thread: what hangs would go on beside all further trials.
        inline.set(True)
        async with asyncio.timeout(self._timeout_s):
            return await self._place.call(self._tool, params)

    def _check_result(self, params: dict[str, Any], result: Any) -> None:
        try:
            json.dumps([result.result, result.output], default=_bytes_only)
            text = result.text
        except (TypeError, ValueError) as error:
            raise self._wrong(params, f"gave what is no JSON: {error}") from None
        if not isinstance(text, str) or _TRACEBACK in text:
            raise self._wrong(params, "gave a text that shows a traceback")

    def _wrong(self, params: dict[str, Any], what: str) -> AssertionError:
        return AssertionError(f"{self._tool.name} {what}\nits parameters were {params!r}")


def _bytes_only(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"a {type(value).__name__}")


def _names(error: ValidationError, field: str, tool: Tool) -> bool:
    """Whether a mistake is said to be in this field, or in what stands for it."""
    aliases = getattr(tool.Parameters, "aliases", {})
    names = {field, *(alias for alias, target in aliases.items() if target == field)}
    mistakes = error.details.get("errors")
    said = [str(one.get("field", "")) for one in mistakes or () if isinstance(one, dict)]
    if any(one.partition(".")[0] in names for one in said):
        return True
    # What holds between fields is told of the whole: in words, then.
    return any(name in error.message for name in names)


def _for_many(check: Callable[[Random], None], examples: int, seed: int) -> None:
    try:
        from hypothesis import HealthCheck, Phase, given, settings
        from hypothesis import strategies as st
    except ImportError:
        random = Random(seed)  # noqa: S311 - examples, no secrets
        for _ in range(examples):
            check(random)
        return
    phases = (Phase.generate, Phase.shrink)
    bound = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
    bound(given(st.randoms(use_true_random=False))(check))()


@contextmanager
def _watched(seconds: float) -> Iterator[None]:
    """Raise `_HungError` in this thread when it computes for longer and gives nobody a turn."""
    thread = threading.get_ident()
    over = threading.Lock()
    ended = False

    def stop() -> None:
        with over:
            if not ended:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread), ctypes.py_object(_HungError)
                )

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with over:
            ended = True
        timer.cancel()
