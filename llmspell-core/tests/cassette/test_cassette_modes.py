"""Cassettes: what is recorded, how it is played, and that a replay never asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from llmspell_core.errors import ConfigError, LLMSpellError, ProviderError, ToolRetry
from llmspell_core.messages import Message, ToolCall
from llmspell_core.provider import (
    Capabilities,
    EmbeddingRequest,
    ModelDelta,
    ModelRequest,
    ModelResponse,
    ToolDefinition,
)
from llmspell_core.runtime import Runtime
from llmspell_core.testing import ScriptedProvider, chunks, tool_call
from llmspell_core.tool import ToolResult, tool

T = TypeVar("T")
Work = Callable[[Runtime], Awaitable[T]]


def run(path: Path, mode: str, provider: ScriptedProvider | None, work: Work[T], **more: Any) -> T:
    async def main() -> T:
        settings = {
            "cassette": {"path": str(path), "mode": mode, **more},
            "default": {"model": "scripted/scripted-model"},
            "state": {"backend": "memory"},
        }
        async with Runtime(settings) as runtime:
            if provider is not None:
                runtime.add_provider(provider)
            return await work(runtime)

    return asyncio.run(main())


def asking(*texts: str, **fields: Any) -> Work[list[ModelResponse]]:
    async def work(runtime: Runtime) -> list[ModelResponse]:
        ctx = runtime.context()
        found = []
        for text in texts:
            request = ModelRequest("m", [Message(role="user", content=text)], **fields)
            found.append(await runtime.provider("scripted").complete(request, ctx))
        return found

    return work


def streaming(text: str) -> Work[list[ModelDelta]]:
    async def work(runtime: Runtime) -> list[ModelDelta]:
        request = ModelRequest("m", [Message(role="user", content=text)])
        source = runtime.provider("scripted").stream(request, runtime.context())
        return [delta async for delta in source]

    return work


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_was_recorded_is_played_without_the_provider(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.jsonl"
    call = ToolCall(id="c1", name="stock", arguments={"item": "kettle"})
    provider = ScriptedProvider("one", ModelResponse("two", [call], "tool_calls"))
    asked = run(path, "record", provider, asking("a", "b"))
    played = run(path, "replay", None, asking("b", "a"))
    assert played == [asked[1], asked[0]]
    assert lines(path)[0] == {"schema": "llmspell.cassette/1"}


def test_equal_requests_are_played_in_their_order_and_each_once(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    run(path, "record", ScriptedProvider("one", "two"), asking("a", "a"))
    assert [one.text for one in run(path, "replay", None, asking("a", "a"))] == ["one", "two"]
    with pytest.raises(LLMSpellError, match="it was recorded 2 times and is asked for once more"):
        run(path, "replay", None, asking("a", "a", "a"))


def test_a_miss_shows_the_difference_to_the_nearest_and_asks_nobody(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    run(path, "record", ScriptedProvider(default="x"), asking("the red kettle", "of elephants"))
    silent = ScriptedProvider("must not be asked")
    with pytest.raises(LLMSpellError) as found:
        run(path, "replay", silent, asking("the red kettles", temperature=0.5))
    assert silent.requests == []
    assert found.value.code == "cassette.miss"
    assert found.value.details["difference"] == [
        'messages[0].content: recorded "the red kettle", asked "the red kettles"',
        "temperature: asked 0.5, nothing recorded",
    ]
    assert "a.jsonl" in found.value.message


def test_a_difference_in_a_long_text_is_shown_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    long = "many words " * 100
    run(path, "record", ScriptedProvider("x"), asking(f"{long} red {long}"))
    with pytest.raises(LLMSpellError) as found:
        run(path, "replay", None, asking(f"{long} blue {long}"))
    line = found.value.details["difference"][0]
    assert '"' in line
    assert "red many" in line
    assert "blue many" in line
    assert len(line) < 250


def test_auto_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    first, second = ScriptedProvider("one"), ScriptedProvider("two")
    run(path, "auto", first, asking("a"))
    assert [one.text for one in run(path, "auto", second, asking("a", "b"))] == ["one", "two"]
    assert len(second.requests) == 1
    assert [one.text for one in run(path, "replay", None, asking("b", "a"))] == ["two", "one"]


def test_live_neither_records_nor_plays(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    run(path, "live", ScriptedProvider("one"), asking("a"))
    assert not path.exists()


def test_a_recording_that_asks_nothing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    run(path, "record", ScriptedProvider("one"), asking("a"))
    run(path, "record", ScriptedProvider("two"), asking())
    assert [one.text for one in run(path, "replay", None, asking("a"))] == ["one"]
    run(path, "record", ScriptedProvider("two"), asking("a"))
    assert [one.text for one in run(path, "replay", None, asking("a"))] == ["two"]


def test_what_does_not_matter_for_the_answer_does_not_matter_for_the_key(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    tools = [ToolDefinition(name, name, {"type": "object"}) for name in ("a", "b")]
    results = {1: '{"item": "kettle", "count": 7}', -1: '{"count": 7, "item": "kettle"}'}

    def conversation(number: str, timeout_ms: float, order: int) -> Work[ModelResponse]:
        async def work(runtime: Runtime) -> ModelResponse:
            call = ToolCall(id=number, name="a", arguments={"x": 1}, duration_ms=timeout_ms)
            messages = [
                Message(role="user", content="hi"),
                Message(role="assistant", tool_calls=[call]),
                Message(role="tool", content=results[order], tool_call_id=number),
            ]
            request = ModelRequest("m", messages, tools[::order], timeout_ms=timeout_ms)
            return await runtime.provider("scripted").complete(request, runtime.context())

        return work

    run(path, "record", ScriptedProvider("one"), conversation("call_77", 10, 1))
    assert run(path, "replay", None, conversation("xyz", 99_999, -1)).text == "one"


def test_streams_are_played_in_the_pieces_they_came_in(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    run(path, "record", ScriptedProvider(chunks("a", "b", "c")), streaming("x"))
    played = run(path, "replay", None, streaming("x"))
    assert [one.text for one in played] == ["a", "b", "c", ""]
    assert played[-1].response is not None
    assert played[-1].response.text == "abc"
    assert run(path, "replay", None, asking("x"))[0].text == "abc"


def test_what_was_not_streamed_can_be_streamed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    run(path, "record", ScriptedProvider("abc"), asking("x"))
    assert [one.text for one in run(path, "replay", None, streaming("x"))] == ["abc", ""]


def test_errors_are_played_as_well_also_in_mid_stream(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    down = ProviderError("slow down", code="provider.rate_limit", retryable=True, hint="wait")
    with pytest.raises(ProviderError):
        run(path, "record", ScriptedProvider(chunks("a", down)), streaming("x"))
    with pytest.raises(ProviderError, match="slow down") as found:
        run(path, "replay", None, streaming("x"))
    assert (found.value.code, found.value.retryable) == ("provider.rate_limit", True)


def test_a_stream_left_early_is_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"

    async def leave(runtime: Runtime) -> None:
        request = ModelRequest("m", [Message(role="user", content="x")])
        source: Any = runtime.provider("scripted").stream(request, runtime.context())
        async for _ in source:
            break
        await source.aclose()

    run(path, "record", ScriptedProvider(chunks("a", "b")), leave)
    assert not path.exists()


def test_embeddings_are_recorded(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"

    async def work(runtime: Runtime) -> list[list[float]]:
        request = EmbeddingRequest("e", ["abc", "de"])
        answer = await runtime.provider("scripted").embed(request, runtime.context())
        assert answer.usage.total_tokens == 15
        return answer.vectors

    assert run(path, "record", ScriptedProvider(), work) == run(path, "replay", None, work)


def test_what_a_model_can_do_is_recorded_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    can = Capabilities(structured_output=False, max_context_tokens=77)
    run(path, "record", ScriptedProvider("x", capabilities=can), asking("a"))

    async def work(runtime: Runtime) -> tuple[Any, list[str], str]:
        provider = runtime.provider("scripted")
        names = [one.name for one in await provider.list_models()]
        return provider.capabilities("m"), names, provider.default_model

    assert run(path, "replay", None, work) == (can, ["m"], "scripted-model")


def test_secrets_are_recorded_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    secret = "sk-" + "a1B2" * 6

    async def work(runtime: Runtime) -> list[ModelResponse]:
        runtime.redactor.add("the-known-one")
        settings = {"api_key": "short", "extra": {"Authorization": "xyz"}}
        return await asking(f"my key is {secret}, the-known-one", settings=settings)(runtime)

    run(path, "record", ScriptedProvider(f"so {secret}"), work)
    text = path.read_text()
    assert not any(one in text for one in (secret, "short", "xyz", "the-known-one"))
    assert run(path, "replay", None, work)[0].text == "so ***"
    assert path.stat().st_mode & 0o077 == 0


def test_only_tools_that_reach_outside_are_recorded_by_default(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    called: list[str] = []

    @tool(open_world=True)
    def web(page: str) -> Any:
        """Look."""
        called.append(page)
        if page == "again":
            raise ToolRetry("another page, please")
        if page == "broken":
            raise OSError("the line is dead")
        return ToolResult({"page": page}, text=f"about {page}", metadata={"n": 1})

    @tool
    def local(page: str) -> str:
        """Look here."""
        called.append(f"local {page}")
        return page

    async def work(runtime: Runtime) -> list[Any]:
        ctx = runtime.context()
        found: list[Any] = []
        for one, page in ((web, "a"), (local, "b"), (web, "again"), (web, "broken")):
            try:
                found.append((await one.call({"page": page}, ctx)).to_dict())
            except LLMSpellError as error:
                found.append((type(error), error.code, error.message.replace("OSError: ", "")))
        for given in found:
            if isinstance(given, dict):
                given["metadata"].pop("execution_time_ms")
        return found

    first = run(path, "record", None, work)
    called.clear()
    assert run(path, "replay", None, work) == first
    assert called == ["local b"]
    assert first[0]["text"] == "about a"
    called.clear()
    run(tmp_path / "b.jsonl", "record", None, work, tools=["local"])
    called.clear()
    run(tmp_path / "b.jsonl", "replay", None, work, tools=["local"])
    assert called == ["a", "again", "broken"]
    run(tmp_path / "c.jsonl", "record", None, work, tools=[])
    assert not (tmp_path / "c.jsonl").exists()


def test_a_missed_call_ends_what_follows_as_well(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    run(path, "record", ScriptedProvider("one"), asking("a"))

    @tool(open_world=True)
    def web() -> str:
        """Look."""
        raise AssertionError

    async def work(runtime: Runtime) -> None:
        with pytest.raises(LLMSpellError, match="this call to web is not in the cassette"):
            await web.call({}, runtime.context())
        await asking("a")(runtime)

    with pytest.raises(LLMSpellError, match="this call to web"):
        run(path, "replay", None, work)


def test_a_cassette_that_is_missing_or_broken_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no cassette") as found:
        run(tmp_path / "none.jsonl", "replay", None, asking())
    assert found.value.code == "cassette.missing"
    for text, said in (("{}", "does not begin with"), ('{"schema": 1', "line 1 is no JSON")):
        (tmp_path / "bad.jsonl").write_text(text)
        with pytest.raises(ConfigError, match=said):
            run(tmp_path / "bad.jsonl", "replay", None, asking())


def test_a_request_that_was_changed_in_the_file_is_found_as_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    run(path, "record", ScriptedProvider("one"), asking("hello"))
    path.write_text(path.read_text().replace("hello", "goodbye"))
    assert run(path, "replay", None, asking("goodbye"))[0].text == "one"


def test_an_unknown_provider_stays_an_error_in_every_mode_that_asks(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match='unknown provider "scripted"'):
        run(tmp_path / "a.jsonl", "record", None, asking("a"))
    assert tool_call("x").name == "x"


def test_an_answer_of_another_version_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    run(path, "record", ScriptedProvider("one"), asking("a"))
    path.write_text(path.read_text().replace('"input_tokens"', '"tokens_of_old"'))
    with pytest.raises(ConfigError, match=r"tokens_of_old") as error:
        run(path, "replay", None, asking("a"))
    assert error.value.code == "cassette.invalid"
    assert error.value.hint == "record it again"
