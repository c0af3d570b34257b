"""A workflow as a Mermaid flowchart."""

from __future__ import annotations

from typing import Any

from llmspell_workflows.program import Program, Step
from llmspell_workflows.steps.workflow import WorkflowStep


def to_mermaid(program: Program) -> str:
    """The text of a flowchart: one node a step, conditions on the arrows."""
    lines = ["flowchart TD", f'  start(["{_text(program.spec.name)}"])']
    _chain(program, "start", "s", lines)
    return "\n".join(lines) + "\n"


def _chain(program: Program, before: str, prefix: str, lines: list[str]) -> str:
    for number, step in enumerate(program.all, 1):
        node = f"{prefix}{number}"
        inner = _inner(step)
        label = _label(step)
        if inner is not None:
            lines.append(f'  subgraph {node}g["{label}"]')
            lines.append(f'  {node}(["{_text(step.name)}"])')
            last = _chain(inner, node, f"{node}_", lines)
            lines.append("  end")
        else:
            lines.append(f'  {node}["{label}"]')
            last = node
        lines.append(f"  {before} {_arrow(step, program)} {node}")
        before = last
    return before


def _inner(step: Step) -> Program | None:
    workflow = step.runner.workflow if isinstance(step.runner, WorkflowStep) else None
    program = getattr(workflow, "program", None)
    return program if isinstance(program, Program) and program.all else None


def _label(step: Step) -> str:
    target = step.runner.target
    kind = f"{step.type} {target}" if target and target != step.name else step.type
    return f"{_text(step.name)}<br/>{_text(kind)}"


def _arrow(step: Step, program: Program) -> str:
    words = []
    if step in program.last:
        words.append("finally")
    if step.spec.when is not None:
        words.append(f"when {_condition(step.spec.when)}")
    if step.spec.skip_if is not None:
        words.append(f"unless {_condition(step.spec.skip_if)}")
    return f'-- "{_text(", ".join(words))}" -->' if words else "-->"


def _condition(given: Any) -> str:
    if isinstance(given, str):
        return given
    return str(getattr(given, "type", "a function"))


def _text(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return escaped.replace(">", "&gt;").replace("\n", " ")
