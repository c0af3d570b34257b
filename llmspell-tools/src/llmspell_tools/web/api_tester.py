"""The tool `api-tester`: requests an endpoint, checks what it answers, and measures how fast."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from llmspell_core.errors import DeadlineError, LLMSpellError, PolicyError, ValidationError
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Text, check_size, wrong
from llmspell_tools.web._assertions import Check, Sentence
from llmspell_tools.web._request import Body, Method, add_json_type, as_json, check_headers

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext
    from llmspell_core.security.http import HttpResponse

_MOST_FAILURES = 100
_SCHEMA_MS = 2_000


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [] if value in (None, {}) else [value]


class TestParameters(ToolParameters):
    """A request, and what its answer must be."""

    __test__ = False
    aliases: ClassVar[dict[str, str]] = {
        "url": "input",
        "count": "repeat",
        "schema": "expected_schema",
    }

    input: str = Field(min_length=1, description="The URL of the endpoint")
    method: Method = Field("GET", description="The HTTP method")
    headers: dict[str, Text] = Field(default_factory=dict, description="Request headers")
    body: Body | None = Field(None, description="The body: text, or a table sent as JSON")
    timeout_ms: float = Field(
        30_000, gt=0, le=300_000, description="For each request, in milliseconds"
    )
    expected_status: Annotated[list[int], BeforeValidator(_listed)] = Field(
        default_factory=list, description="Status, or a list of them; else any 2xx or 3xx"
    )
    expected_schema: dict[str, Any] | None = Field(
        None, description="JSON schema of the JSON that must come"
    )
    assertions: Annotated[list[Sentence], BeforeValidator(_listed)] = Field(
        default_factory=list,
        max_length=100,
        description='What must hold: "json.items[0].id == 7", "headers.etag exists", '
        '"elapsed_ms < 500", or {path, operator, value}',
    )
    repeat: int = Field(1, ge=1, le=1000, description="How many requests to send, one by one")
    follow_redirects: bool = Field(True, description="Follow redirects, up to ten")


class ApiTester(Tool):
    """Tests HTTP endpoints."""

    name = "api-tester"
    description = (
        "Sends one or more requests to an HTTP endpoint, checks status, JSON schema and "
        "assertions, and gives the failures and the percentiles of the latency."
    )
    category = "web"
    security_level = "restricted"
    permissions = Permissions(network="the host of the URL given")
    open_world = True
    Parameters = TestParameters
    timeout_ms = 660_000
    examples = (
        (
            {
                "input": "https://api.example.com/items",
                "expected_status": 200,
                "assertions": ["json.items length 3", "elapsed_ms < 500"],
                "repeat": 20,
            },
            "passed, failures and latency_ms with p50, p95 and p99",
        ),
    )

    async def run_tool(self, params: TestParameters, ctx: ToolContext) -> ToolResult:
        request = self._request(params)
        checks = [Check.of(self.name, i, one) for i, one in enumerate(params.assertions)]
        series = _Series(params, checks)
        for number in range(1, params.repeat + 1):
            if ctx.cancelled:
                raise DeadlineError(f"{self.name}: {number - 1} requests took too long")
            try:
                response = await ctx.http.request(params.method, **request)
            except (PolicyError, ValidationError):
                raise
            except LLMSpellError as error:
                series.lost(number, error)
            else:
                await self._judge(series, ctx, number, response)
            if params.repeat > 1:
                ctx.progress(number, params.repeat, "requests")
        return series.result()

    def _request(self, params: TestParameters) -> dict[str, Any]:
        headers = dict(params.headers)
        content: Any = params.body
        if isinstance(content, (dict, list)):
            content = as_json(self.name, "body", content)
            add_json_type(headers)
        check_size(self.name, len(content or ""), "body")
        check_headers(self.name, headers)
        return {
            "url": params.input,
            "headers": headers,
            "content": content,
            "timeout_ms": params.timeout_ms,
            "follow_redirects": params.follow_redirects,
        }

    async def _judge(
        self, series: _Series, ctx: ToolContext, number: int, response: HttpResponse
    ) -> None:
        """Hold one answer against all that is expected."""
        series.statuses[response.status] += 1
        series.times.append(response.elapsed_ms)
        expected = series.params.expected_status
        good = response.status in expected if expected else response.status < 400  # noqa: PLR2004
        if not good:
            words = " or ".join(map(str, expected)) or "2xx or 3xx"
            series.fail(number, "status", f"expected {words}, it is {response.status}")
        answer = _answer(response)
        for place, check in enumerate(series.checks):
            reason = check.failure(answer)
            if reason is not None:
                series.fail(number, check.words, reason)
                series.broken[place] += 1
        if series.params.expected_schema is not None:
            await self._judge_schema(series, ctx, number, answer)
        series.last = answer

    async def _judge_schema(
        self, series: _Series, ctx: ToolContext, number: int, answer: dict[str, Any]
    ) -> None:
        if "json" not in answer:
            series.fail(number, "schema", "the answer is no JSON")
            return
        schema = as_json(self.name, "expected_schema", series.params.expected_schema)
        found = json.loads(
            await ctx.compute(
                "llmspell_tools.data._schema:mistakes",
                schema.decode("utf-8", "replace"),
                json.dumps(answer["json"]),
                timeout_ms=_SCHEMA_MS,
            )
        )
        if "error" in found:
            raise wrong(self.name, "expected_schema", f"cannot be used: {found['error']}")
        for one in found["errors"]:
            series.fail(number, f"schema: {one['path'] or 'the value'}", one["message"])


class _Series:
    """What came of the requests so far."""

    def __init__(self, params: TestParameters, checks: list[Check]) -> None:
        self.params = params
        self.checks = checks
        self.statuses: Counter[int] = Counter()
        self.times: list[float] = []
        self.failures: list[dict[str, Any]] = []
        self.failed: set[int] = set()
        self.broken = [0] * len(checks)
        self.unanswered = 0
        self.last: dict[str, Any] = {}

    def fail(self, number: int, check: str, message: str) -> None:
        self.failed.add(number)
        if len(self.failures) < _MOST_FAILURES:
            self.failures.append({"request": number, "check": check, "message": message})

    def lost(self, number: int, error: LLMSpellError) -> None:
        self.unanswered += 1
        self.fail(number, "answer", error.message)

    def result(self) -> ToolResult:
        count = self.params.repeat
        passed = not self.failed
        result = {
            "passed": passed,
            "requests": count,
            "succeeded": count - len(self.failed),
            "failed": len(self.failed),
            "failures": self.failures,
            "assertions": [
                {"assertion": check.words, "passed": not times + self.unanswered}
                for check, times in zip(self.checks, self.broken, strict=True)
            ],
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "latency_ms": latencies(self.times),
            "status": self.last.get("status"),
            "headers": self.last.get("headers", {}),
            "body": self.last.get("body", ""),
        }
        return ToolResult(result, output=passed, text=_words(result))


def latencies(times: Sequence[float]) -> dict[str, float]:
    """Least, mean, most and percentiles (nearest rank) in milliseconds; empty without any."""
    if not times:
        return {}
    ordered = sorted(times)

    def rank(percent: float) -> float:
        return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]

    figures = {
        "min": ordered[0],
        "mean": sum(ordered) / len(ordered),
        "max": ordered[-1],
        **{f"p{percent}": rank(percent) for percent in (50, 90, 95, 99)},
    }
    return {name: round(value, 3) for name, value in figures.items()}


def _answer(response: HttpResponse) -> dict[str, Any]:
    """What assertions are about; `json` only where the body is JSON."""
    answer: dict[str, Any] = {
        "status": response.status,
        "headers": response.headers,
        "body": response.text,
        "elapsed_ms": response.elapsed_ms,
        "url": response.url,
    }
    try:
        answer["json"] = json.loads(response.content)
    except (ValueError, RecursionError):
        return answer
    return answer


def _words(result: dict[str, Any]) -> str:
    figures = result["latency_ms"]
    speed = f", p50 {figures['p50']:g} ms, p95 {figures['p95']:g} ms" if figures else ""
    first = "passed" if result["passed"] else f"{result['failed']} of {result['requests']} failed"
    lines = [f"{first}: {result['requests']} requests{speed}"]
    lines += [f"- {one['check']}: {one['message']}" for one in result["failures"][:10]]
    return "\n".join(lines)
