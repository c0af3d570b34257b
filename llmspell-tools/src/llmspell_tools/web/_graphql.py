"""Checks of GraphQL documents and schemas. Runs in a helper process: documents may be hostile."""

from __future__ import annotations

import json
from typing import Any

_MOST_TOKENS = 20_000
_DEEPEST = 1_000


def check(query: str) -> dict[str, Any]:
    """What a document has: `{operations: [{type, name, depth, variables}]}` or `{error}`.

    Args:
        query: the document; fragments count where they are used
    """
    from graphql import GraphQLError, parse
    from graphql.language import FragmentDefinitionNode, OperationDefinitionNode

    try:
        document = parse(query, max_tokens=_MOST_TOKENS)
    except GraphQLError as error:
        where = f" (line {error.locations[0].line})" if error.locations else ""
        return {"error": f"{error.message}{where}"}
    except RecursionError:
        return {"error": "it is nested too deep"}
    fragments = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    depths = _Depths(fragments)
    try:
        operations = [
            {
                "type": one.operation.value,
                "name": one.name.value if one.name else "",
                "depth": depths.of(one.selection_set),
                "variables": _variables(one),
            }
            for one in document.definitions
            if isinstance(one, OperationDefinitionNode)
        ]
    except (ValueError, RecursionError) as error:
        return {"error": str(error) if isinstance(error, ValueError) else "it is nested too deep"}
    return {"operations": operations}


def describe(introspection: str) -> dict[str, Any]:
    """The schema of an introspection's `data`: `{schema, types, queries, mutations}` or `{error}`.

    Args:
        introspection: as JSON
    """
    from graphql import build_client_schema, print_schema

    try:
        schema = build_client_schema(json.loads(introspection))
        printed = print_schema(schema)
    except RecursionError:
        return {"error": "it is nested too deep"}
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is the server's
        return {"error": str(error)[:300]}
    kinds = {
        name: type(one).__name__.removeprefix("GraphQL").removesuffix("Type").lower()
        for name, one in schema.type_map.items()
        if not name.startswith("__")
    }
    return {
        "schema": printed,
        "types": kinds,
        "queries": sorted(schema.query_type.fields) if schema.query_type else [],
        "mutations": sorted(schema.mutation_type.fields) if schema.mutation_type else [],
    }


def introspection_query() -> str:
    """The query that asks a server for its schema."""
    from graphql import get_introspection_query

    return get_introspection_query(descriptions=True)


class _Depths:
    """How deep fields are nested, each fragment measured once."""

    def __init__(self, fragments: dict[str, Any]) -> None:
        self._fragments = fragments
        self._known: dict[str, int] = {}
        self._open: set[str] = set()

    def of(self, selection_set: Any, level: int = 0) -> int:
        if selection_set is None:
            return 0
        if level > _DEEPEST:
            raise ValueError("it is nested too deep")
        deepest = 0
        for one in selection_set.selections:
            kind = one.kind
            if kind == "fragment_spread":
                depth = self._spread(one.name.value, level)
            else:
                inner = self.of(one.selection_set, level + 1)
                depth = inner + 1 if kind == "field" else inner
            deepest = max(deepest, depth)
        return deepest

    def _spread(self, name: str, level: int) -> int:
        if name in self._open:
            raise ValueError(f'the fragment "{name}" contains itself')
        if name not in self._fragments:
            raise ValueError(f'there is no fragment "{name}"')
        if name not in self._known:
            self._open.add(name)
            self._known[name] = self.of(self._fragments[name].selection_set, level + 1)
            self._open.discard(name)
        return self._known[name]


def _variables(operation: Any) -> dict[str, bool]:
    """The names of its variables, and whether each must be given."""
    return {
        one.variable.name.value: one.type.kind == "non_null_type" and one.default_value is None
        for one in operation.variable_definitions or ()
    }
