"""Any cut of any history is taken by OpenAI, Anthropic and Gemini, as litellm writes it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_agents import Agent
from llmspell_agents.history.repair import repaired
from llmspell_core.chat.wire import request_body
from llmspell_core.messages import Message, ToolCall
from llmspell_core.provider import ModelRequest, ModelResponse
from llmspell_core.testing import scripted_runtime, tool_call
from llmspell_core.testing.dialects import anthropic_mistakes, gemini_mistakes, openai_mistakes
from llmspell_core.tool import tool
from llmspell_litellm.library import library
from llmspell_litellm.requests import chat_arguments

# litellm ignores these itself, once for the process, which pytest undoes for each test.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*`ReadOnly` qualifier"),
    pytest.mark.filterwarnings("ignore:Accessing the .* attribute on the instance is deprecated"),
]

History = list[Message]
CLAUDE = "anthropic/claude-sonnet-4-5"
GEMINI = ("gemini/gemini-2.5-flash", "gemini/gemini-3-pro-preview")


def openai(history: History) -> list[str]:
    return openai_mistakes(request_body(ModelRequest("m", history), stream=False))


def anthropic(history: History) -> list[str]:
    _library()
    from litellm.llms.anthropic.chat.transformation import AnthropicConfig

    model = CLAUDE.partition("/")[2]
    messages = chat_arguments(ModelRequest(model, history), CLAUDE, stream=False)["messages"]
    given: dict[str, Any] = {"max_tokens": 100}
    return anthropic_mistakes(AnthropicConfig().transform_request(model, messages, given, {}, {}))


def gemini(history: History) -> list[str]:
    _library()
    from litellm.llms.vertex_ai.gemini.transformation import transform_request_body

    wrong = []
    for route in GEMINI:
        model = route.partition("/")[2]
        messages = chat_arguments(ModelRequest(model, history), route, stream=False)["messages"]
        body = transform_request_body(messages, model, {}, "gemini", {}, None)
        wrong += gemini_mistakes(body)
    return wrong


@cache
def _library() -> Any:
    return asyncio.run(library())


DIALECTS: dict[str, Callable[[History], list[str]]] = {
    "openai": openai,
    "anthropic": anthropic,
    "gemini": gemini,
}


@tool
async def stock(item: str = "") -> int:
    """How many of ITEM are in the store."""
    return 7


async def _recorded() -> History:
    """A conversation with calls of every kind: several, unknown, wrong, beside a text."""
    bad = ToolCall(id="call_0", name="stock", raw_arguments='{"item": ')
    both = ModelResponse("I look.", [ToolCall(id="call_0", name="stock")], "tool_calls")
    same = [ToolCall(id=f"call_{n}", name="stock", arguments={"item": "x"}) for n in range(2)]
    replies = [
        [tool_call("stock", item="a"), tool_call("stock", item="b"), tool_call("look up")],
        bad,
        both,
        "We have 7.",
        "You are welcome.",
        same,
        tool_call("stock", item="c"),
        "Still 7.",
    ]
    async with scripted_runtime(*replies) as (runtime, _):
        agent, ctx = Agent("Be brief.", tools=[stock]), runtime.context()
        for text in ("Any kettles?", "Thanks.", "And now?"):
            await agent.chat(text, ctx)
        return [Message(role="system", content="Be brief."), *agent.history()]


@cache
def recorded() -> tuple[Message, ...]:
    return tuple(asyncio.run(_recorded()))


def cuts() -> list[History]:
    """Every beginning, every end, and all but a piece of the middle."""
    whole = list(recorded())
    ends = range(len(whole) + 1)
    found = [whole[:end] for end in ends] + [whole[start:] for start in ends]
    return found + [whole[:a] + whole[b:] for a, b in itertools.combinations(ends, 2)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_any_cut_of_a_recorded_history_is_taken(dialect: str) -> None:
    for history in cuts():
        assert DIALECTS[dialect](repaired(history)) == [], history


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_rules_refuse_what_was_not_repaired(dialect: str) -> None:
    refused = 0
    for history in cuts():
        try:
            refused += bool(DIALECTS[dialect](history))
        except Exception:  # noqa: BLE001 - litellm itself gives up on some
            refused += 1
    assert refused > len(cuts()) // 4


CALLS = st.lists(
    st.tuples(st.sampled_from(["call_0", "call_1", "a b"]), st.sampled_from(["x", "y"])),
    min_size=1,
    max_size=3,
)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Whole turns as a run writes them, then some messages taken out and some moved."""
    made: History = []
    for number in range(draw(st.integers(1, 4))):
        made.append(Message(role="user", content=f"question {number}"))
        for _ in range(draw(st.integers(0, 2))):
            calls = [
                ToolCall(id=id_, name="stock", arguments={"item": item})
                for id_, item in draw(CALLS)
            ]
            text = draw(st.sampled_from(["", "I look.", "\n"]))
            made.append(Message(role="assistant", content=text, tool_calls=calls))
            made += [Message(role="tool", content="7", tool_call_id=one.id) for one in calls]
        made.append(Message(role="assistant", content=draw(st.sampled_from(["", " ", "7."]))))
    gone = draw(st.sets(st.integers(0, len(made) - 1), max_size=6))
    left = [one for index, one in enumerate(made) if index not in gone]
    start = draw(st.integers(0, len(left)))
    return left[start:] + left[:start] if draw(st.booleans()) else left[start:]


@pytest.mark.parametrize("dialect", DIALECTS)
@given(history=histories())
@settings(max_examples=60, deadline=None)
def test_any_history_is_taken(dialect: str, history: History) -> None:
    assert DIALECTS[dialect](repaired(history)) == []
