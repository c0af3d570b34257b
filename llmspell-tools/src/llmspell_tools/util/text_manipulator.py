"""The tool `text-manipulator`: changes, measures and takes apart texts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from llmspell_core.tool import Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Spelled, Text, Texts, check_size, one_of, wrong
from llmspell_tools.util._text import PLAIN, WITH_OPTIONS, join

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_LONG = 100_000


class TextParameters(ToolParameters):
    """A text and what to do with it."""

    aliases: ClassVar[dict[str, str]] = {
        "from": "from_",
        "template": "input",
        "separator": "delimiter",
        "max_length": "length",
        "ellipsis": "suffix",
        "variables": "values",
    }

    operation: Annotated[
        Literal[
            "uppercase",
            "lowercase",
            "capitalize",
            "title",
            "trim",
            "reverse",
            "replace",
            "regex_replace",
            "extract",
            "substring",
            "split",
            "join",
            "count",
            "word_count",
            "truncate",
            "indent",
            "dedent",
            "word_wrap",
            "normalize_whitespace",
            "slugify",
            "snake_case",
            "camel_case",
            "pascal_case",
            "kebab_case",
            "sanitize",
            "format",
        ],
        Spelled(
            upper="uppercase",
            lower="lowercase",
            title_case="title",
            strip="trim",
            wrap="word_wrap",
            slug="slugify",
        ),
    ] = Field(description="What to do with the text")
    input: Texts = Field(description="The text; for join, a list of texts or lines")
    from_: Text | None = Field(
        None, alias="from", description="replace: the text to look for, literally"
    )
    to: Text | None = Field(None, description="replace: the text to put there")
    pattern: str | None = Field(
        None,
        description="regex_replace, extract: a regular expression (RE2); count: the text to count",
    )
    replacement: Text | None = Field(
        None, description="regex_replace: the new text, with $1 or ${name} for groups"
    )
    group: int | None = Field(
        None, ge=0, description="extract: which group to give; the first one, else the whole match"
    )
    case_sensitive: bool = Field(True, description="replace, regex_replace, extract")
    start: int = Field(0, description="substring: first character, from 0; negative from the end")
    end: int | None = Field(None, description="substring: the character to stop before")
    length: int | None = Field(
        None, ge=0, description="substring, truncate: number of characters (truncate: 100)"
    )
    suffix: str = Field("...", description="truncate: what marks the cut")
    delimiter: str | None = Field(
        None,
        description="split: what separates (white space); join: what to put between (a space); "
        "slugify: between words (-)",
    )
    count_type: Annotated[
        Literal["words", "chars", "lines", "bytes", "sentences", "paragraphs", "occurrences"],
        Spelled(characters="chars", word="words", line="lines", char="chars"),
    ] = Field("words", description="count: what to count")
    spaces: int = Field(4, ge=0, le=100, description="indent: how far")
    prefix: str | None = Field(None, description="indent: what to put before each line instead")
    width: int = Field(80, ge=1, le=10_000, description="word_wrap: longest line")
    values: Annotated[
        Any, one_of("a table or a list", dict, list), WithJsonSchema({"type": ["object", "array"]})
    ] = Field(default_factory=dict, description="format: values for {name}, or a list for {1}, {2}")


class TextManipulator(Tool):
    """Changes, measures and takes apart texts."""

    name = "text-manipulator"
    description = (
        "Changes a text (case, trim, replace, wrap, slug, identifiers), takes it apart (split, "
        "extract by regular expression, substring) or counts its words, characters or lines."
    )
    category = "util"
    Parameters = TextParameters
    timeout_ms = 10_000
    examples = (
        ({"operation": "uppercase", "input": "hello"}, "HELLO"),
        (
            {"operation": "replace", "input": "hello world", "from": "world", "to": "you"},
            "hello you",
        ),
        (
            {"operation": "extract", "input": "a@x.org, b@y.net", "pattern": r"\w+@[\w.]+"},
            'a list: "a@x.org", "b@y.net"',
        ),
        ({"operation": "count", "input": "one two", "count_type": "words"}, "2"),
        ({"operation": "snake_case", "input": "HelloWorld"}, "hello_world"),
        ({"operation": "format", "input": "Hi {name}!", "values": {"name": "Ada"}}, "Hi Ada!"),
    )

    async def run_tool(self, params: TextParameters, ctx: ToolContext) -> ToolResult:
        size = _size(params.input)
        check_size(self.name, size)
        if size > _LONG:
            value = await asyncio.to_thread(self._change, params)
        else:
            value = self._change(params)
        result = {
            "result": value,
            "operation": params.operation,
            "original_length": size,
            "length": len(value) if isinstance(value, (str, list)) else len(str(value)),
        }
        text = "\n".join(value) if isinstance(value, list) else None
        return ToolResult(result, output=value, text=text)

    def _change(self, params: TextParameters) -> Any:
        if params.operation == "join":
            return join(params.input, params)
        if not isinstance(params.input, str):
            raise wrong(self.name, "input", f'must be a string for "{params.operation}"')
        plain = PLAIN.get(params.operation)
        if plain:
            return plain(params.input)
        return WITH_OPTIONS[params.operation](params.input, params)


def _size(given: str | list[str]) -> int:
    return len(given) if isinstance(given, str) else sum(map(len, given))
