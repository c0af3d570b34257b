"""The testing kit for plugin authors and for llmspell's own tests; imported on use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmspell_core.testing.bench import ToolBench, Used
    from llmspell_core.testing.clock import FakeClock
    from llmspell_core.testing.faults import Fault, cut, fail, faulty, garble, hang, slow
    from llmspell_core.testing.fuzz import fuzz_tool
    from llmspell_core.testing.kit import scripted_runtime
    from llmspell_core.testing.network import Answer, RecordedNetwork
    from llmspell_core.testing.openai_server import FakeOpenAI
    from llmspell_core.testing.scripted import (
        Chunks,
        ScriptedProvider,
        after,
        chunks,
        expecting,
        thought,
        tool_call,
        when,
    )
    from llmspell_core.testing.trajectory import assert_handoffs, assert_tool_calls

_WHERE = {
    "Answer": "network",
    "Chunks": "scripted",
    "FakeClock": "clock",
    "FakeOpenAI": "openai_server",
    "Fault": "faults",
    "RecordedNetwork": "network",
    "ScriptedProvider": "scripted",
    "ToolBench": "bench",
    "Used": "bench",
    "after": "scripted",
    "assert_handoffs": "trajectory",
    "assert_tool_calls": "trajectory",
    "chunks": "scripted",
    "cut": "faults",
    "expecting": "scripted",
    "fail": "faults",
    "faulty": "faults",
    "fuzz_tool": "fuzz",
    "garble": "faults",
    "hang": "faults",
    "scripted_runtime": "kit",
    "slow": "faults",
    "thought": "scripted",
    "tool_call": "scripted",
    "when": "scripted",
}

__all__ = [
    "Answer",
    "Chunks",
    "FakeClock",
    "FakeOpenAI",
    "Fault",
    "RecordedNetwork",
    "ScriptedProvider",
    "ToolBench",
    "Used",
    "after",
    "assert_handoffs",
    "assert_tool_calls",
    "chunks",
    "cut",
    "expecting",
    "fail",
    "faulty",
    "fuzz_tool",
    "garble",
    "hang",
    "scripted_runtime",
    "slow",
    "thought",
    "tool_call",
    "when",
]


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(importlib.import_module(f"llmspell_core.testing.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
