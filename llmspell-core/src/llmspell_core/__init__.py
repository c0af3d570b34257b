"""The vocabulary every llmspell package shares; each name is imported on first use.

A start of the command or of a worker touches only what it needs, so this module imports
nothing: `from llmspell_core import Tool` loads `llmspell_core.tool` at that moment.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmspell_core.agent import Agent
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext
    from llmspell_core.errors import LLMSpellError
    from llmspell_core.messages import AgentInput, AgentOutput, HandoffRequest, Message
    from llmspell_core.provider import Provider
    from llmspell_core.runtime import Runtime
    from llmspell_core.script.api import ScriptFunction, ScriptGlobal, ScriptObject, script_method
    from llmspell_core.script.engine import ScriptEngine
    from llmspell_core.security.profile import SecurityProfile
    from llmspell_core.tool import Tool, ToolResult
    from llmspell_core.workflow import Workflow

_WHERE = {
    "Agent": "agent",
    "AgentInput": "messages",
    "AgentOutput": "messages",
    "BaseAgent": "component",
    "ExecutionContext": "context",
    "HandoffRequest": "messages",
    "LLMSpellError": "errors",
    "Message": "messages",
    "Provider": "provider",
    "Runtime": "runtime",
    "ScriptEngine": "script.engine",
    "ScriptFunction": "script.api",
    "ScriptGlobal": "script.api",
    "ScriptObject": "script.api",
    "SecurityProfile": "security.profile",
    "Tool": "tool",
    "ToolResult": "tool",
    "Workflow": "workflow",
    "script_method": "script.api",
}

__all__ = [
    "Agent",
    "AgentInput",
    "AgentOutput",
    "BaseAgent",
    "ExecutionContext",
    "HandoffRequest",
    "LLMSpellError",
    "Message",
    "Provider",
    "Runtime",
    "ScriptEngine",
    "ScriptFunction",
    "ScriptGlobal",
    "ScriptObject",
    "SecurityProfile",
    "Tool",
    "ToolResult",
    "Workflow",
    "script_method",
]


def __getattr__(name: str) -> object:
    if name in _WHERE:
        value = getattr(importlib.import_module(f"llmspell_core.{_WHERE[name]}"), name)
        # Not `globals()`: the package of that name is an attribute of this one once imported.
        setattr(sys.modules[__name__], name, value)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
