"""The agents of `[agents.NAME]`, each made when somebody asks for it by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmspell_core.agent import Agent


def configured_agent(name: str, fields: dict[str, Any]) -> Agent:
    """The agent of a table, whose mistakes name it (entry-point group ``llmspell.configured``)."""
    from llmspell_agents.agent import Agent as Made

    return Made({**fields, "name": name})
