"""`CompositeConfig`: how the agents of a composite work together."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic import ValidationError as PydanticError

from llmspell_agents.config import ModelChoice
from llmspell_agents.functions import Function
from llmspell_core.errors import ValidationError
from llmspell_core.schema import mistakes_text, pydantic_mistakes
from llmspell_core.script.model import Also, ScriptModel

Strategy = Literal["sequential", "parallel", "hierarchical", "consensus", "dynamic"]


def _model(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value


class CompositeConfig(ScriptModel):
    """How the agents work together, and when that counts as a failure."""

    aliases: ClassVar[dict[str, str]] = {"tie_rule": "tie", "merge": "aggregator"}

    strategy: Strategy = Field("sequential", description="how the agents work together")
    description: str = Field("", description="what it is for: shown to models and people")
    capabilities: list[str] | None = Field(
        None, description="what it can be found by; those of its agents when left out"
    )
    on_error: Literal["stop", "continue"] = Field(
        "stop", description="sequential: whether a failed agent ends it, or is passed over"
    )
    required: int | None = Field(
        None, ge=1, description="parallel (all), consensus (a majority): how many must answer"
    )
    max_concurrency: int = Field(8, ge=1, le=64, description="how many run at the same time")
    aggregator: Function | None = Field(
        None, description="parallel: a function of the results that gives the answer"
    )
    vote: Function | None = Field(
        None, description="consensus: a function of a result that gives its vote"
    )
    tie: Literal["first", "error"] | Function = Field(
        "first",
        description="consensus, of votes that are even: that of the agent named first, an error, "
        "or a function of these votes that gives one of them",
    )
    model: Annotated[ModelChoice | None, BeforeValidator(_model), Also("string")] = Field(
        None, description="dynamic: the model that picks the agent; the default one"
    )
    timeout_ms: float | None = Field(None, gt=0, description="how long a run may take")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        """The name of a strategy alone stands for the table."""
        return {"strategy": data} if isinstance(data, str) else data

    @classmethod
    def of(cls, given: Any) -> Self:
        """From a table of fields, the name of a strategy, or nothing. Raises `input.invalid`."""
        try:
            return cls.model_validate({} if given is None else given)
        except PydanticError as error:
            mistakes = pydantic_mistakes(error)
            raise ValidationError(
                f"composite: {mistakes_text(mistakes)}", details={"errors": mistakes}
            ) from None
