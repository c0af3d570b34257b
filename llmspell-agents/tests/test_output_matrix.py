"""Every kind of schema in every output mode, streamed or not, with tools and with hand-offs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, get_args

import pytest

from llmspell_agents import Agent
from llmspell_agents.output_modes import Mode
from llmspell_agents.structured import FINAL_TOOL, AnswerSchema
from llmspell_core.messages import AgentOutput
from llmspell_core.provider import Capabilities
from llmspell_core.testing import scripted_runtime, tool_call
from llmspell_core.testing.openai_server import FakeOpenAI, completion, sse
from llmspell_core.tool import tool

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
TREE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "below": {"type": "array", "items": {"$ref": "#"}},
    },
    "required": ["name"],
}
KINDS: list[tuple[dict[str, Any], Any]] = [
    (CITY, {"city": "Oslo", "days": 3}),
    ({"type": "object", "additionalProperties": {"type": "number"}}, {"a": 1.5}),
    (TREE, {"name": "a", "below": [{"name": "b"}]}),
    ({"anyOf": [TREE["properties"]["name"], TREE]}, "a"),  # type: ignore[index]
    ({"type": "array", "items": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}}, [None, [None]]),
    (
        {"type": "array", "items": {"$ref": "#/$defs/c"}, "$defs": {"c": CITY}},
        [{"city": "x", "days": 1}],
    ),
    ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, 3),
    ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]}, ["a", 1]),
    ({"type": "array", "items": {"type": "string"}}, []),
    ({"type": "string"}, "Oslo"),
    ({"type": "integer"}, 7),
    ({"type": "number"}, -0.5),
    ({"type": "boolean"}, False),
    ({"type": "null"}, None),
    ({"type": ["string", "null"]}, None),
    ({"enum": ["a", 2, None]}, 2),
    ({"const": {"value": 1}}, {"value": 1}),
    ({"oneOf": [CITY, {"type": "array", "items": CITY}]}, [{"city": "x", "days": 1}]),
    ({"allOf": [CITY, {"properties": {"days": {"minimum": 2}}}]}, {"city": "x", "days": 2}),
    ({"description": "anything"}, {"anything": [1]}),
]
MODES: tuple[Mode, ...] = get_args(Mode)
SCENES = ["alone", "tools", "handoff"]
ALL = Capabilities(grammar=True)


@tool
async def days(city: str) -> int:
    """Days to CITY."""
    return 3


def billing(mode: str) -> Agent:
    return Agent("Bills.", name="billing", description="knows bills", output_mode=mode)


def fields(scene: str, mode: str) -> dict[str, Any]:
    return (
        {"tools": [days]}
        if scene == "tools"
        else {"handoffs": [billing(mode)]}
        if scene == "handoff"
        else {}
    )


def first_call(scene: str) -> tuple[str, dict[str, Any]] | None:
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "tools": ("days", {"city": "Oslo"}),
        "handoff": ("transfer_to_billing", {"reason": "bill"}),
    }
    return calls.get(scene)


async def answered(agent: Agent, ctx: Any, streamed: bool) -> tuple[AgentOutput, str]:
    """The output, and the text that was streamed after the last tool result."""
    if not streamed:
        whole = await agent.execute("go", ctx)
        return whole, whole.text
    text = ""
    out: AgentOutput | None = None
    async for chunk in agent.stream("go", ctx):
        text = (
            ""
            if chunk.type == "tool_result"
            else text + (chunk.text if chunk.type == "text" else "")
        )
        out = chunk.output or out
    assert out is not None
    return out, text


def check(out: AgentOutput, text: str, value: Any, scene: str) -> None:
    assert (out.data, type(out.data)) == (value, type(value))
    assert text == out.text
    assert out.text == (value if isinstance(value, str) else out.text)
    names = [call.name for call in out.tool_calls]
    assert names == ([first_call(scene)[0]] if first_call(scene) else [])  # type: ignore[index]
    assert out.agent == ("billing" if scene == "handoff" else "asked")


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("mode", MODES)
def test_with_a_scripted_model(mode: Mode, streamed: bool, scene: str) -> None:
    async def main() -> None:
        async with scripted_runtime(capabilities=ALL) as (runtime, provider):
            for schema, value in KINDS:
                shown = AnswerSchema.of(schema, mode)
                given = {"value": value} if shown.wrapped else value
                by_tool = mode == "tool"
                answer = tool_call(FINAL_TOOL, **given) if by_tool else json.dumps(given)
                if call := first_call(scene):
                    provider.add(tool_call(call[0], **call[1]))
                provider.add(answer)
                agent = Agent(
                    "x",
                    name="asked",
                    response_format=schema,
                    output_mode=mode,
                    **fields(scene, mode),
                )
                out, text = await answered(agent, runtime.context(), streamed)
                check(out, text, value, scene)
                provider.assert_all_used()
                last = provider.requests[-1]
                assert last.schema == shown.wire
                assert last.grammar == (mode == "grammar")
                assert (FINAL_TOOL in [one.name for one in last.tools]) == by_tool
                in_prompt = json.dumps(shown.schema) in last.messages[0].text
                assert in_prompt == (mode in ("prompted", "grammar"))

    asyncio.run(main())


def served(text: str | None, call: tuple[str, dict[str, Any]] | None) -> Callable[[Any], Any]:
    """A reply of the server: a text or a call, streamed where it is asked for so."""
    made = None
    if call is not None:
        function = {"name": call[0], "arguments": json.dumps(call[1])}
        made = [{"index": 0, "id": f"c_{call[0]}", "type": "function", "function": function}]

    def reply(body: dict[str, Any]) -> Any:
        if not body.get("stream"):
            return completion(text or "", tool_calls=made)
        half = len(text or "") // 2
        deltas = (
            [{"tool_calls": made}]
            if made
            else [{"content": (text or "")[:half]}, {"content": (text or "")[half:]}]
        )
        reason = "tool_calls" if made else "stop"
        rows = [{"choices": [{"index": 0, "delta": one}]} for one in deltas]
        return sse(*rows, {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})

    return reply


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("mode", MODES)
def test_with_a_real_server(mode: Mode, streamed: bool, scene: str) -> None:
    async def main() -> None:
        replies: list[Any] = []
        for schema, value in KINDS:
            given = {"value": value} if AnswerSchema.of(schema, mode).wrapped else value
            replies += [served(None, call)] if (call := first_call(scene)) else []
            replies.append(
                served(None, (FINAL_TOOL, given))
                if mode == "tool"
                else served(json.dumps(given), None)
            )
        async with FakeOpenAI(*replies) as server:
            table = {"type": "openai", "base_url": server.base_url, "grammar_field": "guided_json"}
            settings = {"providers": {"near": table}, "default": {"model": "near/m"}}
            async with scripted_runtime(settings=settings) as (runtime, _):
                for schema, value in KINDS:
                    agent = Agent(
                        "x",
                        name="asked",
                        model="near/m",
                        response_format=schema,
                        output_mode=mode,
                        **fields(scene, mode),
                    )
                    out, text = await answered(agent, runtime.context(), streamed)
                    check(out, text, value, scene)
            held = [("response_format" in body, "guided_json" in body) for body in server.requests]
            assert all(native == (mode == "native") for native, _ in held)
            # A grammar would keep the model from calling a tool.
            free = [body for body in server.requests if not body.get("tools")]
            assert all(("guided_json" in body) == (mode == "grammar") for body in free)
            assert not any("guided_json" in body and body.get("tools") for body in server.requests)

    asyncio.run(main())
