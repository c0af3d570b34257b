"""`llmspell modules`: what a script requires is pinned and checked, and then it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine

TRUST = {"LLMSPELL_TRUST_PROJECT": "1"}


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    made.env |= TRUST
    made.write("llmspell.toml", '[security.modules]\nallow = ["lib", "pkg"]\npaths = ["vendor"]\n')
    made.write("lib/util.lua", 'local part = require("part")\nreturn { part = part }\n')
    made.write("lib/part.lua", "return 'part'\n")
    made.write("spell.lua", 'print(require("lib.util").part)\n')
    return made


def test_a_script_runs_once_its_modules_are_pinned(llmspell: CommandLine) -> None:
    done = llmspell("spell.lua")
    assert done.code == 1
    assert 'error: module "lib.util" is not pinned  [module.denied]' in done.lines
    assert "  read it, then: llmspell modules pin lib.util" in done.lines
    done = llmspell("modules", "pin", "lib.util")
    assert [line.split()[:2] for line in done.out.splitlines()] == [
        ["new", "lib.part"],
        ["new", "lib.util"],
    ]
    assert llmspell("spell.lua").out == "part\n"


def test_verify_fails_on_changes_until_they_are_pinned(llmspell: CommandLine) -> None:
    assert llmspell("modules", "verify").err == "nothing is pinned\n"
    llmspell("modules", "pin", "lib")
    done = llmspell("modules", "verify")
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("2 as pinned in ")
    llmspell.write("lib/util.lua", "return { part = 'new' }\n")
    done = llmspell("spell.lua")
    assert "[module.changed]" in done.err
    assert "if the change is meant: llmspell modules pin lib.util" in done.err
    done = llmspell("modules", "verify")
    assert (done.code, done.out.split()[:2]) == (1, ["changed", "lib.util"])
    (llmspell.cwd / "lib/part.lua").unlink()
    done = llmspell("modules", "verify", "--json")
    assert done.code == 1
    assert {one["module"]: one["state"] for one in json.loads(done.out)} == {
        "lib.part": "missing",
        "lib.util": "changed",
    }
    done = llmspell("modules", "pin", "--json")
    assert {one["module"]: one["state"] for one in json.loads(done.out)} == {
        "lib.part": "removed",
        "lib.util": "changed",
    }
    assert llmspell("modules", "verify").code == 0
    assert llmspell("spell.lua").out == "new\n"


def test_list_says_what_is_allowed(llmspell: CommandLine) -> None:
    assert "nothing is pinned" in llmspell("modules", "list").err
    llmspell.write("other.lua", "return 1")
    done = llmspell("modules", "pin", "lib/part.lua", "other.lua")
    assert "not named in [security.modules] allow: other" in done.err
    rows = json.loads(llmspell("modules", "list", "--json").out)
    assert [(one["module"], one["allowed"], one["state"]) for one in rows] == [
        ("lib.part", True, "ok"),
        ("other", False, "ok"),
    ]
    assert len(rows[0]["sha256"]) == 64
    assert rows[0]["path"] == "lib/part.lua"


def test_packages_are_pinned_with_all_they_import(llmspell: CommandLine) -> None:
    llmspell.write("vendor/pkg/package.json", '{"exports": "./i.js"}')
    llmspell.write("vendor/pkg/i.js", 'export * from "./deep/a.js"; import "./gone.js"')
    llmspell.write("vendor/pkg/deep/a.js", 'import { Tool } from "llmspell"; export const a = 1')
    llmspell.write("vendor/pkg/unused.js", "export {}")
    done = llmspell("modules", "pin", "pkg", "--json")
    assert [one["module"] for one in json.loads(done.out)] == ["pkg/deep/a.js", "pkg/i.js"]
    assert 'pkg/i.js imports ./gone.js: no module "pkg/gone.js"' in done.err
    llmspell("modules", "pin", "vendor/pkg")
    rows = json.loads(llmspell("modules", "list", "--json").out)
    assert [one["module"] for one in rows] == ["pkg/deep/a.js", "pkg/i.js", "pkg/unused.js"]
    assert all(one["allowed"] for one in rows)


def test_what_is_not_there_is_named(llmspell: CommandLine) -> None:
    done = llmspell("modules", "pin", "lib.utli")
    assert done.code == 1
    assert 'no module, file or folder "lib.utli"  [module.not_found]' in done.err
    done = llmspell("modules", "pin", "--set", 'security.modules.allow=["lib.*", "gone"]')
    assert done.code == 0
    assert 'name the modules or folders that "lib.*" stands for' in done.err
    assert 'no module, file or folder "gone"' in done.err


def test_a_broken_lock_file_is_a_clear_error(llmspell: CommandLine) -> None:
    llmspell.write("llmspell.lock", "version = 1\n[[module]]\nname = 3\n")
    for call in (("modules", "list"), ("modules", "pin"), ("modules", "verify")):
        done = llmspell(*call)
        assert done.code == 2
        assert "no usable lock file: module 1 has no name, path and sha256" in done.err
    assert "no usable lock file" in llmspell("spell.lua").err


def test_an_untrusted_folder_allows_nothing(llmspell: CommandLine) -> None:
    llmspell.env.pop("LLMSPELL_TRUST_PROJECT")
    done = llmspell("modules", "pin", "lib.util")
    assert "not trusted" in done.err
    done = llmspell("spell.lua")
    assert 'module "lib.util" is not named in [security.modules] allow' in done.err


def test_a_project_in_an_untrusted_folder_cannot_choose_the_lock_file(
    llmspell: CommandLine,
) -> None:
    llmspell.env.pop("LLMSPELL_TRUST_PROJECT")
    config = llmspell.home / "config"
    config.mkdir(parents=True, exist_ok=True)
    (config / "config.toml").write_text('[security.modules]\nallow = ["lib"]\n')
    llmspell.write("llmspell.toml", '[security.modules]\npins = "other.lock"\n')
    llmspell("modules", "pin", "lib.util")
    assert (llmspell.cwd / "llmspell.lock").exists()
    assert not (llmspell.cwd / "other.lock").exists()
