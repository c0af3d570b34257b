from __future__ import annotations

from typing import Any

import pytest
from web_test_server import Answer, Call, Request, WebServer, redirect, using

from llmspell_core.errors import LLMSpellError
from llmspell_tools.web.api_tester import ApiTester, latencies

ITEMS = Answer(
    {"items": [{"id": 7, "name": "Tea"}, {"id": 8}], "next": None, "ok": True},
    headers={"etag": '"abc"', "x-count": "2"},
)


def check(routes: dict[str, Any], work: Any) -> None:
    using(ApiTester, routes, work)


@pytest.mark.parametrize(
    "assertion",
    [
        "status == 200",
        "json.items[0].id == 7",
        "json.items.1.id > 7",
        "json.items length 2",
        "json.items[0].name matches ^T.a$",
        'json.items[0].name == "Tea"',
        "json.items[0].name contains ea",
        "json.next is null",
        "json.ok is boolean",
        "json.ok == true",
        "json.items is array",
        "json.items[0].id is integer",
        "json.other missing",
        "json.items[9] missing",
        "headers.ETag exists",
        "headers.x-count == 2",
        "headers.x-count >= 2",
        "body contains Tea",
        "elapsed_ms < 5000",
        "json.ok != 1",
        {"path": "json.items[1]", "operator": "equals", "value": {"id": 8}},
        {"field": "status", "op": "lt", "expected": 300},
    ],
)
def test_assertions_that_hold(assertion: Any) -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="/", assertions=assertion)
        assert result.output is True, result.text

    check({"*": ITEMS}, work)


@pytest.mark.parametrize(
    ("assertion", "message"),
    [
        ("status == 201", "it is 200"),
        ("json.items[0].id == 8", "it is 7"),
        ("json.nothing.here == 8", "it is missing"),
        ("json.items exists_not", None),
        ("headers.etag missing", "it is there"),
        ("json.items[0].name < 3", 'it is "Tea"'),
        ("json.ok is number", "it is true"),
        ("json.items length 3", 'it is [{"id": 7'),
    ],
)
def test_assertions_that_do_not(assertion: str, message: str | None) -> None:
    async def work(server: WebServer, call: Call) -> None:
        if message is None:
            with pytest.raises(LLMSpellError) as caught:
                await call(input="/", assertions=[assertion])
            assert "assertions.0 must be like" in caught.value.message
            return
        result = await call(input="/", assertions=["status exists", assertion])
        assert result.output is False
        assert message in result.result["failures"][0]["message"]
        assert [one["passed"] for one in result.result["assertions"]] == [True, False]
        assert result.text.startswith("1 of 1 failed")

    check({"*": ITEMS}, work)


def test_status_and_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"items": {"items": {"required": ["id", "name"]}}},
    }

    async def work(server: WebServer, call: Call) -> None:
        assert (await call(input="/", expected_status=[200, 201])).output
        assert not (await call(input="/", expected_status=404)).output
        assert (await call(input="/gone", expected_status=404)).output
        assert not (await call(input="/gone")).output
        failed = (await call(input="/", expected_schema=schema)).result["failures"]
        assert "items" in failed[0]["check"]
        assert "name" in failed[0]["message"]
        plain = (await call(input="/gone", expected_status=404, schema=schema)).result["failures"]
        assert plain[0]["message"] == "the answer is no JSON"

    check({"/": ITEMS, "/gone": Answer("no", 404)}, work)


def test_repeated_requests_give_percentiles() -> None:
    count = 0

    def answer(request: Request) -> Any:
        nonlocal count
        count += 1
        return Answer("", 500) if count == 3 else Answer("ok")

    async def work(server: WebServer, call: Call) -> None:
        result = (await call(input="/", method="post", body={"a": 1}, repeat=5)).result
        assert len(server.requests) == 5
        assert server.requests[0].json == {"a": 1}
        assert (result["succeeded"], result["failed"]) == (4, 1)
        assert result["statuses"] == {"200": 4, "500": 1}
        assert result["failures"] == [
            {"request": 3, "check": "status", "message": "expected 2xx or 3xx, it is 500"}
        ]
        figures = result["latency_ms"]
        assert 0 < figures["min"] <= figures["p50"] <= figures["p95"] <= figures["max"]

    check({"*": answer}, work)


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    figures = latencies([*range(100, 0, -1)])
    assert figures == {
        "min": 1, "mean": 50.5, "max": 100, "p50": 50, "p90": 90, "p95": 95, "p99": 99,
    }  # fmt: skip
    assert latencies([7])["p99"] == 7
    assert latencies([]) == {}


def test_lost_requests_are_failures_and_no_errors() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = (await call(input="/", timeout_ms=100, repeat=2, assertions="status < 500")).result
        assert result["failed"] == 2
        assert "did not answer within 100 ms" in result["failures"][0]["message"]
        assert result["latency_ms"] == {}
        assert result["assertions"][0]["passed"] is False
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/out")
        assert caught.value.code == "policy.network"

    check({"/": Answer("late", delay_s=3), "/out": redirect("http://10.0.0.1/")}, work)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"assertions": ["status"]}, "assertions.0 must be like"),
        ({"assertions": ["body matches ("]}, "assertions.0.value is no valid regular expression"),
        ({"assertions": [{"path": "status", "operator": "near"}]}, "assertions.0.operator"),
        ({"repeat": 0}, "repeat"),
        ({"expected_status": "ok"}, "expected_status"),
        ({"expected_schema": {"$ref": "#/nowhere"}}, "expected_schema"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/", **params)
        assert caught.value.code == "input.invalid"
        assert message in caught.value.message

    check({"*": ITEMS}, work)
