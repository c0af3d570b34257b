"""The tools of an agent: from what its configuration names to what a model is offered."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

from llmspell_agents.wire_names import WireNames
from llmspell_core.adapters import ComponentTool, component_of
from llmspell_core.canonical import canonical_schema
from llmspell_core.errors import ValidationError
from llmspell_core.names import canonical
from llmspell_core.provider import ToolDefinition
from llmspell_core.schema import describe
from llmspell_core.tool import FunctionTool, Tool

if TYPE_CHECKING:
    from collections.abc import Set

    from llmspell_core.component import ToolSet
    from llmspell_core.context import ExecutionContext
    from llmspell_core.security.policy import Policy

log = logging.getLogger("llmspell.agents")


async def make_tool(given: Any, ctx: ExecutionContext) -> Tool:
    """A tool from a name, a tool, an agent, a workflow, a table, or a typed function.

    Raises `tool.not_found` naming the nearest, `input.invalid`.
    """
    if isinstance(given, str):
        return ctx.overlay.tools.get(given)
    component = component_of(given)
    if component is not None:
        return component if isinstance(component, Tool) else ComponentTool(component)
    if isinstance(given, dict):
        made = component_of(await ctx.create("tool", given))
        if isinstance(made, Tool):
            return made
    elif inspect.isfunction(given) or inspect.ismethod(given):
        return FunctionTool(given)
    raise ValidationError(
        f"tools: a name, a tool, an agent, a workflow or a table is expected, not {describe(given)}"
    )


def check_names(tools: list[Tool], agent: str) -> None:
    """Raise `agent.tool_conflict`, naming both, where two tools have one name.

    `_` and `-` are the same in names of tools.
    """
    seen: dict[str, int] = {}
    for number, tool in enumerate(tools):
        first = seen.setdefault(canonical(tool.name), number)
        if first != number:
            one, other = _named(tools[first], first), _named(tool, number)
            raise ValidationError(
                f'agent {agent}: two tools are named "{tool.name}": {one} and {other}',
                code="agent.tool_conflict",
                hint="give one of them another name",
            )


def permitted(made: list[Tool], optional: Set[str], policy: Policy, agent: str) -> list[Tool]:
    """The tools without those optional ones that the policy forbids: one warning names them."""
    allowed = [one for one in made if one.name not in optional or policy.allows_tool(one)]
    if len(allowed) < len(made):
        names = ", ".join(one.name for one in made if one not in allowed)
        log.warning("agent %s goes without %s: profile %s", agent, names, policy.profile.name)
    return allowed


def _named(tool: Tool, number: int) -> str:
    about = tool.description.strip().partition("\n")[0]
    return f"tools.{number} {tool.name}" + (f" ({about})" if about else "")


class Offer:
    """The tools as a model is shown them; made again only when the set has changed.

    The definitions are sorted and their schemas canonical, whatever order the tools came in.
    """

    def __init__(self) -> None:
        self._tools: list[Tool] | None = None
        self.names = WireNames([])
        self.definitions: list[ToolDefinition] = []

    def update(self, tools: ToolSet) -> None:
        """Follow the set. Raises `agent.tool_conflict` when two names are one on the wire."""
        present = tools.list()
        if self._tools is not None and present == self._tools:
            return
        self.names = WireNames(present)
        self.definitions = [
            ToolDefinition(name, tool.description, canonical_schema(tool.schema()))
            for name, tool in sorted(self.names.items())
        ]
        self._tools = present
