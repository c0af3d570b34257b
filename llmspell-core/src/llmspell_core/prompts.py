"""`Prompts`: the named prompts of `[prompts]`, rendered; `@prompts.NAME` stands for one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import ConfigError, NotFoundError, did_you_mean

if TYPE_CHECKING:
    from llmspell_core.config.sections.components import Prompt
    from llmspell_core.config.settings import Settings

#: What stands before a prompt's name where a text is expected.
PREFIX = "@prompts."
_MOST_BYTES = 1024 * 1024


class Prompts:
    """The prompts of one configuration."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def names(self) -> list[str]:
        """The names of all, sorted."""
        return sorted(self._settings.prompts)

    def render(self, name: str, variables: Mapping[str, Any] | None = None) -> str:
        """A prompt as text. Raises `prompt.not_found` naming the nearest, `config.prompt_file`."""
        from llmspell_core.templating import render

        prompt = self._get(name)
        if isinstance(prompt, str):
            return render(prompt, dict(variables or {}))
        values = {**prompt.variables, **(variables or {})}
        text = self.source(name)
        return _handlebars(text, values) if prompt.engine == "handlebars" else render(text, values)

    def source(self, name: str) -> str:
        """A prompt's text before it is rendered."""
        prompt = self._get(name)
        if isinstance(prompt, str):
            return prompt
        return _read(name, prompt.file) if prompt.file else prompt.template

    def resolve(self, text: str, variables: Mapping[str, Any] | None = None) -> str:
        """The prompt behind `@prompts.NAME`; any other text as it is."""
        if not text.startswith(PREFIX):
            return text
        return self.render(text.removeprefix(PREFIX).strip(), variables)

    def _get(self, name: str) -> str | Prompt:
        known = self._settings.prompts
        if name not in known:
            raise NotFoundError(
                f'unknown prompt "{name}"',
                code="prompt.not_found",
                hint=did_you_mean(name, list(known)) or "prompts are declared in [prompts]",
            )
        return known[name]


def _read(name: str, file: str) -> str:
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(
            f'the file of the prompt "{name}" cannot be read: {error.strerror}',
            code="config.prompt_file",
            hint=f"{file}, named in [prompts.{name}]",
        ) from None
    if len(data) > _MOST_BYTES:
        raise ConfigError(
            f'the file of the prompt "{name}" is over 1 MiB', code="config.prompt_file", hint=file
        )
    return data.decode("utf-8", "replace")


def _handlebars(text: str, variables: Mapping[str, Any]) -> str:
    """`{{ name }}` and `{{ a.b }}` only: what a prompt needs, and no code."""
    import re

    def value(match: re.Match[str]) -> str:
        found: Any = variables
        for part in match[1].split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return "" if found is None else str(found)

    return re.sub(r"\{\{\{?\s*([\w.]+)\s*\}?\}\}", value, text)
