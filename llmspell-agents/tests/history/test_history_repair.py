"""Any history can be sent once it is repaired, and what can be sent stays as it is."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_agents import Agent
from llmspell_agents.history.repair import (
    GO_AHEAD,
    INTERRUPTED,
    LEFT_OUT,
    _Rebuilt,
    is_sendable,
    repaired,
)
from llmspell_core.chat.wire import request_body
from llmspell_core.messages import ContentPart, Message, ToolCall
from llmspell_core.provider import ModelRequest
from llmspell_core.runtime import Runtime
from llmspell_core.testing import FakeOpenAI, scripted_runtime, tool_call
from llmspell_core.testing.dialects import openai_mistakes
from llmspell_core.testing.openai_server import Raw, completion
from llmspell_core.tool import tool


def user(text: str) -> Message:
    return Message(role="user", content=text)


def said(text: str) -> Message:
    return Message(role="assistant", content=text)


def calls(*ids: str, text: str = "", name: str = "stock") -> Message:
    made = [ToolCall(id=one, name=name, arguments={"n": 1}) for one in ids]
    return Message(role="assistant", content=text, tool_calls=made)


def result(id_: str, text: str = "7") -> Message:
    return Message(role="tool", content=text, tool_call_id=id_)


def shown(messages: list[Message]) -> list[Any]:
    """A history in short: the text, the ids of calls, or the id and the text of a result."""
    found: list[Any] = []
    for one in messages:
        if one.role == "tool":
            found.append((one.tool_call_id, one.text))
        else:
            found.append([call.id for call in one.tool_calls] if one.tool_calls else one.text)
    return found


def test_what_can_be_sent_is_the_very_same_list() -> None:
    history = [user("a"), calls("1", "2"), result("1"), result("2"), said("b"), user("c")]
    assert repaired(history) is history


def test_a_missing_result_is_added_as_interrupted_right_after_its_call() -> None:
    history = [user("a"), calls("1", "2"), result("2"), user("c")]
    assert shown(repaired(history)) == ["a", ["1", "2"], ("1", INTERRUPTED), ("2", "7"), "c"]


def test_a_result_that_came_late_or_in_another_order_is_moved_to_its_call() -> None:
    history = [user("a"), calls("1", "2"), user("b"), result("2", "two"), result("1", "one")]
    found = shown(repaired(history))
    assert found == ["a", ["1", "2"], ("1", "one"), ("2", "two"), "b"]


def test_the_result_itself_wins_over_an_interruption() -> None:
    history = [user("a"), calls("1"), result("1", INTERRUPTED), result("1", "seven")]
    assert shown(repaired(history)) == ["a", ["1"], ("1", "seven")]


def test_results_without_a_call_and_second_results_are_left_out() -> None:
    lost = Message(role="tool", content="x")
    history = [result("0"), user("a"), lost, calls("1"), result("1"), result("1", "8")]
    assert shown(repaired(history)) == ["a", ["1"], ("1", "7")]


def test_empty_messages_and_parts_are_left_out() -> None:
    given = [{"text": " "}, {"text": "see"}, {"type": "image", "data": "AA"}]
    parts = [ContentPart.model_validate(one) for one in given]
    history = [
        user("a"),
        said("\n"),
        Message(role="system", content=" "),
        Message(role="user", content=parts[:1]),
        Message(role="user", content=parts),
        calls("1", text=" \n"),
        result("1"),
    ]
    found = repaired(history)
    assert shown(found) == ["a", "see", ["1"], ("1", "7")]
    assert found[1].content == parts[1:]
    assert found[2].content == ""


def test_a_message_that_was_written_twice_is_sent_once() -> None:
    assert shown(repaired([user("a"), calls("1"), calls("1"), result("1")])) == [
        "a",
        ["1"],
        ("1", "7"),
    ]


def test_ids_that_are_used_again_get_a_number_and_keep_their_results() -> None:
    history = [user("a")]
    for text in ("one", "two", "three"):
        history += [calls("call_0", "call_0"), result("call_0", text), result("call_0", text + "!")]
    found = shown(repaired(history))
    ids = [one for row in found[1:] if isinstance(row, list) for one in row]
    assert len({*ids}) == len(ids) == 6
    assert [row[1] for row in found if isinstance(row, tuple)] == [
        "one",
        "one!",
        "two",
        "two!",
        "three",
        "three!",
    ]


def test_what_no_service_takes_as_id_name_or_arguments_is_replaced() -> None:
    bad = ToolCall(id="é" * 90, name="look up!", raw_arguments='{"n": ')
    history = [user("a"), Message(role="assistant", tool_calls=[bad]), result("é" * 90)]
    found = repaired(history)
    (call,) = found[1].tool_calls
    assert openai_mistakes(body(found)) == []
    assert call.arguments == {"INVALID_JSON": '{"n": '}
    assert found[2].tool_call_id == call.id
    assert bad.raw_arguments is not None


def test_an_answer_without_a_question_and_a_history_without_an_end_get_one() -> None:
    assert shown(repaired([said("b")])) == [LEFT_OUT, "b", GO_AHEAD]
    system = Message(role="system", content="s")
    assert shown(repaired([system])) == ["s", GO_AHEAD]
    assert shown(repaired([])) == [GO_AHEAD]


def test_a_history_that_grows_keeps_its_beginning() -> None:
    history = [calls("x"), result("x"), user("a")]
    for number in range(5):
        before = repaired(history)
        history += [calls("x", "x"), result("x"), result("x"), said(" "), user(str(number))]
        assert repaired(history)[: len(before)] == before


def body(messages: list[Message]) -> dict[str, Any]:
    return request_body(ModelRequest("m", messages), stream=False)


IDS = st.sampled_from(["1", "2", "call_0", "", "a b", "x" * 60])
TEXTS = st.sampled_from(["", " ", "a", "b", INTERRUPTED])
CALLS = st.builds(
    ToolCall,
    id=IDS,
    name=st.sampled_from(["stock", "no such", ""]),
    arguments=st.just({"n": 1}),
    raw_arguments=st.sampled_from([None, "{", "[1]"]),
)
MESSAGES = st.one_of(
    st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), content=TEXTS),
    st.builds(
        Message,
        role=st.just("assistant"),
        content=TEXTS,
        tool_calls=st.lists(CALLS, min_size=1, max_size=3),
    ),
    st.builds(Message, role=st.just("tool"), content=TEXTS, tool_call_id=IDS),
)


@given(st.lists(MESSAGES, max_size=8))
@settings(max_examples=150, deadline=None)
def test_whatever_it_is_it_can_be_sent_afterwards_and_stays_so(history: list[Message]) -> None:
    before = [one.model_copy(deep=True) for one in history]
    found = repaired(history)
    assert is_sendable(found)
    assert repaired(found) is found
    assert openai_mistakes(body(found)) == []
    assert history == before
    assert _Rebuilt(history, [], set()).all() == found
    texts = [one.text for one in history if one.role == "user" and one.text.strip()]
    assert [one.text for one in found if one.role == "user" and one.text in texts] == texts


@tool
async def stock(item: str) -> int:
    """How many of ITEM are in the store."""
    return 7


def strict(answer: Any) -> Any:
    """An answer of a server that refuses what the service itself would refuse."""

    def reply(asked: dict[str, Any]) -> Any:
        wrong = openai_mistakes(asked)
        return Raw(json.dumps({"error": {"message": wrong[0]}}), 400) if wrong else answer

    return reply


def test_a_strict_server_takes_what_the_loop_sends() -> None:
    """The ids of this server begin anew in each answer, and its arguments are no JSON once."""

    def called(arguments: str, name: str = "stock") -> Any:
        function = {"name": name, "arguments": arguments}
        call = {"id": "call_0", "type": "function", "function": function}
        return strict(completion(tool_calls=[call]))

    async def main() -> None:
        replies = [called('{"item": '), called('{"item": "x"}'), called("{}", "look up")]
        async with FakeOpenAI(*replies, strict("We have 7.")) as server:
            given = {
                "providers": {"fake": {"type": "openai", "base_url": server.base_url}},
                "default": {"model": "fake/m"},
                "state": {"backend": "memory"},
            }
            async with Runtime(given) as runtime:
                agent, ctx = Agent("", tools=[stock]), runtime.context()
                assert await agent.chat("any?", ctx) == "We have 7."
                assert await agent.chat("", ctx) == "We have 7."

    asyncio.run(main())


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_hook_that_cuts_the_messages_leaves_what_can_be_sent(cut: int) -> None:
    async def main() -> None:
        call = tool_call("stock", item="x")
        async with scripted_runtime(call, call, "done") as (runtime, provider):
            agent = Agent("s", tools=[stock])

            async def shorten(seen: Any) -> dict[str, Any]:
                return {"messages": seen.messages[cut:]}

            agent.add_hook("before_llm_call", shorten)
            await agent.execute("any?", runtime.context())
            assert "s" not in [one.messages[0].text for one in provider.requests[2:]]
            assert all(is_sendable(one.messages) for one in provider.requests)

    asyncio.run(main())
