"""Components in the shape of another kind: an agent or a workflow as a tool."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from llmspell_core.component import BaseAgent
from llmspell_core.errors import AgentError
from llmspell_core.messages import AgentInput
from llmspell_core.names import canonical
from llmspell_core.schema import schema_mistakes
from llmspell_core.tool import Tool, ToolParameters, ToolResult, invalid_parameters

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext


def component_of(value: Any) -> BaseAgent | None:
    """The component that a value is, or that a script's host object stands for; else None."""
    if isinstance(value, BaseAgent):
        return value
    found = getattr(value, "component", None)
    return found if isinstance(found, BaseAgent) else None


class TextInput(ToolParameters):
    """The parameters of an agent as a tool."""

    aliases: ClassVar[dict[str, str]] = {"prompt": "input", "query": "input"}

    input: str = Field(description="what it is asked, with everything it needs to know")


class AnyInput(ToolParameters):
    """The parameters of a workflow as a tool."""

    input: Any = Field(None, description="the input of the workflow")


class ComponentTool(Tool):
    """An agent or a workflow that models and scripts call like a tool.

    It runs inside the caller's run: the same account, deadline, policy and approver hold. It has
    no part in the caller's conversation, and what it answers is untrusted. A circle, and more
    than five of them in each other, is `agent.too_deep`.

    Args:
        component: the agent or the workflow
        name: the tool's name; made from the component's when left out
        description: what a model reads; the component's when left out
    """

    category = "component"
    untrusted = True
    #: Its own deadline and the caller's are what bounds a nested run.
    timeout_ms = 0
    #: What it runs has its own end.
    grace_ms = 0

    def __init__(
        self, component: BaseAgent, name: str | None = None, description: str | None = None
    ) -> None:
        made = name or tool_name(component.name)
        super().__init__(made, description or component.description or _describe(component))
        self.wrapped = component
        self.Parameters = TextInput if component.kind == "agent" else AnyInput

    def schema(self) -> dict[str, Any]:
        return self.wrapped.schema_as_tool() or super().schema()

    def validate(self, params: dict[str, Any]) -> Any:
        schema = self.wrapped.schema_as_tool()
        if schema is None:
            return super().validate(params)
        properties = schema.get("properties", {})
        if set(params) == {"input"} and "input" not in properties:
            # As of a component without a schema of its own.
            params = params["input"] if isinstance(params["input"], dict) else params
        mistakes = schema_mistakes(schema, params)
        if mistakes:
            raise invalid_parameters(self.name, mistakes)
        return params

    async def run_tool(self, params: Any, ctx: ToolContext) -> ToolResult:
        self._check_depth(ctx)
        if isinstance(params, dict):
            given = self.wrapped.input_from_tool(params)
        else:
            given = params.input
            if not isinstance(given, (str, dict)):
                given = AgentInput(value=given)
        output = await ctx.child(nested=ctx.nested + 1).run(self.wrapped, given)
        return ToolResult(
            output.model_dump(include={"text", "data", "success", "agent"}),
            output=output.text if output.data is None else output.data,
            text=output.text,
            success=output.success,
            error=output.error,
            metadata={"agent": output.agent} if output.agent else {},
        )

    def _check_depth(self, ctx: ToolContext) -> None:
        # Names of tools made of components repeat those of the components.
        chain = [name for at, name in enumerate(ctx.path) if at == 0 or name != ctx.path[at - 1]]
        if self.wrapped.id in ctx.lineage:
            raise AgentError(
                f"{self.name}: {self.wrapped.name} is running already: {' > '.join(chain)}",
                code="agent.too_deep",
                hint="take one of these tools away: they call each other in a circle",
                details={"path": [*ctx.path], "circle": True},
            )
        if ctx.nested >= ctx.max_nested:
            raise AgentError(
                f"{self.name}: no more than {ctx.max_nested} agents may be tools of each other: "
                + " > ".join(chain),
                code="agent.too_deep",
                hint="raise max_recursion_depth, or let one agent do more itself",
                details={"path": [*ctx.path], "circle": False},
            )


def tool_name(name: str) -> str:
    """A component's name as a tool's: kebab-case, without spaces."""
    return re.sub(r"[\s-]+", "-", canonical(name.strip()))


def _describe(component: BaseAgent) -> str:
    return f"Ask the {component.kind} {component.name}."
