"""`WorkflowSpec` and `StepSpec`: what a workflow is made from, checked field by field."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic import ValidationError as PydanticError
from pydantic_core import PydanticCustomError

from llmspell_core.adapters import component_of
from llmspell_core.component import BaseAgent
from llmspell_core.errors import ValidationError, did_you_mean
from llmspell_core.prompts import PREFIX
from llmspell_core.schema import describe, mistakes_text, pydantic_mistakes
from llmspell_core.script.model import ScriptModel
from llmspell_workflows.condition_spec import Condition
from llmspell_workflows.functions import Function, where

#: The types of workflows that can be made.
WORKFLOW_TYPES = ("sequential",)
#: Step type -> the field that says what it runs.
STEP_FIELDS = {
    "tool": "tool",
    "agent": "agent",
    "workflow": "workflow",
    "custom": "execute",
    "template": "template",
    "sequential": "steps",
}
_STEP_TYPE_ALIASES = {"script": "custom"}


class Strategy(ScriptModel):
    """What happens when a step fails. Times are ms."""

    type: Literal["fail_fast", "continue", "retry"] = "fail_fast"
    max_attempts: int | None = Field(None, ge=1, le=1000)
    backoff_ms: float | None = Field(None, ge=0)
    multiplier: float | None = Field(None, ge=0)
    jitter: float | bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        data = {"type": given} if isinstance(given, str) else given
        if isinstance(data, dict) and data.get("type") == "stop":
            return {**data, "type": "fail_fast"}
        return data


class Retry(ScriptModel):
    """How often a failing step is tried, and how long it waits between. Times are ms.

    `jitter` is the share by which each wait varies at random (true: 0.25).
    """

    max_attempts: int = Field(3, ge=1, le=1000)
    backoff_ms: float = Field(100, ge=0)
    multiplier: float = Field(2, ge=0)
    jitter: float | bool = 0.0


def _component(value: Any) -> Any:
    found = component_of(value)
    if found is not None:
        return found
    if value is None or isinstance(value, (str, dict)):
        return value
    raise PydanticCustomError(
        "component", "must be a name, an object or a table, not {given}", {"given": describe(value)}
    )


def _inline(value: Any) -> Any:
    return _component({"steps": value} if isinstance(value, list) else value)


#: A component by name, as an object, or as a table to make it from.
Component = Annotated[Any, BeforeValidator(_component)]


class StepSpec(ScriptModel):
    """One step. Its `type` follows from the field that says what it runs."""

    aliases: ClassVar[dict[str, str]] = {"parameters": "input"}

    name: str = Field("", description="unique in the workflow; `step_N` when left out")
    type: str = Field("", description=f"one of {', '.join(STEP_FIELDS)}; inferred when left out")
    tool: Component = Field(None, description="the tool to call")
    agent: Component = Field(None, description="the agent to ask")
    workflow: Annotated[Any, BeforeValidator(_inline)] = Field(
        None, description="a workflow, or the table or the steps of one"
    )
    execute: Function | None = Field(None, description="a function of the step's context")
    template: str | None = Field(None, description="a text to fill in, or @prompts.NAME")
    steps: list[StepSpec] | None = Field(None, description="steps in order, as one step")
    input: Any = Field(None, description="data with templates, or a function of the context")
    variables: dict[str, Any] = Field(
        default_factory=dict, description="further names for the step's templates"
    )
    output: Any = Field(
        None,
        description="what becomes of the output: a template over `output` and `result`, a function"
        " of them, or the name to keep it under in the shared data",
    )
    when: Condition = Field(None, description="run the step only when this holds")
    skip_if: Condition = Field(None, description="skip the step when this holds")
    retry: Retry | None = Field(None, description="how often to try it")
    timeout_ms: float | None = Field(None, gt=0, description="of each attempt, in ms")
    error_strategy: Strategy | None = Field(None, description="instead of the workflow's")
    on_complete: Function | None = Field(None, description="observes the result")
    on_error: Function | None = Field(
        None, description="may answer `{retry = true}` or `{success, output}`"
    )
    on_retry: Function | None = Field(None, description="observes the attempt and the error")
    compensate: Function | None = Field(
        None, description="undoes the step when a later one fails the run"
    )
    required: bool | None = Field(None, description="false: its failure does not fail the run")
    optional: bool | None = Field(None, description="true: its failure does not fail the run")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        if (component := component_of(given)) is not None:
            return {component.kind: component}
        if isinstance(given, (list, tuple)) and given:
            return _template_step(*given)
        return {"execute": given} if callable(given) else given

    @model_validator(mode="after")
    def _infer(self) -> StepSpec:
        given = [kind for kind, field in STEP_FIELDS.items() if getattr(self, field) is not None]
        self.type = _STEP_TYPE_ALIASES.get(self.type, self.type)
        if self.type and self.type not in STEP_FIELDS:
            near = did_you_mean(self.type, list(STEP_FIELDS))
            raise PydanticCustomError(
                "step_type",
                'type "{type}" is not available{near}; types are {known}',
                {
                    "type": self.type,
                    "near": f" ({near})" if near else "",
                    "known": ", ".join(STEP_FIELDS),
                },
            )
        if len(given) > 1:
            raise PydanticCustomError(
                "step_kind",
                "runs one thing: give {a} or {b}",
                {"a": STEP_FIELDS[given[0]], "b": STEP_FIELDS[given[1]]},
            )
        if not given or (self.type and self.type != given[0]):
            raise PydanticCustomError(
                "step_kind",
                "needs {fields}",
                {"fields": STEP_FIELDS.get(self.type) or "one of " + ", ".join(_what())},
            )
        self.type = given[0]
        if self.required is not None and self.optional is not None:
            raise PydanticCustomError("both", "give required or optional, not both")
        return self

    @property
    def is_optional(self) -> bool:
        """Whether the run goes on when it fails."""
        return self.optional is True or self.required is False


def _template_step(
    name: Any, template: Any = None, input: Any = None, *rest: Any
) -> dict[str, Any]:
    """What a builder collects for `add_template_step(name, id, params)`."""
    if isinstance(template, str) and "{{" not in template and not template.startswith(PREFIX):
        template = f"{PREFIX}{template}"
    made = {"name": name, "template": template}
    return made if input is None else {**made, "input": input}


def _what() -> list[str]:
    return list(STEP_FIELDS.values())


def _listed(value: Any) -> Any:
    # An empty Lua table may arrive as a map.
    return [] if value == {} else value


Steps = Annotated[list[StepSpec], BeforeValidator(_listed)]


class WorkflowSpec(ScriptModel):
    """A workflow. A bare list is one of steps."""

    aliases: ClassVar[dict[str, str]] = {
        "on_step": "on_step_complete",
        "finally": "finally_",
    }

    name: str = ""
    description: str = ""
    type: str = Field("sequential", description=f"one of {', '.join(WORKFLOW_TYPES)}")
    steps: Steps = Field(default_factory=list, description="run in order")
    pre_steps: Steps = Field(default_factory=list, description="run before the steps")
    post_steps: Steps = Field(default_factory=list, description="run after the steps went well")
    finally_: Steps = Field(default_factory=list, description="run at the end in any case")
    input_schema: dict[str, Any] | None = Field(None, description="JSON schema of the input")
    when: Condition = Field(None, description="run only when this holds")
    error_strategy: Strategy | None = Field(
        None, description="fail_fast (= stop), continue, retry, or a table with a type"
    )
    retry: Retry | None = Field(None, description="for steps that have none of their own")
    timeout_ms: float | None = Field(None, gt=0, description="of the whole run, in ms")
    strict_templates: bool = Field(False, description="a name without a value fails the step")
    on_start: Function | None = None
    on_step_start: Function | None = Field(None, description="gets the step's name")
    on_step_complete: Function | None = Field(None, description="gets its name and result")
    on_error: Function | None = Field(None, description="gets the error and the step's name")
    on_complete: Function | None = Field(
        None, description="gets the result of a run that went well"
    )
    on_timeout: Function | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        return {"steps": given} if isinstance(given, list) else given

    @model_validator(mode="after")
    def _check_type(self) -> WorkflowSpec:
        if self.type not in WORKFLOW_TYPES:
            raise PydanticCustomError(
                "workflow_type",
                'type "{type}" is not available; types are {known}',
                {"type": self.type, "known": ", ".join(WORKFLOW_TYPES)},
            )
        return self

    def all_steps(self) -> list[StepSpec]:
        """Every step in the order they run."""
        return [*self.pre_steps, *self.steps, *self.post_steps, *self.finally_]


def parse_spec(given: Any) -> WorkflowSpec:
    """A specification from data, or `input.invalid` naming each wrong field."""
    if isinstance(given, WorkflowSpec):
        return given
    try:
        return WorkflowSpec.model_validate(given)
    except PydanticError as error:
        mistakes = pydantic_mistakes(error)
        for one in mistakes:
            one["field"] = one["field"].replace("finally_", "finally")
        name = given.get("name") if isinstance(given, dict) else None
        title = f"workflow {name!r}" if isinstance(name, str) and name else "workflow"
        raise ValidationError(
            f"{title}: {mistakes_text(mistakes)}", details={"errors": mistakes}
        ) from None


def to_data(value: Any) -> Any:
    """A specification as JSON data: what was given and nothing else.

    Components become their names; a function becomes `{"function": where it is defined}`, which
    says what stood there and cannot be run.
    """
    if isinstance(value, ScriptModel):
        fields = ((name, getattr(value, name)) for name in type(value).model_fields)
        given = {n: v for n, v in fields if n in value.model_fields_set and v is not None}
        return {name.rstrip("_"): to_data(one) for name, one in given.items()}
    if isinstance(value, BaseAgent):
        spec = getattr(value, "spec", None)
        return to_data(spec) if isinstance(spec, WorkflowSpec) else value.name
    if isinstance(value, dict):
        return {key: to_data(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_data(one) for one in value]
    return {"function": where(value)} if callable(value) else value
