"""The tool `graph-builder`: makes graphs of nodes and edges, and answers questions about them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.tool import Tool, ToolParameters, ToolResult
from llmspell_tools._bounded import bounded
from llmspell_tools._parameters import Spelled, Text, check_size, needed, one_of, wrong
from llmspell_tools.data import _graph
from llmspell_tools.data._graph import Graph

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_ANALYZE_MS = 20_000
GraphValue = Annotated[Any, one_of("a graph or its JSON text", dict, list, str)]


class _Upper(Spelled):
    """In any case; TB is another name of TD."""

    def _plain(self, value: Any) -> Any:
        name = value.strip().upper() if isinstance(value, str) else value
        return "TD" if name == "TB" else name


class GraphParameters(ToolParameters):
    """A graph and what to do with it."""

    aliases: ClassVar[dict[str, str]] = {
        "id": "node_id",
        "node": "node_id",
        "from": "from_",
        "source": "from_",
        "target": "to",
        "type": "graph_type",
        "properties": "attributes",
    }

    operation: (
        Annotated[
            Literal[
                "create_graph",
                "add_node",
                "add_edge",
                "analyze",
                "export_json",
                "import_json",
                "to_mermaid",
            ],
            Spelled(
                create="create_graph",
                new="create_graph",
                analyse="analyze",
                export="export_json",
                to_json="export_json",
                mermaid="to_mermaid",
                **{"import": "import_json", "from_json": "import_json"},
            ),
        ]
        | None
    ) = Field(
        None,
        description="create_graph: a new one, with `nodes` and `edges`; add_node, add_edge: to "
        "`graph`; analyze: components, cycles, order, central nodes, and the shortest path where "
        "`from` and `to` are given; export_json; import_json: `input`; to_mermaid: a diagram",
    )
    graph_type: (
        Annotated[
            Literal["directed", "undirected"], Spelled(digraph="directed", graph="undirected")
        ]
        | None
    ) = Field(None, description="create_graph, import_json: directed unless said")
    graph: GraphValue | None = Field(
        None, description="The graph to work on, as an earlier call returned it"
    )
    input: GraphValue | None = Field(
        None,
        description="import_json: a graph {nodes, edges}, {nodes, links}, neighbours by node, or "
        "a list of pairs; a value or JSON text. Elsewhere the same as `graph`",
    )
    node_id: Text | None = Field(None, description="add_node: the node's id")
    from_: Text | None = Field(
        None, alias="from", description="add_edge: its start; analyze: the path's"
    )
    to: Text | None = Field(None, description="add_edge: its end; analyze: the path's")
    label: Text | None = Field(None, description="add_node, add_edge: what people read")
    weight: float | None = Field(None, description="add_edge: its length or cost")
    attributes: dict[str, Any] = Field(
        default_factory=dict, description="add_node, add_edge: more data"
    )
    nodes: list[Any] = Field(
        default_factory=list, description="create_graph, add_node: ids, or tables with an id"
    )
    edges: list[Any] = Field(
        default_factory=list,
        description="create_graph, add_edge: pairs of ids, or tables {from, to, label, weight}",
    )
    direction: Annotated[Literal["TD", "LR", "BT", "RL"], _Upper()] = Field(
        "TD", description="to_mermaid: top down, or LR: from left to right, ..."
    )

    def obvious(self) -> str:
        """The operation that is meant when none is given."""
        if self.node_id is not None:
            return "add_node"
        known = self.graph is not None or self.input is not None
        if (self.from_ is not None and self.weight is not None) or (self.edges and known):
            return "add_edge"
        return "analyze" if known else "create_graph"


class GraphBuilder(Tool):
    """Makes graphs, analyzes and draws them."""

    name = "graph-builder"
    description = (
        "Builds graphs of nodes and edges as plain values, analyzes them (paths, cycles, "
        "components, order, central nodes), and writes them as JSON or a Mermaid diagram."
    )
    category = "data"
    extra = "data"
    Parameters = GraphParameters
    timeout_ms = 60_000
    examples = (
        (
            {"operation": "create_graph", "nodes": ["a"], "edges": [["a", "b"], ["b", "c"]]},
            "directed graph, 3 nodes, 2 edges",
        ),
        (
            {
                "operation": "add_edge",
                "graph": {"nodes": ["a", "b"], "edges": []},
                "from": "a",
                "to": "b",
                "label": "knows",
            },
            "directed graph, 2 nodes, 1 edge",
        ),
        (
            {
                "operation": "analyze",
                "graph": {"edges": [["a", "b", 2], ["b", "c", 2], ["a", "c", 9]]},
                "from": "a",
                "to": "c",
            },
            "3 nodes, 3 edges, connected, acyclic; a to c: a, b, c (4)",
        ),
        (
            {"operation": "to_mermaid", "graph": {"edges": [["a", "b"]]}, "direction": "LR"},
            'graph LR\n    n0["a"]\n    n1["b"]\n    n0 --> n1',
        ),
    )

    async def run_tool(self, params: GraphParameters, ctx: ToolContext) -> ToolResult:
        operation = params.operation or params.obvious()
        given = params.graph if params.graph is not None else params.input
        if operation == "import_json":
            needed(self.name, operation, input=given)
        elif operation != "create_graph":
            needed(self.name, operation, graph=given)
        if isinstance(given, str):
            check_size(self.name, len(given))
        graph = await asyncio.to_thread(self._graph, operation, given, params)
        if operation == "analyze":
            result = await self._analyze(graph, params, ctx)
        else:
            result = await asyncio.to_thread(self._result, operation, graph, params)
        result.metadata["operation"] = operation
        return result

    def _graph(self, operation: str, given: Any, params: GraphParameters) -> Graph:
        directed = None if params.graph_type is None else params.graph_type == "directed"
        if given is None:
            graph = Graph(directed is not False)
        else:
            field = "graph" if params.graph is not None else "input"
            graph = _graph.read(given, field, directed=directed)
        if operation == "add_node" and not params.nodes:
            needed(self.name, operation, node_id=params.node_id)
        if operation == "add_edge" and not params.edges:
            needed(self.name, operation, **{"from": params.from_, "to": params.to})
        if operation in ("create_graph", "add_node", "add_edge"):
            _graph.add_nodes(graph, params.nodes, "nodes")
            _graph.add_edges(graph, params.edges, "edges")
            self._add(graph, operation, params)
        return graph

    @staticmethod
    def _add(graph: Graph, operation: str, params: GraphParameters) -> None:
        data = {str(key): value for key, value in params.attributes.items()}
        if params.label is not None:
            data["label"] = params.label
        if operation == "add_node" and params.node_id:
            _graph.add_nodes(graph, [{**data, "id": params.node_id}], "attributes")
        elif operation == "add_edge" and params.from_ and params.to:
            if params.weight is not None:
                data["weight"] = params.weight
            edge = {**data, "from": params.from_, "to": params.to}
            _graph.add_edges(graph, [edge], "attributes")

    def _result(self, operation: str, graph: Graph, params: GraphParameters) -> ToolResult:
        if operation == "to_mermaid":
            text = _graph.mermaid(graph, params.direction)
            check_size(self.name, len(text), "the diagram")
            return ToolResult({"mermaid": text}, output=text)
        value = graph.to_value()
        text = self._json(value)
        if operation == "export_json":
            return ToolResult({"json": text}, output=text)
        nodes, edges = len(graph.nodes), len(graph.edges)
        result = {"graph": value, "node_count": nodes, "edge_count": edges}
        words = f"{value['type']} graph, {_count(nodes, 'node')}, {_count(edges, 'edge')}"
        return ToolResult(result, output=value, text=words)

    def _json(self, value: Any) -> str:
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise wrong(self.name, "graph", f"has data that is no plain value: {error}") from None
        check_size(self.name, len(text), "the graph")
        return text

    async def _analyze(self, graph: Graph, params: GraphParameters, ctx: ToolContext) -> ToolResult:
        document = self._json(graph.to_value())
        function = "llmspell_tools.data._graph_analysis:analyze"
        answer = await bounded(
            ctx, "the analysis", function, document, params.from_, params.to, timeout_ms=_ANALYZE_MS
        )
        found = json.loads(answer)
        return ToolResult(found, text=_words(found, params))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _words(found: dict[str, Any], params: GraphParameters) -> str:
    parts = [_count(found["node_count"], "node"), _count(found["edge_count"], "edge")]
    count = found["component_count"]
    parts.append("connected" if count == 1 else _count(count, "component"))
    if found.get("acyclic"):
        parts.append("acyclic")
    elif "cycle" in found:
        parts.append(f"cycle {', '.join(found['cycle'][:20])}")
    text = ", ".join(parts)
    if "path" not in found:
        return text
    path = found["path"]
    way = f"{', '.join(path['nodes'])} ({path['length']:g})" if path["exists"] else "no path"
    return f"{text}; {params.from_} to {params.to}: {way}"
