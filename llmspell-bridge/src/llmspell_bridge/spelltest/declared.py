"""The declaration of the script global `Test`, which only `llmspell test` shows."""

from __future__ import annotations

import itertools
from typing import Any

from llmspell_core.errors import ProviderError, ValidationError
from llmspell_core.script.api import (
    ScriptFunction,
    ScriptGlobal,
    ScriptObject,
    guest_only,
    script_method,
)
from llmspell_core.testing import ScriptedProvider, tool_call

_NUMBERS = itertools.count(1)
_REPLY = "a text, {tool, arguments}, a list of these, {data}, {error} or a function"


class Expectation(ScriptObject):
    """What `expect` gives: each method fails the test where the value is not as expected.

    `never` in front turns it round: `expect(v).never:to_equal(3)`.
    """

    type_name = "expectation"

    @script_method(guest=True)
    def to_equal(self, wanted: Any) -> None:
        """The same value; tables and objects by what is in them."""
        guest_only()

    @script_method(guest=True)
    def to_be(self, wanted: Any) -> None:
        """The very same value."""
        guest_only()

    @script_method(guest=True, aliases=("to_be_null",))
    def to_be_nil(self) -> None:
        """Nil, null or undefined."""
        guest_only()

    @script_method(guest=True)
    def to_be_truthy(self) -> None:
        """What `if` takes for true."""
        guest_only()

    @script_method(guest=True)
    def to_be_falsy(self) -> None:
        """What `if` takes for false."""
        guest_only()

    @script_method(guest=True)
    def to_contain(self, part: Any) -> None:
        """A text with this part in it, or a list with this item."""
        guest_only()

    @script_method(guest=True)
    def to_match(self, pattern: Any) -> None:
        """A text that the language's own pattern finds something in."""
        guest_only()

    @script_method(guest=True)
    def to_have_length(self, length: int) -> None:
        """A text or list of this length."""
        guest_only()

    @script_method(guest=True)
    def to_be_greater_than(self, other: Any) -> None:
        """Greater; two numbers or two texts."""
        guest_only()

    @script_method(guest=True)
    def to_be_less_than(self, other: Any) -> None:
        """Less; two numbers or two texts."""
        guest_only()

    @script_method(guest=True)
    def to_be_close_to(self, other: float, distance: float = 1e-9) -> None:
        """A number no further away than this distance."""
        guest_only()

    @script_method(guest=True)
    def to_throw(self, part: Any = None) -> None:
        """A function that throws; with `part`, an error of this code or with this text in it.

        Await it in JavaScript where the function is async.
        """
        guest_only()


class ScriptedModel(ScriptObject):
    """A model whose answers the test has written down. `name` is what `model` takes."""

    type_name = "scripted_model"

    def __init__(self, provider: ScriptedProvider) -> None:
        self._provider = provider
        self.name = f"{provider.name}/{provider.default_model}"

    def script_fields(self) -> dict[str, Any]:
        return {"id": self._provider.name, "name": self.name}

    @script_method
    def requests(self) -> list[dict[str, Any]]:
        """What it was asked so far: `{prompt, messages = {{role, text}}, tools = names}`."""
        return [_request(one) for one in self._provider.requests]

    @script_method
    def remaining(self) -> int:
        """How many answers nobody has asked for yet."""
        return self._provider.remaining


class TestGlobal(ScriptGlobal):
    """Tests of spells: `llmspell test` runs the files that end in `_spell_test.lua` or `.js`."""

    # For pytest, which takes every class called Test for one of its own.
    __test__ = False

    name = "Test"
    objects = (Expectation, ScriptedModel)

    @script_method(guest=True)
    def describe(self, title: str, suite: ScriptFunction) -> None:
        """Tests that belong together; may stand within another.

        Args:
            title: what they are about
            suite: declares them
        """
        guest_only()

    @script_method(guest=True)
    def it(self, title: str, test: ScriptFunction) -> None:
        """One test: it fails where the function throws.

        Args:
            title: what must be so
            test: the test; may be async in JavaScript
        """
        guest_only()

    @script_method(guest=True)
    def before_each(self, prepare: ScriptFunction) -> None:
        """Called before each test of this `describe` and of those within it.

        Args:
            prepare: makes ready what the tests need
        """
        guest_only()

    @script_method(guest=True)
    def expect(self, value: Any) -> Expectation:
        """What must be true of a value: `Test.expect(sum):to_equal(3)`.

        Args:
            value: what to look at
        """
        return guest_only()  # type: ignore[no-any-return]

    @script_method
    async def scripted_model(self, replies: list[Any] | dict[str, Any]) -> ScriptedModel:
        """A model that gives these answers in order; from now on the default model of the file.

        Args:
            replies: each a text, a call `{tool, arguments}`, a list of calls, `{data}` (sent as
                JSON), `{error, code}` or a function of the request that gives one of these
        """
        given = list(replies) if isinstance(replies, list) else [replies] if replies else []
        made = [_reply(one) for one in given]
        ctx = self.ctx
        provider = ScriptedProvider(*made, name=f"scripted-{next(_NUMBERS)}")
        ctx.runtime.add_provider(provider)
        model = ScriptedModel(provider)
        ctx.overlay.settings = ctx.settings.changed("default.model", model.name)
        return model


def _reply(given: Any) -> Any:
    """A script's reply as the provider takes it."""
    if isinstance(given, str) or given is None:
        return given or ""
    if callable(given):
        return _asked(given)
    if isinstance(given, list):
        return [_reply(one) for one in given]
    if isinstance(given, dict):
        return _described(given)
    raise ValidationError(f"Test.scripted_model: a reply is {_REPLY}")


def _described(given: dict[str, Any]) -> Any:
    tool = given.get("tool", given.get("tool_call"))
    if isinstance(tool, str):
        arguments = given.get("arguments") or {}
        return tool_call(tool, **arguments)
    if isinstance(given.get("error"), str):
        code = str(given.get("code") or "provider.unavailable")
        return ProviderError(given["error"], code=code, retryable=bool(given.get("retryable")))
    if "text" in given:
        return str(given["text"])
    if "data" in given:
        import json

        return json.dumps(given["data"], ensure_ascii=False)
    raise ValidationError(f"Test.scripted_model: a reply is {_REPLY}")


def _asked(function: ScriptFunction) -> Any:
    async def answer(request: Any) -> Any:
        return _reply(await function(_request(request)))

    return answer


def _request(request: Any) -> dict[str, Any]:
    messages = [{"role": one.role, "text": one.text} for one in request.messages]
    prompts = [one["text"] for one in messages if one["role"] == "user"]
    return {
        "prompt": prompts[-1] if prompts else "",
        "messages": messages,
        "tools": [one.name for one in request.tools],
    }
