"""The ways to ask a model for data, and which of them its provider has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from llmspell_core.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmspell_agents.targets import Target
    from llmspell_core.provider import Capabilities

#: `native`: the service holds the answer to the schema; `grammar`: the answer is decoded under a
#: grammar made from it; `tool`: the answer is the call of a tool; `prompted`: the prompt asks.
Mode = Literal["native", "grammar", "tool", "prompted"]


def modes_of(can: Capabilities) -> list[Mode]:
    """The modes that a model can be asked in, the surest first."""
    found: list[Mode] = ["native"] if can.structured_output else []
    if can.grammar:
        found.append("grammar")
    if can.tools:
        found.append("tool")
    return [*found, "prompted"]


def choose_mode(asked: str, targets: Sequence[Target], name: str) -> Mode:
    """The mode of an agent's answers: as asked, for `auto` the surest that all its models have.

    Args:
        asked: a mode, or ``auto``
        targets: the model and its fallbacks
        name: the agent, for the error

    Raises:
        ValidationError: `agent.output_mode`, naming the modes that a model has.
    """
    allowed = modes_of(_can(targets[0]))
    for target in targets:
        has = modes_of(_can(target))
        if asked != "auto" and asked not in has:
            raise ValidationError(
                f'agent {name}: {target.full_name} cannot do output_mode "{asked}"',
                code="agent.output_mode",
                hint=f"it can do {', '.join(has)}; auto chooses by itself",
                details={"model": target.full_name, "modes": [*has]},
            )
        allowed = [one for one in allowed if one in has]
    return next(one for one in allowed if asked in ("auto", one))


def _can(target: Target) -> Capabilities:
    return target.provider.capabilities(target.model)
