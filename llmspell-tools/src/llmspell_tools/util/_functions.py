"""The functions and constants of expressions, by group."""

from __future__ import annotations

import decimal
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from llmspell_tools.util._arithmetic import MathError, Value, number, numeric, power, truth

CONSTANTS: dict[str, Value] = {
    "pi": math.pi,
    "e": math.e,
    "tau": math.tau,
    "phi": (1 + math.sqrt(5)) / 2,
    "true": True,
    "false": False,
}

_MANY = 10_000
_MOST_VALUES = 100_000
_MAX_FACTORIAL = 1_000
_MAX_DIGITS = 300


@dataclass(frozen=True, slots=True)
class Function:
    """One function: its name, its group, how many arguments it takes, and what it does."""

    name: str
    group: str
    least: int
    most: int
    body: Callable[..., Any]
    takes_lists: bool = False

    def arity_mistake(self, count: int) -> str:
        """What is wrong with this number of arguments, "" when nothing is."""
        if self.least <= count <= self.most:
            return ""
        if self.least == self.most:
            wanted = f"{self.least} argument{'' if self.least == 1 else 's'}"
        elif self.most == _MANY:
            wanted = f"at least {self.least} argument{'' if self.least == 1 else 's'}"
        else:
            wanted = f"{self.least} to {self.most} arguments"
        return f"takes {wanted}, not {count}"

    def __call__(self, values: Sequence[Value]) -> Value:
        given = _spread(values) if self.takes_lists else [numeric(value) for value in values]
        try:
            return number(self.body(*given))
        except (ValueError, ZeroDivisionError):
            raise MathError(f"{self.name} has no value for {_shown(given)}") from None
        except OverflowError:
            raise MathError(f"{self.name}: the numbers are too large") from None


def _shown(values: Sequence[Any]) -> str:
    text = ", ".join(str(value) for value in values[:3])
    return text[:60] + ("..." if len(values) > 3 or len(text) > 60 else "")  # noqa: PLR2004


def _spread(values: Sequence[Value]) -> list[int | float]:
    """Lists and numbers as one list of numbers: sum([1, 2]) and sum(1, 2) are the same."""
    found: list[int | float] = []
    for value in values:
        if isinstance(value, list):
            found.extend(numeric(item) for item in value)
        else:
            found.append(numeric(value))
    if len(found) > _MOST_VALUES:
        raise MathError(f"a function takes at most {_MOST_VALUES} values")
    return found


def _log(first: int | float, second: int | float | None = None) -> float:
    """log(x) is base 10, log(base, x) any other."""
    return math.log10(first) if second is None else _log_base(first, second)


def _log_base(base: int | float, value: int | float) -> float:
    exact = {2.0: math.log2, 10.0: math.log10}.get(float(base))
    return exact(value) if exact else math.log(value) / math.log(base)


def _root(value: int | float) -> int | float:
    """The square root, an integer where it is one."""
    if isinstance(value, int) and value >= 0 and (root := math.isqrt(value)) ** 2 == value:
        return root
    return math.sqrt(value)


def _round(value: int | float, digits: int | float = 0) -> int | float:
    if int(digits) != digits or abs(digits) > _MAX_DIGITS:
        raise MathError("round: the digits are a whole number")
    with decimal.localcontext(prec=5_000):
        step = decimal.Decimal(1).scaleb(-int(digits))
        # Half away from zero, as people round, on the digits that people see.
        rounded = decimal.Decimal(str(value)).quantize(step, decimal.ROUND_HALF_UP)
        return int(rounded) if digits <= 0 else float(rounded)


def _whole(value: int | float, what: str) -> int:
    if int(value) != value:
        raise MathError(f"{what} needs whole numbers, not {value}")
    return int(value)


def _factorial(value: int | float) -> int:
    whole = _whole(value, "factorial")
    if whole > _MAX_FACTORIAL:
        raise MathError(f"factorial: {_MAX_FACTORIAL} is the largest argument")
    return math.factorial(whole)


