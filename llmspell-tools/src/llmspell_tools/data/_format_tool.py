"""What `yaml-processor`, `toml-processor` and `xml-processor` share."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from llmspell_core.errors import LimitError, ToolFailed
from llmspell_core.schema import check_schema
from llmspell_core.tool import Tool, ToolParameters, ToolResult
from llmspell_tools._bounded import bounded
from llmspell_tools._parameters import Spelled, check_size, needed, one_of, wrong
from llmspell_tools.data import _formats

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

TIME_MS = 20_000
#: Longer texts, and those with anchors, are read where they can be stopped.
_SHORT = 20_000

Style = Annotated[Literal["json", "yaml", "toml", "xml"], Spelled(yml="yaml")]
Schema = Annotated[
    Any, one_of("a JSON schema", dict, bool), WithJsonSchema({"type": ["object", "boolean"]})
]
Operation = Annotated[
    Literal["parse", "generate", "validate", "convert"],
    Spelled(
        decode="parse", read="parse", load="parse",
        encode="generate", stringify="generate", write="generate", dump="generate",
        check="validate", to="convert",
    ),
]  # fmt: skip


class FormatFields(ToolParameters):
    """A text or a value, and how to read and write it."""

    aliases: ClassVar[dict[str, str]] = {
        "schema": "schema_",
        "from": "source_format",
        "to": "target_format",
        "format": "target_format",
    }

    input: Any = Field(None, description="A text; for generate any value")
    schema_: Schema | None = Field(
        None, alias="schema", description="validate: a JSON schema (draft 2020-12) for the value"
    )
    source_format: Style | None = Field(
        None, description="convert: what the input is written in; else the tool's own format"
    )
    target_format: Style | None = Field(None, description="convert: json, yaml, toml or xml")
    sort_keys: bool = Field(False, description="generate, convert: keys in order of the alphabet")
    pretty: bool = Field(True, description="generate, convert: indented, on several lines")

    def obvious(self) -> str:
        """The operation that is meant when none is given."""
        if self.schema_ is not None:
            return "validate"
        if self.target_format is not None or self.source_format is not None:
            return "convert"
        return "parse" if isinstance(self.input, str) else "generate"


class FormatParameters(FormatFields):
    """With the operations that all formats have."""

    operation: Operation | None = Field(
        None,
        description="parse: text to value; generate: value to text; validate: the text, and with "
        "`schema` its value; convert: a text to `target_format`. Left out: what is given says it",
    )


class FormatTool(Tool):
    """Reads and writes one format."""

    #: The format: yaml, toml or xml.
    style: ClassVar[str]
    category = "data"
    timeout_ms = 30_000

    async def run_tool(self, params: FormatFields, ctx: ToolContext) -> ToolResult:
        given: str | None = getattr(params, "operation", None)
        operation = given or params.obvious()
        if "input" not in params.model_fields_set:
            needed(self.name, operation, input=None)
        if isinstance(params.input, str):
            check_size(self.name, len(params.input))
        result = await self.operate(operation, params, ctx)
        result.metadata["operation"] = operation
        return result

    async def operate(self, operation: str, params: FormatFields, ctx: ToolContext) -> ToolResult:
        """Do one operation."""
        if operation == "generate":
            return ToolResult(await self._generate(params, ctx))
        if operation == "convert":
            return ToolResult(await self._convert(params, ctx))
        text = self.text(params)
        if operation == "parse":
            value = json.loads(await self._work(ctx, text, "parse", self.style, text))
            return ToolResult(value, text=json.dumps(value, ensure_ascii=False))
        return await self._validate(text, params, ctx)

    def text(self, params: FormatFields) -> str:
        """The input, which must be a text."""
        if not isinstance(params.input, str):
            raise wrong(self.name, "input", f"must be a text of {self.style.upper()}")
        return params.input

    async def _generate(self, params: FormatFields, ctx: ToolContext) -> str:
        document = self.document(params.input)
        options = self.options(params)
        text: str = await self._work(ctx, document, "generate", self.style, document, options)
        return text

    async def _convert(self, params: FormatFields, ctx: ToolContext) -> str:
        source = params.source_format or self.style
        target = params.target_format or ("json" if source == self.style else self.style)
        text = params.input
        if not isinstance(text, str):
            source, text = "json", self.document(text)
        options = self.options(params)
        made: str = await self._work(ctx, text, "convert", source, target, text, options)
        return made

    async def _validate(self, text: str, params: FormatFields, ctx: ToolContext) -> ToolResult:
        schema = None
        if params.schema_ is not None:
            check_schema(params.schema_, f"{self.name}: schema")
            schema = json.dumps(params.schema_)
        found = json.loads(await self._work(ctx, text, "validate", self.style, text, schema))
        if "error" in found:
            raise ToolFailed(f"{self.name}: the schema cannot be used: {found['error']}")
        errors = found["errors"]
        lines = [
            f"{one['path']}: {one['message']}" if one["path"] else one["message"] for one in errors
        ]
        words = "invalid: " + "; ".join(lines) if errors else "valid"
        return ToolResult({"valid": not errors, "errors": errors}, text=words)

    def options(self, params: FormatFields) -> dict[str, Any]:
        """How to write."""
        return {"sort_keys": params.sort_keys, "pretty": params.pretty}

    def document(self, value: Any) -> str:
        """A value as JSON, on its way to a helper."""
        try:
            return json.dumps(value, allow_nan=False)
        except RecursionError:
            message = f"{self.name}: input is nested too deep"
            raise LimitError(message, code="limit.value_depth") from None
        except (TypeError, ValueError) as error:
            raise wrong(self.name, "input", f"is no plain value: {error}") from None

    async def _work(self, ctx: ToolContext, text: str, name: str, *args: Any) -> Any:
        """Call a function of `_formats`, in a helper where it may take long."""
        check_size(self.name, len(text))
        if len(text) < _SHORT and not ("*" in text and "&" in text):
            return await asyncio.to_thread(getattr(_formats, name), self.name, *args)
        function = f"llmspell_tools.data._formats:{name}"
        return await bounded(
            ctx, f"{name} of the text", function, self.name, *args, timeout_ms=TIME_MS
        )
