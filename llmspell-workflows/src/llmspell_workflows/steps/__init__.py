"""The kinds of steps, one module each."""

from __future__ import annotations

from collections.abc import Iterable

from llmspell_workflows.spec import StepSpec
from llmspell_workflows.steps.agent import AgentStep
from llmspell_workflows.steps.base import Outcome, StepRunner
from llmspell_workflows.steps.function import FunctionStep
from llmspell_workflows.steps.template import TemplateStep
from llmspell_workflows.steps.tool import ToolStep
from llmspell_workflows.steps.workflow import GroupStep, WorkflowStep

__all__ = ["KINDS", "Outcome", "StepRunner", "make_runner"]

KINDS: dict[str, type[StepRunner]] = {
    "tool": ToolStep,
    "agent": AgentStep,
    "workflow": WorkflowStep,
    "custom": FunctionStep,
    "template": TemplateStep,
    "sequential": GroupStep,
}


def make_runner(spec: StepSpec, step_names: Iterable[str]) -> StepRunner:
    """The runner of a step's kind."""
    return KINDS[spec.type](spec, step_names)
