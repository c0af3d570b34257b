"""The fields `context` and `memory` of an agent."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from llmspell_agents.functions import Function
from llmspell_core.script.model import ScriptModel


class ContextChoice(ScriptModel):
    """How a conversation is made to fit the model's window; shares are of that window."""

    strategy: Literal["summarize", "truncate", "none"] | Function = Field(
        "summarize",
        description="summarize, truncate (without a summary), none, or a function of the messages "
        "that gives those to show",
    )
    threshold: float = Field(0.8, gt=0, le=1, description="from this share on it is made smaller")
    target: float = Field(0.5, gt=0, lt=1, description="until it takes no more than this share")
    keep_turns: int = Field(4, ge=1, description="newest turns that stay as they are")
    model: str | None = Field(None, description="what summarizes; the agent's own when left out")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.target >= self.threshold:
            raise ValueError("target must be smaller than threshold")
        return self


class Memory(ScriptModel):
    """How much of the earlier conversation a model is shown; what is stored is never cut."""

    max_messages: int | None = Field(None, ge=2, description="newest messages to show")
    max_tokens: int | None = Field(None, ge=1, description="newest messages of so many tokens")
    strategy: Literal["truncate", "summarize"] | Function = Field(
        "truncate",
        description="what becomes of older messages: truncate, summarize, or a function of all "
        "messages that gives those to show",
    )


DEFAULT_CONTEXT = ContextChoice.model_validate({})
