"""The shapes that services give their answers, whole and streamed: each read or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_agents.providers.presets import PRESETS, UNKNOWN, preset_for
from llmspell_agents.providers.sse import EventStream, EventTooLarge
from llmspell_core.chat.answer import ThoughtSplitter, parse_answer, split_thoughts
from llmspell_core.chat.errors import Service
from llmspell_core.chat.stream import StreamedAnswer
from llmspell_core.chat.wire import request_body
from llmspell_core.errors import ProviderError
from llmspell_core.messages import ContentPart, Message
from llmspell_core.provider import ModelRequest, ModelResponse, ToolDefinition

SERVICE = Service("fake", "http://127.0.0.1:1/v1")


def answer(message: dict[str, Any], **more: Any) -> ModelResponse:
    data = {"choices": [{"message": message, "finish_reason": "stop"}], **more}
    return parse_answer(data, SERVICE, "m")


def streamed(*deltas: dict[str, Any], reason: str | None = "stop", done: bool = True) -> Any:
    collected = StreamedAnswer(SERVICE, "m")
    pieces = []
    for delta in deltas:
        pieces += collected.feed(json.dumps({"choices": [{"delta": delta}]}))
    if reason:
        pieces += collected.feed(json.dumps({"choices": [{"delta": {}, "finish_reason": reason}]}))
    if done:
        pieces += collected.feed("[DONE]")
    pieces += collected.end()
    response = pieces[-1].response
    assert response is not None
    assert "".join(piece.text for piece in pieces) == response.text
    return response


def call(arguments: Any, **more: Any) -> dict[str, Any]:
    return {"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": arguments}, **more}]}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ({"a": 1}, {"a": 1}),
        ("", {}),
        ("  ", {}),
        (None, {}),
        (json.dumps('{"a": 1}'), {"a": 1}),
        ("null", {}),
    ],
)
def test_arguments_come_as_text_as_an_object_empty_or_encoded_twice(
    arguments: Any, expected: dict[str, Any]
) -> None:
    found = answer(call(arguments)).tool_calls[0]
    assert (found.arguments, found.raw_arguments) == (expected, None)


@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", "7", "hello"])
def test_arguments_that_are_no_object_are_kept_as_sent(arguments: str) -> None:
    found = answer(call(arguments)).tool_calls[0]
    assert found.raw_arguments == arguments


def test_calls_without_ids_or_with_the_same_one_get_their_own() -> None:
    calls = [
        {"function": {"name": "a", "arguments": "{}"}},
        {"id": "x", "function": {"name": "b", "arguments": "{}"}},
        {"id": "x", "function": {"name": "c", "arguments": "{}"}},
    ]
    found = answer({"content": None, "tool_calls": calls})
    assert len({one.id for one in found.tool_calls}) == 3
    assert found.finish_reason == "tool_calls"


def test_the_old_function_call_form_is_read() -> None:
    found = answer({"function_call": {"name": "f", "arguments": '{"a": 1}'}})
    assert found.tool_calls[0].arguments == {"a": 1}


def test_content_may_be_a_list_of_parts() -> None:
    assert answer({"content": [{"type": "text", "text": "a"}, {"text": "b"}]}).text == "ab"


def test_thoughts_are_kept_apart_under_either_name_or_in_tags() -> None:
    assert answer({"content": "x", "reasoning_content": "hm"}).reasoning == "hm"
    assert answer({"content": "x", "reasoning": "hm"}).reasoning == "hm"
    found = answer({"content": "<think>hm\n</think>\n\nx"})
    assert (found.text, found.reasoning) == ("x", "hm")


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 2}, (3, 2, 5, 0)),
        ({"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}, (3, 2, 5, 0)),
        (
            {
                "prompt_tokens": 3,
                "completion_tokens": 2,
                "total_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 1},
            },
            (3, 2, 5, 1),
        ),
        ({"prompt_tokens": None}, (0, 0, 0, 0)),
        (None, (0, 0, 0, 0)),
    ],
)
def test_usage_in_every_form(usage: Any, expected: tuple[int, ...]) -> None:
    found = answer({"content": "x"}, usage=usage).usage
    shown = (found.input_tokens, found.output_tokens, found.total_tokens, found.cache_read_tokens)
    assert shown == expected


def part(index: Any = None, id: Any = None, name: Any = None, arguments: Any = None) -> Any:
    one: dict[str, Any] = {"function": {}}
    if index is not None:
        one["index"] = index
    if id is not None:
        one["id"] = id
    if name is not None:
        one["function"]["name"] = name
    if arguments is not None:
        one["function"]["arguments"] = arguments
    return one


@pytest.mark.parametrize(
    "parts",
    [
        # as specified
        [
            part(0, "1", "f", ""),
            part(0, None, None, '{"a":'),
            part(0, None, None, "1}"),
            part(1, "2", "g", '{"b": 2}'),
        ],
        # indexes with gaps
        [part(3, "1", "f", '{"a": 1}'), part(7, "2", "g", '{"b": 2}')],
        # no index
        [
            part(None, "1", "f", '{"a":'),
            part(None, None, None, "1}"),
            part(None, "2", "g", '{"b": 2}'),
        ],
        # every call under the same index
        [part(0, "1", "f", '{"a": 1}'), part(0, "2", "g", '{"b":'), part(0, None, None, "2}")],
        # no ids
        [part(0, None, "f", '{"a": 1}'), part(1, None, "g", '{"b": 2}')],
        # neither
        [part(None, None, "f", '{"a": 1}'), part(None, None, "g", '{"b": 2}')],
        # id and name repeated in every piece
        [part(0, "1", "f", '{"a":'), part(0, "1", "f", "1}"), part(1, "2", "g", '{"b": 2}')],
        # arguments as an object
        [part(0, "1", "f", {"a": 1}), part(1, "2", "g", {"b": 2})],
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_streamed_tool_calls_in_every_numbering(parts: list[Any], together: bool) -> None:
    deltas = [{"tool_calls": parts}] if together else [{"tool_calls": [one]} for one in parts]
    found = streamed(*deltas, reason="stop")
    assert [(one.name, one.arguments) for one in found.tool_calls] == [
        ("f", {"a": 1}),
        ("g", {"b": 2}),
    ]
    assert len({one.id for one in found.tool_calls}) == 2
    assert found.finish_reason == "tool_calls"


def test_a_stream_may_end_without_done_or_without_a_reason_but_not_without_both() -> None:
    assert streamed({"content": "x"}, done=False).text == "x"
    assert streamed({"content": "x"}, reason=None).text == "x"
    with pytest.raises(ProviderError, match="cut off"):
        streamed({"content": "x"}, reason=None, done=False)


def test_events_that_lack_the_blank_line_between_them_are_read() -> None:
    collected = StreamedAnswer(SERVICE, "m")
    lines = [json.dumps({"choices": [{"delta": {"content": text}}]}) for text in ("a", "b")]
    found = collected.feed("\n".join([*lines, "[DONE]"]))
    assert [one.text for one in found] == ["a", "b"]


@pytest.mark.parametrize("event", ["{", "[]", "7", '"x"'])
def test_a_chunk_that_is_nothing_known_is_refused(event: str) -> None:
    with pytest.raises(ProviderError) as caught:
        StreamedAnswer(SERVICE, "m").feed(event)
    assert caught.value.code == "provider.bad_response"


payloads = st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])))


@given(payloads, st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_events_come_whole_however_the_bytes_are_cut(
    payloads: list[str], newline: str, data: st.DataObject
) -> None:
    text = "".join(f": keep-alive{newline}data: {one}{newline}{newline}" for one in payloads)
    wire = text.encode()
    events = EventStream()
    found: list[str] = []
    while wire:
        size = data.draw(st.integers(1, len(wire)))
        found += events.feed(wire[:size])
        wire = wire[size:]
    found += events.end()
    assert found == payloads


def test_an_event_without_an_end_is_not_collected_for_ever() -> None:
    events = EventStream()
    for _ in range(15):
        events.feed(b"x" * 1024 * 1024)
    with pytest.raises(EventTooLarge):
        events.feed(b"x" * 2 * 1024 * 1024)


@given(st.text(), st.text(), st.booleans(), st.data())
def test_thoughts_in_pieces_are_what_they_are_as_a_whole(
    thought: str, text: str, tagged: bool, data: st.DataObject
) -> None:
    whole = f"<think>{thought}</think>{text}" if tagged else text
    splitter, rest = ThoughtSplitter(), whole
    texts, thoughts = [], []
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        some, thinking = splitter.feed(rest[:size])
        texts.append(some)
        thoughts.append(thinking)
        rest = rest[size:]
    some, thinking = splitter.end()
    expected_text, expected_thought = split_thoughts(whole)
    assert "".join([*texts, some]) == expected_text
    assert "".join([*thoughts, thinking]).strip() == expected_thought


def body(preset: Any = UNKNOWN, **fields: Any) -> dict[str, Any]:
    messages = fields.pop("messages", [Message(role="user", content="x")])
    return request_body(
        ModelRequest("m", messages, **fields),
        stream=False,
        max_tokens_field=preset.max_tokens_field,
        stream_options=preset.stream_options,
    )


def test_a_request_holds_only_what_was_asked_for() -> None:
    assert body() == {"model": "m", "messages": [{"role": "user", "content": "x"}]}


def test_a_named_tool_choice_and_strictness_follow_the_protocol() -> None:
    offered = [ToolDefinition("f", "d", {"type": "object", "properties": {}})]
    assert body(tools=offered, tool_choice="f")["tool_choice"] == {
        "type": "function",
        "function": {"name": "f"},
    }
    assert "tool_choice" not in body(tools=offered)
    loose = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert body(schema=loose)["response_format"]["json_schema"]["strict"] is False


def test_media_are_sent_by_address_or_inline() -> None:
    parts = [
        ContentPart.model_validate({"text": "see"}),
        ContentPart.model_validate({"type": "image", "url": "https://example.com/a.png"}),
        ContentPart.model_validate({"type": "image", "data": "AA==", "media_type": "image/png"}),
        ContentPart.model_validate({"type": "audio", "data": "AA==", "media_type": "audio/wav"}),
    ]
    sent = body(messages=[Message(role="user", content=parts)])["messages"][0]["content"]
    assert [one["type"] for one in sent] == ["text", "image_url", "image_url", "input_audio"]
    assert sent[2]["image_url"]["url"] == "data:image/png;base64,AA=="


def test_presets_know_their_addresses_keys_and_manners() -> None:
    assert body(PRESETS["openai"], max_tokens=5)["max_completion_tokens"] == 5
    assert PRESETS["ollama"].base_url == "http://127.0.0.1:11434/v1"
    assert not PRESETS["ollama"].needs_key
    assert PRESETS["groq"].key_variable == "GROQ_API_KEY"
    assert not PRESETS["mistral"].stream_options
    request = ModelRequest("m", [])
    assert "stream_options" not in request_body(request, stream=True, stream_options=False)


def test_another_address_has_none_of_the_rules_of_the_name() -> None:
    assert preset_for("openai", "openai", "").needs_key
    assert preset_for("openai", "openai", "https://api.openai.com/v1/").needs_key
    assert preset_for("openai", "openai", "http://127.0.0.1:9/v1") is UNKNOWN
    assert preset_for("mine", "groq", "").needs_key
