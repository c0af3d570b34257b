"""The examples that go on in a second process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import completion

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def count(body: dict[str, Any]) -> dict[str, Any]:
    return completion(f"shown {len(body['messages'])}")


@pytest.fixture
def llmspell(tmp_path: Path) -> Iterator[CommandLine]:
    made = CommandLine(tmp_path)
    with serving(FakeOpenAI(count)) as server:
        made.env["LLMSPELL_PROVIDERS__FAKE__BASE_URL"] = server.base_url
        made.env["LLMSPELL_DEFAULT__MODEL"] = "fake/m"
        yield made


@pytest.mark.parametrize("name", ["session.lua", "session.js"])
def test_a_conversation_goes_on_in_the_next_run(llmspell: CommandLine, name: str) -> None:
    first = llmspell(EXAMPLES / name, "x")
    assert first.out == "shown 2\n0 messages before, 2 now\n", first.err
    second = llmspell(EXAMPLES / name, "x", "Where does it go?")
    assert second.out == "shown 4\n2 messages before, 4 now\n", second.err
    other = llmspell(EXAMPLES / name, "y")
    assert other.out == "shown 2\n0 messages before, 2 now\n"
    (row, _) = json.loads(llmspell("session", "list", "--json").out)[::-1]
    assert (row["id"], row["turns"]) == ("companion-x", 2)
