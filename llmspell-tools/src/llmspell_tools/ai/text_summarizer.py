"""The tool `text-summarizer`: shortens texts of any length with the configured model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.errors import LimitError, ToolFailed
from llmspell_core.tool import Tool, ToolResult
from llmspell_tools._parameters import Spelled, Text, check_size
from llmspell_tools.ai._asking import Asker, AskingParameters, Question, in_language, parts_of
from llmspell_tools.ai._labels import object_schema

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

#: Each part is a request: more would cost more than anyone expects of one call.
_MOST_PARTS = 200
_MOST_ROUNDS = 4
#: Words of a summary of one part of many.
_PART_WORDS = 200

_STYLES = {
    "paragraph": "one paragraph",
    "bullets": "a list of its main points, each one sentence",
    "sentence": "one sentence",
    "headline": "a headline",
}


class SummaryParameters(AskingParameters):
    """What to shorten and how far."""

    aliases: ClassVar[dict[str, str]] = {"max_words": "max_length", "format": "style"}

    input: Text = Field(min_length=1, description="The text to summarize")
    max_length: int = Field(150, ge=5, le=5000, description="Words of the summary at most")
    style: Annotated[
        Literal["paragraph", "bullets", "sentence", "headline"],
        Spelled(bullet_points="bullets", list="bullets", brief="sentence", title="headline"),
    ] = Field("paragraph", description="What the summary looks like")


class TextSummarizer(Tool):
    """Summarizes texts."""

    name = "text-summarizer"
    description = (
        "Summarizes a text of any length in a given number of words, as a paragraph, bullet "
        "points, one sentence or a headline, with the configured model."
    )
    category = "ai"
    Parameters = SummaryParameters
    timeout_ms = 600_000
    examples = (
        (
            {
                "input": "The harbour opened in 1903. It grew fast: by 1920 it was the largest "
                "of the coast. After the war the ships went elsewhere, and it closed in 1951.",
                "style": "sentence",
                "max_length": 30,
            },
            "one sentence on the harbour's rise and end",
        ),
    )

    async def run_tool(self, params: SummaryParameters, ctx: ToolContext) -> ToolResult:
        check_size(self.name, len(params.input))
        asker = Asker(self.name, params.model, ctx)
        text, parts = await self._short_enough(params, asker, ctx)
        value = await asker.ask(_question(params, params.max_length, params.style), text)
        points = [" ".join(point.split()) for point in _points(value)]
        points, truncated = _limited([point for point in points if point], params.max_length)
        if not points:
            raise ToolFailed(f"{self.name}: the model gave no summary", code="tool.bad_answer")
        bullets = params.style == "bullets"
        summary = "\n".join(f"- {point}" for point in points) if bullets else " ".join(points)
        result: dict[str, Any] = {
            "summary": summary,
            "style": params.style,
            "words": _words(points),
            "original_words": len(params.input.split()),
            "parts": parts,
            "truncated": truncated,
        }
        if bullets:
            result["points"] = points
        return ToolResult(result, output=summary, metadata=asker.metadata)

    async def _short_enough(
        self, params: SummaryParameters, asker: Asker, ctx: ToolContext
    ) -> tuple[str, int]:
        """(the text, or the summaries of its parts until they fit into a request; the parts)."""
        text = params.input
        first = 0
        for _ in range(_MOST_ROUNDS):
            parts = parts_of(text, asker.max_context_tokens)
            first = first or len(parts)
            if len(parts) == 1:
                return text, first
            if len(parts) > _MOST_PARTS:
                raise LimitError(
                    f"{self.name}: the text takes {len(parts)} requests, {_MOST_PARTS} at most",
                    code="limit.value",
                    hint="a model with a larger context, or a shorter text",
                )
            short = []
            for index, (_, part) in enumerate(parts):
                ctx.progress(index, len(parts), "summarizing the parts")
                value = await asker.ask(_question(params, _PART_WORDS, "paragraph"), part)
                points, _ = _limited(_points(value), 2 * _PART_WORDS)
                short.append(" ".join(points))
            text = "\n\n".join(short)
        raise ToolFailed(
            f"{self.name}: the summaries of the parts do not get shorter",
            hint="a model with a larger context",
        )


def _question(params: SummaryParameters, words: int, style: str) -> Question:
    def wish(value: Any) -> str:
        count = _words(_points(value))
        if not count:
            return "the summary is empty"
        # Models count badly: what is a little too long is cut instead of asked for again.
        if count > math.ceil(words * 1.2):
            return f"it has {count} words, {words} are allowed"
        return ""

    bullets = style == "bullets"
    form = '"points" is a list of strings' if bullets else '"summary" is a string'
    task = (
        f"Summarize the text as {_STYLES[style]}, in {words} words at most. "
        f"Say only what the text says. {in_language(params.language, 'the summary')} "
        f"Answer with JSON: {form}."
    )
    text: dict[str, Any] = {"type": "string"}
    fields = {"points": {"type": "array", "items": text}} if bullets else {"summary": text}
    return Question(task, object_schema(fields), wish)


def _points(value: dict[str, Any]) -> list[str]:
    """The parts of an answer: its points, or the one text."""
    points: list[str] = value["points"] if "points" in value else [value["summary"]]
    return points


def _words(points: list[str]) -> int:
    return sum(len(point.split()) for point in points)


def _limited(points: list[str], most: int) -> tuple[list[str], bool]:
    """(the points in at most so many words, whether something was cut off)."""
    kept: list[str] = []
    left = most
    for point in points:
        words = point.split()
        if len(words) > left:
            if left:
                kept.append(_cut(words[:left]))
            return kept, True
        kept.append(point)
        left -= len(words)
    return kept, False


def _cut(words: list[str]) -> str:
    """Up to the end of its last whole sentence, where that is not far from its end."""
    text = " ".join(words)
    end = max(text.rfind(mark) for mark in (". ", "! ", "? "))
    return text[: end + 1] if end > len(text) // 2 else f"{text} …"
