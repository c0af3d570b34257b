"""A workflow in the shape of an agent, for hand-offs and `agent` steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspell_core.agent import Agent
from llmspell_core.messages import AgentInput, AgentOutput
from llmspell_core.workflow import Workflow

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext


class WorkflowAgent(Agent):
    """Answers with the output of a workflow, which gets the question as its input."""

    def __init__(
        self, workflow: Workflow, name: str | None = None, description: str | None = None
    ) -> None:
        super().__init__(name or workflow.name, description or workflow.description)
        self.workflow = workflow

    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        output = await ctx.run(self.workflow, input)
        return output.model_copy(update={"agent": self.name})
