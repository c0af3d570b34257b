"""Manifests as engines read them."""

from __future__ import annotations

from typing import Any

from llmspell_core.script.compact import compact, names_only

MANIFEST: dict[str, Any] = {
    "name": "Agent",
    "aliases": ["Agents"],
    "doc": "long",
    "kind": "table",
    "call": "new",
    "index": None,
    "methods": {
        "new": {"aliases": ["create"], "guest": False, "hidden": False, "doc": "long"},
        "build": {"aliases": [], "guest": False, "hidden": True},
        "now": {"aliases": [], "guest": True},
    },
    "builders": {
        "builder": {"setters": {"name": ["set", "name"]}, "build": "build", "config": "Config"}
    },
    "objects": {"agent": {"doc": "", "methods": {"run": {"aliases": ["go"]}}, "iterate": "next"}},
    "types": {"Config": {}},
}


def test_names_are_kept_and_the_rest_is_left_out() -> None:
    assert compact(MANIFEST) == {
        "name": "Agent",
        "aliases": ["Agents"],
        "call": "new",
        "methods": {"new": "new", "create": "new", "build": "build", "now": "now"},
        "guest": {"new": False, "build": False, "now": True},
        "hidden": {"build": True},
        "builders": {"builder": {"setters": {"name": ["set", "name"]}, "build": "build"}},
        "objects": {
            "agent": {"methods": {"run": "run", "go": "run"}, "builders": {}, "iterate": "next"}
        },
    }


def test_twice_is_once() -> None:
    once = compact(MANIFEST)
    assert once is not None
    assert compact(once) == once


def test_what_engines_make_themselves_is_left_to_them() -> None:
    assert compact({"name": "stdin", "kind": "stream", "methods": {}}) is None


def test_the_names_of_kinds_that_engines_make_are_kept() -> None:
    stream = {"name": "stdin", "kind": "stream", "doc": "d", "methods": {"read": {"doc": "d"}}}
    names = names_only(stream)
    assert names == {"name": "stdin", "kind": "stream", "methods": {"read": "read"}}
    assert compact(names) is None
    assert names_only(MANIFEST) == compact(MANIFEST)
