"""Answers that are asked for again, judged by functions, or come beside tool calls."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_agents.structured import FINAL_TOOL
from llmspell_core.errors import LLMSpellError, ToolRetry
from llmspell_core.messages import AgentOutput, Message, ToolCall
from llmspell_core.provider import Capabilities
from llmspell_core.testing import ScriptedProvider, chunks, scripted_runtime, tool_call
from llmspell_core.testing.openai_server import FakeOpenAI, sse
from llmspell_core.tool import tool

NUMBER = {"type": "integer", "minimum": 1}
ran: list[str] = []


@tool
async def note(text: str) -> str:
    """Note TEXT."""
    ran.append(text)
    return f"noted {text}"


@tool(name="final_result")
async def impostor(value: int) -> int:
    """Not the answer."""
    return value


async def ask(
    *replies: Any, capabilities: Capabilities | None = None, **fields: Any
) -> tuple[AgentOutput, ScriptedProvider, list[Message]]:
    ran.clear()
    async with scripted_runtime(*replies, capabilities=capabilities) as (runtime, provider):
        agent = Agent("x", name="asked", response_format=NUMBER, **fields)
        await agent.chat("go", runtime.context())
        provider.assert_all_used()
        out = AgentOutput(text=agent.history()[-1].text)
        return out, provider, agent.history()


async def output(*replies: Any, **fields: Any) -> tuple[AgentOutput, ScriptedProvider]:
    ran.clear()
    fields.setdefault("response_format", NUMBER)
    async with scripted_runtime(*replies, capabilities=Capabilities(grammar=True)) as found:
        runtime, provider = found
        out = await Agent("x", name="asked", **fields).execute("go", runtime.context())
        provider.assert_all_used()
        return out, provider


def final(value: Any) -> ToolCall:
    return tool_call(FINAL_TOOL, value=value)


# -- modes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("can", "mode"),
    [
        (Capabilities(), "native"),
        (Capabilities(structured_output=False), "tool"),
        (Capabilities(structured_output=False, grammar=True), "grammar"),
        (Capabilities(structured_output=False, tools=False), "prompted"),
    ],
)
def test_auto_takes_the_surest_mode_that_the_model_has(can: Capabilities, mode: str) -> None:
    answer = final(7) if mode == "tool" else "7" if mode != "native" else '{"value": 7}'
    out, provider, _ = asyncio.run(ask(answer, capabilities=can))
    assert out.text == "7"
    asked = provider.requests[0]
    assert bool(asked.schema) == (mode in ("native", "grammar"))
    assert bool(asked.tools) == (mode == "tool")


def test_a_mode_that_the_model_lacks_is_an_error_before_any_request() -> None:
    with pytest.raises(LLMSpellError) as caught:
        asyncio.run(ask("7", output_mode="grammar"))
    assert caught.value.code == "agent.output_mode"
    assert "scripted/scripted-model" in caught.value.message
    assert "native, tool, prompted" in str(caught.value.hint)


def test_a_fallback_must_have_the_mode_too() -> None:
    async def main() -> tuple[Any, Any]:
        less = ScriptedProvider(
            "5", name="less", capabilities=Capabilities(False, False, False, False)
        )
        broken = LLMSpellError("busy", code="provider.server")
        async with scripted_runtime(broken) as (runtime, provider):
            runtime.add_provider(less)
            fields: dict[str, Any] = {"response_format": NUMBER, "fallback_models": ["less/m"]}
            with pytest.raises(LLMSpellError, match="less/m cannot do output_mode"):
                await Agent("x", output_mode="native", **fields).execute("go", runtime.context())
            with pytest.raises(LLMSpellError, match="busy"):
                await Agent("x", **fields).execute("go", runtime.context())
            return provider.requests[0].schema, provider.requests[0].messages[0].text

    schema, prompt = asyncio.run(main())
    assert schema is None
    assert "JSON schema" in prompt


def test_a_tool_with_the_name_of_the_final_one_is_an_error() -> None:
    with pytest.raises(LLMSpellError, match="both named") as caught:
        asyncio.run(output(final(7), output_mode="tool", tools=[impostor]))
    assert caught.value.code == "agent.tool_conflict"


# -- asked again ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["native", "grammar", "prompted", "tool"])
def test_it_is_asked_again_in_the_same_mode(mode: str) -> None:
    def said(value: Any) -> Any:
        if mode == "tool":
            return final(value)
        return f'{{"value": {value}}}' if mode == "native" else str(value)

    out, provider = asyncio.run(output(said(0), said(3), output_mode=mode))
    assert (out.data, out.text, out.tool_calls) == (3, "3", [])
    first, second = provider.requests
    assert (first.schema, first.grammar) == (second.schema, second.grammar)
    told = second.messages[-1]
    assert told.role == ("tool" if mode == "tool" else "user")
    assert "less than the minimum of 1" in told.text


def test_in_tool_mode_words_are_no_answer_but_json_is() -> None:
    out, provider = asyncio.run(output("Seven, I think.", "7", output_mode="tool"))
    assert out.data == 7
    assert FINAL_TOOL in provider.requests[1].messages[-1].text


def test_arguments_that_are_no_json_are_asked_for_again() -> None:
    broken = ToolCall(id="c1", name=FINAL_TOOL, raw_arguments='{"value": ')
    out, _ = asyncio.run(output(broken, final(2), output_mode="tool"))
    assert out.data == 2


def test_in_the_end_it_is_an_error_with_what_was_wrong() -> None:
    with pytest.raises(LLMSpellError) as caught:
        asyncio.run(output(final(0), final(-1), output_mode="tool", output_retries=1))
    assert caught.value.code == "agent.output_invalid"
    assert caught.value.details["errors"][0]["message"] == "-1 is less than the minimum of 1"


def test_with_tools_switched_off_the_answer_still_comes_by_its_tool() -> None:
    calls = [tool_call("note", text="a"), [tool_call("note", text="b"), final(4)]]
    out, provider = asyncio.run(output(*calls, output_mode="tool", tools=[note], max_iterations=2))
    assert (out.data, out.metadata.finish_reason, ran) == (4, "limit", ["a"])
    assert provider.requests[1].tool_choice == FINAL_TOOL


# -- beside tool calls -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "done"), [("graceful", ["a"]), ("early", []), ("exhaustive", ["a"])]
)
def test_end_strategy_decides_over_the_calls_beside_the_answer(strategy: str, done: Any) -> None:
    answer = [tool_call("note", text="a"), final(5), final(6)]
    out, _ = asyncio.run(output(answer, output_mode="tool", tools=[note], end_strategy=strategy))
    assert (out.data, ran) == (5, done)
    assert [call.name for call in out.tool_calls] == ["note"]
    skipped = out.tool_calls[0].error
    assert (skipped is None) == bool(done)
    assert skipped is None or skipped["code"] == "agent.answered"


def test_all_answers_are_judged_only_when_exhaustive() -> None:
    for strategy, seen in (("graceful", [5]), ("exhaustive", [5, 6])):
        judged: list[int] = []
        fields = {
            "output_mode": "tool",
            "end_strategy": strategy,
            "output_validator": judged.append,
        }
        out, _ = asyncio.run(output([final(5), final(6)], **fields))
        assert (out.data, judged) == (5, seen)


def test_a_later_answer_counts_where_the_first_does_not_fit() -> None:
    out, _ = asyncio.run(output([final(0), final(6)], output_mode="tool"))
    assert out.data == 6


def test_beside_an_answer_that_does_not_fit_the_calls_run_and_all_are_answered_in_order() -> None:
    answer = [final(0), tool_call("note", text="a")]
    fields: dict[str, Any] = {"output_mode": "tool", "tools": [note], "end_strategy": "early"}
    out, _, history = asyncio.run(ask(answer, final(2), **fields))
    assert (out.text, ran) == ("2", ["a"])
    user, called, *told, said = history
    assert [one.tool_call_id for one in told] == [call.id for call in called.tool_calls]
    assert (user.role, said.role, said.text) == ("user", "assistant", "2")


def test_the_conversation_has_the_answer_as_text_and_no_call_without_a_result() -> None:
    answer = [tool_call("note", text="a"), final(5)]
    _, _, history = asyncio.run(ask(answer, output_mode="tool", tools=[note]))
    assert [one.role for one in history] == ["user", "assistant", "tool", "assistant"]
    assert [call.name for call in history[1].tool_calls] == ["note"]
    assert history[-1].text == "5"


def test_a_hand_off_beside_an_answer_is_not_made() -> None:
    async def main() -> AgentOutput:
        answer = [tool_call("transfer_to_other", reason="x"), final(5)]
        async with scripted_runtime(answer) as (runtime, _):
            other = Agent("y", name="other")
            agent = Agent(
                "x", name="asked", response_format=NUMBER, output_mode="tool", handoffs=[other]
            )
            return await agent.execute("go", runtime.context())

    out = asyncio.run(main())
    assert (out.agent, out.data, out.handoff) == ("asked", 5, [])
    assert out.tool_calls[0].error is not None


# -- validators ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (None, 7),
        (True, 7),
        (7, 7),
        ({"value": 8}, 8),
        (8, 8),
        ({"total": 7}, {"total": 7}),
        ({"value": None}, None),
    ],
)
def test_a_validator_lets_pass_or_replaces(given: Any, value: Any) -> None:
    out, _ = asyncio.run(output('{"value": 7}', output_validator=lambda _: given))
    assert out.data == value
    assert out.text == {8: "8", 7: "7"}.get(value if isinstance(value, int) else 0, out.text)


def refuse_small(value: int, ctx: Any) -> Any:
    assert ctx.run_id
    return {"retry": "more than that"} if value < 5 else None


async def raise_when_small(value: int) -> None:
    if value < 5:
        raise ToolRetry("more than that")


@pytest.mark.parametrize("validator", [refuse_small, raise_when_small])
@pytest.mark.parametrize("mode", ["native", "grammar", "prompted", "tool"])
def test_a_validator_asks_again_in_the_same_mode(validator: Any, mode: str) -> None:
    def said(value: int) -> Any:
        if mode == "tool":
            return final(value)
        return f'{{"value": {value}}}' if mode == "native" else str(value)

    out, provider = asyncio.run(
        output(said(3), said(9), output_mode=mode, output_validator=validator)
    )
    assert out.data == 9
    assert "more than that" in provider.requests[1].messages[-1].text
    with pytest.raises(LLMSpellError, match="more than that") as caught:
        asyncio.run(output(said(3), output_mode=mode, output_validator=validator, output_retries=0))
    assert caught.value.code == "agent.output_invalid"


def test_false_asks_again_too() -> None:
    out, _ = asyncio.run(output('{"value": 3}', '{"value": 9}', output_validator=lambda v: v > 5))
    assert out.data == 9


def test_without_a_schema_the_text_is_judged() -> None:
    fields: dict[str, Any] = {"response_format": None}
    out, provider = asyncio.run(
        output(
            "no",
            "yes",
            output_validator=lambda text: text == "yes" or {"retry": "say yes"},
            **fields,
        )
    )
    assert (out.text, out.data) == ("yes", None)
    assert provider.requests[1].messages[-1].text.startswith("say yes")
    out, _ = asyncio.run(output("no", output_validator=str.upper, **fields))
    assert (out.text, out.data) == ("NO", None)
    out, _ = asyncio.run(output("no", output_validator=lambda _: {"n": 1}, **fields))
    assert (out.text, out.data) == ("no", {"n": 1})


def test_the_first_agents_validator_judges_who_answers_for_it() -> None:
    async def main() -> AgentOutput:
        replies = [tool_call("transfer_to_other", reason="x"), '{"value": 3}', '{"value": 9}']
        async with scripted_runtime(*replies) as (runtime, provider):
            other = Agent("y", name="other")
            agent = Agent(
                "x",
                name="asked",
                response_format=NUMBER,
                handoffs=[other],
                output_validator=refuse_small,
            )
            out = await agent.execute("go", runtime.context())
            provider.assert_all_used()
            return out

    out = asyncio.run(main())
    assert (out.agent, out.data) == ("other", 9)


@pytest.mark.parametrize(
    ("gives", "fits"), [("7", True), ({"data": 7, "text": "x"}, True), ("seven", False)]
)
def test_an_agent_of_code_is_held_to_the_schema_without_asking_again(
    gives: Any, fits: bool
) -> None:
    async def main() -> AgentOutput:
        async with scripted_runtime(tool_call("transfer_to_other", reason="x")) as (runtime, _):
            other = Agent(name="other", execute=lambda: gives)
            agent = Agent("x", name="asked", response_format=NUMBER, handoffs=[other])
            return await agent.execute("go", runtime.context())

    if fits:
        assert asyncio.run(main()).data == 7
    else:
        with pytest.raises(LLMSpellError, match="answer of other does not fit") as caught:
            asyncio.run(main())
        assert caught.value.code == "agent.output_invalid"


# -- partial values --------------------------------------------------------------------------------

CITIES = {"type": "array", "items": {"type": "string"}}


async def parts(*replies: Any, **fields: Any) -> tuple[list[Any], list[str], AgentOutput | None]:
    """The partial values, the types of all chunks, and the output."""
    seen: list[Any] = []
    kinds: list[str] = []
    out: AgentOutput | None = None
    async with scripted_runtime(*replies, capabilities=Capabilities(grammar=True)) as found:
        runtime, _ = found
        agent = Agent("x", name="asked", response_format=CITIES, **fields)
        async for chunk in agent.stream("go", runtime.context()):
            kinds.append(chunk.type)
            seen += [chunk.value] if chunk.type == "output.partial" else []
            out = chunk.output or out
    return seen, kinds, out


@pytest.mark.parametrize(
    ("mode", "pieces"),
    [
        ("native", ['{"val', 'ue": ["Os', 'lo", "Ro', 'me"]}']),
        ("grammar", ["[", '"Os', 'lo", "Ro', 'me"]']),
        ("prompted", ["Sure {here}: ", '["Os', 'lo", "Ro', 'me"]']),
    ],
)
def test_the_part_that_is_there_is_streamed(mode: str, pieces: list[str]) -> None:
    seen, kinds, out = asyncio.run(parts(chunks(*pieces), output_mode=mode))
    assert seen[-3:] == [["Os"], ["Oslo", "Ro"], ["Oslo", "Rome"]]
    assert kinds[-3:] == ["usage", "text", "done"]
    assert out is not None
    assert out.data == ["Oslo", "Rome"]


def test_in_tool_mode_the_arguments_are_the_part_and_no_call_is_told() -> None:
    function = {"name": FINAL_TOOL}
    pieces = ['{"value": ["Os', 'lo", "Ro', 'me"]}']

    def call(index: int, **fields: Any) -> dict[str, Any]:
        made = {
            "index": index,
            "function": fields,
            **({} if "name" not in fields else {"id": f"c{index}"}),
        }
        return {"choices": [{"index": 0, "delta": {"tool_calls": [made]}}]}

    rows = [call(0, **function, arguments=""), *(call(0, arguments=one) for one in pieces)]
    rows += [call(1, name="note", arguments='{"text": "a"}')]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}

    async def main() -> None:
        async with FakeOpenAI(sse(*rows, end)) as server:
            table = {"type": "openai", "base_url": server.base_url}
            async with scripted_runtime(settings={"providers": {"near": table}}) as (runtime, _):
                agent = Agent(
                    "x", model="near/m", response_format=CITIES, output_mode="tool", tools=[note]
                )
                handle = [chunk async for chunk in agent.stream("go", runtime.context())]
        seen = [one.value for one in handle if one.type == "output.partial"]
        assert seen == [["Os"], ["Oslo", "Ro"], ["Oslo", "Rome"]]
        called = [one.tool_call.name for one in handle if one.tool_call is not None]
        assert called == ["note", "note"]
        assert "".join(one.text for one in handle if one.type == "text") == '["Oslo", "Rome"]'
        assert handle[-1].output is not None
        assert handle[-1].output.data == ["Oslo", "Rome"]

    asyncio.run(main())


def test_a_run_that_a_limit_ends_has_streamed_its_text() -> None:
    seen, kinds, out = asyncio.run(parts("nothing yet", max_iterations=1))
    assert seen == []
    assert out is not None
    assert (out.text, out.data, out.metadata.finish_reason) == ("nothing yet", None, "limit")
    assert kinds[-2:] == ["text", "done"]
