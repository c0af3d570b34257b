"""`AgentTemplate`: the fields of one level of a template."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from llmspell_agents.config import AgentConfig

#: Fields that are about the template and not about its agents.
ABOUT_FIELDS = frozenset({"category", "complexity", "example"})


class AgentTemplate(AgentConfig):
    """A template: the fields of an agent, and what is asked of whoever makes one.

    In `parameters` a name is declared by a type (`"string"`, `"string?"` for one that may be left
    out) or by a JSON schema; of a parameter that the template below declares, any other value
    is the new default. Prompts are rendered with the parameters (`{{ topic }}`); a field that
    is `"{{ name }}"` alone, or an item of a list that is, is the parameter's value.
    """

    parameters: dict[str, Any] = Field(
        default_factory=dict, description="declared parameters: {name = type, or JSON schema}"
    )
    category: str = Field("agent", description="where lists show it")
    complexity: Literal["simple", "moderate", "complex"] = "simple"
    example: str = Field("", description="an input to try it with")
