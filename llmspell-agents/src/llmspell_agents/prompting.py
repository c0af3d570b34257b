"""What a model is shown first: the system prompt of an agent, and the message of its input."""

from __future__ import annotations

import asyncio
import base64
import json
import mimetypes
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError as PydanticError

from llmspell_agents.config import AgentConfig, PromptTemplate
from llmspell_agents.contexts import context_data
from llmspell_core.errors import ValidationError
from llmspell_core.messages import AgentInput, ContentPart, Message
from llmspell_core.schema import mistakes_text, pydantic_mistakes
from llmspell_core.tool import as_text

if TYPE_CHECKING:
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
        text = _rendered(given, {**given.variables, **variables}, ctx)
    elif given.startswith(_PROMPT):
        text = ctx.runtime.prompts.resolve(given, variables)
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


async def user_message(input: AgentInput, ctx: ExecutionContext) -> Message:
    """The input as a message: its text, rendered with its variables, and its attachments."""
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
    parts = [ContentPart.model_construct(text=text)] if text else []
    parts.extend([await _attachment(given, ctx) for given in input.attachments])
    return Message(role="user", content=parts)


async def _attachment(given: Any, ctx: ExecutionContext) -> ContentPart:
    """A part from a path, a URL, or a table; files are read through the file gate."""
    if isinstance(given, str):
        given = {"url" if "://" in given[:10] else "path": given}
    try:
        part = ContentPart.model_validate(given)
    except PydanticError as error:
        raise ValidationError(f"attachments: {mistakes_text(pydantic_mistakes(error))}") from None
    address = part.path or part.url
    if not part.media_type and address:
        part.media_type = mimetypes.guess_type(address)[0] or ""
    if part.type == "text" and address:
        family = part.media_type.partition("/")[0]
        part.type = "image" if family == "image" else "audio" if family == "audio" else "file"
    if part.path and not part.data:
        data = await asyncio.to_thread(ctx.policy.files.read_bytes, part.path)
        part.data = base64.b64encode(data).decode()
    return part
