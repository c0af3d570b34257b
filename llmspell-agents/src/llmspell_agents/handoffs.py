"""`Handoff`: an entry of an agent's `handoffs`; `Peers`: those of one run, for its model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, PlainValidator

from llmspell_agents.functions import Function, call
from llmspell_agents.wire_names import wire_name
from llmspell_core.adapters import component_of
from llmspell_core.canonical import canonical_schema
from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.provider import ToolDefinition
from llmspell_core.schema import describe, short_form
from llmspell_core.script.model import Also, ScriptModel

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.messages import AgentInput

PREFIX = "transfer_to_"


def _agent(value: Any) -> Any:
    found = component_of(value)
    if found is not None and found.kind == "agent":
        return found
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError(f"must be an agent or the name of one, not {describe(value)}")


class Handoff(ScriptModel):
    """Another agent that may take over, and what goes along with the hand-off."""

    aliases: ClassVar[dict[str, str]] = {"target": "agent", "state_filter": "state"}

    agent: Annotated[Any, PlainValidator(_agent)] = Field(description="the agent, or its name")
    description: str = Field("", description="when to hand over; the agent's own when left out")
    state: list[str] = Field(
        default_factory=list,
        description='keys of the state that go along, "*" standing for any letters',
    )
    history: Literal["all", "last", "summary", "none"] | Function = Field(
        "all", description="what is shown of the conversation, or a function that gives it"
    )
    input_schema: dict[str, Any] | None = Field(
        None, description="JSON schema, or {name = type}, of what must be handed over"
    )
    returns: bool = Field(False, description="the answer comes back to the agent that handed over")
    when: Function | None = Field(None, description="whether it is offered: a function of the run")

    @property
    def name(self) -> str:
        """The name of the agent that takes over."""
        return self.agent if isinstance(self.agent, str) else str(self.agent.name)

    @property
    def schema_of_input(self) -> dict[str, Any] | None:
        """`input_schema` as a JSON schema."""
        return short_form(self.input_schema) if self.input_schema else None


def _entry(value: Any) -> Any:
    return value if isinstance(value, (dict, Handoff)) else {"agent": value}


#: An entry of `handoffs`: a name, an agent, or a table.
HandoffEntry = Annotated[Handoff, BeforeValidator(_entry), Also("string"), Also("agent")]


class Peers:
    """The agents that a run may hand over to, by the tools that its model calls for it."""

    def __init__(self, source: str, handoffs: list[Handoff], ctx: ExecutionContext | None) -> None:
        self._of: dict[str, Handoff] = {}
        self.definitions: list[ToolDefinition] = []
        lines = []
        for one in handoffs:
            name = wire_name(PREFIX + one.name)
            if name in self._of:
                raise ValidationError(
                    f'agent {source}: two of its handoffs are named "{one.name}"',
                    hint="name each agent once",
                )
            about = one.description or _about(one, ctx)
            self._of[name] = one
            schema = canonical_schema(_parameters(one))
            self.definitions.append(ToolDefinition(name, _purpose(one, about), schema))
            lines.append(f"- {name}: {one.name}{f', {about}' if about else ''}")
        #: What the prompt says of them; "" when there are none.
        self.text = (
            "Other agents can take over. When one of them fits the request better, call its "
            "tool instead of answering:\n" + "\n".join(lines)
            if lines
            else ""
        )

    @classmethod
    async def of(
        cls, source: str, handoffs: list[Handoff], input: AgentInput, ctx: ExecutionContext
    ) -> Peers:
        """The peers whose `when` allows it in this run."""
        if not handoffs:
            return NOBODY
        offered = []
        for one in handoffs:
            about = {"source": source, "target": one.name, "input": input.text}
            if one.when is None or await call(one.when, about):
                offered.append(one)
        return cls(source, offered, ctx)

    def is_transfer(self, name: str) -> bool:
        """Whether a model's call asks for a hand-off, perhaps to nobody there is."""
        return bool(self._of) and _plain(name).startswith(_plain(PREFIX))

    def find(self, name: str) -> Handoff | None:
        """The peer that a model's call means: exactly, or with `-` for `_` and in any case."""
        found = self._of.get(name)
        if found is None:
            found = next(
                (one for key, one in self._of.items() if _plain(key) == _plain(name)), None
            )
        return found

    def names(self) -> list[str]:
        """The names of the tools."""
        return [*self._of]

    def __len__(self) -> int:
        return len(self._of)


#: The peers of most agents.
NOBODY = Peers("", [], None)


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def _about(handoff: Handoff, ctx: ExecutionContext | None) -> str:
    if not isinstance(handoff.agent, str):
        return str(handoff.agent.description)
    if ctx is None:
        return ""
    try:
        found = ctx.overlay.agents.find(handoff.agent)
    except LLMSpellError:
        # A broken one is told to the model when it calls for it.
        return ""
    return found.description if found else ""


def _purpose(handoff: Handoff, about: str) -> str:
    what = "Let {} answer this and get the result" if handoff.returns else "Hand over to {}"
    return f"{what.format(handoff.name)}. {about}".strip()


def _parameters(handoff: Handoff) -> dict[str, Any]:
    schema = handoff.schema_of_input
    given = schema or {
        "type": "string",
        "description": "what it shall do, where the conversation does not say it",
    }
    return {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "description": "why, in a few words"},
            "input": given,
        },
        "required": ["input"] if schema else [],
    }
