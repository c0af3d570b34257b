"""The litellm provider against a real OpenAI-compatible server on this machine."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from llmspell_core.errors import LLMSpellError, ProviderError
from llmspell_core.messages import ContentPart, Message
from llmspell_core.provider import (
    EmbeddingRequest,
    ModelDelta,
    ModelRequest,
    Provider,
    RetryPolicy,
    ToolDefinition,
)
from llmspell_core.runtime import Runtime
from llmspell_core.testing.openai_server import FakeOpenAI, Raw, chunk_of, completion, sse
from llmspell_litellm.library import library
from llmspell_litellm.services import SERVICES

# litellm ignores these itself, once for the process, which pytest undoes for each test.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier"),
    pytest.mark.filterwarnings("ignore:Accessing the .* attribute on the instance is deprecated"),
]

KEY = "sk-test-0123456789abcdef"
FAST = RetryPolicy(max_attempts=4, backoff_ms=1)
ONCE = RetryPolicy(max_attempts=1)


@asynccontextmanager
async def runtime_for(base_url: str, **table: Any) -> AsyncIterator[Runtime]:
    given = {"type": "litellm", "service": "openai", "base_url": base_url, "api_key": KEY, **table}
    settings = {"providers": {"fake": given}, "default": {"model": "fake/m"}}
    async with Runtime({**settings, "state": {"backend": "memory"}}) as runtime:
        yield runtime


def request(**fields: Any) -> ModelRequest:
    messages = fields.pop("messages", [Message(role="user", content="Any kettles?")])
    return ModelRequest("m", messages, **{"retry": FAST, **fields})


async def streamed(provider: Provider, ctx: Any, **fields: Any) -> list[ModelDelta]:
    return [delta async for delta in provider.stream(request(**fields), ctx)]


def failure(*replies: Any, server: Any = None, **fields: Any) -> LLMSpellError:
    async def main() -> LLMSpellError:
        async with FakeOpenAI(*replies, **(server or {})) as fake, runtime_for(fake.base_url) as rt:
            with pytest.raises(LLMSpellError) as caught:
                await rt.provider("fake").complete(request(**fields), rt.context())
            caught.value.details["requests"] = len(fake.requests)
            return caught.value

    return asyncio.run(main())


STOCK = ToolDefinition("stock", "How many.", {"type": "object", "properties": {}})
CALL = {"id": "c1", "type": "function", "function": {"name": "stock", "arguments": '{"n": 1}'}}


def test_answers_tools_schemas_and_usage_go_over_the_wire() -> None:
    async def main() -> None:
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
        async with FakeOpenAI(completion(tool_calls=[CALL]), '{"n": 3}', key=KEY) as server:
            async with runtime_for(server.base_url, headers={"x-team": "a"}) as runtime:
                provider, ctx = runtime.provider("fake"), runtime.context()
                found = await provider.complete(
                    request(tools=[STOCK], temperature=0.2, max_tokens=9, settings={"seed": 3}), ctx
                )
                assert found.finish_reason == "tool_calls"
                assert [(one.id, one.arguments) for one in found.tool_calls] == [("c1", {"n": 1})]
                assert found.usage.total_tokens == 12
                assert found.usage.cost_usd is None
                answered = [
                    Message(role="user", content="x"),
                    Message(role="assistant", tool_calls=found.tool_calls),
                    Message(role="tool", content="7", tool_call_id="c1"),
                ]
                assert (
                    await provider.complete(request(messages=answered, schema=schema), ctx)
                ).text == '{"n": 3}'
            first, second = server.requests
            assert (first["model"], first["temperature"], first["seed"]) == ("m", 0.2, 3)
            assert first["tools"][0]["function"]["name"] == "stock"
            assert second["messages"][1]["tool_calls"][0]["function"]["name"] == "stock"
            assert second["messages"][2]["tool_call_id"] == "c1"
            assert second["response_format"]["json_schema"]["schema"] == schema
            assert server.headers[0]["x-team"] == "a"

    asyncio.run(main())


def test_pictures_go_along_with_a_text() -> None:
    async def main() -> None:
        picture = ContentPart.model_validate(
            {"type": "image", "data": "AAAA", "media_type": "image/png"}
        )
        parts = [ContentPart.model_validate({"text": "see"}), picture]
        async with FakeOpenAI("A dot.") as server, runtime_for(server.base_url) as runtime:
            asked = request(messages=[Message(role="user", content=parts)])
            await runtime.provider("fake").complete(asked, runtime.context())
            sent = server.requests[0]["messages"][0]["content"]
            assert sent[1]["image_url"]["url"] == "data:image/png;base64,AAAA"

    asyncio.run(main())


def test_an_answer_is_streamed_with_its_usage() -> None:
    async def main() -> None:
        async with FakeOpenAI("one two three") as server, runtime_for(server.base_url) as runtime:
            deltas = await streamed(runtime.provider("fake"), runtime.context())
            assert [one.text for one in deltas if one.text] == ["one", " two", " three"]
            assert deltas[-1].response is not None
            assert deltas[-1].response.text == "one two three"
            assert deltas[-1].response.usage.total_tokens == 12

    asyncio.run(main())


def test_tool_calls_are_streamed_in_pieces() -> None:
    def piece(**function: Any) -> dict[str, Any]:
        call = {"index": 0, "type": "function", "function": function}
        if "name" in function:
            call["id"] = "c1"
        return {"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]}

    async def main() -> None:
        pieces = piece(name="stock", arguments='{"n"'), piece(arguments=": 1}")
        reply = sse(*pieces, chunk_of("", "tool_calls"))
        async with FakeOpenAI(reply) as server, runtime_for(server.base_url) as runtime:
            deltas = await streamed(runtime.provider("fake"), runtime.context(), tools=[STOCK])
            assert deltas[-1].response is not None
            (call,) = deltas[-1].response.tool_calls
            assert (call.id, call.name, call.arguments) == ("c1", "stock", {"n": 1})

    asyncio.run(main())


def test_vectors_of_texts() -> None:
    async def main() -> None:
        async with FakeOpenAI() as server, runtime_for(server.base_url) as runtime:
            asked = EmbeddingRequest("v", ["one two", "x"])
            found = await runtime.provider("fake").embed(asked, runtime.context())
            assert found.vectors == [[7.0, 2.0, 3.0], [1.0, 1.0, 0.0]]
            assert found.usage.input_tokens == 10

    asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "code", "attempts"),
    [
        (400, "provider.invalid_request", 1),
        (401, "provider.auth", 1),
        (403, "provider.auth", 1),
        (408, "provider.timeout", 4),
        (409, "provider.server", 4),
        (429, "provider.rate_limit", 4),
        (500, "provider.server", 4),
        (501, "provider.server", 1),
        (503, "provider.server", 4),
    ],
)
def test_each_status_has_the_code_and_the_attempts_it_has_everywhere(
    status: int, code: str, attempts: int
) -> None:
    error = failure(Raw('{"error": {"message": "no luck"}}', status))
    assert (error.code, error.details["requests"]) == (code, attempts)
    assert "litellm" not in error.message


def test_what_the_service_asks_to_wait_is_known() -> None:
    error = failure(Raw('{"error": {"message": "slow"}}', 429, {"retry-after": "600"}))
    assert error.details["retry_after_ms"] == 600_000
    assert error.details["requests"] == 1


def test_a_conversation_that_is_too_long_and_a_missing_model_are_told_apart() -> None:
    body = {"message": "This model's maximum context length is 8192 tokens", "code": None}
    assert failure(Raw(json.dumps({"error": body}), 400)).code == "provider.context_length"
    body = {"message": "The model `m` does not exist", "code": "model_not_found"}
    assert failure(Raw(json.dumps({"error": body}), 404)).code == "provider.model_missing"


def test_a_rejected_key_is_not_shown() -> None:
    error = failure(server={"key": "another"})
    assert error.code == "provider.auth"
    assert KEY not in json.dumps(error.to_dict())


@pytest.mark.parametrize(
    "body", ["<!DOCTYPE html><title>Sign in</title>", "{}", "[1]", "no json", '{"choices": []}']
)
def test_what_is_no_answer_is_a_bad_response(body: str) -> None:
    assert failure(Raw(body), retry=ONCE).code == "provider.bad_response"


@pytest.mark.parametrize(("status", "code"), [(200, "bad_response"), (429, "rate_limit")])
def test_a_service_of_another_dialect_has_the_same_codes(status: int, code: str) -> None:
    async def main() -> None:
        server = FakeOpenAI(Raw('{"error": {"message": "not now"}}', status))
        async with server, runtime_for(server.base_url, service="anthropic") as runtime:
            with pytest.raises(ProviderError) as caught:
                await runtime.provider("fake").complete(request(retry=ONCE), runtime.context())
            assert caught.value.code == f"provider.{code}"
            assert "not now" in caught.value.message

    asyncio.run(main())


def test_anthropic_is_told_to_keep_the_prompts_of_agents_that_ask_again() -> None:
    answer = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "Seven."}],
        "stop_reason": "end_turn",
        "usage": {
            "input_tokens": 10,
            "cache_creation_input_tokens": 500,
            "cache_read_input_tokens": 400,
            "output_tokens": 5,
        },
    }
    tool = ToolDefinition("stock", "How many.", {"type": "object", "properties": {}})
    again = [Message(role="user", content="Hi"), Message(role="assistant", content="Hello.")]

    async def marks(**table: Any) -> list[bool]:
        server = FakeOpenAI(Raw(json.dumps(answer)))
        async with (
            server,
            runtime_for(server.base_url, service="anthropic", **table) as runtime,
        ):
            provider, ctx = runtime.provider("fake"), runtime.context()
            await provider.complete(request(), ctx)
            found = await provider.complete(request(tools=[tool]), ctx)
            await provider.complete(
                request(messages=[*again, Message(role="user", content="And kettles?")]), ctx
            )
            usage = found.usage
            assert (usage.input_tokens, usage.cache_read_tokens) == (910, 400)
            assert usage.cache_write_tokens == 500
            return ["cache_control" in json.dumps(one) for one in server.requests]

    # A single question is not: writing costs more, and nobody would read it.
    assert asyncio.run(marks()) == [False, True, True]
    assert asyncio.run(marks(prompt_cache=False)) == [False, False, False]


def test_nothing_listening_says_where() -> None:
    async def main() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
            async with runtime_for(address) as runtime:
                with pytest.raises(ProviderError) as caught:
                    await runtime.provider("fake").complete(request(retry=ONCE), runtime.context())
                assert caught.value.message == f"nothing answers at {address}"
                assert caught.value.retryable

    asyncio.run(main())


def test_a_request_that_takes_too_long_is_a_timeout() -> None:
    async def main() -> None:
        await library()
        async with FakeOpenAI(latency_ms=10_000) as server, runtime_for(server.base_url) as runtime:
            asked = request(timeout_ms=300, retry=ONCE)
            with pytest.raises(ProviderError) as caught:
                await runtime.provider("fake").complete(asked, runtime.context())
            assert caught.value.code == "provider.timeout"
            assert "within 300 ms" in caught.value.message

    asyncio.run(main())


def test_a_stream_that_is_cut_is_tried_again_only_before_its_first_piece() -> None:
    async def main() -> None:
        nothing = Raw(content_type="text/event-stream", pieces=[": hello\n\n"], cut=True)
        half = f"data: {json.dumps(chunk_of('half'))}\n\n"
        broken = Raw(content_type="text/event-stream", pieces=[half], cut=True)
        server = FakeOpenAI(nothing, "all there", broken)
        async with server, runtime_for(server.base_url) as runtime:
            provider, ctx = runtime.provider("fake"), runtime.context()
            deltas = await streamed(provider, ctx)
            assert deltas[-1].response is not None
            assert deltas[-1].response.text == "all there"
            with pytest.raises(ProviderError) as caught:
                await streamed(provider, ctx)
            assert caught.value.code == "provider.connection"
            assert len(server.requests) == 3

    asyncio.run(main())


def test_a_run_that_is_cancelled_closes_its_request() -> None:
    async def main() -> None:
        await library()
        async with FakeOpenAI(latency_ms=10_000) as server, runtime_for(server.base_url) as runtime:
            provider = runtime.provider("fake")
            task = asyncio.ensure_future(provider.complete(request(), runtime.context()))
            while not server.requests:
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with asyncio.timeout(0.25):
                while not server.abandoned:
                    await asyncio.sleep(0.005)

    asyncio.run(main())


@pytest.mark.parametrize("name", ["api_base", "api_key", "extra_headers", "mock_response"])
def test_a_script_cannot_redirect_a_request_by_its_settings(name: str) -> None:
    error = failure("Hi", settings={name: "http://127.0.0.1:9"})
    assert error.code == "provider.invalid_request"
    assert error.details["requests"] == 0


def test_a_script_cannot_choose_the_address() -> None:
    async def main() -> None:
        async with runtime_for("http://127.0.0.1:9/v1") as runtime:
            made = runtime.providers.private("fake", base_url="http://127.0.0.1:9", api_key="")
            with pytest.raises(ProviderError, match="a script cannot choose"):
                await made.complete(request(), runtime.context())

    asyncio.run(main())


def test_a_service_needs_no_table_and_a_misspelt_one_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)

    async def main() -> None:
        async with Runtime({"state": {"backend": "memory"}}) as runtime:
            assert "anthropic" not in runtime.providers.names()
            found = runtime.resolve_model("anthropic/claude-sonnet-4-5")
            assert type(found.provider).__name__ == "LitellmProvider"
            with pytest.raises(ProviderError) as caught:
                await found.provider.complete(request(), runtime.context())
            assert caught.value.code == "provider.not_configured"
            assert "ANTHROPIC_API_KEY" in str(caught.value.hint)
            with pytest.raises(ProviderError, match="unknown provider") as unknown:
                runtime.resolve_model("antropic/claude")
            assert unknown.value.hint == 'did you mean "anthropic"?'

    asyncio.run(main())


def test_prices_and_abilities_come_from_the_table_that_litellm_ships() -> None:
    async def main() -> None:
        litellm = await library()
        async with Runtime({"state": {"backend": "memory"}}) as runtime:
            provider = runtime.provider("anthropic")
            found = provider.capabilities("claude-sonnet-4-5")
            assert found.max_context_tokens >= 200_000
            assert found.vision
            names = [one.name for one in await provider.list_models()]
            assert "claude-sonnet-4-5" in names
            known = {str(getattr(one, "value", one)) for one in litellm.provider_list}
            assert not SERVICES - known

    asyncio.run(main())


def test_using_the_package_imports_no_litellm_before_the_first_request() -> None:
    code = (
        "import asyncio, sys\n"
        "from llmspell_core.runtime import Runtime\n"
        "async def main():\n"
        "    async with Runtime({'state': {'backend': 'memory'}}) as runtime:\n"
        "        found = runtime.resolve_model('anthropic/claude-x')\n"
        "        found.provider.capabilities('claude-x')\n"
        "asyncio.run(main())\n"
        "print('litellm' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_nothing_but_the_request_leaves_the_process(tmp_path: Any) -> None:
    (tmp_path / ".env").write_text("LLMSPELL_FROM_DOTENV=1\n")
    code = (
        "import asyncio, os, socket, sys\n"
        "asked = []\n"
        "real = socket.getaddrinfo\n"
        "def look(host, *rest, **more):\n"
        "    asked.append(str(host)); return real(host, *rest, **more)\n"
        "socket.getaddrinfo = look\n"
        "connect = socket.socket.connect\n"
        "def note(self, address):\n"
        "    asked.append(str(address[0])); return connect(self, address)\n"
        "socket.socket.connect = note\n"
        "from llmspell_core.messages import Message\n"
        "from llmspell_core.provider import ModelRequest\n"
        "from llmspell_core.runtime import Runtime\n"
        "from llmspell_core.testing import FakeOpenAI\n"
        "async def main():\n"
        "    async with FakeOpenAI('Hello.') as server:\n"
        "        table = {'type': 'litellm', 'service': 'openai', 'base_url': server.base_url}\n"
        "        settings = {'providers': {'fake': table}, 'state': {'backend': 'memory'}}\n"
        "        async with Runtime(settings) as runtime:\n"
        "            request = ModelRequest('m', [Message(role='user', content='x')])\n"
        "            await runtime.provider('fake').complete(request, runtime.context())\n"
        "        await asyncio.sleep(0.5)\n"
        "        assert server.headers[0]['authorization'] == 'Bearer none'\n"
        "asyncio.run(main())\n"
        "print(sorted(set(asked)), 'LLMSPELL_FROM_DOTENV' in os.environ)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=200,
    )
    assert said.stdout.strip() == "['127.0.0.1'] False", said.stderr
    assert said.stderr == ""


def test_prices_are_known_before_litellm_is_imported() -> None:
    code = (
        "import asyncio, sys\n"
        "from llmspell_core.runtime import Runtime\n"
        "async def main():\n"
        "    async with Runtime({'state': {'backend': 'memory'}}) as runtime:\n"
        "        ours = runtime.provider('anthropic').price('claude-sonnet-4-5')\n"
        "        theirs = runtime.provider('litellm').price('azure/gpt-4o')\n"
        "        nobodys = runtime.provider('litellm').price('xai/gpt-4o')\n"
        "        print(ours.input, theirs.input, nobodys)\n"
        "asyncio.run(main())\n"
        "print('litellm' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split("\n")[:2] == ["3.0 2.5 None", "False"]
