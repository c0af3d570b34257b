"""A step that asks an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from llmspell_core.component import BaseAgent
from llmspell_core.errors import AgentError, LLMSpellError
from llmspell_core.tool import as_text
from llmspell_workflows.steps.base import Outcome, StepRunner
from llmspell_workflows.templates import copied

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_workflows.run import Frame


async def agent_of(given: Any, ctx: ExecutionContext) -> BaseAgent:
    """The agent that a name, an object or a table means."""
    if isinstance(given, str):
        return ctx.overlay.agents.get(given)
    if isinstance(given, dict):
        return cast("BaseAgent", await ctx.create("agent", given))
    return cast("BaseAgent", given)


class AgentStep(StepRunner):
    """Asks an agent; its output is the answer's data where there is some, else the text."""

    _made: BaseAgent | None = None

    @property
    def target(self) -> str:
        given = self.spec.agent
        if isinstance(given, dict):
            return str(given.get("name", ""))
        return given.name if isinstance(given, BaseAgent) else str(given)

    async def run(self, frame: Frame, input: Any) -> Outcome:
        agent = await self._agent(frame.ctx)
        answer = await frame.ctx.run(agent, self._question(input, frame))
        if not answer.success:
            error = answer.error or {}
            raise AgentError(
                str(error.get("message") or answer.text or f"agent {agent.name} failed"),
                code=error.get("code"),
                hint=error.get("hint"),
                details=error.get("details"),
            )
        output = answer.text if answer.data is None else answer.data
        frame.run.agent_outputs[agent.name] = output
        frame.run.agent_outputs[frame.step] = output
        return Outcome(output, answer)

    async def _agent(self, ctx: ExecutionContext) -> BaseAgent:
        if not isinstance(self.spec.agent, dict):
            return await agent_of(self.spec.agent, ctx)
        if self._made is None:
            self._made = await agent_of(self.spec.agent, ctx)
        return self._made

    def _question(self, input: Any, frame: Frame) -> Any:
        own = self.spec.input is not None
        variables = copied(dict(frame.scope.extra))
        if own and isinstance(input, dict):
            return {**input, "variables": {**variables, **input.get("variables", {})}}
        # The workflow's input is any data, not a table of an agent's fields.
        return {"text": as_text(input), "variables": variables} if variables else as_text(input)

    def problem(self, ctx: ExecutionContext) -> LLMSpellError | None:
        if isinstance(self.spec.agent, str):
            try:
                ctx.overlay.agents.get(self.spec.agent)
            except LLMSpellError as error:
                return error
        return None
