"""How a level of a template changes the fields of the level below it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from llmspell_agents.config import LEVEL_FIELDS, AgentConfig, PromptTemplate
from llmspell_agents.own_keys import key_stays
from llmspell_agents.security_field import both
from llmspell_agents.templates.model import ABOUT_FIELDS, AgentTemplate
from llmspell_core.adapters import component_of
from llmspell_core.errors import LLMSpellError, ValidationError, did_you_mean
from llmspell_core.names import canonical
from llmspell_core.templating import check_template

#: Tables and records in which a level sets only what it names.
_MERGED = frozenset({"guardrails", "hooks", "limits", "memory", "on_event", "retry", "settings"})
_OWN = LEVEL_FIELDS | ABOUT_FIELDS | {"name", "capabilities", "system_prompt", "tools"}
#: Beside the fields: texts that are appended to the prompt.
APPENDED = "prompt_append"

Fields = dict[str, Any]


def extended(below: Fields, own: AgentConfig, label: str) -> Fields:
    """The fields of the level below, changed by one more level.

    Raises `input.invalid` when it takes a tool away that is not there.
    """
    made = dict(below)
    for name in own.model_fields_set - _OWN:
        value = getattr(own, name)
        if name == "security":
            made[name] = both(made.get(name), value)
        else:
            made[name] = _merged(made.get(name), value) if name in _MERGED else value
    if not key_stays(below, made, own.model_fields_set):
        made.pop("api_key", None)
    _extend_prompt(made, own)
    _extend_tools(made, own, label)
    added = [one for one in own.capabilities if one not in made.get("capabilities", [])]
    if added:
        made["capabilities"] = [*made.get("capabilities", []), *added]
    return made


def _merged(below: Any, own: Any) -> Any:
    if isinstance(below, dict) and isinstance(own, dict):
        return {**below, **own}
    if isinstance(below, BaseModel) and type(below) is type(own):
        return below.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})
    return own


def _extend_prompt(made: Fields, own: AgentConfig) -> None:
    if "system_prompt" in own.model_fields_set:
        made["system_prompt"] = own.system_prompt
        made.pop(APPENDED, None)
    if own.prompt_append:
        made[APPENDED] = [*made.get(APPENDED, []), own.prompt_append]


def _extend_tools(made: Fields, own: AgentConfig, label: str) -> None:
    tools = [*own.tools] if "tools" in own.model_fields_set else [*made.get("tools", [])]
    names = [tool_name_of(one) for one in tools]
    for name in own.tools_remove:
        if canonical(name) not in names:
            raise ValidationError(
                f'{label}: tools_remove: it has no tool "{name}"',
                hint=did_you_mean(name, names) or f"it has {', '.join(names) or 'none'}",
            )
        at = names.index(canonical(name))
        del names[at], tools[at]
    for one in own.tools_add:
        name = tool_name_of(one)
        if name in names:
            tools[names.index(name)] = one
        else:
            names.append(name)
            tools.append(one)
    if tools or "tools" in made or "tools" in own.model_fields_set:
        made["tools"] = tools


def tool_name_of(given: Any) -> str:
    """The name of a tool as a configuration gives it: a name, a table, or a tool itself."""
    if isinstance(given, dict):
        given = given.get("name", "")
    elif not isinstance(given, str):
        found = component_of(given) or given
        given = getattr(found, "name", None) or getattr(found, "__name__", "")
    return canonical(str(given))


def prompt_mistakes(own: AgentTemplate) -> list[tuple[str, str]]:
    """What cannot be rendered of a level's prompts: the field, and what is wrong with it."""
    if not (own.extends or own.parameters or own.inputs):
        return []
    prompt = own.system_prompt
    texts = {
        "system_prompt": prompt if isinstance(prompt, str) else prompt.template,
        "prompt_append": own.prompt_append,
    }
    found = []
    for field, text in texts.items():
        try:
            check_template(text)
        except LLMSpellError as error:
            found.append((field, error.message))
    return found


def prompt_of(fields: Fields, values: dict[str, Any]) -> str | PromptTemplate:
    """The prompt of all levels; rendered at each run when there are parameters."""
    given = fields.get("system_prompt", "")
    known = {name: value for name, value in values.items() if value is not None}
    more = "\n\n".join(fields.get(APPENDED, []))
    if isinstance(given, PromptTemplate):
        append = "\n\n".join(text for text in (given.append, more) if text)
        return given.model_copy(
            update={"variables": {**known, **given.variables}, "append": append}
        )
    if values or (more and given.startswith("@prompts.")):
        return PromptTemplate(template=given, variables=known, append=more)
    return "\n\n".join(text for text in (given, more) if text)
