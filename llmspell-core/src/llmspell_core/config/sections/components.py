"""`[prompts]` and `[tools]`: named prompts, and what is set for single tools."""

from __future__ import annotations

from typing import Any, Literal

from llmspell_core.config.sections.base import OpenSection, Section, key


class Prompt(Section):
    """A named prompt, usable as `@prompts.NAME`."""

    template: str = key("", "the text, with `{{ name }}` for variables")
    file: str = key("", "a file with the text, instead of `template`")
    engine: Literal["jinja2", "handlebars"] = key("jinja2", "the template's language")
    variables: dict[str, Any] = key({}, "values for names that the caller leaves out")


class ToolTable(OpenSection):
    """One tool. Keys beside these are the tool's own."""

    enabled: bool = key(True, "whether it can be used")
    timeout_ms: int | None = key(None, "of a call; unset: the tool's", unit="ms", least=1)
