"""The editor stubs in the hands of real checkers: `tsc` for JavaScript, `luacheck` for Lua."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from llmspell_bridge.manifests import load_manifests
from llmspell_bridge.stubs import write_stubs

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
MANIFESTS = load_manifests()

#: Kept from one run of the tests to the next.
TYPESCRIPT = "5.9.3"
OPTIONS = {
    "allowJs": True,
    "checkJs": True,
    "noEmit": True,
    "strict": True,
    # What scripts write has no types: callbacks of tools get what a model made up.
    "noImplicitAny": False,
    "useUnknownInCatchVariables": False,
    "target": "es2022",
    "module": "esnext",
    "moduleResolution": "bundler",
    # Scripts are modules even where they import nothing.
    "moduleDetection": "force",
    "lib": ["es2023"],
    "types": [],
}

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
needs_luacheck = pytest.mark.skipif(
    shutil.which("luacheck") is None, reason="luacheck is not installed (Debian: lua-check)"
)


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stubs")
    write_stubs(MANIFESTS, folder)
    return folder


# -- JavaScript ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tsc() -> Path:
    """The compiler, fetched by npm when it is not there from an earlier run."""
    place = Path(tempfile.gettempdir()) / f"llmspell-typescript-{TYPESCRIPT}"
    compiler = place / "node_modules" / "typescript" / "bin" / "tsc"
    if not compiler.exists():
        fresh = Path(tempfile.mkdtemp(prefix="llmspell-typescript-"))
        npm = shutil.which("npm") or "npm"
        wanted = ["install", "--no-audit", "--no-fund", f"typescript@{TYPESCRIPT}"]
        subprocess.run(
            [npm, *wanted, "--prefix", str(fresh)], check=True, capture_output=True, timeout=240
        )
        try:
            fresh.rename(place)
        except OSError:
            # Another run was quicker.
            shutil.rmtree(fresh, ignore_errors=True)
    return compiler


def check(tsc: Path, stubs: Path, folder: Path, *scripts: Path) -> list[str]:
    """What the compiler finds wrong, as lines."""
    config = folder / "jsconfig.json"
    named = [str(stubs / "llmspell.d.ts"), *map(str, scripts)]
    config.write_text(json.dumps({"compilerOptions": OPTIONS, "files": named}))
    done = subprocess.run(
        ["node", str(tsc), "-p", str(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]


@needs_npm
def test_the_compiler_accepts_every_javascript_example(
    tsc: Path, stubs: Path, tmp_path: Path
) -> None:
    scripts = sorted(EXAMPLES.glob("*.js"))
    assert scripts
    assert check(tsc, stubs, tmp_path, *scripts) == []


RIGHT = """
const agent = await Agent.new({ system_prompt: "x", maxTokens: 5 });
for await (const chunk of agent.stream("x")) stdout.write(chunk.text ?? "");
const whole = await agent.stream("x");
const built = await Agent.builder().systemPrompt("x").temperature(0.5).build();
console.log(whole.toolCalls.length, whole.tool_calls.length, built.name, agent.id);
const task = Async.spawn(async () => 1);
const queue = Async.queue(5);
await queue.push(await task);
const log = Logger.new("x");
log.info("x", { a: 1 });
console.log(JSON.encode(JSON.decode("1")), JSON.null, JSON.parse("1"), Security.profile);
console.log(await Tool["calculator"].execute({ input: "1" }), args.city, args[1]);
for await (const line of stdin.lines()) console.error(line.length);
setTimeout(() => console.log(new URL("a", "http://b/").href), 5);
if (await State.get("x")) process.exit(3);
"""
WRONG = {
    'await new Agent({ systemPromt: "x" })': "systemPromt",
    '(await Agent.new("x")).executee("x")': "executee",
    "Tool.execute(1, {}, 3)": "Expected 1-2 arguments",
    '(await (await new Agent({})).execute("x")).texxt': "texxt",
    "State.nothing()": "nothing",
    "Workflow.sequential({ stepz: [] })": "stepz",
    'Logger.new("x").infoo("x")': "infoo",
    "JSON.decode(5)": "number",
    'for await (const chunk of (await new Agent({})).stream("x")) chunk.nope': "nope",
    "console.log(document.title)": "document",
    'require("fs")': "fs",
    "stdin.text().length": "length",
    "Agent = 5": "Agent",
}


@needs_npm
def test_the_compiler_finds_what_is_wrong_and_nothing_else(
    tsc: Path, stubs: Path, tmp_path: Path
) -> None:
    right = tmp_path / "right.js"
    right.write_text(RIGHT)
    wrong = tmp_path / "wrong.js"
    wrong.write_text("".join(f"{one};\n" for one in WRONG))
    found = [line for line in check(tsc, stubs, tmp_path, right, wrong) if "error TS" in line]
    assert [line for line in found if "wrong.js" not in line] == []
    for number, (source, word) in enumerate(WRONG.items(), start=1):
        of_line = [line for line in found if f"wrong.js({number}," in line]
        assert of_line, source
        assert word in "".join(of_line), source


# -- Lua -------------------------------------------------------------------------------------------


def luacheck(*args: str | Path) -> str:
    done = subprocess.run(
        ["luacheck", "--no-color", "--codes", "--std", "lua54", *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@needs_luacheck
def test_the_checker_accepts_the_lua_stubs(stubs: Path) -> None:
    # Its functions have no bodies, and all that it does is to define globals.
    names = [name for one in MANIFESTS.values() for name in (one["name"], *one["aliases"])]
    options = ["--allow-defined-top", "--no-unused", "--ignore", "131", "--no-max-line-length"]
    options += ["--globals", *names]
    assert luacheck(stubs / "llmspell.lua", *options) == ""


@needs_luacheck
def test_the_checker_accepts_every_lua_example(tmp_path: Path) -> None:
    """It knows the methods of every global: one that is none is an undefined field."""
    config = tmp_path / "luacheckrc"
    config.write_text(f"read_globals = {_lua_globals()}\n")
    options = ["--config", str(config), "--no-max-line-length"]
    found = luacheck(*sorted(EXAMPLES.glob("*.lua")), "--quiet", *options)
    assert found == ""
    wrong = tmp_path / "wrong.lua"
    wrong.write_text("print(State.nothing('x'), Agnt, State.get('x'))\n")
    found = luacheck(wrong, *options)
    assert "State.nothing" in found or "field 'nothing'" in found
    assert "'Agnt'" in found
    assert "'get'" not in found


def _lua_globals() -> str:
    """Every global with its fields, as a table of luacheck's configuration."""
    parts = []
    for manifest in MANIFESTS.values():
        fields = ", ".join(f'["{name}"] = {{}}' for name in sorted(_fields(manifest)))
        open_ = manifest["kind"] == "args" or manifest["index"] or manifest["values"]
        shown = f"other_fields = {str(bool(open_)).lower()}, fields = {{ {fields} }}"
        names = (manifest["name"], *manifest["aliases"])
        parts += [f'["{name}"] = {{ {shown} }}' for name in names]
    return "{ " + ", ".join(parts) + " }"


def _fields(manifest: Any) -> set[str]:
    found = {"null", "array"} if manifest["name"] == "JSON" else set()
    for name, spec in manifest["methods"].items():
        found |= {name, *spec["aliases"]}
    return found | {*manifest["builders"]}
