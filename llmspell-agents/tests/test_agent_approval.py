"""Approvals: who is asked about which call, what the answers do, what the model is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_core.approval import ApprovalAnswer, ApprovalRequest
from llmspell_core.errors import LLMSpellError
from llmspell_core.testing import ScriptedProvider, scripted_runtime, tool_call
from llmspell_core.tool import FunctionTool

Body = Any


def run(replies: list[Any], body: Body, **options: Any) -> Any:
    async def main() -> Any:
        async with scripted_runtime(*replies, **options) as (runtime, provider):
            return await body(runtime.context(), provider)

    return asyncio.run(main())


class Mail:
    """A tool that asks, and what it was called with."""

    def __init__(self, **options: Any) -> None:
        self.sent: list[tuple[str, int]] = []

        def send(to: str, times: int = 1) -> str:
            self.sent.append((to, times))
            return f"sent to {to}"

        self.tool = FunctionTool(send, **{"requires_approval": True, **options})


SEND = tool_call("send", to="ann@example.com")


def noting(asked: list[Any]) -> Any:
    """Approves everything, and keeps what it was asked."""

    def on_approval(request: ApprovalRequest) -> bool:
        asked.append(request)
        return True

    return on_approval


def told(provider: ScriptedProvider, request: int = 1) -> str:
    return provider.requests[request].messages[-1].text


@pytest.mark.parametrize(
    ("answer", "sent", "text"),
    [
        (True, [("ann@example.com", 1)], "sent to ann@example.com"),
        ("approve", [("ann@example.com", 1)], "sent to ann@example.com"),
        (False, [], "failed: send: not approved"),
        ({"deny": "not on a Sunday"}, [], "failed: send: not on a Sunday"),
        ({"approve": False, "message": "no"}, [], "failed: send: no"),
        (ApprovalAnswer.deny("never"), [], "failed: send: never"),
        ("surely", [], "failed: send: the answer was unclear"),
    ],
)
def test_a_function_answers_and_the_model_is_told(answer: Any, sent: Any, text: str) -> None:
    seen: list[ApprovalRequest] = []

    def on_approval(request: ApprovalRequest) -> Any:
        seen.append(request)
        return answer

    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        mail = Mail()
        agent = Agent("x", name="clerk", tools=[mail.tool], on_approval=on_approval)
        out = await agent.execute("q", ctx)
        assert (out.text, out.success, mail.sent) == ("done", True, sent)
        assert told(provider).startswith(text)
        assert (seen[0].tool, seen[0].arguments) == ("send", {"to": "ann@example.com"})
        assert seen[0].path == ("clerk", "send")

    run([SEND, "done"], body)


def test_without_an_answerer_it_is_denied_and_the_model_told_why() -> None:
    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        mail = Mail()
        await Agent("x", tools=[mail.tool]).execute("q", ctx)
        assert mail.sent == []
        assert "nobody is there to approve it" in told(provider)
        await Agent("x", tools=[mail.tool], on_approval="deny").execute("q", ctx)
        assert "not given approvals" in told(provider, 3)

    run([SEND, "done", SEND, "done"], body)


def test_a_function_that_fails_has_not_approved() -> None:
    def on_approval(_: Any) -> Any:
        raise LLMSpellError("the pager is off")

    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        mail = Mail()
        await Agent("x", tools=[mail.tool], on_approval=on_approval).execute("q", ctx)
        assert mail.sent == []
        assert "on_approval failed: the pager is off" in told(provider)

    run([SEND, "done"], body)


def test_arguments_are_checked_before_anybody_is_asked() -> None:
    asked: list[Any] = []

    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        mail = Mail()
        agent = Agent("x", tools=[mail.tool], on_approval=noting(asked))
        await agent.execute("q", ctx)
        assert 'unknown field "recipient"' in told(provider)
        assert [one.arguments for one in asked] == [{"to": "ann@example.com"}]
        assert mail.sent == [("ann@example.com", 1)]

    run([tool_call("send", recipient="ann@example.com"), SEND, "done"], body)


def test_edited_arguments_are_checked_again_and_the_model_hears_of_them() -> None:
    answers = iter(
        [{"arguments": {"to": "bob@example.com", "times": "often"}}, {"edit": {"to": "bob"}}]
    )

    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        mail = Mail()
        agent = Agent("x", tools=[mail.tool], on_approval=lambda _: next(answers))
        await agent.execute("q", ctx)
        assert "the arguments were changed, and are wrong: send: times" in told(provider)
        assert mail.sent == [("bob", 1)]
        assert '{"to": "bob"}]\nsent to bob' in told(provider, 2)

    run([SEND, SEND, "done"], body)


def test_always_holds_for_the_run_and_for_no_other() -> None:
    asked: list[str] = []

    def on_approval(request: ApprovalRequest) -> Any:
        asked.append(request.tool)
        return "always"

    async def body(_: Any, __: Any) -> None:
        mail = Mail()
        agent = Agent("x", tools=[mail.tool], on_approval=on_approval)
        for _ in range(2):
            async with scripted_runtime(SEND, SEND, "done") as (runtime, _provider):
                await agent.execute("q", runtime.context())
        assert len(mail.sent) == 4
        assert asked == ["send", "send"]

    run([], body)


def test_two_runs_of_one_runtime_do_not_share_an_always() -> None:
    asked: list[str] = []

    def on_approval(request: ApprovalRequest) -> Any:
        asked.append(request.tool)
        return {"always": "run"}

    async def body(ctx: Any, _: Any) -> None:
        mail = Mail()
        agent = Agent("x", tools=[mail.tool], on_approval=on_approval)
        await agent.execute("q", ctx)
        await agent.execute("q", ctx.runtime.context())
        assert len(mail.sent) == 4
        assert len(asked) == 2

    run([SEND, SEND, "done", SEND, SEND, "done"], body)


def test_always_for_a_session_holds_in_later_runs_of_it() -> None:
    asked: list[str] = []

    def on_approval(request: ApprovalRequest) -> Any:
        asked.append(request.tool)
        return {"always": "session"}

    async def body(ctx: Any, _: Any) -> None:
        mail = Mail()
        agent = Agent("x", tools=[mail.tool], on_approval=on_approval)
        for session in ("monday", "monday", "tuesday"):
            await agent.execute("q", ctx.runtime.context(session_id=session))
        assert len(mail.sent) == 3
        assert len(asked) == 2

    run([SEND, "done"] * 3, body)


def test_a_function_decides_call_by_call() -> None:
    asked: list[ApprovalRequest] = []

    def only_outside(params: dict[str, Any]) -> Any:
        if params["to"] == "broken":
            raise KeyError("x")
        return "leaves the house" if params["to"].endswith("example.com") else False

    def on_approval(request: ApprovalRequest) -> Any:
        asked.append(request)
        return True

    async def body(ctx: Any, _: Any) -> None:
        mail = Mail(requires_approval=only_outside)
        await Agent("x", tools=[mail.tool], on_approval=on_approval).execute("q", ctx)
        assert [one[0] for one in mail.sent] == ["bob", "ann@example.com", "broken"]
        assert [one.reason for one in asked] == [
            "leaves the house",
            "requires_approval failed: KeyError",
        ]

    run([tool_call("send", to="bob"), SEND, tool_call("send", to="broken"), "done"], body)


def test_left_to_the_policy_only_the_policy_asks() -> None:
    async def body(ctx: Any, _: Any) -> None:
        mail = Mail(requires_approval="policy")
        await Agent("x", tools=[mail.tool], on_approval="deny").execute("q", ctx)
        assert len(mail.sent) == 1
        asking = ctx.policy.narrow(tools={"require_approval": ["send"]})
        agent = Agent("x", tools=[mail.tool], on_approval="deny")
        await agent.execute("q", ctx.child(policy=asking))
        assert len(mail.sent) == 1

    run([SEND, "done", SEND, "done"], body)


def test_what_is_hidden_stays_what_it_was_when_the_rest_is_edited() -> None:
    secret = "sk-" + "a1B2c3D4" * 5
    seen: list[Any] = []

    def on_approval(request: ApprovalRequest) -> Any:
        seen.append(request.arguments)
        return {"arguments": {**request.arguments, "times": 3}}

    async def body(ctx: Any, _: Any) -> None:
        ctx.runtime.redactor.add(secret)
        mail = Mail()
        await Agent("x", tools=[mail.tool], on_approval=on_approval).execute("q", ctx)
        assert secret not in str(seen)
        assert mail.sent == [(secret, 3)]

    run([tool_call("send", to=secret), "done"], body)


def test_the_time_a_person_takes_is_not_the_tools() -> None:
    async def on_approval(_: Any) -> bool:
        await asyncio.sleep(0.2)
        return True

    async def body(ctx: Any, provider: ScriptedProvider) -> None:
        mail = Mail(timeout_ms=100)
        agent = Agent("x", tools=[mail.tool], on_approval=on_approval, tool_timeout_ms=100)
        await agent.execute("q", ctx)
        assert len(mail.sent) == 1
        # But the run's own deadline is.
        hurried = Agent("x", tools=[mail.tool], on_approval=on_approval, timeout_ms=100)
        with pytest.raises(LLMSpellError) as error:
            await hurried.execute("q", ctx)
        assert error.value.code in ("agent.timeout", "timeout")
        assert len(mail.sent) == 1

    run([SEND, "done", SEND, "done"], body)


def test_an_event_tells_that_somebody_is_asked() -> None:
    async def body(ctx: Any, _: Any) -> None:
        heard = ctx.events.subscribe("approval.*")
        await Agent("x", name="clerk", tools=[Mail().tool]).execute("q", ctx)
        event = await ctx.events.receive(heard, 1000)
        assert event.type == "approval.requested"
        assert event.data["name"] == "send"
        assert event.data["arguments"] == {"to": "ann@example.com"}
        assert event.data["path"] == ["clerk", "send"]

    run([SEND, "done"], body)


def test_the_agent_nearest_to_the_call_answers_else_the_one_above() -> None:
    async def body(ctx: Any, _: Any) -> None:
        mail = Mail()
        who: list[str] = []

        def answers(name: str) -> Any:
            def answer(_: Any) -> bool:
                who.append(name)
                return True

            return answer

        plain = Agent("x", name="plain", tools=[mail.tool])
        own = Agent("x", name="own", tools=[mail.tool], on_approval=answers("own"))
        top = Agent("x", tools=[plain, own], on_approval=answers("top"))
        await top.execute("q", ctx)
        assert who == ["top", "own"]

    calls = [tool_call("plain", input="a"), SEND, "ok", tool_call("own", input="b"), SEND, "ok"]
    run([*calls, "done"], body)
