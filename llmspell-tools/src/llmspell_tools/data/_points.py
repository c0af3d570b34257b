"""What people give as data for a chart, as points."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LimitError, did_you_mean
from llmspell_core.schema import describe
from llmspell_tools._parameters import check_size, wrong
from llmspell_tools.data import _csv
from llmspell_tools.data._chart import Chart

if TYPE_CHECKING:
    from llmspell_tools.data.data_visualizer import ChartParameters

TOOL = "data-visualizer"
#: More than a picture can show, and the library holds the whole process while it draws: about a
#: second for so many.
_MOST_POINTS = 5_000
_MOST_BARS = 1_000
_LARGEST = 1e300

Row = dict[str, Any]


def chart_of(params: ChartParameters) -> Chart:
    """The chart that the parameters describe, or `input.invalid`."""
    rows = _rows(params.input, params.kind)
    if not rows:
        raise wrong(TOOL, "input", "has no data")
    names = list({name: None for row in rows for name in row})
    chart = Chart(
        params.kind,
        [],
        params.title,
        stacked=params.stacked,
        bins=params.bins,
        width=params.width,
        height=params.height,
    )
    _FILLERS.get(params.kind, _fill)(chart, rows, names, params)
    if len(chart.points) > _MOST_POINTS:
        raise LimitError(
            f"{TOOL}: {len(chart.points):,} points, more than {_MOST_POINTS:,}",
            code="limit.value",
            hint="group or sample the data first",
        )
    if params.kind in ("bar", "pie", "heatmap"):
        _check_bars(chart)
    chart.x_title = params.x_label or chart.x_title
    chart.y_title = params.y_label or chart.y_title
    return chart


def _check_bars(chart: Chart) -> None:
    for axis in ("x", "y") if chart.kind == "heatmap" else ("x",):
        if len({str(point[axis]) for point in chart.points}) > _MOST_BARS:
            raise LimitError(
                f"{TOOL}: more than {_MOST_BARS:,} different values of {axis}", code="limit.value"
            )


def _rows(given: Any, kind: str) -> list[Row]:
    if isinstance(given, str):
        given = _read(given)
    if isinstance(given, dict):
        return _by_name(given)
    if not isinstance(given, list):
        raise wrong(TOOL, "input", f"must be a list or table, not {describe(given)}")
    if given and all(isinstance(row, list) for row in given):
        return _nested(given, kind)
    if any(isinstance(row, dict) for row in given):
        for index, row in enumerate(given):
            if not isinstance(row, dict):
                raise wrong(TOOL, f"input.{index}", f"must be a table, not {describe(row)}")
        return given
    if kind == "histogram":
        return [{"value": value} for value in given]
    return [{"index": index + 1, "value": value} for index, value in enumerate(given)]


def _read(text: str) -> Any:
    check_size(TOOL, len(text))
    if not text.lstrip().startswith(("[", "{")):
        return _csv.read(text).rows
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise wrong(TOOL, "input", f"is no JSON: {error}") from None


def _by_name(given: dict[str, Any]) -> list[Row]:
    """Lists by column, or numbers by label."""
    if any(isinstance(value, list) for value in given.values()):
        sizes = {name: len(values) for name, values in given.items() if isinstance(values, list)}
        if len(sizes) < len(given) or len(set(sizes.values())) > 1:
            raise wrong(TOOL, "input", "must have lists of the same length by name")
        return [
            dict(zip(given, values, strict=True)) for values in zip(*given.values(), strict=True)
        ]
    return [{"label": name, "value": value} for name, value in given.items()]


def _nested(given: list[list[Any]], kind: str) -> list[Row]:
    """Pairs, or for a heatmap a matrix."""
    if kind == "heatmap":
        return [
            {"x": column + 1, "y": row + 1, "value": value}
            for row, values in enumerate(given)
            for column, value in enumerate(values)
        ]
    for index, pair in enumerate(given):
        if len(pair) != 2:  # noqa: PLR2004
            raise wrong(TOOL, f"input.{index}", "must be a pair of x and y")
    return [{"x": pair[0], "y": pair[1]} for pair in given]


def _column(field: str, given: str | None, names: list[str], default: str | None) -> str:
    name = given if given is not None else default
    if name is None:
        raise wrong(TOOL, field, "is required: the name of a column")
    if name not in names:
        near = did_you_mean(name, names)
        words = f'names "{name}", which is no column' + (f", {near}" if near else "")
        raise wrong(TOOL, field, words)
    return name


def _is_number(value: Any) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return -_LARGEST < value < _LARGEST


def _numeric(rows: list[Row], name: str) -> bool:
    values = [row[name] for row in rows if row.get(name) is not None]
    return bool(values) and all(map(_is_number, values))


def _number(value: Any, field: str, name: str, row: int) -> Any:
    if value is not None and not _is_number(value):
        raise wrong(TOOL, field, f"{name}: row {row + 1} is {describe(value)} and no number")
    return value


def _category(value: Any) -> Any:
    if isinstance(value, str) or value is None or _is_number(value):
        return value
    return str(value).lower() if isinstance(value, bool) else json.dumps(value, default=str)


def _fill(chart: Chart, rows: list[Row], names: list[str], params: ChartParameters) -> None:
    """Lines, bars, points and slices: y over x, in one or several series."""
    numbers = [name for name in names if _numeric(rows, name)]
    texts = [name for name in names if name not in numbers]
    wanted = set(params.y)
    firsts = [*texts, *names] if chart.kind in ("bar", "pie") else names
    x = _column("x", params.x, names, next((n for n in firsts if n not in wanted), None))
    default = next((name for name in numbers if name != x), None)
    columns = [_column("y", name, names, None) for name in params.y]
    columns = columns or [_column("y", None, names, default)]
    series = None if params.series is None else _column("series", params.series, names, None)
    if chart.kind == "pie" and (len(columns) > 1 or series):
        raise wrong(TOOL, "y", "must be one column for a pie")
    for index, row in enumerate(rows):
        for column in columns:
            y = _number(row.get(column), "y", column, index)
            if chart.kind == "pie" and y is not None and y < 0:
                raise wrong(TOOL, "y", f"{column}: row {index + 1} is below 0: no slice of a pie")
            if y is None:
                continue
            named = column if series is None else text_of(row.get(series))
            if series is not None and len(columns) > 1:
                named = f"{named}, {column}"
            point = {"x": _category(row.get(x)), "y": y, "s": named, "n": index}
            chart.points.append(point)
    chart.several = series is not None or len(columns) > 1
    chart.x_title = x
    chart.y_title = columns[0] if len(columns) == 1 else None
    chart.series_title = series


def text_of(value: Any) -> str:
    """A value as a name of a series."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _fill_histogram(
    chart: Chart, rows: list[Row], names: list[str], params: ChartParameters
) -> None:
    numbers = [name for name in names if _numeric(rows, name)]
    given = params.x or (params.y[0] if params.y else None)
    x = _column("x", given, names, numbers[0] if numbers else None)
    series = None if params.series is None else _column("series", params.series, names, None)
    for index, row in enumerate(rows):
        value = _number(row.get(x), "x", x, index)
        if value is not None:
            point = {"x": value, "s": text_of(row.get(series)) if series else x}
            chart.points.append(point)
    chart.several, chart.x_title, chart.series_title = series is not None, x, series


def _fill_heatmap(chart: Chart, rows: list[Row], names: list[str], params: ChartParameters) -> None:
    numbers = [name for name in names if _numeric(rows, name)]
    x = _column("x", params.x, names, names[0])
    given = params.y[0] if params.y else None
    y = _column("y", given, names, next((n for n in names if n != x), None))
    rest = [name for name in numbers if name not in (x, y)]
    value = _column("value", params.value, names, rest[0] if rest else None)
    for index, row in enumerate(rows):
        number = _number(row.get(value), "value", value, index)
        point = {"x": _category(row.get(x)), "y": _category(row.get(y)), "s": number}
        chart.points.append(point)
    chart.x_title, chart.y_title, chart.series_title = x, y, value


_FILLERS = {"histogram": _fill_histogram, "heatmap": _fill_heatmap}
