"""An agent's turn beside other frameworks doing the same: with an answer only, and with one tool.

    python benchmarks/frameworks.py [--json] [--quick]

Each framework gets a model of its own kind that answers at once, so that only the framework's
work is measured; tracing that would send data is off. Milliseconds of CPU, taken by turns in one
run. Frameworks that are not installed are left out (`make bench` installs them).
"""

from __future__ import annotations

import asyncio
import importlib.util
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

from agent_turn import Instant, stock
from measuring import best_us, report, rounds

from llmspell_agents import Agent
from llmspell_core.runtime import Runtime

TURNS = 30
ASKED, ANSWER = "Any kettles?", "We have 7."
Work = Callable[[], Awaitable[Any]]


async def look_up(item: str) -> int:
    """How many of ITEM are in the store."""
    return 7


def of_pydantic_ai(with_tool: bool) -> Work:
    """A `FunctionModel`."""
    from pydantic_ai import Agent as Theirs
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models.function import FunctionModel

    async def answer(messages: list[Any], info: Any) -> Any:
        if info.function_tools and messages[-1].parts[-1].part_kind == "user-prompt":
            return ModelResponse(parts=[ToolCallPart("look_up", {"item": "kettle"})])
        return ModelResponse(parts=[TextPart(ANSWER)])

    tools = [look_up] if with_tool else []
    agent = Theirs(FunctionModel(answer), instructions="Be brief.", tools=tools)
    return lambda: agent.run(ASKED)


def of_openai_agents(with_tool: bool) -> Work:
    """A `Model` of its own."""
    import agents
    from openai.types import responses as wire

    agents.set_tracing_disabled(True)

    class Model(agents.Model):
        async def get_response(self, *args: Any, **named: Any) -> Any:
            given = named.get("input", args[1] if args else None)
            tools = named.get("tools", args[3] if args else None)
            output: Any
            if tools and (isinstance(given, str) or len(given) == 1):
                output = wire.ResponseFunctionToolCall(
                    arguments='{"item":"kettle"}', call_id="1", name="look_up", type="function_call"
                )
            else:
                text = wire.ResponseOutputText(text=ANSWER, type="output_text", annotations=[])
                output = wire.ResponseOutputMessage(
                    id="1", role="assistant", status="completed", type="message", content=[text]
                )
            return agents.ModelResponse(output=[output], usage=agents.Usage(), response_id=None)

        def stream_response(self, *_: Any, **__: Any) -> Any:
            raise TypeError("nothing is streamed here")

    tools: list[Any] = [agents.function_tool(look_up)] if with_tool else []
    agent = agents.Agent(name="a", instructions="Be brief.", model=Model(), tools=tools)
    return lambda: agents.Runner.run(agent, ASKED)


def of_langgraph(with_tool: bool) -> Work:
    """The prebuilt agent over a `BaseChatModel`."""
    from langchain_core.language_models.chat_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatGeneration, ChatResult
    from langchain_core.tools import StructuredTool
    from langgraph.prebuilt import create_react_agent

    class Model(BaseChatModel):
        bound: bool = False
        _llm_type = "instant"

        def bind_tools(self, *_: Any, **__: Any) -> Any:
            return Model(bound=True)

        def _generate(self, *_: Any, **__: Any) -> Any:
            raise TypeError("asynchronous only")

        async def _agenerate(self, messages: Any, *_: Any, **__: Any) -> Any:
            message = AIMessage(ANSWER)
            if self.bound and messages[-1].type == "human":
                call = {"name": "look_up", "args": {"item": "kettle"}, "id": "1"}
                message = AIMessage("", tool_calls=[call])
            return ChatResult(generations=[ChatGeneration(message=message)])

    tools = [StructuredTool.from_function(coroutine=look_up, name="look_up")] if with_tool else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its new home is a package of its own
        graph: Any = create_react_agent(Model(), tools, prompt="Be brief.")
    return lambda: graph.ainvoke({"messages": [("user", ASKED)]})


OTHERS = {"pydantic_ai": of_pydantic_ai, "agents": of_openai_agents, "langgraph": of_langgraph}


async def main() -> dict[str, float]:
    """All figures."""
    figures: dict[str, float] = {}
    async with Runtime({}) as runtime:
        runtime.add_provider(Instant())
        ctx = runtime.context()
        for with_tool in (False, True):
            tools = [stock] if with_tool else []
            ours = Agent("Be brief.", model="scripted/m", tools=tools)
            works: dict[str, Work] = {"ours": lambda ours=ours: ours.execute(ASKED, ctx)}  # type: ignore[misc]
            for name, made in OTHERS.items():
                if importlib.util.find_spec(name) is not None:
                    works[name] = made(with_tool)
            best = dict.fromkeys(works, float("inf"))
            for _ in range(rounds(10)):
                for name, work in works.items():
                    taken = await best_us(work, TURNS, 1, time.process_time)
                    best[name] = min(best[name], taken)
            what = "one tool" if with_tool else "answer"
            figures.update({f"{name}: {what}, ms": us / 1e3 for name, us in best.items()})
    return figures


if __name__ == "__main__":
    report(asyncio.run(main()))
