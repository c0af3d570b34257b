"""The built-in hooks that decide: what they refuse, change, keep and do again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.context import ExecutionContext, _current
from llmspell_core.errors import HookError, ValidationError
from llmspell_core.hooks import HookContext, HookRegistry, HookResult
from llmspell_core.hooks.builtin import rate_limit
from llmspell_core.hooks.builtins import BUILTINS, make_builtin
from llmspell_core.messages import Message, ToolCall, Usage
from llmspell_core.provider import ModelRequest, ModelResponse, ToolDefinition
from llmspell_core.runtime import Runtime
from llmspell_core.security.redact import MASK
from llmspell_core.tool import ToolResult

LLM, TOOL = "before_llm_call", "before_tool_execution"
KEY = "sk-abcdefghijklmnopqrstuvwx"


def inside(
    body: Callable[[ExecutionContext, HookRegistry], Awaitable[None]],
    settings: dict[str, Any] | None = None,
) -> None:
    async def main() -> None:
        async with Runtime(settings or {}) as runtime:
            ctx = runtime.context(overlay=runtime.base.child())
            token = _current.set(ctx)
            try:
                await body(ctx, ctx.hooks)
            finally:
                _current.reset(token)

    asyncio.run(main())


async def ask(hooks: HookRegistry, point: str, **fields: Any) -> tuple[HookResult, HookContext]:
    seen = HookContext(point, component="a", **fields)
    return await hooks.run(point, seen), seen


@pytest.mark.parametrize("name", sorted(BUILTINS))
def test_an_unknown_field_names_the_nearest(name: str) -> None:
    known = next(iter(make_class(name).model_fields))
    with pytest.raises(ValidationError, match=f'hook {name}: .*"{known}x".*"{known}"'):
        make_builtin(name, {f"{known}x": 1})


def make_class(name: str) -> Any:
    import importlib

    module, _, attribute = BUILTINS[name].partition(":")
    return getattr(importlib.import_module(module), attribute).Config


# -- cost ------------------------------------------------------------------------------------

PRICES = {"prices": {"local/m": {"input": 1, "output": 1}}}


def test_cost_refuses_when_the_budget_of_the_run_is_used_up() -> None:
    async def body(ctx: ExecutionContext, hooks: HookRegistry) -> None:
        hooks.enable("cost", {"max_usd": 0.5})
        model: dict[str, Any] = {"metadata": {"model": "local/m"}}
        assert (await ask(hooks, LLM, **model))[0].kind == "continue"
        inner = ctx.account.child(None)
        inner.charge_usage(Usage(cost_usd=0.5))
        found = (await ask(hooks, LLM, **model))[0]
        assert found.kind == "cancel"
        assert "budget of 0.5 USD" in found.reason
        assert hooks.stats()["builtin"]["cost"] == {
            "max_usd": 0.5,
            "spent_usd": 0.5,
            "refused": 1,
        }

    inside(body, PRICES)


def test_cost_may_count_all_runs_together() -> None:
    async def body(ctx: ExecutionContext, hooks: HookRegistry) -> None:
        ctx.runtime.base.hooks.enable("cost", {"max_usd": 1, "scope": "total"})
        for spent, kind in ((0.6, "continue"), (0.6, "continue"), (0.0, "cancel")):
            other = ctx.runtime.context(overlay=ctx.runtime.base.child())
            token = _current.set(other)
            found, _ = await ask(other.hooks, LLM, metadata={"model": "local/m"})
            assert found.kind == kind
            other.account.charge_usage(Usage(cost_usd=spent))
            _current.reset(token)

    inside(body, PRICES)


def test_cost_refuses_a_model_whose_price_nobody_knows_unless_told_to_allow_it() -> None:
    async def body(ctx: ExecutionContext, hooks: HookRegistry) -> None:
        model: dict[str, Any] = {"metadata": {"model": "openai/no-such-model"}}
        hooks.enable("cost", {"max_usd": 1})
        found = (await ask(hooks, LLM, **model))[0]
        assert "price of openai/no-such-model is unknown" in found.reason
        hooks.enable("cost", {"max_usd": 1, "unknown": "allow"})
        assert (await ask(hooks, LLM, **model))[0].kind == "continue"

    inside(body)


def test_cost_fails_closed_where_there_is_no_run() -> None:
    registry = HookRegistry()
    registry.enable("cost", {"max_usd": 1})
    with pytest.raises(HookError) as caught:
        asyncio.run(registry.run(LLM, HookContext(LLM)))
    assert caught.value.code == "hook.failed"


# -- rate_limit ------------------------------------------------------------------------------


def test_rate_limit_refuses_or_waits_for_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "WINDOW_S", 0.05)

    async def body(_: ExecutionContext, hooks: HookRegistry) -> None:
        hooks.enable("rate_limit", {"tool_calls_per_minute": 2, "on_limit": "refuse"})
        kinds = [(await ask(hooks, TOOL, tool="t"))[0].kind for _ in range(3)]
        assert kinds == ["continue", "continue", "cancel"]
        assert (await ask(hooks, LLM))[0].kind == "continue"

        hooks.enable("rate_limit", {"requests_per_minute": 1})
        loop = asyncio.get_running_loop()
        started = loop.time()
        await asyncio.gather(*(ask(hooks, LLM) for _ in range(3)))
        assert loop.time() - started >= 0.09
        assert hooks.stats()["builtin"]["rate_limit"] == {"waited": 2, "refused": 0}

    inside(body)


def test_rate_limit_counts_each_component_by_itself_and_refuses_a_wait_too_long() -> None:
    async def body(_: ExecutionContext, hooks: HookRegistry) -> None:
        hooks.enable("rate_limit", {"requests_per_minute": 1, "by": "component", "maxWaitMs": 10})
        for name in ("a", "b"):
            found = await hooks.run(LLM, HookContext(LLM, component=name))
            assert found.kind == "continue"
        found = await hooks.run(LLM, HookContext(LLM, component="a"))
        assert (found.kind, found.reason) == ("cancel", "more than 1 model requests in a minute")

    inside(body)


# -- retry -----------------------------------------------------------------------------------


def test_retry_answers_passing_errors_as_often_as_it_may() -> None:
    async def body(_: ExecutionContext, hooks: HookRegistry) -> None:
        hooks.enable("retry", {"max_attempts": 3, "backoff_ms": 100, "jitter": 0})

        async def answer(attempt: int, **error: Any) -> HookResult:
            data = {"message": "no", **error}
            return (await ask(hooks, "llm_error", error=data, metadata={"attempt": attempt}))[0]

        found = [await answer(number, retryable=True) for number in (1, 2, 3)]
        assert [(one.kind, one.delay_ms) for one in found] == [
            ("retry", 100),
            ("retry", 200),
            ("continue", 0),
        ]
        assert (await answer(1)).kind == "continue"
        hooks.enable("retry", {"codes": ["tool.failed"]})
        assert (await answer(1, code="tool.failed")).kind == "retry"
        assert (await answer(1, code="other", retryable=True)).kind == "continue"

    inside(body)


def test_retry_is_for_points_of_errors() -> None:
    with pytest.raises(ValidationError, match="after_tool_execution is no point of errors"):
        make_builtin("retry", {"points": ["post_tool"]})


# -- redact ----------------------------------------------------------------------------------


def test_redact_masks_secrets_and_patterns_in_all_that_may_be_changed() -> None:
    async def body(ctx: ExecutionContext, hooks: HookRegistry) -> None:
        hooks.enable("redact", {"patterns": [r"\b\d{4}-\d{4}\b"], "mask": "[card]"})
        messages = [{"role": "user", "content": f"key {KEY} card 1234-5678"}]
        found, seen = await ask(hooks, LLM, messages=messages, input="1234-5678")
        assert found.kind == "modified"
        assert seen.messages == [{"role": "user", "content": f"key {MASK} card [card]"}]
        assert seen.input == "[card]"
        result = ToolResult({"card": ["1234-5678"]}, text="1234-5678")
        seen = (await ask(hooks, "after_tool_execution", output=result))[1]
        assert seen.output["result"] == {"card": ["[card]"]}
        assert seen.output["text"] == "[card]"
        assert (await ask(hooks, LLM, input="nothing"))[0].kind == "continue"

    inside(body)


def test_a_pattern_that_cannot_be_used_is_refused_at_once() -> None:
    with pytest.raises(ValidationError, match=r"patterns: .*no pattern of RE2"):
        make_builtin("redact", {"patterns": ["(?=x)"]})


# -- audit -----------------------------------------------------------------------------------


def test_audit_writes_who_did_what_and_content_only_when_asked(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"

    async def body(_: ExecutionContext, hooks: HookRegistry) -> None:
        hooks.enable("audit")
        await ask(hooks, TOOL, tool="stock", arguments={"item": KEY}, component_id="7")
        hooks.enable("audit", {"content": True})
        await ask(hooks, TOOL, tool="stock", arguments={"item": KEY})

    inside(body, {"security": {"audit_log": str(log)}})
    found = [json.loads(line) for line in log.read_text().splitlines()]
    found = [one for one in found if one["gate"] == "hook"]
    assert [(one["target"], one["rule"]) for one in found] == [("stock", TOOL)] * 2
    assert found[0]["component_id"] == "7"
    assert "arguments" not in found[0]
    assert found[1]["arguments"] == json.dumps({"item": MASK})


def test_audit_refuses_where_nothing_can_be_written() -> None:
    async def body(_: ExecutionContext, hooks: HookRegistry) -> None:
        hooks.enable("audit")
        with pytest.raises(HookError, match="no audit log") as caught:
            await ask(hooks, TOOL, tool="stock")
        assert caught.value.code == "hook.failed"

    inside(body)


# -- cache -----------------------------------------------------------------------------------


def request(text: str = "hi", **fields: Any) -> ModelRequest:
    return ModelRequest("m", [Message(role="user", content=text)], **fields)


async def answered(
    hooks: HookRegistry, given: ModelRequest, response: ModelResponse | None = None
) -> Any:
    """What the cache gives for a request; with a response that one is kept."""
    fields: dict[str, Any] = {
        "messages": [{"role": one.role, "content": one.text} for one in given.messages],
        "metadata": {"model": "local/m"},
    }
    if response is not None:
        await ask(hooks, "after_llm_call", output=response.text, source=(given, response), **fields)
    found, _ = await ask(hooks, LLM, source=given, **fields)
    return found.result if found.kind == "replace" else None


def test_cache_answers_the_same_request_only_and_for_nothing() -> None:
    async def body(_: ExecutionContext, hooks: HookRegistry) -> None:
        hooks.enable("cache")
        assert await answered(hooks, request()) is None
        call = ToolCall(id="c", name="t", arguments={"a": 1})
        first = ModelResponse("hello", [call], usage=Usage(total_tokens=15, cost_usd=1))
        found = await answered(hooks, request(), first)
        assert (found.text, found.tool_calls, found.usage.total_tokens) == ("hello", [call], 0)
        assert found.tool_calls[0] is not call
        others = [
            request("other"),
            request(temperature=1.0),
            request(tools=[ToolDefinition("t", "d", {})]),
            request(schema={"type": "object"}),
            request(settings={"seed": 2}),
        ]
        for other in others:
            assert await answered(hooks, other) is None
        cut = ModelResponse("cut", finish_reason="length")
        assert await answered(hooks, request("long"), cut) is None
        stats = hooks.stats()["builtin"]["cache"]
        assert (stats["hits"], stats["entries"]) == (1, 1)

    inside(body)


def test_cache_forgets_what_is_old_or_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(_: ExecutionContext, hooks: HookRegistry) -> None:
        hooks.enable("cache", {"max_entries": 2, "ttl_seconds": 0.05})
        for text in "abc":
            await answered(hooks, request(text), ModelResponse(text))
        assert await answered(hooks, request("a")) is None
        assert (await answered(hooks, request("c"))).text == "c"
        await asyncio.sleep(0.06)
        assert await answered(hooks, request("c")) is None
        hooks.enable("cache", {"max_mb": 0.001})
        assert await answered(hooks, request("x"), ModelResponse("y" * 2000)) is None
        assert hooks.stats()["builtin"]["cache"]["bytes"] == 0

    inside(body)


def test_cache_keeps_results_of_named_tools_within_a_run() -> None:
    async def body(ctx: ExecutionContext, hooks: HookRegistry) -> None:
        ctx.runtime.base.hooks.enable("cache", {"tools": ["stock"], "models": False})
        call = {"tool": "stock", "arguments": {"item": "x"}}
        assert (await ask(hooks, TOOL, **call))[0].kind == "continue"
        await ask(hooks, "after_tool_execution", output=ToolResult([1]), **call)
        found, _ = await ask(hooks, TOOL, **call)
        assert found.kind == "replace"
        assert (found.result.result, found.result.metadata["cached"]) == ([1], True)
        found.result.result.append(2)
        again, _ = await ask(hooks, TOOL, **call)
        assert again.result.result == [1]
        assert (await ask(hooks, TOOL, tool="other", arguments={}))[0].kind == "continue"
        other = ctx.runtime.context(overlay=ctx.runtime.base.child())
        token = _current.set(other)
        assert (await ask(other.hooks, TOOL, **call))[0].kind == "continue"
        _current.reset(token)

    inside(body)


def test_what_only_looks_on_is_told_from_what_decides() -> None:
    registry = HookRegistry()
    registry.enable("logging")
    registry.enable("metrics")
    assert registry.active("after_llm_call")
    assert not registry.decided("after_llm_call")
    registry.enable("cache")
    assert registry.decided("after_llm_call")
    assert not registry.decided("tool_error")
