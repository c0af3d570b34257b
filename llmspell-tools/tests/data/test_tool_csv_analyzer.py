from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmspell_core.errors import LimitError, LLMSpellError, ToolFailed, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.data import _csv
from llmspell_tools.data.csv_analyzer import CsvAnalyzer

SALES = """city,price,when,sold
Rome,3,2024-01-01,true
Rome,5.5,2024-01-02,false
Oslo,9,2024-01-03,true
Oslo,,2024-01-04,true
"""


def run(folder: Path | None = None, **params: Any) -> ToolResult:
    async def main() -> ToolResult:
        read = [str(folder)] if folder else []
        async with Runtime({"security": {"files": {"read": read}}}) as runtime:
            return await CsvAnalyzer().call(params, runtime.context())

    return asyncio.run(main())


def test_exact_examples_are_exact() -> None:
    for params, shows in CsvAnalyzer.examples[1:]:
        assert run(**params).text == shows


def test_columns_are_described() -> None:
    result = run(input=SALES)
    assert result.metadata["operation"] == "analyze"
    found = result.result
    assert (found["row_count"], found["column_count"]) == (4, 4)
    assert found["columns"] == ["city", "price", "when", "sold"]
    info = found["column_info"]
    assert [info[name]["type"] for name in info] == ["text", "number", "date", "boolean"]
    assert info["price"]["nulls"] == 1
    assert (info["price"]["min"], info["price"]["max"], info["price"]["sum"]) == (3.0, 9.0, 17.5)
    assert info["city"]["top"] == [{"value": "Rome", "count": 2}, {"value": "Oslo", "count": 2}]
    assert "price: number, 3 different, 1 empty, 3.0 to 9.0, mean 5.83333" in result.text
    assert found["rows"][3] == {"city": "Oslo", "price": None, "when": "2024-01-04", "sold": True}


