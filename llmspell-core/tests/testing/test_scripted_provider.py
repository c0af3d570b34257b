"""The provider that tests script, and the server that answers like OpenAI's."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from llmspell_core.errors import ProviderError
from llmspell_core.messages import Message, Usage
from llmspell_core.provider import ModelRequest, ModelResponse
from llmspell_core.testing import (
    ScriptedProvider,
    after,
    chunks,
    expecting,
    thought,
    tool_call,
    when,
)


def request(text: str = "hi") -> ModelRequest:
    return ModelRequest("m", [Message(role="user", content=text)])


def ask(provider: ScriptedProvider, text: str = "hi") -> ModelResponse:
    return asyncio.run(provider.complete(request(text), None))  # type: ignore[arg-type]


def test_replies_are_given_in_order_and_requests_recorded() -> None:
    provider = ScriptedProvider("one", tool_call("f", a=1), ModelResponse("three", model="big"))
    assert ask(provider, "a").text == "one"
    called = ask(provider, "b")
    assert (called.tool_calls[0].name, called.finish_reason) == ("f", "tool_calls")
    assert ask(provider, "c").model == "big"
    assert [one.messages[0].text for one in provider.requests] == ["a", "b", "c"]
    provider.assert_all_used()


def test_a_request_too_many_is_an_error_and_one_too_few_as_well() -> None:
    provider = ScriptedProvider("one", "two")
    ask(provider)
    with pytest.raises(AssertionError, match="1 scripted replies"):
        provider.assert_all_used()
    ask(provider)
    with pytest.raises(ProviderError, match="request 3, but only 2 replies"):
        ask(provider)


def test_a_default_answers_everything_else() -> None:
    provider = ScriptedProvider("one", default="more")
    assert [ask(provider).text for _ in range(3)] == ["one", "more", "more"]


def test_a_reply_may_be_an_error_or_a_function_of_the_request() -> None:
    async def later(given: ModelRequest) -> str:
        return given.messages[0].text.upper()

    provider = ScriptedProvider(ProviderError("down"), later, when(("x", "has x"), otherwise="no"))
    with pytest.raises(ProviderError, match="down"):
        ask(provider)
    assert ask(provider, "abc").text == "ABC"
    assert ask(provider, "yxz").text == "has x"


def test_a_reply_that_is_given_twice_is_not_shared() -> None:
    call = tool_call("f")
    provider = ScriptedProvider(default=call)
    ask(provider).tool_calls[0].result = 7
    assert ask(provider).tool_calls[0].result is None
    assert ScriptedProvider("x", usage=Usage(total_tokens=3))


def test_streams_give_the_pieces_and_then_the_whole() -> None:
    async def main() -> list[Any]:
        provider = ScriptedProvider(chunks("a", "b"))
        return [delta async for delta in provider.stream(request(), None)]  # type: ignore[arg-type]

    found = asyncio.run(main())
    assert [one.text for one in found] == ["a", "b", ""]
    assert found[-1].response.text == "ab"


def test_an_answer_that_takes_longer_than_the_request_may_is_a_timeout() -> None:
    async def main() -> None:
        provider = ScriptedProvider("x", latency_ms=1_000)
        asked = request()
        asked.timeout_ms = 5
        with pytest.raises(ProviderError) as caught:
            await provider.complete(asked, None)  # type: ignore[arg-type]
        assert caught.value.code == "provider.timeout"
        assert provider.active == 0

    asyncio.run(main())


def test_pieces_may_be_thoughts_and_calls_and_break_what_is_not_streamed() -> None:
    pieces = chunks(thought("hm"), "Let me see. ", tool_call("stock", item="kettle"))
    whole = ask(ScriptedProvider(pieces))
    assert (whole.text, whole.reasoning, whole.finish_reason) == (
        "Let me see. ",
        "hm",
        "tool_calls",
    )
    assert whole.tool_calls[0].arguments == {"item": "kettle"}

    async def main() -> list[Any]:
        provider = ScriptedProvider(pieces)
        return [delta async for delta in provider.stream(request(), None)]  # type: ignore[arg-type]

    found = asyncio.run(main())
    assert [(one.reasoning, one.text) for one in found[:2]] == [("hm", ""), ("", "Let me see. ")]
    assert [one.call.name for one in found if one.call] == ["stock"]
    assert [one.response is not None for one in found] == [False, False, False, True]
    assert found[-1].response.tool_calls[0].name == "stock"
    with pytest.raises(ProviderError, match="down"):
        ask(ScriptedProvider(chunks("a", ProviderError("down"))))


def test_a_reply_has_a_latency_of_its_own() -> None:
    async def main() -> None:
        provider = ScriptedProvider(after(5_000, "late"), "soon")
        given = request()
        given.timeout_ms = 20
        with pytest.raises(ProviderError, match="did not answer within 20 ms"):
            await provider.complete(given, None)  # type: ignore[arg-type]
        assert (await provider.complete(given, None)).text == "soon"  # type: ignore[arg-type]

    asyncio.run(main())


def test_a_request_that_is_not_as_expected_fails_the_test_even_if_nobody_listens() -> None:
    provider = ScriptedProvider(
        expecting("kettle", "7"),
        expecting(re.compile("^[0-9]+$"), "a number"),
        expecting(lambda asked: bool(asked.tools), "with tools"),
    )
    assert [ask(provider, "a kettle").text, ask(provider, "42").text] == ["7", "a number"]
    with pytest.raises(ProviderError, match="request 3 should match <lambda>, but it ends in 'x'"):
        ask(provider, "x")
    with pytest.raises(AssertionError, match="request 3 should match"):
        provider.assert_all_used()


def test_a_rule_that_never_matched_was_not_used() -> None:
    rules = when(("red", "1"), (re.compile("blu+e"), "2"), ("green", "3"), otherwise="4")
    provider = ScriptedProvider(default=rules)
    assert [ask(provider, text).text for text in ("red", "bluue", "pink")] == ["1", "2", "4"]
    with pytest.raises(AssertionError, match="nothing matched the rule 'green'"):
        provider.assert_all_used()
