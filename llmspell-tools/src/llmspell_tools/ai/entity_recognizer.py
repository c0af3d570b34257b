"""The tool `entity-recognizer`: names, places, dates and the like that a text mentions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from llmspell_core.errors import LimitError
from llmspell_core.tool import Tool, ToolResult
from llmspell_tools._parameters import Names, Text, check_size
from llmspell_tools.ai._asking import Asker, AskingParameters, Question, parts_of
from llmspell_tools.ai._labels import check_labels, object_schema

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_TYPES = (
    "person", "organization", "location", "date", "time", "money", "quantity", "product", "event",
)  # fmt: skip
_MOST_PARTS = 200
_MOST_ENTITIES = 10_000


class EntityParameters(AskingParameters):
    """The text, and the types of entities to look for."""

    aliases: ClassVar[dict[str, str]] = {
        "types": "labels",
        "entity_types": "labels",
        "entities": "labels",
    }

    input: Text = Field(min_length=1, description="The text to search")
    labels: Names = Field(
        default_factory=lambda: list(_TYPES),
        description="The types of entities to find, like person, drug, statute",
    )


class EntityRecognizer(Tool):
    """Finds entities in texts."""

    name = "entity-recognizer"
    description = (
        "Finds the people, organizations, places, dates, amounts, or other types of entities "
        "that a text mentions, with their places in it, with the configured model."
    )
    category = "ai"
    Parameters = EntityParameters
    timeout_ms = 600_000
    examples = (
        (
            {"input": "Ada Lovelace met Charles Babbage in London in 1833."},
            "Ada Lovelace and Charles Babbage (person), London (location), 1833 (date)",
        ),
    )

    async def run_tool(self, params: EntityParameters, ctx: ToolContext) -> ToolResult:
        check_size(self.name, len(params.input))
        labels = check_labels(self.name, params.labels or list(_TYPES), least=1)
        asker = Asker(self.name, params.model, ctx)
        parts = parts_of(params.input, asker.max_context_tokens)
        if len(parts) > _MOST_PARTS:
            raise LimitError(
                f"{self.name}: the text takes {len(parts)} requests, {_MOST_PARTS} at most",
                code="limit.value",
                hint="a model with a larger context, or a shorter text",
            )
        found: dict[tuple[str, str], dict[str, Any]] = {}
        unfounded = 0
        question = _question(params, labels)
        for index, (start, part) in enumerate(parts):
            if len(parts) > 1:
                ctx.progress(index, len(parts), "reading the parts")
            value = await asker.ask(question, part)
            unfounded += _add(found, value["entities"], part, start)
        entities = sorted(found.values(), key=lambda one: one["start"])[:_MOST_ENTITIES]
        text = "\n".join(f"{one['text']} ({one['type']})" for one in entities)
        metadata = {**asker.metadata, "not_in_text": unfounded}
        result = {"entities": entities, "count": len(entities)}
        return ToolResult(result, output=entities, text=text or "none", metadata=metadata)


def _add(
    found: dict[tuple[str, str], dict[str, Any]], given: list[dict[str, str]], part: str, at: int
) -> int:
    """Note the entities that are really in a part; how many were not."""
    unfounded = 0
    for text, type_ in dict.fromkeys((one["text"].strip(), one["type"]) for one in given):
        first, count = _places(part, text)
        if not count:
            unfounded += 1
            continue
        shown = part[first : first + len(text)]
        known = found.get((shown, type_))
        if known:
            known["count"] += count
        else:
            found[shown, type_] = {
                "text": shown,
                "type": type_,
                "start": at + first,
                "end": at + first + len(text),
                "count": count,
            }
    return unfounded


def _places(part: str, text: str) -> tuple[int, int]:
    """(the first place, how many), as whole words where there are such, in its own case first."""
    if not text:
        return 0, 0
    low_part, low_text = part.lower(), text.lower()
    for whole, needle in ((part, text), (low_part, low_text)):
        # Some letters get longer in the other case: places would be wrong.
        if len(whole) != len(part) or len(needle) != len(text):
            continue
        places = _all(whole, needle)
        whole_words = [place for place in places if _is_word(whole, place, len(needle))]
        # Languages without spaces have no other kind.
        if places:
            best = whole_words or places
            return best[0], len(best)
    return 0, 0


def _all(text: str, needle: str) -> list[int]:
    places = []
    at = text.find(needle)
    while at >= 0:
        places.append(at)
        at = text.find(needle, at + len(needle))
    return places


def _is_word(text: str, at: int, length: int) -> bool:
    before, after = text[at - 1 : at] if at else "", text[at + length : at + length + 1]
    return not (before.isalnum() or after.isalnum())


def _question(params: EntityParameters, labels: list[str]) -> Question:
    task = (
        "List the entities that the text mentions, of these types only: "
        f"{', '.join(labels)}. Copy each exactly as the text writes it, each one once. "
        'Answer with JSON: "entities" is a list of objects with "text" and "type", empty when '
        "there is none."
    )
    if params.language:
        task += f" The text is in {params.language}."
    entity = object_schema({"text": {"type": "string"}, "type": {"type": "string", "enum": labels}})
    return Question(task, object_schema({"entities": {"type": "array", "items": entity}}))
