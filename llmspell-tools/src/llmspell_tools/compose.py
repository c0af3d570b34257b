"""Tools made of tools: one after the other (`Tool.pipe`), and side by side (`Tool.parallel`)."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmspell_core.adapters import ComponentTool, component_of
from llmspell_core.errors import LLMSpellError, ToolFailed, ValidationError, did_you_mean
from llmspell_core.schema import describe
from llmspell_core.tool import LEVELS, Tool, ToolResult
from llmspell_tools.script_tool import as_result, raise_signal, tool_name

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext, ToolContext

_MOST_STEPS = 100
_OPTIONS = ("name", "description")


@dataclass(slots=True)
class Step:
    """One part of a composition: a tool with parameters of its own, or a function."""

    label: str
    tool: Tool | None = None
    function: Callable[..., Any] | None = None
    params: dict[str, Any] = field(default_factory=dict)

    async def run(self, params: dict[str, Any], ctx: ExecutionContext) -> ToolResult:
        """Call the tool, or the function with `params["input"]` or all of them."""
        if self.tool is not None:
            return await self.tool.call(params, ctx)
        value = params["input"] if [*params] == ["input"] else params
        try:
            made = self.function(value) if self.function else None
            if inspect.isawaitable(made):
                made = await made
        except LLMSpellError as error:
            raise_signal(error)
        return as_result(self.label, made)


def find_tool(given: Any, ctx: ExecutionContext) -> Tool:
    """The tool of a name, a tool object, an agent or a workflow."""
    if isinstance(given, str):
        return ctx.overlay.tools.get(given)
    component = component_of(given)
    if isinstance(component, Tool):
        return component
    if component is not None:
        return ComponentTool(component)
    raise ValidationError(
        f"a tool's name or a tool object is expected, not {describe(given)}",
        hint='such as "calculator", or what Tool.get gives',
    )


def read_step(given: Any, ctx: ExecutionContext, where: str) -> Step:
    """A step from a name, a tool, an agent, a workflow, a function or `{tool, params}`."""
    try:
        if isinstance(given, dict):
            return _read_table(given, ctx, where)
        if not isinstance(given, str) and component_of(given) is None and callable(given):
            return Step("function", function=given)
        tool = find_tool(given, ctx)
    except ValidationError as error:
        error.message = f"{where}: {error.message}"
        error.args = (error.message,)
        raise
    return Step(tool.name, tool)


def _read_table(given: dict[str, Any], ctx: ExecutionContext, where: str) -> Step:
    known = {"tool": "tool", "params": "params", "parameters": "params", "input": "input"}
    for key in given:
        if key not in known:
            near = did_you_mean(key, list(known))
            raise ValidationError(f'unknown field "{key}"' + (f", {near}" if near else ""))
    if "tool" not in given:
        raise ValidationError("tool is required")
    params = given.get("params", given.get("parameters")) or {}
    if not isinstance(params, dict):
        raise ValidationError(f"params must be a table, not {describe(params)}")
    step = read_step(given["tool"], ctx, where)
    step.params = {**params, **({"input": given["input"]} if "input" in given else {})}
    return step


def read_steps(
    given: Any, ctx: ExecutionContext, what: str
) -> tuple[dict[str, Step], dict[str, Any]]:
    """Steps by name, and the options `name` and `description` of a composition."""
    options: dict[str, Any] = {}
    if isinstance(given, dict) and "steps" in given:
        options = {key: given[key] for key in _OPTIONS if key in given}
        unknown = given.keys() - {*_OPTIONS, "steps"}
        if unknown:
            raise ValidationError(f'{what}: unknown field "{min(unknown)}"')
        given = given["steps"]
    if isinstance(given, dict):
        pairs: Iterable[tuple[str, Any]] = given.items()
    elif isinstance(given, list):
        pairs = ((str(index), one) for index, one in enumerate(given, 1))
    else:
        raise ValidationError(f"{what}: a list of tools is expected, not {describe(given)}")
    steps = {key: read_step(one, ctx, f"{what} step {key}") for key, one in pairs}
    if not 1 <= len(steps) <= _MOST_STEPS:
        raise ValidationError(f"{what}: 1 to {_MOST_STEPS} steps are expected, not {len(steps)}")
    return steps, options


class _Composition(Tool):
    """What both have in common: they are as dangerous as their most dangerous part."""

    category = "composition"
    #: The parts have deadlines of their own.
    timeout_ms = 0

    def __init__(self, name: str, description: str, steps: list[Step]) -> None:
        super().__init__(name, description)
        self.steps = steps
        tools = [step.tool for step in steps if step.tool is not None]
        levels = [tool.security_level for tool in tools]
        self.security_level = max(levels, key=LEVELS.index, default="safe")
        self.destructive = any(tool.destructive for tool in tools)
        self.open_world = any(tool.open_world for tool in tools)

    def validate(self, params: dict[str, Any]) -> dict[str, Any]:
        # Each part checks its own.
        return params


class PipeTool(_Composition):
    """Runs its steps in order; the output of each is the `input` of the next."""

    def __init__(self, steps: list[Step], name: str = "", description: str = "") -> None:
        labels = " > ".join(step.label for step in steps)
        made = tool_name(name) if name else "pipe"
        super().__init__(
            made, description or f"Runs {labels}, each on what the one before gave", steps
        )

    def schema(self) -> dict[str, Any]:
        first = self.steps[0]
        if first.tool is None:
            return {"type": "object", "properties": {"input": {}}}
        schema = dict(first.tool.schema())
        required = [name for name in schema.get("required", []) if name not in first.params]
        return {**schema, "required": required}

    async def run_tool(self, params: dict[str, Any], ctx: ToolContext) -> ToolResult:
        trace = []
        result = ToolResult()
        for index, step in enumerate(self.steps):
            first = index == 0
            arguments = {**step.params, **params} if first else hand_over(step, result.output)
            result = await step.run(arguments, ctx)
            trace.append(
                {"tool": step.label, "duration_ms": result.metadata.get("execution_time_ms")}
            )
        return ToolResult(
            result.result,
            output=result.output,
            text=result.text,
            metadata={"steps": trace},
            artifacts=result.artifacts,
        )


def hand_over(step: Step, value: Any) -> dict[str, Any]:
    """The parameters of a step that gets the output of the one before, its type kept."""
    params = dict(step.params)
    if step.tool is None:
        return {"input": value}
    if "input" in params or value is None:
        return params
    schema = step.tool.schema()
    properties = schema.get("properties", {})
    if "input" in properties or (not properties and not isinstance(value, dict)):
        return {**params, "input": value}
    if isinstance(value, dict):
        return {**value, **params}
    missing = [name for name in schema.get("required", properties) if name not in params]
    if len(missing) != 1:
        raise ToolFailed(
            f"pipe: {step.label} has no parameter input that could take {describe(value)}",
            hint="put a function between them that returns the parameters",
        )
    return {**params, missing[0]: value}


class ParallelTool(_Composition):
    """Runs its steps at once, all with the same parameters; gives a map of results."""

    def __init__(self, steps: dict[str, Step], name: str = "", description: str = "") -> None:
        self.by_name = steps
        made = tool_name(name) if name else "parallel"
        text = description or f"Runs {', '.join(step.label for step in steps.values())} at once"
        super().__init__(made, text, list(steps.values()))

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {"input": {}}}

    async def run_tool(self, params: dict[str, Any], ctx: ToolContext) -> ToolResult:
        alone = {key: s for key, s in self.by_name.items() if s.tool and s.tool.sequential}
        results: dict[str, ToolResult] = {}
        tasks = {
            key: asyncio.ensure_future(step.run(_arguments(step, params), ctx))
            for key, step in self.by_name.items()
            if key not in alone
        }
        try:
            for key, task in tasks.items():
                results[key] = await task
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
        for key, step in alone.items():
            results[key] = await step.run(_arguments(step, params), ctx)
        ordered = {key: results[key] for key in self.by_name}
        return ToolResult(
            {key: result.to_dict() for key, result in ordered.items()},
            output={key: result.output for key, result in ordered.items()},
            text="\n".join(f"{key}: {result.text}" for key, result in ordered.items()),
        )


def _arguments(step: Step, params: dict[str, Any]) -> dict[str, Any]:
    return {**params, **step.params}


def named(steps: dict[str, Step]) -> dict[str, Step]:
    """Steps of a list under the names of their tools, numbered where two are the same."""
    found: dict[str, Step] = {}
    for step in steps.values():
        key, number = step.label, 2
        while key in found:
            key, number = f"{step.label}-{number}", number + 1
        found[key] = step
    return found


def pipe(given: Any, ctx: ExecutionContext) -> PipeTool:
    """`Tool.pipe{...}`."""
    steps, options = read_steps(given, ctx, "Tool.pipe")
    return PipeTool(list(steps.values()), **options)


def parallel(given: Any, ctx: ExecutionContext) -> ParallelTool:
    """`Tool.parallel{...}`: a map keeps its names, a list is named by its tools."""
    steps, options = read_steps(given, ctx, "Tool.parallel")
    inner = given["steps"] if isinstance(given, dict) and "steps" in given else given
    return ParallelTool(steps if isinstance(inner, dict) else named(steps), **options)