def _gcd(*values: int | float) -> int:
    return math.gcd(*(_whole(value, "gcd") for value in values))


def _lcm(*values: int | float) -> int:
    return math.lcm(*(_whole(value, "lcm") for value in values))


def _product(*values: int | float) -> int | float:
    made: int | float = 1
    for value in values:
        made = made * value
        number(made)
    return made


def _average(*values: int | float) -> int | float:
    if not values:
        raise MathError("avg of no numbers")
    total = sum(values)
    if isinstance(total, int) and total % len(values) == 0:
        return total // len(values)
    return total / len(values)


def _median(*values: int | float) -> int | float:
    return statistics.median(values)


def _sign(value: int | float) -> int:
    return (value > 0) - (value < 0)


def _clamp(value: int | float, low: int | float, high: int | float) -> int | float:
    if low > high:
        raise MathError("clamp: the lower limit is above the upper one")
    return min(max(value, low), high)


def _choose(condition: int | float, yes: int | float, no: int | float) -> int | float:
    # Never called: `if` evaluates one branch only, which the parser sees to.
    return yes if truth(condition) else no


_TABLE: tuple[tuple[str, tuple[tuple[str, int, int, Callable[..., Any]], ...]], ...] = (
    (
        "trigonometric",
        (
            ("sin", 1, 1, math.sin),
            ("cos", 1, 1, math.cos),
            ("tan", 1, 1, math.tan),
            ("asin", 1, 1, math.asin),
            ("acos", 1, 1, math.acos),
            ("atan", 1, 2, lambda y, x=1: math.atan2(y, x) if x != 1 else math.atan(y)),
            ("atan2", 2, 2, math.atan2),
            ("sinh", 1, 1, math.sinh),
            ("cosh", 1, 1, math.cosh),
            ("tanh", 1, 1, math.tanh),
            ("asinh", 1, 1, math.asinh),
            ("acosh", 1, 1, math.acosh),
            ("atanh", 1, 1, math.atanh),
            ("degrees", 1, 1, math.degrees),
            ("radians", 1, 1, math.radians),
        ),
    ),
    (
        "mathematical",
        (
            ("sqrt", 1, 1, _root),
            ("cbrt", 1, 1, math.cbrt),
            ("exp", 1, 1, math.exp),
            ("ln", 1, 1, math.log),
            ("log", 1, 2, _log),
            ("log2", 1, 1, math.log2),
            ("log10", 1, 1, math.log10),
            ("pow", 2, 2, power),
            ("abs", 1, 1, abs),
            ("sign", 1, 1, _sign),
            ("floor", 1, 1, math.floor),
            ("ceil", 1, 1, math.ceil),
            ("round", 1, 2, _round),
            ("trunc", 1, 1, math.trunc),
            ("int", 1, 1, math.trunc),
            ("hypot", 2, 8, math.hypot),
            ("factorial", 1, 1, _factorial),
            ("gcd", 1, 50, _gcd),
            ("lcm", 1, 50, _lcm),
            ("clamp", 3, 3, _clamp),
            ("if", 3, 3, _choose),
        ),
    ),
    (
        "statistical",
        (
            ("sum", 1, _MANY, lambda *values: sum(values)),
            ("product", 1, _MANY, _product),
            ("avg", 1, _MANY, _average),
            ("mean", 1, _MANY, _average),
            ("median", 1, _MANY, _median),
            ("min", 1, _MANY, lambda *values: min(values)),
            ("max", 1, _MANY, lambda *values: max(values)),
            ("count", 1, _MANY, lambda *values: len(values)),
            ("stddev", 1, _MANY, lambda *values: statistics.stdev(values)),
            ("variance", 1, _MANY, lambda *values: statistics.variance(values)),
        ),
    ),
)

FUNCTIONS: dict[str, Function] = {
    name: Function(name, group, least, most, body, takes_lists=group == "statistical")
    for group, rows in _TABLE
    for name, least, most, body in rows
}
GROUPS: dict[str, list[str]] = {group: [row[0] for row in rows] for group, rows in _TABLE}
