"""What comes over the wire: the same beginning in every turn, and thoughts to whom they belong."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_core.canonical import canonical_schema
from llmspell_core.errors import ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import Raw, chunk_of, completion, sse
from llmspell_core.tool import tool


@tool
async def stock(size: str, item: str = "", color: str = "") -> int:
    """How many there are."""
    return 7


@tool
async def alarm() -> str:
    """Ring."""
    return "rung"


@asynccontextmanager
async def runtime_for(**servers: FakeOpenAI) -> AsyncIterator[Runtime]:
    settings = {
        "providers": {
            name: {"type": "openai", "base_url": server.base_url}
            for name, server in servers.items()
        },
        "default": {"model": f"{next(iter(servers))}/m"},
        "state": {"backend": "memory"},
    }
    async with Runtime(settings) as runtime:
        yield runtime


def called(name: str, **message: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": '{"size": "m"}'}
    answer = completion(tool_calls=[{"id": "c1", "type": "function", "function": function}])
    answer["choices"][0]["message"].update(message)
    return answer


def test_the_second_turn_begins_with_the_bytes_of_the_first() -> None:
    async def main() -> None:
        replies: list[Any] = [called("stock"), "7.", called("alarm"), "Rung.", "Bye."]
        async with FakeOpenAI(*replies) as server, runtime_for(fake=server) as runtime:
            peer = Agent(name="billing", system_prompt="y")
            agent = Agent("Be brief.", tools=[stock, alarm], handoffs=[peer], max_tokens=9)
            ctx = runtime.context()
            await agent.chat("any?", ctx)
            await agent.chat("ring", ctx)
            await agent.chat({"text": "bye", "instruction": "Be kind."}, ctx)
            bodies = server.bodies
            for before, after in itertools.pairwise(bodies[:4]):
                assert before.endswith(b"}]}")
                assert after.startswith(before.removesuffix(b"]}"))
            # What changes stands behind what does not.
            system = b"Be brief.\\n\\nOther agents can take over."
            assert system in bodies[3]
            unchanged = bodies[3][: bodies[3].index(b'"}, {"role": "user"')]
            assert bodies[4].startswith(unchanged)

    asyncio.run(main())


def test_tools_and_schemas_look_the_same_in_whatever_order_they_were_given() -> None:
    def table(reverse: bool) -> dict[str, Any]:
        fields = [
            ("type", "object"),
            ("required", ["why", "answer"]),
            ("properties", {"note": {"type": "string"}, "answer": {}, "why": {"type": "string"}}),
        ]
        return dict(reversed(fields)) if reverse else dict(fields)

    async def main() -> None:
        async with FakeOpenAI('{"why": "x", "answer": 1}') as server:
            async with runtime_for(fake=server) as runtime:
                for reverse in (False, True):
                    tools = [stock, alarm][:: -1 if reverse else 1]
                    agent = Agent("x", tools=tools, response_format=table(reverse))
                    await agent.execute("any?", runtime.context())
            first, second = server.bodies
            assert first == second
            shown = server.requests[0]
            names = [one["function"]["name"] for one in shown["tools"]]
            assert names == ["alarm", "stock"]
            properties = shown["response_format"]["json_schema"]["schema"]["properties"]
            assert list(properties) == ["why", "answer", "note"]

    asyncio.run(main())


def test_a_canonical_schema_says_the_same() -> None:
    schema = {
        "required": ["b"],
        "type": "object",
        "properties": {
            "required": {"type": "array", "items": {"type": "string", "enum": ["z", "a"]}},
            "b": {"default": {"z": 1, "a": 2}},
        },
    }
    found = canonical_schema(schema)
    assert found == schema
    assert list(found) == ["type", "properties", "required"]
    assert list(found["properties"]) == ["b", "required"]
    assert list(found["properties"]["b"]["default"]) == ["z", "a"]
    assert canonical_schema(found) == found


THOUGHT = {"reasoning_content": "Let me look.", "reasoning_details": [{"text": "x", "index": 0}]}


@pytest.mark.parametrize("streamed", [False, True])
def test_thoughts_go_back_to_the_provider_they_came_from(streamed: bool) -> None:
    def thinking(body: dict[str, Any]) -> Any:
        if not body.get("stream"):
            return called("stock", **THOUGHT)
        call = called("stock")["choices"][0]["message"]["tool_calls"][0]
        delta = {**THOUGHT, "tool_calls": [{**call, "index": 0}]}
        return sse({"choices": [{"delta": delta}]}, chunk_of("", "tool_calls"))

    async def main() -> None:
        down = Raw("{}", 503)
        async with FakeOpenAI(thinking, "7.", down) as one, FakeOpenAI("Bye.") as two:
            async with runtime_for(one=one, two=two) as runtime:
                agent = Agent(
                    "x",
                    tools=[stock],
                    model="one/m",
                    fallback_models=["two/m"],
                    retry={"max_attempts": 1},
                    reasoning="low",
                )
                ctx = runtime.context()
                turn = agent.turn("any?")
                if streamed:
                    chunks = [chunk async for chunk in agent.stream(turn, ctx)]
                    out = chunks[-1].output
                    assert any(chunk.text == "Let me look." for chunk in chunks)
                else:
                    out = await agent.execute(turn, ctx)
                assert out is not None
                assert out.text == "7."
                assert await agent.chat("bye", ctx) == "Bye."
            sent = one.requests[1]["messages"][2]
            assert {key: sent[key] for key in THOUGHT} == THOUGHT
            assert one.requests[2]["messages"][2] == sent
            assert not THOUGHT.keys() & two.requests[0]["messages"][2].keys()
            assert [each["reasoning_effort"] for each in one.requests] == ["low"] * 3
            (kept,) = [each for each in agent.history() if each.reasoning]
            assert kept.reasoning is not None
            assert (kept.reasoning.provider, kept.reasoning.text) == ("one", "Let me look.")
            assert kept.text == ""

    asyncio.run(main())


def test_a_hook_that_changes_messages_keeps_the_thoughts() -> None:
    async def main() -> None:
        async with FakeOpenAI(called("stock", **THOUGHT), "7.") as server:
            async with runtime_for(fake=server) as runtime:
                agent = Agent("x", tools=[stock])

                async def change(seen: Any) -> dict[str, Any]:
                    return {"messages": [{"role": "system", "content": "y"}, *seen.messages[1:]]}

                agent.add_hook("before_llm_call", change)
                await agent.execute("any?", runtime.context())
            sent = server.requests[1]["messages"]
            assert sent[0]["content"] == "y"
            assert sent[2]["reasoning_details"] == THOUGHT["reasoning_details"]

    asyncio.run(main())


def test_cache_reads_and_writes_are_in_the_usage_of_the_run() -> None:
    async def main() -> None:
        answer = completion("ok")
        answer["usage"]["prompt_tokens_details"] = {"cached_tokens": 5, "cache_write_tokens": 2}
        async with FakeOpenAI(answer) as server, runtime_for(fake=server) as runtime:
            out = await Agent("x").execute("hi", runtime.context())
            usage = out.metadata.usage.to_script().data
            assert (usage["cache_read_tokens"], usage["cache_write_tokens"]) == (5, 2)

    asyncio.run(main())


def test_a_wrong_effort_names_the_field() -> None:
    with pytest.raises(ValidationError, match=r"reasoning\.effort"):
        Agent("x", reasoning="much")
