"""LLM agents and the OpenAI-compatible provider of llmspell."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmspell_agents.agent import Agent
    from llmspell_agents.config import AgentConfig
    from llmspell_agents.factory import (
        create_agent,
        create_composite,
        discover_agents,
        register_template,
    )

_WHERE = {
    "Agent": "agent",
    "AgentConfig": "config",
    "create_agent": "factory",
    "create_composite": "factory",
    "discover_agents": "factory",
    "register_template": "factory",
}

__all__ = [
    "Agent",
    "AgentConfig",
    "create_agent",
    "create_composite",
    "discover_agents",
    "register_template",
]


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(importlib.import_module(f"llmspell_agents.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
