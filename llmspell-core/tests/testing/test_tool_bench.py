"""The testing kit for tools: the bench, the recorded network, the clock, and fuzzing."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.context import ToolContext
from llmspell_core.errors import LLMSpellError, PolicyError, ToolFailed
from llmspell_core.testing import Answer, FakeClock, RecordedNetwork, ToolBench, fuzz_tool
from llmspell_core.tool import FunctionTool, Permissions, tool


@tool(
    security_level="restricted",
    permissions=Permissions(network="the weather service", secrets=("weather",)),
)
async def weather(ctx: ToolContext, city: str, times: int = 1) -> int:
    """How warm it is.

    Args:
        city: where
        times: how often to ask
    """
    url = "https://api.example.com/now"
    for _ in range(times):
        found = await ctx.http.request(
            "GET", url, params={"city": city, "key": ctx.secret("weather")}
        )
        await asyncio.sleep(60)
    return int(found.json()["degrees"])


@tool(security_level="restricted", permissions=Permissions(files="the paths given"))
async def copy(ctx: ToolContext, source: str, target: str) -> int:
    """Copies a file."""
    data = ctx.files.read_bytes(source)
    ctx.files.write_bytes(target, data)
    return len(data)


@tool
def today() -> str:
    """The day and time."""
    return f"{datetime.now(UTC):%Y-%m-%d} {time.time():.0f}"


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await work()

    asyncio.run(main())


def test_a_tool_runs_with_recorded_answers_secrets_and_a_clock_that_jumps() -> None:
    network = RecordedNetwork()
    network.answer("GET", "https://api.example.com/now", Answer(content=b'{"degrees": 7}'))

    async def work() -> None:
        clock = FakeClock("2026-03-01T12:00:00Z")
        bench = ToolBench(network=network, clock=clock, secrets={"weather": "k7"})
        async with bench:
            result = await bench.call(weather, city="Oslo", times=2)
            assert result.output == 7
            bench.assert_used(hosts=["api.example.com"], secrets=["weather"])
            bench.assert_declared(weather)
            assert clock.slept == [60, 60]
            assert (await bench.call(today)).output == "2026-03-01 1772366520"
            bench.forget()
            bench.assert_used()
        assert datetime.now(UTC).year != 2000

    run(work)
    assert network.requests == []


def test_requests_are_kept_redirects_are_followed_and_what_nobody_recorded_is_told() -> None:
    network = RecordedNetwork()
    network.answer("*", "http://a.example.com/old", Answer(302, {"location": "/new?x=1"}))
    network.answer("POST", "https://b.example.com/*", json={"ok": True})
    network.answer(
        "GET", "http://a.example.com/new", lambda request: Answer(content=request.url.encode())
    )

    @tool(security_level="restricted", permissions=Permissions(network="any"))
    async def fetch(ctx: ToolContext, method: str, url: str) -> str:
        """Fetches."""
        return (
            await ctx.http.request(method, url, json={"a": 1} if method == "POST" else None)
        ).text

    async def work() -> None:
        async with ToolBench(network=network) as bench:
            assert (await bench.call(fetch, method="GET", url="http://a.example.com/old")).text == (
                "http://a.example.com/new?x=1"
            )
            posted = await bench.call(fetch, method="POST", url="https://b.example.com/v1")
            assert posted.text == '{"ok": true}'
            assert network.requests[-1].json() == {"a": 1}
            missing = await bench.call(fetch, method="GET", url="https://c.example.com/")
            assert missing.text == "no answer is recorded for GET https://c.example.com/"
            with pytest.raises(PolicyError):
                await bench.call(fetch, method="GET", url="http://127.0.0.1/")
            assert bench.used.denied == ("network 127.0.0.1",)

    run(work)


def test_the_gates_are_real_and_what_was_used_is_known(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("abc")

    async def work() -> None:
        async with ToolBench(folder=tmp_path, security={"files": {"write": ["out"]}}) as bench:
            assert (await bench.call(copy, source="a.txt", target="out/b.txt")).output == 3
            bench.assert_used(files=["read a.txt", "write out/b.txt"])
            with pytest.raises(PolicyError):
                await bench.call(copy, source="a.txt", target="b.txt")
            assert bench.used.denied == ("files write b.txt",)
            with pytest.raises(AssertionError, match="denied"):
                bench.assert_used(files=["read a.txt", "write out/b.txt"])

    run(work)


def test_a_name_that_no_file_can_have_is_refused_like_others() -> None:
    async def work() -> None:
        async with ToolBench() as bench:
            with pytest.raises(PolicyError):
                await bench.call(copy, source="\ud800", target="x")

    run(work)


def test_what_is_not_declared_and_what_needs_approval_is_found() -> None:
    @tool
    def reads(ctx: ToolContext) -> str | None:
        """Reads a variable."""
        return ctx.env.get("HOME")

    @tool(requires_approval=True)
    def asks() -> str:
        """Asks first."""
        return "done"

    async def work() -> None:
        async with ToolBench() as bench:
            await bench.call(reads)
            with pytest.raises(AssertionError, match="environment"):
                bench.assert_declared(reads)
            with pytest.raises(LLMSpellError, match="not approved"):
                await bench.call(asks)
            assert bench.asked[0].tool == "asks"
        async with ToolBench(approve=True) as bench:
            assert (await bench.call(asks)).output == "done"

    run(work)


def test_a_sound_tool_passes_the_fuzzing() -> None:
    @tool
    def divide(numbers: list[float], by: int, note: str = "", mode: str | None = None) -> float:
        """Divides."""
        if by == 0:
            raise ToolFailed("nothing can be divided by 0")
        if mode and "\0" in mode:
            raise ToolFailed("that is no mode")
        return sum(one for one in numbers if abs(one) < 1e100) / by if abs(by) < 2**60 else 0.0

    fuzz_tool(divide, examples=40)


def test_without_hypothesis_a_seed_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    seen: list[int] = []

    @tool
    def note(n: int = 0) -> int:
        """Keeps what it is given."""
        seen.append(n)
        return n

    fuzz_tool(note, examples=20, seed=1)
    first, seen = seen, []
    fuzz_tool(note, examples=20, seed=1)
    assert first == seen
    assert len(set(first)) > 3


def _hangs(input: str) -> str:
    while len(input) > 3:
        pass
    return input


def _waits(input: str) -> Any:
    return asyncio.sleep(3600)


def _raises(input: str) -> str:
    return str({"a": 1}[input])


def _lies(input: Any) -> str:
    return str(input)


def _no_json(input: str) -> object:
    return object()


def _no_code(input: str) -> str:
    raise LLMSpellError("something", code="strange")


def _traceback(input: str) -> str:
    import traceback

    try:
        raise ValueError(input)
    except ValueError:
        return traceback.format_exc()


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (_hangs, "did not end"),
        (_raises, "raised KeyError"),
        (_lies, "was taken, though input is"),
        (_no_json, "no JSON"),
        (_no_code, "undocumented code strange"),
        (_traceback, "traceback"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_fuzzing_finds_what_is_wrong(function: Callable[..., Any], says: str) -> None:
    class Lying(FunctionTool):
        def schema(self) -> dict[str, Any]:
            return {
                "type": "object",
                "properties": {"input": {"type": "string"}},
                "required": ["input"],
            }

    with pytest.raises(AssertionError, match=says):
        fuzz_tool(Lying(function), examples=30, timeout_s=0.3)
