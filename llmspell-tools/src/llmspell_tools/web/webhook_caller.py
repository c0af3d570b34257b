"""The tool `webhook-caller`: delivers an event to a webhook, signed and repeated until accepted."""

from __future__ import annotations

import hashlib
import hmac
import time
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Text, check_size, wrong
from llmspell_tools._service import check_status
from llmspell_tools.web._request import Body, Method, add_json_type, as_json, check_headers
from llmspell_tools.web._retry import repeated

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_SIGNATURE = "X-Hub-Signature-256"


class WebhookParameters(ToolParameters):
    """Where to, and what."""

    aliases: ClassVar[dict[str, str]] = {
        "url": "input",
        "body": "payload",
        "data": "payload",
        "retries": "max_retries",
    }

    input: str = Field(min_length=1, description="The URL of the webhook")
    payload: Body | None = Field(None, description="What to deliver: a table sent as JSON, or text")
    headers: dict[str, Text] = Field(default_factory=dict, description="Further headers")
    method: Method = Field("POST", description="The HTTP method")
    max_retries: int = Field(
        3, ge=0, le=10, description="Further attempts after a lost connection, 429 or 5xx"
    )
    backoff_ms: float = Field(
        500, ge=0, le=60_000, description="Wait before the first of them; doubled each time"
    )
    timeout_ms: float = Field(
        10_000, gt=0, le=300_000, description="For each attempt, in milliseconds"
    )
    secret: str | None = Field(
        None,
        min_length=1,
        description=f"Sign the body: HMAC-SHA256 in {_SIGNATURE}, as `sha256=` and hex digits",
    )


class WebhookCaller(Tool):
    """Calls webhooks."""

    name = "webhook-caller"
    description = (
        "Delivers a JSON payload to a webhook URL, signed with HMAC-SHA256 where a secret is "
        "given, and tries again while the receiver is busy or away."
    )
    category = "web"
    security_level = "restricted"
    permissions = Permissions(network="the host of the URL given")
    open_world = True
    Parameters = WebhookParameters
    timeout_ms = 660_000
    examples = (
        (
            {
                "input": "https://hooks.example.com/builds",
                "payload": {"build": 12, "state": "passed"},
                "secret": "shared-secret",
            },
            "delivered, with the status of the answer",
        ),
    )

    async def run_tool(self, params: WebhookParameters, ctx: ToolContext) -> ToolResult:
        body = self._body(params)
        headers = {
            "X-Webhook-Id": uuid.uuid4().hex,
            "X-Webhook-Timestamp": str(int(time.time())),
            **params.headers,
        }
        if not isinstance(params.payload, (str, bytes)):
            add_json_type(headers)
        if params.secret is not None:
            headers[_SIGNATURE] = signature(params.secret, body)
        check_headers(self.name, headers)
        response, attempts = await repeated(
            ctx,
            lambda: ctx.http.request(
                params.method,
                params.input,
                headers=headers,
                content=body,
                timeout_ms=params.timeout_ms,
            ),
            attempts=params.max_retries + 1,
            backoff_ms=params.backoff_ms,
        )
        check_status(response, response.url)
        result = {
            "delivered": True,
            "status": response.status,
            "attempts": attempts,
            "id": headers["X-Webhook-Id"],
            "body": response.text,
            "url": response.url,
            "elapsed_ms": response.elapsed_ms,
        }
        if params.secret is not None:
            result["signature"] = headers[_SIGNATURE]
        text = response.text or f"delivered: HTTP {response.status}"
        return ToolResult(result, text=text)

    def _body(self, params: WebhookParameters) -> bytes:
        payload: Any = params.payload
        if isinstance(payload, str):
            payload = payload.encode("utf-8", "surrogatepass")
        body = payload if isinstance(payload, bytes) else as_json(self.name, "payload", payload)
        check_size(self.name, len(body), "payload")
        if params.method in ("GET", "HEAD") and params.payload is not None:
            raise wrong(self.name, "payload", f"must not be sent by {params.method}")
        return b"" if params.payload is None and params.method in ("GET", "HEAD") else body


def signature(secret: str, body: bytes) -> str:
    """`sha256=` and the HMAC-SHA256 of the body in hex, as GitHub signs what it delivers."""
    key = secret.encode("utf-8", "surrogatepass")
    return "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
