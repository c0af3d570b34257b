"""`StepRunner`: what each kind of step does with its input; `Outcome`: what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LLMSpellError
from llmspell_workflows.expressions import Expression
from llmspell_workflows.functions import call
from llmspell_workflows.templates import Node, compile_value

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_workflows.run import Frame
    from llmspell_workflows.spec import StepSpec


@dataclass(frozen=True, slots=True)
class Outcome:
    """A step that went well: its natural value, and the whole result object."""

    output: Any
    result: Any


class StepRunner:
    """One step's work: make its input ready, then run it."""

    #: Whether a step without `input` gets the workflow's.
    takes_parent_input = True

    def __init__(self, spec: StepSpec, step_names: Iterable[str]) -> None:
        self.spec = spec
        given = spec.input
        self.function = given if callable(given) else None
        self.node: Node | None = None
        if given is not None and self.function is None:
            self.node = compile_value(given, step_names)

    @property
    def target(self) -> str:
        """What it runs, in a word: a component's name, "" where it has none."""
        return ""

    def expressions(self) -> list[Expression]:
        """The expressions of its input."""
        return [*self.node.expressions()] if self.node else []

    async def prepare(self, frame: Frame) -> Any:
        """Its input, templates filled in."""
        if self.function is not None:
            return await call(self.function, await frame.context(self.function))
        if self.node is None:
            return frame.run.input if self.takes_parent_input else None
        return await self.render(self.node, frame)

    async def render(self, node: Node, frame: Frame) -> Any:
        """The given input, templates filled in."""
        return await frame.render(node)

    async def run(self, frame: Frame, input: Any) -> Outcome:
        """Do the work; a failure is raised."""
        raise TypeError(f"{type(self).__name__} does not implement run")

    def problem(self, ctx: ExecutionContext) -> LLMSpellError | None:
        """What can be seen to be wrong with it before it runs."""
        return None
