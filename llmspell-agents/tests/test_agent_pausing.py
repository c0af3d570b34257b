"""Runs that pause for approvals and are resumed: once each, in the order the model wanted."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_core.errors import AgentError, LLMSpellError, ProviderError
from llmspell_core.journal import Journal
from llmspell_core.messages import AgentOutput, Usage
from llmspell_core.provider import ModelRequest
from llmspell_core.testing import ScriptedProvider, scripted_runtime, tool_call
from llmspell_core.tool import FunctionTool

Body = Any


class House:
    """Tools, what was done with them, and a data folder: what outlives a process."""

    def __init__(self, folder: Path) -> None:
        self.done: list[str] = []
        self.folder = folder

        def send(to: str) -> str:
            self.done.append(f"send {to}")
            return f"sent to {to}"

        def look(at: str = "clock") -> str:
            self.done.append(f"look {at}")
            return f"looked at {at}"

        self.send = FunctionTool(send, requires_approval=True)
        self.look = FunctionTool(look)

    def agent(self, **fields: Any) -> Agent:
        given = {"name": "clerk", "tools": [self.send, self.look], "on_approval": "pause"}
        return Agent("Be useful.", **{**given, **fields})

    def process(self, replies: list[Any], body: Body) -> Any:
        """What a process does: its own runtime and agents, nothing in memory from another."""

        async def main() -> Any:
            settings = {
                "system": {"data_dir": str(self.folder)},
                "state": {"backend": "sqlite"},
            }
            async with scripted_runtime(*replies, settings=settings) as (runtime, provider):
                return await body(runtime.context(), provider)

        return asyncio.run(main())

    def pause(self, replies: list[Any], **fields: Any) -> AgentOutput:
        """Run an agent to its pause."""

        async def body(ctx: Any, _: Any) -> Any:
            return await self.agent(**fields).execute("go", ctx)

        output = self.process(replies, body)
        assert output.status == "paused", output
        assert isinstance(output, AgentOutput)
        return output

    def resume(self, state: Any, answers: Any, replies: Any = (), **fields: Any) -> AgentOutput:
        """Resume it in another process."""

        async def body(ctx: Any, provider: ScriptedProvider) -> Any:
            self.provider = provider
            return await self.agent(**fields).resume(state, answers, ctx)

        output = self.process(list(replies), body)
        assert isinstance(output, AgentOutput)
        return output

    def refused(self, state: Any, answers: Any = True, **fields: Any) -> str:
        """The code of the error that a resume ends with."""
        with pytest.raises(LLMSpellError) as error:
            self.resume(state, answers, **fields)
        return error.value.code


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "data")


SEND = tool_call("send", to="ann")


def told(provider: ScriptedProvider) -> list[str]:
    return [one.text for one in provider.requests[-1].messages if one.role == "tool"]


def test_a_run_pauses_and_goes_on_in_another_process(house: House) -> None:
    out = house.pause([SEND])
    assert (out.success, out.text, out.metadata.finish_reason) == (False, "", "paused")
    assert out.metadata.usage.total_tokens == 15
    (call,) = out.pending
    assert (call.tool, call.arguments, call.path) == ("send", {"to": "ann"}, ["clerk", "send"])
    assert house.done == []
    state = json.loads(json.dumps(out.state))
    end = house.resume(state, {call.id: True}, ["done"])
    assert (end.text, end.status, end.success) == ("done", "completed", True)
    assert house.done == ["send ann"]
    assert told(house.provider) == ["sent to ann"]
    # One account for the whole run, both processes of it.
    assert (end.metadata.usage.total_tokens, end.metadata.iterations) == (30, 2)
    assert [(one.name, one.result) for one in end.tool_calls] == [("send", "sent to ann")]


def test_resuming_twice_gives_the_same_and_does_nothing_again(house: House) -> None:
    out = house.pause([SEND])
    first = house.resume(out.state, True, ["done"])
    again = house.resume(out.state, True)
    assert again == first
    assert house.done == ["send ann"]
    assert house.refused(out.state, False) == "approval.answered"
    assert house.refused(out.state, {out.pending[0].id: {"arguments": {"to": "bob"}}}) == (
        "approval.answered"
    )
    assert house.done == ["send ann"]


def test_denied_edited_and_wrongly_edited_calls(house: House) -> None:
    denied = house.pause([SEND])
    house.resume(denied.state, {"deny": "not on a Sunday"}, ["done"])
    assert told(house.provider) == ["failed: send: not on a Sunday"]
    edited = house.pause([SEND])
    house.resume(edited.state, {"send": {"arguments": {"to": "bob"}}}, ["done"])
    assert told(house.provider)[0].endswith("sent to bob")
    wrong = house.pause([SEND])
    house.resume(wrong.state, {"arguments": {"whom": "bob"}}, ["done"])
    assert 'unknown field "whom"' in told(house.provider)[0]
    assert house.done == ["send bob"]


def test_what_needs_no_approval_is_done_before_the_pause_and_not_again(house: House) -> None:
    batch = [tool_call("look", at="door"), SEND, tool_call("send", to="bob")]
    out = house.pause([batch])
    assert house.done == ["look door"]
    assert [one.arguments["to"] for one in out.pending] == ["ann", "bob"]
    assert len({one.id for one in out.pending}) == 2
    house.resume(out.state, {out.pending[0].id: True, out.pending[1].id: False}, ["done"])
    assert house.done == ["look door", "send ann"]
    assert told(house.provider) == [
        "looked at door",
        "sent to ann",
        "failed: send: not approved",
    ]


def test_calls_without_an_answer_go_on_waiting(house: House) -> None:
    out = house.pause([[SEND, tool_call("send", to="bob")]])
    first, second = out.pending
    half = house.resume(out.state, {first.id: True})
    assert (half.status, [one.arguments for one in half.pending]) == ("paused", [{"to": "bob"}])
    assert house.done == ["send ann"]
    # The state of the first pause has been answered, and gives what it came to.
    assert house.resume(out.state, {first.id: True}).state == half.state
    end = house.resume(half.state, {half.pending[0].id: True}, ["done"])
    assert end.text == "done"
    assert house.done == ["send ann", "send bob"]
    assert second.arguments == {"to": "bob"}


def test_a_run_may_pause_again_and_again(house: House) -> None:
    state, replies = house.pause([SEND]).state, [tool_call("send", to="bob")]
    second = house.resume(state, True, replies)
    assert second.pending[0].arguments == {"to": "bob"}
    end = house.resume(second.state, True, ["done"])
    assert end.metadata.iterations == 3
    assert house.done == ["send ann", "send bob"]


def test_always_holds_for_the_rest_of_the_run_in_every_process(house: House) -> None:
    fields = {"tools": [house.send, FunctionTool(house.look.function, requires_approval=True)]}
    out = house.pause([SEND], **fields)
    after = [tool_call("send", to="bob"), tool_call("look")]
    second = house.resume(out.state, "always", after, **fields)
    assert [one.tool for one in second.pending] == ["look"]
    more = [tool_call("send", to="eve"), "done"]
    assert house.resume(second.state, True, more, **fields).text == "done"
    assert house.done == ["send ann", "send bob", "look clock", "send eve"]


def test_after_a_call_that_waits_nothing_later_begins(house: House) -> None:
    house.send.sequential = True
    batch = [
        tool_call("look", at="1"),
        SEND,
        tool_call("look", at="2"),
        tool_call("send", to="bob"),
    ]
    out = house.pause([batch])
    assert house.done == ["look 1"]
    # All of the answer that must be asked is asked at once.
    assert [one.arguments for one in out.pending] == [{"to": "ann"}, {"to": "bob"}]
    house.resume(out.state, True, ["done"])
    assert house.done == ["look 1", "send ann", "look 2", "send bob"]


def test_wrong_arguments_go_back_to_the_model_and_pause_nothing(house: House) -> None:
    out = house.pause([tool_call("send", whom="ann"), SEND])
    assert out.metadata.iterations == 2
    house.resume(out.state, True, ["done"])
    assert told(house.provider)[0].startswith('error: send: unknown field "whom"')


def test_limits_go_on_where_they_were(house: House) -> None:
    fields: dict[str, Any] = {"max_tool_calls": 2, "max_iterations": 3}
    out = house.pause([tool_call("look"), SEND], **fields)
    end = house.resume(out.state, True, ["done"], **fields)
    # The third request is the last one, and is made without tools.
    assert (end.metadata.iterations, end.metadata.finish_reason) == (3, "limit")
    assert house.provider.requests[-1].tool_choice == "none"


@pytest.mark.parametrize("change", ["pending", "agent", "expires_at", "run_id", "records"])
def test_a_changed_state_is_refused(house: House, change: str) -> None:
    out = house.pause([SEND])
    assert out.state is not None
    state = json.loads(json.dumps(out.state))
    if change == "pending":
        state["pending"][0]["arguments"] = '{"to": "mallory"}'
    elif change == "expires_at":
        state["expires_at"] += 10
    else:
        state[change] = state[change][:-1] + ("x" if state[change][-1] != "x" else "y")
    assert house.refused(state) == "approval.forged"
    assert house.done == []


def test_another_agent_another_key_another_version_and_too_late(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = house.pause([SEND])
    assert out.state is not None
    assert house.refused(out.state, name="other") == "approval.other_agent"
    assert house.refused({**out.state, "version": 2}) == "approval.version"
    assert house.refused({**out.state, "extra": 1}) == "input.invalid"
    assert house.refused({"format": "llmspell.paused"}) == "approval.version"
    assert house.refused({}) == "input.invalid"
    stranger = House(tmp_path / "elsewhere")
    stranger.pause([SEND])
    assert stranger.refused(out.state) == "approval.forged"
    monkeypatch.setattr("time.time", lambda: out.state["expires_at"] + 1)
    assert house.refused(out.state) == "approval.expired"
    assert house.done == stranger.done == []


def test_answers_must_be_answers_to_what_is_asked(house: House) -> None:
    out = house.pause([SEND])
    for answers in (None, {}, {"sned": True}, {"send": 7}, "maybe", {"send": {"aprove": True}}):
        assert house.refused(out.state, answers) == "input.invalid", answers
    # None of this was an answer.
    assert house.resume(out.state, True, ["done"]).text == "done"


def test_an_answer_holds_for_the_tool_that_was_asked_about(house: House) -> None:
    out = house.pause([SEND])

    def send(to: str, bcc: str = "mallory") -> str:
        house.done.append(f"changed {to} {bcc}")
        return "sent"

    changed = FunctionTool(send, requires_approval=True)
    again = house.resume(out.state, True, tools=[changed, house.look])
    assert (again.status, house.done) == ("paused", [])


def test_a_state_has_no_secrets(house: House) -> None:
    secret = "sk-" + "a1B2c3D4" * 5
    out = house.pause([tool_call("send", to=secret)])
    assert secret not in json.dumps(out.state)
    assert secret not in out.model_dump_json()
    house.resume(out.state, True, ["done"])
    assert house.done == [f"send {secret}"]


def test_the_approval_of_an_agent_as_a_tool_rises_to_the_top_run(house: House) -> None:
    def tree() -> dict[str, Any]:
        deep = Agent("x", name="deep", tools=[house.send])
        middle = Agent("x", name="middle", tools=[deep, house.look])
        return {"tools": [middle, house.look]}

    begun = [
        [tool_call("look", at="top"), tool_call("middle", input="a")],
        [tool_call("look", at="middle"), tool_call("deep", input="b")],
        SEND,
    ]
    out = house.pause(begun, **tree())
    assert out.pending[0].path[0] == "clerk"
    assert "deep" in out.pending[0].path
    assert sorted(house.done) == ["look middle", "look top"]
    end = house.resume(out.state, True, ["deep done", "middle done", "done"], **tree())
    assert (end.text, end.metadata.iterations) == ("done", 2)
    assert sorted(house.done) == ["look middle", "look top", "send ann"]
    # Six requests in all, each once.
    assert len(house.provider.requests) == 3


def test_two_agents_as_tools_wait_at_the_same_time(house: House) -> None:
    def pair() -> dict[str, Any]:
        return {"tools": [Agent("x", name=one, tools=[house.send]) for one in ("left", "right")]}

    begun = [[tool_call("left", input="a"), tool_call("right", input="b")], SEND, SEND]
    out = house.pause(begun, **pair())
    assert sorted(one.path[1] for one in out.pending) == ["left", "right"]
    left = next(one for one in out.pending if one.path[1] == "left")
    half = house.resume(out.state, {left.id: True}, ["left done"], **pair())
    assert [one.path[1] for one in half.pending] == ["right"]
    end = house.resume(half.state, True, ["right done", "done"], **pair())
    assert (end.text, len(house.done)) == ("done", 2)
    assert [one.result for one in end.tool_calls] == ["left done", "right done"]


def test_an_approval_after_a_hand_off(house: House) -> None:
    def pair() -> dict[str, Any]:
        billing = Agent("x", name="billing", tools=[house.send])
        return {"tools": [house.look], "handoffs": [billing]}

    begun = [tool_call("look"), tool_call("transfer_to_billing", input="refund"), SEND]
    out = house.pause(begun, **pair())
    assert (out.agent, out.pending[0].path) == ("clerk", ["billing", "send"])
    end = house.resume(out.state, True, ["refunded"], **pair())
    assert (end.text, end.agent, end.handoff) == ("refunded", "billing", ["billing"])
    assert house.done == ["look clock", "send ann"]
    assert [one.name for one in end.tool_calls] == ["look", "transfer_to_billing", "send"]


def test_a_hand_off_beside_a_call_that_waits(house: House) -> None:
    def pair() -> dict[str, Any]:
        billing = Agent("x", name="billing")
        return {"tools": [house.send, house.look], "handoffs": [billing]}

    batch = [tool_call("look"), SEND, tool_call("transfer_to_billing", input="refund")]
    out = house.pause([batch], **pair())
    assert [one.tool for one in out.pending] == ["send"]
    end = house.resume(out.state, True, ["refunded"], **pair())
    assert (end.text, end.handoff) == ("refunded", ["billing"])
    assert house.done == ["look clock", "send ann"]
    assert [one.name for one in end.tool_calls] == ["look", "send", "transfer_to_billing"]


def test_an_agent_of_code_in_the_chain_is_run_once(house: House) -> None:
    def chain() -> dict[str, Any]:
        def route(_: Any) -> Any:
            house.done.append("routed")
            return {"handoff_request": {"target": "billing", "input": "refund"}}

        billing = Agent("x", name="billing", tools=[house.send])
        return {"handoffs": [Agent(name="desk", execute=route, handoffs=[billing])]}

    out = house.pause([tool_call("transfer_to_desk"), SEND], **chain())
    end = house.resume(out.state, True, ["refunded"], **chain())
    assert (end.text, end.handoff) == ("refunded", ["desk", "billing"])
    assert house.done == ["routed", "send ann"]


def test_streaming_pauses_and_resumes(house: House) -> None:
    async def begun(ctx: Any, _: Any) -> Any:
        return [one async for one in house.agent().stream("go", ctx)]

    chunks = house.process([[tool_call("look"), SEND]], begun)
    kinds = [one.type for one in chunks]
    assert kinds == ["usage", "tool_call", "tool_call", "tool_result", "done"]
    output = chunks[-1].output
    assert output.status == "paused"

    async def resumed(ctx: Any, _: Any) -> Any:
        given = {"resume": output.state, "approvals": True}
        return [one async for one in house.agent().stream(given, ctx)]

    rest = house.process(["all done"], resumed)
    kinds = [one.type for one in rest]
    # What was handed out before the pause is not handed out again.
    assert kinds[0] == "tool_result"
    assert kinds.count("tool_result") == 1
    assert kinds[-1] == "done"
    assert "".join(one.text for one in rest if one.type == "text") == "all done"
    assert rest[-1].output.text == "all done"


def test_a_conversation_goes_on_after_the_pause(house: House) -> None:
    async def begun(ctx: Any, _: Any) -> Any:
        agent = house.agent()
        await agent.chat("hello", ctx)
        with pytest.raises(LLMSpellError) as error:
            await agent.chat("send it", ctx)
        assert error.value.code == "agent.paused"
        assert len(agent.history()) == 2
        return error.value.details["state"]

    state = house.process(["hi", SEND], begun)

    async def resumed(ctx: Any, provider: ScriptedProvider) -> None:
        agent = house.agent()
        out = await agent.resume(state, True, ctx)
        assert out.text == "sent"
        assert [one.text for one in agent.history()][:3] == ["hello", "hi", "send it"]
        assert agent.history()[-1].text == "sent"

    house.process(["sent"], resumed)


def test_what_diverged_is_not_mixed_up(house: House, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("one")

    async def history(_: Any) -> Any:
        return notes.read_text()

    def pair() -> dict[str, Any]:
        billing = Agent("x", name="billing", tools=[house.send])
        return {"handoffs": [{"agent": billing, "history": history}]}

    out = house.pause([tool_call("transfer_to_billing", input="refund"), SEND], **pair())
    notes.write_text("two")
    assert house.refused(out.state, **pair()) == "journal.diverged"
    notes.write_text("one")
    assert house.resume(out.state, True, ["refunded"], **pair()).text == "refunded"


def test_a_failed_model_does_not_lose_an_approved_call(house: House) -> None:
    out = house.pause([SEND])
    with pytest.raises(LLMSpellError):
        house.resume(
            out.state, True, [LLMSpellError("the service is down", code="provider.server")]
        )
    assert house.done == ["send ann"]
    assert house.resume(out.state, True, ["done"]).text == "done"
    assert house.done == ["send ann"]


def test_a_nested_agent_does_not_pause_by_itself(house: House) -> None:
    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        inner = house.agent(name="inner")
        outer = Agent("x", name="outer", tools=[inner])
        out = await outer.execute("go", ctx)
        assert (out.text, out.status) == ("done", "completed")
        assert "nobody is there to approve it" in provider.requests[2].messages[-1].text

    house.process([tool_call("inner", input="a"), SEND, "inner done", "done"], body)
    assert house.done == []


def test_inside_of_a_tools_function_nothing_pauses(house: House) -> None:
    async def ask(text: str) -> str:
        inner = Agent("x", name="inner", tools=[house.send])
        return (await inner.execute(text)).text

    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        out = await house.agent(tools=[FunctionTool(ask)]).execute("go", ctx)
        assert out.text == "done"
        assert "nobody is there to approve it" in provider.requests[2].messages[-1].text

    house.process([tool_call("ask", text="a"), SEND, "inner done", "done"], body)
    assert house.done == []


def test_an_ordinary_run_writes_nothing(house: House) -> None:
    async def body(ctx: Any, _: Any) -> None:
        agent = Agent("x", tools=[house.look])
        await agent.execute("go", ctx)
        journal: Journal = ctx.runtime.journal()
        assert await journal.runs() == []

    house.process([tool_call("look"), "done"], body)
    assert not (house.folder / "approval.key").exists()


def test_a_session_goes_on_after_the_pause(house: House) -> None:
    async def begun(ctx: Any, _: Any) -> Any:
        agent = house.agent()
        await agent.execute({"text": "hello", "session": "monday"}, ctx)
        return await agent.execute({"text": "send it", "session": "monday"}, ctx)

    out = house.process(["hi", SEND], begun)
    assert out.status == "paused"

    async def resumed(ctx: Any, provider: ScriptedProvider) -> None:
        agent = house.agent()
        assert (await agent.resume(out.state, True, ctx)).text == "sent"
        await agent.execute({"text": "thanks", "session": "monday"}, ctx)
        shown = [one.text for one in provider.requests[-1].messages if one.role == "user"]
        assert shown == ["hello", "send it", "thanks"]

    house.process(["sent", "welcome"], resumed)
    assert house.done == ["send ann"]


def test_a_session_in_which_others_spoke_meanwhile_is_not_mixed_up(house: House) -> None:
    async def say(ctx: Any, _: Any) -> Any:
        return await house.agent().execute({"text": "hello", "session": "monday"}, ctx)

    out = house.process([SEND], say)
    assert house.process(["hi"], say).text == "hi"
    assert house.refused(out.state) == "journal.diverged"
    assert house.done == []


def test_guardrails_hold_for_the_results_of_journaled_calls(house: House) -> None:
    def rough(value: Any, *_: Any) -> Any:
        house.done.append("guarded")
        return {"rewrite": f"[{value}]"}

    fields: dict[str, Any] = {"guardrails": {"tool_output": [rough]}}
    out = house.pause([[tool_call("look"), SEND]], **fields)
    house.resume(out.state, True, ["done"], **fields)
    assert told(house.provider) == ["[looked at clock]", "[sent to ann]"]
    # What was judged before the pause is not judged again.
    assert house.done == ["look clock", "guarded", "send ann", "guarded"]


DOWN = ProviderError("down", code="provider.server")


def wasting(*replies: Any) -> list[Any]:
    """The replies, each after a failed attempt that is paid for."""

    def made(reply: Any) -> Any:
        def answer(request: ModelRequest) -> Any:
            request.wasted.append(Usage(input_tokens=100, total_tokens=100))
            return reply

        return answer

    return [made(reply) for reply in replies]


@pytest.mark.parametrize("streamed", [False, True])
def test_what_failed_before_the_pause_counts_after_it(house: House, streamed: bool) -> None:
    fields: dict[str, Any] = {"fallback_models": ["scripted/spare"], "max_iterations": 4}

    async def pause(ctx: Any, _: Any) -> Any:
        agent = house.agent(**fields)
        if not streamed:
            return await agent.execute("go", ctx)
        return [chunk async for chunk in agent.stream("go", ctx)][-1].output

    async def resume(ctx: Any, provider: ScriptedProvider) -> Any:
        house.provider = provider
        return await house.agent(**fields).resume(out.state, True, ctx)

    out = house.process([DOWN, *wasting(SEND)], pause)
    assert (out.metadata.usage.total_tokens, out.metadata.iterations) == (115, 2)
    end = house.process([tool_call("look"), "done"], resume)
    # Two requests of the four were made in the first process: the last is made without tools.
    assert [one.tool_choice for one in house.provider.requests] == ["auto", "none"]
    assert (end.text, end.metadata.finish_reason) == ("done", "limit")
    assert end.metadata.usage.total_tokens == 145


def test_a_request_that_was_too_long_is_not_made_again(house: House) -> None:
    too_long = ProviderError("too long", code="provider.context_length")
    words = "A long result. " * 400
    house.look = FunctionTool(lambda at="clock": words, name="look")
    fields: dict[str, Any] = {"context": {"strategy": "truncate", "keep_turns": 1}}
    out = house.pause([tool_call("look"), tool_call("look", at="sky"), too_long, SEND], **fields)
    end = house.resume(out.state, True, ["done"], **fields)
    assert (end.text, house.done) == ("done", ["send ann"])
    assert len(house.provider.requests) == 1


def test_the_summary_of_another_model_counts_after_the_pause(house: House) -> None:
    too_long = ProviderError("too long", code="provider.context_length")
    looks = [tool_call("look", at=f"{place} " * 400) for place in ("clock", "sky", "sea")]
    fields: dict[str, Any] = {"context": {"model": "scripted/brief", "keep_turns": 1}}
    out = house.pause([*looks, too_long, "In short.", SEND], **fields)
    assert (out.metadata.usage.total_tokens, out.metadata.iterations) == (75, 6)
    end = house.resume(out.state, True, ["done"], **fields)
    assert len(house.provider.requests) == 1
    assert any("In short." in one.text for one in house.provider.requests[0].messages)
    assert end.metadata.usage.total_tokens == 90


def judge() -> Agent:
    return Agent("y", name="judge", response_format={"type": "boolean"})


def test_what_judges_have_said_before_the_pause_holds_after_it(house: House) -> None:
    fields: dict[str, Any] = {"guardrails": {"input": [judge()], "output": [judge()]}}
    out = house.pause(["true", SEND], **fields)
    end = house.resume(out.state, True, ["done", "true"], **fields)
    assert (end.text, house.done) == ("done", ["send ann"])
    assert end.metadata.usage.total_tokens == 60


def test_judges_of_results_are_asked_once_a_call(house: House) -> None:
    fields: dict[str, Any] = {"guardrails": {"tool_output": [judge()]}}
    out = house.pause([[tool_call("look"), SEND], "true"], **fields)
    end = house.resume(out.state, True, ["true", "done"], **fields)
    assert (end.text, house.done) == ("done", ["look clock", "send ann"])
    assert told(house.provider) == ["looked at clock", "sent to ann"]


def test_a_blocked_result_ends_a_run_that_would_pause(house: House) -> None:
    def never(*_: Any) -> Any:
        return {"block": "no"}

    async def body(ctx: Any, _: Any) -> None:
        with pytest.raises(AgentError, match="blocked the result of look: no"):
            await house.agent(guardrails={"tool_output": [never]}).execute("go", ctx)

    house.process([[tool_call("look"), SEND]], body)


def test_what_is_no_state_at_all_is_refused(house: House) -> None:
    given: list[Any] = [0, "x", [1], {}]
    for junk in given:
        assert house.refused(junk) == "input.invalid"
