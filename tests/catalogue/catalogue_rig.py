"""Calls every case of the catalogue from Lua, JavaScript, ES5.1, the command line and an agent.

For each way one process calls all tools, in a folder of its own: a script of one language calls
them one after another; the commands run in this process; each call of the agent is chosen by a
scripted model.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomli_w
from catalogue_cases import Case, Outcome, load_cases
from catalogue_files import write_files
from catalogue_servers import services, settings
from literals import ES5, JS, LUA, command

from llmspell_core.config.sources import load
from llmspell_core.errors import LLMSpellError

#: The ways to call a tool, and what a table calls them.
WAYS = {
    "lua": "Lua",
    "js": "JavaScript",
    "duktape": "ES5.1",
    "cli": "command line",
    "agent": "agent",
}
#: The line before what comes from outside, for models only.
UNTRUSTED = re.compile(r"\A\[untrusted content from [\w-]+: [^\n]*\]\n")
Outcomes = dict[str, Outcome]

FRAMES = {
    "lua": """
local found = {}
local function attempt(name, call)
  local ok, made = pcall(call)
  found[name] = ok and { output = made.output, result = made.result, text = made.text }
    or { error = made.code or "script", message = tostring(made) }
end
CALLS
return found
""",
    "js": """
const found = {};
async function attempt(name, call) {
  try {
    const made = await call();
    found[name] = { output: made.output, result: made.result, text: made.text };
  } catch (error) {
    found[name] = { error: error.code || "script", message: String(error) };
  }
}
CALLS
return found;
""",
    "duktape": """
var found = {};
function attempt(name, call) {
  try {
    var made = call();
    found[name] = { output: made.output, result: made.result, text: made.text };
  } catch (error) {
    found[name] = { error: error.code || "script", message: String(error) };
  }
}
CALLS
return found;
""",
}


def script(way: str, cases: list[Case]) -> str:
    """A script that calls them all and returns what came out, by name."""
    return FRAMES[way].replace("CALLS", "\n".join(_attempt(way, case) for case in cases))


def _attempt(way: str, case: Case) -> str:
    if way == "lua":
        return (
            f'attempt("{case.name}", function() return {LUA.execute(case.tool, case.params)} end)'
        )
    if way == "js":
        made = JS.execute(case.tool, case.params)
        return f'await attempt("{case.name}", async () => {made});'
    made = ES5.execute(case.tool, case.params)
    return f'attempt("{case.name}", function () {{ return {made}; }});'


class Rig:
    """The services, and what came out for each way, which is run when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = contextlib.ExitStack()
        self._outcomes: dict[str, Outcomes] = {}

    def __enter__(self) -> Rig:
        replies = {_words(one): one.reply for one in load_cases() if one.reply is not None}
        self._places = self._stack.enter_context(services(replies))
        self.cases = [
            one.at(self._places)
            for one in load_cases()
            if one.needs != "postgres" or self._places["postgres"]
        ]
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def outcomes(self, way: str) -> Outcomes:
        """How each case ended, by its name."""
        if way not in self._outcomes:
            folder = self._folder / way
            folder.mkdir()
            write_files(folder)
            text = tomli_w.dumps({**settings(self._places), "system": {"data_dir": "own"}})
            (folder / "catalogue.config.toml").write_text(text, encoding="utf-8")
            with contextlib.chdir(folder), _no_keys(), _changes(folder / "watched/tick.log"):
                self._outcomes[way] = self._run(way)
        return self._outcomes[way]

    def _run(self, way: str) -> Outcomes:
        if way == "cli":
            return {one.name: _by_command(one) for one in self.cases}
        if way == "agent":
            return asyncio.run(_by_agent(self.cases))
        return asyncio.run(_by_script(way, self.cases))


def _words(case: Case) -> str:
    """Words of its input, by which the model knows the case."""
    given = case.params["input"]
    return str(given if isinstance(given, str) else given[0])


def _loaded() -> Any:
    return load(config_file=Path("catalogue.config.toml"), env={})


async def _by_script(way: str, cases: list[Case]) -> Outcomes:
    from llmspell_bridge.engines import ScriptSource
    from llmspell_bridge.runtime import ScriptRuntime

    name = f"catalogue.{'lua' if way == 'lua' else 'js'}"
    async with ScriptRuntime(_loaded(), engine=way, isolation="worker") as runtime:
        done = await runtime.run(ScriptSource(script(way, cases), name, Path(name).absolute()))
    found = {}
    for case in cases:
        made = done.value[case.name]
        if "error" in made:
            found[case.name] = Outcome({}, made["error"], made["message"])
        else:
            found[case.name] = Outcome(made)
    return found


def _by_command(case: Case) -> Outcome:
    from click.testing import CliRunner

    from llmspell_cli.app import app

    words = [*command(case.tool, case.params), "--json", "--config", "catalogue.config.toml"]
    done = CliRunner().invoke(app, words)
    if isinstance(done.exception, LLMSpellError):
        return Outcome({}, done.exception.code, done.exception.message)
    if done.exception is not None:
        return Outcome({}, "command", f"{done.exception!r} {done.output}")
    made = json.loads(done.stdout)
    return Outcome({name: made[name] for name in ("output", "result", "text")})


async def _by_agent(cases: list[Case]) -> Outcomes:
    from llmspell_agents import Agent
    from llmspell_core.runtime import Runtime
    from llmspell_core.testing import ScriptedProvider
    from llmspell_core.testing.scripted import tool_call

    found = {}
    async with Runtime(_loaded()) as runtime:
        for case in cases:
            call = tool_call(case.tool, **case.params)
            model = ScriptedProvider(call, "That is it.")
            runtime.add_provider(model)
            agent = Agent("Use the tool.", model="scripted/m", tools=[case.tool])
            try:
                answer = await agent.execute("Go on.", ctx=runtime.context())
            except LLMSpellError as error:
                found[case.name] = Outcome({}, error.code, error.message)
                continue
            (made,) = answer.tool_calls
            if made.error:
                found[case.name] = Outcome({}, made.error["code"], made.error["message"])
            else:
                # What the model reads is the text of the result.
                text = UNTRUSTED.sub("", model.requests[1].messages[-1].text)
                found[case.name] = Outcome({"output": made.result, "text": text})
    return found


@contextlib.contextmanager
def _no_keys() -> Iterator[None]:
    """Without the variables of whoever runs this that configure llmspell or hold its keys."""
    kept = dict(os.environ)
    level = logging.root.level
    for name in kept:
        if name.startswith("LLMSPELL_") or name.endswith(("_API_KEY", "_TOKEN")):
            del os.environ[name]
    os.environ["LANG"] = "C.UTF-8"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
        logging.root.setLevel(level)


@contextlib.contextmanager
def _changes(path: Path) -> Iterator[None]:
    """Somebody writes to a log all the time."""
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(0.02):
            with path.open("a", encoding="utf-8") as file:
                file.write("tick\n")

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
