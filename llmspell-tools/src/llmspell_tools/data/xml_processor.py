"""The tool `xml-processor`: reads, writes, validates, converts and queries XML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.tool import ToolResult, as_text
from llmspell_tools._bounded import bounded
from llmspell_tools._parameters import Spelled, needed
from llmspell_tools.data._format_tool import FormatFields, FormatTool

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_QUERY_MS = 5_000


class XmlParameters(FormatFields):
    """An XML text or a value and what to do with it."""

    aliases: ClassVar[dict[str, str]] = {
        **FormatFields.aliases,
        "xml": "input",
        "xpath": "query",
        "expression": "query",
        "root_name": "root",
    }

    operation: (
        Annotated[
            Literal["parse", "generate", "validate", "convert", "xpath"],
            Spelled(
                decode="parse",
                read="parse",
                encode="generate",
                stringify="generate",
                write="generate",
                check="validate",
                to="convert",
                query="xpath",
                select="xpath",
            ),
        ]
        | None
    ) = Field(
        None,
        description="parse: text to value; generate: value to text; validate: the text, and with "
        "`schema` its value; convert: to `target_format`; xpath: what `query` finds. Left out: "
        "what is given says it. In values attributes are @name, text beside them is #text, and "
        "elements of one name are a list",
    )
    query: str | None = Field(
        None,
        max_length=10_000,
        description="xpath: an XPath 1.0 expression: //book[price > 30]/title",
    )
    namespaces: dict[str, str] = Field(
        default_factory=dict,
        description="xpath: addresses by the prefixes that `query` uses; the document's own "
        "prefixes are known",
    )
    root: str | None = Field(
        None, description="generate, convert: the root element's name, for a value with none"
    )

    def obvious(self) -> str:
        return "xpath" if self.query is not None else super().obvious()


class XmlProcessor(FormatTool):
    """Reads, writes, validates, converts and queries XML."""

    name = "xml-processor"
    description = (
        "Works on XML: parse a text to a value, write a value, validate a text, find parts with "
        "XPath 1.0, or convert between XML, JSON, YAML and TOML. Entities are refused."
    )
    style = "xml"
    Parameters = XmlParameters
    examples = (
        (
            {"input": '<book id="1"><title>Emma</title></book>'},
            '{"book": {"@id": "1", "title": "Emma"}}',
        ),
        (
            {"operation": "generate", "input": {"list": {"item": [1, 2]}}, "pretty": False},
            '<?xml version="1.0" encoding="UTF-8"?>\n<list><item>1</item><item>2</item></list>',
        ),
        (
            {"input": "<a><b n='1'>x</b><b n='2'>y</b></a>", "query": "//b[@n = 2]"},
            '{"@n": "2", "#text": "y"}',
        ),
        ({"input": "<a><b/><b/></a>", "query": "count(//b)"}, "2"),
        ({"operation": "validate", "input": "<a><b></a>"}, "invalid, with line and column"),
        (
            {"operation": "convert", "input": "<a><b>1</b></a>", "target_format": "yaml"},
            "a:\n  b: '1'\n",
        ),
    )

    async def operate(self, operation: str, params: FormatFields, ctx: ToolContext) -> ToolResult:
        if operation != "xpath" or not isinstance(params, XmlParameters):
            return await super().operate(operation, params, ctx)
        needed(self.name, operation, query=params.query)
        found = await bounded(
            ctx,
            "the query",
            "llmspell_tools.data._xml:xpath",
            self.text(params),
            params.query,
            params.namespaces,
            timeout_ms=_QUERY_MS,
        )
        if not isinstance(found, list):
            return ToolResult({"results": [found], "count": 1}, output=found)
        text = "\n".join(map(_line, found))
        return ToolResult({"results": found, "count": len(found)}, output=found, text=text)

    def options(self, params: FormatFields) -> dict[str, Any]:
        root = params.root if isinstance(params, XmlParameters) else None
        return {**super().options(params), "root": root}


def _line(value: Any) -> str:
    return as_text(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
