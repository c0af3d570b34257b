"""ES modules on disk: how names lead to files, and the table that an engine gets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.modules.graph import Graph, engine_name, import_graph
from llmspell_bridge.modules.loader import ModuleLoader
from llmspell_bridge.modules.packages import exported
from llmspell_core.security.module_pins import Lock, digest
from llmspell_core.security.policy import Policy
from llmspell_core.security.profile import SecurityProfile, merged


class Folder:
    """A project: files, and what a script in it can import."""

    def __init__(self, path: Path) -> None:
        self.path = path / "project"
        self.path.mkdir()

    def write(self, name: str, text: str = "export default 1", *, pinned: bool = True) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if pinned:
            self.pin(name, text)
        return file

    def pin(self, name: str, text: str) -> None:
        lock = Lock.read(self.path / "llmspell.lock")
        lock.add(name, self.path / name, digest(text.encode()))
        lock.write()

    def graph(
        self,
        text: str,
        name: str = "spell.js",
        profile: str = "none",
        files: dict[str, Any] | None = None,
        **modules: Any,
    ) -> Graph:
        modules.setdefault("paths", ("node_modules",))
        changes = {"modules": modules, "files": files or {}}
        chosen = merged(SecurityProfile.named(profile), changes)
        policy = Policy(chosen, project=self.path, cwd=self.path, protected=())
        source = ScriptSource(text, name, self.path / name)
        return import_graph(ModuleLoader(policy, source, "js"), text, name)


@pytest.fixture
def project(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def error(graph: Graph, name: str) -> dict[str, Any]:
    found = graph[name]
    assert isinstance(found, dict), found
    return found


@pytest.mark.parametrize(
    ("base", "specifier", "name"),
    [
        ("spell.js", "./m.js", "m.js"),
        ("spell.js", "../m.js", "../m.js"),
        ("a/spell.js", "./m.js", "a/m.js"),
        ("a/b/spell.js", "../../m.js", "m.js"),
        ("a/b/spell.js", "./../m.js", "a/m.js"),
        ("a/spell.js", "../../m.js", "../m.js"),
        ("../spell.js", "../m.js", "../../m.js"),
        ("/a/spell.js", "./m.js", "/a/m.js"),
        ("./spell.js", "./m.js", "./m.js"),
        ("a/b.js", "lodash", "lodash"),
        ("a/b.js", "./x/../m.js", "a/x/../m.js"),
    ],
)
def test_names_are_those_that_the_engine_makes(base: str, specifier: str, name: str) -> None:
    assert engine_name(base, specifier) == name


def test_relative_imports_are_followed_from_each_file(project: Folder) -> None:
    project.write("lib/a.js", 'export * from "./b.js"; import "../c.mjs"; import "./a.js"')
    project.write("lib/b.js", "export const b = 1")
    project.write("c.mjs", "1")
    graph = project.graph('import { b } from "./lib/a.js"')
    assert sorted(graph) == ["c.mjs", "lib/a.js", "lib/b.js"]
    assert graph["lib/b.js"] == "export const b = 1"
    inside = project.graph('import { b } from "./a.js"', name="lib/spell.js")
    assert sorted(inside) == ["c.mjs", "lib/a.js", "lib/b.js"]


def test_a_script_that_imports_nothing_has_an_empty_table(project: Folder) -> None:
    assert project.graph('const a = "./x.js"; import { Tool } from "llmspell"') == {}


def test_a_file_reached_by_two_names_is_there_once(project: Folder) -> None:
    project.write("a.js", "export let n = 0")
    graph = project.graph('import "./a.js"; import "./x/../a.js"; import "./a"')
    assert graph["a.js"] == "export let n = 0"
    for other in ("x/../a.js", "a"):
        assert graph[other] == (
            'import * as all from "a.js";\nexport * from "a.js";\nexport default all.default;'
        )


@pytest.mark.parametrize(
    ("manifest", "specifier", "file"),
    [
        ({}, "pkg", "index.js"),
        ({"main": "lib/main.js"}, "pkg", "lib/main.js"),
        ({"main": "./lib/main"}, "pkg", "lib/main.js"),
        ({"main": "cjs.js", "module": "es.js"}, "pkg", "es.js"),
        ({"exports": "./e.js"}, "pkg", "e.js"),
        ({"exports": {"import": "./e.mjs", "require": "./e.cjs"}}, "pkg", "e.mjs"),
        ({"exports": {".": {"node": "./n.js", "default": "./d.js"}}}, "pkg", "d.js"),
        ({"exports": {".": "./e.js", "./part": "./p.js"}}, "pkg/part", "p.js"),
        ({"exports": {"./*": "./src/*.js"}}, "pkg/x/y", "src/x/y.js"),
        ({}, "pkg/sub/x.js", "sub/x.js"),
        ({}, "pkg/sub", "sub/index.js"),
        ({}, "pkg/two", "two.mjs"),
    ],
)
def test_packages_say_where_their_modules_are(
    project: Folder, manifest: dict[str, Any], specifier: str, file: str
) -> None:
    project.write("node_modules/pkg/package.json", json.dumps(manifest))
    project.write(f"node_modules/pkg/{file}", 'import "./more.js"')
    more = Path(f"node_modules/pkg/{file}").with_name("more.js").as_posix()
    project.write(more, "export {}")
    graph = project.graph(f'import x from "{specifier}"')
    assert sorted(graph) == sorted([specifier, more, f"node_modules/pkg/{file}"])
    assert f'export * from "node_modules/pkg/{file}"' in str(graph[specifier])


def test_scoped_packages_and_a_folder_that_is_a_package_itself(project: Folder) -> None:
    project.write("node_modules/@s/p/index.js", "export {}")
    project.write("vendor/solo/package.json", '{"module": "m.js"}')
    project.write("vendor/solo/m.js", "export {}")
    paths = ("node_modules", "vendor/solo")
    graph = project.graph('import "@s/p"; import "solo"', paths=paths)
    assert {"node_modules/@s/p/index.js", "vendor/solo/m.js"} <= set(graph)


@pytest.mark.parametrize(
    ("exports", "part", "target"),
    [
        ("./x.js", "./sub", None),
        ({".": "../out.js"}, ".", None),
        ({".": "/etc/passwd"}, ".", None),
        ({"require": "./x.cjs"}, ".", None),
        ([], ".", None),
        (7, ".", None),
        ({"./*": "./*.js"}, "./", None),
    ],
)
def test_exports_that_lead_nowhere(exports: Any, part: str, target: str | None) -> None:
    assert exported(exports, part) == target


@pytest.mark.parametrize(
    "manifest",
    ['{"main": "../../secret.js"}', '{"exports": "./../../secret.js"}', '{"main": "/etc/x.js"}'],
)
def test_a_package_does_not_lead_out_of_itself(project: Folder, manifest: str) -> None:
    project.write("secret.js", "secret")
    project.write("node_modules/pkg/package.json", manifest)
    graph = project.graph('import "pkg"')
    assert error(graph, "pkg")["code"] == "module.denied"
    assert list(graph) == ["pkg"]


@pytest.mark.parametrize("text", ["{", '{"exports": ' + "[" * 100_000, "[]", '{"main": 3}', "\0"])
def test_a_broken_package_is_not_found(project: Folder, text: str) -> None:
    project.write("node_modules/pkg/package.json", text)
    assert error(project.graph('import "pkg"'), "pkg")["code"] == "module.not_found"


@pytest.mark.parametrize(
    "specifier",
    ["/etc/passwd", "file:///etc/passwd", "https://example.com/x.js", "node:fs", "C:/x.js", "..",
     "pkg/../../x", "", "a\\\\b", "@scope", "x" * 300, "./" + "x" * 300],
)  # fmt: skip
def test_what_is_no_name_of_a_module_is_refused(project: Folder, specifier: str) -> None:
    graph = project.graph(f'import "{specifier}"')
    assert {error(graph, name)["code"] for name in graph} <= {"module.denied"}


def test_hints_name_what_was_meant(project: Folder) -> None:
    project.write("util.js")
    project.write("node_modules/lodash-es/index.js")
    graph = project.graph('import "./utl.js"; import "util.js"; import "lodsh-es"')
    assert error(graph, "utl.js")["hint"] == 'did you mean "util.js"?'
    assert "./util.js" in error(graph, "util.js")["hint"]
    assert error(graph, "lodsh-es")["hint"] == 'did you mean "lodash-es"?'
    none = project.graph('import "x"', paths=())
    assert error(none, "x")["hint"] == '[security.modules] paths = ["node_modules"]'


def test_medium_loads_what_is_named_and_pinned(project: Folder) -> None:
    project.write("lib/a.js", 'import "./b.js"')
    project.write("lib/b.js", "export {}", pinned=False)
    project.write("c.js")
    project.write("node_modules/pkg/index.js", 'import "./x.js"')
    project.write("node_modules/pkg/x.js")
    source = 'import "./lib/a.js"; import "./c.js"; import "pkg"; import "other"'
    graph = project.graph(source, profile="medium", allow=("lib", "pkg"))
    assert graph["lib/a.js"] == 'import "./b.js"'
    assert error(graph, "lib/b.js")["hint"] == "read it, then: llmspell modules pin lib/b.js"
    assert error(graph, "c.js")["message"].startswith('module "c.js" is not named')
    assert "node_modules/pkg/x.js" in graph
    assert error(graph, "other")["code"] == "module.denied"
    project.write("lib/a.js", "changed", pinned=False)
    changed = project.graph(source, profile="medium", allow=("lib",))
    assert error(changed, "lib/a.js")["code"] == "module.changed"
    none = project.graph(source, profile="high", allow=("lib",))
    assert {error(none, name)["code"] for name in none} == {"module.denied"}


def test_a_link_out_of_the_project_is_refused(project: Folder) -> None:
    outside = project.path.parent / "outside.js"
    outside.write_text("secret")
    (project.path / "link.js").symlink_to(outside)
    project.pin("link.js", "secret")
    only = {"read": ("$project",), "write": ()}
    graph = project.graph('import "./link.js"', profile="medium", files=only, allow=("*",))
    found = error(graph, "link.js")
    assert found["code"] == "module.denied"
    assert "folder that modules are read from" in found["message"]
    assert "secret" not in json.dumps(graph)
