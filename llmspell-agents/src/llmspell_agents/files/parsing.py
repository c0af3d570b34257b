"""The text of an agent file as fields, and each mistake in it with its line."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

from pydantic import ValidationError as PydanticError

from llmspell_agents.templates.levels import prompt_mistakes
from llmspell_agents.templates.model import AgentTemplate
from llmspell_core.config.files import parse
from llmspell_core.config.locate import line_of
from llmspell_core.config.mistakes import ConfigMistakes, Mistake
from llmspell_core.errors import ValidationError
from llmspell_core.names import to_snake
from llmspell_core.schema import pydantic_mistakes

SUFFIXES = (".yaml", ".yml", ".toml", ".json", ".md")
#: For editors; no field.
SCHEMA_KEY = "$schema"
_NAME = re.compile(r"(?P<stem>.+)\.agent(?P<suffix>\.[a-z]+)")
_OPENED = re.compile(r"(---|\+\+\+)[ \t]*\r?\n")
_FRONT = re.compile(r"(---|\+\+\+)[ \t]*\r?\n(.*?)^\1[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_FRONT_SUFFIX = {"---": ".yaml", "+++": ".toml"}
UNKNOWN = "unknown key"
_UNKNOWN = re.compile(r'unknown field "([^"]+)"')


def is_agent_file(name: str) -> bool:
    """Whether a name is that of an agent file: `reviewer.agent.toml`."""
    match = _NAME.fullmatch(PurePath(name).name)
    return match is not None and match["suffix"] in SUFFIXES


class AgentText:
    """The text of one agent file.

    Args:
        text: the whole text
        path: the file's name or path, as messages show it
    """

    def __init__(self, text: str, path: str) -> None:
        match = _NAME.fullmatch(PurePath(path).name)
        if match is None or match["suffix"] not in SUFFIXES:
            raise ValidationError(
                f"{path} is no agent file",
                hint=f"its name ends in {', '.join(f'.agent{one}' for one in SUFFIXES)}",
            )
        self.path = path
        self.stem = match["stem"]
        self._body: str | None = None
        self._text, self._suffix = text, match["suffix"]
        if self._suffix == ".md":
            self._split(text)
        self._data: dict[str, Any] = {}

    def _split(self, text: str) -> None:
        front = _FRONT.match(text)
        if front is None and (opened := _OPENED.match(text)):
            raise ValidationError(
                f"{self.path}:1   the fields in front of the prompt have no end",
                hint=f'a line "{opened[1]}" ends them',
            )
        self._suffix = _FRONT_SUFFIX[front[1]] if front else ".yaml"
        # Behind a line in place of the mark, so that lines keep their numbers.
        self._text = f"\n{front[2]}" if front else ""
        self._body = text[front.end() :].strip() if front else text.strip()

    def template(self) -> AgentTemplate:
        """Its fields. Raises `input.invalid` with the line of each mistake."""
        try:
            found = parse(self._text, self._suffix, self.path)
        except ConfigMistakes as error:
            raise self.wrong(error.mistakes) from None
        if not isinstance(found, dict):
            raise self.wrong([Mistake((), "is not a table", None, self.path)])
        self._data = {str(key): value for key, value in found.items() if key != SCHEMA_KEY}
        fields = dict(self._data)
        if self._body:
            if "system_prompt" in {self._field(key) for key in fields}:
                message = "the prompt stands below as well"
                raise self.wrong([self.mistake(("system_prompt",), message)])
            fields["system_prompt"] = self._body
        return self._read(fields)

    def _read(self, fields: dict[str, Any]) -> AgentTemplate:
        mistakes: list[Mistake] = []
        while True:
            try:
                made = AgentTemplate.model_validate(fields)
            except PydanticError as error:
                found = [self._mistake_of(one) for one in pydantic_mistakes(error)]
                mistakes += found
                unknown = [one.path[0] for one in found if one.message == UNKNOWN]
                left = {key: value for key, value in fields.items() if key not in unknown}
                # An unknown key hides all other mistakes.
                if len(left) < len(fields) and len(found) == 1:
                    fields = left
                    continue
            else:
                mistakes += [self.mistake((one,), text) for one, text in prompt_mistakes(made)]
            if mistakes:
                raise self.wrong(mistakes)
            return made

    def mistake(self, path: tuple[str, ...], message: str, hint: str | None = None) -> Mistake:
        """A mistake at a key of the file, by the field's own name."""
        spelled = next((key for key in self._data if self._field(key) == path[0]), path[0])
        line = line_of(self._text, (spelled, *path[1:]), self._suffix)
        return Mistake(path, message, hint, f"{self.path}:{line}" if line else self.path)

    def wrong(self, mistakes: list[Mistake]) -> ValidationError:
        """The error that tells all of them."""
        rows = [str(one) for one in mistakes]
        count = f"{len(rows)} mistakes in {self.path}"
        return ValidationError(
            rows[0] if len(rows) == 1 else "\n".join([count, *rows]),
            details={"errors": [one.as_dict() for one in mistakes]},
        )

    def _mistake_of(self, one: dict[str, str]) -> Mistake:
        path = tuple(part for part in one["field"].split(".") if part and not part.isdigit())
        unknown = _UNKNOWN.match(one["message"])
        if unknown is None:
            if path:
                return self.mistake(path, one["message"])
            return Mistake((), one["message"], None, self.path)
        hint = one["message"].partition(", ")[2] or None
        if path:
            return self.mistake((*path, unknown[1]), UNKNOWN, hint)
        line = line_of(self._text, (unknown[1],), self._suffix)
        where = f"{self.path}:{line}" if line else self.path
        return Mistake((unknown[1],), UNKNOWN, hint, where)

    def _field(self, key: str) -> str:
        snake = to_snake(key)
        return AgentTemplate.aliases.get(snake, snake)
