"""An agent's `security`: it narrows for its tools, for agents in it and for who takes over."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_agents import Agent
from llmspell_agents.config import AgentConfig
from llmspell_agents.factory import create_agent, register_template
from llmspell_agents.restraints import narrowed
from llmspell_agents.security_field import both
from llmspell_core.context import ExecutionContext, current
from llmspell_core.errors import PolicyError, ValidationError
from llmspell_core.security.policy import Policy
from llmspell_core.security.profile import SecurityProfile
from llmspell_core.testing import ScriptedProvider, scripted_runtime, tool_call


def run(replies: list[Any], body: Any, **options: Any) -> Any:
    async def main() -> Any:
        async with scripted_runtime(*replies, **options) as (runtime, provider):
            found = await body(runtime.context(), provider)
            provider.assert_all_used()
            return found

    return asyncio.run(main())


def texts(provider: ScriptedProvider, index: int) -> list[str]:
    return [one.text for one in provider.requests[index].messages]


def look(item: str) -> str:
    """Look."""
    return f"seen {item}"


# -- narrowing never widens --------------------------------------------------------------------

NAMES = st.lists(st.sampled_from(["look", "calculator", "*", "http-*", "none-such"]), max_size=3)
HOSTS = st.lists(st.sampled_from(["*", "a.example", "*.example", "127.0.0.1"]), max_size=2)
PATHS = st.lists(st.sampled_from([".", "data", "$temp", "*", "/"]), max_size=2)
TABLES = st.fixed_dictionaries(
    {},
    optional={
        "profile": st.sampled_from(["none", "low", "medium", "high"]),
        "tools": NAMES | st.fixed_dictionaries({"allow": NAMES, "deny": NAMES}),
        "allowed_hosts": HOSTS,
        "files": st.fixed_dictionaries({}, optional={"read": PATHS, "write": PATHS}),
        "processes": NAMES,
        "environment": NAMES,
        "limits": st.fixed_dictionaries(
            {}, optional={"memory_mb": st.integers(1, 9999), "wall_s": st.integers(1, 9999)}
        ),
    },
)
TOOLS = ("look", "calculator", "http-requester", "process-executor")
PLACES = ("data/a", "b", "/etc/passwd", "../c")


def permitted(policy: Policy, ctx: ExecutionContext) -> set[str]:
    """All of some things that a policy allows."""
    found = {f"tool {n}" for n in TOOLS if _has(ctx, n) and _allows(policy, ctx, n)}
    found |= {f"host {h}" for h in ("a.example", "b.org", "127.0.0.1") if policy.net.allows(h)}
    for mode in ("read", "write"):
        for path in PLACES:
            try:
                policy.files.resolve(path, mode)
            except PolicyError:
                continue
            found.add(f"{mode} {path}")
    return found


def _has(ctx: ExecutionContext, name: str) -> bool:
    return ctx.overlay.tools.has(name)


def _allows(policy: Policy, ctx: ExecutionContext, name: str) -> bool:
    return policy.allows_tool(ctx.overlay.tools.get(name))


@given(st.sampled_from(["none", "low", "medium", "high"]), st.lists(TABLES, max_size=3))
@settings(max_examples=60, deadline=None)
def test_whatever_an_agent_asks_for_it_may_do_no_more(profile: str, tables: list[Any]) -> None:
    async def body(ctx: ExecutionContext, _: Any) -> None:
        outer = Policy(
            SecurityProfile.named(profile), project=Path.cwd(), cwd=Path.cwd(), protected=()
        )
        before, limits = permitted(outer, ctx), outer.limits
        for count in range(len(tables) + 1):
            inner = narrowed(outer, tables[:count], "a")
            after = permitted(inner, ctx)
            assert after <= before
            for name in ("memory_mb", "wall_s", "host_calls"):
                had, has = getattr(limits, name), getattr(inner.limits, name)
                assert not had or (has and has <= had)
            before, limits = after, inner.limits

    run([], body)


# -- where it holds ----------------------------------------------------------------------------


def test_it_holds_for_its_own_tools_and_the_model_is_told() -> None:
    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        agent = Agent("x", tools=[look], security={"tools": ["calculator"]})
        out = await agent.execute("go", ctx)
        assert texts(provider, 1)[-1] == 'failed: tool "look" is not allowed here'
        assert out.tool_calls[0].error is not None
        assert out.tool_calls[0].error["code"] == "policy.tool"
        assert out.text == "ok"

    run([tool_call("look", item="a"), "ok"], body)


def test_it_holds_for_agents_that_it_calls_as_tools() -> None:
    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        inner = Agent("inner", name="inner", tools=[look], security={"tools": ["*"]})
        await Agent("outer", tools=[inner], security={"tools": ["inner"]}).execute("go", ctx)
        assert "not allowed" in texts(provider, 2)[-1]

    run([tool_call("inner", input="x"), tool_call("look", item="a"), "no", "ok"], body)


@pytest.mark.parametrize("session", [None, "s"])
def test_it_holds_for_who_takes_over_in_this_turn_and_the_next(session: str | None) -> None:
    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        own = {"tools": ["look", "calculator"]}
        await create_agent({"name": "billing", "tools": [look], "security": own}, ctx)
        triage = await create_agent(
            {"name": "triage", "handoffs": ["billing"], "security": {"tools": ["calculator"]}}, ctx
        )
        for text in ("hi", "again"):
            given = {"text": text, "session": session} if session else triage.turn(text)
            assert (await triage.execute(given, ctx)).agent == "billing"
        for request in (2, 4):
            assert "not allowed" in texts(provider, request)[-1]

    call = tool_call("look", item="a")
    run([tool_call("transfer_to_billing"), call, "ok", call, "ok"], body)


def test_it_holds_for_functions_that_are_agents() -> None:
    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        async def work(input: Any, ctx: Any) -> str:
            found = current()
            assert found is not None
            with pytest.raises(PolicyError):
                await ctx.overlay.tools.get("uuid-generator").call({}, found)
            return "refused"

        agent = Agent(execute=work, security={"tools": ["calculator"]})
        assert (await agent.execute("x", ctx)).text == "refused"

    run([], body)


def test_attachments_are_read_under_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")

    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        agent = Agent("x", security={"files": "none"})
        with pytest.raises(PolicyError):
            await agent.execute({"text": "x", "attachments": [str(tmp_path / "a.txt")]}, ctx)

    run([], body, settings={"security": {"profile": "none"}})


def test_each_use_of_it_is_in_the_audit_log(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"

    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        agent = Agent("x", name="desk", tools=[look], security={"tools": ["calculator"]})
        await agent.execute("go", ctx)

    settings_ = {"security": {"audit_log": str(log)}}
    run([tool_call("look", item="a"), "ok"], body, settings=settings_)
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    seen = [(one["gate"], one["target"], one["verdict"], one["rule"]) for one in rows]
    assert ("profile", "desk", "allow", "agent.security") in seen
    assert ("tools", "look", "deny", "tools.allow") in seen


# -- how it is written -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("security", "message"),
    [
        ({"tool": ["a"]}, 'unknown field "tool"'),
        ({"allowd_hosts": ["a"]}, "allowed_hosts"),
        ({"limits": {"memory_mb": "much"}}, "limits.memory_mb"),
        ({"files": {"reed": ["."]}}, "reed"),
        ({"profile": "mediun"}, "mediun"),
        ("medium", "must be a table"),
    ],
)
def test_a_mistake_is_named_when_the_agent_is_made(security: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        AgentConfig.of({"name": "a", "security": security})
    assert message in str(caught.value)
    assert "security" in str(caught.value)


def test_it_may_be_written_in_camel_case() -> None:
    made = AgentConfig.of({"security": {"allowedHosts": ["a.example"], "files": {"maxBytes": 5}}})
    assert made.security == {"allowed_hosts": ["a.example"], "files": {"max_bytes": 5}}


def test_levels_of_templates_and_changes_lie_inside_each_other() -> None:
    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        await register_template("careful", {"security": {"tools": ["calc*"]}}, ctx)
        own = {"extends": "careful", "tools_add": [look], "security": {"tools": ["*"]}}
        agent = await create_agent(own, ctx)
        agent.update_config({"security": {"tools": ["look"]}})
        await agent.execute("go", ctx)
        assert "not allowed" in texts(provider, 1)[-1]

    run([tool_call("look", item="a"), "ok"], body)
    assert both(None, {"tools": ["a"]}) == {"tools": ["a"]}
    assert both({"tools": ["a"]}, {"tools": ["a"]}) == {"tools": ["a"]}
    assert both({"tools": ["a"]}, {"limits": {}}) == [{"tools": ["a"]}, {"limits": {}}]
