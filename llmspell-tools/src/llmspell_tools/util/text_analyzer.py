"""The tool `text-analyzer`: words, sentences, keywords, readability, language and n-grams."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.tool import Tool, ToolParameters, ToolResult
from llmspell_tools._bounded import bounded
from llmspell_tools._extras import imported
from llmspell_tools._parameters import Spelled, Text, check_size, needed
from llmspell_tools.util import _analysis

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmspell_core.context import ToolContext

_TIME_MS = 20_000
#: Beyond this it takes long enough to be stopped.
_SHORT = 100_000
#: Enough to tell a language by.
_SAMPLE = 20_000
_CANDIDATES = 5
_LEAST = 0.001


class AnalyzerParameters(ToolParameters):
    """A text and what to find out about it."""

    operation: Annotated[
        Literal["analyze", "tokens", "sentences", "keywords", "readability", "language", "ngrams"],
        Spelled(
            all="analyze",
            statistics="analyze",
            stats="analyze",
            words="tokens",
            tokenize="tokens",
            detect_language="language",
            n_grams="ngrams",
        ),
    ] = Field(
        "analyze",
        description="analyze: counts, language, keywords and readability together; or one of them",
    )
    input: Text | None = Field(None, description="The text")
    language: str | None = Field(
        None,
        max_length=20,
        description="keywords, readability: the text's language (en, de, ...); else it is guessed",
    )
    n: int = Field(2, ge=1, le=5, description="ngrams: how many words each has")
    limit: int = Field(20, ge=1, le=10_000, description="The most items to give")

    aliases: ClassVar[dict[str, str]] = {
        "size": "n",
        "max_results": "limit",
        "max_keywords": "limit",
        "top": "limit",
    }


class TextAnalyzer(Tool):
    """Finds out about texts."""

    name = "text-analyzer"
    description = (
        "Analyzes a text: its words, sentences, keywords, readability scores, language and most "
        "frequent n-grams."
    )
    category = "util"
    Parameters = AnalyzerParameters
    timeout_ms = 30_000
    extra = "text"
    examples = (
        (
            {"operation": "sentences", "input": "Dr. Who is here. Is he? Yes."},
            "Dr. Who is here.\nIs he?\nYes.",
        ),
        (
            {"operation": "keywords", "limit": 1,
             "input": "Solar panels on the roof: solar panels are quiet, and a roof is free."},
            "solar panels",
        ),
        ({"operation": "language", "input": "Das ist ein kurzer deutscher Satz."}, "de"),
        (
            {"operation": "ngrams", "input": "to be or not to be", "n": 2, "limit": 1},
            "to be  2",
        ),
    )  # fmt: skip

    async def run_tool(self, params: AnalyzerParameters, ctx: ToolContext) -> ToolResult:
        needed(self.name, params.operation, input=params.input)
        text = params.input or ""
        check_size(self.name, len(text))
        language = (params.language or "").strip().lower().partition("-")[0]
        if params.operation == "language":
            return _language_result(await asyncio.to_thread(self._languages, text))
        if params.operation == "analyze":
            told = await asyncio.to_thread(self._languages, text)
            language = language or (told[0]["language"] if told else "")
            found = await self._work(ctx, "everything", text, language, params.limit)
            return _everything_result({**found, "language": told[0] if told else None})
        extra: dict[str, tuple[Any, ...]] = {
            "tokens": (params.limit,),
            "sentences": (params.limit,),
            "keywords": (language, params.limit),
            "readability": (language,),
            "ngrams": (params.n, params.limit),
        }
        found = await self._work(ctx, params.operation, text, *extra[params.operation])
        return _RESULTS[params.operation](found)

    async def _work(self, ctx: ToolContext, name: str, text: str, *args: Any) -> dict[str, Any]:
        if len(text) <= _SHORT:
            made: dict[str, Any] = await asyncio.to_thread(getattr(_analysis, name), text, *args)
            return made
        function = f"llmspell_tools.util._analysis:{name}"
        found: dict[str, Any] = await bounded(
            ctx, "the analysis", function, text, *args, timeout_ms=_TIME_MS
        )
        return found

    def _languages(self, text: str) -> list[dict[str, Any]]:
        """What languages it may be in, the likeliest first; none for a text without letters."""
        sample = text[:_SAMPLE]
        if not any(map(str.isalpha, sample)):
            return []
        # A lone surrogate stands for what was no text.
        sample = sample.encode("utf-8", "ignore").decode("utf-8")
        library = imported("py3langid.langid", self.name, "text")
        ranked = _identifier(library).rank(sample)
        return [
            {"language": str(name), "confidence": round(float(share), 4)}
            for name, share in ranked[:_CANDIDATES]
            if share >= _LEAST
        ]


@functools.cache
def _identifier(library: Any) -> Any:
    """The model that the library brings along, with probabilities instead of logarithms."""
    return library.LanguageIdentifier.from_model_file(library.MODEL_FILE, norm_probs=True)


def _language_result(told: list[dict[str, Any]]) -> ToolResult:
    best = told[0] if told else {"language": None, "confidence": 0.0}
    return ToolResult({**best, "candidates": told}, output=best["language"])


def _listed(field: str, key: str = "") -> Callable[[dict[str, Any]], ToolResult]:
    def made(found: dict[str, Any]) -> ToolResult:
        items = found[field]
        lines = [one if isinstance(one, str) else f"{one[key]}{_count(one, key)}" for one in items]
        return ToolResult(found, output=items, text="\n".join(lines))

    return made


def _count(one: dict[str, Any], key: str) -> str:
    return f"  {one['count']}" if key == "ngram" else ""


def _readability_result(found: dict[str, Any]) -> ToolResult:
    lines = [f"{name.replace('_', ' ')}: {value}" for name, value in found.items()]
    return ToolResult(found, text="\n".join(lines))


def _everything_result(found: dict[str, Any]) -> ToolResult:
    language = found["language"] or {"language": "unknown"}
    words = ", ".join(one["keyword"] for one in found["keywords"])
    lines = [
        f"{found['words']} words, {found['sentences']} sentences, {found['paragraphs']} paragraphs",
        f"language: {language['language']}",
        f"readability: {found['readability'].get('level', 'none')}",
        f"keywords: {words or 'none'}",
    ]
    return ToolResult(found, text="\n".join(lines))


_RESULTS: dict[str, Callable[[dict[str, Any]], ToolResult]] = {
    "tokens": _listed("tokens"),
    "sentences": _listed("sentences"),
    "keywords": _listed("keywords", "keyword"),
    "ngrams": _listed("ngrams", "ngram"),
    "readability": _readability_result,
}
