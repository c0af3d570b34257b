"""What services really send: each oddity in `wire/` gives the right answer or a known error.

A file says how it was `asked` (``whole`` or ``stream``), the `answer` on the wire (`body`, or
`pieces`, texts or ``{"hex"}``), and what is `expected` of it: fields of the response, or an
`error` code and what its message `says`.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.errors import ProviderError
from llmspell_core.messages import Message
from llmspell_core.provider import ModelRequest, ModelResponse, RetryPolicy
from llmspell_core.runtime import Runtime
from llmspell_core.testing.openai_server import FakeOpenAI, Raw, completion

FILES = sorted(Path(__file__).with_name("wire").glob("*.json"))


def raw(answer: dict[str, Any]) -> Raw:
    pieces: list[str | bytes] = [
        bytes.fromhex(one["hex"]) if isinstance(one, dict) else one
        for one in answer.get("pieces", ())
    ]
    return Raw(
        body=answer.get("body", ""),
        status=answer["status"],
        content_type=answer["content_type"],
        pieces=pieces,
        cut=answer.get("cut", False),
    )


async def response_to(case: dict[str, Any], answer: Raw | None = None) -> ModelResponse:
    request = ModelRequest(
        "m", [Message(role="user", content="x")], retry=RetryPolicy(max_attempts=1)
    )
    async with FakeOpenAI(answer or raw(case["answer"])) as server:
        table = {"type": "openai", "base_url": server.base_url}
        settings = {"providers": {"fake": table}, "state": {"backend": "memory"}}
        async with Runtime(settings) as runtime:
            provider, ctx = runtime.provider("fake"), runtime.context()
            if case["asked"] == "whole":
                return await provider.complete(request, ctx)
            deltas = [delta async for delta in provider.stream(request, ctx)]
            (last,) = [one.response for one in deltas if one.response is not None]
            assert "".join(one.text for one in deltas) == last.text
            assert "".join(one.reasoning for one in deltas) == last.reasoning
            return last


def shown(found: ModelResponse, fields: dict[str, Any]) -> dict[str, Any]:
    """The response under the names of the files, as far as a file speaks of it."""
    calls = [one.model_dump(exclude_none=True, exclude={"id"}) for one in found.tool_calls]
    everything = {
        "text": found.text,
        "reasoning": found.reasoning,
        "finish_reason": found.finish_reason,
        "total_tokens": found.usage.total_tokens,
        "tool_calls": calls,
        "ids": len({one.id for one in found.tool_calls if one.id}),
    }
    return {name: everything[name] for name in fields}


def test_the_corpus_is_large() -> None:
    assert len(FILES) >= 25


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_each_oddity_gives_the_right_answer_or_a_known_error(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    expected = case["expected"]
    if "error" in expected:
        with pytest.raises(ProviderError) as caught:
            asyncio.run(response_to(case))
        assert caught.value.code == expected["error"], case["about"]
        assert expected.get("says", "") in caught.value.message
        return
    found = shown(asyncio.run(response_to(case)), expected)
    assert found == expected, case["about"]


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("asked", "answer", "code"),
    [
        ("whole", Raw(body=DEEP), "provider.bad_response"),
        ("whole", Raw(body=DEEP, status=400), "provider.invalid_request"),
        (
            "stream",
            Raw(body=f"data: {DEEP}\n\n", content_type="text/event-stream"),
            "provider.bad_response",
        ),
    ],
)
def test_what_is_nested_too_deep_is_no_answer(asked: str, answer: Raw, code: str) -> None:
    with pytest.raises(ProviderError) as caught:
        asyncio.run(response_to({"asked": asked}, answer))
    assert caught.value.code == code
    assert len(caught.value.message) < 1000


def test_arguments_that_are_nested_too_deep_go_back_to_the_model() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "t", "arguments": DEEP}}
    found = asyncio.run(
        response_to({"asked": "whole"}, Raw(body=json.dumps(completion(tool_calls=[call]))))
    )
    assert found.tool_calls[0].raw_arguments == DEEP
