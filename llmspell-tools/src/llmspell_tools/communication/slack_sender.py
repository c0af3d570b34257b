"""The tool `slack-sender`: messages and threads of Slack, by its Web API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.errors import ToolError
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Spelled, Text, needed
from llmspell_tools._service import (
    base_url,
    check_status,
    documented,
    json_object,
    needed_key,
    option,
)
from llmspell_tools.web._retry import repeated

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_TOO_MANY = 429
_HINTS = {
    "channel_not_found": "name the channel by its ID, and invite the app to it",
    "not_in_channel": "invite the app to the channel",
    "invalid_auth": "SLACK_BOT_TOKEN must be a bot token (xoxb-…) that is in force",
    "missing_scope": "give the app the scope that Slack names in `details.needed`",
}
#: Slack's own limit for the text of a message.
_LONGEST = 40_000


class SlackParameters(ToolParameters):
    """What to do, where, and with which message."""

    aliases: ClassVar[dict[str, str]] = {
        "message": "input",
        "thread": "thread_ts",
        "max_results": "limit",
    }

    operation: Annotated[
        Literal["send", "reply", "update", "delete", "history", "thread", "channels"],
        Spelled(
            send_message="send",
            post="send",
            edit="update",
            messages="history",
            replies="thread",
            list_channels="channels",
        ),
    ] = Field(
        "send",
        description="send; reply in a thread; update or delete a message; history of a channel; "
        "the messages of a thread; channels: their names and IDs",
    )
    input: Text | None = Field(
        None, max_length=_LONGEST, description="The text, with Slack's markup"
    )
    channel: str | None = Field(
        None, description="ID or #name; else the one of [tools.slack-sender]"
    )
    thread_ts: Text | None = Field(None, description="reply, thread: `ts` of its first message")
    ts: Text | None = Field(None, description="update, delete: `ts` of the message")
    blocks: list[dict[str, Any]] | None = Field(
        None, max_length=50, description="Block Kit blocks, beside or instead of the text"
    )
    limit: int = Field(50, ge=1, le=200, description="history, thread, channels: how many")
    cursor: str | None = Field(None, description="`next_cursor` of the page before")
    timeout_ms: float = Field(20_000, gt=0, le=120_000, description="In milliseconds")


class SlackSender(Tool):
    """Sends and reads messages of Slack."""

    name = "slack-sender"
    description = (
        "Sends a message to a Slack channel or thread, changes or deletes one, and reads channels "
        "and threads."
    )
    category = "communication"
    security_level = "restricted"
    permissions = Permissions(
        network="slack.com, or base_url of [tools.slack-sender]",
        secrets=("slack", "slack_bot_token"),
    )
    destructive = True
    open_world = True
    Parameters = SlackParameters
    timeout_ms = 300_000
    examples = (
        ({"channel": "#builds", "input": "Build 12 has *passed*."}, "the `ts` of the message"),
        (
            {"operation": "reply", "channel": "C012AB3CD", "thread_ts": "1700000000.000100",
             "input": "Thank you."},
            "the `ts` of the reply",
        ),
        ({"operation": "history", "channel": "C012AB3CD", "limit": 5}, "the last messages"),
    )  # fmt: skip

    async def run_tool(self, params: SlackParameters, ctx: ToolContext) -> ToolResult:
        if params.operation == "channels":
            return await self._channels(params, ctx)
        channel = params.channel or option(ctx, "", "channel", "") or None
        needed(self.name, params.operation, channel=channel)
        if params.operation in ("history", "thread"):
            return await self._read(params, ctx, str(channel))
        return await self._write(params, ctx, str(channel))

    async def _write(self, params: SlackParameters, ctx: ToolContext, channel: str) -> ToolResult:
        operation = params.operation
        if operation in ("update", "delete"):
            needed(self.name, operation, ts=params.ts)
        if operation == "reply":
            needed(self.name, operation, thread_ts=params.thread_ts)
        body: dict[str, Any] = {"channel": channel}
        if operation != "delete":
            if params.blocks is None:
                needed(self.name, operation, input=params.input or None)
            body |= {"text": params.input, "blocks": params.blocks, "thread_ts": params.thread_ts}
        if operation in ("update", "delete"):
            body |= {"ts": params.ts, "thread_ts": None}
        method = {"update": "chat.update", "delete": "chat.delete"}.get(
            operation, "chat.postMessage"
        )
        body = {name: value for name, value in body.items() if value is not None}
        answer = await self._asked(ctx, params.timeout_ms, "POST", method, json=body)
        result = {"channel": answer.get("channel", channel), "ts": answer.get("ts", params.ts)}
        if isinstance(answer.get("message"), dict):
            result["message"] = _message(answer["message"])
        return ToolResult(result, output=result["ts"])

    async def _read(self, params: SlackParameters, ctx: ToolContext, channel: str) -> ToolResult:
        query: dict[str, Any] = {"channel": channel, "limit": params.limit}
        method = "conversations.history"
        if params.operation == "thread":
            needed(self.name, "thread", thread_ts=params.thread_ts)
            query["ts"], method = params.thread_ts, "conversations.replies"
        answer = await self._asked(
            ctx, params.timeout_ms, "GET", method, params=_paged(query, params)
        )
        with documented("slack"):
            messages = [_message(one) for one in answer.get("messages") or []]
            result = {"messages": messages, "count": len(messages), **_next(answer)}
        lines = [f"{one.get('user', '?')}: {one['text']}" for one in messages]
        return ToolResult(result, output=messages, text="\n".join(lines))

    async def _channels(self, params: SlackParameters, ctx: ToolContext) -> ToolResult:
        query = {"limit": params.limit, "exclude_archived": "true"}
        answer = await self._asked(
            ctx, params.timeout_ms, "GET", "conversations.list", params=_paged(query, params)
        )
        with documented("slack"):
            channels = [
                {name: one.get(name) for name in ("id", "name", "is_private", "is_member")}
                for one in answer.get("channels") or []
            ]
            result = {"channels": channels, "count": len(channels), **_next(answer)}
        lines = [f"{one['id']} #{one['name']}" for one in channels]
        return ToolResult(result, output=channels, text="\n".join(lines))

    async def _asked(
        self, ctx: ToolContext, timeout_ms: float, verb: str, method: str, **more: Any
    ) -> dict[str, Any]:
        """Slack's answer; it says by `ok` whether it did what it was asked."""
        token = needed_key(ctx, "slack_bot_token", "", "slack")
        url = f"{base_url(ctx, 'https://slack.com/api')}/{method}"
        response, _ = await repeated(
            ctx,
            lambda: ctx.http.request(
                verb,
                url,
                headers={"Authorization": f"Bearer {token}"},
                timeout_ms=timeout_ms,
                **more,
            ),
            # A message of which it is not known whether it arrived must not come twice.
            attempts=3 if verb == "GET" else 1,
            backoff_ms=500,
            statuses=(_TOO_MANY,),
        )
        check_status(response, "slack")
        answer = json_object(response, "slack")
        if answer.get("ok"):
            return answer
        reason = str(answer.get("error", "unknown error"))
        raise ToolError(
            f"slack: {reason}",
            code="tool.slack",
            hint=_HINTS.get(reason),
            details={name: answer[name] for name in ("error", "needed") if name in answer},
            retryable=reason in ("ratelimited", "service_unavailable", "internal_error"),
        )


def _message(one: dict[str, Any]) -> dict[str, Any]:
    names = ("ts", "user", "bot_id", "thread_ts", "reply_count", "subtype")
    return {"text": str(one.get("text") or "")} | {n: one[n] for n in names if one.get(n)}


def _paged(query: dict[str, Any], params: SlackParameters) -> dict[str, Any]:
    return {**query, "cursor": params.cursor} if params.cursor else query


def _next(answer: dict[str, Any]) -> dict[str, Any]:
    cursor = (answer.get("response_metadata") or {}).get("next_cursor")
    return {"next_cursor": cursor or None}
