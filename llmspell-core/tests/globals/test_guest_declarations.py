"""The globals that engines answer themselves: complete declarations, and engines that keep them."""

from __future__ import annotations

from typing import Any

import pytest

from llmspell_core.globals.debug import DebugGlobal
from llmspell_core.globals.json import JsonGlobal
from llmspell_core.globals.logger import LoggerGlobal
from llmspell_core.globals.utils import UtilsGlobal
from llmspell_core.script.api import ScriptGlobal
from llmspell_core.script.manifest import compile_manifest
from llmspell_core.script.natives import NATIVES

GLOBALS: list[type[ScriptGlobal]] = [DebugGlobal, JsonGlobal, LoggerGlobal, UtilsGlobal]


def documented(methods: dict[str, Any]) -> None:
    for name, method in methods.items():
        assert method["doc"], name
        for parameter in method["params"]:
            assert parameter["doc"], f"{name}({parameter['name']})"


@pytest.mark.parametrize("declared", GLOBALS, ids=lambda one: one.name)
def test_every_method_and_parameter_is_documented(declared: type[ScriptGlobal]) -> None:
    manifest = compile_manifest(declared)
    assert manifest["doc"]
    documented(manifest["methods"])
    for one in manifest["objects"].values():
        documented(one["methods"])


def test_a_guest_method_has_no_body_on_the_host() -> None:
    methods = compile_manifest(UtilsGlobal)["methods"]
    assert [name for name, one in methods.items() if not one["guest"]] == ["env"]
    with pytest.raises(TypeError, match="inside the engine"):
        UtilsGlobal.slug(None, "x")  # type: ignore[arg-type]


def test_the_shared_natives_are_the_guest_methods_of_utils() -> None:
    methods = compile_manifest(UtilsGlobal)["methods"]
    guest = {f"Utils.{name}" for name, one in methods.items() if one["guest"]}
    assert guest == {name for name in NATIVES if name.startswith("Utils.")}
