from __future__ import annotations

import ast
import asyncio
import math
import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import LLMSpellError, ToolFailed, ValidationError
from llmspell_core.tool import ToolResult
from llmspell_tools.util._arithmetic import MathError
from llmspell_tools.util._expression import ExpressionError, parse
from llmspell_tools.util.calculator import Calculator


def run(params: Any = None, **more: Any) -> ToolResult:
    tool = Calculator()
    # The calculator reaches for nothing outside: it needs no context.
    return asyncio.run(tool.run_tool(tool.validate({**(params or {}), **more}), None))  # type: ignore[arg-type]


def value(text: str, **variables: Any) -> Any:
    return run(input=text, variables=variables).output


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 + 3 * 4 - 1", 13),
        ("(10 + 20) * 3 / 2", 45),
        ("-2^2", -4),
        ("(-2)**2", 4),
        ("2^3^2", 512),
        ("2^-1", 0.5),
        ("7 // 2 + 7 % 3", 4),
        ("2^62 + 1", 4611686018427387905),
        ("10 / 4", 2.5),
        ("0x1F + 0b11", 34),
        ("1_000 * 2", 2000),
        (".5 + 1e-1", 0.6),
        ("sin(pi()/2) + cos(0)", 2.0),
        ("sqrt(25) + sqrt(16) + 2^3", 17),
        ("ln(e()) + log(10, 100) + log(1000)", 6.0),
        ("1 < 2 < 3", True),
        ("1 < 3 < 2", False),
        ("not 1 > 2 and true", True),
        ("!false || 1/0 > 2", True),
        ("3 > 2 ? 10 : 1/0", 10),
        ("if(1 > 2, 1/0, 7)", 7),
        ("sum([1, 2, 3]) + avg(1, 2, 3) + min(4, 2) + max([9])", 19),
        ("round(2.5) + round(2.675, 2)", 5.68),
        ("round(1250, -2)", 1300),
        ("factorial(20)", math.factorial(20)),
        ("[1, 2] == [1, 2]", True),
        ("6 × 7 − 2 ÷ 2 ≥ 41", True),  # noqa: RUF001
        ("PI > 3", True),
    ],
)
def test_expressions_have_the_value_that_people_expect(text: str, expected: Any) -> None:
    found = value(text)
    assert found == pytest.approx(expected)
    assert type(found) is type(expected) or isinstance(found, (int, float))


def test_integers_stay_exact() -> None:
    assert value("2^200 / 2^150") == 2**50
    big = run(input="-2^63 - 1")
    assert big.output == "-9223372036854775809"
    assert big.result["type"] == "integer"
    assert value("2^63 - 1") == 2**63 - 1
    assert isinstance(value("10 / 2"), int)


def test_the_result_says_what_was_calculated() -> None:
    result = run(expression="x^2 + y^2", variables={"x": 3, "y": 4})
    assert result.result == {"result": 25, "expression": "x^2 + y^2", "type": "integer"}
    assert result.output == 25
    assert result.text == "25"
    assert run(input="1 < 2").result["type"] == "boolean"
    assert run(input="1 / 3", precision=3).output == 0.333
    assert run(input="[1/3, 2]", precision=1).output == [0.3, 2]
    assert run(input=42).output == 42


def test_variables_may_be_lists_and_hide_constants() -> None:
    assert value("avg(xs)", xs=[1, 2, 6]) == 3
    assert value("e * 2", e=5) == 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the end of the expression at position 1"),
        ("1 +", "unexpected the end of the expression at position 4"),
        ("2x", 'unexpected "x" (an operator is missing before it) at position 2'),
        ("(1 + 2", 'expected ")" to close the parenthesis'),
        ("1 ? 2", 'expected ":" of a ? b : c'),
        ("sqr(2)", 'unknown function "sqr", did you mean "sqrt"?'),
        ("sqrt(1, 2)", "sqrt: takes 1 argument, not 2"),
        ("2 $ 3", 'unexpected "$" at position 3'),
        ("(" * 1000, "nested deeper than 60"),
        ("2^" * 1000 + "2", "nested deeper than 60"),
        ("-" * 1000 + "2", "nested deeper than 60"),
        ("1+" * 9000 + "1", "longer than 10000 characters"),
        ("__import__('os')", "unexpected"),
        ("1e999", "no finite number"),
    ],
)
def test_what_cannot_be_read_is_answered_with_a_position(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        value(text)
    assert message in caught.value.message
    assert caught.value.code == "input.invalid"
    assert caught.value.details["errors"][0]["field"] == "input"
    checked = run(operation="validate", input=text)
    assert checked.result["valid"] is False
    assert checked.result["position"] >= 1
    assert checked.success
    assert "position" in checked.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 + 1/0", "division by zero at position 6"),
        ("5 % 0", "division by zero at position 3"),
        ("0 ^ -1", "division by zero: 0 to a negative power"),
        ("sqrt(-1)", "sqrt has no value for -1 at position 1"),
        ("(-8)^(1/3)", "a negative number to a fractional power"),
        ("9^9^9", "larger than 2^13000"),
        ("1e300 * 1e300", "no finite number"),
        ("2^12000 * 1.5", "too large"),
        ("factorial(100000)", "1000 is the largest argument"),
        ("[1] + 1", "a number is needed here, not a list"),
        ("widht + 1", 'unknown variable "widht", did you mean "width"? at position 1'),
        ("sqrt", '"sqrt" is a function: write sqrt(...)'),
        ("avg([])", "avg of no numbers"),
    ],
)
def test_what_has_no_value_fails_with_a_position(text: str, message: str) -> None:
    with pytest.raises(ToolFailed, match=r"^calculator: ") as caught:
        value(text, width=2)
    assert message in caught.value.message


