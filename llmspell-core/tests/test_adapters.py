"""Agents and workflows in the shape of a tool."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_core.adapters import ComponentTool, component_of, tool_name
from llmspell_core.agent import Agent
from llmspell_core.context import ExecutionContext
from llmspell_core.errors import LLMSpellError
from llmspell_core.messages import AgentInput, AgentOutput
from llmspell_core.testing import scripted_runtime
from llmspell_core.workflow import Workflow


class Echo(Agent):
    """Says what it is told."""

    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        if input.text == "break":
            raise RuntimeError("echo is broken")
        return AgentOutput(text=f"{input.text}!", agent=self.name)


class Doubler(Workflow):
    """Doubles a number, or says that it cannot."""

    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        if not isinstance(input.value, int):
            error = {"message": "no number", "code": "workflow.failed"}
            return AgentOutput(text="failed", success=False, error=error)
        return AgentOutput(text="doubled", data=input.value * 2)


async def call(tool: ComponentTool, params: dict[str, Any]) -> Any:
    async with scripted_runtime() as (runtime, _):
        return await tool.call(params, runtime.context())


def test_an_agent_is_a_tool_that_takes_text_and_gives_its_answer() -> None:
    tool = ComponentTool(Echo("My Echo", "Echoes."))
    assert (tool.name, tool.description) == ("my-echo", "Echoes.")
    assert tool.schema()["required"] == ["input"]
    result = asyncio.run(call(tool, {"prompt": "hi"}))
    assert (result.output, result.text, result.success) == ("hi!", "hi!", True)


def test_a_workflow_is_a_tool_that_takes_any_value_and_gives_its_output() -> None:
    tool = ComponentTool(Doubler("doubler"), "twice", "Doubles a number.")
    assert (tool.name, tool.description) == ("twice", "Doubles a number.")
    assert asyncio.run(call(tool, {"input": 4})).output == 8


def test_a_failed_workflow_is_a_failed_result_and_an_agents_error_is_raised() -> None:
    result = asyncio.run(call(ComponentTool(Doubler("d")), {}))
    assert (result.success, result.error["message"]) == (False, "no number")
    with pytest.raises(LLMSpellError, match="echo is broken"):
        asyncio.run(call(ComponentTool(Echo("e")), {"input": "break"}))


def test_host_objects_stand_for_their_component() -> None:
    class Handle:
        component = Echo("e")

    assert component_of(Handle()) is Handle.component
    assert component_of(Handle.component) is Handle.component
    assert component_of("e") is None


def test_names_of_components_become_names_of_tools() -> None:
    assert tool_name("Data Analyst") == "data-analyst"
    assert tool_name("triage") == "triage"
