"""The OpenAI-compatible provider against a real HTTP server on this machine."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_core.errors import LLMSpellError, ProviderError
from llmspell_core.runtime import Runtime
from llmspell_core.testing.openai_server import FakeOpenAI, Raw, chunk_of, completion, sse
from llmspell_core.tool import tool

KEY = "sk-test-0123456789abcdef"
FAST = {"max_attempts": 4, "backoff_ms": 1}


@tool
async def stock(item: str) -> int:
    """How many of ITEM are in the store."""
    return 7


@asynccontextmanager
async def runtime_for(base_url: str, **table: Any) -> AsyncIterator[Runtime]:
    provider = {"type": "openai", "base_url": base_url, **table}
    settings = {"providers": {"fake": provider}, "default": {"model": "fake/m"}}
    async with Runtime({**settings, "state": {"backend": "memory"}}) as runtime:
        yield runtime


async def execute(server: FakeOpenAI, *, table: Any = None, **fields: Any) -> Any:
    async with runtime_for(server.base_url, **(table or {})) as runtime:
        agent = Agent("Be brief.", **{"retry": FAST, **fields})
        return await agent.execute("Any kettles?", runtime.context())


async def stream_text(server: FakeOpenAI, **fields: Any) -> tuple[list[str], Any]:
    async with runtime_for(server.base_url) as runtime:
        agent = Agent("x", **{"retry": FAST, **fields})
        found = [chunk async for chunk in agent.stream("go", runtime.context())]
        return [one.text for one in found if one.type == "text"], found[-1].output


def failure(*replies: Any, **options: Any) -> LLMSpellError:
    """The error of a run against a server that answers like this."""

    async def main() -> LLMSpellError:
        async with FakeOpenAI(*replies, **options.pop("server", {})) as server:
            with pytest.raises(LLMSpellError) as caught:
                await execute(server, **options)
            caught.value.details["requests"] = len(server.requests)
            return caught.value

    return asyncio.run(main())


def test_a_whole_turn_with_a_tool_goes_over_the_wire() -> None:
    async def main() -> None:
        call = {
            "id": "c1",
            "type": "function",
            "function": {"name": "stock", "arguments": '{"item": "kettle"}'},
        }
        async with FakeOpenAI(completion(tool_calls=[call]), "We have 7.", key=KEY) as server:
            table = {"api_key": KEY, "headers": {"x-team": "a"}}
            out = await execute(server, table=table, tools=[stock], temperature=0.2, max_tokens=99)
            assert out.text == "We have 7."
            assert out.metadata.usage.input_tokens == 18
            first, second = server.requests
            assert first["model"] == "m"
            assert (first["temperature"], first["max_tokens"]) == (0.2, 99)
            assert first["tools"][0]["function"]["name"] == "stock"
            assert second["messages"][2]["tool_calls"] == [call]
            assert second["messages"][3] == {"role": "tool", "tool_call_id": "c1", "content": "7"}
            assert server.headers[0]["authorization"] == f"Bearer {KEY}"
            assert server.headers[0]["x-team"] == "a"

    asyncio.run(main())


def test_a_schema_is_sent_as_response_format() -> None:
    async def main() -> None:
        schema = {
            "type": "object",
            "properties": {"n": {"type": "integer"}},
            "required": ["n"],
            "additionalProperties": False,
        }
        async with FakeOpenAI('{"n": 3}') as server:
            out = await execute(server, response_format=schema)
            assert out.data == {"n": 3}
            sent = server.requests[0]["response_format"]["json_schema"]
            assert sent["schema"] == schema
            assert sent["strict"] is True

    asyncio.run(main())


def test_an_answer_is_streamed_as_it_comes() -> None:
    async def main() -> None:
        async with FakeOpenAI("one two three") as server:
            texts, output = await stream_text(server)
            assert texts == ["one", " two", " three"]
            assert output.text == "one two three"
            assert output.metadata.usage.total_tokens == 12
            assert server.requests[0]["stream_options"] == {"include_usage": True}

    asyncio.run(main())


def test_a_rejected_key_says_what_to_set_and_does_not_show_the_key() -> None:
    error = failure(server={"key": "another"}, table={"api_key": KEY})
    assert error.code == "provider.auth"
    assert "rejected the key" in error.message
    assert error.hint == "the key was rejected: set [providers.fake] api_key"
    assert KEY not in json.dumps(error.to_dict())
    assert error.details["requests"] == 1


def test_a_key_that_the_service_repeats_is_not_shown() -> None:
    body = json.dumps({"error": {"message": f"no such key: {KEY}"}})
    assert KEY not in failure(Raw(body, 401), table={"api_key": KEY}).message


def test_too_many_requests_are_tried_again_after_what_the_service_asks() -> None:
    async def main() -> None:
        busy = Raw('{"error": {"message": "slow down"}}', 429, {"retry-after": "0.05"})
        async with FakeOpenAI(busy, busy, "fine") as server:
            started = time.perf_counter()
            assert (await execute(server)).text == "fine"
            assert time.perf_counter() - started >= 0.1

    asyncio.run(main())


def test_a_long_retry_after_is_reported_and_not_waited_for() -> None:
    error = failure(Raw("{}", 429, {"retry-after": "600"}))
    assert error.code == "provider.rate_limit"
    assert error.details["retry_after_ms"] == 600_000
    assert error.details["requests"] == 1


@pytest.mark.parametrize(
    ("status", "code", "attempts"),
    [
        (400, "provider.invalid_request", 1),
        (403, "provider.auth", 1),
        (404, "provider.invalid_request", 1),
        (408, "provider.timeout", 4),
        (409, "provider.server", 4),
        (429, "provider.rate_limit", 4),
        (500, "provider.server", 4),
        (501, "provider.server", 1),
        (503, "provider.server", 4),
    ],
)
def test_each_status_has_its_code_and_its_number_of_attempts(
    status: int, code: str, attempts: int
) -> None:
    error = failure(Raw("{}", status))
    assert (error.code, error.details["requests"]) == (code, attempts)


def test_a_conversation_that_is_too_long_is_told_apart() -> None:
    body = '{"error": {"message": "This model\'s maximum context length is 8192 tokens"}}'
    error = failure(Raw(body, 400))
    assert (error.code, error.details["requests"]) == ("agent.context_overflow", 1)
    assert error.details["max_context_tokens"] == 8192
    assert error.details["error"]["code"] == "provider.context_length"


def test_a_missing_model_is_named() -> None:
    body = json.dumps({"error": {"message": 'model "m" not found, try pulling it first'}})
    error = failure(Raw(body, 404))
    assert error.code == "provider.model_missing"
    assert 'has no model "m"' in error.message


def test_nothing_listening_says_where() -> None:
    async def main() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
            async with runtime_for(address) as runtime:
                agent = Agent(retry={"max_attempts": 2, "backoff_ms": 1})
                with pytest.raises(ProviderError) as caught:
                    await agent.execute("x", runtime.context())
                assert caught.value.code == "provider.connection"
                assert caught.value.message == f"nothing answers at {address}"

    asyncio.run(main())


@pytest.mark.parametrize("status", [200, 502])
def test_a_web_page_is_not_shown_as_an_answer(status: int) -> None:
    page = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>"
    error = failure(Raw(page, status, content_type="text/html"), retry={"max_attempts": 1})
    assert error.code == ("provider.bad_response" if status == 200 else "provider.server")
    assert 'a web page titled "Sign in"' in error.message
    assert "<html" not in error.message


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"error": {"message": "busy", "code": 429}}', "provider.rate_limit"),
        ('{"error": {"message": "who?", "type": "authentication_error"}}', "provider.auth"),
        ('{"error": "it broke"}', "provider.bad_response"),
        ('{"choices": []}', "provider.bad_response"),
        ("[1, 2]", "provider.bad_response"),
        ("not json", "provider.bad_response"),
        ("", "provider.bad_response"),
    ],
)
def test_a_success_that_is_none_is_an_error(body: str, code: str) -> None:
    assert failure(Raw(body), retry={"max_attempts": 1}).code == code


def test_a_stream_that_is_cut_before_any_text_is_tried_again() -> None:
    async def main() -> None:
        cut = Raw(content_type="text/event-stream", pieces=[": hello\n\n"], cut=True)
        async with FakeOpenAI(cut, "all there") as server:
            texts, _ = await stream_text(server)
            assert texts == ["all", " there"]
            assert len(server.requests) == 2

    asyncio.run(main())


def test_a_stream_that_is_cut_in_the_middle_is_an_error_and_not_tried_again() -> None:
    async def main() -> None:
        pieces: list[str | bytes] = [f"data: {json.dumps(chunk_of('half'))}\n\n"]
        cut = Raw(content_type="text/event-stream", pieces=pieces, cut=True)
        async with FakeOpenAI(cut, "x") as server:
            with pytest.raises(ProviderError) as caught:
                await stream_text(server)
            assert caught.value.code == "provider.connection"
            assert len(server.requests) == 1

    asyncio.run(main())


def test_an_error_inside_a_stream_is_classified() -> None:
    async def main() -> None:
        bad = sse("some", {"error": {"message": "overloaded", "code": 503}})
        async with FakeOpenAI(bad) as server:
            with pytest.raises(ProviderError) as caught:
                await stream_text(server)
            assert caught.value.code == "provider.server"

    asyncio.run(main())


def test_a_service_that_does_not_stream_is_read_whole() -> None:
    async def main() -> None:
        async with FakeOpenAI(completion("at once")) as server:
            texts, output = await stream_text(server)
            assert (texts, output.text) == (["at once"], "at once")

    asyncio.run(main())


def test_a_run_that_is_cancelled_closes_its_request() -> None:
    async def main() -> None:
        async with FakeOpenAI(latency_ms=10_000) as server:
            task = asyncio.ensure_future(execute(server))
            while not server.requests:
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with asyncio.timeout(0.25):
                while not server.abandoned:
                    await asyncio.sleep(0.005)

    asyncio.run(main())


def test_a_request_that_takes_too_long_is_a_timeout() -> None:
    async def main() -> None:
        async with FakeOpenAI(latency_ms=10_000) as server:
            provider = {"type": "openai", "base_url": server.base_url}
            settings = {
                "providers": {"fake": provider},
                "default": {"model": "fake/m", "timeout_ms": 50},
            }
            async with Runtime(settings) as runtime:
                with pytest.raises(ProviderError) as caught:
                    await Agent(retry={"max_attempts": 1}).execute("x", runtime.context())
                assert caught.value.code == "provider.timeout"
                assert "within 50 ms" in caught.value.message

    asyncio.run(main())


def test_waiting_for_another_attempt_never_passes_the_deadline() -> None:
    async def main() -> None:
        busy = Raw("{}", 429, {"retry-after": "20"})
        async with FakeOpenAI(busy) as server:
            started = time.perf_counter()
            with pytest.raises(ProviderError) as caught:
                await execute(server, timeout_ms=2_000)
            assert caught.value.code == "provider.rate_limit"
            assert time.perf_counter() - started < 1.5

    asyncio.run(main())


def test_fifty_requests_at_once_overlap() -> None:
    async def main() -> None:
        async with FakeOpenAI(latency_ms=100) as server, runtime_for(server.base_url) as runtime:
            agent, ctx = Agent("x"), runtime.context()
            started = time.perf_counter()
            outs = await asyncio.gather(*(agent.execute(str(n), ctx) for n in range(50)))
            assert {out.text for out in outs} == {"Hello."}
            assert time.perf_counter() - started < 2.5

    asyncio.run(main())


def test_an_address_that_an_agent_chose_passes_the_gate_and_gets_no_stored_key() -> None:
    async def main() -> None:
        async with FakeOpenAI("hi") as server:
            table = {"api_key": KEY, "headers": {"x-secret": KEY}}
            async with runtime_for("http://127.0.0.1:9/v1", **table) as runtime:
                agent = Agent(base_url=server.base_url, retry={"max_attempts": 1})
                with pytest.raises(LLMSpellError) as caught:
                    await agent.execute("x", runtime.context())
                assert caught.value.code.startswith("policy.")
                assert not server.requests
            settings = {
                "providers": {"fake": {"type": "openai", "base_url": "http://x/v1", **table}},
                "default": {"model": "fake/m"},
                "security": {"network": {"allowed_hosts": ["127.0.0.1"]}},
            }
            async with Runtime(settings) as runtime:
                agent = Agent(base_url=server.base_url)
                assert (await agent.execute("x", runtime.context())).text == "hi"
                assert KEY not in json.dumps(server.headers)

    asyncio.run(main())


def test_models_are_listed_from_the_configuration_or_by_asking_the_service() -> None:
    async def main() -> None:
        async with FakeOpenAI() as server:
            async with runtime_for(server.base_url) as runtime:
                found = await runtime.provider("fake").list_models()
                assert [one.name for one in found] == ["fake-model"]
            async with runtime_for(server.base_url, models=["a", "b"]) as runtime:
                found = await runtime.provider("fake").list_models()
                assert [one.name for one in found] == ["a", "b"]

    asyncio.run(main())
