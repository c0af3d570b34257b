"""What is evaluated, as one function of a case: an agent, a workflow, a tool or a script."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from llmspell_bridge.evaluation.results import Answer
from llmspell_core.messages import AgentInput

if TYPE_CHECKING:
    from llmspell_bridge.evaluation.places import Places
    from llmspell_bridge.evaluation.suite import Case, Suite
    from llmspell_core.context import ExecutionContext
    from llmspell_core.messages import AgentOutput

Target = Callable[["Case", "ExecutionContext"], Awaitable[Answer]]


async def target_of(suite: Suite, places: Places) -> Target:
    """The suite's target, made once. Raises what is wrong with it before anything runs."""
    return await _MAKERS[suite.target](suite, places)


async def _agent(suite: Suite, places: Places) -> Target:
    agent = await _made_agent(suite, places)

    async def run(case: Case, ctx: ExecutionContext) -> Answer:
        return of_output(await agent.execute(case.input, ctx))

    return run


async def _made_agent(suite: Suite, places: Places) -> Any:
    subject = suite.subject
    model = {"model": suite.model} if suite.model else {}
    if isinstance(subject, dict):
        return await places.agent({**model, **subject})
    overlay = places.context().overlay
    known = overlay.agents.entry(subject)
    if known is not None and not overlay.templates.has(subject):
        return known.load()
    return await places.agent({"extends": subject, **model})


async def _workflow(suite: Suite, places: Places) -> Target:
    ctx, subject = places.context(), suite.subject
    if isinstance(subject, str) and (places.folder / subject).is_file():
        subject = str((places.folder / subject).absolute())
    known = ctx.overlay.workflows.entry(subject) if isinstance(subject, str) else None
    workflow = known.load() if known else await ctx.create("workflow", subject)

    async def run(case: Case, ctx: ExecutionContext) -> Answer:
        given = case.input
        if not isinstance(given, (str, dict)):
            given = AgentInput(value=given)
        return of_output(await workflow.execute(given, ctx))

    return run


async def _tool(suite: Suite, places: Places) -> Target:
    tool = places.context().overlay.tools.get(suite.subject)

    async def run(case: Case, ctx: ExecutionContext) -> Answer:
        given = case.input if isinstance(case.input, dict) else {"input": case.input}
        result = await tool.call(given, ctx)
        return Answer(
            text=result.text,
            data=result.output,
            calls=[(tool.name, given)],
            error=None if result.success else result.error,
        )

    return run


async def _script(suite: Suite, places: Places) -> Target:
    path = places.folder / suite.subject

    async def run(case: Case, ctx: ExecutionContext) -> Answer:
        result, printed = await places.script(path, case.input, suite.timeout_ms)
        ctx.account.charge_usage(result.usage)
        return _of_value(result.value, printed)

    return run


_MAKERS = {"agent": _agent, "workflow": _workflow, "tool": _tool, "script": _script}


def of_output(output: AgentOutput) -> Answer:
    """What an agent or a workflow gave."""
    return Answer(
        text=output.text,
        data=output.data,
        calls=[(call.name, call.arguments) for call in output.tool_calls],
        handoffs=[*output.handoff],
        error=None if output.success else output.error or {"message": "it did not succeed"},
    )


def _of_value(value: Any, printed: str) -> Answer:
    """What a script returned: an agent's output, a text, data, or only what it printed."""
    if isinstance(value, dict) and isinstance(value.get("tool_calls"), list) and "text" in value:
        calls = [(str(one["name"]), one.get("arguments") or {}) for one in value["tool_calls"]]
        handoffs = [str(one) for one in value.get("handoff") or ()]
        return Answer(
            text=str(value["text"]), data=value.get("data"), calls=calls, handoffs=handoffs
        )
    if value is None:
        return Answer(text=printed.removesuffix("\n"))
    if isinstance(value, str):
        return Answer(text=value)
    return Answer(text=json.dumps(value, ensure_ascii=False), data=value)
