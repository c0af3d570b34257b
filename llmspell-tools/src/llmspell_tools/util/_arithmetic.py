"""The operators of expressions: exact on integers, bounded, nothing but finite results."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import TypeAlias

Value: TypeAlias = "bool | int | float | list[Value]"

#: Larger integers are refused: about 3,900 digits, below Python's limit for printing them.
MAX_BITS = 13_000


class MathError(Exception):
    """A value has no result (`division by zero`); `position` is a column, from 1."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.position is None else f"{text} at position {self.position}"


def number(value: Value) -> Value:
    """The value itself when it is finite and not too large."""
    if isinstance(value, float) and not math.isfinite(value):
        raise MathError("the result is no finite number")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise MathError(f"the result is larger than 2^{MAX_BITS}")
    return value


def numeric(value: Value) -> int | float:
    """A number, or a boolean as 1 or 0; a list is a mistake."""
    if isinstance(value, list):
        raise MathError("a number is needed here, not a list")
    return value


def truth(value: Value) -> bool:
    """A boolean, or whether a number is not 0."""
    if isinstance(value, list):
        raise MathError("a condition is needed here, not a list")
    return bool(value)


def compare(op: str, left: Value, right: Value) -> bool:
    """One comparison; lists know only == and !=."""
    if op in ("==", "!="):
        return (left == right) == (op == "==")
    return bool(_ORDER[op](numeric(left), numeric(right)))


_ORDER: dict[str, Callable[[int | float, int | float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _finite(operate: Callable[[int | float, int | float], int | float]) -> _Operator:
    def run(left: Value, right: Value) -> Value:
        try:
            return number(operate(numeric(left), numeric(right)))
        except OverflowError:
            raise MathError("the numbers are too large") from None

    return run


_Operator: TypeAlias = Callable[[Value, Value], Value]


def _multiply(left: int | float, right: int | float) -> int | float:
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() + right.bit_length())
    return left * right


def _divide(left: int | float, right: int | float) -> int | float:
    """Exact where it can be: 10 / 2 is the integer 5."""
    _not_zero(right)
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return left / right


def _floor_divide(left: int | float, right: int | float) -> int | float:
    _not_zero(right)
    return left // right


def _modulo(left: int | float, right: int | float) -> int | float:
    _not_zero(right)
    return left % right


def _not_zero(value: int | float) -> None:
    if value == 0:
        raise MathError("division by zero")


def power(left: int | float, right: int | float) -> int | float:
    """Left to the power of right; exact when both are integers and right is not negative."""
    if left == 0 and right < 0:
        raise MathError("division by zero: 0 to a negative power")
    if isinstance(left, int) and isinstance(right, int) and right >= 0:
        if abs(left) > 1:
            _check_bits(left.bit_length() * right)
        return int(left**right)
    result = left**right
    if isinstance(result, complex):
        raise MathError("a negative number to a fractional power")
    return float(result)


def _check_bits(bits: int) -> None:
    # One bit of slack per factor: the exact size is checked on the result.
    if bits > 2 * MAX_BITS:
        raise MathError(f"the result is larger than 2^{MAX_BITS}")


BINARY: dict[str, _Operator] = {
    "+": _finite(operator.add),
    "-": _finite(operator.sub),
    "*": _finite(_multiply),
    "/": _finite(_divide),
    "//": _finite(_floor_divide),
    "%": _finite(_modulo),
    "^": _finite(power),
}
