"""The conversation as the model is shown it, and the grammar that makes it quote."""

from __future__ import annotations

import re

from llmspell_core.messages import Message, ToolCall
from llmspell_core.provider import ModelRequest, ToolDefinition
from llmspell_local.answers import prepare
from llmspell_local.choices import choose
from llmspell_local.prompts import DEFAULT_SYSTEM, chat_messages, readable
from llmspell_local.quote import quoting_grammar

WEATHER = ToolDefinition(
    "weather",
    "Tells the weather. And more.",
    {"properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def told(result: str, ask: str = "How warm is it in Oslo at 5?") -> list[Message]:
    return [
        Message(role="user", content=ask),
        Message(
            role="assistant",
            tool_calls=[ToolCall(id="1", name="weather", arguments={"city": "Oslo"})],
        ),
        Message(role="tool", content=result, tool_call_id="1"),
    ]


def shown(messages: list[Message], *, small: bool) -> list[dict[str, str]]:
    request = ModelRequest("m", messages, [WEATHER])
    return chat_messages(messages, choose(request, small=small), small=small)


def test_without_a_system_prompt_there_is_a_short_one() -> None:
    first = chat_messages(
        [Message(role="user", content="hi")],
        choose(ModelRequest("m", []), small=True),
        small=True,
    )[0]
    assert first == {"role": "system", "content": DEFAULT_SYSTEM}


def test_a_small_model_sees_tools_by_name_and_demonstrations() -> None:
    messages = shown([Message(role="user", content="hi")], small=True)
    assert "- weather(city): Tells the weather" in messages[0]["content"]
    assert '{"tool":"weather","arguments":{"city":"Lima"}}' in [one["content"] for one in messages]
    assert messages[-1] == {"role": "user", "content": "hi"}


def test_a_larger_model_sees_the_parameters_and_its_own_calls() -> None:
    messages = shown(told("7 degrees"), small=False)
    assert '"required":["city"]' in messages[0]["content"]
    assert [one["role"] for one in messages] == ["system", "user", "assistant", "user"]
    assert messages[2]["content"] == '{"tool":"weather","arguments":{"city":"Oslo"}}'
    assert messages[3]["content"] == "Result of weather: 7 degrees"


def test_after_a_result_a_small_model_sees_question_and_result_together() -> None:
    messages = shown(told('{"celsius": -7, "sky": "clear"}'), small=True)
    assert messages[-1]["content"] == (
        "How warm is it in Oslo at 5?\nResult: celsius -7, sky clear"
    )


def test_roles_always_take_turns() -> None:
    two = [Message(role="user", content="a"), Message(role="user", content="b")]
    assert shown(two, small=False)[-1] == {"role": "user", "content": "a\nb"}


def test_nested_results_stay_json() -> None:
    assert readable('{"a": {"b": 1}}') == '{"a": {"b": 1}}'
    assert readable("plain") == "plain"


def test_an_answer_must_quote_a_short_result() -> None:
    grammar = quoting_grammar(told("437", "What is 23 * 19?"))
    assert grammar is not None
    assert 'value ::= "437"\n' in grammar
    assert '| value | "23" | "19"' in grammar


def test_any_value_of_an_object_will_do() -> None:
    grammar = quoting_grammar(told('{"celsius": -7, "sky": "clear", "wet": false}'))
    assert grammar is not None
    assert 'value ::= "-7" | " -7" | "clear"\n' in grammar


def test_failures_and_long_texts_are_told_freely() -> None:
    assert quoting_grammar(told("error: no such city; call weather again, corrected")) is None
    assert quoting_grammar(told("x" * 500)) is None
    assert quoting_grammar(told("two\nlines")) is None


def test_the_body_bounds_a_small_model_and_takes_settings() -> None:
    request = ModelRequest("m", told("7"), [WEATHER], settings={"top_p": 0.5}, stop=["\n\n"])
    body, _ = prepare(request, small=True)
    assert (body["max_tokens"], body["temperature"], body["top_p"]) == (256, 0.0, 0.5)
    assert body["stop"] == ["\n\n"]
    assert re.match(r"root ::= ", body["grammar"])
    free, _ = prepare(ModelRequest("m", [Message(role="user", content="hi")]), small=False)
    assert "max_tokens" not in free
    assert free["temperature"] == 0.2
