from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import LimitError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.data import _graph
from llmspell_tools.data.graph_builder import GraphBuilder


def run(operation: str | None = None, **params: Any) -> ToolResult:
    async def main() -> ToolResult:
        async with Runtime({}) as runtime:
            named = {"operation": operation} if operation else {}
            return await GraphBuilder().call({**named, **params}, runtime.context())

    return asyncio.run(main())


def test_exact_examples_are_exact() -> None:
    for params, shows in GraphBuilder.examples:
        assert run(**params).text == shows


def test_a_graph_is_built_step_by_step() -> None:
    graph = run("create_graph", graph_type="undirected").output
    assert graph == {"type": "undirected", "nodes": [], "edges": []}
    graph = run("add_node", graph=graph, node_id="a", label="A", attributes={"age": 3}).output
    graph = run("add_edge", graph=graph, **{"from": "a", "to": 5}, weight=2).output
    graph = run("add_edge", graph=graph, **{"from": "5", "to": "a"}, label="again").output
    assert graph == {
        "type": "undirected",
        "nodes": [{"id": "a", "age": 3, "label": "A"}, {"id": "5"}],
        "edges": [{"from": "a", "to": "5", "weight": 2.0, "label": "again"}],
    }
    more = run(graph=graph, edges=[{"source": "b", "target": "c"}], nodes=[{"id": "d", "x": 1}])
    assert more.metadata["operation"] == "add_edge"
    assert (more.result["node_count"], more.result["edge_count"]) == (5, 2)
    exported = run("export", graph=more.output)
    assert json.loads(exported.output) == more.output
    assert run("import_json", input=exported.text).output == more.output


def test_graphs_of_other_forms_are_read() -> None:
    forms: list[Any] = [
        {"nodes": [{"id": "a"}, {"id": "b"}], "links": [{"source": "a", "target": "b"}]},
        {"a": ["b"], "b": []},
        [["a", "b"]],
        '[{"from": "a", "to": "b"}]',
        {"nodes": {"a": {}, "b": None}, "edges": [["a", "b"]]},
    ]
    for form in forms:
        graph = run("import", input=form).output
        assert [node["id"] for node in graph["nodes"]] == ["a", "b"]
        assert graph["edges"] == [{"from": "a", "to": "b"}]
    assert run("import", input={"directed": False, "nodes": [1]}).output["type"] == "undirected"


def test_directed_graphs_are_analyzed() -> None:
    found = run("analyze", graph={"a": ["b", "c"], "b": ["d"], "c": ["d"], "x": []}).result
    assert (found["node_count"], found["component_count"], found["acyclic"]) == (5, 2, True)
    assert found["order"][0] in ("a", "x")
    assert found["isolated"] == ["x"]
    assert found["sources"] == ["a", "x"]
    assert found["sinks"] == ["d", "x"]
    cyclic = run("analyze", graph=[["a", "b"], ["b", "c"], ["c", "a"]])
    assert cyclic.result["acyclic"] is False
    assert sorted(cyclic.result["cycle"]) == ["a", "b", "c"]
    assert "cycle a, b, c" in cyclic.text


def test_undirected_graphs_are_analyzed() -> None:
    edges = [["a", "b"], ["b", "c"], ["c", "d"], ["b", "d"]]
    found = run("analyze", graph={"type": "undirected", "nodes": [], "edges": edges}).result
    assert found["connected"]
    assert found["diameter"] == 2
    assert found["degrees"][0] == {"id": "b", "degree": 3}
    assert found["central"][0]["id"] == "b"
    assert found["articulation_points"] == ["b"]
    assert run("analyze", graph={"nodes": []}).result["node_count"] == 0


def test_paths() -> None:
    graph = {"edges": [["a", "b", 1], ["b", "c", 1], ["a", "c", 5], ["z", "a"]], "nodes": []}
    path = run("analyze", graph=graph, **{"from": "a", "to": "c"}).result["path"]
    assert path == {"exists": True, "nodes": ["a", "b", "c"], "length": 2, "weighted": True}
    none = run("analyze", graph=graph, **{"from": "c", "to": "z"})
    assert none.result["path"]["exists"] is False
    assert none.text.endswith("c to z: no path")
    falls = run("analyze", graph=[["a", "b", -1], ["b", "c"]], **{"from": "a", "to": "c"})
    assert falls.result["path"]["weighted"] is False
    with pytest.raises(ValidationError, match='to: names "q", which is no node'):
        run("analyze", graph=graph, **{"from": "a", "to": "q"})


def test_diagrams_hold_any_label() -> None:
    nodes = [{"id": "x", "label": 'a "b" <script>#1\n`c`'}, {"id": "end"}]
    text = run(
        "mermaid", graph={"nodes": nodes, "edges": [{"from": "x", "to": "end", "weight": 2}]}
    )
    assert text.output.splitlines() == [
        "graph TD",
        '    n0["a #quot;b#quot; #lt;script#gt;#35;1 #96;c#96;"]',
        '    n1["end"]',
        '    n0 -->|"2"| n1',
    ]
    lines = run("to_mermaid", graph={"type": "undirected", "edges": [["a", "b"]]}, direction="tb")
    assert lines.output.splitlines()[-1] == "    n0 --- n1"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"operation": "add_node"}, "graph is required"),
        ({"operation": "add_node", "graph": []}, "node_id is required"),
        ({"operation": "add_edge", "graph": [], "from": "a"}, "to is required"),
        ({"operation": "import_json"}, "input is required"),
        ({"operation": "import_json", "input": "{"}, "input is no JSON"),
        ({"operation": "import_json", "input": "5"}, "input must be a graph, not 5"),
        ({"operation": "analyze", "graph": {"a": 5}}, "graph.a must be a list of neighbours"),
        ({"operation": "analyze", "graph": [5]}, "graph.0 must be a table with from and to"),
        ({"operation": "analyze", "graph": [["a", []]]}, "graph.0.to must be a text or number"),
        ({"operation": "analyze", "graph": {"nodes": [{}]}}, "graph.nodes.0.id must be"),
        ({"operation": "to_mermaid", "graph": [], "direction": "up"}, "direction must be one of"),
        ({"operation": "export", "graph": {"nodes": [{"id": 1, "x": float("nan")}]}}, "no plain"),
        ({"operation": "creat"}, 'did you mean "create"?'),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        run(**params)
    assert message in caught.value.message


def test_graphs_that_are_too_large_are_refused() -> None:
    with pytest.raises(LimitError, match="more than 100,000 nodes"):
        run("create_graph", nodes=list(range(100_001)))


NAMES = st.sampled_from(["a", "b", "c", 1, 2])


@given(st.lists(st.lists(NAMES, min_size=2, max_size=2)), st.booleans())
def test_a_graph_is_read_back_as_it_was(edges: list[Any], directed: bool) -> None:
    value = _graph.read(edges, "input", directed=directed).to_value()
    assert _graph.read(json.dumps(value), "input").to_value() == value
