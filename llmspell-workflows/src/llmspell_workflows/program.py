"""A specification, compiled: templates, conditions and strategies ready to run."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from llmspell_workflows.conditions import Test, compile_condition
from llmspell_workflows.expressions import Expression
from llmspell_workflows.spec import Retry, StepSpec, Strategy, WorkflowSpec
from llmspell_workflows.steps import StepRunner, make_runner
from llmspell_workflows.templates import Node, compile_value

_DEFAULT_JITTER = 0.25
_FAIL_FAST = Strategy.model_validate("fail_fast")


@dataclass(frozen=True, slots=True)
class OnFailure:
    """What happens when a step fails: how often it is tried, and whether the run goes on."""

    attempts: int = 1
    backoff_ms: float = 0.0
    multiplier: float = 1.0
    jitter: float = 0.0
    go_on: bool = False

    @classmethod
    def of(cls, step: StepSpec, workflow: WorkflowSpec) -> OnFailure:
        """The step's own strategy, else the workflow's; `retry` likewise."""
        strategy = step.error_strategy or workflow.error_strategy or _FAIL_FAST
        retry = step.retry or _retry_of(strategy) or workflow.retry
        go_on = strategy.type == "continue" or step.is_optional
        if retry is None:
            return cls(go_on=go_on)
        jitter = _DEFAULT_JITTER if retry.jitter is True else float(retry.jitter)
        return cls(retry.max_attempts, retry.backoff_ms, retry.multiplier, min(jitter, 1.0), go_on)

    def delay_ms(self, attempt: int) -> float:
        """How long to wait after this failed attempt (the first is 1), at most a minute."""
        delay = min(self.backoff_ms * self.multiplier ** min(attempt - 1, 100), 60_000.0)
        if self.jitter:
            delay *= random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311 - no secret
        return delay


def _retry_of(strategy: Strategy) -> Retry | None:
    names = ("max_attempts", "backoff_ms", "multiplier", "jitter")
    given = {name: getattr(strategy, name) for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    # Constructed: the values were checked as the strategy's.
    return Retry(**given) if given or strategy.type == "retry" else None


class Step:
    """One step, compiled."""

    def __init__(self, spec: StepSpec, workflow: WorkflowSpec, names: tuple[str, ...]) -> None:
        self.spec = spec
        self.name = spec.name
        self.type = spec.type
        self.runner: StepRunner = make_runner(spec, names)
        self.variables: Node | None = (
            compile_value(spec.variables, names) if spec.variables else None
        )
        self.output = _OutputRule(spec.output, names)
        self.when = None if spec.when is None else compile_condition(spec.when, names)
        self.skip_if = None if spec.skip_if is None else compile_condition(spec.skip_if, names)
        self.on_failure = OnFailure.of(spec, workflow)

    def tests(self) -> list[Test]:
        """Its conditions."""
        return [test for test in (self.when, self.skip_if) if test is not None]

    def expressions(self) -> Iterator[Expression]:
        """Every expression it holds."""
        yield from self.runner.expressions()
        if self.variables is not None:
            yield from self.variables.expressions()
        if self.output.node is not None:
            yield from self.output.node.expressions()
        for test in self.tests():
            yield from test.expressions


class _OutputRule:
    """What the `output` of a step says: a function, a template, or a name in the shared data."""

    def __init__(self, given: Any, names: Iterable[str]) -> None:
        self.function = given if callable(given) else None
        self.key: str | None = None
        self.node: Node | None = None
        if isinstance(given, str) and "{{" not in given:
            self.key = given
        elif given is not None and self.function is None:
            self.node = compile_value(given, names)


class Program:
    """All steps of a workflow, in the order they run."""

    def __init__(self, spec: WorkflowSpec) -> None:
        self.spec = spec
        for number, step in enumerate(spec.all_steps(), 1):
            step.name = step.name or f"step_{number}"
        self.names = tuple(step.name for step in spec.all_steps())
        self.when = None if spec.when is None else compile_condition(spec.when, self.names)
        self.before = self._compile(spec.pre_steps)
        self.steps = self._compile(spec.steps)
        self.after = self._compile(spec.post_steps)
        self.last = self._compile(spec.finally_)

    def _compile(self, steps: list[StepSpec]) -> list[Step]:
        return [Step(step, self.spec, self.names) for step in steps]

    @property
    def main(self) -> list[Step]:
        """The steps that run until one fails: all but the `finally` ones."""
        return [*self.before, *self.steps, *self.after]

    @property
    def all(self) -> list[Step]:
        """Every step."""
        return [*self.main, *self.last]
