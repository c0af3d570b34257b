"""The tool `calculator`: arithmetic on an expression, exact on integers, with no eval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from llmspell_core.errors import ToolFailed
from llmspell_core.schema import describe
from llmspell_core.tool import Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Spelled, Text, needed, wrong
from llmspell_tools.util._arithmetic import MathError, Value, number
from llmspell_tools.util._expression import Expression, ExpressionError, parse
from llmspell_tools.util._functions import CONSTANTS, GROUPS

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_INT64 = 1 << 63


def _variable(value: Any) -> Value:
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, (int, float)) and _is_finite(item) for item in items):
        raise ValueError(
            f"must be a finite number, a boolean or a list of them, not {describe(value)}"
        )
    return [*items] if isinstance(value, list) else value


def _is_finite(value: int | float) -> bool:
    try:
        number(value)
    except MathError:
        return False
    return True


_Variable = Annotated[
    Any,
    PlainValidator(_variable),
    WithJsonSchema({"type": ["number", "boolean", "array"], "items": {"type": "number"}}),
]


class CalculatorParameters(ToolParameters):
    """What to calculate."""

    aliases: ClassVar[dict[str, str]] = {"expression": "input"}

    operation: Annotated[
        Literal["evaluate", "validate", "functions"],
        Spelled(calculate="evaluate", eval="evaluate", check="validate", list="functions"),
    ] = Field(
        "evaluate",
        description="evaluate: the value; validate: whether the expression can be read and which "
        "variables it needs; functions: the functions and constants there are",
    )
    input: Text | None = Field(
        None,
        description="The expression, for example 2 * (x + 1)^2. Operators: + - * / // % ^ **, "
        "comparisons, and or not, c ? a : b, functions such as sqrt(x), lists as in avg([1, 2])",
    )
    variables: dict[str, _Variable] = Field(
        default_factory=dict, description="Values of the names in the expression: numbers, lists"
    )
    precision: int | None = Field(
        None, ge=0, le=30, description="Round to this many digits after the decimal point"
    )


class Calculator(Tool):
    """Evaluates arithmetic expressions."""

    name = "calculator"
    description = (
        "Calculates an arithmetic expression exactly: powers, functions (sqrt, sin, log, sum, avg, "
        "round, ...), comparisons, conditions and variables."
    )
    category = "util"
    Parameters = CalculatorParameters
    timeout_ms = 5_000
    examples = (
        ({"input": "2 + 3 * 4"}, "14"),
        ({"input": "x^2 + y^2", "variables": {"x": 3, "y": 4}}, "25"),
        ({"input": "10 / 3", "precision": 2}, "3.33"),
        ({"input": "avg([1, 2, 6]) > 2 ? 1 : 0"}, "1"),
        ({"operation": "validate", "input": "2 * (3 + x"}, "an unclosed parenthesis, by position"),
    )

    async def run_tool(self, params: CalculatorParameters, ctx: ToolContext) -> ToolResult:
        if params.operation == "functions":
            return _functions()
        needed(self.name, params.operation, input=params.input)
        text = params.input or ""
        if params.operation == "validate":
            return _validate(text)
        return self._evaluate(text, params)

    def _evaluate(self, text: str, params: CalculatorParameters) -> ToolResult:
        try:
            value = self._parsed(text).evaluate(params.variables)
        except MathError as error:
            raise ToolFailed(f"calculator: {error}", details={"expression": text[:200]}) from None
        if params.precision is not None:
            value = _rounded(value, params.precision)
        kind, value = _type(value), _portable(value)
        return ToolResult({"result": value, "expression": text, "type": kind}, output=value)

    def _parsed(self, text: str) -> Expression:
        try:
            return parse(text)
        except ExpressionError as error:
            found = wrong(self.name, "input", f"is no valid expression: {error}")
            found.details["position"] = error.position
            raise found from None


def _validate(text: str) -> ToolResult:
    try:
        names = [name for name in parse(text).variables if name.lower() not in CONSTANTS]
    except ExpressionError as error:
        result: dict[str, Any] = {
            "valid": False,
            "expression": text,
            "error": str(error),
            "position": error.position,
        }
        return ToolResult(result, text=f"invalid: {error}")
    result = {"valid": True, "expression": text, "variables": names}
    return ToolResult(result, text="valid" + (f", needs {', '.join(names)}" if names else ""))


def _functions() -> ToolResult:
    groups = {**GROUPS, "constants": list(CONSTANTS)}
    lines = [f"{group}: {', '.join(names)}" for group, names in groups.items()]
    lines.append("log(x) is base 10, log(base, x) any other, ln(x) natural")
    return ToolResult(groups, text="\n".join(lines))


def _portable(value: Value) -> Any:
    """Integers beyond 64 bits as their digits: few languages hold them, and none may lose any."""
    if isinstance(value, list):
        return [_portable(item) for item in value]
    is_large = isinstance(value, int) and not -_INT64 <= value < _INT64
    return str(value) if is_large else value


def _rounded(value: Value, digits: int) -> Value:
    if isinstance(value, list):
        return [_rounded(item, digits) for item in value]
    return round(value, digits) if isinstance(value, float) else value


def _type(value: Value) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "list" if isinstance(value, list) else "float"
