"""A step that fills in a text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from llmspell_core.prompts import PREFIX
from llmspell_core.tool import as_text
from llmspell_workflows.expressions import Expression
from llmspell_workflows.spec import StepSpec
from llmspell_workflows.steps.base import Outcome, StepRunner
from llmspell_workflows.templates import compile_value

if TYPE_CHECKING:
    from llmspell_workflows.run import Frame


class TemplateStep(StepRunner):
    """Fills in its template; `variables` and the fields of `input` are names in it."""

    takes_parent_input = False

    def __init__(self, spec: StepSpec, step_names: Iterable[str]) -> None:
        super().__init__(spec, step_names)
        self.text = compile_value(spec.template or "", step_names)

    @property
    def target(self) -> str:
        text = self.spec.template or ""
        return text if text.startswith(PREFIX) else ""

    def expressions(self) -> list[Expression]:
        return [*super().expressions(), *self.text.expressions()]

    async def run(self, frame: Frame, input: Any) -> Outcome:
        extra = {**frame.scope.extra, **(input if isinstance(input, dict) else {})}
        if self.target:
            given = frame.run.input if isinstance(frame.run.input, dict) else {}
            text = frame.ctx.runtime.prompts.resolve(self.target, {**given, **extra})
        else:
            frame.scope = frame.scope.with_extra(extra)
            text = as_text(await frame.render(self.text))
        return Outcome(text, text)
