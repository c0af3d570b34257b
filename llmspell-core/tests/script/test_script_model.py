"""Tables that scripts pass: spellings, aliases, unknown fields, empty tables."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from llmspell_core.schema import mistakes_text, pydantic_mistakes
from llmspell_core.script.model import ScriptModel


class Config(ScriptModel):
    """Every kind of field."""

    aliases: ClassVar[dict[str, str]] = {"prompt": "system_prompt"}

    system_prompt: str = ""
    tools: list[str] | None = None
    steps: list[dict[str, Any]] | dict[str, Any] | None = None
    max_tokens: int | None = None


def mistake(data: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(data)
    return mistakes_text(pydantic_mistakes(caught.value))


def test_both_spellings_and_the_alias_name_one_field() -> None:
    for name in ("system_prompt", "systemPrompt", "prompt"):
        assert Config.model_validate({name: "x"}).system_prompt == "x"


def test_two_names_of_one_field_are_refused() -> None:
    assert "are the same field" in mistake({"systemPrompt": "a", "prompt": "b"})


def test_an_unknown_field_names_the_nearest() -> None:
    assert mistake({"max_token": 3}) == 'unknown field "max_token", did you mean "max_tokens"?'


def test_a_wrong_type_names_the_field_and_the_value() -> None:
    assert mistake({"max_tokens": "many"}) == 'max_tokens must be a whole number, not "many"'


def test_an_empty_table_is_a_list_where_only_a_list_fits() -> None:
    made = Config.model_validate({"tools": {}, "steps": {}})
    assert made.tools == []
    assert made.steps == {}
