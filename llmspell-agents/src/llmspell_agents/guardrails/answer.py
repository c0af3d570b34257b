"""Checking an answer: its text and its data, and what is left of it when it was rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_agents.guardrails.asking import as_answer_text, blocked
from llmspell_core.guardrail import GuardContext

if TYPE_CHECKING:
    from llmspell_agents.guardrails.scope import Scope
    from llmspell_agents.structured import AnswerSchema
    from llmspell_core.context import ExecutionContext
    from llmspell_core.messages import AgentOutput


async def check_answer(
    scope: Scope,
    output: AgentOutput,
    ctx: ExecutionContext,
    *,
    answer: AnswerSchema | None = None,
    may_retry: bool = False,
) -> str:
    """Ask the output guardrails; "" when the output, perhaps changed in place, may be used.

    A text is checked as a text. An answer that is held to a schema is checked as the value it
    is, and its text is that value's JSON from then on; any other data is checked by itself.

    Args:
        scope: the guardrails that hold
        output: the answer
        ctx: the run
        answer: the schema that the answer must fit
        may_retry: whether the model may be asked again

    Returns:
        What the model is told instead, when it is asked again.

    Raises:
        AgentError: `agent.guardrail_blocked`.
    """
    if not scope.holding("output"):
        return ""
    structured = answer is not None and output.data is not None
    if not structured:
        asked = await scope.ask("output", output.text, ctx, data=output.data, may_retry=may_retry)
        if asked.stopped is not None:
            return asked.stopped.message
        if asked.rewritten:
            output.text = as_answer_text(asked.value)
    if output.data is None:
        return ""
    asked = await scope.ask("output", output.data, ctx, may_retry=may_retry)
    if asked.stopped is not None:
        return asked.stopped.message
    if asked.rewritten:
        output.data = _fitting(scope, asked.value, ctx, answer if structured else None)
    if answer is not None and structured:
        output.text = answer.text_of(output.data, None)
    return ""


def _fitting(scope: Scope, value: Any, ctx: ExecutionContext, answer: AnswerSchema | None) -> Any:
    """What an answer was rewritten to, which must fit the schema like the answer itself."""
    if answer is None:
        return value
    found, mistakes = answer.check(value)
    if mistakes and isinstance(value, str):
        found, mistakes = answer.read(value)
    if mistakes:
        about = GuardContext("output", "", scope.agent, ctx)
        raise blocked(about, "guardrails", "what it was rewritten to does not fit response_format")
    return found
