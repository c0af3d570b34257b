"""What tests write down as answers of a model or a tool, as the testing kit takes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LLMSpellError, ProviderError, ToolError, ValidationError
from llmspell_core.testing import after, chunks, expecting, tool_call

if TYPE_CHECKING:
    from llmspell_core.script.api import ScriptFunction

_REPLY = (
    "a text, {tool, arguments}, a list of these, {data}, {chunks}, {error} or a function; "
    "with `when` and `delay_ms`"
)


def model_reply(given: Any) -> Any:
    """A script's reply as `ScriptedProvider` takes it."""
    if isinstance(given, str) or given is None:
        return given or ""
    if callable(given):
        return _asked(given)
    if isinstance(given, list):
        return [model_reply(one) for one in given]
    if not isinstance(given, dict):
        raise _no_reply()
    reply = _described(given)
    if delay := given.get("delay_ms"):
        reply = after(float(delay), reply)
    wanted = given.get("when")
    if wanted is None:
        return reply
    if not isinstance(wanted, str):
        raise ValidationError("Test.scripted_model: when is a text that the last message has in it")
    return expecting(wanted, reply)


def request_data(request: Any) -> dict[str, Any]:
    """A request as tests see it."""
    messages = [{"role": one.role, "text": one.text} for one in request.messages]
    prompts = [one["text"] for one in messages if one["role"] == "user"]
    return {
        "prompt": prompts[-1] if prompts else "",
        "messages": messages,
        "tools": [one.name for one in request.tools],
    }


def error_of(given: dict[str, Any], made: type[LLMSpellError], code: str) -> LLMSpellError:
    """The error that `{error, code, hint, details, retryable}` describes."""
    return made(
        str(given["error"]),
        code=str(given.get("code") or code),
        hint=given.get("hint"),
        details=given.get("details"),
        retryable=bool(given.get("retryable")),
    )


def tool_error(given: dict[str, Any]) -> LLMSpellError:
    """The error of a tool that fails as it is told."""
    return error_of(given, ToolError, "tool.failed")


def _described(given: dict[str, Any]) -> Any:
    tool = given.get("tool", given.get("tool_call"))
    pieces = given.get("chunks")
    if isinstance(pieces, list):
        broken = [_error(given)] if "error" in given else []
        parts = [one if isinstance(one, str) else model_reply(one) for one in pieces]
        return chunks(*parts, *broken, delay_ms=float(given.get("chunk_ms") or 0))
    if isinstance(tool, str):
        return tool_call(tool, **(given.get("arguments") or {}))
    if isinstance(given.get("error"), str):
        return _error(given)
    if "text" in given:
        return str(given["text"])
    if "data" in given:
        return json.dumps(given["data"], ensure_ascii=False)
    raise _no_reply()


def _error(given: dict[str, Any]) -> LLMSpellError:
    return error_of(given, ProviderError, "provider.server")


def _asked(function: ScriptFunction) -> Any:
    async def answer(request: Any) -> Any:
        return model_reply(await function(request_data(request)))

    return answer


def _no_reply() -> ValidationError:
    return ValidationError(f"Test.scripted_model: a reply is {_REPLY}")
