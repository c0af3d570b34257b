"""The tool `data-visualizer`: charts as SVG or PNG."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._extras import imported
from llmspell_tools._parameters import Names, Spelled, needed, one_of, wrong
from llmspell_tools.data._chart import draw
from llmspell_tools.data._points import chart_of

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

Kind = Annotated[
    Literal["line", "bar", "scatter", "histogram", "pie", "heatmap"],
    Spelled(
        lines="line", column="bar", bars="bar", points="scatter", scatterplot="scatter",
        hist="histogram", heat_map="heatmap", matrix="heatmap",
    ),
]  # fmt: skip


class ChartParameters(ToolParameters):
    """Data and how to draw them."""

    aliases: ClassVar[dict[str, str]] = {
        "values": "input",
        "rows": "input",
        "type": "kind",
        "chart_type": "kind",
        "chart": "kind",
        "color": "series",
        "group": "series",
        "z": "value",
        "path": "target_path",
        "output_path": "target_path",
        "x_title": "x_label",
        "y_title": "y_label",
    }

    input: (
        Annotated[Any, one_of("a list, a table, or a text of JSON or CSV", str, list, dict)] | None
    ) = Field(
        None,
        description="A list of tables; numbers; pairs; lists by column; numbers by label; a "
        "matrix (heatmap); or JSON or CSV text",
    )
    kind: Kind = Field("line", description="line, bar, scatter, histogram, pie or heatmap")
    x: str | None = Field(None, description="The column of the x axis, or of a pie's slices")
    y: Names = Field(
        default_factory=list, description="The column of the y axis; several make several series"
    )
    value: str | None = Field(None, description="heatmap: the column of the colors")
    series: str | None = Field(None, description="A column that parts the data into series")
    title: str | None = Field(None, max_length=500, description="The heading")
    x_label: str | None = Field(None, max_length=500, description="Beside the x axis")
    y_label: str | None = Field(None, max_length=500, description="Beside the y axis")
    stacked: bool = Field(True, description="bar: series on one another, else side by side")
    bins: int | None = Field(None, ge=1, le=200, description="histogram: at most this many bars")
    width: int = Field(600, ge=50, le=2_000, description="In pixels; a PNG has twice as many")
    height: int = Field(400, ge=50, le=2_000, description="In pixels")
    target_path: str | None = Field(
        None, min_length=1, description="The file to write; else the picture is the result"
    )
    format: Annotated[Literal["svg", "png"], Spelled()] | None = Field(
        None, description="svg or png; else as `target_path` ends, else svg"
    )


class DataVisualizer(Tool):
    """Draws charts."""

    name = "data-visualizer"
    description = (
        "Draws a chart (line, bar, scatter, histogram, pie, heatmap) of rows or numbers as SVG or "
        "PNG, into a file or as the result."
    )
    category = "data"
    security_level = "restricted"
    permissions = Permissions(files="write the file given")
    extra = "charts"
    Parameters = ChartParameters
    timeout_ms = 60_000
    examples = (
        (
            {
                "input": [{"month": "Jan", "sold": 3}, {"month": "Feb", "sold": 5}],
                "kind": "bar",
                "title": "Sales",
                "target_path": "output/sales.svg",
            },
            "wrote output/sales.svg: a bar chart",
        ),
        ({"input": [1, 4, 9, 16], "kind": "line", "format": "png"}, "a PNG in base64"),
        ({"input": {"Lua": 3, "JavaScript": 2}, "kind": "pie"}, "<svg ..."),
    )

    async def run_tool(self, params: ChartParameters, ctx: ToolContext) -> ToolResult:
        needed(self.name, params.kind, input=params.input)
        style = self._format(params)
        if params.target_path is not None:
            # A path that may not be written costs no drawing.
            await asyncio.to_thread(ctx.files.resolve, params.target_path, "write")
        await asyncio.to_thread(imported, "vl_convert", self.name, "charts")
        chart = await asyncio.to_thread(chart_of, params)
        ctx.progress(1, 2, "draw")
        picture = await asyncio.to_thread(draw, chart.spec(), style)
        result: dict[str, Any] = {
            "kind": params.kind,
            "format": style,
            "size": len(picture),
            "points": len(chart.points),
        }
        if params.target_path is not None:
            await asyncio.to_thread(ctx.files.write_bytes, params.target_path, picture)
            words = f"wrote {params.target_path}: a {params.kind} chart"
            return ToolResult(
                {"path": params.target_path, **result}, output=params.target_path, text=words
            )
        text = picture.decode() if style == "svg" else base64.b64encode(picture).decode()
        return ToolResult({style: text, **result}, output=text)

    def _format(self, params: ChartParameters) -> str:
        ending = (params.target_path or "").rpartition(".")[2].lower()
        if params.format is not None:
            return params.format
        if params.target_path is None:
            return "svg"
        if ending not in ("svg", "png"):
            raise wrong(self.name, "target_path", "must end in .svg or .png, or name the format")
        return ending
