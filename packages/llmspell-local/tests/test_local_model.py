"""The real model: calls, answers, streams, many at once, stopping, its silence."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest

from llmspell_core.context import ExecutionContext
from llmspell_core.errors import DeadlineError, ProviderError
from llmspell_core.messages import Message
from llmspell_core.provider import (
    ModelDelta,
    ModelRequest,
    ModelResponse,
    Provider,
    ToolDefinition,
)
from llmspell_core.runtime import Runtime

pytestmark = [pytest.mark.model, pytest.mark.timeout(300)]

CALCULATOR = ToolDefinition(
    "calculator",
    "Calculates an arithmetic expression.",
    {
        "properties": {
            "operation": {"enum": ["evaluate", "validate"], "default": "evaluate"},
            "input": {"type": "string"},
        }
    },
)


@dataclass
class Local:
    """The provider with the loop it lives in."""

    runner: asyncio.Runner
    provider: Provider
    ctx: ExecutionContext

    def ask(self, text: str, *tools: ToolDefinition, **fields: Any) -> ModelResponse:
        messages = [Message(role="user", content=text)]
        return self.complete(ModelRequest("", messages, [*tools], **fields))

    def complete(self, request: ModelRequest) -> ModelResponse:
        return self.runner.run(self.provider.complete(request, self.ctx))


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    async def open_(runtime: Runtime) -> Provider:
        await runtime.__aenter__()
        provider = runtime.provider("local")
        await provider.pull("")
        return provider

    with asyncio.Runner() as runner:
        runtime = Runtime({})
        provider = runner.run(open_(runtime))
        yield Local(runner, provider, runtime.context())
        runner.run(runtime.__aexit__(None, None, None))


def test_it_calls_the_calculator_and_tells_the_result(
    local: Local, capfd: pytest.CaptureFixture[str]
) -> None:
    ask = Message(role="user", content="What is 23 * 19?")
    first = local.complete(ModelRequest("smollm2-135m", [ask], [CALCULATOR]))
    assert first.finish_reason == "tool_calls"
    assert first.tool_calls[0].name == "calculator"
    assert first.tool_calls[0].arguments == {"input": "23 * 19"}
    told = [
        ask,
        Message(role="assistant", tool_calls=first.tool_calls),
        Message(role="tool", content="437", tool_call_id=first.tool_calls[0].id),
    ]
    second = local.complete(ModelRequest("smollm2-135m", told, [CALCULATOR]))
    assert "437" in second.text
    assert second.tool_calls == []
    usage = second.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens > 0
    assert capfd.readouterr() == ("", "")


def test_json_is_held_to_a_schema(local: Local) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "when": {"$ref": "#/$defs/day"}},
        "required": ["city", "when"],
        "$defs": {"day": {"type": "string", "format": "nothing-known", "pattern": "(?=x)"}},
    }
    response = local.ask("ship the parcel to Oslo by friday", schema=schema)
    assert json.loads(response.text)["city"] == "Oslo"


def test_a_stream_of_an_answer_beside_tools_is_its_text(local: Local) -> None:
    async def main() -> list[ModelDelta]:
        request = ModelRequest("", [Message(role="user", content="Say hello.")], [CALCULATOR])
        return [delta async for delta in local.provider.stream(request, local.ctx)]

    deltas = local.runner.run(main())
    response = deltas[-1].response
    assert response is not None
    assert "".join(delta.text for delta in deltas) == response.text
    assert "{" not in response.text


def test_eight_at_once_are_answered_as_they_are_alone(local: Local) -> None:
    asks = [f"What is {n} + {n + 1}?" for n in range(8)]

    async def main() -> list[ModelResponse]:
        requests = [
            ModelRequest("", [Message(role="user", content=ask)], [CALCULATOR]) for ask in asks
        ]
        return await asyncio.gather(*(local.provider.complete(one, local.ctx) for one in requests))

    together = local.runner.run(main())
    called = [one.tool_calls[0].arguments["input"] for one in together]
    assert called == [f"{n} + {n + 1}" for n in range(8)]


def test_leaving_a_stream_stops_the_model(local: Local) -> None:
    request = ModelRequest(
        "", [Message(role="user", content="Tell me a long story.")], max_tokens=2000
    )

    async def main() -> float:
        async with aclosing(local.provider.stream(request, local.ctx)) as deltas:  # type: ignore[type-var]
            async for _ in deltas:
                break
        started = time.monotonic()
        await local.provider.complete(
            ModelRequest("", [Message(role="user", content="hi")], max_tokens=1), local.ctx
        )
        return time.monotonic() - started

    assert local.runner.run(main()) < 20


def test_a_timeout_and_a_deadline_end_it(local: Local) -> None:
    story = [Message(role="user", content="Tell me a very long story.")]
    with pytest.raises(ProviderError, match="within 50 ms") as caught:
        local.complete(ModelRequest("", story, max_tokens=2000, timeout_ms=50))
    assert (caught.value.code, caught.value.retryable) == ("provider.timeout", True)
    late = local.ctx.child(deadline=time.monotonic() + 0.05)
    with pytest.raises(DeadlineError):
        local.runner.run(local.provider.complete(ModelRequest("", story, max_tokens=2000), late))


def test_too_long_a_conversation_is_told_with_numbers(local: Local) -> None:
    with pytest.raises(ProviderError) as caught:
        local.ask("word " * 5000)
    assert caught.value.code == "provider.context_length"
    assert caught.value.details["max_context_tokens"] == 4096
    assert caught.value.details["tokens"] > 5000


def test_an_answer_cut_off_is_its_beginning(local: Local) -> None:
    response = local.ask("Tell me a story.", max_tokens=5)
    assert response.finish_reason == "length"
    assert response.text


def test_a_process_that_leaves_in_the_middle_ends_quietly(local: Local) -> None:
    path = local.runner.run(local.provider.path("smollm2-135m"))
    code = (
        "import asyncio; from pathlib import Path\n"
        "from llmspell_local.engine import Engine; from llmspell_local.native import LoadOptions\n"
        f"engine = Engine(Path({str(path)!r}), LoadOptions(512, 1, 1))\n"
        "async def main():\n"
        "    ask = [{'role': 'user', 'content': 'Tell me a story.'}]\n"
        "    body = {'messages': ask, 'stream': True, 'max_tokens': 400}\n"
        "    async for chunk in engine.chat(body):\n"
        "        print('left'); return\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "left\n", "")
