"""The tool `sentiment-analyzer`: how a text feels, as the configured model reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from llmspell_core.tool import Tool, ToolResult
from llmspell_tools._parameters import Names, Text
from llmspell_tools.ai._asking import Asker, AskingParameters, Question, in_language
from llmspell_tools.ai._labels import check_labels, confidence_schema, object_schema

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_LABELS = ("positive", "negative", "neutral", "mixed")


class SentimentParameters(AskingParameters):
    """The text and the sentiments to choose from."""

    aliases: ClassVar[dict[str, str]] = {"sentiments": "labels", "emotions": "labels"}

    input: Text = Field(min_length=1, description="The text to judge")
    labels: Names = Field(
        default_factory=lambda: list(_LABELS),
        description="The sentiments to choose from, like joy, anger, fear",
    )


class SentimentAnalyzer(Tool):
    """Judges the sentiment of texts."""

    name = "sentiment-analyzer"
    description = (
        "Judges the sentiment of a text (positive, negative, neutral, mixed, or labels of your "
        "own) with a score from -1 to 1 and a reason, with the configured model."
    )
    category = "ai"
    Parameters = SentimentParameters
    timeout_ms = 120_000
    examples = (
        ({"input": "The room was spotless and the staff could not be kinder."}, "positive"),
        (
            {"input": "They lost my luggage again!", "labels": ["joy", "anger", "sadness"]},
            "anger",
        ),
    )

    async def run_tool(self, params: SentimentParameters, ctx: ToolContext) -> ToolResult:
        labels = check_labels(self.name, params.labels or list(_LABELS), least=2)
        asker = Asker(self.name, params.model, ctx)
        value = await asker.ask(_question(params, labels), params.input)
        result = {
            "sentiment": value["sentiment"],
            "score": value["score"],
            "confidence": value["confidence"],
            "explanation": value["explanation"],
        }
        return ToolResult(result, output=value["sentiment"], metadata=asker.metadata)


def _question(params: SentimentParameters, labels: list[str]) -> Question:
    task = (
        f"Judge the sentiment that the text expresses: one of {', '.join(labels)}. "
        "Answer with JSON: "
        '"explanation" is one short sentence on why, '
        '"sentiment" the sentiment, "score" a number from -1 (very negative) to 1 (very '
        'positive), "confidence" a number from 0 to 1. '
        f"{in_language(params.language, 'the explanation')}"
    )
    properties: dict[str, Any] = {
        "explanation": {"type": "string"},
        "sentiment": {"type": "string", "enum": labels},
        "score": {"type": "number", "minimum": -1, "maximum": 1},
        "confidence": confidence_schema(),
    }
    return Question(task, object_schema(properties))