def test_files_are_read_through_the_gate(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfname\tage\r\nJos\xc3\xa9\t3\r\n")
    result = run(tmp_path, operation="read", path=str(tmp_path / "a.csv"))
    assert result.output == [{"name": "José", "age": 3}]
    assert result.metadata["delimiter"] == "\t"
    (tmp_path / "b.csv").write_bytes(b"name\nJos\xe9\n")
    assert run(tmp_path, operation="read", path=str(tmp_path / "b.csv")).output[0]["name"] == "José"
    for path in ("/etc/passwd", str(tmp_path / "../x.csv"), str(tmp_path / "none.csv")):
        with pytest.raises(LLMSpellError) as caught:
            run(tmp_path, path=path)
        assert caught.value.code.startswith(("policy.", "file."))


def test_types_are_found_and_ids_stay_texts() -> None:
    text = "id,n,big,mixed,f\n007,1,99999999999999999999,1,1e3\n010,-2,1,x,.5\n"
    row = run(operation="read", input=text).output[0]
    assert row["id"] == "007"
    assert (row["n"], row["mixed"], row["f"]) == (1, "1", 1000.0)
    assert run(operation="read", input=text, infer_types=False).output[1]["n"] == "-2"
    assert run(operation="read", input="1,2\n3,4", has_header=False).output == [
        {"column_1": 1, "column_2": 2},
        {"column_1": 3, "column_2": 4},
    ]
    assert run(operation="read", input="a,a,\n1,2,3").output == [{"a": 1, "a_2": 2, "column_3": 3}]
    quoted = 'a,b\n"x, ""y""\nz",1\n'
    assert run(operation="read", input=quoted).output == [{"a": 'x, "y"\nz', "b": 1}]
    assert run(operation="read", input="").result["row_count"] == 0


@pytest.mark.parametrize(
    ("where", "cities"),
    [
        ("price > 4", ["Rome", "Oslo"]),
        ("price = null", ["Oslo"]),
        ('city == "Rome" and not sold', ["Rome"]),
        ("lower(city) in ['oslo'] and price != null", ["Oslo"]),
        ('when >= "2024-01-03"', ["Oslo", "Oslo"]),
        ({"city": "Rome", "sold": True}, ["Rome"]),
        ("starts_with(city, 'R') ? sold : false", ["Rome"]),
    ],
)
def test_rows_are_filtered(where: Any, cities: list[str]) -> None:
    result = run(input=SALES, where=where)
    assert [row["city"] for row in result.output] == cities
    assert result.result["row_count"] == len(cities)


def test_columns_and_limits() -> None:
    result = run(input=SALES, columns=["price", "city"], limit=1)
    assert result.output == [{"price": 3.0, "city": "Rome"}]
    assert result.result["row_count"] == 4
    assert run(operation="read", input=[{"a": 1}, {"b": "x"}]).output == [
        {"a": 1, "b": None},
        {"a": None, "b": "x"},
    ]


def test_groups() -> None:
    plain = run(input=SALES, group_by="city", columns=["city", "price"])
    assert plain.output == [
        {"city": "Rome", "count": 2, "price_sum": 8.5, "price_avg": 4.25},
        {"city": "Oslo", "count": 2, "price_sum": 9.0, "price_avg": 9.0},
    ]
    asked = run(
        input=SALES,
        group_by=["city", "sold"],
        where="price != null",
        aggregations={
            "price": ["min", "max"],
            "n": "count",
            "each": "round(sum(price) / count, 1)",
            "when": "last",
        },
    )
    assert asked.output[0] == {
        "city": "Rome", "sold": True, "count": 1, "price_min": 3.0, "price_max": 3.0, "n": 1,
        "each": 3.0, "when": "2024-01-01",
    }  # fmt: skip
    assert run(operation="aggregate", input=SALES, aggregations={"city": "unique"}).output == [
        {"count": 4, "city": 2}
    ]
    for bad in ({"price": "summ"}, {"nope": "sum"}, {"x": "sum(nope)"}, {"price": 5}):
        with pytest.raises(ValidationError, match="aggregations"):
            run(input=SALES, aggregations=bad)
    with pytest.raises(ToolFailed, match="sum needs numbers, not 'Rome'"):
        run(input=SALES, aggregations={"city": "sum"})


def test_conversions() -> None:
    assert json.loads(run(operation="convert", input="a,b\n1,x\n").output) == [{"a": 1, "b": "x"}]
    assert run(input="a|b\n1|x,y\n", to="csv").output == 'a,b\n1,"x,y"\n'
    assert run(input="a,b\n1,x\n", to="tsv").output == "a\tb\n1\tx\n"
    assert run(input="a,b\n1,x|y\n", to="md").output == "| a | b |\n| --- | --- |\n| 1 | x\\|y |"


def test_validation_names_line_row_and_column() -> None:
    result = run(operation="validate", input="a,b\n1,2\n3\n4,5,6\n")
    assert [one["message"] for one in result.result["errors"]] == [
        "has 1 cells, not 2",
        "has 3 cells, not 2",
    ]
    assert result.text.startswith("invalid: line 3: ")
    checked = run(input="mail,age\na@b.cd,1\nx,2\n", rules={"mail": "email", "age": {"max": 1}})
    assert [(one["row"], one["column"]) for one in checked.result["errors"]] == [
        (2, "mail"),
        (2, "age"),
    ]
    assert run(operation="validate", input="a\n1\n").text == "valid"
    with pytest.raises(ValidationError, match=r"rules\.mail"):
        run(input="mail\nx\n", rules={"mail": "emial"})


def test_sql() -> None:
    result = run(input=SALES, query="SELECT city, count(*) AS n, count(*) FROM data GROUP BY 1")
    assert result.output[0] == {"city": "Oslo", "n": 2, "count(*)": 2}
    assert result.result["columns"] == ["city", "n", "count(*)"]
    with_window = "WITH t AS (SELECT *, row_number() OVER (ORDER BY price) AS r FROM data) "
    assert run(input=SALES, query=with_window + "SELECT r FROM t LIMIT 1").output == [{"r": 1}]
    assert run(input='"a ""b"""\n1\n', query='SELECT "a ""b""" AS x FROM data').output == [{"x": 1}]


@pytest.mark.parametrize(
    "query",
    [
        "ATTACH DATABASE '/tmp/x.db' AS x",
        "DROP TABLE data",
        "INSERT INTO data VALUES (1,2,3,4)",
        "DELETE FROM data",
        "CREATE TABLE t (a)",
        "PRAGMA database_list",
        "SELECT * FROM pragma_database_list",
        "SELECT load_extension('/tmp/x.so')",
        "SELECT readfile('/etc/passwd')",
        "VACUUM INTO '/tmp/x.db'",
        "SELECT 1; DROP TABLE data",
        "SELECT * FROM sqlite_master; SELECT 1",
        "SELECT nope FROM data",
        "nonsense",
        "",
        "SELECT writefile('/tmp/x', 'y')",
        "CREATE VIRTUAL TABLE v USING fts5(a)",
        "BEGIN",
    ],
)
def test_sql_only_reads_its_table(query: str) -> None:
    with pytest.raises(ValidationError, match="query"):
        run(operation="sql", input=SALES, query=query)


def test_sql_that_never_ends_or_fills_memory_is_stopped() -> None:
    endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t"
    with pytest.raises(LimitError, match=r"finds more than 100,000 rows"):
        run(input=SALES, query=endless)
    with pytest.raises(LLMSpellError):
        run(input=SALES, query="SELECT zeroblob(1000000000)")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"operation": "read"}, 'input is required for "read"'),
        ({"operation": "sql", "input": "a"}, 'query is required for "sql"'),
        ({"operation": "filter", "input": "a"}, 'where is required for "filter"'),
        ({"input": "a\n1", "columns": ["b"]}, 'columns: names "b", which is no column'),
        ({"input": "age\n1", "where": "agee > 1"}, 'did you mean "age"?'),
        ({"input": "age\n1", "where": {"agee": 1}}, 'did you mean "age"?'),
        ({"input": "age\n1", "where": "age >"}, "where is no valid expression"),
        ({"input": "age\n1", "group_by": "x"}, "group_by"),
        ({"input": "a", "delimiter": ",,"}, "delimiter must be one character"),
        ({"input": [1]}, "input must be a list of tables"),
        ({"input": 5}, "input must be a text of CSV or a list of rows"),
        ({"input": "a", "operation": "analize"}, 'did you mean "analyze"?'),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        run(**params)
    assert message in caught.value.message


def test_tables_that_are_too_wide_are_refused() -> None:
    with pytest.raises(LimitError, match="more than 1000 columns"):
        run(input="," * 5000)
    with pytest.raises(ValidationError, match="is no CSV"):
        run(input="a\n" + "x" * 200_000)


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
ROW = st.fixed_dictionaries({"a": TEXTS, "b": st.integers(-(2**62), 2**62)})


@settings(max_examples=50)
@example([{"a": "x\ry", "b": 1}, {"a": "\n", "b": 2}])
@given(st.lists(ROW, min_size=1, max_size=5))
def test_what_is_written_is_read_back(rows: list[dict[str, Any]]) -> None:
    found = _csv.read(_csv.write(["a", "b"], rows), delimiter=",", infer=False)
    assert found.rows == [{"a": row["a"] or None, "b": str(row["b"])} for row in rows]


@settings(max_examples=100)
@given(st.text(alphabet='a1,;|\t"\n\r. ', max_size=40))
def test_any_text_is_a_table_or_a_mistake(text: str) -> None:
    try:
        table = _csv.read(text)
    except ValidationError:
        return
    assert all(row.keys() == set(table.columns) for row in table.rows)
