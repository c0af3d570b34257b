"""What may stand where a condition is asked for: a function, an expression, or a table."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from llmspell_core.adapters import component_of
from llmspell_core.errors import did_you_mean
from llmspell_core.schema import describe
from llmspell_core.script.model import ScriptModel
from llmspell_workflows.functions import Function

ConditionType = Literal[
    "always",
    "never",
    "shared_data_equals",
    "shared_data_exists",
    "shared_data_greater_than",
    "shared_data_less_than",
    "step_output_equals",
    "step_output_contains",
    "agent_evaluates_true",
    "and",
    "or",
    "not",
    "custom",
]
_NEEDS: dict[str, tuple[str, ...]] = {
    "always": (),
    "never": (),
    "shared_data_equals": ("key",),
    "shared_data_exists": ("key",),
    "shared_data_greater_than": ("key", "value"),
    "shared_data_less_than": ("key", "value"),
    "step_output_equals": ("step_name",),
    "step_output_contains": ("step_name", "substring"),
    "agent_evaluates_true": ("agent", "prompt"),
    "and": ("conditions",),
    "or": ("conditions",),
    "not": ("condition",),
    "custom": ("evaluate",),
}


class ConditionSpec(ScriptModel):
    """A condition written as a table; which fields it has follows from `type`."""

    type: ConditionType
    key: str | None = None
    value: Any = None
    step_name: str | None = None
    substring: str | None = None
    agent: Any = None
    prompt: str | None = None
    conditions: list[Condition] | None = None
    condition: Condition = None
    evaluate: Function | None = None

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        kind = given.get("type") if isinstance(given, dict) else None
        known = list(get_args(ConditionType))
        if isinstance(kind, str) and kind not in known:
            near = did_you_mean(kind, known)
            raise PydanticCustomError(
                "condition_type",
                'condition type "{type}" is not available; {hint}',
                {"type": kind, "hint": near or "types are " + ", ".join(known)},
            )
        return given

    @model_validator(mode="after")
    def _complete(self) -> ConditionSpec:
        for name in _NEEDS[self.type]:
            if getattr(self, name) is None:
                raise PydanticCustomError(
                    "condition_field",
                    'condition "{type}" needs {name}',
                    {"type": self.type, "name": name},
                )
        return self


def _condition(value: Any) -> Any:
    if value is None or isinstance(value, (bool, ConditionSpec)) or callable(value):
        return value
    if isinstance(value, str):
        if not value.strip():
            raise PydanticCustomError("condition", "must not be empty")
        return value
    if isinstance(value, dict) and component_of(value) is None:
        return ConditionSpec.model_validate(value)
    raise PydanticCustomError(
        "condition",
        "must be a function, an expression or a table with a type, not {given}",
        {"given": describe(value)},
    )


#: A condition in any of its forms.
Condition = Annotated[Any, BeforeValidator(_condition)]

ConditionSpec.model_rebuild()
