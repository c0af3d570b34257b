"""Specifications: what may be written, and what mistakes are answered with."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmspell_core.errors import ValidationError
from llmspell_core.script.manifest import compile_manifest
from llmspell_core.tool import tool
from llmspell_workflows import Workflow
from llmspell_workflows.globals.workflow import WorkflowGlobal
from llmspell_workflows.spec import parse_spec, to_data


@tool
def double(n: int) -> int:
    """Twice N."""
    return 2 * n


def kinds(steps: list[Any]) -> list[str]:
    return [step.type for step in parse_spec({"steps": steps}).steps]


def test_the_type_of_a_step_follows_from_what_it_runs() -> None:
    inner = Workflow("inner", [double])
    steps = [
        {"tool": "calculator"},
        {"agent": "writer"},
        {"workflow": "other"},
        {"workflow": [{"tool": "calculator"}]},
        {"execute": len},
        {"template": "x"},
        {"steps": [{"tool": "calculator"}]},
        double,
        len,
        inner,
        {"type": "script", "execute": len},
    ]
    assert kinds(steps) == [
        "tool",
        "agent",
        "workflow",
        "workflow",
        "custom",
        "template",
        "sequential",
        "tool",
        "custom",
        "workflow",
        "custom",
    ]


def test_a_bare_list_is_a_workflow_and_both_spellings_and_aliases_are_read() -> None:
    assert len(parse_spec([{"tool": "a"}, {"tool": "b"}]).steps) == 2
    spec = parse_spec(
        {
            "errorStrategy": "stop",
            "timeoutMs": 5,
            "onStep": len,
            "finally": [len],
            "steps": [{"tool": "a", "parameters": {"keepThisKey": 1}, "skipIf": "false"}],
        }
    )
    assert spec.error_strategy is not None
    assert spec.error_strategy.type == "fail_fast"
    assert callable(spec.on_step_complete)
    assert len(spec.finally_) == 1
    assert spec.steps[0].input == {"keepThisKey": 1}
    assert spec.steps[0].skip_if == "false"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"stepps": []}, 'unknown field "stepps", did you mean "steps"?'),
        ({"steps": [{"tol": "x"}]}, 'steps.0: unknown field "tol", did you mean "tool"?'),
        ({"steps": [{"tool": "a", "agent": "b"}]}, "steps.0: runs one thing: give tool or agent"),
        ({"steps": [{"name": "a"}]}, "steps.0: needs one of tool, agent, workflow, execute"),
        ({"steps": [{"type": "tool", "execute": len}]}, "steps.0: needs tool"),
        ({"steps": [{"type": "parallel"}]}, 'type "parallel" is not available; types are tool'),
        ({"type": "loop", "steps": []}, '"loop" is not available; types are sequential'),
        ({"timeout_ms": "soon"}, 'timeout_ms must be a number, not "soon"'),
        ({"steps": [{"execute": "x"}]}, 'steps.0.execute must be a function, not "x"'),
        ({"steps": [{"tool": 3}]}, "steps.0.tool must be a name, an object or a table, not 3"),
        ({"finally": [{"tool": 3}]}, "finally.0.tool must be"),
        ({"error_strategy": "ignore"}, "error_strategy.type must be"),
        ({"error_strategy": {"type": "retry", "max_attempts": 0}}, "max_attempts"),
        ({"steps": [{"tool": "a", "parameters": 1, "input": 2}]}, "are the same field"),
        ({"steps": [{"tool": "a", "required": True, "optional": True}]}, "required or optional"),
        ({"steps": [{"tool": "a", "when": {"type": "allways"}}]}, 'did you mean "always"?'),
        ({"steps": [{"tool": "a", "when": {"type": "not"}}]}, 'condition "not" needs condition'),
        ({"steps": [{"tool": "a", "when": 5}]}, "steps.0.when must be a function, an expression"),
        ({"durable": True, "steps": []}, 'unknown field "durable"'),
    ],
)
def test_a_mistake_is_named_with_its_place(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_spec({"name": "w", **given})
    assert caught.value.code == "input.invalid"
    assert words in caught.value.message
    assert caught.value.message.startswith("workflow 'w': ")
    assert caught.value.details["errors"]


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        parse_spec({"timeout_ms": -1, "steps": [{"tool": "a", "nam": 1}, {"agent": 4}]})
    assert len(caught.value.details["errors"]) == 3


def test_a_specification_comes_back_as_json_data_that_makes_the_same_workflow() -> None:
    given = {
        "name": "w",
        "error_strategy": {"type": "retry", "max_attempts": 2},
        "finally": [{"name": "end", "template": "bye"}],
        "steps": [
            {"name": "a", "tool": "calculator", "input": {"input": "{{input.n}}"}},
            {"name": "b", "steps": [{"template": "x", "when": {"type": "never"}}]},
            {"name": "c", "workflow": {"name": "in", "steps": [{"template": "y"}]}},
        ],
    }
    data = Workflow.from_spec(given).to_spec()
    again = Workflow.from_spec(json.loads(json.dumps(data))).to_spec()
    assert again == data
    assert data["steps"][0]["input"] == {"input": "{{input.n}}"}
    assert data["finally"][0]["template"] == "bye"


def test_a_function_is_only_named_in_the_data() -> None:
    data = to_data(Workflow("w", [len, double]).spec)
    assert data["steps"][0]["execute"] == {"function": "len"}
    assert data["steps"][1]["tool"] == "double"
    with pytest.raises(ValidationError, match="execute must be a function"):
        Workflow.from_spec(data)


def test_the_declaration_compiles_to_a_manifest() -> None:
    manifest = compile_manifest(WorkflowGlobal)
    json.dumps(manifest)
    assert {"sequential", "from_spec", "register", "get", "list", "remove", "execute"} <= set(
        manifest["methods"]
    )
    assert manifest["methods"]["types"]["aliases"] == ["discover_types"]
    setters = manifest["builders"]["builder"]["setters"]
    assert setters["add_step"] == ["append", "steps"]
    assert {"error_strategy", "timeout_ms", "on_complete", "finally", "sequential"} <= set(setters)
    # The other kinds are absent until they exist: a script sees plain nil.
    assert not {"parallel", "loop", "conditional", "run"} & set(manifest["methods"])
    assert "start" not in manifest["objects"]["workflow"]["methods"]
