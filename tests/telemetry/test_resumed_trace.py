"""A run that was paused and goes on in another process has a link to its first trace."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from telemetry_rig import check_names

from llmspell_agents import Agent
from llmspell_core.testing import scripted_runtime, tool_call
from llmspell_core.testing.otlp import OtlpCollector
from llmspell_core.tool import FunctionTool

pytest.importorskip("opentelemetry.sdk")


def send(to: str) -> str:
    """Sends."""
    return f"sent to {to}"


def process(folder: Path, collector: OtlpCollector, reply: Any, state: Any = None) -> Any:
    """One process: the run up to its pause, or from there on."""
    settings = {
        "system": {"data_dir": str(folder)},
        "state": {"backend": "sqlite"},
        "telemetry": {"endpoint": collector.endpoint},
    }
    tool = FunctionTool(send, requires_approval=True)
    agent = Agent("Be useful.", name="clerk", tools=[tool], on_approval="pause")

    async def main() -> Any:
        async with scripted_runtime(reply, settings=settings) as (runtime, _):
            ctx = runtime.context()
            if state is None:
                return await agent.execute("go", ctx)
            return await agent.resume(state, True, ctx)

    return asyncio.run(main())


def test_a_resumed_run_has_a_link_to_the_first_trace(tmp_path: Path) -> None:
    with OtlpCollector() as first:
        paused = process(tmp_path, first, tool_call("send", to="ada"))
    with OtlpCollector() as second:
        output = process(tmp_path, second, "Done.", paused.state)
    assert (paused.status, output.text) == ("paused", "Done.")
    before, after = first.one("invoke_agent clerk"), second.one("invoke_agent clerk")
    assert before["links"] == []
    assert not before["failed"]
    assert after["links"] == [before["span_id"]]
    assert after["trace_id"] != before["trace_id"]
    assert "execute_tool send" in second.names()
    for collector in (first, second):
        check_names(collector)
