"""The testing kit for plugin authors and for llmspell's own tests; imported on use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmspell_core.testing.kit import scripted_runtime
    from llmspell_core.testing.openai_server import FakeOpenAI
    from llmspell_core.testing.scripted import Chunks, ScriptedProvider, chunks, tool_call, when

_WHERE = {
    "Chunks": "scripted",
    "FakeOpenAI": "openai_server",
    "ScriptedProvider": "scripted",
    "chunks": "scripted",
    "scripted_runtime": "kit",
    "tool_call": "scripted",
    "when": "scripted",
}

__all__ = [
    "Chunks",
    "FakeOpenAI",
    "ScriptedProvider",
    "chunks",
    "scripted_runtime",
    "tool_call",
    "when",
]


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(importlib.import_module(f"llmspell_core.testing.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
