"""The tool `statistical-analyzer`: statistics of lists and tables of numbers."""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.errors import LimitError, did_you_mean
from llmspell_core.schema import describe
from llmspell_core.tool import Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Names, Spelled, check_size, needed, one_of, wrong
from llmspell_tools.data import _csv, _statistics

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_MOST_VALUES = 1_000_000
_MOST_COLUMNS = 100
_MOST_CELLS = 5_000_000
_LARGEST = 1e150

Analysis = Annotated[
    Literal["descriptive", "correlation", "outliers", "histogram", "regression", "trend"],
    Spelled(
        describe="descriptive", summary="descriptive", basic="descriptive", correlate="correlation",
        outlier="outliers", distribution="histogram", linear_regression="regression",
        trends="trend", all="descriptive",
    ),
]  # fmt: skip


class StatisticsParameters(ToolParameters):
    """Numbers and what to find out about them."""

    aliases: ClassVar[dict[str, str]] = {
        "values": "input",
        "analysis": "analyses",
        "operation": "analyses",
        "operations": "analyses",
        "column": "columns",
    }

    input: (
        Annotated[Any, one_of("numbers, rows, or a text of JSON or CSV", str, list, dict)] | None
    ) = Field(
        None,
        description="A list of numbers, a list of tables, lists by column, or JSON or CSV text",
    )
    analyses: list[Analysis] | Analysis = Field(
        "descriptive",
        description="descriptive, correlation, outliers, histogram, regression, trend; one or more",
    )
    columns: Names = Field(
        default_factory=list, description="Only these columns; else all that have numbers"
    )
    x: str | None = Field(None, description="regression: the column to predict from")
    y: str | None = Field(None, description="regression: the column to predict")
    degree: int = Field(1, ge=1, le=6, description="regression: of the polynomial; 1 is a line")
    method: Annotated[Literal["pearson", "spearman"], Spelled()] = Field(
        "pearson", description="correlation: of values (pearson) or of ranks (spearman)"
    )
    outlier_method: Annotated[Literal["iqr", "zscore"], Spelled(z_score="zscore")] = Field(
        "iqr", description="outliers: far from the quartiles, or many standard deviations off"
    )
    threshold: float | None = Field(
        None, gt=0, description="outliers: how far: 1.5 (iqr) or 3 (zscore)"
    )
    bins: int | None = Field(None, ge=1, le=1_000, description="histogram: how many ranges")


