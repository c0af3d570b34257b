"""The examples in which an agent says itself what becomes of a call that went wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import completion

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "stock", "arguments": '{"item": "kettle"}'},
}


@pytest.mark.parametrize("name", ["tool_errors.lua", "tool_errors.js"])
def test_the_script_answers_for_its_tool(name: str, tmp_path: Path) -> None:
    with serving(FakeOpenAI(completion(tool_calls=[CALL]), "We had 7.")) as server:
        done = CommandLine(tmp_path)(
            "--set=default.model=fake/m",
            "--set=providers.fake.type=openai",
            f"--set=providers.fake.base_url={server.base_url}",
            "run",
            str(EXAMPLES / name),
        )
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "  (stock of kettle failed)",
        "We had 7.\t7, as of yesterday",
    ]
    assert server.requests[-1]["messages"][-1]["content"] == "7, as of yesterday"
