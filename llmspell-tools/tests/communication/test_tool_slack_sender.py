from __future__ import annotations

from typing import Any

import pytest
from web_test_server import Answer, Call, Request, WebServer, using

from llmspell_core.errors import LLMSpellError
from llmspell_tools.communication.slack_sender import SlackSender


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK", "SLACK_API_KEY", "SLACK_BOT_TOKEN", "SLACK_BOT_TOKEN_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def slack(routes: dict[str, Any], work: Any, **own: Any) -> None:
    def settings(server: WebServer) -> dict[str, Any]:
        table = {"base_url": f"{server.url}/api/", "api_key": "xoxb-test-token", **own}
        return {"tools": {"slack-sender": table}}

    using(SlackSender, {f"/api/{name}": route for name, route in routes.items()}, work,
          settings=settings)  # fmt: skip


def posted(request: Request) -> dict[str, Any]:
    assert request.headers["authorization"] == "Bearer xoxb-test-token"
    assert request.headers["content-type"] == "application/json"
    body = request.json
    message = {"type": "message", "user": "U1", "ts": "17.1", "text": body.get("text", "")}
    return {"ok": True, "channel": "C1", "ts": "17.1", "message": message}


def test_messages_and_replies_are_sent() -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(channel="#builds", message="Hello *you*")
        assert result.output == "17.1"
        assert result.result == {
            "channel": "C1",
            "ts": "17.1",
            "message": {"text": "Hello *you*", "ts": "17.1", "user": "U1"},
        }
        assert server.requests[0].json == {"channel": "#builds", "text": "Hello *you*"}
        await call(operation="reply", thread_ts="16.9", input="Yes")
        assert server.requests[1].json == {"channel": "C9", "text": "Yes", "thread_ts": "16.9"}
        blocks = [{"type": "divider"}]
        await call(blocks=blocks)
        assert server.requests[2].json == {"channel": "C9", "blocks": blocks}

    slack({"chat.postMessage": posted}, work, channel="C9")


def test_messages_are_changed_and_deleted() -> None:
    async def work(server: WebServer, call: Call) -> None:
        await call(operation="edit", channel="C1", ts="17.1", input="New")
        assert server.requests[0].json == {"channel": "C1", "text": "New", "ts": "17.1"}
        gone = await call(operation="delete", channel="C1", ts="17.1")
        assert server.requests[1].json == {"channel": "C1", "ts": "17.1"}
        assert gone.result["ts"] == "17.1"

    slack({"chat.update": posted, "chat.delete": {"ok": True, "channel": "C1"}}, work)


def test_channels_and_threads_are_read() -> None:
    messages = [{"type": "message", "user": "U1", "text": "Hi", "ts": "1.1", "reply_count": 2}]

    def history(request: Request) -> Answer | dict[str, Any]:
        if request.query.get("cursor") is None:
            return {
                "ok": True, "messages": messages, "has_more": True,
                "response_metadata": {"next_cursor": "abc"},
            }  # fmt: skip
        return {"ok": True, "messages": [], "has_more": False}

    def replies(request: Request) -> dict[str, Any]:
        assert request.query == {"channel": "C1", "limit": "50", "ts": "1.1"}
        return {"ok": True, "messages": messages * 2}

    async def work(server: WebServer, call: Call) -> None:
        first = await call(operation="history", channel="C1", limit=1)
        assert first.output == [{"text": "Hi", "ts": "1.1", "user": "U1", "reply_count": 2}]
        assert first.result["next_cursor"] == "abc"
        assert first.text == "U1: Hi"
        rest = await call(operation="history", channel="C1", cursor="abc")
        assert (rest.result["count"], rest.result["next_cursor"]) == (0, None)
        assert (await call(operation="replies", channel="C1", thread="1.1")).result["count"] == 2
        names = await call(operation="channels")
        assert names.text == "C1 #builds"

    routes = {
        "conversations.history": history,
        "conversations.replies": replies,
        "conversations.list": {"ok": True, "channels": [{"id": "C1", "name": "builds"}]},
    }
    slack(routes, work)


@pytest.mark.parametrize(
    ("answer", "code", "hint"),
    [
        ({"ok": False, "error": "channel_not_found"}, "tool.slack", "invite the app"),
        ({"ok": False, "error": "missing_scope", "needed": "chat:write"}, "tool.slack", "scope"),
        ({"ok": False}, "tool.slack", None),
        (Answer("no", 500), "network.status", None),
        ("<html>", "tool.bad_answer", None),
        ([], "tool.bad_answer", None),
    ],
)
def test_what_slack_refuses_is_an_error(answer: Any, code: str, hint: str | None) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(channel="C1", input="x")
        assert caught.value.code == code
        assert (hint or "") in (caught.value.hint or "")
        assert len(server.requests) == 1

    slack({"chat.postMessage": answer}, work)


def test_reading_waits_when_slack_asks_for_it() -> None:
    def history(request: Request) -> Answer | dict[str, Any]:
        asked.append(request)
        if len(asked) == 1:
            return Answer("", 429, headers={"retry-after": "0"})
        return {"ok": True, "messages": [{"ts": "1"}]}

    asked: list[Request] = []

    async def work(server: WebServer, call: Call) -> None:
        assert (await call(operation="history", channel="C1")).result["count"] == 1

    slack({"conversations.history": history}, work)


def test_the_token_comes_from_the_usual_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(channel="C1", input="x")
        assert caught.value.code == "tool.not_configured"
        monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-test-token")
        assert (await call(channel="C1", input="x")).output == "17.1"

    slack({"chat.postMessage": posted}, work, api_key="")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"input": "x"}, 'channel is required for "send"'),
        ({"channel": "C"}, 'input is required for "send"'),
        ({"channel": "C", "input": "x" * 40_001}, "input"),
        ({"channel": "C", "operation": "reply", "input": "x"}, "thread_ts is required"),
        ({"channel": "C", "operation": "update", "input": "x"}, "ts is required"),
        ({"channel": "C", "operation": "thread"}, "thread_ts is required"),
        ({"operation": "shout"}, "operation must be one of"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(**params)
        assert caught.value.code == "input.invalid"
        assert message in caught.value.message
        assert not server.requests

    slack({"*": {"ok": True}}, work)
