"""The declaration of the script global `Test`, which only `llmspell test` shows."""

from __future__ import annotations

import itertools
from typing import Any

from llmspell_bridge.spelltest.fake_tool import FakeTool
from llmspell_bridge.spelltest.replies import model_reply, request_data
from llmspell_bridge.spelltest.setup import TestRuntime
from llmspell_core.cassette import Cassette
from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.overlay import Overlay
from llmspell_core.script.api import (
    ScriptFunction,
    ScriptGlobal,
    ScriptObject,
    guest_only,
    script_method,
)
from llmspell_core.testing import ScriptedProvider

_NUMBERS = itertools.count(1)


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
    def to_have_called(self, tool: str, arguments: dict[str, Any] | None = None) -> None:
        """An agent's output: it called this tool, with these among the arguments."""
        guest_only()

    @script_method(guest=True)
    def to_have_handed_off_to(self, *agents: str) -> None:
        """An agent's output: control went to these agents, in this order; none: to nobody."""
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
        return [request_data(one) for one in self._provider.requests]

    @script_method
    def remaining(self) -> int:
        """How many answers nobody has asked for yet."""
        return self._provider.remaining

    @script_method
    def assert_all_used(self) -> None:
        """Fail the test where an answer was not asked for, or a `when` did not hold."""
        try:
            self._provider.assert_all_used()
        except AssertionError as error:
            raise LLMSpellError(str(error), code="test.failed") from None


class FakedTool(ScriptObject):
    """A tool that answers what the test has written down."""

    type_name = "fake_tool"

    def __init__(self, fake: FakeTool, overlay: Overlay) -> None:
        self._fake = fake
        self._overlay = overlay

    def script_fields(self) -> dict[str, Any]:
        return {"id": self._fake.id, "name": self._fake.name}

    @script_method
    def calls(self) -> list[dict[str, Any]]:
        """The arguments of each call so far."""
        return self._fake.calls

    @script_method
    def remaining(self) -> int:
        """How many answers nobody has asked for yet."""
        return self._fake.remaining

    @script_method
    def restore(self) -> None:
        """Let the tool itself answer again."""
        self._overlay.stand_ins.pop(self._fake.name, None)


class TestCassette(ScriptObject):
    """Recorded answers of models and tools."""

    __test__ = False

    type_name = "cassette"

    def __init__(self, cassette: Cassette) -> None:
        self._cassette = cassette

    def script_fields(self) -> dict[str, Any]:
        path = str(self._cassette.path)
        return {"id": path, "name": path, "mode": self._cassette.mode}

    @script_method
    def remaining(self) -> int:
        """How many recordings nobody has asked for yet."""
        return self._cassette.remaining

    @script_method
    def played(self) -> int:
        """How many answers came from it."""
        return self._cassette.played

    @script_method
    def recorded(self) -> int:
        """How many answers were recorded in it."""
        return self._cassette.recorded


class TestGlobal(ScriptGlobal):
    """Tests of spells: `llmspell test` runs the files that end in `_spell_test.lua` or `.js`."""

    # For pytest, which takes every class called Test for one of its own.
    __test__ = False

    name = "Test"
    objects = (Expectation, ScriptedModel, FakedTool, TestCassette)

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
                JSON), `{chunks}` (a stream in these pieces, with `error` broken off at its end),
                `{error, code}` or a function of the request that gives one of these; a table may
                have `delay_ms`, and `when`: what the last message must have in it
        """
        given = _list(replies)
        made = [model_reply(one) for one in given]
        ctx = self.ctx
        provider = ScriptedProvider(*made, name=f"scripted-{next(_NUMBERS)}")
        ctx.runtime.add_provider(provider, taped=False)
        model = ScriptedModel(provider)
        ctx.overlay.settings = ctx.settings.changed("default.model", model.name)
        return model

    @script_method
    async def fake_tool(
        self, name: str, answers: list[Any] | dict[str, Any] | ScriptFunction
    ) -> FakedTool:
        """Let a tool answer this from now on, without doing anything; policy and schema hold.

        Args:
            name: the tool
            answers: one a call, in order: a value, `{result}`, `{error, code}`, `{real = true}`
                for the tool itself, or a function of the arguments; a table may have `delay_ms`.
                A function in place of the list answers every call

        Raises:
            NotFoundError: `tool.not_found`
        """
        tool = self.ctx.overlay.tools.get(name)
        given = answers if callable(answers) else _list(answers)
        fake = FakeTool(tool, given)
        self.ctx.overlay.stand_ins[tool.name] = fake
        return FakedTool(fake, self.ctx.overlay)

    @script_method
    async def cassette(self, path: str, options: dict[str, Any] | None = None) -> TestCassette:
        """Play recorded answers of models from now on, and of tools that reach outside.

        `llmspell test --record` records them instead. Scripted models answer all the same.

        Args:
            path: the file, from the folder of the test
            options: `mode` (`replay`, `record`, `auto`, `live`) and `tools`, names or patterns

        Raises:
            ConfigError: `cassette.missing`, `cassette.invalid`
            PolicyError: `policy.file`
        """
        runtime = self.ctx.runtime
        if not isinstance(runtime, TestRuntime):
            raise ValidationError("Test.cassette works under llmspell test")
        return TestCassette(runtime.open_cassette(path, options or {}, self.ctx))


def _list(given: list[Any] | dict[str, Any]) -> list[Any]:
    if isinstance(given, list):
        return given
    return [given] if given else []
