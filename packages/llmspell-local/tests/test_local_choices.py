"""What a request offers the model, and how what it wrote is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmspell_core.errors import ProviderError
from llmspell_core.messages import Message, ToolCall
from llmspell_core.provider import ModelRequest, ToolDefinition
from llmspell_core.schema import schema_mistakes
from llmspell_local.choices import Form, choose, shorten

CALCULATOR = {
    "type": "object",
    "properties": {
        "operation": {"enum": ["evaluate", "validate"], "default": "evaluate"},
        "input": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "precision": {"type": "integer", "default": 2},
    },
}
ASK = [Message(role="user", content="What is 23 * 19?")]
TOLD = [
    *ASK,
    Message(role="assistant", tool_calls=[ToolCall(id="1", name="calculator")]),
    Message(role="tool", content="437", tool_call_id="1"),
]


def request(messages: list[Message] = ASK, **fields: Any) -> ModelRequest:
    tools = [
        ToolDefinition("calculator", "Calculates.", CALCULATOR),
        ToolDefinition("weather", "Weather.", {"properties": {"city": {"type": "string"}}}),
    ]
    return ModelRequest("m", messages, **{"tools": tools, **fields})


def fits(schema: dict[str, Any] | None, value: Any) -> bool:
    assert schema is not None
    return not schema_mistakes(schema, value)


def test_the_model_may_call_each_tool_or_answer() -> None:
    schema = choose(request(), small=True).schema
    assert fits(schema, {"tool": "calculator", "arguments": {"input": "23 * 19"}})
    assert fits(schema, {"answer": "anything"})
    assert not fits(schema, {"tool": "unknown", "arguments": {}})
    assert not fits(schema, {"tool": "calculator", "arguments": {}})


def test_tool_choice_narrows_the_offer() -> None:
    required = choose(request(tool_choice="required"), small=True).schema
    assert not fits(required, {"answer": "no"})
    assert fits(required, {"tool": "calculator", "arguments": {"input": "19"}})
    named = choose(request(tool_choice="weather"), small=False).schema
    assert not fits(named, {"tool": "calculator", "arguments": {}})
    assert fits(named, {"tool": "weather", "arguments": {"city": "Oslo"}})
    assert choose(request(tool_choice="none"), small=True).form is Form.TEXT


def test_an_unknown_tool_choice_says_what_is_near() -> None:
    with pytest.raises(ProviderError) as caught:
        choose(request(tool_choice="calculatr"), small=True)
    assert caught.value.hint == 'did you mean "calculator"?'


def test_after_a_result_a_small_model_may_only_answer() -> None:
    assert choose(request(TOLD), small=True).form is Form.TEXT
    assert choose(request(TOLD), small=False).form is Form.CHOICE
    assert choose(request(TOLD, tool_choice="required"), small=True).form is Form.CHOICE


def test_a_schema_is_the_form_of_the_answer() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    alone = choose(request(schema=schema, tools=[]), small=False)
    assert alone.form is Form.JSON
    assert fits(alone.schema, {"n": 1})
    beside = choose(request(schema=schema), small=False)
    assert fits(beside.schema, {"answer": {"n": 1}})
    assert beside.read('{"answer":{"n":1}}') == ('{"n": 1}', [])


def test_a_small_model_puts_words_of_the_question_into_arguments() -> None:
    schema = choose(request(), small=True).schema
    for good in ("23 * 19", "23*19", "(19)"):
        assert fits(schema, {"tool": "calculator", "arguments": {"input": good}}), good
    for bad in ("2 + 3", "Lima", ""):
        assert not fits(schema, {"tool": "calculator", "arguments": {"input": bad}}), bad


def test_number_words_count_as_numbers() -> None:
    two = [Message(role="user", content="What is two plus three?")]
    schema = choose(request(two), small=True).schema
    assert fits(schema, {"tool": "calculator", "arguments": {"input": "2 + 3"}})


def test_short_parameters_are_the_required_ones_and_input() -> None:
    assert list(shorten(CALCULATOR)["properties"]) == ["input"]
    assert shorten(CALCULATOR)["properties"]["input"]["type"] == "string"
    needed = {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["b"]}
    assert shorten(needed)["required"] == ["b"]


def test_short_parameters_without_any_needed_are_those_without_a_default() -> None:
    loose = {"properties": {"city": {"type": "string"}, "unit": {"enum": ["c"], "default": "c"}}}
    assert shorten(loose)["required"] == ["city"]
    assert shorten({"properties": {"unit": {"default": "c"}}})["required"] == []


def test_calls_in_the_short_form_are_valid_for_the_tool() -> None:
    arguments = {"input": "1 + 1"}
    assert schema_mistakes(shorten(CALCULATOR), arguments) == []
    assert schema_mistakes(CALCULATOR, arguments) == []


def test_what_was_written_is_read() -> None:
    choice = choose(request(), small=True)
    text, calls = choice.read('{"tool":"calculator","arguments":{"input":"23 * 19"}}')
    assert (text, calls[0].name, calls[0].arguments) == ("", "calculator", {"input": "23 * 19"})
    assert choice.read('{"answer":"437"}') == ("437", [])


def test_a_call_that_was_cut_off_keeps_its_raw_text() -> None:
    raw = '{"tool":"calculator","arguments":{"input":"23'
    _, calls = choose(request(), small=True).read(raw)
    assert (calls[0].name, calls[0].raw_arguments) == ("calculator", raw)


def test_the_schema_of_a_choice_is_json() -> None:
    assert json.loads(json.dumps(choose(request(), small=True).schema))["anyOf"]
