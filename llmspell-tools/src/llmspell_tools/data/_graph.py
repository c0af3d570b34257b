"""Graphs as plain values: `{type, nodes = [{id, ...}], edges = [{from, to, ...}]}`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from llmspell_core.errors import LimitError
from llmspell_core.schema import describe
from llmspell_tools._parameters import wrong

TOOL = "graph-builder"
MAX_NODES = 100_000
MAX_EDGES = 500_000
_FROM = ("from", "source", "src")
_TO = ("to", "target", "dst")


@dataclass
class Graph:
    """Nodes by id, edges by their two ends; an undirected edge has one order of them."""

    directed: bool = True
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def add_node(self, name: str, data: dict[str, Any] | None = None) -> None:
        """A node, or more data for one that is there."""
        self.nodes[name] = {**self.nodes.get(name, {}), **(data or {})}
        if len(self.nodes) > MAX_NODES:
            raise _too_large("nodes", MAX_NODES)

    def add_edge(self, start: str, end: str, data: dict[str, Any] | None = None) -> None:
        """An edge, with its ends; or more data for one that is there."""
        for name in (start, end):
            if name not in self.nodes:
                self.add_node(name)
        key = (end, start) if not self.directed and (end, start) in self.edges else (start, end)
        self.edges[key] = {**self.edges.get(key, {}), **(data or {})}
        if len(self.edges) > MAX_EDGES:
            raise _too_large("edges", MAX_EDGES)

    def to_value(self) -> dict[str, Any]:
        """The graph as data."""
        return {
            "type": "directed" if self.directed else "undirected",
            "nodes": [{"id": name, **data} for name, data in self.nodes.items()],
            "edges": [
                {"from": start, "to": end, **data} for (start, end), data in self.edges.items()
            ],
        }


def _too_large(what: str, most: int) -> LimitError:
    return LimitError(f"{TOOL}: more than {most:,} {what}", code="limit.value")


def node_name(value: Any, field: str) -> str:
    """An id: a text, or a number as its digits."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, str) and value:
        return value
    raise wrong(TOOL, field, f"must be a text or number, not {describe(value)}")


def read(value: Any, field: str, *, directed: bool | None = None) -> Graph:
    """A graph from its value or JSON text.

    Besides its own form: `{nodes, links}` with source and target, neighbours by node
    (`{a = ["b"]}`), and a list of edges (`[["a", "b"]]`).
    """
    if isinstance(value, str):
        value = _parsed(value, field)
    graph = Graph(True if directed is None else directed)
    if isinstance(value, list):
        add_edges(graph, value, field)
    elif not isinstance(value, dict):
        raise wrong(TOOL, field, f"must be a graph, not {describe(value)}")
    elif isinstance(value.get("nodes"), (list, dict)) or isinstance(value.get("edges"), list):
        if directed is None:
            graph.directed = _is_directed(value)
        add_nodes(graph, value.get("nodes") or [], f"{field}.nodes")
        add_edges(graph, value.get("edges") or value.get("links") or [], f"{field}.edges")
    else:
        _add_neighbours(graph, value, field)
    return graph


def _parsed(text: str, field: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise wrong(TOOL, field, "is nested too deep") from None
    except ValueError as error:
        raise wrong(TOOL, field, f"is no JSON: {error}") from None


def _is_directed(value: dict[str, Any]) -> bool:
    if isinstance(value.get("directed"), bool):
        return bool(value["directed"])
    return value.get("type") != "undirected"


def add_nodes(graph: Graph, nodes: Any, field: str) -> None:
    """Ids, or tables with an `id`."""
    if isinstance(nodes, dict):
        nodes = [
            {**(data if isinstance(data, dict) else {}), "id": name} for name, data in nodes.items()
        ]
    if not isinstance(nodes, list):
        raise wrong(TOOL, field, f"must be a list, not {describe(nodes)}")
    for index, node in enumerate(nodes):
        if isinstance(node, dict):
            data = {str(key): one for key, one in node.items()}
            graph.add_node(node_name(data.pop("id", None), f"{field}.{index}.id"), data)
        else:
            graph.add_node(node_name(node, f"{field}.{index}"))


def add_edges(graph: Graph, edges: Any, field: str) -> None:
    """Pairs of ids, or tables with `from` and `to`."""
    if not isinstance(edges, list):
        raise wrong(TOOL, field, f"must be a list, not {describe(edges)}")
    for index, edge in enumerate(edges):
        place = f"{field}.{index}"
        if isinstance(edge, list) and len(edge) in (2, 3):
            data = {"weight": edge[2]} if len(edge) == 3 else {}  # noqa: PLR2004
            start, end = edge[0], edge[1]
        elif isinstance(edge, dict):
            data = {str(key): one for key, one in edge.items()}
            start, end = _end(data, _FROM), _end(data, _TO)
        else:
            raise wrong(TOOL, place, f"must be a table with from and to, not {describe(edge)}")
        graph.add_edge(node_name(start, f"{place}.from"), node_name(end, f"{place}.to"), data)


def _end(data: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((data.pop(name) for name in names if name in data), None)


def _add_neighbours(graph: Graph, value: dict[str, Any], field: str) -> None:
    for name, others in value.items():
        graph.add_node(node_name(name, field))
        if not isinstance(others, (list, dict)):
            raise wrong(TOOL, f"{field}.{name}", "must be a list of neighbours")
        for other in others:
            graph.add_edge(str(name), node_name(other, f"{field}.{name}"))


def mermaid(graph: Graph, direction: str) -> str:
    """The graph as a flowchart of Mermaid."""
    ids = {name: f"n{index}" for index, name in enumerate(graph.nodes)}
    lines = [f"graph {direction}"]
    for name, data in graph.nodes.items():
        label = data.get("label", data.get("name", name))
        lines.append(f'    {ids[name]}["{_label(label)}"]')
    arrow = "-->" if graph.directed else "---"
    for (start, end), data in graph.edges.items():
        label = data.get("label", data.get("weight"))
        shown = "" if label is None else f'|"{_label(label)}"|'
        lines.append(f"    {ids[start]} {arrow}{shown} {ids[end]}")
    return "\n".join(lines)


def _label(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    for char, code in _CODES.items():
        text = text.replace(char, code)
    return " ".join(text.split())


#: Mermaid reads these as its own syntax, or as HTML. `#` first: the others make one.
_CODES = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;", "\n": " "}
