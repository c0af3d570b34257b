"""The tool `data-validator`: whether a value keeps to rules for its fields, or to a JSON schema."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, WithJsonSchema
from pydantic import ValidationError as PydanticError

from llmspell_core.errors import ToolFailed
from llmspell_core.schema import check_schema, pydantic_mistakes
from llmspell_core.tool import Tool, ToolParameters, ToolResult, invalid_parameters
from llmspell_tools._bounded import bounded
from llmspell_tools._parameters import Spelled, check_size, needed, wrong
from llmspell_tools.data._format_tool import Schema
from llmspell_tools.data._rules import Checker, Rule, RuleSpec

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_SCHEMA_MS = 2_000


def _rules(value: Any) -> Any:
    if not isinstance(value, (dict, list, str)):
        raise ValueError("must be a table of rules by field")
    return value


class ValidatorParameters(ToolParameters):
    """A value and what it must be."""

    aliases: ClassVar[dict[str, str]] = {"value": "input", "schema": "schema_"}

    operation: Annotated[Literal["validate"], Spelled(check="validate")] = Field(
        "validate", description="validate, the only one"
    )
    input: Any = Field(None, description="A value, or its JSON text")
    rules: (
        Annotated[
            Any,
            BeforeValidator(_rules),
            WithJsonSchema({"type": ["object", "array", "string"]}),
        ]
        | None
    ) = Field(
        None,
        description="Rules by field (a.b and a.*.b reach inside): a type, or {type, required, min, "
        "max, pattern, enum, items, fields, ...}. Fields are required unless required = false or "
        "the type ends in ?. Types: string, number, integer, boolean, array, object, email, url, "
        "uuid, date, time, datetime, ip, ipv4, ipv6, hostname, phone, slug, semver, hex, ... "
        "For an input that is no table: one rule for it",
    )
    schema_: Schema | None = Field(
        None, alias="schema", description="A JSON schema (draft 2020-12) in place of rules"
    )
    strict: bool = Field(False, description="Fields without a rule are mistakes")


class DataValidator(Tool):
    """Checks a value against rules or a JSON schema."""

    name = "data-validator"
    description = (
        "Checks a value or JSON text against rules for its fields (types, email, ranges, "
        "patterns, nested lists) or a JSON schema, and names each mistake with its path."
    )
    category = "data"
    aliases = ("data-validation",)
    Parameters = ValidatorParameters
    timeout_ms = 30_000
    examples = (
        (
            {
                "input": {"email": "ada@example.com", "age": 36},
                "rules": {"email": "email", "age": {"type": "integer", "min": 18}},
            },
            "valid",
        ),
        (
            {
                "input": {"email": "ada", "tags": ["a", 1]},
                "rules": {"email": "email", "tags": {"type": "array", "items": "string"}},
            },
            'invalid: email: must be an email address, not "ada"; tags.1: must be a string, not 1',
        ),
        (
            {"input": '{"age": "old"}', "schema": {"properties": {"age": {"type": "integer"}}}},
            "invalid: age: 'old' is not of type 'integer'",
        ),
    )

    async def run_tool(self, params: ValidatorParameters, ctx: ToolContext) -> ToolResult:
        if "input" not in params.model_fields_set:
            needed(self.name, params.operation, input=None)
        if isinstance(params.input, str):
            check_size(self.name, len(params.input))
        if params.schema_ is None and params.rules is None:
            needed(self.name, params.operation, rules=None)
        errors: list[dict[str, str]] = []
        if params.rules is not None:
            errors += await asyncio.to_thread(self._by_rules, params)
        if params.schema_ is not None:
            errors += await self._by_schema(params.schema_, params.input, ctx)
        lines = [
            f"{one['path']}: {one['message']}" if one["path"] else one["message"] for one in errors
        ]
        text = "invalid: " + "; ".join(lines) if errors else "valid"
        result = {"valid": not errors, "errors": errors, "error_count": len(errors)}
        return ToolResult(result, text=text)

    def _by_rules(self, params: ValidatorParameters) -> list[dict[str, str]]:
        value = _value(params.input)
        rules = params.rules
        if isinstance(value, dict) and isinstance(rules, dict):
            rules = {"fields": rules, "strict": params.strict}
        return errors_by_rules(self.name, value, rules)

    async def _by_schema(self, schema: Any, value: Any, ctx: ToolContext) -> list[dict[str, str]]:
        check_schema(schema, f"{self.name}: schema")
        try:
            document = json.dumps(_value(value), allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise wrong(self.name, "input", f"is no plain value: {error}") from None
        function = "llmspell_tools.data._schema:mistakes"
        answer = await bounded(
            ctx, "the schema", function, json.dumps(schema), document, timeout_ms=_SCHEMA_MS
        )
        found = json.loads(answer)
        if "error" in found:
            raise ToolFailed(f"{self.name}: the schema cannot be used: {found['error']}")
        errors: list[dict[str, str]] = found["errors"]
        return errors


def errors_by_rules(tool: str, value: Any, rules: Any) -> list[dict[str, str]]:
    """The places where a value breaks one rule, as `{path, message}`.

    Args:
        tool: the tool, for errors
        value: what to check
        rules: the rule, as it was given
    """
    try:
        rule: Rule = TypeAdapter(RuleSpec).validate_python(rules)
    except PydanticError as error:
        mistakes = [{**one, "field": _place(one["field"])} for one in pydantic_mistakes(error)]
        raise invalid_parameters(tool, mistakes) from None
    checker = Checker(tool)
    checker.value(rule, value, "")
    return checker.errors


def _value(given: Any) -> Any:
    """A JSON text as its value; any other text as it is."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except (ValueError, RecursionError):
        return given


def _place(field: str) -> str:
    inner = field.removeprefix("items.").removeprefix("fields").removeprefix(".")
    return f"rules.{inner}" if inner else "rules"
