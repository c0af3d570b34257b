from __future__ import annotations

import asyncio
import base64
import struct
from pathlib import Path
from typing import Any

import pytest
from defusedxml import ElementTree

from llmspell_core.errors import LimitError, LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.data._points import chart_of
from llmspell_tools.data.data_visualizer import ChartParameters, DataVisualizer

ROWS = [
    {"day": "2024-01-01", "a": 1, "b": 4, "city": "Rome"},
    {"day": "2024-01-02", "a": 2, "b": None, "city": "Rome"},
    {"day": "2024-01-03", "a": 3, "b": 6, "city": "Oslo"},
]


def run(folder: Path | None = None, **params: Any) -> ToolResult:
    async def main() -> ToolResult:
        write = [str(folder)] if folder else []
        async with Runtime({"security": {"files": {"write": write}}}) as runtime:
            return await DataVisualizer().call(params, runtime.context())

    return asyncio.run(main())


def texts(svg: str) -> set[str]:
    root = ElementTree.fromstring(svg)
    return {one.text for one in root.iter() if one.text and one.tag.endswith("text")}


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ({"input": ROWS, "kind": "line", "y": ["a", "b"]}, {"day", "a", "b"}),
        ({"input": ROWS, "kind": "bar", "x": "city", "y": "a"}, {"city", "Rome", "Oslo", "a"}),
        ({"input": ROWS, "kind": "bar", "x": "day", "y": "a", "series": "city"}, {"2024-01-01"}),
        ({"input": ROWS, "kind": "scatter", "x": "a", "y": "b"}, {"a", "b"}),
        ({"input": [1, 2, 2, 3], "kind": "histogram"}, {"value", "count"}),
        ({"input": {"Lua": 3, "JS": 2}, "kind": "pie"}, {"Lua", "JS"}),
        ({"input": [[1, 2], [3, 4]], "kind": "heatmap"}, {"x", "y", "value"}),
        ({"input": [[1, 2], [2, 4]], "kind": "line", "x_label": "time"}, {"time", "y"}),
        ({"input": "k,v\nx,1\ny,2\n", "kind": "bar", "title": "Häufig"}, {"Häufig", "x", "y"}),
    ],
)
def test_each_kind_is_drawn(params: dict[str, Any], shown: set[str]) -> None:
    result = run(**params)
    assert shown <= texts(result.output)
    assert result.result["format"] == "svg"


def test_files_are_written_through_the_gate(tmp_path: Path) -> None:
    target = tmp_path / "new/chart.png"
    result = run(tmp_path, input=[1, 2, 3], target_path=str(target), width=100, height=100)
    data = target.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, _ = struct.unpack(">II", data[16:24])
    assert width >= 200
    assert result.text == f"wrote {target}: a line chart"
    assert (result.output, result.result["size"]) == (str(target), len(data))
    run(tmp_path, input=[1], target_path=str(tmp_path / "x.dat"), format="svg")
    assert (tmp_path / "x.dat").read_text().startswith("<svg")
    for path in ("/etc/chart.svg", str(tmp_path / "../up.svg")):
        with pytest.raises(LLMSpellError) as caught:
            run(tmp_path, input=[1], target_path=path)
        assert caught.value.code.startswith("policy.")
    assert base64.b64decode(run(input=[1, 2], format="png").output)[:4] == b"\x89PNG"


def test_texts_are_texts_and_names_are_names() -> None:
    odd = '<script>alert(1)</script>&"'
    rows = [{"a.b[0]": odd, "datum['y']": 1}, {"a.b[0]": "x\x07\u0000", "datum['y']": 2}]
    result = run(input=rows, kind="bar", title=odd)
    assert {odd, "a.b[0]", "datum['y']"} <= texts(result.output)
    assert "<script" not in result.output
    address = {"url": "http://127.0.0.1:9/x.json", "signal": "1"}
    run(input=[{"x": address, "y": 1}], kind="bar", title="{datum.x}")


def test_bars_stand_on_or_beside_one_another() -> None:
    params: dict[str, Any] = {"input": ROWS, "kind": "bar", "x": "day", "y": ["a", "b"]}
    spec = chart_of(ChartParameters.model_validate({**params, "stacked": False})).spec()
    assert spec["encoding"]["xOffset"]["field"] == "s"
    assert "xOffset" not in chart_of(ChartParameters.model_validate(params)).spec()["encoding"]
    run(**params, stacked=False)


def test_days_are_the_same_in_every_time_zone() -> None:
    spec = chart_of(ChartParameters.model_validate({"input": ROWS, "y": "a"})).spec()
    assert spec["encoding"]["x"]["scale"] == {"type": "utc"}
    assert spec["data"]["values"][0]["x"] == 1_704_067_200_000


def test_types_are_found() -> None:
    def kinds(values: list[Any]) -> str:
        rows = [{"x": value, "y": 1} for value in values]
        chart = chart_of(ChartParameters.model_validate({"input": rows, "x": "x", "y": "y"}))
        return str(chart.spec()["encoding"]["x"]["type"])

    assert kinds([1, 2.5]) == "quantitative"
    assert kinds(["2024-01-01", "2024-02-01T10:00:00Z"]) == "temporal"
    assert kinds(["2024-01-01", "2024-99-01"]) == "nominal"
    assert kinds([True, "a"]) == "nominal"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "input is required"),
        ({"input": []}, "input: has no data"),
        ({"input": [{"a": 1}], "x": "b"}, 'x: names "b"'),
        ({"input": [{"x": 1, "y": "z"}], "y": "y"}, 'y: row 1 is "z" and no number'),
        ({"input": [{"x": 1, "aaa": 2}], "y": "aab"}, 'did you mean "aaa"?'),
        ({"input": ["a", "b"]}, "y is required"),
        ({"input": {"a": -1}, "kind": "pie"}, "row 1 is below 0"),
        ({"input": {"a": [1], "b": [1, 2]}}, "lists of the same length"),
        ({"input": [[1]]}, "input.0 must be a pair"),
        ({"input": [1, {"a": 1}]}, "input.0 must be a table"),
        ({"input": [1], "kind": "lin"}, 'did you mean "line"?'),
        ({"input": [1], "target_path": "x.gif"}, "target_path must end in .svg or .png"),
        ({"input": [1], "width": 100_000}, "width"),
        ({"input": [float("nan")]}, "no number"),
        ({"input": "[1"}, "input is no JSON"),
        ({"input": 5}, "input must be a list"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        run(**params)
    assert message in caught.value.message or message == "no number"


def test_more_than_a_picture_can_show_is_refused() -> None:
    with pytest.raises(LimitError, match="5,001 points"):
        run(input=list(range(5_001)))
    with pytest.raises(LimitError, match="more than 1,000 different values"):
        run(input={str(n): n for n in range(1001)}, kind="bar")
