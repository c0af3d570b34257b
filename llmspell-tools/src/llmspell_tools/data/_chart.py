"""Charts as Vega-Lite specifications, and specifications as pictures.

Fields of the specification have names of their own (`x`, `y`, `s`), so that names and values of the
data are never read as paths or expressions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from llmspell_core.errors import ToolFailed
from llmspell_tools._extras import imported

TOOL = "data-visualizer"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_PNG_SCALE = 2


@dataclass
class Chart:
    """What to draw: points as tables with x, y and, for several series, s."""

    kind: str
    points: list[dict[str, Any]]
    title: str | None = None
    x_title: str | None = None
    y_title: str | None = None
    series_title: str | None = None
    stacked: bool = True
    bins: int | None = None
    width: int = 600
    height: int = 400
    several: bool = False
    types: dict[str, str] = field(default_factory=dict)

    def spec(self) -> dict[str, Any]:
        """The Vega-Lite specification."""
        self.types = {name: _type([p.get(name) for p in self.points]) for name in ("x", "y", "s")}
        spec: dict[str, Any] = {
            "$schema": _SCHEMA,
            "width": self.width,
            "height": self.height,
            "background": "white",
            "data": {"values": [self._plain(point) for point in self.points]},
            "mark": _MARKS[self.kind],
            "encoding": _ENCODINGS[self.kind](self),
            "config": {"view": {"stroke": None}},
        }
        return spec | ({"title": _words(self.title)} if self.title else {})

    def channel(self, name: str, **more: Any) -> dict[str, Any]:
        """One axis of values."""
        title = {"x": self.x_title, "y": self.y_title, "s": self.series_title}[name]
        found: dict[str, Any] = {
            "field": name,
            "type": self.types[name],
            "title": _words(title),
        }
        if self.types[name] == "nominal":
            found["sort"] = None
        if self.types[name] == "temporal" and "type" not in more:
            # The hours that were given, wherever the host is.
            found["scale"] = {"type": "utc"}
        return {**found, **more}

    def _plain(self, point: dict[str, Any]) -> dict[str, Any]:
        timed = self.kind in ("line", "scatter")
        return {
            key: _moment(one)
            if timed and self.types.get(key) == "temporal" and isinstance(one, str)
            else _words(one)
            if isinstance(one, str)
            else one
            for key, one in point.items()
        }

    def color(self) -> dict[str, Any]:
        """The colors of several series."""
        return {"color": self.channel("s", type="nominal", sort=None)} if self.several else {}


def _words(text: str | None) -> str | None:
    """A title as one line of characters that XML can hold."""
    return None if text is None else "".join(c if c.isprintable() else " " for c in text)


def _type(values: list[Any]) -> str:
    filled = [value for value in values if value is not None]
    if filled and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in filled):
        return "quantitative"
    if filled and all(isinstance(value, str) and _is_date(value) for value in filled):
        return "temporal"
    return "nominal"


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _moment(text: str) -> float:
    """Milliseconds since 1970; without a time zone as if it were UTC."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000


def _lines(chart: Chart) -> dict[str, Any]:
    return {"x": chart.channel("x"), "y": chart.channel("y"), **chart.color()}


def _bars(chart: Chart) -> dict[str, Any]:
    x = chart.channel("x", type="ordinal", sort=None)
    if chart.types["x"] == "temporal":
        # The text as it was given: one bar for each, not a place on a scale of time.
        x["type"] = "nominal"
    found: dict[str, Any] = {"x": x, "y": chart.channel("y", type="quantitative"), **chart.color()}
    if chart.several and not chart.stacked:
        found["xOffset"] = {"field": "s", "sort": None}
    return found


def _points(chart: Chart) -> dict[str, Any]:
    fitted = {"scale": {"zero": False}}
    x = chart.channel("x", **(fitted if chart.types["x"] == "quantitative" else {}))
    y = chart.channel("y", **(fitted if chart.types["y"] == "quantitative" else {}))
    return {"x": x, "y": y, **chart.color()}


def _histogram(chart: Chart) -> dict[str, Any]:
    bins = {"maxbins": chart.bins} if chart.bins else True
    x = {"field": "x", "bin": bins, "type": "quantitative", "title": _words(chart.x_title)}
    y = {"aggregate": "count", "type": "quantitative", "title": _words(chart.y_title or "count")}
    return {"x": x, "y": y, **chart.color()}


def _pie(chart: Chart) -> dict[str, Any]:
    slices = chart.channel("x", type="nominal", sort=None)
    return {
        "theta": chart.channel("y", type="quantitative", stack=True),
        "color": slices,
        "order": {"field": "n", "type": "quantitative"},
    }


def _heatmap(chart: Chart) -> dict[str, Any]:
    return {
        "x": chart.channel("x", type="ordinal", sort=None),
        "y": chart.channel("y", type="ordinal", sort=None),
        "color": {
            "field": "s",
            "type": "quantitative",
            "title": _words(chart.series_title),
            "scale": {"scheme": "viridis"},
        },
    }


_MARKS: dict[str, Any] = {
    "line": {"type": "line", "point": True},
    "bar": {"type": "bar"},
    "scatter": {"type": "point", "filled": True, "opacity": 0.8},
    "histogram": {"type": "bar"},
    "pie": {"type": "arc"},
    "heatmap": {"type": "rect"},
}
_ENCODINGS = {
    "line": _lines,
    "bar": _bars,
    "scatter": _points,
    "histogram": _histogram,
    "pie": _pie,
    "heatmap": _heatmap,
}


def draw(spec: dict[str, Any], style: str) -> bytes:
    """The picture of a specification: svg or png. It loads nothing: no address is allowed."""
    library = imported("vl_convert", TOOL, "charts")
    try:
        if style == "svg":
            text: str = library.vegalite_to_svg(spec, allowed_base_urls=[])
            return text.encode()
        image: bytes = library.vegalite_to_png(spec, scale=_PNG_SCALE, allowed_base_urls=[])
    except BaseException as error:  # noqa: BLE001 - a panic of the library is no Exception
        raise ToolFailed(f"{TOOL}: the chart cannot be drawn: {str(error)[:200]}") from None
    return image
