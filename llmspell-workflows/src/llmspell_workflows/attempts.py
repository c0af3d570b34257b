"""One step from its condition to its result: attempts, waiting, and who decides on a failure."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import HookError, LLMSpellError, PolicyError, WorkflowError, error_data
from llmspell_core.workflow import StepResult
from llmspell_workflows.program import Step
from llmspell_workflows.run import Frame
from llmspell_workflows.stage import MAX_HOOK_RETRIES, HookRetry, attempt
from llmspell_workflows.steps import Outcome

if TYPE_CHECKING:
    from llmspell_workflows.run import Run

#: `on_error` may ask for another attempt this often.
MAX_ASKED_RETRIES = 100

#: Codes of failures that another attempt would only repeat.
_FINAL = frozenset({"agent.limit_exceeded", "agent.too_deep", "cancelled", "workflow.invalid"})

log = logging.getLogger("llmspell.workflow")


class Attempts:
    """The attempts at one step of one run."""

    __slots__ = ("asked", "by_hooks", "number", "run", "skipped_by", "started", "step")

    def __init__(self, step: Step, run: Run) -> None:
        self.step = step
        self.run = run
        self.number = 0
        self.asked = 0
        self.by_hooks = 0
        #: The condition because of which it is not tried at all.
        self.skipped_by: str | None = None
        self.started = time.perf_counter()

    async def result(self) -> StepResult:
        """The step's result; its failure is a result too."""
        try:
            if await self._skipped():
                return self._done(None, None, skipped=True)
            while True:
                self.number += 1
                try:
                    outcome = await attempt(self.step, self.run, self.number)
                except HookRetry as again:
                    await self._again_by_hook(again)
                    continue
                except Exception as error:  # noqa: BLE001 - any failure is the step's
                    found = self._as_error(error)
                    decided = await self._after_failure(found)
                    if decided is None:
                        continue
                    outcome = decided
                return self._done(outcome.output, outcome.result)
        except _GivenUp as end:
            return self._failed(end.error)
        except Exception as error:  # noqa: BLE001 - of a condition, say
            return self._failed(self._as_error(error))

    async def _skipped(self) -> bool:
        step = self.step
        if step.when is None and step.skip_if is None:
            return False
        frame = Frame(self.run, step.name, self.run.ctx)
        if step.when is not None and not await step.when.holds(frame):
            self.skipped_by = "when"
        elif step.skip_if is not None and await step.skip_if.holds(frame):
            self.skipped_by = "skip_if"
        return self.skipped_by is not None

    async def _again_by_hook(self, again: HookRetry) -> None:
        self.by_hooks += 1
        if self.by_hooks > MAX_HOOK_RETRIES:
            raise HookError(
                f'step "{self.step.name}": hooks asked for more than {MAX_HOOK_RETRIES} retries',
                code="hook.retries",
            )
        await asyncio.sleep(again.delay_ms / 1000)

    async def _after_failure(self, error: LLMSpellError) -> Outcome | None:
        """None: try again; an Outcome: `on_error` has settled it; else `_GivenUp`."""
        answer = await self._ask_on_error(error)
        if answer.get("retry") is True and self.asked < MAX_ASKED_RETRIES:
            self.asked += 1
            await self._announce(error)
            return None
        if isinstance(answer.get("success"), bool):
            if answer["success"]:
                return Outcome(answer.get("output"), answer)
            raise _GivenUp(error)
        policy = self.step.on_failure
        if self.number - self.asked >= policy.attempts or not _worth_repeating(error):
            raise _GivenUp(error)
        await self._announce(error)
        delay = policy.delay_ms(self.number - self.asked)
        if delay:
            await asyncio.sleep(delay / 1000)
        return None

    async def _ask_on_error(self, error: LLMSpellError) -> dict[str, Any]:
        function = self.step.spec.on_error
        if function is None:
            return {}
        answer = await self.run.observers.observe("on_error", function, error)
        return answer if isinstance(answer, dict) else {}

    async def _announce(self, error: LLMSpellError) -> None:
        if self.step.spec.on_retry is not None:
            await self.run.observers.observe(
                "on_retry", self.step.spec.on_retry, self.number, error
            )

    def _as_error(self, error: Exception) -> LLMSpellError:
        if isinstance(error, LLMSpellError):
            return error
        log.debug("step %s raised", self.step.name, exc_info=error)
        data = error_data(error)
        return WorkflowError(
            self.run.ctx.runtime.redactor.text(data["message"]),
            code="workflow.step_failed",
            details={"exception": type(error).__name__},
        )

    def _done(self, output: Any, result: Any, *, skipped: bool = False) -> StepResult:
        return StepResult.model_construct(
            name=self.step.name,
            type=self.step.type,
            success=True,
            output=output,
            result=result,
            error=None,
            attempts=self.number,
            duration_ms=(time.perf_counter() - self.started) * 1000,
            skipped=skipped,
        )

    def _failed(self, error: LLMSpellError) -> StepResult:
        made = self._done(None, getattr(error, "result", None))
        made.success = False
        made.error = error.to_dict()
        return made


class _GivenUp(Exception):  # noqa: N818 - control flow
    """The step has failed for good."""

    def __init__(self, error: LLMSpellError) -> None:
        self.error = error


def _worth_repeating(error: LLMSpellError) -> bool:
    """Whether another attempt could end differently: what is forbidden stays forbidden."""
    if isinstance(error, (PolicyError, HookError)):
        return False
    return error.code not in _FINAL
