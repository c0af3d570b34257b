"""Runs a program: the steps in order until one fails, compensation, and the steps at the end."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import DeadlineError, LLMSpellError, WorkflowError, error_data
from llmspell_core.workflow import StepResult
from llmspell_workflows.attempts import Attempts
from llmspell_workflows.checkpoints import checkpoint
from llmspell_workflows.functions import call
from llmspell_workflows.program import Program, Step
from llmspell_workflows.run import Frame, Run
from llmspell_workflows.tracing import traced_step

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

#: How long `finally` steps may take after the run was cancelled from outside, in ms.
GRACE_MS = 1000

log = logging.getLogger("llmspell.workflow")


class Interpreter:
    """Runs one program once; what it comes to is in the Run."""

    def __init__(self, program: Program, run: Run) -> None:
        self.program = program
        self.run = run
        self.outer: ExecutionContext = run.ctx

    async def execute(self) -> None:
        """Run it; only a cancellation from outside is raised."""
        run = self.run
        try:
            if not await self._wanted():
                return
            await self._main()
        except asyncio.CancelledError:
            await self._last(GRACE_MS)
            raise
        run.ctx = self.outer
        if run.error is not None:
            await self._compensate()
        await self._last(None)

    async def _wanted(self) -> bool:
        """Whether the workflow's own condition holds; without it every step is skipped."""
        test, run = self.program.when, self.run
        if test is None or await test.holds(Frame(run, run.workflow, run.ctx)):
            return True
        for step in self.program.all:
            run.record(StepResult(name=step.name, type=step.type, skipped=True, attempts=0))
        return False

    async def _main(self) -> None:
        timeout_ms, run = self.program.spec.timeout_ms, self.run
        if timeout_ms is None:
            await self._sequence(self.program.main)
            return
        run.ctx = self.outer.child(deadline=self.outer.within(timeout_ms))
        try:
            async with asyncio.timeout(timeout_ms / 1000) as scope:
                await self._sequence(self.program.main)
        except TimeoutError as error:
            if not scope.expired():
                raise
            await self._timed_out(error)

    async def _timed_out(self, cause: BaseException) -> None:
        run, timeout_ms = self.run, self.program.spec.timeout_ms
        found = DeadlineError(
            f"it took longer than {timeout_ms:g} ms",
            code="workflow.timeout",
            hint="raise timeout_ms, or give it less to do",
        )
        found.__cause__ = cause
        run.fail(run.current, found)
        if run.current is not None and run.current not in run.results:
            step = next(one for one in self.program.all if one.name == run.current)
            result = StepResult(
                name=step.name, type=step.type, success=False, error=found.to_dict()
            )
            run.record(result)
            self._emit("failed", step, error=found.to_dict())
        await run.observers.tell("on_timeout")

    async def _sequence(self, steps: list[Step]) -> None:
        for step in steps:
            if self._late():
                await self._timed_out(TimeoutError())
                return
            if not await self._step(step):
                return

    def _late(self) -> bool:
        # A timeout interrupts waiting only; between steps that never wait it is looked at.
        deadline = self.run.ctx.deadline
        if self.program.spec.timeout_ms is None or deadline is None:
            return False
        return time.monotonic() >= deadline

    async def _step(self, step: Step) -> bool:
        """Run one step and tell of it; whether the run may go on."""
        run = self.run
        run.current = step.name
        self._emit("started", step)
        await run.observers.tell("on_step_start", step.name)
        result = await traced_step(Attempts(step, run))
        run.record(result)
        run.current = None
        if not result.success:
            return await self._failed(step, result)
        self._emit(
            "completed",
            step,
            duration_ms=result.duration_ms,
            attempts=result.attempts,
            skipped=result.skipped,
        )
        if not result.skipped:
            if step.spec.on_complete is not None:
                await run.observers.observe("on_complete", step.spec.on_complete, result)
            await run.observers.tell("on_step_complete", step.name, result)
            stopped = await checkpoint(step, result, run)
            if stopped is not None:
                run.fail(step.name, stopped)
                return False
        return True

    async def _failed(self, step: Step, result: StepResult) -> bool:
        run = self.run
        error = error_of(result)
        self._emit(
            "failed",
            step,
            error=result.error,
            duration_ms=result.duration_ms,
            attempts=result.attempts,
        )
        await run.observers.tell("on_error", error, step.name)
        if step.on_failure.go_on:
            run.warn(f'step "{step.name}" failed, the run went on: {error.message}')
            return True
        run.fail(step.name, error)
        return False

    async def _compensate(self) -> None:
        """Undo the finished steps, the latest first; one that cannot be undone stops no other."""
        run = self.run
        done = {one.name for one in run.steps if one.success and not one.skipped}
        for step in reversed(self.program.main):
            function = step.spec.compensate
            if function is None or step.name not in done:
                continue
            try:
                frame = Frame(run, step.name, run.ctx)
                await call(function, await frame.context(function))
            except Exception as error:  # noqa: BLE001 - the others must be undone as well
                message = error_data(error)["message"]
                run.warn(f'step "{step.name}" could not be compensated: {message}')
                log.warning("step %s could not be compensated: %s", step.name, message)

    async def _last(self, grace_ms: float | None) -> None:
        """The `finally` steps: each runs, whatever became of the others."""
        if not self.program.last:
            return
        if grace_ms is None:
            for step in self.program.last:
                await self._step(step)
            return
        # The run's own deadline may be what has passed.
        self.run.ctx = self.outer.child(deadline=time.monotonic() + grace_ms / 1000)
        try:
            async with asyncio.timeout(grace_ms / 1000):
                for step in self.program.last:
                    await self._step(step)
        except TimeoutError:
            log.warning(
                "workflow %s: its finally steps took longer than %d ms after it was cancelled",
                self.run.workflow,
                grace_ms,
            )

    def _emit(self, what: str, step: Step, **data: Any) -> None:
        run = self.run
        run.ctx.events.emit(
            f"workflow.step.{what}",
            {
                "workflow": run.workflow,
                "execution_id": run.id,
                "step": step.name,
                "type": step.type,
                **data,
            },
            correlation_id=run.ctx.correlation_id,
            language=run.ctx.language,
        )


def error_of(result: StepResult) -> LLMSpellError:
    """A failed step's error, as an object again."""
    data = result.error or {}
    return WorkflowError(
        str(data.get("message", "failed")),
        code=data.get("code"),
        hint=data.get("hint"),
        details=data.get("details"),
        retryable=data.get("retryable"),
        source=data.get("source"),
        stack=data.get("stack"),
    )
