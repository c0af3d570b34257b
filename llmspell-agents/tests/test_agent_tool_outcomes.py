"""How tool calls end: retry, failed and fatal, and what `on_tool_error` makes of them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_core.errors import AgentError, LLMSpellError, ToolFatal
from llmspell_core.messages import AgentOutput
from llmspell_core.testing import ScriptedProvider, scripted_runtime, tool_call
from llmspell_core.tool import tool


@tool
async def stock(item: str, least: int = 0) -> int:
    """How many of ITEM are in the store."""
    if item == "gone":
        raise LookupError("no such shelf")
    return 7


async def ask(*replies: Any, tools: list[Any], **fields: Any) -> tuple[AgentOutput, list[str]]:
    """The output, and what the model was told of its calls at last."""
    async with scripted_runtime(*replies) as (runtime, provider):
        out = await Agent("x", name="clerk", tools=tools, **fields).execute("y", runtime.context())
        return out, told(provider)


def told(provider: ScriptedProvider) -> list[str]:
    return [one.text for one in provider.requests[-1].messages if one.role == "tool"]


def test_every_wrong_field_is_named() -> None:
    bad = tool_call("stock", itm="x", least="many")
    _, (text,) = asyncio.run(ask(bad, "ok", tools=[stock]))
    assert "itm" in text
    assert 'did you mean "item"' in text
    assert "least" in text


def test_bad_calls_of_any_names_are_too_many_after_three() -> None:
    @tool
    async def other(n: int) -> int:
        """Other."""
        return n

    bad = [tool_call("stock"), tool_call("other"), tool_call("nobody")]
    good = tool_call("stock", item="x")
    out, _ = asyncio.run(ask(*bad, good, *bad, "ok", tools=[stock, other]))
    assert out.text == "ok"
    with pytest.raises(AgentError) as caught:
        asyncio.run(ask(*bad, tool_call("somebody"), "ok", tools=[stock, other]))
    assert caught.value.code == "agent.tool_retries"
    assert "4 wrong calls in a row" in caught.value.message


def test_tool_retries_are_counted_for_each_tool() -> None:
    bad = [tool_call("stock") for _ in range(3)]
    assert asyncio.run(ask(*bad[:2], "ok", tools=[stock]))[0].text == "ok"
    with pytest.raises(AgentError, match="called stock wrongly 3 times"):
        asyncio.run(ask(*bad, "ok", tools=[stock]))
    with pytest.raises(AgentError, match="called stock wrongly 1 times"):
        asyncio.run(ask(*bad, "ok", tools=[stock], tool_retries=0))


def test_a_fatal_failure_ends_the_run_and_the_calls_beside_it() -> None:
    ended: list[str] = []

    @tool
    async def breaks() -> None:
        """Break."""
        await asyncio.sleep(0.01)
        raise ToolFatal("the store is on fire")

    @tool
    async def waits() -> None:
        """Wait."""
        try:
            await asyncio.sleep(9)
        finally:
            ended.append("waits")

    started = time.perf_counter()
    with pytest.raises(LLMSpellError, match="on fire") as caught:
        asyncio.run(ask([tool_call("waits"), tool_call("breaks")], tools=[breaks, waits]))
    assert caught.value.code == "tool.fatal"
    assert ended == ["waits"]
    assert time.perf_counter() - started < 3


def test_a_destructive_tool_is_a_barrier_like_a_sequential_one() -> None:
    log: list[str] = []

    def made(name: str, **options: Any) -> Any:
        async def body() -> None:
            log.append(f"+{name}")
            await asyncio.sleep(0.005)
            log.append(f"-{name}")

        body.__name__ = body.__doc__ = name
        return tool(**options)(body)

    tools = [made("a"), made("wipe", destructive=True)]
    calls = [tool_call(name) for name in ("a", "a", "wipe", "wipe", "a")]
    asyncio.run(ask(calls, "done", tools=tools))
    assert log[:2] == ["+a", "+a"]
    assert log[4:] == ["+wipe", "-wipe", "+wipe", "-wipe", "+a", "-a"]


def handled(answer: Any, call: Any = None, **fields: Any) -> tuple[AgentOutput, list[str], Any]:
    seen: list[Any] = []

    def on_tool_error(error: LLMSpellError, call: Any) -> Any:
        seen.append((error.code, error.message, call.data))
        if isinstance(answer, Exception):
            raise answer
        return answer

    call = call or tool_call("stock", item="gone")
    out, texts = asyncio.run(ask(call, "ok", tools=[stock], on_tool_error=on_tool_error, **fields))
    return out, texts, seen


def test_on_tool_error_sees_the_error_and_the_call_and_may_say_nothing() -> None:
    call = tool_call("stock", item="gone")
    out, texts, seen = handled(None, call)
    ((code, message, shown),) = seen
    assert code == "tool.failed"
    assert "no such shelf" in message
    assert shown == {"id": call.id, "name": "stock", "arguments": {"item": "gone"}}
    assert texts[0].startswith("failed: ")
    assert out.tool_calls[0].error is not None


def test_on_tool_error_hears_of_wrong_calls_too() -> None:
    assert handled(None, tool_call("stok"))[2][0][0] == "tool.not_found"
    assert handled(None, tool_call("stock"))[2][0][0] == "input.invalid"


@pytest.mark.parametrize("answer", ["none left", {"result": "none left"}])
def test_on_tool_error_may_give_the_result(answer: Any) -> None:
    out, texts, _ = handled(answer)
    assert texts == ["none left"]
    call = out.tool_calls[0]
    assert (call.result, call.error) == ("none left", None)


def test_on_tool_error_may_give_data_ask_again_or_fail_in_other_words() -> None:
    out, texts, _ = handled({"result": {"left": 0}})
    assert texts == ['{"left": 0}']
    assert out.tool_calls[0].result == {"left": 0}
    assert "ask for a kettle; call stock again" in handled({"retry": "ask for a kettle"})[1][0]
    assert handled({"failed": "closed today"})[1] == ["failed: closed today"]


def test_a_retry_of_on_tool_error_counts_as_a_wrong_call() -> None:
    with pytest.raises(AgentError) as caught:
        handled({"retry": "no"}, tool_retries=0)
    assert caught.value.code == "agent.tool_retries"


def test_what_on_tool_error_throws_ends_the_run() -> None:
    with pytest.raises(LLMSpellError, match="enough"):
        handled(ValueError("enough"))


@pytest.mark.parametrize(
    "answer", [7, {}, {"retry": 1}, {"retri": "x"}, {"retry": "a", "failed": "b"}]
)
def test_an_answer_of_on_tool_error_that_is_none_is_an_error(answer: Any) -> None:
    with pytest.raises(AgentError, match="on_tool_error of clerk answers with nothing, a text"):
        handled(answer)
    if answer == {"retri": "x"}:
        with pytest.raises(AgentError, match='did you mean "retry"'):
            handled(answer)
