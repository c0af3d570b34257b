"""Many inputs for one agent: some at a time, their outputs in the order of the inputs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field
from pydantic import ValidationError as PydanticError

from llmspell_core.account import Limits
from llmspell_core.errors import LLMSpellError, ValidationError, error_data
from llmspell_core.messages import AgentInput, AgentOutput
from llmspell_core.schema import mistakes_text, pydantic_mistakes
from llmspell_core.script.model import ScriptModel

if TYPE_CHECKING:
    from llmspell_core.agent import Agent
    from llmspell_core.context import ExecutionContext

DEFAULT_CONCURRENCY = 8


class BatchOptions(ScriptModel):
    """How a batch is run."""

    concurrency: int = Field(DEFAULT_CONCURRENCY, ge=1, le=1000, description="runs at a time")
    on_error: Literal["collect", "stop"] = Field(
        "collect", description="collect: a failed output has `error`; stop: the first is thrown"
    )
    limits: Limits | None = Field(None, description="one account for the whole batch")

    @classmethod
    def of(cls, given: dict[str, Any]) -> Self:
        """Checked options. Raises `input.invalid` naming each wrong field."""
        try:
            return cls.model_validate(given)
        except PydanticError as error:
            raise ValidationError(f"batch: {mistakes_text(pydantic_mistakes(error))}") from None


async def run_batch(
    agent: Agent, inputs: list[Any], options: BatchOptions, ctx: ExecutionContext
) -> list[AgentOutput]:
    """The outputs of all inputs. Cancelled, or stopped by an error, it ends those under way."""
    if options.limits is not None:
        changes: dict[str, Any] = {"account": ctx.account.child(options.limits)}
        if options.limits.wall_ms:
            changes["deadline"] = ctx.within(options.limits.wall_ms)
        ctx = ctx.child(**changes)
    given = [AgentInput.of(one) for one in inputs]
    slots = asyncio.Semaphore(options.concurrency)

    async def one(input: AgentInput) -> AgentOutput:
        async with slots:
            try:
                return await agent.execute(input, ctx)
            except LLMSpellError as error:
                if options.on_error == "stop":
                    raise
                return AgentOutput(success=False, agent=agent.name, error=error_data(error))

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(each)) for each in given]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
