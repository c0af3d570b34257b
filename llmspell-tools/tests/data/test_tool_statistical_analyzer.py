from __future__ import annotations

import asyncio
import json
import math
import statistics
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.data._statistics import _beta
from llmspell_tools.data.statistical_analyzer import StatisticalAnalyzer

VALUES = [2, 4, 4, 4, 5, 5, 7, 9]


def run(**params: Any) -> ToolResult:
    async def main() -> ToolResult:
        async with Runtime({}) as runtime:
            return await StatisticalAnalyzer().call(params, runtime.context())

    return asyncio.run(main())


def test_descriptive_statistics_are_those_of_the_standard_library() -> None:
    found = run(input=VALUES).result["descriptive"]["value"]
    assert found["mean"] == 5
    assert found["stddev"] == pytest.approx(statistics.stdev(VALUES))
    assert found["variance"] == pytest.approx(statistics.variance(VALUES))
    assert (found["median"], found["mode"], found["min"], found["max"]) == (4.5, 4, 2, 9)
    assert (found["q1"], found["q3"], found["iqr"], found["unique"]) == (4, 5.5, 1.5, 5)
    assert found["skewness"] == pytest.approx(0.65625)
    text = run(input=VALUES).text
    assert text == "value: n 8, mean 5, median 4.5, stddev 2.13809, 2 to 9"


def test_inputs_of_all_forms() -> None:
    rows = [{"a": 1, "b": "x", "c": None}, {"a": 2, "b": "y", "c": 4}]
    assert run(input=rows).result["columns"] == ["a", "c"]
    assert run(input=rows).result["descriptive"]["c"]["missing"] == 1
    assert run(input={"a": [1, 2], "b": [3]}).result["columns"] == ["a", "b"]
    assert run(input="[1, 2]").result["descriptive"]["value"]["sum"] == 3
    assert run(input="a,b\n1,x\n2,y\n").result["columns"] == ["a"]
    assert run(values=[1, None]).result["descriptive"]["value"]["stddev"] is None


def test_correlation() -> None:
    rows = [{"x": n, "y": -2 * n, "z": n**3, "k": 1} for n in range(10)]
    found = run(input=rows, analyses="correlation").result["correlation"]
    assert found["matrix"]["x"]["y"] == pytest.approx(-1)
    assert found["matrix"]["x"]["k"] is None
    assert found["pairs"][0]["strength"] == "strong negative"
    ranks = run(input=rows, analyses="correlation", method="spearman", columns=["x", "z"])
    assert ranks.result["correlation"]["matrix"]["x"]["z"] == pytest.approx(1)
    ties = run(
        input={"a": [1, 2, 2, 3], "b": [1, 3, 2, 4]}, analyses="correlation", method="spearman"
    )
    assert ties.result["correlation"]["matrix"]["a"]["b"] == pytest.approx(0.9486832980505138)


def test_outliers_and_histogram() -> None:
    found = run(input=[1, 2, 3, 2, 1, 40], analyses=["outliers", "histogram"], bins=2)
    assert found.result["outliers"]["columns"]["value"]["indices"] == [5]
    assert found.result["histogram"]["value"] == {"edges": [1.0, 20.5, 40.0], "counts": [5, 1]}
    assert found.text.splitlines() == [
        "outliers of value: 40",
        "value: 1 to 20.5: 5",
        "value: 20.5 to 40: 1",
    ]
    z = run(input=[*([1, 2] * 20), 40], analyses=["outliers"], outlier_method="z-score")
    assert z.result["outliers"]["columns"]["value"]["values"] == [40.0]
    assert sum(run(input=[5] * 9, analyses="histogram").result["histogram"]["value"]["counts"]) == 9


def test_regression() -> None:
    rows = [{"x": n, "y": 2 * n + 1} for n in range(5)]
    line = run(input=rows, analyses="regression", x="x", y="y").result["regression"]
    assert line["slope"] == pytest.approx(2)
    assert line["intercept"] == pytest.approx(1)
    assert line["r_squared"] == pytest.approx(1)
    curve = run(
        input={"a": [1, 2, 3, 4], "b": [1, 4, 9, 16]}, analyses="regression", degree=2
    ).result["regression"]
    assert curve["coefficients"] == pytest.approx([0, 0, 1], abs=1e-9)
    large = run(input={"a": [1e9 + n for n in range(9)], "b": range_list(9)}, analyses="regression")
    assert large.result["regression"]["slope"] == pytest.approx(1, rel=1e-6)


def range_list(count: int) -> list[int]:
    return list(range(count))


def test_trend() -> None:
    columns = {"up": [10, 12, 15, 17], "noise": [5, 1, 4, 2], "few": [1, 2]}
    found = run(input=columns, analyses="trend")
    trend = found.result["trend"]
    assert (trend["up"]["direction"], trend["noise"]["direction"]) == ("rising", "flat")
    assert trend["few"] == {"direction": "unknown", "n": 2}
    assert trend["up"]["slope"] == pytest.approx(2.4)
    assert trend["up"]["next"] == pytest.approx(19.5)
    # With two degrees of freedom the t distribution has a closed form; here t² is 288.
    assert trend["up"]["p_value"] == pytest.approx(1 - math.sqrt(288 / 290))
    assert trend["up"]["change_percent"] == pytest.approx(70)


def test_the_beta_function_has_its_known_values() -> None:
    # Of one half and one half it is 2/pi * asin(sqrt(x)); of 1 and 1 it is x.
    for x in (0.001, 0.1, 0.5, 0.9, 0.999):
        assert _beta(x, 0.5, 0.5) == pytest.approx(2 / math.pi * math.asin(math.sqrt(x)))
        assert _beta(x, 1, 1) == pytest.approx(x)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "input is required"),
        ({"input": []}, "input: has no column of numbers"),
        ({"input": ["a"]}, 'input.0 must be a number, not "a"'),
        ({"input": [{"a": "x"}]}, "has no column of numbers"),
        ({"input": {"a": 1}}, "input.a must be a list"),
        ({"input": [{"a": "x"}], "columns": "a"}, 'row 1 is "x" and no number'),
        ({"input": [{"aa": 1}], "columns": "aaa"}, 'did you mean "aa"?'),
        ({"input": [1, 2], "analyses": "correlation"}, "at least two columns"),
        ({"input": [1, 2], "analyses": "regression"}, "two columns"),
        ({"input": {"a": [1, 1], "b": [1, 2]}, "analyses": "regression"}, "too few different"),
        ({"input": {"a": [1], "b": [1]}, "analyses": "regression", "x": "c"}, 'x: names "c"'),
        ({"input": [1], "analyses": "corelation"}, 'did you mean "correlation"?'),
        ({"input": [1e300]}, "input.0"),
        ({"input": [True]}, "input.0"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        run(**params)
    assert message in caught.value.message


NUMBERS = st.lists(st.none() | st.floats(-1e12, 1e12) | st.integers(-5, 5), max_size=12)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from("abc"), NUMBERS, min_size=1))
def test_any_numbers_give_plain_values_or_a_mistake(columns: dict[str, Any]) -> None:
    size = max(map(len, columns.values()))
    columns = {name: values + [None] * (size - len(values)) for name, values in columns.items()}
    for analysis in ("descriptive", "correlation", "outliers", "histogram", "regression", "trend"):
        try:
            json.dumps(run(input=columns, analyses=analysis).result, allow_nan=False)
        except LLMSpellError as error:
            assert error.code == "input.invalid"  # noqa: PT017
