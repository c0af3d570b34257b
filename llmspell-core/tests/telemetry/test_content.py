"""Captured content: as the conventions write it, without secrets, never too long."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_core.messages import ContentPart, Message, ToolCall
from llmspell_core.provider import ModelRequest, ModelResponse, ToolDefinition
from llmspell_core.security.redact import Redactor
from llmspell_core.telemetry.content import MAX_BYTES, Content

SECRET = "opensesame-1234"
content = Content(Redactor([SECRET]), "both")


def test_a_request_is_written_in_parts() -> None:
    call = ToolCall(id="c1", name="stock", arguments={"item": "kettle"})
    request = ModelRequest(
        model="m",
        messages=[
            Message(role="system", content="Be short."),
            Message(
                role="user",
                content=[
                    ContentPart(text="What is it?", data=""),
                    ContentPart(type="image", data="QUJD", media_type="image/png"),
                ],
            ),
            Message(role="assistant", tool_calls=[call]),
            Message(role="tool", content="7", tool_call_id="c1"),
        ],
        tools=[ToolDefinition("stock", "Counts", {"type": "object"})],
    )
    found = {name: json.loads(text) for name, text in content.asked(request).items()}
    assert found == {
        "gen_ai.system_instructions": [{"type": "text", "content": "Be short."}],
        "gen_ai.input.messages": [
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": "What is it?"},
                    {"type": "uri", "modality": "image", "uri": ""},
                ],
            },
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "tool_call",
                        "id": "c1",
                        "name": "stock",
                        "arguments": {"item": "kettle"},
                    }
                ],
            },
            {
                "role": "tool",
                "parts": [{"type": "tool_call_response", "id": "c1", "response": "7"}],
            },
        ],
        "gen_ai.tool.definitions": [
            {
                "type": "function",
                "name": "stock",
                "description": "Counts",
                "parameters": {"type": "object"},
            }
        ],
    }


def test_an_answer_has_its_finish_reason() -> None:
    (message,) = json.loads(
        content.answered(ModelResponse(text="Seven.", reasoning="Hm."))["gen_ai.output.messages"]
    )
    assert message == {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "Hm."},
            {"type": "text", "content": "Seven."},
        ],
        "finish_reason": "stop",
    }


def test_secrets_are_taken_out_before_anything_is_cut() -> None:
    # Cut in the middle, the rest of a secret would be known by no one.
    text = content.text({"key": "x" * 8185 + SECRET + "y" * 20_000, "password": f"a {SECRET} b"})
    assert "opensesame" not in text
    assert "***" in text


def test_a_conversation_that_is_too_long_keeps_its_end() -> None:
    messages = [
        {"role": "user", "parts": [{"type": "text", "content": f"{number} " + "x" * 100}]}
        for number in range(1000)
    ]
    text = content.text(messages)
    assert len(text.encode()) <= MAX_BYTES
    assert json.loads(text)[-1]["parts"][0]["content"].startswith("999 ")


def test_what_is_no_json_is_only_named() -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("no text for you")

    assert json.loads(content.text(Odd())) == "a Odd"
    loop: list[Any] = []
    loop.append(loop)
    assert json.loads(content.text(loop)) == "a list"


json_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text().map(lambda t: t * 999),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_like)
@settings(max_examples=50)
def test_it_is_always_json_and_never_too_long(value: Any) -> None:
    text = content.text(value)
    assert len(text.encode()) <= MAX_BYTES
    json.loads(text)
