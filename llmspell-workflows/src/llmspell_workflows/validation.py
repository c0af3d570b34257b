"""What can be seen to be wrong with a workflow before it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LLMSpellError, WorkflowError, did_you_mean
from llmspell_core.script.api import Result
from llmspell_workflows.conditions import Test
from llmspell_workflows.expressions import Expression
from llmspell_workflows.program import Program, Step

if TYPE_CHECKING:
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext


@dataclass(slots=True)
class Report:
    """`errors` keep it from running, `warnings` do not."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    #: The first error that came as one, with its own code and hint, and what stands before it.
    first: LLMSpellError | None = None
    where: str = ""

    def copy(self) -> Report:
        """A copy that can be added to."""
        return Report([*self.errors], [*self.warnings], self.first, self.where)

    @property
    def valid(self) -> bool:
        """Whether it may run."""
        return not self.errors

    def to_script(self) -> Result:
        """For scripts: `{valid, errors, warnings}`."""
        return Result(
            {"valid": self.valid, "errors": list(self.errors), "warnings": list(self.warnings)}
        )

    def add(self, where: str, error: LLMSpellError) -> None:
        """An error, with its hint."""
        self.errors.append(f"{where}{error.message}{f' ({error.hint})' if error.hint else ''}")
        if self.first is None:
            self.first, self.where = error, where


def check_program(program: Program) -> Report:
    """What is wrong with the specification itself, whoever runs it."""
    report = Report()
    if not program.all:
        report.errors.append("it has no steps")
    for name, count in Counter(program.names).items():
        if count > 1:
            report.errors.append(f'{count} steps are named "{name}": give each its own name')
    for text in _reference_errors(program):
        report.errors.append(text)
    for step in program.all:
        for expression in step.expressions():
            _check_expression(step.name, expression, report)
    if program.when is not None:
        for expression in program.when.expressions:
            _check_expression(program.spec.name, expression, report)
    _check_schema(program, report)
    return report


def check_components(program: Program, ctx: ExecutionContext, report: Report) -> None:
    """Add what is wrong with the tools, agents and workflows that the steps name.

    Where the failure of a step is allowed, a missing component is that step's failure.
    """
    for step in program.all:
        problem = step.runner.problem(ctx)
        if problem is None:
            problem = _agent_problem(step, ctx)
        if problem is None:
            continue
        if step.on_failure.go_on or step.spec.on_error is not None:
            report.warnings.append(f'step "{step.name}": {problem.message}')
        else:
            report.add(f'step "{step.name}": ', problem)


def refuse(name: str, report: Report) -> LLMSpellError:
    """The error for a workflow that may not run."""
    only = report.first if len(report.errors) == 1 else None
    if only is not None:
        return type(only)(
            f"workflow '{name}': {report.where}{only.message}",
            code=only.code,
            hint=only.hint,
            details={**only.details, "errors": list(report.errors)},
        )
    return WorkflowError(
        f"workflow '{name}': {'; '.join(report.errors)}",
        code="workflow.invalid",
        details={"errors": list(report.errors)},
    )


def first_problem(workflow: BaseAgent, ctx: ExecutionContext) -> LLMSpellError | None:
    """Why a nested workflow may not run; None for one that is none of ours."""
    check = getattr(workflow, "validate", None)
    if check is None:
        return None
    report = check(ctx)
    return None if report.valid else refuse(workflow.name, report)


def _agent_problem(step: Step, ctx: ExecutionContext) -> LLMSpellError | None:
    for agent in (one for test in step.tests() for one in test.agents):
        if isinstance(agent, str):
            try:
                ctx.overlay.agents.get(agent)
            except LLMSpellError as error:
                return error
    return None


def _check_expression(step: str, expression: Expression, report: Report) -> None:
    if any(one.root == "env" for one in expression.references):
        report.warnings.append(
            f'step "{step}": {expression.source}: templates never read the environment'
        )
    try:
        expression.compile()
    except LLMSpellError as error:
        report.add(f'step "{step}": ', error)


def _reference_errors(program: Program) -> Iterator[str]:
    earlier: list[str] = []
    if program.when is not None:
        yield from _wrong_names("the workflow's when", program.when.expressions, [], program)
        yield from _wrong_tests("the workflow's when", [program.when], [], program)
    for step in program.all:
        where = f'step "{step.name}"'
        yield from _wrong_names(where, step.expressions(), earlier, program)
        yield from _wrong_tests(where, step.tests(), earlier, program)
        earlier.append(step.name)


def _wrong_names(
    where: str, expressions: Any, earlier: list[str], program: Program
) -> Iterator[str]:
    for expression in expressions:
        for reference in expression.references:
            if reference.root == "steps" and reference.path:
                text = _wrong_step(str(reference.path[0]), earlier, program)
                if text:
                    yield f"{where}: {expression.source}: {text}"


def _wrong_tests(
    where: str, tests: list[Test], earlier: list[str], program: Program
) -> Iterator[str]:
    for name in (one for test in tests for one in test.step_names):
        text = _wrong_step(name, earlier, program)
        if text:
            yield f"{where}: its condition: {text}"


def _wrong_step(name: str, earlier: list[str], program: Program) -> str:
    if name in earlier:
        return ""
    if name in program.names:
        return f'step "{name}" cannot have run by then'
    near = did_you_mean(name, list(program.names))
    return f'there is no step "{name}"{f" ({near})" if near else ""}'


def _check_schema(program: Program, report: Report) -> None:
    if not program.spec.input_schema:
        return
    from llmspell_core.schema import check_schema, short_form

    try:
        check_schema(short_form(program.spec.input_schema), "input_schema")
    except LLMSpellError as error:
        report.add("", error)


def check_input(program: Program, input: Any) -> None:
    """Raise `input.invalid` when the input breaks the workflow's input_schema."""
    if not program.spec.input_schema:
        return
    from llmspell_core.errors import ValidationError
    from llmspell_core.schema import mistakes_text, schema_mistakes, short_form

    schema = short_form(program.spec.input_schema)
    # Input is optional: no input is a table without fields where a table is expected.
    value = {} if input is None and schema.get("type") == "object" else input
    mistakes = schema_mistakes(schema, value)
    if mistakes:
        raise ValidationError(
            f"workflow '{program.spec.name}': input: {mistakes_text(mistakes)}",
            details={"errors": mistakes},
        )
