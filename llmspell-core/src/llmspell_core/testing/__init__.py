"""The testing kit for plugin authors and for llmspell's own tests; imported on use."""

from __future__ import annotations

import importlib

_WHERE = {
    "Chunks": "scripted",
    "ScriptedProvider": "scripted",
    "chunks": "scripted",
    "tool_call": "scripted",
    "when": "scripted",
}

__all__ = ["Chunks", "ScriptedProvider", "chunks", "tool_call", "when"]


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(importlib.import_module(f"llmspell_core.testing.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
