"""What a graph is like, with NetworkX; run in a helper, since some questions take long."""

from __future__ import annotations

import itertools
import json
from typing import Any

from llmspell_tools._bounded import mistake
from llmspell_tools._extras import imported

TOOL = "graph-builder"
_MOST = 10
_EXACT_NODES = 400
_DIAMETER_NODES = 600
_MOST_COMPONENTS = 100
_SEED = 1


def analyze(document: str, start: str | None, end: str | None) -> str:
    """The answers for a graph given as JSON, as JSON.

    Args:
        document: the graph's value
        start: with `end`: ends of a shortest path
        end: the other end
    """
    nx = imported("networkx", TOOL, "data")
    value = json.loads(document)
    directed = value["type"] == "directed"
    graph = nx.DiGraph() if directed else nx.Graph()
    graph.add_nodes_from(node["id"] for node in value["nodes"])
    for edge in value["edges"]:
        weight = edge.get("weight")
        is_number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
        graph.add_edge(edge["from"], edge["to"], weight=weight if is_number else 1)
    found = _size(nx, graph, directed) | _parts(nx, graph, directed) | _important(nx, graph)
    found |= _order(nx, graph) if directed else {}
    if start is not None and end is not None:
        found["path"] = _path(nx, graph, start, end)
    return json.dumps(found)


def _size(nx: Any, graph: Any, directed: bool) -> dict[str, Any]:
    return {
        "type": "directed" if directed else "undirected",
        "node_count": graph.number_of_nodes(),
        "edge_count": graph.number_of_edges(),
        "density": nx.density(graph),
        "self_loops": nx.number_of_selfloops(graph),
        "isolated": list(itertools.islice(nx.isolates(graph), _MOST_COMPONENTS)),
    }


def _parts(nx: Any, graph: Any, directed: bool) -> dict[str, Any]:
    plain = graph.to_undirected(as_view=True) if directed else graph
    parts = sorted(nx.connected_components(plain), key=len, reverse=True)
    found: dict[str, Any] = {
        "connected": len(parts) == 1,
        "component_count": len(parts),
        "components": [sorted(part) for part in parts[:_MOST_COMPONENTS]],
    }
    if len(parts) == 1 and len(graph) <= _DIAMETER_NODES:
        found["diameter"] = nx.diameter(plain)
    if not directed and len(graph):
        found["clustering"] = nx.average_clustering(graph) if len(graph) <= _EXACT_NODES else None
        found["articulation_points"] = sorted(nx.articulation_points(graph))[:_MOST_COMPONENTS]
    return found


def _important(nx: Any, graph: Any) -> dict[str, Any]:
    count = len(graph)
    if not count:
        return {"degrees": [], "central": []}
    degrees = sorted(graph.degree(), key=lambda pair: -pair[1])[:_MOST]
    # Exact answers take the cube of the size: a sample of a large graph says as much.
    sample = None if count <= _EXACT_NODES else 50
    between = nx.betweenness_centrality(graph, k=sample, seed=_SEED)
    central = sorted(between.items(), key=lambda pair: -pair[1])[:_MOST]
    return {
        "degrees": [{"id": name, "degree": degree} for name, degree in degrees],
        "central": [{"id": name, "betweenness": value} for name, value in central if value > 0],
    }


def _order(nx: Any, graph: Any) -> dict[str, Any]:
    acyclic = nx.is_directed_acyclic_graph(graph)
    found: dict[str, Any] = {
        "acyclic": acyclic,
        "sources": [name for name, degree in graph.in_degree() if degree == 0][:_MOST_COMPONENTS],
        "sinks": [name for name, degree in graph.out_degree() if degree == 0][:_MOST_COMPONENTS],
    }
    if acyclic:
        return found | {"order": list(nx.topological_sort(graph))}
    return found | {"cycle": [edge[0] for edge in nx.find_cycle(graph)]}


def _path(nx: Any, graph: Any, start: str, end: str) -> dict[str, Any]:
    for field, name in (("from", start), ("to", end)):
        if name not in graph:
            raise mistake(TOOL, field, f'names "{name[:80]}", which is no node')
    # Shortest ways by weight are found for none below 0; else each edge counts as 1.
    weighted = all(data["weight"] >= 0 for _, _, data in graph.edges(data=True))
    weight = "weight" if weighted else _one
    try:
        length, nodes = nx.single_source_dijkstra(graph, start, end, weight=weight)
    except nx.NetworkXNoPath:
        return {"exists": False, "nodes": [], "length": None}
    return {"exists": True, "nodes": nodes, "length": length, "weighted": weighted}


def _one(start: Any, end: Any, data: Any) -> int:
    return 1
