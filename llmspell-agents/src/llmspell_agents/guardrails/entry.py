"""`Guard`: one entry of `guardrails` with what it names, ready to be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from pydantic import Field
from pydantic import ValidationError as PydanticError
from pydantic_core import PydanticCustomError

from llmspell_core.adapters import component_of
from llmspell_core.errors import LLMSpellError, did_you_mean
from llmspell_core.extensions import Extensions
from llmspell_core.guardrail import Guardrail
from llmspell_core.names import to_snake
from llmspell_core.schema import describe, mistakes_text, pydantic_mistakes
from llmspell_core.script.model import ScriptModel

if TYPE_CHECKING:
    from llmspell_core.component import BaseAgent

#: What may be checked by: asked with the value and the moment.
Check = Guardrail | Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Guard:
    """A named check; `agent` is a judge, or the name of one that is looked up when it is asked."""

    name: str
    check: Check | None = None
    agent: BaseAgent | str | None = None
    timeout_ms: float | None = None
    #: The tools it is for, by globs; of tool_input and tool_output.
    tools: tuple[str, ...] = ()

    def concerns(self, tool: str) -> bool:
        """Whether it is asked about this tool."""
        plain = tool.replace("_", "-")
        return not self.tools or any(fnmatchcase(plain, one) for one in self.tools)


class _Common(ScriptModel):
    """The fields that every table of an entry may have."""

    name: str | None = Field(None, min_length=1)
    timeout_ms: float | None = Field(None, gt=0)
    tools: list[str] = Field(default_factory=list)


def read_guard(given: Any) -> Guard:
    """An entry of a configuration, as a validator: its mistakes are pydantic's."""
    if isinstance(given, Guard):
        return given
    if isinstance(given, str):
        return Guard(given, _built_in(given, {}))
    if isinstance(given, Guardrail):
        return Guard(given.name or type(given).__name__, given)
    agent = component_of(given)
    if agent is not None and agent.kind == "agent":
        return Guard(agent.name, agent=agent)
    if isinstance(given, dict):
        return _of_table(given)
    if callable(given):
        return Guard(_function_name(given), given)
    raise _wrong(
        "must be a function, an agent, or the name or a table of a guardrail, "
        f"not {describe(given)}"
    )


def _of_table(given: dict[Any, Any]) -> Guard:
    fields = {to_snake(str(key)): value for key, value in given.items()}
    common = _read(_Common, {key: fields.pop(key) for key in _COMMON if key in fields}, "")
    named = {
        "timeout_ms": common.timeout_ms,
        "tools": tuple(one.replace("_", "-") for one in common.tools),
    }
    ways = [key for key in ("check", "agent") if key in fields]
    if not ways:
        if common.name is None:
            instead = f', not "{next(iter(fields))}"' if fields else ""
            raise _wrong(f"name, check or agent is required{instead}")
        return Guard(common.name, _built_in(common.name, fields), **named)
    others = [key for key in fields if key != ways[0]]
    if others:
        raise _wrong(f'"{others[0]}" does not go with "{ways[0]}"')
    found = fields[ways[0]]
    agent = component_of(found)
    if ways[0] == "agent":
        if isinstance(found, str) and found:
            agent_name: str = common.name or found
            return Guard(agent_name, agent=found, **named)
        if agent is None or agent.kind != "agent":
            raise _wrong(f"agent must be an agent or the name of one, not {describe(found)}")
    if agent is not None and agent.kind == "agent":
        return Guard(common.name or agent.name, agent=agent, **named)
    if isinstance(found, Guardrail) or (callable(found) and agent is None):
        return Guard(common.name or _function_name(found), found, **named)
    raise _wrong(f"check must be a function or an agent, not {describe(found)}")


_COMMON = ("name", "timeout_ms", "tools")


def _built_in(name: str, options: dict[str, Any]) -> Guardrail:
    """A guardrail of an entry point, made with its options."""
    known = Extensions("guardrails")
    found = name if name in known else name.replace("-", "_")
    if found not in known:
        near = did_you_mean(name, list(known))
        raise _wrong(
            f'there is no guardrail "{name}"'
            + (f", {near}" if near else "")
            + f"; there are {', '.join(known)}; an agent is named by {{agent = ...}}"
        )
    try:
        made = known.load(found)
    except LLMSpellError as error:
        raise _wrong(error.message) from None
    checked: Guardrail = made(_read(made.Options, options, f"{name}: "))
    return checked


def _read(model: type[ScriptModel], data: dict[str, Any], label: str) -> Any:
    try:
        return model.model_validate(data)
    except PydanticError as error:
        raise _wrong(label + mistakes_text(pydantic_mistakes(error))) from None


def _function_name(function: Any) -> str:
    """Where it stands in the script, else its name: lambdas and arrow functions have none."""
    name, where = getattr(function, "__name__", ""), getattr(function, "where", "")
    if isinstance(where, str) and where:
        return where
    return "function" if name in ("", "<lambda>") else str(name)


def _wrong(why: str) -> PydanticCustomError:
    return PydanticCustomError("guardrail", "{why}", {"why": why})
