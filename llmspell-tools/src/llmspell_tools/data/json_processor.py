"""The tool `json-processor`: reads, writes, queries, validates and compares JSON."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from llmspell_core.errors import LimitError, ToolFailed, ValidationError
from llmspell_core.schema import check_schema
from llmspell_core.tool import Tool, ToolParameters, ToolResult, as_text
from llmspell_tools._parameters import Spelled, check_size, needed, one_of, wrong
from llmspell_tools.data import _json
from llmspell_tools.data._schema import is_quick, mistakes

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

TIME_MS = 1_000
_SHORT = 100_000


class JsonParameters(ToolParameters):
    """A JSON text or value and what to do with it."""

    aliases: ClassVar[dict[str, str]] = {
        "json": "input",
        "merge_data": "other",
        "filter": "query",
        "schema": "schema_",
    }

    operation: (
        Annotated[
            Literal[
                "parse",
                "stringify",
                "query",
                "validate",
                "merge",
                "diff",
                "flatten",
                "format",
                "stream",
            ],
            Spelled(
                encode="stringify", decode="parse", jq="query", compare="diff", prettify="format"
            ),
        ]
        | None
    ) = Field(
        None,
        description="parse: text to value; stringify: value to text; query: with jq; validate: "
        "against `schema`; merge: `other` over `input`; diff: from `input` to `other`; flatten: "
        "to one level; format: indented text; stream: JSON lines to a list. Left out: query or "
        "validate when `query` or `schema` is given, else parse",
    )
    input: Any = Field(None, description="A JSON text, or a value as it is")
    query: str | None = Field(
        None, max_length=100_000, description="query, stream: a jq program: .users[] | .name"
    )
    schema_: (
        Annotated[
            Any,
            one_of("a JSON schema", dict, bool),
            WithJsonSchema({"type": ["object", "boolean"]}),
        ]
        | None
    ) = Field(None, alias="schema", description="validate: a JSON schema (draft 2020-12)")
    other: Any = Field(None, description="merge, diff: the second JSON text or value")
    pretty: bool = Field(False, description="stringify, merge, flatten: indent the text")


class JsonProcessor(Tool):
    """Reads, writes, queries, validates and compares JSON."""

    name = "json-processor"
    description = (
        "Works on JSON: parse, write, query with jq, validate against a JSON schema, merge, "
        "compare, flatten, indent, or read JSON lines."
    )
    category = "data"
    Parameters = JsonParameters
    timeout_ms = 30_000
    examples = (
        ({"operation": "parse", "input": '{"a": [1, 2]}'}, "the value"),
        (
            {
                "input": '{"users": [{"name": "Ada", "age": 36}, {"name": "Bob", "age": 17}]}',
                "query": ".users[] | select(.age >= 18) | .name",
            },
            "Ada",
        ),
        (
            {"input": {"age": "old"}, "schema": {"properties": {"age": {"type": "integer"}}}},
            "invalid, with path and message",
        ),
        (
            {"operation": "merge", "input": {"a": {"x": 1}}, "other": {"a": {"y": 2}}},
            '{"a": {"x": 1, "y": 2}}',
        ),
        ({"operation": "stringify", "input": {"a": 1}, "pretty": True}, "indented text"),
    )

    async def run_tool(self, params: JsonParameters, ctx: ToolContext) -> ToolResult:
        operation = params.operation or _obvious(params)
        given = "input" in params.model_fields_set
        needed(self.name, operation, input=params.input if not given else True)
        if isinstance(params.input, str):
            check_size(self.name, len(params.input))
        result = await self._run(operation, params, ctx)
        result.metadata["operation"] = operation
        return result

    async def _run(self, operation: str, params: JsonParameters, ctx: ToolContext) -> ToolResult:
        if operation == "query":
            needed(self.name, operation, query=params.query)
            document = await self._document(params.input, "input")
            return _queried(await self._query(params.query or "", document, ctx))
        if operation == "validate":
            return await self._validate(params, ctx)
        if operation == "stream":
            return await self._stream(params, ctx)
        if operation in ("merge", "diff") and not self._has_other(operation, params):
            needed(self.name, operation, other=None)
        return await asyncio.to_thread(_PLAIN[operation], params)

    @staticmethod
    def _has_other(operation: str, params: JsonParameters) -> bool:
        several = operation == "merge" and isinstance(params.input, list)
        return several or "other" in params.model_fields_set

    async def _document(self, given: Any, field: str) -> str:
        """The JSON text of a text or a value, checked."""
        value = await asyncio.to_thread(_value, given, field)
        return _json.write(value, field=field)

    async def _query(self, query: str, document: str, ctx: ToolContext) -> list[Any]:
        found = await self._compute("query", ctx, "llmspell_tools.data._jq:run", query, document)
        if "error" in found:
            raise wrong(
                self.name,
                "query",
                f"is no query that works: {found['error']}",
                hint="the syntax is that of jq",
            )
        results: list[Any] = found["results"]
        return results

    async def _validate(self, params: JsonParameters, ctx: ToolContext) -> ToolResult:
        if params.schema_ is None:
            return _is_json(params.input)
        check_schema(params.schema_, "json-processor: schema")
        document = await self._document(params.input, "input")
        schema = _json.write(params.schema_, field="schema")
        if len(document) < _SHORT and is_quick(params.schema_):
            found = json.loads(await asyncio.to_thread(mistakes, schema, document))
        else:
            # Only a process can be stopped in the middle of a regular expression.
            function = "llmspell_tools.data._schema:mistakes"
            found = await self._compute("schema", ctx, function, schema, document)
        if "error" in found:
            raise ToolFailed(f"json-processor: the schema cannot be used: {found['error']}")
        return _validated(found["errors"])

    async def _compute(
        self, what: str, ctx: ToolContext, function: str, *args: str
    ) -> dict[str, Any]:
        """Run what nobody can bound from inside where it can be stopped."""
        from llmspell_core.compute import ComputeError

        try:
            answer = await ctx.compute(function, *args, timeout_ms=TIME_MS)
        except LimitError as error:
            if error.code == "limit.compute_timeout":
                error.message = f"{self.name}: {what} took longer than {TIME_MS} ms"
                error.args = (error.message,)
            raise
        except ComputeError as error:
            # jq ends its process where it cannot get the memory that it wants.
            raise ToolFailed(f"{self.name}: {what} failed: {error.message}") from None
        found: dict[str, Any] = json.loads(answer)
        return found

    async def _stream(self, params: JsonParameters, ctx: ToolContext) -> ToolResult:
        if isinstance(params.input, str):
            items = await asyncio.to_thread(_json.stream, params.input)
        else:
            items = params.input if isinstance(params.input, list) else [params.input]
        if params.query is not None:
            document = _json.write(items)
            # No parentheses: `|` binds loosest of all, and a program may begin with definitions.
            items = await self._query(f".[] | {params.query}", document, ctx)
        text = "\n".join(_json.write(item) for item in items)
        return ToolResult({"items": items, "count": len(items)}, output=items, text=text)


def _obvious(params: JsonParameters) -> str:
    if params.query is not None:
        return "query"
    return "parse" if params.schema_ is None else "validate"


def _value(given: Any, field: str = "input") -> Any:
    """A JSON text as its value; a value as it is."""
    return _json.read(given, field) if isinstance(given, str) else given


def _parse(params: JsonParameters) -> ToolResult:
    value = _value(params.input)
    return ToolResult(value, text=_json.write(value, pretty=params.pretty))


def _stringify(params: JsonParameters) -> ToolResult:
    return ToolResult(_json.write(params.input, pretty=params.pretty))


def _format(params: JsonParameters) -> ToolResult:
    return ToolResult(_json.write(_value(params.input), pretty=True))


def _merge(params: JsonParameters) -> ToolResult:
    value = _value(params.input)
    if "other" in params.model_fields_set:
        merged = _json.merge(value, _value(params.other, "other"))
    else:
        merged = {}
        for one in value:
            merged = _json.merge(merged, _value(one))
    return ToolResult(merged, text=_json.write(merged, pretty=params.pretty))


def _diff(params: JsonParameters) -> ToolResult:
    changes = _json.diff(_value(params.input), _value(params.other, "other"))
    result = {"changes": changes, "count": len(changes), "equal": not changes}
    return ToolResult(result, text="\n".join(map(_change, changes)) or "no differences")


def _change(one: dict[str, Any]) -> str:
    where = one["path"] or "/"
    if one["op"] == "add":
        return f"+ {where}: {_json.write(one['new'])}"
    if one["op"] == "remove":
        return f"- {where}: {_json.write(one['old'])}"
    return f"~ {where}: {_json.write(one['old'])} -> {_json.write(one['new'])}"


def _flatten(params: JsonParameters) -> ToolResult:
    flat = _json.flatten(_value(params.input))
    return ToolResult(flat, text=_json.write(flat, pretty=params.pretty))


_PLAIN = {
    "parse": _parse,
    "stringify": _stringify,
    "format": _format,
    "merge": _merge,
    "diff": _diff,
    "flatten": _flatten,
}


def _queried(results: list[Any]) -> ToolResult:
    value = results[0] if len(results) == 1 else results or None
    text = "\n".join(as_text(one) if isinstance(one, str) else _json.write(one) for one in results)
    return ToolResult(value, text=text, metadata={"count": len(results)})


def _is_json(given: Any) -> ToolResult:
    try:
        _json.write(_value(given))
    except ValidationError as error:
        message = error.details["errors"][0]["message"]
        return _validated([{"path": "", "message": message}])
    return _validated([])


def _validated(errors: list[dict[str, str]]) -> ToolResult:
    lines = [
        f"{one['path']}: {one['message']}" if one["path"] else one["message"] for one in errors
    ]
    text = "invalid: " + "; ".join(lines) if errors else "valid"
    return ToolResult({"valid": not errors, "errors": errors}, text=text)
