"""GitHub's REST API: how it is asked, what it refuses, and what of its answers is given on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import ToolError
from llmspell_core.security.net import NetworkError
from llmspell_tools._parameters import MAX_SIZE
from llmspell_tools._service import base_url, key_of

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext
    from llmspell_core.security.http import HttpResponse

ADDRESS = "https://api.github.com"
_VERSION = "2022-11-28"
_BAD = 400
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY, _BROKEN = 401, 403, 404, 429, 500
_ISSUE = (
    "number", "title", "state", "state_reason", "body", "comments", "created_at", "updated_at",
    "closed_at", "draft", "merged", "mergeable", "additions", "deletions", "changed_files",
)  # fmt: skip


async def asked(
    ctx: ToolContext,
    timeout_ms: float,
    method: str,
    path: str,
    *,
    accept: str = "application/vnd.github+json",
    missing_ok: bool = False,
    **more: Any,
) -> HttpResponse:
    """An answer of the API; `network.status` with GitHub's own words for a refusal.

    Args:
        ctx: the call's context, whose configuration has base URL and token
        timeout_ms: for the whole exchange
        method: GET, POST, ...
        path: below the base URL
        accept: the media type
        missing_ok: a 404 is an answer like others
        more: `params`, `json`
    """
    headers = {"Accept": accept, "X-GitHub-Api-Version": _VERSION}
    token = key_of(ctx, "github_token", "", "github", "gh_token")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    response = await ctx.http.request(
        method,
        base_url(ctx, ADDRESS) + path,
        headers=headers,
        timeout_ms=timeout_ms,
        max_bytes=MAX_SIZE,
        **more,
    )
    if response.status >= _BAD and not (missing_ok and response.status == _NOT_FOUND):
        raise _refusal(response, token is not None)
    return response


def value(response: HttpResponse) -> Any:
    """The JSON of an answer, None where it has no body."""
    if not response.content:
        return None
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        raise ToolError("github did not answer with JSON", code="tool.bad_answer") from None


def issue(one: dict[str, Any]) -> dict[str, Any]:
    """An issue or a pull request."""
    made = {name: one[name] for name in _ISSUE if one.get(name) is not None}
    made |= {
        "user": (one.get("user") or {}).get("login"),
        "labels": [
            label if isinstance(label, str) else label["name"] for label in one.get("labels") or []
        ],
        "assignees": [who["login"] for who in one.get("assignees") or []],
        "url": one.get("html_url"),
        "is_pull": "pull_request" in one or "head" in one,
    }
    for side in ("head", "base"):
        if side in one:
            made[side] = one[side].get("ref")
    return made


def comment(one: dict[str, Any]) -> dict[str, Any]:
    """A comment of an issue or a pull request."""
    return {
        "id": one.get("id"),
        "user": (one.get("user") or {}).get("login"),
        "body": one.get("body"),
        "created_at": one.get("created_at"),
        "url": one.get("html_url"),
    }


def entry(one: dict[str, Any]) -> dict[str, Any]:
    """A file or folder of a listing, or a match of a search in code."""
    names = ("name", "path", "type", "size", "sha")
    made: dict[str, Any] = {name: one[name] for name in names if name in one}
    if "repository" in one:
        made["repository"] = one["repository"].get("full_name")
    return {**made, "url": one.get("html_url")}


def repository(one: dict[str, Any]) -> dict[str, Any]:
    """A repository."""
    names = ("description", "language", "default_branch", "archived", "private", "updated_at")
    made = {name: one[name] for name in names if one.get(name) is not None}
    return {
        "full_name": one.get("full_name"),
        **made,
        "stars": one.get("stargazers_count"),
        "forks": one.get("forks_count"),
        "open_issues": one.get("open_issues_count"),
        "url": one.get("html_url"),
    }


def user(one: dict[str, Any]) -> dict[str, Any]:
    """A person or an organization."""
    return {"login": one.get("login"), "type": one.get("type"), "url": one.get("html_url")}


def _refusal(response: HttpResponse, has_token: bool) -> NetworkError:
    try:
        answer = json.loads(response.content)
    except (ValueError, RecursionError):
        answer = {}
    answer = answer if isinstance(answer, dict) else {}
    words = str(answer.get("message") or " ".join(response.text[:300].split()))[:300]
    for one in answer.get("errors") or []:
        reason = one.get("message") or one.get("code") if isinstance(one, dict) else one
        where = one.get("field") if isinstance(one, dict) else None
        words += f"; {where}: {reason}" if where else f"; {reason}"
    status = response.status
    limited = status == _TOO_MANY or (
        status == _FORBIDDEN and response.headers.get("x-ratelimit-remaining") == "0"
    )
    return NetworkError(
        f"github answered with HTTP {status}: {words[:1000]}",
        code="network.status",
        hint=_hint(status, has_token, limited, response),
        retryable=limited or status >= _BROKEN,
        details={"status": status},
    )


def _hint(status: int, has_token: bool, limited: bool, response: HttpResponse) -> str | None:
    if limited:
        return f"the rate limit ends at {response.headers.get('x-ratelimit-reset', 'a later time')}"
    if status in (_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND):
        if has_token:
            return "the token must be in force and have access to the repository"
        return "private repositories and changes need GITHUB_TOKEN"
    return None
