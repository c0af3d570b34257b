"""What models think: how much is asked for, what is kept of it, and who gets it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from llmspell_core.messages import Message, Reasoning
from llmspell_core.provider import ReasoningOptions
from llmspell_core.script.model import Also, ScriptModel

if TYPE_CHECKING:
    from llmspell_agents.targets import Target
    from llmspell_core.provider import ModelResponse


class ReasoningChoice(ScriptModel):
    """How much a model shall think before it answers."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = Field(
        None, description="as the service takes it; a word alone is the effort"
    )
    budget_tokens: int | None = Field(
        None, ge=0, description="most tokens to think; the nearest effort where there is no budget"
    )

    def options(self) -> ReasoningOptions | None:
        """As the provider reads it; None when nothing is asked for."""
        if self.effort is None and self.budget_tokens is None:
            return None
        return ReasoningOptions(self.effort, self.budget_tokens)


def _effort(value: Any) -> Any:
    return {"effort": value} if isinstance(value, str) else value


#: The field `reasoning` of an agent: an effort, or a table.
ReasoningField = Annotated[ReasoningChoice | None, BeforeValidator(_effort), Also("string")]


def kept(response: ModelResponse, target: Target) -> Reasoning | None:
    """What a model thought, as its message keeps it; None when it did not."""
    if not response.reasoning and not response.signature:
        return None
    name = target.provider.reasoning_name(target.model)
    return Reasoning(provider=name, text=response.reasoning, signature=response.signature)


def with_own_only(messages: list[Message], target: Target) -> list[Message]:
    """The messages without what other providers' models thought; the same list when all is own."""
    if not any(one.reasoning is not None for one in messages):
        return messages
    name = target.provider.reasoning_name(target.model)
    return [
        one
        if one.reasoning is None or one.reasoning.provider == name
        else one.model_copy(update={"reasoning": None})
        for one in messages
    ]
