"""Every built-in tool passes the fuzzing of the testing kit."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.errors import ExtensionError
from llmspell_core.extensions import Extensions
from llmspell_core.provider import ModelRequest
from llmspell_core.testing import Answer, RecordedNetwork, fuzz_tool
from llmspell_core.testing.samples import matching
from llmspell_core.tool import Tool

EXAMPLES = 15
#: Codes that belong to some tools, beside those of all.
CODES = ("archive.",)


@cache
def tools() -> dict[str, Tool]:
    found = {}
    for name, extension in Extensions("tools").items():
        if extension.distribution == "llmspell-tools":
            found[name] = extension.load()()
    return found


def fitting(request: ModelRequest) -> str:
    """An answer that fits the schema it is asked with."""
    from random import Random

    return json.dumps(matching(request.schema, Random(7))) if request.schema else "some words"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", sorted(tools()))
def test_a_tool_takes_what_its_schema_says_and_refuses_the_rest(name: str, folder: Path) -> None:
    network = RecordedNetwork()
    network.answer(
        "*", "http*", Answer(content=b'{"a": [1, 2]}', headers={"content-type": "text/html"})
    )
    security: dict[str, Any] = {
        "files": {"read": ["."], "write": ["."]},
        # Whatever its level: the fuzzing is about the tool, not about who may call it.
        "tools": {"allow": [name]},
    }
    options: dict[str, Any] = {
        "folder": folder,
        "security": security,
        "network": network,
        "approve": True,
    }
    try:
        fuzz_tool(
            tools()[name],
            examples=EXAMPLES,
            timeout_s=10,
            codes=CODES,
            default_reply=fitting,
            **options,
        )
    except ExtensionError as error:
        pytest.skip(f"its library is not installed: {error}")
