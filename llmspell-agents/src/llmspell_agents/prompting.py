"""What a model is shown first: the system prompt of an agent, and the message of its input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from llmspell_agents.config import AgentConfig, PromptTemplate
from llmspell_agents.contexts import context_data
from llmspell_core.messages import AgentInput, ContentPart, Message
from llmspell_core.tool import as_text

if TYPE_CHECKING:
    from llmspell_agents.targets import Target
    from llmspell_core.context import ExecutionContext

_PROMPT = "@prompts."


def system_text(
    config: AgentConfig,
    input: AgentInput,
    always: tuple[str, ...],
    instruction: str,
    ctx: ExecutionContext,
) -> str:
    """The system prompt, rendered, with what the agent (`always`) and then the run add to it."""
    given = config.system_prompt
    variables = {**input.parameters, **input.variables}
    if isinstance(given, PromptTemplate):
        known = {} if ctx.deps is None else {"deps": ctx.deps}
        text = _rendered(given, {**known, **given.variables, **variables}, ctx)
    elif given.startswith(_PROMPT):
        text = ctx.runtime.prompts.resolve(given, variables)
    elif config.inputs:
        text = _rendered(PromptTemplate(template=given, append=""), variables, ctx)
    else:
        text = given
    text = "\n\n".join(part for part in (text, *always) if part)
    if not (input.instruction or instruction or input.context is not None):
        return text
    known = context_data(input.context, ctx)
    context = f"Context:\n{as_text(known)}" if known is not None else ""
    return "\n\n".join(part for part in (text, instruction, input.instruction, context) if part)


def _rendered(given: PromptTemplate, variables: dict[str, Any], ctx: ExecutionContext) -> str:
    from llmspell_core.templating import render

    if given.template.startswith(_PROMPT):
        text = ctx.runtime.prompts.resolve(given.template, variables)
    else:
        text = str(render(given.template, variables))
    if not given.append:
        return text
    return f"{text}\n\n{render(given.append, variables)}".strip()


async def user_message(
    input: AgentInput, ctx: ExecutionContext, target: Target | None = None
) -> Message:
    """The input as a message: its text, rendered with its variables, and its attachments.

    Args:
        input: the input
        ctx: the run; attachments are read through its gates
        target: the model that is to take them; None where there is none
    """
    text = input.text
    if input.variables and "{{" in text:
        from llmspell_core.templating import render

        text = render(text, input.variables)
    if not text and input.value is not None:
        text = as_text(input.value)
    if not text and input.parameters:
        text = json.dumps(input.parameters, ensure_ascii=False, default=str)
    if not input.attachments:
        return Message(role="user", content=text)
    from llmspell_agents.parts import read_parts

    parts = await read_parts(input.attachments, ctx, target)
    texts = [part.text for part in parts if part.type == "text"]
    text = "\n\n".join(filter(None, [text, *texts]))
    media = [part for part in parts if part.type != "text"]
    if not media:
        return Message(role="user", content=text)
    return Message(role="user", content=[*([ContentPart(text=text)] if text else []), *media])
