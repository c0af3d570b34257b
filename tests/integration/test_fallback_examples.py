"""The examples in which another model answers, with two real servers on this machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import Raw, chunk_of

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HALF = f"data: {json.dumps(chunk_of('Half of '))}\n\n"


def es5(text: str) -> str:
    """The JavaScript example for an engine whose host calls wait by themselves."""
    for new, old in (
        ("await new Agent(", 'Agent["new"]('),
        ("for await (const chunk of ", "var chunk, chunks = "),
        (
            'writer.stream("Name the kettle")) {',
            'writer.stream("Name the kettle");\nwhile ((chunk = chunks.next())) {',
        ),
        ("(event) => {", "function (event) {"),
        ("await ", ""),
        ("const ", "var "),
        ("let ", "var "),
        (
            "`  (${event.data.model} failed, asking ${event.data.to})`",
            '"  (" + event.data.model + " failed, asking " + event.data.to + ")"',
        ),
        ("`writer: ${text}`", '"writer: " + text'),
    ):
        text = text.replace(new, old)
    return "// @engine duktape\n" + text.partition("\n")[2]


@pytest.mark.parametrize("broken", [Raw("{}", 503), "cut"], ids=["fails", "breaks"])
@pytest.mark.parametrize("name", ["fallback.lua", "fallback.js", "es5"])
def test_the_next_model_answers(name: str, broken: Raw | str, tmp_path: Path) -> None:
    if broken == "cut":
        broken = Raw(content_type="text/event-stream", pieces=[HALF], cut=True)
    llmspell = CommandLine(tmp_path)
    if name == "es5":
        pytest.importorskip("pyduktape2")
        text = es5((EXAMPLES / "fallback.js").read_text(encoding="utf-8"))
        script = llmspell.write("fallback_es5.js", text)
    else:
        script = EXAMPLES / name
    with serving(FakeOpenAI(broken)) as front, serving(FakeOpenAI("Songkettle.")) as back:
        done = llmspell(
            f"--set=providers.front.base_url={front.base_url}",
            f"--set=providers.back.base_url={back.base_url}",
            "run",
            str(script),
        )
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "  (front/large failed, asking back/small)",
        "writer: Songkettle.",
    ]
