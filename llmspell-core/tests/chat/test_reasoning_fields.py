"""What a service says that its model thought, whole or in pieces, and how it gets it back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmspell_core.chat.answer import parse_answer
from llmspell_core.chat.errors import Service
from llmspell_core.chat.stream import StreamedAnswer
from llmspell_core.chat.usage import usage_of
from llmspell_core.chat.wire import message_body, request_body
from llmspell_core.messages import Message, Reasoning, ToolCall
from llmspell_core.provider import ModelRequest, ModelResponse, ReasoningOptions

SERVICE = Service("fake", "http://127.0.0.1")
CALL = {"id": "c1", "type": "function", "function": {"name": "stock", "arguments": "{}"}}


def whole(message: dict[str, Any]) -> ModelResponse:
    data = {"choices": [{"message": message, "finish_reason": "stop"}]}
    return parse_answer(data, SERVICE, "m")


def streamed(*deltas: dict[str, Any]) -> ModelResponse:
    answer = StreamedAnswer(SERVICE, "m")
    for delta in deltas:
        answer.feed(json.dumps({"choices": [{"delta": delta}]}))
    answer.feed("[DONE]")
    response = answer.end()[-1].response
    assert response is not None
    return response


SIGNED = {"type": "thinking", "thinking": "I add.", "signature": "c2ln"}
HIDDEN = {"type": "redacted_thinking", "data": "eHl6"}
DETAIL = {"type": "reasoning.text", "text": "I add.", "signature": "s", "index": 0}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"reasoning_content": "I add."}, "I add."),
        ({"reasoning": "I add.", "reasoning_details": [DETAIL]}, "I add."),
        ({"thinking_blocks": [SIGNED, HIDDEN], "reasoning_content": "I add."}, "I add."),
        ({"provider_specific_fields": {"thought_signatures": ["s"]}}, ""),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "I add."}]}]},
            "I add.",
        ),
    ],
)
def test_the_fields_of_a_service_go_back_as_they_came(fields: dict[str, Any], text: str) -> None:
    response = whole({"content": "5", **fields})
    assert response.reasoning == text
    assert "I add." not in response.text
    back = Reasoning(provider="fake", text=response.reasoning, signature=response.signature)
    body = message_body(Message(role="assistant", content=response.text, reasoning=back))
    assert {key: body[key] for key in fields} == fields


def test_what_litellm_adds_for_itself_does_not_go_back() -> None:
    assert whole({"content": "5", "provider_specific_fields": {"refusal": None}}).signature is None
    assert whole({"content": "<think>I add.</think>5"}).signature is None


def test_the_fields_of_a_call_go_back_with_this_call() -> None:
    signed = {**CALL, "id": "c2", "extra_content": {"google": {"thought_signature": "s"}}}
    response = whole({"content": "", "tool_calls": [CALL, signed]})
    back = Reasoning(provider="fake", signature=response.signature)
    calls = [one.model_copy(update={"id": f"new_{one.id}"}) for one in response.tool_calls]
    body = message_body(Message(role="assistant", tool_calls=calls, reasoning=back))
    assert "extra_content" not in body["tool_calls"][0]
    assert body["tool_calls"][1]["extra_content"] == signed["extra_content"]
    assert body["tool_calls"][1]["id"] == "new_c2"


def test_thoughts_in_pieces_are_put_together() -> None:
    response = streamed(
        {"reasoning_content": "I ", "thinking_blocks": [{"type": "thinking", "thinking": "I "}]},
        {
            "reasoning_content": "add.",
            "thinking_blocks": [{"type": "thinking", "thinking": "add."}],
        },
        {"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "c2ln"}]},
        {"thinking_blocks": [HIDDEN]},
        {"thinking_blocks": [HIDDEN]},
        {"thinking_blocks": [{"type": "thinking", "thinking": "More.", "signature": "z"}]},
        {"content": "5"},
    )
    assert response.reasoning == "I add."
    assert response.signature == {
        "reasoning_content": "I add.",
        "thinking_blocks": [
            SIGNED,
            HIDDEN,
            HIDDEN,
            {"type": "thinking", "thinking": "More.", "signature": "z"},
        ],
    }


def test_details_in_pieces_are_put_together_by_their_number() -> None:
    def piece(index: int, **fields: Any) -> dict[str, Any]:
        return {"reasoning_details": [{"index": index, **fields}]}

    response = streamed(
        piece(0, type="reasoning.text", text="I ", signature=None),
        piece(0, type="reasoning.text", text="add.", signature="s"),
        piece(1, type="reasoning.encrypted", data="eH"),
        piece(1, type="reasoning.encrypted", data="l6"),
        {"content": "5", "tool_calls": [{**CALL, "index": 0, "extra_content": {"a": 1}}]},
    )
    assert response.signature == {
        "reasoning_details": [DETAIL, {"index": 1, "type": "reasoning.encrypted", "data": "eHl6"}],
        "tool_calls": [{"extra_content": {"a": 1}}],
    }


@pytest.mark.parametrize(
    ("options", "nested", "fields"),
    [
        (ReasoningOptions("low"), False, {"reasoning_effort": "low"}),
        (ReasoningOptions(None, 500), False, {"reasoning_effort": "low"}),
        (ReasoningOptions(None, 20_000), False, {"reasoning_effort": "high"}),
        (ReasoningOptions(None, 0), False, {"reasoning_effort": "none"}),
        (ReasoningOptions("high"), True, {"reasoning": {"effort": "high"}}),
        (ReasoningOptions(None, 500), True, {"reasoning": {"max_tokens": 500}}),
    ],
)
def test_how_much_to_think_is_said_as_the_service_takes_it(
    options: ReasoningOptions, nested: bool, fields: dict[str, Any]
) -> None:
    request = ModelRequest("m", [], reasoning=options)
    body = request_body(request, stream=False, nested_reasoning=nested)
    assert {key: body[key] for key in body if key.startswith("reasoning")} == fields


@pytest.mark.parametrize(
    "usage",
    [
        {
            "prompt_tokens": 9,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
        {
            "input_tokens": 9,
            "cache_read_input_tokens": 4,
            "cache_creation_input_tokens": 2,
            "output_tokens_details": {"reasoning_tokens": 3},
        },
    ],
)
def test_cache_reads_and_writes_and_thinking_are_counted(usage: dict[str, Any]) -> None:
    found = usage_of(usage)
    assert (found.input_tokens, found.cache_read_tokens, found.cache_write_tokens) == (9, 4, 2)
    assert found.reasoning_tokens == 3
    found.add(usage_of(usage))
    shown = found.to_script().data
    assert (shown["cache_read_tokens"], shown["cache_write_tokens"]) == (8, 4)
    assert "cache_read_tokens" not in usage_of({"prompt_tokens": 9}).to_script().data


def test_a_call_of_another_count_takes_no_harm() -> None:
    back = Reasoning(provider="fake", signature={"tool_calls": [{"a": 1}, {"b": 2}]})
    call = ToolCall(id="1", name="stock")
    body = message_body(Message(role="assistant", tool_calls=[call], reasoning=back))
    assert [one.get("a") for one in body["tool_calls"]] == [None]
