"""The tool `text-classifier`: puts a text under given labels with the configured model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, PlainValidator, WithJsonSchema

from llmspell_core.schema import describe
from llmspell_core.tool import Tool, ToolResult
from llmspell_tools._parameters import Text
from llmspell_tools.ai._asking import Asker, AskingParameters, Question
from llmspell_tools.ai._labels import check_labels, confidence_schema, object_schema

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext


def _labels(value: Any) -> dict[str, str]:
    """Labels with what each one means, "" where that is not said."""
    if isinstance(value, str):
        value = value.split(",")
    if isinstance(value, dict) and all(
        isinstance(one, str) for pair in value.items() for one in pair
    ):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return dict.fromkeys(value, "")
    raise ValueError(f"must be a list of labels or a table of descriptions, not {describe(value)}")


Labels = Annotated[
    dict[str, str],
    PlainValidator(_labels),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ]
        }
    ),
]


class ClassifierParameters(AskingParameters):
    """The text, and the labels to choose from."""

    aliases: ClassVar[dict[str, str]] = {
        "categories": "labels",
        "classes": "labels",
        "multi": "multi_label",
    }

    input: Text = Field(min_length=1, description="The text to classify")
    labels: Labels = Field(
        description="The labels to choose from: a list, or a table of labels with what each means"
    )
    multi_label: bool = Field(False, description="Choose all labels that fit, or none")


class TextClassifier(Tool):
    """Classifies texts."""

    name = "text-classifier"
    description = (
        "Puts a text under one of the given labels, or under all that fit, with a confidence for "
        "each, with the configured model."
    )
    category = "ai"
    Parameters = ClassifierParameters
    timeout_ms = 120_000
    examples = (
        ({"input": "My invoice is wrong.", "labels": ["billing", "technical", "other"]}, "billing"),
        (
            {
                "input": "The app crashes when I pay.",
                "labels": {"billing": "money and invoices", "technical": "errors and crashes"},
                "multi_label": True,
            },
            "billing and technical, with a confidence each",
        ),
    )

    async def run_tool(self, params: ClassifierParameters, ctx: ToolContext) -> ToolResult:
        labels = check_labels(self.name, [*params.labels], least=1 if params.multi_label else 2)
        asker = Asker(self.name, params.model, ctx)
        question = _question(params, labels)
        value = await asker.ask(question, params.input)
        found = value["labels"] if params.multi_label else [value]
        found = _best(found)
        names = [one["label"] for one in found]
        result = {
            "label": names[0] if names else None,
            "confidence": found[0]["confidence"] if found else None,
            "labels": found,
            "count": len(found),
        }
        output: Any = names if params.multi_label else names[0]
        return ToolResult(result, output=output, text=", ".join(names), metadata=asker.metadata)


def _best(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each label once, the surest first."""
    by_label: dict[str, dict[str, Any]] = {}
    for one in sorted(found, key=lambda one: -one["confidence"]):
        by_label.setdefault(one["label"], one)
    return list(by_label.values())


def _question(params: ClassifierParameters, labels: list[str]) -> Question:
    choice = object_schema(
        {"label": {"type": "string", "enum": labels}, "confidence": confidence_schema()}
    )
    meanings = {label.strip(): text for label, text in params.labels.items()}
    lines = [f"- {one}: {meanings[one]}" if meanings.get(one) else f"- {one}" for one in labels]
    which = "all labels that fit the text, none if none does" if params.multi_label else (
        "the label that fits the text best"
    )  # fmt: skip
    form = '"label" and "confidence" (a number from 0 to 1)'
    task = (
        f"Choose {which}:\n{chr(10).join(lines)}\nAnswer with JSON: "
        + (f'"labels" is a list of objects with {form}.' if params.multi_label else f"{form}.")
    )  # fmt: skip
    if params.language:
        task += f" The text is in {params.language}."
    if not params.multi_label:
        return Question(task, choice)
    return Question(task, object_schema({"labels": {"type": "array", "items": choice}}))
