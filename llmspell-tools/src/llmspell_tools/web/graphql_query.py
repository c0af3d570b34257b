"""The tool `graphql-query`: queries, mutations and schemas of GraphQL endpoints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.errors import LimitError, ToolError
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._extras import imported
from llmspell_tools._parameters import MAX_SIZE, Spelled, Text, check_size, needed, wrong
from llmspell_tools._service import check_status
from llmspell_tools.web._request import as_json, check_headers

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext
    from llmspell_core.security.http import HttpResponse

#: With the time that the library takes to be imported for the first time.
_CHECK_MS = 10_000
_SCHEMA_MS = 10_000
_SHOWN = 5


class GraphqlParameters(ToolParameters):
    """Which endpoint, and what to ask."""

    aliases: ClassVar[dict[str, str]] = {"endpoint": "input", "url": "input"}

    input: str = Field(min_length=1, description="The URL of the GraphQL endpoint")
    operation: Annotated[
        Literal["query", "mutation", "introspect"],
        Spelled(introspection="introspect", schema="introspect"),
    ] = Field(
        "query",
        description="query; mutation, so that a document that changes data is sent only when "
        "meant; introspect: the endpoint's schema",
    )
    query: str | None = Field(None, description="The GraphQL document; not for introspect")
    variables: dict[str, Any] = Field(default_factory=dict, description="Values of its variables")
    operation_name: str | None = Field(None, description="Which operation, where it has several")
    headers: dict[str, Text] = Field(default_factory=dict, description="Request headers")
    max_depth: int = Field(15, ge=1, le=200, description="How deep fields may be nested")
    timeout_ms: float = Field(30_000, gt=0, le=300_000, description="In milliseconds")


class GraphqlQuery(Tool):
    """Asks GraphQL endpoints."""

    name = "graphql-query"
    description = (
        "Sends a GraphQL query or mutation, checked for syntax, depth and variables before, and "
        "gives its data and errors; or gives the schema of an endpoint."
    )
    category = "web"
    security_level = "restricted"
    permissions = Permissions(network="the host of the endpoint given")
    open_world = True
    Parameters = GraphqlParameters
    timeout_ms = 330_000
    extra = "web"
    examples = (
        (
            {
                "input": "https://api.example.com/graphql",
                "query": "query ($id: ID!) { item(id: $id) { name } }",
                "variables": {"id": "7"},
            },
            "the item in data",
        ),
        ({"input": "https://api.example.com/graphql", "operation": "introspect"}, "the schema"),
    )

    async def run_tool(self, params: GraphqlParameters, ctx: ToolContext) -> ToolResult:
        imported("graphql", self.name, "web")
        if params.operation == "introspect":
            return await self._introspect(params, ctx)
        needed(self.name, params.operation, query=params.query)
        await self._check(params, ctx)
        body: dict[str, Any] = {"query": params.query, "variables": params.variables}
        if params.operation_name:
            body["operationName"] = params.operation_name
        return self._result(await self._send(params, ctx, body))

    async def _check(self, params: GraphqlParameters, ctx: ToolContext) -> None:
        """Refuse what the server would, or what was not meant, before anything is sent."""
        check_size(self.name, len(params.query or ""), "query")
        found = await ctx.compute(
            "llmspell_tools.web._graphql:check", params.query, timeout_ms=_CHECK_MS
        )
        if "error" in found:
            raise wrong(self.name, "query", f"is no valid GraphQL: {found['error']}")
        operation = self._chosen(params, found["operations"])
        if operation["type"] != params.operation:
            raise wrong(
                self.name,
                "operation",
                f'is "{params.operation}" and the document is a {operation["type"]}',
                hint='operation = "mutation" sends a document that changes data',
            )
        if operation["depth"] > params.max_depth:
            raise LimitError(
                f"{self.name}: fields are nested {operation['depth']} deep",
                code="limit.query_depth",
                hint=f"max_depth is {params.max_depth}",
            )
        missing = [
            name
            for name, required in operation["variables"].items()
            if required and name not in params.variables
        ]
        if missing:
            raise wrong(self.name, f"variables.{missing[0]}", "is required by the document")

    def _chosen(
        self, params: GraphqlParameters, operations: list[dict[str, Any]]
    ) -> dict[str, Any]:
        names = [one["name"] for one in operations]
        if params.operation_name:
            if params.operation_name not in names:
                raise wrong(self.name, "operation_name", "names no operation of the document")
            return operations[names.index(params.operation_name)]
        if not operations:
            raise wrong(self.name, "query", "must have an operation")
        if len(operations) > 1:
            raise wrong(self.name, "operation_name", f"is required: one of {', '.join(names)}")
        return operations[0]

    async def _send(
        self, params: GraphqlParameters, ctx: ToolContext, body: dict[str, Any]
    ) -> HttpResponse:
        headers = {
            "Accept": "application/graphql-response+json, application/json;q=0.9",
            "Content-Type": "application/json",
            **params.headers,
        }
        check_headers(self.name, headers)
        return await ctx.http.request(
            "POST",
            params.input,
            headers=headers,
            content=as_json(self.name, "variables", body),
            timeout_ms=params.timeout_ms,
            max_bytes=MAX_SIZE,
        )

    def _result(self, response: HttpResponse) -> ToolResult:
        answer = _answer(response)
        data, errors = answer.get("data"), answer.get("errors") or []
        if data is None and errors:
            raise ToolError(
                f"{self.name}: {_messages(errors)}",
                code="tool.graphql",
                details={"errors": errors, "status": response.status},
            )
        result: dict[str, Any] = {"data": data, "errors": errors, "status": response.status}
        if "extensions" in answer:
            result["extensions"] = answer["extensions"]
        return ToolResult(result, output=data)

    async def _introspect(self, params: GraphqlParameters, ctx: ToolContext) -> ToolResult:
        if params.query is not None:
            raise wrong(self.name, "query", "must be left out for introspect")
        query = await ctx.compute(
            "llmspell_tools.web._graphql:introspection_query", timeout_ms=_CHECK_MS
        )
        body = {"query": query, "operationName": "IntrospectionQuery"}
        response = await self._send(params, ctx, body)
        data = self._result(response).output
        if not isinstance(data, dict) or "__schema" not in data:
            raise ToolError(f"{self.name}: the endpoint gives no schema", code="tool.graphql")
        made = await ctx.compute(
            "llmspell_tools.web._graphql:describe", json.dumps(data), timeout_ms=_SCHEMA_MS
        )
        if "error" in made:
            raise ToolError(
                f"{self.name}: the endpoint's schema is not valid: {made['error']}",
                code="tool.graphql",
            )
        return ToolResult(made, output=made["schema"])


def _answer(response: HttpResponse) -> dict[str, Any]:
    """The JSON object of a GraphQL answer: servers may send it with any status."""
    try:
        answer = json.loads(response.content)
    except (ValueError, RecursionError):
        answer = None
    if isinstance(answer, dict) and ("data" in answer or isinstance(answer.get("errors"), list)):
        return answer
    check_status(response, response.url)
    raise ToolError(
        f"{response.url} did not answer as a GraphQL endpoint",
        code="tool.graphql",
        details={"status": response.status},
    )


def _messages(errors: list[Any]) -> str:
    texts = [str(one.get("message", one)) if isinstance(one, dict) else str(one) for one in errors]
    more = f" (and {len(texts) - _SHOWN} more)" if len(texts) > _SHOWN else ""
    return "; ".join(text[:300] for text in texts[:_SHOWN]) + more
