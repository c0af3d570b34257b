"""Who traces what: the hook `tracing` of a run, a tracer of the process, both at once."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from llmspell_core.errors import ToolError
from llmspell_core.hooks import HookRegistry
from llmspell_core.runtime import Runtime
from llmspell_core.telemetry import Tracer, headers_of
from llmspell_core.telemetry.both import joined
from llmspell_core.telemetry.collected import Collector
from llmspell_core.tool import tool


@tool
async def double(number: int) -> int:
    """Twice a number."""
    if number < 0:
        raise ToolError("nothing below 0")
    return 2 * number


def test_nothing_is_traced_until_somebody_asks() -> None:
    base = HookRegistry()
    run = HookRegistry(base)
    assert run.tracer is None
    mine = Collector(10)
    run.trace(mine)
    assert run.tracer is mine
    assert base.tracer is None
    run.trace(None)
    assert run.tracer is None
    assert headers_of(None) == {}


def test_a_tracer_of_the_process_sees_runs_that_have_begun_already() -> None:
    base = HookRegistry()
    run = HookRegistry(base)
    assert run.tracer is None
    mine = Collector(10)
    base.trace(mine)
    assert run.tracer is mine


def test_the_hook_tracing_is_switched_on_and_off() -> None:
    base = HookRegistry()
    run = HookRegistry(base)
    run.enable("tracing")
    assert isinstance(run.tracer, Collector)
    assert base.tracer is None
    run.disable("tracing")
    assert run.tracer is None
    run.enable("tracing")
    run.close()
    assert run.tracer is None


def test_two_tracers_have_each_a_trace_of_its_own() -> None:
    first, second = Collector(10), Collector(10)
    both: Tracer | None = joined(first, second)
    assert both is not None
    # The run began before the second one was there.
    outer = first.start("outer")
    with outer.active():
        inner = both.start("inner", parent=outer, attributes={"a": None, "b": 1})
        inner.set("c", True)
        inner.error("x.y", "a secret")
        inner.end()
        inner.end()
    outer.end()
    assert [one["name"] for one in first.spans] == ["inner", "outer"]
    assert first.spans[0]["parent_id"] == first.spans[1]["span_id"]
    (alone,) = second.spans
    assert "parent_id" not in alone
    assert alone["attributes"] == {"b": 1, "c": True, "error.type": "x.y"}
    assert inner.of(both) is inner
    assert joined(None, first) is first
    assert joined(None, None) is None


def test_a_collector_keeps_no_more_than_it_may() -> None:
    mine = Collector(2)
    for name in "abc":
        mine.start(name).end()
    assert [one["name"] for one in mine.spans] == ["a", "b"]
    assert mine.dropped == 1


def test_runs_and_their_errors_are_told_apart(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> dict[str, Any]:
        async with Runtime({}) as runtime:
            hooks = runtime.base.hooks
            hooks.enable("tracing", {"level": "info"})
            ctx = runtime.context()
            await asyncio.gather(*(double.call({"number": one}, ctx) for one in (1, 2)))
            with pytest.raises(ToolError):
                await double.call({"number": -1}, ctx)
            report: dict[str, Any] = hooks.stats()["builtin"]["tracing"]
            return report

    with caplog.at_level(logging.INFO, logger="llmspell.tracing"):
        report = asyncio.run(main())
    errors = [one["attributes"].get("error.type") for one in report["spans"]]
    assert errors == [None, None, "tool.failed"]
    assert len({one["trace_id"] for one in report["spans"]}) == 3
    assert all(one["duration_ms"] >= 0 for one in report["spans"])
    assert "execute_tool double" in caplog.text
    assert "failed: " in caplog.text
    # Messages quote what was given.
    assert "nothing below 0" not in caplog.text


def test_a_hook_that_stands_in_for_a_run_is_traced_and_a_redirect_is_no_error() -> None:
    @tool
    async def triple(number: int) -> int:
        """Three times a number."""
        return 3 * number

    async def main() -> list[dict[str, Any]]:
        async with Runtime({}) as runtime:
            hooks = runtime.base.hooks
            hooks.enable("tracing")
            ctx = runtime.context()
            ctx.overlay.tools.register("triple", triple)

            def redirect(seen: Any) -> Any:
                return {"type": "redirect", "target": "triple"} if seen.tool == "double" else None

            hooks.register("before_tool_execution", redirect)
            assert (await double.call({"number": 2}, ctx)).result == 6
            spans: list[dict[str, Any]] = hooks.stats()["builtin"]["tracing"]["spans"]
            return spans

    spans = asyncio.run(main())
    assert [one["name"] for one in spans] == ["execute_tool double", "execute_tool triple"]
    assert all("error.type" not in one["attributes"] for one in spans)


def test_a_cancelled_run_is_told() -> None:
    @tool
    async def wait(number: int) -> int:
        """Waits for long."""
        await asyncio.sleep(30)
        return number

    async def main() -> list[dict[str, Any]]:
        async with Runtime({}) as runtime:
            runtime.base.hooks.enable("tracing")
            work = asyncio.ensure_future(wait.call({"number": 1}, runtime.context()))
            await asyncio.sleep(0.05)
            work.cancel()
            await asyncio.wait([work])
            spans: list[dict[str, Any]] = runtime.base.hooks.stats()["builtin"]["tracing"]["spans"]
            return spans

    (span,) = asyncio.run(main())
    assert span["attributes"]["error.type"] == "cancelled"
