"""From an agent file to a template: read through the file gate, checked, nothing executed."""

from __future__ import annotations

import asyncio
from pathlib import PurePath
from typing import TYPE_CHECKING

from llmspell_agents.files.parsing import SUFFIXES, AgentText, is_agent_file
from llmspell_agents.templates.levels import tool_name_of
from llmspell_agents.templates.template import MAX_LEVELS, Template
from llmspell_core.errors import NotFoundError, ValidationError, did_you_mean

if TYPE_CHECKING:
    from llmspell_agents.templates.model import AgentTemplate
    from llmspell_core.config.mistakes import Mistake
    from llmspell_core.context import ExecutionContext

MAX_BYTES = 1024 * 1024


async def find_template(name: str, ctx: ExecutionContext) -> Template:
    """A template by its name, or of an agent file by its path.

    Raises `template.not_found`, `policy.*`, and `input.invalid` with the line of each mistake.
    """
    # A file of another name is told what it must be called.
    if PurePath(name).suffix in SUFFIXES:
        return await _load(name, ctx, ())
    found: Template = ctx.overlay.templates.get(name)
    return found


async def _load(path: str, ctx: ExecutionContext, above: tuple[str, ...]) -> Template:
    """`above` are the files that extend it."""
    data = await asyncio.to_thread(ctx.policy.files.read_bytes, path, MAX_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValidationError(f"{path}:{line}   is not UTF-8 text") from None
    source = AgentText(text, path)
    own = source.template()
    parent = await _parent(source, own, ctx, above)
    try:
        made = Template(own.name or source.stem, own, parent)
    except ValidationError as error:
        raise ValidationError(f"{path}: {error.message}", hint=error.hint) from None
    unknown = _unknown_tools(source, own, ctx)
    if unknown:
        raise source.wrong(unknown)
    return made


async def _parent(
    source: AgentText, own: AgentTemplate, ctx: ExecutionContext, above: tuple[str, ...]
) -> Template | None:
    if not own.extends:
        return None
    if is_agent_file(own.extends):
        path = str(PurePath(source.path).parent / own.extends)
        chain = (*above, source.path)
        if path in chain or len(chain) >= MAX_LEVELS:
            raise source.wrong([source.mistake(("extends",), f"{path} extends this file")])
        try:
            return await _load(path, ctx, chain)
        except NotFoundError as error:
            raise source.wrong([source.mistake(("extends",), error.message)]) from None
    try:
        found: Template = ctx.overlay.templates.get(own.extends)
    except NotFoundError as error:
        raise source.wrong([source.mistake(("extends",), error.message, error.hint)]) from None
    return found


def _unknown_tools(source: AgentText, own: AgentTemplate, ctx: ExecutionContext) -> list[Mistake]:
    mistakes = []
    for field in ("tools", "tools_add"):
        for given in getattr(own, field):
            name = tool_name_of(given)
            if not isinstance(given, str):
                message = "a tool of a file is the name of one"
                mistakes.append(source.mistake((field,), message))
            elif "{{" not in given and not ctx.overlay.tools.has(name):
                known = ctx.overlay.tools.names()
                hint = did_you_mean(name, known) or "all tools: llmspell tool list"
                mistakes.append(source.mistake((field,), f'unknown tool "{given}"', hint))
    return mistakes
