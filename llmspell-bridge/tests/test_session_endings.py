"""How a run ends: limits, exits, cancellation, deadlines, closed outputs, unhandled errors."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import pytest

from llmspell_bridge.streams import CapturedStreams, Streams
from llmspell_bridge.testing import CARRIERS, run_source, script_runtime
from llmspell_core.errors import DeadlineError, LLMSpellError, ScriptError
from llmspell_core.script.api import ScriptGlobal, script_method

each_carrier = pytest.mark.parametrize("carrier", CARRIERS)


class HostGlobal(ScriptGlobal):
    """Takes its time."""

    name = "Host"
    closed: list[str] = []  # noqa: RUF012 - reset by each test

    @script_method
    async def wait(self, ms: float) -> float:
        try:
            await asyncio.sleep(ms / 1000)
        finally:
            type(self).closed.append("wait")
        return ms

    @script_method
    async def stubborn(self) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)
            type(self).closed.append("cleaned")
            raise

    @script_method
    def tick(self) -> None: ...

    @script_method
    def note(self, text: str) -> None:
        type(self).closed.append(text)


async def outcome(
    source: str, carrier: str, limits: dict[str, Any] | None = None, **how: Any
) -> Any:
    """The result, or the error that was raised, and what was captured."""
    HostGlobal.closed.clear()
    settings = {"security": {"limits": limits or {}}}
    streams = how.pop("streams", None) or CapturedStreams()
    async with script_runtime(HostGlobal, isolation=carrier, settings=settings) as runtime:
        try:
            found: Any = await run_source(runtime, source, streams=streams, **how)
        except LLMSpellError as error:
            found = error
        return found, getattr(streams, "stdout", "")


def end_of(source: str, carrier: str, limits: dict[str, Any] | None = None, **how: Any) -> Any:
    async def main() -> Any:
        return await asyncio.wait_for(outcome(source, carrier, limits, **how), 60)

    return asyncio.run(main())


# -- limits ----------------------------------------------------------------------------------------


@each_carrier
@pytest.mark.parametrize(
    ("source", "limits", "code"),
    [
        ("while true do end", {"wall_s": 0.3}, "script.wall_limit"),
        ("while true do pcall(function() while true do end end) end", {"wall_s": 0.3},
         "script.wall_limit"),
        ("Async.sleep(60000)", {"wall_s": 0.2}, "script.wall_limit"),
        ("while true do pcall(Async.sleep, 5) end", {"wall_s": 0.2}, "script.wall_limit"),
        ("while true do pcall(Host.tick) end", {"host_calls": 50}, "script.host_calls_limit"),
        ("while true do pcall(print, ('x'):rep(1000)) end", {"output_mb": 1},
         "script.output_limit"),
        ("while true do end", {"cpu_s": 0.2}, "script.cpu_limit"),
        ("while true do end", {"instructions": 1_000_000}, "script.instructions_limit"),
        ("local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end", {"memory_mb": 16},
         "script.memory_limit"),
        ("local t = {} pcall(function() for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end end) "
         "while true do end", {"memory_mb": 16}, "script.memory_limit"),
        ("Async.spawn(function() while true do Async.sleep(1) end end)", {"wall_s": 0.2},
         "script.wall_limit"),
        ("Async.spawn(function() while true do end end)", {"wall_s": 0.2}, "script.wall_limit"),
    ],
)  # fmt: skip
def test_a_used_up_budget_ends_the_script_whatever_it_does(
    carrier: str, source: str, limits: dict[str, Any], code: str
) -> None:
    error, _ = end_of(f"print('before')\n{source}", carrier, limits)
    assert isinstance(error, ScriptError), error
    assert error.code == code
    assert error.hint is not None
    assert "[security.limits]" in error.hint


@each_carrier
def test_what_was_printed_before_a_limit_is_kept(carrier: str) -> None:
    error, output = end_of("print('kept') while true do end", carrier, {"wall_s": 0.3})
    assert error.code == "script.wall_limit"
    assert output == "kept\n"
    assert error.source == "spell.lua:1"


@each_carrier
def test_the_output_limit_counts_bytes(carrier: str) -> None:
    error, output = end_of("print(('é'):rep(700000))", carrier, {"output_mb": 1})
    assert error.code == "script.output_limit"
    result, output = end_of("io.write(('é'):rep(500000))", carrier, {"output_mb": 1})
    assert len(output) == 500_000
    assert result.value is None


@each_carrier
def test_the_wall_clock_stands_still_while_others_work(carrier: str) -> None:
    result, _ = end_of("return Host.wait(600)", carrier, {"wall_s": 0.4})
    assert result.value == 600
    # ... but not for a timer, nor for what the script does meanwhile in a callback of its own.
    error, _ = end_of("Async.sleep(600)", carrier, {"wall_s": 0.4})
    assert error.code == "script.wall_limit"
    spell = (
        "Tool.create{name = 'slow', description = 'x', execute = function() Async.sleep(900) end}"
        "Tool.execute('slow', {})"
    )
    error, _ = end_of(spell, carrier, {"wall_s": 0.4})
    assert error.code == "script.wall_limit"


@each_carrier
def test_a_rate_delays_and_never_fails(carrier: str) -> None:
    source = "for _ = 1, 30 do Host.tick() end return 1"
    started = time.perf_counter()
    result, _ = end_of(source, carrier, {"host_calls_per_s": 20})
    assert result.value == 1
    assert time.perf_counter() - started > 0.4
    assert result.host_calls == 30


@each_carrier
def test_streams_and_timers_are_no_host_calls(carrier: str) -> None:
    source = "for _ = 1, 20 do print(io.read()) Async.sleep(0) end return 1"
    result, _ = end_of(source, carrier, {"host_calls": 5}, streams=CapturedStreams("a\n" * 20))
    assert (result.value, result.host_calls) == (1, 0)


# -- exits -----------------------------------------------------------------------------------------


@each_carrier
@pytest.mark.parametrize(
    "source",
    [
        "os.exit(3)",
        "pcall(os.exit, 3)",
        "Async.spawn(function() Async.sleep(5) os.exit(3) end)",
        "Async.spawn(function() Async.sleep(5) os.exit(3) end) Async.sleep(60000)",
        "Event.subscribe('x', function() os.exit(3) end) Event.publish('x') Async.sleep(60000)",
        "Tool.create{name = 't', description = 'x', execute = function() os.exit(3) end} "
        "pcall(Tool.execute, 't', {}) while true do Async.sleep(1) end",
    ],
)
def test_exit_ends_the_run_from_wherever_it_is_called(carrier: str, source: str) -> None:
    result, output = end_of(f"print('out') {source}", carrier)
    assert result.exit_code == 3
    assert output == "out\n"


@each_carrier
def test_work_on_the_host_is_cancelled_and_waited_for_when_the_script_ends(carrier: str) -> None:
    end_of("Async.spawn(Host.stubborn) Async.sleep(20) os.exit(0)", carrier)
    assert HostGlobal.closed == ["cleaned"]


@each_carrier
def test_tasks_go_on_after_the_main_chunk_until_nothing_is_left(carrier: str) -> None:
    source = """
      Async.spawn(function()
        Async.sleep(20)
        print("first")
        Async.spawn(function() Async.sleep(20) print("second") end)
      end)
      return "value"
    """
    result, output = end_of(source, carrier)
    assert (result.value, output) == ("value", "first\nsecond\n")


@each_carrier
def test_events_on_their_way_are_delivered_and_subscriptions_keep_nothing_alive(
    carrier: str,
) -> None:
    source = """
      Event.subscribe("a", function() Async.sleep(5) print("a") Event.publish("b") end)
      Event.subscribe("b", function() print("b") end)
      Event.publish("a")
    """
    started = time.perf_counter()
    _, output = end_of(source, carrier)
    assert output == "a\nb\n"
    assert time.perf_counter() - started < 5


# -- errors nobody handles -------------------------------------------------------------------------


@each_carrier
def test_an_unhandled_task_error_is_reported_once(carrier: str) -> None:
    source = """
      Async.spawn(function() error("lost") end)
      local seen = Async.spawn(function() error("seen") end)
      pcall(seen.await, seen)
      return 7
    """
    result, _ = end_of(source, carrier)
    assert result.value == 7
    assert [(e.message, e.source) for e in result.unhandled] == [("lost", "spell.lua:2")]


@each_carrier
def test_reports_of_unhandled_errors_are_bounded(carrier: str) -> None:
    source = "for i = 1, 150 do Async.spawn(function() error(i) end) end"
    result, _ = end_of(source, carrier)
    assert len(result.unhandled) == 100
    assert result.unhandled_more == 50


# -- cancellation and deadlines --------------------------------------------------------------------


def cancelled(source: str, carrier: str, after_s: float = 0.15) -> tuple[float, str]:
    """Cancel a run; how long that took, and what the script wrote."""

    async def main() -> tuple[float, str]:
        HostGlobal.closed.clear()
        streams = CapturedStreams()
        async with script_runtime(HostGlobal, isolation=carrier) as runtime:
            running = asyncio.ensure_future(run_source(runtime, source, streams=streams))
            await asyncio.sleep(after_s)
            started = time.perf_counter()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            return time.perf_counter() - started, streams.stdout

    return asyncio.run(asyncio.wait_for(main(), 30))


@each_carrier
def test_a_cancelled_script_can_catch_that_and_clean_up(carrier: str) -> None:
    source = """
      local ok, e = pcall(Host.wait, 60000)
      print(e.code)
      Host.wait(50)
      print("cleaned")
    """
    took, output = cancelled(source, carrier)
    assert output == "cancelled\ncleaned\n"
    assert took < 1
    assert HostGlobal.closed == ["wait", "wait"]


@each_carrier
def test_a_cancelled_script_that_goes_on_is_ended_after_a_second(carrier: str) -> None:
    took, _ = cancelled("while true do pcall(Host.wait, 60000) end", carrier)
    assert 0.9 < took < 4


def test_a_cancelled_script_that_computes_is_killed_in_a_worker() -> None:
    took, _ = cancelled("while true do end", "worker")
    assert took < 4


def test_a_script_that_blocks_the_loop_sees_that_it_was_cancelled() -> None:
    # Only a signal handler can cancel while the loop stands still: a thread stands in for it.
    async def main() -> float:
        import threading

        async with script_runtime() as runtime:
            running = asyncio.ensure_future(run_source(runtime, "while true do end"))
            threading.Timer(0.1, running.cancel).start()
            started = time.perf_counter()
            with pytest.raises(asyncio.CancelledError):
                await running
            return time.perf_counter() - started

    assert asyncio.run(main()) < 5


@each_carrier
@pytest.mark.parametrize("source", ["Host.wait(60000)", "while true do end", "Async.sleep(60000)"])
def test_a_deadline_ends_the_run(carrier: str, source: str) -> None:
    started = time.perf_counter()
    error, output = end_of(f"print('x') {source}", carrier, timeout_ms=300)
    assert isinstance(error, DeadlineError)
    assert (error.code, error.hint) == ("script.timeout", "raise --timeout")
    assert output == "x\n"
    assert time.perf_counter() - started < 6


@each_carrier
def test_after_script_hooks_run_while_the_script_can_still_answer(carrier: str) -> None:
    hook = "Hook.register('after_script', function(ctx) print('after', ctx.%s) end) "
    _, output = end_of(hook % "output" + "return 5", carrier)
    assert output == "after\t5\n"
    error, output = end_of(hook % "error.code" + "error('x')", carrier)
    assert (error.code, output) == ("script.error", "after\tscript.error\n")
    # After a fatal end nothing of the script runs, and its hooks are no failures of their own.
    error, output = end_of(hook % "output" + "while true do end", carrier, {"cpu_s": 0.1})
    assert (error.code, output) == ("script.cpu_limit", "")


def test_a_slow_after_script_hook_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("llmspell_bridge.run.AFTER_S", 0.1)

    async def main() -> Any:
        async with script_runtime() as runtime:
            runtime.base.hooks.register(
                "after_script", lambda ctx: asyncio.sleep(60), timeout_ms=60_000
            )
            return (await run_source(runtime, "return 1")).value

    with caplog.at_level(logging.WARNING, "llmspell"):
        assert asyncio.run(main()) == 1
    assert "after_script hooks took longer" in caplog.text


@each_carrier
def test_events_around_a_run(carrier: str) -> None:
    async def main() -> list[str]:
        seen: list[str] = []
        async with script_runtime(isolation=carrier) as runtime:
            runtime.base.events.subscribe("script.*", lambda event: seen.append(event.type))
            await run_source(runtime, "return 1")
            with pytest.raises(ScriptError):
                await run_source(runtime, "error('x')")
            running = asyncio.ensure_future(run_source(runtime, "Async.sleep(60000)"))
            await asyncio.sleep(0.1)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await runtime.base.events.drain()
        return seen

    assert asyncio.run(main()) == [
        "script.started", "script.completed", "script.started", "script.failed",
        "script.started", "script.failed",
    ]  # fmt: skip


@each_carrier
def test_hooks_before_a_script_may_cancel_or_change_it(carrier: str) -> None:
    async def main() -> tuple[Any, LLMSpellError]:
        async with script_runtime(isolation=carrier) as runtime:
            hooks = runtime.base.hooks
            change = hooks.register(
                "before_script",
                lambda ctx: {"type": "modified", "data": {"input": ctx.input + " + 1"}},
            )
            changed = (await run_source(runtime, "return 1")).value
            hooks.unregister(change)
            hooks.register("before_script", lambda ctx: {"type": "cancel", "reason": "not today"})
            with pytest.raises(LLMSpellError) as caught:
                await run_source(runtime, "return 1")
            return changed, caught.value

    value, error = asyncio.run(main())
    assert value == 2
    assert (error.code, "not today" in error.message) == ("hook.cancelled", True)


# -- outputs that fail -----------------------------------------------------------------------------


class Broken(Streams):
    def __init__(self, error: Exception) -> None:
        self._error = error

    def write(self, stream: str, text: str) -> None:
        raise self._error


@each_carrier
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BrokenPipeError(), "script.output_closed"),
        (OSError(28, "No space left on device"), "script.output_failed"),
        (ValueError("I/O operation on closed file"), "script.output_failed"),
    ],
)
def test_an_output_that_fails_ends_the_run(carrier: str, error: Exception, code: str) -> None:
    source = "while true do print('x') end"
    found, _ = end_of(source, carrier, streams=Broken(error))
    assert found.code == code
    if isinstance(error, OSError) and error.strerror:
        assert found.message == "cannot write: No space left on device"
