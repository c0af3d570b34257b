"""Tools made from a description instead of code: `Tool.from_template(kind, cfg)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_core.errors import NotFoundError, did_you_mean
from llmspell_core.schema import mistakes_text, pydantic_mistakes

if TYPE_CHECKING:
    from llmspell_core.tool import Tool

KINDS = ("http_api", "file_processor", "command", "llm")


def from_template(kind: str, cfg: dict[str, Any]) -> Tool:
    """A tool of one of the `KINDS`; raises `tool.unknown_template` or `input.invalid`."""
    from importlib import import_module

    from pydantic import ValidationError as PydanticError

    from llmspell_core.errors import ValidationError

    name = kind.replace("-", "_").lower()
    if name not in KINDS:
        raise NotFoundError(
            f'unknown kind of tool "{kind}"',
            code="tool.unknown_template",
            hint=did_you_mean(name, list(KINDS)) or f"there are {', '.join(KINDS)}",
        )
    module = import_module(f"llmspell_tools.kinds.{name}")
    try:
        made: Tool = module.make(cfg)
    except PydanticError as error:
        mistakes = pydantic_mistakes(error)
        raise ValidationError(
            f"Tool.from_template {name}: {mistakes_text(mistakes)}", details={"errors": mistakes}
        ) from None
    return made
