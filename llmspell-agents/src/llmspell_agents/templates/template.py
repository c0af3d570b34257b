"""`Template`: a named template with the levels below it, and the agents made from it."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError as PydanticError

from llmspell_agents.agent import Agent
from llmspell_agents.config import AgentConfig
from llmspell_agents.own_keys import key_stays
from llmspell_agents.templates.levels import (
    APPENDED,
    Fields,
    extended,
    prompt_mistakes,
    prompt_of,
    tool_name_of,
)
from llmspell_agents.templates.model import AgentTemplate
from llmspell_agents.templates.parameters import EMPTY, Schema, checked, declared, filled
from llmspell_core.errors import LLMSpellError, ValidationError, did_you_mean
from llmspell_core.names import to_snake
from llmspell_core.schema import mistakes_text, pydantic_mistakes, short_form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmspell_core.registry import Registry

log = logging.getLogger("llmspell.agents")

MAX_LEVELS = 16
#: Fields whose texts are no places for parameters: prompts are rendered, schemas are schemas.
_AS_THEY_ARE = frozenset({"system_prompt", "response_format", "inputs", APPENDED})

_loading: ContextVar[tuple[str, ...]] = ContextVar("llmspell_templates", default=())


class Template:
    """A template and, below it, the one that it extends.

    Args:
        name: how it is found
        own: the fields of its own level
        parent: the template it extends
    """

    def __init__(self, name: str, own: AgentTemplate, parent: Template | None = None) -> None:
        self.name = name
        self.own = own
        self.parent = parent
        #: The names of all levels, the lowest first.
        self.levels: tuple[str, ...] = (*(parent.levels if parent else ()), name)
        label = f"template {name}"
        if len(self.levels) > MAX_LEVELS:
            raise ValidationError(f"{label}: more than {MAX_LEVELS} levels of extends")
        below = parent.parameters if parent else EMPTY
        for field, message in prompt_mistakes(own):
            raise ValidationError(f"{label}: {field}: {message}")
        self.parameters: Schema = declared(below, own.parameters, label)
        self.fields: Fields = extended(parent.fields if parent else {}, own, label)

    @property
    def description(self) -> str:
        """What its agents are for."""
        return str(self.fields.get("description", ""))

    @property
    def tools(self) -> list[str]:
        """The names of its tools."""
        return [tool_name_of(one) for one in self.fields.get("tools", [])]

    def about(self, field: str) -> Any:
        """`category`, `complexity` or `example`: of the highest level that sets it."""
        if field in self.own.model_fields_set or self.parent is None:
            return getattr(self.own, field)
        return self.parent.about(field)

    def inputs(self) -> dict[str, Any]:
        """The variables that each run of its agents is given, by name: JSON schemas."""
        properties: dict[str, Any] = self._inputs()["properties"]
        return properties

    def _inputs(self) -> dict[str, Any]:
        return short_form(self.fields.get("inputs", {}))

    def info(self) -> dict[str, Any]:
        """What it is, as data."""
        required = self.parameters["required"]
        return {
            "name": self.name,
            "description": self.description,
            "category": self.about("category"),
            "complexity": self.about("complexity"),
            "extends": self.parent.name if self.parent else "",
            "levels": [*self.levels],
            "required_parameters": [*required],
            "optional_parameters": [n for n in self.parameters["properties"] if n not in required],
            "parameters": self.parameters,
            "inputs": self._inputs(),
            "tools": self.tools,
            "capabilities": [*self.fields.get("capabilities", [])],
            "example": self.about("example"),
        }

    # -- making agents -----------------------------------------------------------------------

    def agent(self, own: AgentConfig | None = None) -> Agent:
        """An agent made from it.

        Args:
            own: what the agent sets itself; its `parameters` are values of the template's

        Raises:
            ValidationError: `input.invalid`, naming each missing, unknown and wrong parameter.
        """
        made = Agent(self.config(own or AgentConfig.of({})))
        made.metadata["template"] = [*self.levels]
        made.template = self.name
        mine = own.tools_add + own.tools if own else []
        given = {tool_name_of(one) for one in mine}
        made.optional_tools = frozenset(self.tools) - given
        return made

    def config(self, own: AgentConfig) -> AgentConfig:
        """The fields of an agent made from it; see `agent`."""
        label = f"agent {own.name or self.name}"
        values = checked(self.parameters, own.parameters, label)
        fields = extended(self.fields, own, label)
        if values:
            as_written = fields
            fields = {
                name: one if name in _AS_THEY_ARE else filled(one, values)
                for name, one in fields.items()
            }
            if not key_stays(as_written, fields, own.model_fields_set & {"api_key"}):
                # The values chose an address that the key of the template was not meant for.
                del fields["api_key"]
        made: Fields = {name: one for name, one in fields.items() if one is not None}
        if prompt := prompt_of(made, values):
            made["system_prompt"] = prompt
        made.pop(APPENDED, None)
        return AgentConfig.of({**made, "name": own.name} if own.name else made)

    def split(self, given: dict[str, Any]) -> dict[str, Any]:
        """Fields of an agent from one table of parameters and fields; parameters come first.

        Raises `input.invalid` naming the nearest for what is neither.
        """
        values: dict[str, Any] = {}
        fields: dict[str, Any] = {}
        known = self.parameters["properties"]
        for key, value in given.items():
            name = key if key in known else to_snake(key)
            if name in known:
                values[name] = value
            elif name == "parameters" and isinstance(value, dict):
                values.update(value)
            elif AgentConfig.aliases.get(name, name) in AgentConfig.model_fields:
                fields[key] = value
            else:
                near = did_you_mean(key, [*known, *AgentConfig.model_fields])
                raise ValidationError(
                    f'template {self.name}: unknown parameter "{key}"',
                    hint=near or f"it has {', '.join(known) or 'no parameters'}",
                )
        return {**fields, "parameters": values, "extends": self.name}


def read_template(label: str, given: Any) -> AgentTemplate:
    """The fields of one level from plain data. Raises `input.invalid` naming each wrong one.

    Args:
        label: what messages call it, such as `template research`
        given: the data, or the fields read already
    """
    if isinstance(given, AgentTemplate):
        return given
    if not isinstance(given, dict):
        raise ValidationError(f"{label}: a table of fields is expected")
    try:
        return AgentTemplate.model_validate(given)
    except PydanticError as error:
        mistakes = pydantic_mistakes(error)
        raise ValidationError(
            f"{label}: {mistakes_text(mistakes)}", details={"errors": mistakes}
        ) from None


def make_template(name: str, given: Any, templates: Registry[Any]) -> Template:
    """A template from data, with those that it extends.

    Args:
        name: how it will be found
        given: `AgentTemplate` or its fields as data
        templates: where what it extends is looked for

    Raises:
        NotFoundError: `template.not_found`, naming the nearest.
        ValidationError: `input.invalid`, also for templates that extend each other.
    """
    if not name.strip():
        raise ValidationError("a template needs a name")
    own = read_template(f"template {name}", given)
    if not own.extends:
        return Template(name, own)
    with _once(name):
        return Template(name, own, templates.get(own.extends))


def all_templates(templates: Registry[Any]) -> list[Template]:
    """All that can be used, by name; one that is broken or no template is left out."""
    found = []
    for entry in templates.entries():
        try:
            found.append(entry.load())
        except LLMSpellError as error:
            log.debug("the template %s is left out: %s", entry.name, error)
    return found


@contextmanager
def _once(name: str) -> Iterator[None]:
    before = _loading.get()
    if name in before:
        chain = " extends ".join((*before[before.index(name) :], name))
        raise ValidationError(f"templates extend each other: {chain}")
    token = _loading.set((*before, name))
    try:
        yield
    finally:
        _loading.reset(token)
