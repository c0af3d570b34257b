from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from web_test_server import Answer, Call, Request, WebServer, redirect, using

from llmspell_core.errors import LLMSpellError
from llmspell_tools.web.webhook_caller import WebhookCaller


def hook(routes: dict[str, Any], work: Any) -> None:
    using(WebhookCaller, routes, work)


def busy(times: int, then: Any) -> Any:
    left = [times]

    def answer(request: Request) -> Any:
        left[0] -= 1
        return Answer("busy", 503) if left[0] >= 0 else then

    return answer


def test_a_payload_is_delivered_as_signed_json() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="/", payload={"state": "größer"}, secret="s3cret")
        request = server.requests[0]
        assert request.method == "POST"
        assert request.json == {"state": "größer"}
        assert request.headers["content-type"] == "application/json"
        digest = hmac.new(b"s3cret", request.body, hashlib.sha256).hexdigest()
        assert request.headers["x-hub-signature-256"] == f"sha256={digest}"
        assert request.headers["x-webhook-id"] == result.result["id"]
        assert result.result["delivered"]
        assert (result.result["status"], result.result["attempts"]) == (200, 1)
        assert result.result["signature"] == f"sha256={digest}"
        assert result.text == "thanks"

    hook({"*": "thanks"}, work)


def test_text_and_other_methods_go_as_they_are() -> None:
    async def work(server: WebServer, call: Call) -> None:
        await call(input="/", payload="a=1", method="put", headers={"X-Mine": 7})
        await call(input="/", method="GET")
        await call(input="/")
        put, get, post = server.requests
        assert (put.method, put.body, put.headers["x-mine"]) == ("PUT", b"a=1", "7")
        assert "x-hub-signature-256" not in put.headers
        assert (get.method, get.body, post.body) == ("GET", b"", b"null")

    hook({"*": "ok"}, work)


def test_it_tries_again_with_the_same_id_until_it_is_accepted() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(input="/", payload=[1], backoff_ms=1)
        assert result.result["attempts"] == 3
        assert len({request.headers["x-webhook-id"] for request in server.requests}) == 1

    hook({"*": busy(2, "ok")}, work)


def test_a_refusal_is_an_error_and_not_repeated() -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/gone", payload={}, backoff_ms=1)
        assert caught.value.code == "network.status"
        assert caught.value.details["status"] == 410
        assert "no such hook" in caught.value.message
        assert len(server.requests) == 1
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/busy", payload={}, retries=2, backoff_ms=1)
        assert (caught.value.details["status"], caught.value.retryable) == (503, True)
        assert server.paths.count("/busy") == 3

    hook({"/gone": Answer("no such hook", 410), "/busy": Answer("", 503)}, work)


def test_a_slow_receiver_times_out() -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/", payload={}, timeout_ms=100, max_retries=1, backoff_ms=1)
        assert caught.value.code == "timeout"
        assert len(server.requests) == 2

    hook({"*": Answer("late", delay_s=3)}, work)


def test_the_signature_does_not_leave_with_a_redirect() -> None:
    async def work(server: WebServer, call: Call) -> None:
        other = server.url.replace("127.0.0.1", "127.0.0.2")
        server.routes["/moved"] = redirect(f"{other}/x", 307)
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/moved", payload={}, secret="s3cret", max_retries=0)
        assert caught.value.code == "policy.network"

    hook({}, work)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"payload": {"a": float("nan")}}, "payload is nothing that JSON can hold"),
        ({"payload": {}, "method": "GET"}, "payload must not be sent by GET"),
        ({"headers": {"a": "b\r\nc"}}, "headers.a is no valid header"),
        ({"max_retries": 99}, "max_retries"),
        ({"secret": ""}, "secret"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(input="/", **params)
        assert caught.value.code == "input.invalid"
        assert message in caught.value.message

    hook({"*": "ok"}, work)
