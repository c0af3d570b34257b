"""`BaseAgent`: what agents, tools and workflows have in common, and the ToolSet each may own."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

from llmspell_core.errors import NotFoundError, did_you_mean
from llmspell_core.messages import AgentInput, AgentOutput

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.tool import Tool, ToolResult

ComponentId = str
Kind = Literal["agent", "tool", "workflow"]


class ToolSet:
    """The tools that one component may use, by name."""

    def __init__(self, tools: list[Tool] | None = None) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools or []:
            self.add(tool)

    def add(self, tool: Tool) -> None:
        """Add a tool; one of the same name is replaced."""
        self._tools[tool.name] = tool

    def remove(self, name: str) -> bool:
        """Take a tool out; whether it was there."""
        return self._tools.pop(self._key(name), None) is not None

    def get(self, name: str) -> Tool:
        """The tool of this name, or `tool.not_found` naming the nearest."""
        try:
            return self._tools[self._key(name)]
        except KeyError:
            raise NotFoundError(
                f'unknown tool "{name}"',
                code="tool.not_found",
                hint=did_you_mean(name, list(self._tools)),
            ) from None

    def names(self) -> list[str]:
        """Their names, in the order they were added."""
        return [*self._tools]

    async def execute(
        self, name: str, params: dict[str, Any], ctx: ExecutionContext | None = None
    ) -> ToolResult:
        """Call one of them through the Runner."""
        return await self.get(name).call(params, ctx)

    def list(self) -> list[Tool]:
        """All of them, in the order they were added."""
        return [*self._tools.values()]

    def _key(self, name: str) -> str:
        return name if name in self._tools else name.replace("_", "-")

    def __contains__(self, name: str) -> bool:
        return self._key(name) in self._tools

    def __len__(self) -> int:
        return len(self._tools)


class BaseAgent(ABC):
    """Anything that can be run: implement `run`, callers use `execute`."""

    kind: ClassVar[Kind] = "agent"

    @property
    def resumable(self) -> bool:
        """Whether a run of it that paused can be done again from the journal."""
        return False

    def __init__(
        self, name: str, description: str = "", *, metadata: dict[str, Any] | None = None
    ) -> None:
        self.id: ComponentId = uuid.uuid4().hex
        self.name = name
        self.description = description
        self.metadata = metadata or {}
        self.tools = ToolSet()

    @abstractmethod
    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        """Do the work. Only the Runner calls this."""

    @final
    async def execute(self, input: Any = None, ctx: ExecutionContext | None = None) -> AgentOutput:
        """Run it through the Runner: hooks, events, policy, limits, deadline, tracing.

        `input` is a string, a table of `AgentInput` fields or an `AgentInput`. Without `ctx` the
        current run's context is used, else the default Runtime's.
        """
        from llmspell_core.context import in_context

        return await in_context(
            ctx, lambda found: found.runtime.runner.run(self, self.read_input(input), found)
        )

    def read_input(self, given: Any) -> AgentInput:
        """What `execute` was given, as the AgentInput that `run` gets."""
        return AgentInput.of(given)

    def schema_as_tool(self) -> dict[str, Any] | None:
        """JSON schema of what it takes as a tool; None: a text, or any value for a workflow."""
        return None

    def input_from_tool(self, params: dict[str, Any]) -> Any:
        """The input that such parameters mean; only called where there is a schema."""
        return params

    def __repr__(self) -> str:
        return f"{self.kind}({self.name})"
