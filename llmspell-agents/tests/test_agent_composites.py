"""Agents made of agents: each strategy's result and failure; finding agents."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_agents import Agent, factory
from llmspell_agents.composites.composite import create_composite
from llmspell_agents.composites.config import CompositeConfig
from llmspell_agents.discovery import about, can, known_agents, matches
from llmspell_agents.factory import create_agent, discover_agents
from llmspell_core.errors import LLMSpellError
from llmspell_core.messages import AgentOutput
from llmspell_core.testing import ScriptedProvider, scripted_runtime, tool_call


def run(replies: list[Any], body: Any, **options: Any) -> Any:
    async def main() -> Any:
        async with scripted_runtime(*replies, **options) as (runtime, provider):
            return await body(runtime.context(), provider)

    return asyncio.run(main())


def code(name: str, answer: Any, *, capabilities: tuple[str, ...] = ()) -> Agent:
    """An agent that gives a text, or what a function makes of its input, or raises."""

    def execute(input: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer(input.text) if callable(answer) else answer

    return Agent(name=name, execute=execute, capabilities=[*capabilities])


async def ask(ctx: Any, agents: list[Any], question: str = "q", **options: Any) -> AgentOutput:
    config = CompositeConfig.model_validate(options)
    return await create_composite("team", agents, config, ctx).execute(question, ctx)


DOWN = LLMSpellError("down")


def failing(agents: list[Any], **options: Any) -> LLMSpellError:
    with pytest.raises(LLMSpellError) as caught:
        run([], lambda ctx, _: ask(ctx, agents, **options))
    assert caught.value.code == "agent.composite_failed"
    return caught.value


def test_sequential_gives_each_agent_the_answer_of_the_one_before() -> None:
    agents = [code("a", lambda text: text + "a"), code("b", lambda text: text + "b")]
    out = run([], lambda ctx, _: ask(ctx, agents))
    assert (out.text, out.agent, out.data["strategy"]) == ("qab", "team", "sequential")
    rows = [(one["agent"], one["success"], one["text"]) for one in out.data["results"]]
    assert rows == [("a", True, "qa"), ("b", True, "qab")]


def test_sequential_ends_with_the_first_failure_or_passes_over_it() -> None:
    agents = [code("a", "1"), code("b", DOWN), code("c", lambda text: text + "c")]
    error = failing(agents)
    assert error.details["agent"] == "b"
    assert [one["agent"] for one in error.details["results"]] == ["a", "b"]
    out = run([], lambda ctx, _: ask(ctx, agents, on_error="continue"))
    assert out.text == "1c"
    assert [one["success"] for one in out.data["results"]] == [True, False, True]
    assert failing([code("a", DOWN)], on_error="continue").message.endswith("all agents failed")


def test_parallel_asks_all_at_once_and_keeps_their_order() -> None:
    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        out = await ask(ctx, [Agent("x", name="a"), Agent("x", name="b")], strategy="parallel")
        assert provider.most_active == 2
        assert out.text == "a: yes\n\nb: yes"
        assert (out.data["succeeded"], out.data["failed"]) == (2, 0)
        assert out.metadata.usage.total_tokens == 30

    run([], body, default="yes", latency_ms=20)


def test_parallel_needs_all_answers_or_as_many_as_required() -> None:
    agents = [code("a", "1"), code("b", DOWN)]
    assert (
        "1 of 2 agents answered, 2 must: b failed" in failing(agents, strategy="parallel").message
    )
    out = run([], lambda ctx, _: ask(ctx, agents, strategy="parallel", required=1))
    assert (out.text, out.data["failed"]) == ("a: 1", 1)


def test_an_aggregator_makes_the_answer_of_parallel_agents() -> None:
    def add(rows: list[dict[str, Any]]) -> Any:
        return {"sum": sum(int(one["text"]) for one in rows)}

    agents = [code("a", "1"), code("b", "2")]
    out = run([], lambda ctx, _: ask(ctx, agents, strategy="parallel", aggregator=add))
    assert (out.text, out.data["value"]) == ('{"sum": 3}', {"sum": 3})


def test_consensus_counts_like_answers_as_one_vote() -> None:
    agents = [code("a", "No"), code("b", "Yes."), code("c", "yes")]
    out = run([], lambda ctx, _: ask(ctx, agents, strategy="consensus"))
    assert out.text == "Yes."
    assert out.data["votes"] == [
        {"value": "no", "count": 1, "agents": ["a"]},
        {"value": "yes", "count": 2, "agents": ["b", "c"]},
    ]
    assert (round(out.data["agreement"], 2), out.data["tie"]) == (0.67, False)


def test_consensus_unties_by_the_rule() -> None:
    agents = [code("a", "no"), code("b", "yes")]
    out = run([], lambda ctx, _: ask(ctx, agents, strategy="consensus"))
    assert (out.text, out.data["tie"]) == ("no", True)
    error = failing(agents, strategy="consensus", tie="error")
    assert error.message == "team: the votes are even: no, yes"
    last = run([], lambda ctx, _: ask(ctx, agents, strategy="consensus", tie=lambda v: v[-1]))
    assert last.text == "yes"
    with pytest.raises(LLMSpellError, match="none of the votes"):
        run([], lambda ctx, _: ask(ctx, agents, strategy="consensus", tie=lambda _: "maybe"))


def test_a_function_reads_the_votes() -> None:
    agents = [code("a", "I say 5"), code("b", "5, of course"), code("c", "6")]
    out = run(
        [],
        lambda ctx, _: ask(
            ctx, agents, strategy="consensus", vote=lambda one: 5 if "5" in one["text"] else 6
        ),
    )
    assert (out.text, out.data["value"]) == ("5", 5)


def test_without_a_majority_of_votes_there_is_no_consensus() -> None:
    agents = [code("a", "1"), code("b", DOWN), code("c", DOWN)]
    assert "1 of 3 agents have voted, 2 must" in failing(agents, strategy="consensus").message


def test_hierarchical_gives_the_first_agent_the_others_as_tools() -> None:
    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        leader = Agent("Lead.", name="leader")
        worker = code("worker", "done", capabilities=("work",))
        heard: list[str] = []
        leader.add_hook("after_agent_execution", lambda seen: heard.append(seen.component))
        out = await ask(ctx, [leader, worker], strategy="hierarchical")
        assert (out.text, out.data["leader"]) == ("All is done.", "leader")
        assert [(one["agent"], one["text"]) for one in out.data["delegated"]] == [
            ("worker", "done")
        ]
        assert "- worker: worker" in provider.requests[0].messages[0].text
        assert leader.tools.names() == []
        assert heard == ["worker", "leader"]

    run([tool_call("worker", input="work"), "All is done."], body)


def test_hierarchical_tells_the_leader_what_fails_and_fails_with_the_leader() -> None:
    async def body(ctx: Any, _: ScriptedProvider) -> None:
        leader, worker = Agent("Lead.", name="leader"), code("worker", DOWN)
        out = await ask(ctx, [leader, worker], strategy="hierarchical")
        assert out.text == "It is down."
        assert [one["success"] for one in out.data["delegated"]] == [False]
        with pytest.raises(LLMSpellError, match="leader failed: no more") as caught:
            await ask(ctx, [leader, worker], strategy="hierarchical")
        assert caught.value.code == "agent.composite_failed"

    run([tool_call("worker", input="x"), "It is down.", LLMSpellError("no more")], body)


def test_hierarchical_needs_a_leader_with_a_model() -> None:
    with pytest.raises(LLMSpellError, match="first agent leads"):
        run([], lambda ctx, _: ask(ctx, [code("a", "1"), code("b", "2")], strategy="hierarchical"))


def test_dynamic_lets_a_model_pick() -> None:
    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        out = await ask(ctx, [code("a", "1"), code("b", "2")], strategy="dynamic")
        assert (out.text, out.data["picked"], out.data["reason"]) == ("2", "b", "fits")
        assert [one["agent"] for one in out.data["results"]] == ["team-picker", "b"]
        schema = provider.requests[0].schema
        assert schema is not None
        assert schema["properties"]["agent"]["enum"] == ["a", "b"]

    run(['{"agent": "b", "reason": "fits"}'], body)


def test_dynamic_fails_when_nothing_is_picked_and_when_the_picked_one_fails() -> None:
    async def body(ctx: Any, _: ScriptedProvider) -> None:
        agents = [code("a", DOWN)]
        for match in ("no agent was picked", "a failed: down"):
            with pytest.raises(LLMSpellError, match=match) as caught:
                await ask(ctx, agents, strategy="dynamic")
            assert caught.value.code == "agent.composite_failed"

    run(['{"agent": "z"}'] * 3 + ['{"agent": "a"}'], body)


def test_a_composite_is_found_streams_and_is_a_tool_like_any_agent() -> None:
    async def body(ctx: Any, _: ScriptedProvider) -> None:
        team = create_composite("team", [code("a", "1")], CompositeConfig.model_validate({}), ctx)
        assert ctx.overlay.agents.get("team") is team
        kinds = [chunk.type async for chunk in team.stream("q", ctx)]
        assert kinds == ["text", "done"]
        assert (await Agent("x", tools=[team]).execute("q", ctx)).text == "so 1"

    run([tool_call("team", input="x"), "so 1"], body)


def test_the_deadline_of_a_composite_holds_for_its_agents() -> None:
    async def body(ctx: Any, _: ScriptedProvider) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await ask(ctx, [Agent("x", name="a")], timeout_ms=50)
        assert caught.value.code == "agent.timeout"

    run(["late"], body, latency_ms=200)


def test_wrong_members_are_refused() -> None:
    for agents, match in (
        ([], "at least one agent"),
        (["nobody"], "unknown agent"),
        ([5], "agents and their names are expected"),
        ([code("a", "1"), code("a", "2")], 'two of its agents are named "a"'),
    ):
        with pytest.raises(LLMSpellError, match=match):
            run([], lambda ctx, _, agents=agents: ask(ctx, agents))


def test_agents_are_found_by_words_and_by_what_they_can_do() -> None:
    async def body(ctx: Any, _: ScriptedProvider) -> None:
        await create_agent(
            {"name": "finder", "description": "Finds", "capabilities": ["Deep_Search"]}, ctx
        )
        found = {agent.name: (agent, built_in) for agent, built_in in known_agents(ctx)}
        assert found["research"][1]
        agent, built_in = found["finder"]
        assert not built_in
        assert about(agent, built_in)["capabilities"] == ["Deep_Search"]
        assert can(agent, "deep-search")
        assert not can(agent, "search")
        assert matches(agent, "finds DEEP")
        assert "web-searcher" in about(*found["research"])["tools"]

    run([], body)


def test_python_makes_and_finds_them_by_data() -> None:
    async def body(ctx: Any, _: Any) -> None:
        agents = [code("a", "yes", capabilities=("voting",)), code("b", "no")]
        team = await factory.create_composite("team", agents, "parallel", ctx)
        assert (await team.execute("q", ctx)).text == "a: yes\n\nb: no"
        again = await factory.create_composite("again", ["team"], ctx=ctx)
        assert again.options.strategy == "sequential"
        found = await discover_agents(capability="Voting", ctx=ctx)
        assert [one["name"] for one in found] == ["again", "team"]
        assert [one["name"] for one in await discover_agents("again team", ctx=ctx)] == ["again"]
        for options in ("parallell", {"strateg": "parallel"}, 5):
            with pytest.raises(LLMSpellError) as caught:
                await factory.create_composite("team", agents, options, ctx)
            assert caught.value.code == "input.invalid"

    run([], body)
