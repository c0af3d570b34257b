"""`[prompts]`: rendering, files, names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmspell_core.config.settings import Settings
from llmspell_core.errors import ConfigError, NotFoundError
from llmspell_core.prompts import Prompts


def prompts(**named: Any) -> Prompts:
    return Prompts(Settings.model_validate({"prompts": named}))


def test_a_prompt_is_text_or_a_table_with_variables() -> None:
    known = prompts(
        strict="You review {{ language }} code for {{ team | default('us') }}.",
        full={"template": "{{ a }}-{{ b }}", "variables": {"a": 1, "b": 2}},
    )
    assert known.render("strict", {"language": "Lua"}) == "You review Lua code for us."
    assert known.render("full", {"b": 3}) == "1-3"
    assert known.names() == ["full", "strict"]


def test_a_text_may_name_a_prompt() -> None:
    known = prompts(short="Be {{ how }}.")
    assert known.resolve("@prompts.short", {"how": "brief"}) == "Be brief."
    assert known.resolve("as it {{ is }}", {"is": 1}) == "as it {{ is }}"


def test_handlebars_fills_in_names_and_nothing_else() -> None:
    known = prompts(
        h={"template": "{{a}} {{ b.c }} {{{d}}} [{{missing}}] {% if x %}", "engine": "handlebars"}
    )
    text = known.render("h", {"a": 1, "b": {"c": "two"}, "d": "<3>"})
    assert text == "1 two <3> [] {% if x %}"


def test_a_file_has_the_text(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("From {{ place }}.\n")
    known = prompts(
        p={"file": str(tmp_path / "p.txt"), "variables": {"place": "a file"}},
        gone={"file": str(tmp_path / "gone.txt")},
    )
    assert known.render("p").strip() == "From a file."
    with pytest.raises(ConfigError) as caught:
        known.render("gone")
    assert caught.value.code == "config.prompt_file"
    assert "[prompts.gone]" in (caught.value.hint or "")


def test_an_unknown_prompt_names_the_nearest() -> None:
    with pytest.raises(NotFoundError) as caught:
        prompts(strict="x").resolve("@prompts.strikt")
    assert (caught.value.code, caught.value.hint) == ("prompt.not_found", 'did you mean "strict"?')
