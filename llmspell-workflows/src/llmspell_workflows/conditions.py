"""Conditions, compiled: what decides whether a step runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LLMSpellError, WorkflowError
from llmspell_core.tool import as_text
from llmspell_workflows.condition_spec import ConditionSpec
from llmspell_workflows.expressions import Expression, Missing
from llmspell_workflows.functions import call, truthy
from llmspell_workflows.scope import output_of
from llmspell_workflows.templates import compile_value, split

if TYPE_CHECKING:
    from llmspell_workflows.run import Frame

Check = Callable[["Frame"], Awaitable[bool]]

_YES = ("true", "yes", "1")
_ASK = "{prompt}\n\nAnswer with the single word true or false."


@dataclass(slots=True)
class Test:
    """A compiled condition, and what it refers to, for validation."""

    holds: Check
    expressions: list[Expression] = field(default_factory=list)
    step_names: list[str] = field(default_factory=list)
    agents: list[Any] = field(default_factory=list)


def compile_condition(given: Any, step_names: Iterable[str] = ()) -> Test:
    """Any form of condition as a `Test`."""
    names = tuple(step_names)
    if isinstance(given, ConditionSpec):
        return _TABLES[given.type](given, names)
    if isinstance(given, str):
        return _expression(given, names)
    if isinstance(given, bool):
        return _constant(given)
    return _function(given)


def _constant(value: bool) -> Test:
    async def holds(frame: Frame) -> bool:
        return value

    return Test(holds)


def _function(function: Any) -> Test:
    async def holds(frame: Frame) -> bool:
        value = await call(function, await frame.context(function, frame.input))
        return truthy(value, frame.ctx.language)

    return Test(holds)


def _expression(text: str, names: tuple[str, ...]) -> Test:
    parts = split(text, names)
    lone = parts[0] if len(parts) == 1 else None
    expression = lone if isinstance(lone, Expression) else Expression(text, names)

    async def holds(frame: Frame) -> bool:
        try:
            value = await frame.evaluate(expression)
        except LLMSpellError as error:
            raise WorkflowError(
                f"its condition: {error.message}", code="workflow.condition", hint=error.hint
            ) from error
        return not isinstance(value, Missing) and bool(value)

    return Test(holds, [expression])


def _shared_equals(spec: ConditionSpec, names: tuple[str, ...]) -> Test:
    wanted = compile_value(spec.value, names)

    async def holds(frame: Frame) -> bool:
        return bool(await frame.shared(str(spec.key)) == await frame.render(wanted))

    return Test(holds, [*wanted.expressions()])


def _shared_exists(spec: ConditionSpec, names: tuple[str, ...]) -> Test:
    async def holds(frame: Frame) -> bool:
        return await frame.shared(str(spec.key)) is not None

    return Test(holds)


def _shared_compares(spec: ConditionSpec, names: tuple[str, ...]) -> Test:
    wanted = compile_value(spec.value, names)

    async def holds(frame: Frame) -> bool:
        value, limit = await frame.shared(str(spec.key)), await frame.render(wanted)
        if value is None:
            return False
        try:
            more = value > limit
            return bool(more if spec.type == "shared_data_greater_than" else value < limit)
        except TypeError:
            raise WorkflowError(
                f'the condition {spec.type}: shared data "{spec.key}" and the value are not of '
                "one kind",
                code="workflow.condition",
                hint="compare numbers with numbers and texts with texts",
            ) from None

    return Test(holds, [*wanted.expressions()])


def _step_output(frame: Frame, spec: ConditionSpec) -> Any:
    found = frame.run.results.get(str(spec.step_name))
    return Missing.NOT_RUN if found is None else output_of(found)


def _output_equals(spec: ConditionSpec, names: tuple[str, ...]) -> Test:
    wanted = compile_value(spec.value, names)

    async def holds(frame: Frame) -> bool:
        return bool(_step_output(frame, spec) == await frame.render(wanted))

    return Test(holds, [*wanted.expressions()], [str(spec.step_name)])


def _output_contains(spec: ConditionSpec, names: tuple[str, ...]) -> Test:
    wanted = compile_value(spec.substring, names)

    async def holds(frame: Frame) -> bool:
        output = _step_output(frame, spec)
        if isinstance(output, Missing):
            return False
        return as_text(await frame.render(wanted)) in as_text(output)

    return Test(holds, [*wanted.expressions()], [str(spec.step_name)])


def _agent_says(spec: ConditionSpec, names: tuple[str, ...]) -> Test:
    prompt = compile_value(spec.prompt, names)

    async def holds(frame: Frame) -> bool:
        from llmspell_workflows.steps.agent import agent_of

        agent = await agent_of(spec.agent, frame.ctx)
        answer = await frame.ctx.run(agent, _ASK.format(prompt=await frame.render(prompt)))
        if isinstance(answer.data, bool):
            return answer.data
        return answer.text.strip().lower().lstrip("\"'*` ").startswith(_YES)

    return Test(holds, [*prompt.expressions()], agents=[spec.agent])


def _combined(spec: ConditionSpec, names: tuple[str, ...]) -> Test:
    tests = [compile_condition(one, names) for one in spec.conditions or []]
    stops_at = spec.type == "or"

    async def holds(frame: Frame) -> bool:
        for test in tests:
            if await test.holds(frame) is stops_at:
                return stops_at
        return not stops_at

    return _over(holds, tests)


def _negated(spec: ConditionSpec, names: tuple[str, ...]) -> Test:
    test = compile_condition(spec.condition, names)

    async def holds(frame: Frame) -> bool:
        return not await test.holds(frame)

    return _over(holds, [test])


def _over(holds: Check, tests: list[Test]) -> Test:
    return Test(
        holds,
        [one for test in tests for one in test.expressions],
        [one for test in tests for one in test.step_names],
        [one for test in tests for one in test.agents],
    )


_TABLES: dict[str, Callable[[ConditionSpec, tuple[str, ...]], Test]] = {
    "always": lambda spec, names: _constant(True),
    "never": lambda spec, names: _constant(False),
    "shared_data_equals": _shared_equals,
    "shared_data_exists": _shared_exists,
    "shared_data_greater_than": _shared_compares,
    "shared_data_less_than": _shared_compares,
    "step_output_equals": _output_equals,
    "step_output_contains": _output_contains,
    "agent_evaluates_true": _agent_says,
    "and": _combined,
    "or": _combined,
    "not": _negated,
    "custom": lambda spec, names: _function(spec.evaluate),
}
