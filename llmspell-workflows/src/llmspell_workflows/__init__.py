"""Workflows over the tools, agents and functions of llmspell."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmspell_workflows.outcome import WorkflowFailed
    from llmspell_workflows.spec import StepSpec, WorkflowSpec
    from llmspell_workflows.workflow import Workflow

_WHERE = {
    "StepSpec": "spec",
    "Workflow": "workflow",
    "WorkflowFailed": "outcome",
    "WorkflowSpec": "spec",
}

__all__ = ["StepSpec", "Workflow", "WorkflowFailed", "WorkflowSpec"]


def __getattr__(name: str) -> object:
    if name in _WHERE:
        value = getattr(importlib.import_module(f"llmspell_workflows.{_WHERE[name]}"), name)
        # Not `globals()`: the package of that name is an attribute of this one once imported.
        setattr(sys.modules[__name__], name, value)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