class StatisticalAnalyzer(Tool):
    """Calculates statistics of numbers."""

    name = "statistical-analyzer"
    description = (
        "Calculates statistics of lists or columns of numbers: descriptive (mean, median, "
        "quartiles, ...), correlation, outliers, histogram, regression, trend."
    )
    category = "data"
    extra = "data"
    Parameters = StatisticsParameters
    timeout_ms = 60_000
    examples = (
        ({"input": [2, 4, 4, 4, 5, 5, 7, 9]}, "value: n 8, mean 5, median 4.5, 2 to 9, ..."),
        (
            {"input": [1, 2, 3, 2, 1, 40], "analyses": "outliers"},
            "outliers of value: 40",
        ),
        (
            {
                "input": [{"x": 1, "y": 3}, {"x": 2, "y": 5}, {"x": 3, "y": 7}],
                "analyses": ["regression", "correlation"],
                "x": "x",
                "y": "y",
            },
            "y = 2 * x + 1, r 1",
        ),
        ({"input": "day,sold\n1,10\n2,12\n3,15\n4,17\n", "analyses": ["trend"]}, "rising"),
    )

    async def run_tool(self, params: StatisticsParameters, ctx: ToolContext) -> ToolResult:
        needed(self.name, "analyze", input=params.input)
        return await asyncio.to_thread(self._analyzed, params, ctx)

    def _analyzed(self, params: StatisticsParameters, ctx: ToolContext) -> ToolResult:
        np = _statistics.numpy()
        given = self._columns(params)
        columns = {name: np.array(values, dtype=float) for name, values in given.items()}
        analyses = params.analyses if isinstance(params.analyses, list) else [params.analyses]
        result: dict[str, Any] = {"columns": list(columns)}
        lines: list[str] = []
        with np.errstate(all="ignore"):
            for done, name in enumerate(dict.fromkeys(analyses)):
                result[name] = _finite(getattr(_statistics, name)(columns, params))
                lines += _WORDS[name](result[name])
                ctx.progress(done + 1, len(analyses), name)
        return ToolResult(result, text="\n".join(lines))

    def _columns(self, params: StatisticsParameters) -> dict[str, list[float]]:
        given = self._by_name(params.input)
        if params.columns:
            for name in params.columns:
                if name not in given:
                    near = did_you_mean(name, list(given))
                    words = f'names "{name}", which is no column' + (f", {near}" if near else "")
                    raise wrong(self.name, "columns", words)
            columns = {name: self._numbers(name, given[name]) for name in params.columns}
        else:
            columns = {
                name: self._numbers(name, values)
                for name, values in given.items()
                if any(map(_is_number, values)) and all(_is_number(v) or v is None for v in values)
            }
        if not columns:
            raise wrong(self.name, "input", "has no column of numbers")
        if len(columns) > _MOST_COLUMNS or sum(map(len, columns.values())) > _MOST_VALUES:
            raise LimitError(
                f"{self.name}: more than {_MOST_COLUMNS} columns or {_MOST_VALUES:,} values",
                code="limit.value",
                hint="name fewer columns",
            )
        return columns

    def _by_name(self, given: Any) -> dict[str, list[Any]]:
        if isinstance(given, str):
            given = self._read(given)
        if isinstance(given, dict):
            wrong_one = next(
                (name for name, one in given.items() if not isinstance(one, list)), None
            )
            if wrong_one is not None:
                raise wrong(self.name, f"input.{wrong_one}", "must be a list of numbers")
            return given
        if not isinstance(given, list):
            raise wrong(
                self.name, "input", f"must be a list of numbers or rows, not {describe(given)}"
            )
        if any(isinstance(row, dict) for row in given):
            rows = [row if isinstance(row, dict) else {} for row in given]
            names = list({name: None for row in rows for name in row})
            if len(names) * len(rows) > _MOST_CELLS:
                raise LimitError(f"{self.name}: too many columns", code="limit.value")
            return {name: [row.get(name) for row in rows] for name in names}
        for index, value in enumerate(given):
            if value is not None and not _is_number(value):
                raise wrong(self.name, f"input.{index}", f"must be a number, not {describe(value)}")
        return {"value": given}

    def _read(self, text: str) -> Any:
        check_size(self.name, len(text))
        if text.lstrip().startswith(("[", "{")):
            try:
                return json.loads(text)
            except (ValueError, RecursionError) as error:
                raise wrong(self.name, "input", f"is no JSON: {error}") from None
        table = _csv.read(text)
        return table.rows

    def _numbers(self, name: str, values: list[Any]) -> list[float]:
        for index, value in enumerate(values):
            if value is not None and not _is_number(value):
                words = f"{name}: row {index + 1} is {describe(value)} and no number"
                raise wrong(self.name, "columns", words)
        return [math.nan if value is None else float(value) for value in values]


def _is_number(value: Any) -> bool:
    # Sums of squares and higher powers of larger ones are beyond what numbers can hold.
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return -_LARGEST < value < _LARGEST


def _finite(value: Any) -> Any:
    """NaN and infinity as null: JSON has none."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _short(value: Any) -> str:
    return "-" if value is None else f"{value:.6g}"


_SHOWN = ("mean", "median", "stddev")


def _descriptive_words(found: dict[str, Any]) -> list[str]:
    return [
        f"{name}: n {one['count']}"
        + "".join(
            f", {key} {_short(one[key])}" for key in ("mean", "median", "stddev") if key in one
        )
        + (f", {_short(one['min'])} to {_short(one['max'])}" if "min" in one else "")
        for name, one in found.items()
    ]


def _correlation_words(found: dict[str, Any]) -> list[str]:
    return [
        f"{pair['x']} and {pair['y']}: r {_short(pair['r'])}, {pair['strength']}"
        for pair in found["pairs"]
    ]


def _outlier_words(found: dict[str, Any]) -> list[str]:
    return [
        f"outliers of {name}: " + (", ".join(map(_short, one["values"][:20])) or "none")
        for name, one in found["columns"].items()
    ]


def _histogram_words(found: dict[str, Any]) -> list[str]:
    return [
        f"{name}: {_short(low)} to {_short(high)}: {count}"
        for name, one in found.items()
        for low, high, count in zip(one["edges"], one["edges"][1:], one["counts"], strict=False)
    ]


def _trend_words(found: dict[str, Any]) -> list[str]:
    return [
        f"{name}: {one['direction']}"
        + (f", {_short(one['slope'])} a step" if "slope" in one else "")
        for name, one in found.items()
    ]


_WORDS = {
    "descriptive": _descriptive_words,
    "correlation": _correlation_words,
    "outliers": _outlier_words,
    "histogram": _histogram_words,
    "regression": lambda found: [f"{found['equation']}, r² {_short(found['r_squared'])}"],
    "trend": _trend_words,
}
