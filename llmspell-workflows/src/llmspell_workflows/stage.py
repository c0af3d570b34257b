"""One attempt at one step: its input, the hooks around it, the work, what becomes of the output."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import DeadlineError, HookError
from llmspell_core.hooks import HookContext, HookResult
from llmspell_workflows.functions import call
from llmspell_workflows.program import Step
from llmspell_workflows.run import Frame
from llmspell_workflows.steps import Outcome

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_workflows.run import Run

BEFORE, AFTER = "before_workflow_stage", "after_workflow_stage"
MAX_HOOK_RETRIES = 3


class HookRetry(Exception):  # noqa: N818 - control flow of a `retry` answer
    """A hook asked for another attempt."""

    def __init__(self, delay_ms: float) -> None:
        self.delay_ms = delay_ms


async def attempt(step: Step, run: Run, number: int) -> Outcome:
    """Try a step once, within its own timeout; a failure is raised."""
    timeout_ms = step.spec.timeout_ms
    if timeout_ms is None:
        return await _attempt(step, run, run.ctx, number)
    ctx = run.ctx.child(deadline=run.ctx.within(timeout_ms))
    try:
        async with asyncio.timeout(timeout_ms / 1000) as scope:
            try:
                return await _attempt(step, run, ctx, number)
            except DeadlineError:
                # A component noticed the same deadline a moment earlier.
                if not _passed(ctx):
                    raise
                raise TimeoutError from None
    except TimeoutError as error:
        if not scope.expired() and not _passed(ctx):
            raise
        raise DeadlineError(
            f'step "{step.name}" took longer than {timeout_ms:g} ms',
            code="workflow.step_timeout",
            hint="raise its timeout_ms, or give it less to do",
        ) from error


def _passed(ctx: ExecutionContext) -> bool:
    return ctx.deadline is not None and time.monotonic() >= ctx.deadline


async def _attempt(step: Step, run: Run, ctx: ExecutionContext, number: int) -> Outcome:
    frame = Frame(run, step.name, ctx)
    if step.variables is not None:
        variables = await frame.render(step.variables)
        frame.scope = run.scope.with_extra(variables or {})
    frame.input = await step.runner.prepare(frame)
    hooks = ctx.hooks
    if hooks.active(BEFORE):
        seen = _seen(BEFORE, step, run, number, input=frame.input)
        decided = await _ask(seen, ctx)
        if decided.kind == "replace":
            return Outcome(decided.result, decided.result)
        frame.input = seen.input
    outcome = await step.runner.run(frame, frame.input)
    outcome = await _reshape(step, frame, outcome)
    if hooks.active(AFTER):
        seen = _seen(AFTER, step, run, number, input=frame.input, output=outcome.output)
        decided = await _ask(seen, ctx)
        if decided.kind == "replace":
            return Outcome(decided.result, outcome.result)
        outcome = Outcome(seen.output, outcome.result)
    return outcome


async def _reshape(step: Step, frame: Frame, outcome: Outcome) -> Outcome:
    rule = step.output
    if rule.function is not None:
        context = await frame.context(rule.function, frame.input)
        return Outcome(
            await call(rule.function, outcome.output, outcome.result, context), outcome.result
        )
    if rule.node is not None:
        from llmspell_workflows.scope import plain

        names = {"output": outcome.output, "result": plain(outcome.result)}
        frame.scope = frame.scope.with_extra({**frame.scope.extra, **names})
        return Outcome(await frame.render(rule.node), outcome.result)
    if rule.key is not None:
        frame.run.share(rule.key, outcome.output)
    return outcome


def _seen(point: str, step: Step, run: Run, number: int, **fields: Any) -> HookContext:
    ctx = run.ctx
    return HookContext(
        point=point,
        component=run.workflow,
        component_id=run.id,
        operation=step.name,
        metadata={"step": step.name, "type": step.type, "attempt": number},
        correlation_id=ctx.correlation_id,
        language=ctx.language,
        state=ctx.state_scope,
        duration_ms=run.elapsed_ms(),
        **fields,
    )


async def _ask(seen: HookContext, ctx: ExecutionContext) -> HookResult:
    decided = await ctx.hooks.run(seen.point, seen)
    if decided.kind == "cancel":
        raise HookError(
            f'step "{seen.operation}": {decided.reason or "cancelled by a hook"}',
            details={"point": seen.point, "reason": decided.reason},
        )
    if decided.kind == "retry":
        raise HookRetry(decided.delay_ms)
    return decided
