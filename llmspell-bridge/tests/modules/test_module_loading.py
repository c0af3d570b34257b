"""`require`, `dofile` and `import` in running scripts, in both carriers, under each profile."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.testing import CARRIERS, script_runtime
from llmspell_core.errors import LLMSpellError
from llmspell_core.security.module_pins import Lock, digest
from llmspell_core.security.modules import MAX_MODULE_BYTES

needs_js = pytest.mark.skipif(
    importlib.util.find_spec("_quickjs") is None, reason="the modern JavaScript engine is missing"
)


class Project:
    """A folder that is project and working directory, and runs scripts of it."""

    def __init__(self, path: Path, carrier: str) -> None:
        self.path = path
        self.carrier = carrier
        self.security: dict[str, Any] = {"modules": {"allow": ["*"], "paths": ["vendor"]}}

    def write(self, name: str, content: str | bytes, *, pinned: bool = True) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        file.write_bytes(data)
        if pinned:
            lock = Lock.read(self.path / "llmspell.lock")
            lock.add(name, file, digest(data))
            lock.write()

    def run(self, text: str, name: str = "spell.lua", profile: str = "medium") -> Any:
        async def main() -> Any:
            settings = {"security": {"profile": profile, **self.security}}
            engine = "lua" if name.endswith(".lua") else "js"
            async with script_runtime(
                isolation=self.carrier, settings=settings, engine=engine
            ) as runtime:
                source = ScriptSource(text, name, self.path / name)
                return (await runtime.run(source)).value

        return asyncio.run(asyncio.wait_for(main(), 60))

    def error(self, text: str, name: str = "spell.lua", profile: str = "medium") -> LLMSpellError:
        with pytest.raises(LLMSpellError) as caught:
            self.run(text, name, profile)
        return caught.value


@pytest.fixture(params=CARRIERS)
def project(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Project:
    path = tmp_path / "project"
    path.mkdir()
    monkeypatch.chdir(path)
    return Project(path, request.param)


# -- Lua: finding --------------------------------------------------------------------------------


def test_names_lead_from_the_calling_file_to_files(project: Project) -> None:
    project.write(
        "lib/util.lua", "return {name = ..., file = select(2, ...), near = require('near')}"
    )
    project.write("lib/near.lua", "return 'beside lib/util.lua'")
    project.write("near.lua", "return 'beside the script'")
    project.write("kit/init.lua", "return 'kit, ' .. require('kit.part')")
    project.write("kit/part.lua", "return 'named from the main script'")
    project.write("vendor/far.lua", "return 'in vendor'")
    found = project.run("""
        local util = require("lib.util")
        return {util.name, util.file, util.near, require("near"), require("kit"), require("far"),
                (select(2, require("far")))}
    """)
    assert found == [
        "lib.util", "lib/util.lua", "beside lib/util.lua", "beside the script",
        "kit, named from the main script", "in vendor", "vendor/far.lua",
    ]  # fmt: skip


def test_a_module_runs_once_whoever_asks(project: Project) -> None:
    project.write("count.lua", "runs = (runs or 0) + 1 Async.sleep(5) return {}")
    project.write("lib/other.lua", "return require('count')")
    project.write("nothing.lua", "none = (none or 0) + 1")
    assert project.run("""
        local ask = function() return require("count") end
        local both = Async.all({ask, ask, function() return require("lib.other") end})
        require("nothing")
        return {both[1] == both[2], both[2] == both[3], runs, require("nothing"), none}
    """) == [True, True, 1, True, 1]


def test_modules_that_require_each_other_are_named(project: Project) -> None:
    project.write("a.lua", "local b = require('b') return b")
    project.write("b.lua", "local c = require('c') return c")
    project.write("c.lua", "\nlocal a = require('a') return a")
    project.write("self.lua", "return require('self')")
    error = project.error("require('a')")
    assert error.code == "module.cycle"
    assert error.message == "modules require each other: a -> b -> c -> a"
    assert error.source == "c.lua:2"
    assert project.error("require('self')").message.endswith("self -> self")


def test_two_tasks_that_wait_for_each_others_modules_are_a_cycle(project: Project) -> None:
    project.write("a.lua", "Async.sleep(20) return require('b')")
    project.write("b.lua", "Async.sleep(20) return require('a')")
    error = project.error("""
        return Async.all({function() return require("a") end, function() return require("b") end})
    """)
    assert error.code == "module.cycle"


def test_a_module_that_failed_is_tried_again(project: Project) -> None:
    project.write(
        "shaky.lua", "tries = (tries or 0) + 1 if tries == 1 then error('no') end return 7"
    )
    assert project.run("return {(pcall(require, 'shaky')), (require('shaky'))}") == [False, 7]


def test_a_required_module_may_be_asked_for_in_a_cycle_later(project: Project) -> None:
    project.write("a.lua", "return {b = function() return require('b') end}")
    project.write("b.lua", "local a = require('a') return {a = a}")
    assert project.run("local a = require('a') return a.b().a == a") is True


# -- Lua: errors ---------------------------------------------------------------------------------


def test_errors_in_modules_name_their_file(project: Project) -> None:
    project.write("lib/bad.lua", "local x\nlocal y = = 1")
    project.write("lib/late.lua", "return {fail = function()\n  error('boom') end}")
    project.write("lib/now.lua", "\n\nlocal x = nil + 1")
    error = project.error("\nrequire('lib.bad')")
    assert (error.code, error.source) == ("script.syntax", "lib/bad.lua:2")
    assert project.error("require('lib.late').fail()").source == "lib/late.lua:2"
    error = project.error("\nreturn require('lib.now')")
    assert error.source == "lib/now.lua:3"
    assert "spell.lua:2" in str(error.stack)


def test_a_name_that_is_not_there_has_the_nearest(project: Project) -> None:
    project.write("utils.lua", "return 1")
    error = project.error("\nrequire('utls')")
    assert (error.code, error.source) == ("module.not_found", "spell.lua:2")
    assert error.hint == 'did you mean "utils"?'


@pytest.mark.parametrize(
    "name",
    ["../secret", "..secret", "/etc/passwd", "a/b", "a..b", ".a", "a.", "", "a\\0b", "a\\nb",
     "a\\27[31m", "C:\\\\x", "a b", "~.x", "('x'):rep(300)"],
)  # fmt: skip
def test_hostile_names_reach_nothing(project: Project, name: str) -> None:
    (project.path.parent / "secret.lua").write_text("return 'secret'")
    argument = name if name.startswith("(") else f'"{name}"'
    error = project.error(f"require({argument})")
    assert error.code == "module.denied"
    assert error.message.isprintable()
    assert project.error("require({})").message.startswith("bad argument #1 to 'require'")


# -- Lua: profiles -------------------------------------------------------------------------------


def test_low_and_medium_load_what_is_named_and_pinned(project: Project) -> None:
    project.security = {"modules": {"allow": ["lib"]}}
    project.write("lib/util.lua", "return 1")
    project.write("lib/fresh.lua", "return 1", pinned=False)
    project.write("other.lua", "return 1")
    for profile in ("low", "medium"):
        assert project.run("return require('lib.util')", profile=profile) == 1
        error = project.error("require('lib.fresh')", profile=profile)
        assert error.hint == "read it, then: llmspell modules pin lib.fresh"
        error = project.error("require('other')", profile=profile)
        assert error.hint == 'add "other" to it, then: llmspell modules pin other'
        # The same whether it is there or not.
        absent = project.error("require('absent')", profile=profile)
        assert (absent.code, error.code) == ("module.denied", "module.denied")
    project.write("lib/util.lua", "return 2", pinned=False)
    error = project.error("\nrequire('lib.util')")
    assert (error.code, error.source) == ("module.changed", "spell.lua:2")
    assert digest(b"return 1")[:12] in error.message


def test_high_loads_nothing_but_the_globals(project: Project) -> None:
    if project.carrier == "process":
        pytest.skip("high is for workers")
    project.write("util.lua", "return 1")
    error = project.error("require('util')", profile="high")
    assert error.code == "module.denied"
    assert "profile high" in error.message
    assert project.run("return require('llmspell').Tool == Tool", profile="high") is True


def test_none_loads_from_everywhere_luas_own_path_included(project: Project) -> None:
    project.security = {}
    project.write("lib/util.lua", "return {require('near')}", pinned=False)
    project.write("lib/near.lua", "return 'near'", pinned=False)
    project.write("own/path.lua", "return 'own'", pinned=False)
    assert project.run(
        """
        package.preload.made = function() return "made" end
        package.loaded.given = "given"
        local util = require("lib.util")
        return {util[1], package.loaded["lib.util"] == util, require("made"), require("given"),
                require("llmspell") == _G}
        """,
        profile="none",
    ) == ["near", True, "made", "given", True]
    if project.carrier == "process":  # a worker opens no files itself
        own = "package.path = package.path .. ';./own/?.lua' return require('path')"
        assert project.run(own, profile="none") == "own"
    assert project.error("require('lib.utl')", profile="none").code == "module.not_found"


def test_what_is_no_source_text_is_refused(project: Project) -> None:
    project.write("code.lua", b"\x1bLua\x54\x00")
    project.write("nul.lua", b"return 1\0")
    project.write("latin.lua", b"return '\xe4'")
    project.write("bom.lua", b"\xef\xbb\xbf#!/usr/bin/env lua\nreturn 'bom'")
    for name in ("code", "nul", "latin"):
        error = project.error(f"require('{name}')")
        assert (error.code, error.hint) == (
            "module.denied",
            "modules are source text, never byte code",
        )
    assert project.run("return require('bom')") == "bom"


def test_a_huge_module_is_refused(project: Project) -> None:
    project.write("huge.lua", b"-" * (MAX_MODULE_BYTES + 1))
    assert project.error("require('huge')").code == "limit.module_size"


def test_a_link_out_of_the_project_is_no_module(project: Project) -> None:
    outside = project.path.parent / "outside"
    outside.mkdir()
    (outside / "secret.lua").write_text("return 'secret'")
    (project.path / "link.lua").symlink_to(outside / "secret.lua")
    (project.path / "folder").symlink_to(outside)
    project.security["files"] = {"read": ["$project"], "write": []}
    for name in ("link", "folder.secret"):
        error = project.error(f"require('{name}')")
        assert error.code == "module.denied"
        assert "not in a folder that modules are read from" in error.message


def test_decisions_are_in_the_audit_log(project: Project) -> None:
    log = project.path.parent / "audit.jsonl"
    project.security["audit_log"] = str(log)
    project.write("util.lua", "return 1")
    project.run("pcall(require, '../x') return require('util')")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    found = [(one["target"], one["verdict"]) for one in lines if one["gate"] == "modules"]
    assert found == [("../x", "deny"), ("util", "allow")]
    assert all(one["run"] and one["script"] == "spell.lua" for one in lines)


# -- dofile --------------------------------------------------------------------------------------


def test_dofile_starts_at_the_calling_file(project: Project) -> None:
    project.write("examples/lib/first.lua", "return dofile('second.lua')", pinned=False)
    project.write("examples/lib/second.lua", "#! text\nreturn 'second'", pinned=False)
    project.write("examples/lib/bad.lua", "\nx = = 1", pinned=False)
    name = "examples/spell.lua"
    for profile in ("none", "low", "medium"):
        assert project.run("return dofile('lib/first.lua')", name, profile) == "second"
        found = project.run(
            "local f, message = loadfile('absent.lua') return {f == nil, message}", name, profile
        )
        assert found[0] is True
        assert "examples/absent.lua" in found[1]
        error = project.error("return dofile('lib/bad.lua')", name, profile)
        assert (error.code, error.source) == ("script.syntax", "examples/lib/bad.lua:2")


def test_dofile_reads_source_text_of_the_project_only(project: Project) -> None:
    (project.path.parent / "outside.lua").write_text("return 1")
    project.write("code.lua", b"\x1bLua", pinned=False)
    project.security["files"] = {"read": ["$project"], "write": []}
    assert project.error("dofile('../outside.lua')").code == "policy.file"
    assert project.error("dofile('/etc/passwd')").code == "policy.file"
    assert project.error("dofile('code.lua')").code == "script.binary"
    assert project.error("dofile('')").code == "policy.file"


# -- JavaScript ----------------------------------------------------------------------------------


@needs_js
def test_es_modules_are_imported(project: Project) -> None:
    project.write(
        "lib/a.js", 'import { b } from "./b.js"; export const a = () => b + 1; export let n = 0'
    )
    project.write("lib/b.js", 'import "./a.js"; export const b = 41')
    project.write("vendor/pkg/package.json", '{"exports": {"import": "./dist/i.js"}}')
    project.write("vendor/pkg/dist/i.js", 'export { two } from "./two.js"; export default "pkg"')
    project.write("vendor/pkg/dist/two.js", "export const two = 2")
    source = """
        import { a } from "./lib/a.js"
        import pkg, { two } from "pkg"
        import spell, { Tool } from "llmspell"
        const again = await import("./lib/../lib/a.js")
        export default [a(), pkg, two, spell.Tool === Tool, again.a === a]
    """
    for profile in ("none", "low", "medium"):
        assert project.run(source, "spell.js", profile) == [42, "pkg", 2, True, True]


@needs_js
def test_what_cannot_be_imported_says_why(project: Project) -> None:
    project.security = {"modules": {"allow": ["lib"]}}
    project.write("lib/bad.js", "\nlet x = ;")
    project.write("lib/fail.js", "export const fail = () => {\n  throw new Error('boom') }")
    project.write("other.js", "export {}")
    assert project.error('import "./other.js"', "spell.js").code == "module.denied"
    error = project.error('import "./lib/fial.js"', "spell.js")
    assert (error.code, error.hint) == ("module.not_found", 'did you mean "lib/fail.js"?')
    assert project.error('import "./lib/bad.js"', "spell.js").source == "lib/bad.js:2"
    fails = 'import { fail } from "./lib/fail.js"\nfail()'
    assert project.error(fails, "spell.js").source == "lib/fail.js:2"
    unknown = project.run(
        """
        const errors = []
        for (const name of ["./lib/" + "fail.js", "/etc/passwd"]) {
          await import(name).catch(e => errors.push(e.code))
        }
        await import("node:fs").catch(e => errors.push(e.code, e.hint.includes("Tool")))
        export default errors
        """,
        "spell.js",
    )
    assert unknown == ["module.not_found", "module.not_found", "module.denied", True]
    project.write("lib/fail.js", "changed", pinned=False)
    assert project.error(fails, "spell.js").code == "module.changed"
