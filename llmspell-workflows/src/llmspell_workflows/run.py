"""`Run`: what one run of a workflow has come to; `Frame`: what one step of it can see."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LLMSpellError, WorkflowError
from llmspell_core.workflow import StepResult
from llmspell_workflows.context import StepContext
from llmspell_workflows.expressions import Expression, Missing
from llmspell_workflows.observers import Observers
from llmspell_workflows.scope import Scope
from llmspell_workflows.templates import ABSENT, Node, Rendering, copied

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext


class Run:
    """One run: its input, shared data, step results and warnings."""

    def __init__(
        self,
        workflow: str,
        ctx: ExecutionContext,
        input: Any,
        *,
        shared: dict[str, Any],
        observers: Observers,
        strict: bool = False,
    ) -> None:
        self.id = uuid.uuid4().hex
        self.workflow = workflow
        self.ctx = ctx
        self.input = input
        self.shared = shared
        self.observers = observers
        self.strict = strict
        self.started = time.perf_counter()
        #: The latest result of each step, by name, and all of them in the order they ended.
        self.results: dict[str, StepResult] = {}
        self.steps: list[StepResult] = []
        #: What agents answered, by the agent's and by the step's name.
        self.agent_outputs: dict[str, Any] = {}
        self.warnings: list[str] = []
        self.current: str | None = None
        self.failed_step: str | None = None
        self.error: LLMSpellError | None = None
        self.scope = Scope(input, self.results, shared, self._read_state)

    def record(self, result: StepResult) -> None:
        """A step has ended."""
        self.results[result.name] = result
        self.steps.append(result)

    def fail(self, step: str | None, error: LLMSpellError) -> None:
        """The run has failed; the first failure is the one that counts."""
        if self.error is None:
            self.failed_step, self.error = step, error
        else:
            self.warn(f'step "{step}" failed too: {error.message}')

    def warn(self, text: str) -> None:
        """Add a warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def share(self, key: str, value: Any) -> None:
        """Write shared data; None takes the key out."""
        if value is None:
            self.shared.pop(key, None)
        else:
            self.shared[key] = copied(value)

    async def shared_value(self, key: str) -> Any:
        """Shared data, else State; None where neither has it."""
        if key in self.shared:
            return self.shared[key]
        value = await self._read_state(key)
        return None if value is Missing.UNKNOWN else value

    def elapsed_ms(self) -> float:
        """How long it has taken so far."""
        return (time.perf_counter() - self.started) * 1000

    async def _read_state(self, key: str) -> Any:
        # State holds no nulls: setting nil deletes.
        value = await self.ctx.state.get(key)
        return Missing.UNKNOWN if value is None else value


class Frame:
    """A step's view of the run: its context with its deadline, its names, its input."""

    __slots__ = ("ctx", "input", "run", "scope", "step")

    def __init__(
        self, run: Run, step: str, ctx: ExecutionContext, variables: Mapping[str, Any] | None = None
    ) -> None:
        self.run = run
        self.step = step
        self.ctx = ctx
        self.scope = run.scope.with_extra(variables) if variables else run.scope
        #: The step's own input, once it is known.
        self.input: Any = None

    async def context(self, function: Any, input: Any = None) -> StepContext:
        """The context to call `function` with; the run's input where none is given."""
        state: Mapping[str, Any] = {}
        # A script reads `shared_data` as a plain table, so State has to be in it beforehand.
        if getattr(function, "where", None) is not None:
            state = await self.ctx.state.all()
        return StepContext(self.run, self.step, self.run.input if input is None else input, state)

    async def render(self, node: Node, *, prefixed_only: bool = False) -> Any:
        """A value with its templates filled in; None where it is a skipped step's."""
        expressions = [*node.expressions()]
        if not expressions:
            return node.render(self._rendering(prefixed_only))
        await self.scope.prepare(expressions)
        value = node.render(self._rendering(prefixed_only))
        return None if value is ABSENT else value

    async def evaluate(self, expression: Expression) -> Any:
        """An expression's value, or `Missing`, of which a warning tells."""
        await self.scope.prepare([expression])
        value = expression.evaluate(self.scope.resolve)
        if isinstance(value, Missing):
            self._missing(expression, value)
        return value

    async def shared(self, key: str) -> Any:
        """Shared data, else State."""
        return await self.run.shared_value(key)

    def _rendering(self, prefixed_only: bool) -> Rendering:
        return Rendering(self.scope.resolve, self._missing, prefixed_only)

    def _missing(self, expression: Expression, why: Missing) -> None:
        source = expression.source
        if self.run.strict:
            raise WorkflowError(
                f"{source} has no value",
                code="workflow.template",
                hint='add | default("...") where that may be',
            )
        reason = "the step was skipped or failed" if why is Missing.NOT_RUN else "left as written"
        self.run.warn(f'step "{self.step}": {source} has no value: {reason}')


def names_of(results: Iterable[StepResult]) -> list[str]:
    """The names of these steps."""
    return [one.name for one in results]
