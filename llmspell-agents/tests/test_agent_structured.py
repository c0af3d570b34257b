"""Structured output: any JSON schema, held by the provider or asked for in the prompt."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_agents import Agent
from llmspell_agents.output_modes import Mode
from llmspell_agents.structured import AnswerSchema, find_json
from llmspell_core.errors import LLMSpellError
from llmspell_core.provider import Capabilities
from llmspell_core.testing import ScriptedProvider, chunks, scripted_runtime, tool_call
from llmspell_core.tool import tool

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
PROMPTED = Capabilities(structured_output=False, tools=False)


async def ask(
    *replies: Any, capabilities: Capabilities | None = None, **fields: Any
) -> tuple[Any, ScriptedProvider]:
    async with scripted_runtime(*replies, capabilities=capabilities) as (runtime, provider):
        return await Agent("x", **fields).execute("go", runtime.context()), provider


def test_the_value_is_validated_and_given_as_data() -> None:
    out, provider = asyncio.run(ask('{"city": "Oslo", "days": 3}', response_format=CITY))
    assert out.data == {"city": "Oslo", "days": 3}
    assert provider.requests[0].schema == CITY


def test_a_wrong_answer_is_asked_for_again_with_the_mistakes() -> None:
    replies = ['{"city": "Oslo"}', "not json", '{"city": "Oslo", "days": 3}']
    out, provider = asyncio.run(ask(*replies, response_format=CITY))
    assert out.data["days"] == 3
    assert "'days' is a required property" in provider.requests[1].messages[-1].text
    assert "no JSON" in provider.requests[2].messages[-1].text


def test_after_output_retries_it_is_an_error_with_the_mistakes() -> None:
    with pytest.raises(LLMSpellError) as caught:
        asyncio.run(ask("a", "b", response_format=CITY, output_retries=1))
    assert caught.value.code == "agent.output_invalid"
    assert caught.value.details["text"] == "b"


def test_a_provider_that_cannot_hold_a_schema_is_told_it_in_the_prompt() -> None:
    answer = 'Here you are:\n```json\n{"city": "Oslo", "days": 3}\n```'
    out, provider = asyncio.run(ask(answer, response_format=CITY, capabilities=PROMPTED))
    assert out.data == {"city": "Oslo", "days": 3}
    assert provider.requests[0].schema is None
    assert json.dumps(CITY) in provider.requests[0].messages[0].text


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 7),
        ({"type": "string"}, "Oslo"),
        ({"type": "boolean"}, True),
        ({"type": "array", "items": {"type": "number"}}, [1, 2.5]),
        ({"enum": ["a", "b"]}, "b"),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, 3),
    ],
)
@pytest.mark.parametrize("mode", ["native", "prompted"])
def test_values_that_are_no_objects_work_as_well(schema: Any, value: Any, mode: Mode) -> None:
    shown = AnswerSchema.of(schema, mode)
    text = json.dumps({"value": value} if shown.wrapped else value)
    assert shown.read(text) == (value, [])
    assert (mode == "native") == (shown.wire is not None)


def test_structured_output_goes_together_with_tools() -> None:
    @tool
    async def days(city: str) -> int:
        """Days to CITY."""
        return 3

    replies = [tool_call("days", city="Oslo"), '{"city": "Oslo", "days": 3}']
    out, _ = asyncio.run(ask(*replies, response_format=CITY, tools=[days]))
    assert out.data == {"city": "Oslo", "days": 3}


def test_only_an_answer_that_fits_is_streamed() -> None:
    async def main() -> list[str]:
        replies = [chunks("no", "pe"), chunks('{"city": "Oslo",', ' "days": 3}')]
        async with scripted_runtime(*replies) as (runtime, _):
            agent = Agent("x", response_format=CITY)
            stream = agent.stream("go", runtime.context())
            return [chunk.text async for chunk in stream if chunk.type == "text"]

    assert asyncio.run(main()) == ['{"city": "Oslo", "days": 3}']


def test_the_form_of_openai_is_read_too_and_a_wrong_schema_is_an_error() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": CITY}}
    assert AnswerSchema.of(form, "native").schema == CITY
    with pytest.raises(LLMSpellError, match="response_format"):
        AnswerSchema.of({"type": "objekt"}, "native")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(value=st.lists(json_values) | st.dictionaries(st.text(), json_values), fenced=st.booleans())
def test_json_is_found_alone_and_in_a_fence(value: Any, fenced: bool) -> None:
    text = json.dumps(value)
    assert find_json(f"Sure!\n```json\n{text}\n```\nBye." if fenced else text) == value


@pytest.mark.parametrize(
    "text", ["[" * 200_000, "[" * 90 + "]" * 90, "[" * 300 + "]" * 300, "[{" * 90_000]
)
def test_an_answer_of_brackets_only_is_soon_known_to_be_none(text: str) -> None:
    started = time.perf_counter()
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    with pytest.raises(LLMSpellError) as caught:
        asyncio.run(
            ask(text, text, output_retries=1, response_format=schema, capabilities=PROMPTED)
        )
    assert caught.value.code == "agent.output_invalid"
    assert time.perf_counter() - started < 5
