"""Declaring globals: names that a declaration needs for itself."""

from __future__ import annotations

import pytest

from llmspell_core.script.api import ScriptGlobal, ScriptObject, script_method
from llmspell_core.script.manifest import compile_manifest


def test_a_method_in_the_place_of_a_declarations_field_is_refused() -> None:
    class Phone(ScriptGlobal):
        """Calls people."""

        name = "Phone"

        @script_method
        def call(self, who: str) -> str:  # type: ignore[override]
            """Call somebody."""
            return who

    with pytest.raises(TypeError, match=r"Phone\.call: .* write the function as call_"):
        compile_manifest(Phone)


def test_with_an_underscore_scripts_see_the_plain_name() -> None:
    class Line(ScriptObject):
        """A line."""

        @script_method
        def name_(self) -> str:
            """The name."""
            return "line"

    assert list(Line.script_methods()) == ["name"]
