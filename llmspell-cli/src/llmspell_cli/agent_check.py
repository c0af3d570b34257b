"""Whether agents can be made: of files, and of the configuration, with the line of a mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_core.config.mistakes import Mistake
from llmspell_core.errors import LLMSpellError

if TYPE_CHECKING:
    from llmspell_core.config.sources import Loaded
    from llmspell_core.context import ExecutionContext


async def mistake_of(name: str, ctx: ExecutionContext) -> LLMSpellError | None:
    """What is wrong with an agent file or a configured agent; None when it can be made."""
    try:
        template = await ctx.create("agent_template", name)
        for given in template.fields.get("tools", ()):
            if isinstance(given, str) and "{{" not in given and not ctx.overlay.tools.has(given):
                ctx.overlay.tools.get(given)
        if not template.parameters["required"]:
            # Made and not used: what only the whole agent shows is wrong.
            template.agent()
    except LLMSpellError as error:
        return error
    return None


async def configured_mistakes(loaded: Loaded, ctx: ExecutionContext) -> dict[str, Mistake]:
    """What is wrong with the agents of the configuration, by their names."""
    found: dict[str, Mistake] = {}
    for name, table in loaded.settings.agents.items():
        error = await mistake_of(name, ctx)
        if error is not None:
            path = ("agents", name, *_key(error, table))
            message = error.message.removeprefix(f"template {name}: ")
            found[name] = Mistake(path[:2], message, error.hint, loaded.origin(path))
    return found


def _key(error: LLMSpellError, table: dict[str, Any]) -> tuple[str, ...]:
    """The key of the table that a mistake is about, as far as its message names one."""
    named = [key for key in table if f'"{key}"' in error.message or f"{key}" in error.message]
    texts = [key for key, value in table.items() if str(value) and f'"{value}"' in error.message]
    return (*(named or texts or list(table)),)[:1]