def test_a_very_long_sum_needs_no_deep_recursion() -> None:
    assert value("+".join(["1"] * 5000)) == 5000
    assert value(" and ".join(["true"] * 1000)) is True


def test_wrong_parameters_name_each_field() -> None:
    with pytest.raises(ValidationError) as caught:
        run(input=[1], variables={"x": "3"}, precision=99)
    fields = {one["field"].split(".")[0] for one in caught.value.details["errors"]}
    assert fields == {"input", "variables", "precision"}
    with pytest.raises(ValidationError, match="input is required"):
        run(operation="evaluate")
    with pytest.raises(ValidationError, match=r"variables\.x must be a finite number"):
        run(input="x", variables={"x": math.inf})
    with pytest.raises(ValidationError, match='unknown field "preccision", did you mean "prec'):
        run(input="1", preccision=2)
    with pytest.raises(ValidationError, match='did you mean "evaluate"'):
        run(operation="evaluat", input="1")


def test_validate_names_the_variables_and_functions_lists_them_all() -> None:
    assert run(operation="validate", input="x + pi * y + x").result["variables"] == ["x", "y"]
    groups = run(operation="functions").result
    assert {"sin", "cos"} <= set(groups["trigonometric"])
    assert {"pi", "e"} <= set(groups["constants"])
    assert "sqrt" in groups["mathematical"]
    assert "avg" in groups["statistical"]


NUMBERS = st.one_of(
    st.integers(min_value=0, max_value=10**20),
    st.floats(min_value=0, max_value=1e15, allow_nan=False).map(lambda x: round(x, 6)),
)
TEXTS = st.recursive(
    NUMBERS.map(lambda x: f"{x:f}" if isinstance(x, float) else str(x)),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        st.tuples(inner, st.sampled_from(["+", "-", "*", "<", ">=", "==", "!="]), inner).map(
            lambda t: f"{t[0]} {t[1]} {t[2]}"
        ),
        st.tuples(inner, st.integers(0, 3)).map(lambda t: f"({t[0]}) ** {t[1]}"),
        inner.map(lambda t: f"-{t}"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda t: f"({t[0]} > 1 {t[1]} {t[2]} > 1)"
        ),
        inner.map(lambda t: f"(not {t} > 2)"),
    ),
    max_leaves=12,
)
OPERATORS: dict[type, Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}


def python_value(node: ast.AST) -> Any:  # noqa: PLR0911
    """Python's own arithmetic on Python's own parse of the same text."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.BinOp):
        left, right = python_value(node.left), python_value(node.right)
        if isinstance(node.op, ast.Div) and right and all(map(is_int, (left, right))):
            # The calculator's division is exact where it can be.
            return left // right if left % right == 0 else left / right
        return OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.UnaryOp):
        return OPERATORS[type(node.op)](python_value(node.operand))
    if isinstance(node, ast.BoolOp):
        parts = (bool(python_value(one)) for one in node.values)
        return any(parts) if isinstance(node.op, ast.Or) else all(parts)
    assert isinstance(node, ast.Compare)
    left = python_value(node.left)
    for op, one in zip(node.ops, node.comparators, strict=True):
        right = python_value(one)
        if not OPERATORS[type(op)](left, right):
            return False
        left = right
    return True


def is_int(given: Any) -> bool:
    return isinstance(given, int)


@given(TEXTS)
def test_arithmetic_agrees_with_python(text: str) -> None:
    try:
        expected = python_value(ast.parse(text, mode="eval").body)
        if isinstance(expected, float) and not math.isfinite(expected):
            raise OverflowError
    except (ZeroDivisionError, OverflowError):
        with pytest.raises(MathError):
            parse(text).evaluate({})
        return
    try:
        found = parse(text).evaluate({})
    except MathError as error:
        # Ours refuses an intermediate infinity or a huge integer that Python carries on.
        assert "finite" in str(error) or "large" in str(error)  # noqa: PT017
        return
    assert found == expected or found == pytest.approx(expected)


@given(st.text(alphabet="0123456789.eE+-*/%^()[]<>=!?:,&| xyzpisqrtumavg_", max_size=60))
def test_any_text_gives_a_value_or_a_known_error(text: str) -> None:
    code = None
    try:
        run(input=text, variables={"x": 2, "y": [1, 2.5], "z": True})
    except LLMSpellError as error:
        code = error.code
    assert code in {None, "input.invalid", "tool.failed"}


@given(st.text(max_size=30))
def test_the_parser_raises_only_its_own_error(text: str) -> None:
    position = 1
    try:
        parse(text)
    except ExpressionError as error:
        position = error.position
    assert 1 <= position <= len(text) + 1
