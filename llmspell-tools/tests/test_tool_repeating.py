"""`cache` and `retry` of tools that scripts and programs define."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_core.errors import LLMSpellError, ToolRetry, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import FunctionTool, tool
from llmspell_tools.globals.tool import ToolGlobal
from llmspell_tools.script_tool import ToolConfig


def within(work: Callable[[ToolGlobal], Awaitable[None]]) -> None:
    async def main() -> None:
        async with Runtime({}) as runtime:
            await work(ToolGlobal(runtime.context(overlay=runtime.base.child(), language="lua")))

    asyncio.run(main())


class Counted:
    """A tool's function that counts its calls, and fails in the first of them."""

    def __init__(self, failures: int = 0, error: Exception | None = None) -> None:
        self.calls = 0
        self.failures = failures
        self.error = error or LLMSpellError("no", code="script.error")

    async def __call__(self, params: dict[str, Any]) -> Any:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return {"n": params.get("n"), "call": self.calls}


def make(tools: ToolGlobal, execute: Any, **more: Any) -> None:
    cfg = {"name": "own", "parameters": {"n": "integer?"}, "execute": execute, **more}
    tools.create(ToolConfig.model_validate(cfg))


def test_an_earlier_result_is_given_again() -> None:
    async def work(tools: ToolGlobal) -> None:
        counted = Counted()
        make(tools, counted, cache=True)
        first = await tools.execute("own", {"n": 1})
        assert first.metadata["cached"] is False
        first.result["n"] = "changed by the caller"
        again = await tools.execute("own", {"n": 1})
        assert again.metadata["cached"] is True
        assert again.result == again.output == {"n": 1, "call": 1}
        other = await tools.execute("own", {"n": 2})
        assert (other.metadata["cached"], other.result["call"]) == (False, 2)

    within(work)


def test_a_result_holds_for_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(tools: ToolGlobal) -> None:
        now = [100.0]
        monkeypatch.setattr("llmspell_core.tool_cache.time.monotonic", lambda: now[0])
        counted = Counted()
        make(tools, counted, cache=60)
        for after, calls in ((0.0, 1), (59.0, 1), (2.0, 2), (59.0, 2)):
            now[0] += after
            await tools.execute("own", {})
            assert counted.calls == calls

    within(work)


def test_the_least_used_is_dropped() -> None:
    async def work(tools: ToolGlobal) -> None:
        counted = Counted()
        make(tools, counted, cache={"max_entries": 2})
        found = []
        for n in (1, 2, 1, 3, 1, 2):
            result = await tools.execute("own", {"n": n})
            found.append(result.metadata["cached"])
        assert found == [False, False, True, False, True, False]

    within(work)


def test_a_failure_is_not_kept() -> None:
    async def work(tools: ToolGlobal) -> None:
        make(tools, Counted(failures=1), cache=True)
        with pytest.raises(LLMSpellError, match="no"):
            await tools.execute("own", {})
        assert (await tools.execute("own", {})).metadata["cached"] is False

    within(work)


def test_another_policy_has_results_of_its_own() -> None:
    @tool(cache=True)
    def own(n: int) -> int:
        return n

    async def main() -> list[bool]:
        async with Runtime({}) as runtime:
            contexts = [runtime.context(overlay=runtime.base.child()) for _ in range(2)]
            contexts[1].policy = runtime.policy.bound(run="another")
            return [
                (await own.call({"n": 1}, ctx)).metadata["cached"]
                for ctx in (contexts[0], contexts[0], contexts[1], contexts[1])
            ]

    assert asyncio.run(main()) == [False, True, False, True]


def test_a_failed_call_is_made_again() -> None:
    async def work(tools: ToolGlobal) -> None:
        counted = Counted(failures=2)
        make(tools, counted, retry={"max_attempts": 3, "backoff_ms": 1})
        assert (await tools.execute("own", {})).result["call"] == 3
        counted.calls, counted.failures = 0, 3
        with pytest.raises(LLMSpellError, match="no"):
            await tools.execute("own", {})
        assert counted.calls == 3

    within(work)


@pytest.mark.parametrize(
    "error",
    [
        ToolRetry("other arguments"),
        ValidationError("wrong"),
        LLMSpellError("x", code="limit.value"),
    ],
)
def test_an_answer_is_not_asked_for_again(error: LLMSpellError) -> None:
    async def work(tools: ToolGlobal) -> None:
        counted = Counted(failures=5, error=error)
        make(tools, counted, retry={"max_attempts": 3, "backoff_ms": 1})
        with pytest.raises(type(error)):
            await tools.execute("own", {})
        assert counted.calls == 1

    within(work)


def test_no_wait_outlasts_the_deadline() -> None:
    async def work(tools: ToolGlobal) -> None:
        counted = Counted(failures=5)
        make(tools, counted, timeout_ms=500, retry={"backoff_ms": 60_000})
        with pytest.raises(LLMSpellError, match="no"):
            await tools.execute("own", {})
        assert counted.calls == 1

    within(work)


def test_a_wrong_option_is_named() -> None:
    async def work(tools: ToolGlobal) -> None:
        for field, value, said in (
            ("cache", {"ttl": 5}, "ttl"),
            ("cache", -1, "ttl_s"),
            ("cache", "long", "cache"),
            ("retry", {"max_attempts": 0}, "max_attempts"),
        ):
            with pytest.raises(Exception, match=said):
                make(tools, Counted(), **{field: value})

    within(work)


def test_the_decorator_takes_the_same_options() -> None:
    made = tool(cache=60, retry={"max_attempts": 2})(lambda: 1)
    assert isinstance(made, FunctionTool)
    assert made.cache is not None
    assert made.cache.options.ttl_s == 60
    assert made.retry is not None
    assert made.retry.max_attempts == 2
