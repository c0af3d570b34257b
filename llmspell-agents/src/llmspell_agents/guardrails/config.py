"""The field `guardrails` of an agent: which checks stand where."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator

from llmspell_agents.guardrails.entry import Guard, read_guard
from llmspell_core.guardrail import Place
from llmspell_core.script.model import Also, ScriptModel

DEFAULT_TIMEOUT_MS = 30_000
DEFAULT_RETRIES = 2


#: A function, in the manifest's type language.
_FUNCTION = "((...args: any[]) => any)"


def _some(value: Any) -> Any:
    return [value] if not isinstance(value, (list, tuple)) and value != {} else value


#: A function, an agent, the name of a built-in guardrail, or a table.
_Entry = Annotated[
    Any, PlainValidator(read_guard), Also("string"), Also(_FUNCTION), Also("Record<string, any>")
]
_Entries = Annotated[list[_Entry], BeforeValidator(_some), Also("any")]


class Guardrails(ScriptModel):
    """Checks of an agent, each a function, an agent, or a built-in by name or `{name, ...}`."""

    input: _Entries = Field(default_factory=list, description="of what the agent is given")
    output: _Entries = Field(default_factory=list, description="of its answer")
    tool_input: _Entries = Field(
        default_factory=list, description="of the arguments that its model calls tools with"
    )
    tool_output: _Entries = Field(
        default_factory=list, description="of what tools answer, before its model sees it"
    )
    parallel: bool = Field(
        False, description="check the input beside the first model request instead of before it"
    )
    buffer: bool = Field(
        True, description="hold a streamed answer back until the output guardrails have passed"
    )
    retries: int = Field(
        DEFAULT_RETRIES, ge=0, le=20, description="how often a guardrail may send the model back"
    )
    timeout_ms: float = Field(
        DEFAULT_TIMEOUT_MS, gt=0, description="longest check; one that takes longer blocks"
    )

    def at(self, place: Place) -> list[Guard]:
        """The checks of one place."""
        found: list[Guard] = getattr(self, place)
        return found

    @property
    def any(self) -> bool:
        """Whether there is a check at all."""
        return bool(self.input or self.output or self.tool_input or self.tool_output)


#: Those of an agent that has none, where others hold for it.
NO_GUARDRAILS = Guardrails.model_construct()
