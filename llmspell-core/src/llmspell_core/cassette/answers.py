"""Answers as they stand in a cassette, and back."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from llmspell_core import errors
from llmspell_core.errors import ConfigError, LLMSpellError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from llmspell_core.provider import ModelResponse
    from llmspell_core.tool import ToolResult


@functools.cache
def _responses() -> TypeAdapter[ModelResponse]:
    from pydantic import TypeAdapter

    from llmspell_core.provider import ModelResponse

    return TypeAdapter(ModelResponse)


def response_data(response: ModelResponse) -> dict[str, Any]:
    """A model's answer as data, without what is a default."""
    data: dict[str, Any] = _responses().dump_python(response, mode="json", exclude_defaults=True)
    return data


def response_of(data: dict[str, Any]) -> ModelResponse:
    """The answer that was recorded. Raises `cassette.invalid` for one of another version."""
    from pydantic import ValidationError

    from llmspell_core.schema import mistakes_text, pydantic_mistakes

    try:
        return _responses().validate_python(data)
    except ValidationError as error:
        raise ConfigError(
            f"a recorded answer is not one: {mistakes_text(pydantic_mistakes(error))}",
            code="cassette.invalid",
            hint="record it again",
        ) from None


def error_data(error: LLMSpellError) -> dict[str, Any]:
    """An error as data, its class included."""
    return {**error.to_dict(), "type": type(error).__name__}


def error_of(data: dict[str, Any]) -> LLMSpellError:
    """The error that was recorded."""
    found = getattr(errors, str(data.get("type")), None)
    made = found if isinstance(found, type) and issubclass(found, LLMSpellError) else LLMSpellError
    return made(
        str(data.get("message", "")),
        code=data.get("code"),
        hint=data.get("hint"),
        details=data.get("details"),
        retryable=bool(data.get("retryable")),
    )


def result_data(result: ToolResult) -> dict[str, Any]:
    """A tool's result as data; its natural value only where it differs."""
    data: dict[str, Any] = {"result": result.result, "text": result.text}
    if result.output is not result.result:
        data["output"] = result.output
    if not result.success:
        data["success"] = False
    if result.error is not None:
        data["error"] = result.error
    for name in ("metadata", "artifacts"):
        if value := getattr(result, name):
            data[name] = value
    return data


def result_of(data: dict[str, Any]) -> ToolResult:
    """The result that was recorded."""
    from llmspell_core.tool import ToolResult

    return ToolResult(**data)
