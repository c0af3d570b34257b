"""llmspell: LLM agents, tools and workflows, driven by small scripts.

    import llmspell
    result = llmspell.run("spell.lua", args=["2026-11"])

    from llmspell import Agent, Workflow, tool

Every name is imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmspell.facade import arun, run
    from llmspell_agents import (
        Agent,
        create_agent,
        create_composite,
        discover_agents,
        register_template,
    )
    from llmspell_bridge.result import ScriptResult
    from llmspell_core.errors import LLMSpellError
    from llmspell_core.runtime import Runtime
    from llmspell_core.security.profile import SecurityProfile
    from llmspell_core.tool import Tool, ToolResult, tool
    from llmspell_workflows import Workflow

_WHERE = {
    "Agent": "llmspell_agents",
    "LLMSpellError": "llmspell_core.errors",
    "Runtime": "llmspell_core.runtime",
    "ScriptResult": "llmspell_bridge.result",
    "SecurityProfile": "llmspell_core.security.profile",
    "Tool": "llmspell_core.tool",
    "ToolResult": "llmspell_core.tool",
    "Workflow": "llmspell_workflows",
    "arun": "llmspell.facade",
    "create_agent": "llmspell_agents",
    "create_composite": "llmspell_agents",
    "discover_agents": "llmspell_agents",
    "register_template": "llmspell_agents",
    "run": "llmspell.facade",
    "tool": "llmspell_core.tool",
}

__all__ = [
    "Agent",
    "LLMSpellError",
    "Runtime",
    "ScriptResult",
    "SecurityProfile",
    "Tool",
    "ToolResult",
    "Workflow",
    "arun",
    "create_agent",
    "create_composite",
    "discover_agents",
    "register_template",
    "run",
    "tool",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib_metadata import version

        return version("llmspell")
    if name in _WHERE:
        value = getattr(importlib.import_module(_WHERE[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
