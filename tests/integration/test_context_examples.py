"""The example of a chat that outgrows its model's window, with a real server on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.dialects import openai_mistakes
from llmspell_core.testing.openai_server import completion

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STORY = "A long story about this place, told at length. " * 30


def es5(text: str) -> str:
    """The JavaScript example for an engine whose host calls wait by themselves."""
    for new, old in (
        ("await new Agent(", 'Agent["new"]('),
        ("(event) => {", "function (event) {"),
        (
            "for (const place of places) {",
            "for (var i = 0; i < places.length; i++) {\n  var place = places[i];",
        ),
        ("await ", ""),
        ("const ", "var "),
        (
            '`  (${data.steps.join(", ")}: ${data.before_messages} messages became '
            "${data.after_messages})`",
            '"  (" + data.steps.join(", ") + ": " + data.before_messages + " messages became " + '
            'data.after_messages + ")"',
        ),
    ):
        text = text.replace(new, old)
    return "// @engine duktape\n" + text.partition("\n")[2]


def reply(body: dict[str, Any]) -> dict[str, Any]:
    assert openai_mistakes(body) == []
    texts = [one["content"] for one in body["messages"]]
    answer = STORY
    if "Summarize the conversation" in texts[-1]:
        answer = "The walk began at the harbour."
    elif "begin" in texts[-1]:
        answer = next((one for one in texts if "The walk began" in one), "I forgot.")[-30:]
    made = completion(answer)
    made["usage"]["prompt_tokens"] = sum(map(len, texts)) // 4
    return made


@pytest.mark.parametrize("name", ["long_conversation.lua", "long_conversation.js", "es5"])
def test_the_beginning_is_remembered_by_its_summary(name: str, tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    script = EXAMPLES / name
    if name == "es5":
        pytest.importorskip("pyduktape2")
        text = es5((EXAMPLES / "long_conversation.js").read_text(encoding="utf-8"))
        script = llmspell.write("long_es5.js", text)
    with serving(FakeOpenAI(reply)) as server:
        done = llmspell(
            f"--set=providers.fake.base_url={server.base_url}",
            "--set=providers.fake.capabilities.max_context_tokens=2000",
            "--set=default.model=fake/m",
            "run",
            str(script),
        )
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert [one for one in lines if one.startswith("heard")] == [
        f"heard about {one}"
        for one in ("the harbour", "the old town", "the museum", "the park", "the tower")
    ]
    assert any(one.startswith("  (summarize: ") for one in lines)
    assert "last: The walk began at the harbour." in lines
    assert lines[-1] == "12 messages are kept"
