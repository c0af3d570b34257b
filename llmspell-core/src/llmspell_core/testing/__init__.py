"""The testing kit for plugin authors and for llmspell's own tests; imported on use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmspell_core.testing.bench import ToolBench, Used
    from llmspell_core.testing.clock import FakeClock
    from llmspell_core.testing.fuzz import fuzz_tool
    from llmspell_core.testing.kit import scripted_runtime
    from llmspell_core.testing.network import Answer, RecordedNetwork
    from llmspell_core.testing.openai_server import FakeOpenAI
    from llmspell_core.testing.scripted import Chunks, ScriptedProvider, chunks, tool_call, when

_WHERE = {
    "Answer": "network",
    "Chunks": "scripted",
    "FakeClock": "clock",
    "FakeOpenAI": "openai_server",
    "RecordedNetwork": "network",
    "ScriptedProvider": "scripted",
    "ToolBench": "bench",
    "Used": "bench",
    "chunks": "scripted",
    "fuzz_tool": "fuzz",
    "scripted_runtime": "kit",
    "tool_call": "scripted",
    "when": "scripted",
}

__all__ = [
    "Answer",
    "Chunks",
    "FakeClock",
    "FakeOpenAI",
    "RecordedNetwork",
    "ScriptedProvider",
    "ToolBench",
    "Used",
    "chunks",
    "fuzz_tool",
    "scripted_runtime",
    "tool_call",
    "when",
]


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(importlib.import_module(f"llmspell_core.testing.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
