"""Whatever a script gives, and whatever its functions give back: no error is an internal one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import completion

FOLDER = Path(__file__).with_name("junk")
PACKAGES = ("llmspell_core", "llmspell_agents", "llmspell_tools", "llmspell_workflows")
#: They wait, or end the script.
LEFT_OUT = {"exit", "sleep", "wait_for", "receive", "join", "terminate", "next", "wait", "queue"}


def _methods() -> dict[str, list[str]]:
    """The methods of all globals and of their objects, by name; the engine's own left out."""
    found: dict[str, list[str]] = {}
    for package in PACKAGES:
        text = (files(package) / "script_manifest.json").read_text(encoding="utf-8")
        for name, one in json.loads(text)["globals"].items():
            for owner, declared in ((name, one), *one.get("objects", {}).items()):
                found[owner] = [
                    method
                    for method, spec in declared["methods"].items()
                    if method not in LEFT_OUT and not spec.get("guest")
                ]
    return found


def _reply(body: dict[str, Any]) -> dict[str, Any]:
    """Calls the tool that the user names."""
    last = body["messages"][-1]
    if last["role"] == "user" and str(last["content"]).startswith("call "):
        name, arguments = last["content"].split()[1:3]
        function = {"name": name, "arguments": arguments}
        return completion(tool_calls=[{"id": "c", "type": "function", "function": function}])
    return completion("done")


@pytest.fixture
def llmspell(tmp_path: Path) -> Iterator[CommandLine]:
    made = CommandLine(tmp_path)
    with serving(FakeOpenAI(_reply)) as server:
        made.env["LLMSPELL_PROVIDERS__FAKE__BASE_URL"] = server.base_url
        made.env["LLMSPELL_DEFAULT__MODEL"] = "fake/m"
        yield made


@pytest.mark.parametrize("part", ["arguments", "answers"])
def test_junk_ends_in_an_error_that_says_what_is_wrong(part: str, llmspell: CommandLine) -> None:
    junk, start, rest = (
        (FOLDER / name).read_text(encoding="utf-8")
        for name in ("junk.json", "start.js", f"{part}.js")
    )
    given = f"const METHODS = {json.dumps(_methods())}, JUNK = {junk};"
    llmspell.write("junk.js", f"{given}\n{start}\n{rest}")
    done = llmspell("run", "--json", "junk.js")
    assert done.code == 0, done.err[-2000:]
    data = json.loads(done.out.splitlines()[-1])["data"]
    assert data["wrong"] == []
    assert data["calls"] > 900
