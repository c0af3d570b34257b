from __future__ import annotations

import sys
from typing import Any

import pytest
from web_test_server import Answer, Call, Request, WebServer, using

from llmspell_core.errors import LLMSpellError
from llmspell_tools.web.graphql_query import GraphqlQuery

SDL = """
"Things for sale"
type Item { id: ID!  name: String  related: [Item!] }
type Query { item(id: ID!): Item  items: [Item!]! }
type Mutation { rename(id: ID!, name: String!): Item }
"""


def endpoint(request: Request) -> Answer | dict[str, Any]:
    """A real GraphQL server, as GraphQL over HTTP has it."""
    from graphql import build_schema, graphql_sync

    names = {"7": "Tea"}

    def item(_: Any, id: str) -> dict[str, Any]:
        if id not in names:
            raise ValueError(f"no item {id}")
        return {"id": id, "name": names[id], "related": []}

    def rename(_: Any, id: str, name: str) -> dict[str, Any]:
        names[id] = name
        return item(_, id)

    assert request.headers["content-type"] == "application/json"
    body = request.json
    made = graphql_sync(
        build_schema(SDL),
        body["query"],
        {"item": item, "rename": rename, "items": lambda _: [item(_, "7")]},
        variable_values=body.get("variables"),
        operation_name=body.get("operationName"),
    )
    answer = dict(made.formatted)
    return Answer(answer, 200 if made.data is not None else 400)


def ask(work: Any, **routes: Any) -> None:
    using(GraphqlQuery, {"/graphql": endpoint, **routes}, work)


def test_a_query_with_variables_gives_its_data() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(
            endpoint=server.url + "/graphql",
            query="query ($id: ID!) { item(id: $id) { name } }",
            variables={"id": "7"},
            headers={"Authorization": "Bearer t"},
        )
        assert result.output == {"item": {"name": "Tea"}}
        assert result.result["errors"] == []
        assert server.requests[0].headers["authorization"] == "Bearer t"
        many = "query A { items { id } } query B { items { name } }"
        chosen = await call(input="/graphql", query=many, operation_name="B")
        assert chosen.output == {"items": [{"name": "Tea"}]}

    ask(work)


def test_a_mutation_is_sent_only_when_meant() -> None:
    document = 'mutation { rename(id: "7", name: "Chai") { name } }'

    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError, match="the document is a mutation"):
            await call(input="/graphql", query=document)
        assert not server.requests
        result = await call(input="/graphql", query=document, operation="mutation")
        assert result.output == {"rename": {"name": "Chai"}}

    ask(work)


def test_errors_with_data_are_given_and_without_it_raised() -> None:
    async def work(server: WebServer, call: Call) -> None:
        both = await call(input="/graphql", query='{ item(id: "8") { name } items { id } }')
        assert both.output == {"item": None, "items": [{"id": "7"}]}
        assert both.result["errors"][0]["message"] == "no item 8"
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/graphql", query="{ nothing }")
        assert caught.value.code == "tool.graphql"
        assert "Cannot query field 'nothing'" in caught.value.message
        assert caught.value.details["status"] == 400

    ask(work)


def test_introspection_gives_the_schema() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="/graphql", operation="introspection")
        assert "type Item {\n  id: ID!" in result.text
        assert "Things for sale" in result.text
        assert result.result["queries"] == ["item", "items"]
        assert result.result["mutations"] == ["rename"]
        assert result.result["types"]["Item"] == "object"
        for path in ("/odd", "/not"):
            with pytest.raises(LLMSpellError) as caught:
                await call(input=path, operation="introspect")
            assert caught.value.code == "tool.graphql"

    ask(work, **{"/odd": {"data": {"__schema": {"types": 7}}}, "/not": {"data": {}}})


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ item(", "query is no valid GraphQL: Syntax Error"),
        ("", "query is no valid GraphQL"),
        ("fragment F on Item { id }", "query must have an operation"),
        ("{ items { ...F } } fragment F on Item { ...F }", 'the fragment "F" contains itself'),
        ("{ items { ...G } }", 'there is no fragment "G"'),
        ("query A { a } query B { b }", "operation_name is required: one of A, B"),
        ("query ($id: ID!) { item(id: $id) { id } }", "variables.id is required"),
        ("{a" * 50_000, "nested too deep|limit|tokens"),
        ("{ a " * 900 + "}" * 900, "nested too deep"),
    ],
)
def test_mistakes_are_found_before_anything_is_sent(query: str, message: str) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError, match=message) as caught:
            await call(input="/graphql", query=query)
        assert caught.value.code == "input.invalid"
        assert not server.requests

    ask(work)


def test_depth_counts_through_fragments() -> None:
    document = """{ items { ...F } }
    fragment F on Item { ... on Item { related { ...G } } } fragment G on Item { related { id } }"""

    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/graphql", query=document, max_depth=3)
        assert caught.value.code == "limit.query_depth"
        assert "4 deep" in caught.value.message
        assert (await call(input="/graphql", query=document, max_depth=4)).output

    ask(work)


def test_what_is_no_endpoint_is_said_so() -> None:
    async def work(server: WebServer, call: Call) -> None:
        for path, code in (("/page", "tool.graphql"), ("/none", "network.status")):
            with pytest.raises(LLMSpellError) as caught:
                await call(input=path, query="{ a }")
            assert caught.value.code == code

    ask(work, **{"/page": "<h1>Hello"})


def test_a_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/graphql", query="{ a }")
        assert caught.value.hint == "pip install 'llmspell-tools[web]'"

    monkeypatch.setitem(sys.modules, "graphql", None)
    ask(work)
