"""Files of a repository on GitHub: listed, read, written and deleted by commits."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from llmspell_core.errors import ToolError
from llmspell_core.tool import ToolResult
from llmspell_tools._parameters import check_size, needed, wrong
from llmspell_tools.communication import _github

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext
    from llmspell_tools.communication.github_client import GithubParameters

_TOOL = "github-client"
_RAW = "application/vnd.github.raw+json"


async def run(params: GithubParameters, ctx: ToolContext, place: str) -> ToolResult:
    """Do one of the operations on files; `place` is the path of the repository."""
    if params.operation != "list_files":
        needed(_TOOL, params.operation, path=params.path or None)
    path = f"{place}/contents/{_checked(params.path or '')}".rstrip("/")
    if params.operation == "list_files":
        return await _list(params, ctx, path)
    if params.operation == "get_file":
        return await _get(params, ctx, path)
    return await _commit(params, ctx, path)


async def _list(params: GithubParameters, ctx: ToolContext, path: str) -> ToolResult:
    answer = _github.value(
        await _github.asked(ctx, params.timeout_ms, "GET", path, params=_ref(params))
    )
    files = [_github.entry(one) for one in (answer if isinstance(answer, list) else [answer])]
    lines = [one["path"] + "/" * (one.get("type") == "dir") for one in files]
    return ToolResult({"files": files, "count": len(files)}, output=files, text="\n".join(lines))


async def _get(params: GithubParameters, ctx: ToolContext, path: str) -> ToolResult:
    answer = _github.value(
        await _github.asked(ctx, params.timeout_ms, "GET", path, params=_ref(params))
    )
    if isinstance(answer, list) or answer.get("type") not in (None, "file"):
        raise wrong(_TOOL, "path", "is no file; list_files lists a folder")
    if answer.get("encoding") == "base64":
        try:
            data = base64.b64decode(answer["content"])
        except binascii.Error:
            raise ToolError("github sent no valid base64", code="tool.bad_answer") from None
    else:
        # Files over 1 MB come without their content.
        raw = await _github.asked(
            ctx, params.timeout_ms, "GET", path, accept=_RAW, params=_ref(params)
        )
        data = raw.content
    result: dict[str, Any] = {**_github.entry(answer), "size": len(data)}
    try:
        result["text"] = data.decode()
    except UnicodeDecodeError:
        result |= {"text": base64.b64encode(data).decode(), "encoding": "base64"}
    return ToolResult(result, output=result["text"])


async def _commit(params: GithubParameters, ctx: ToolContext, path: str) -> ToolResult:
    """Write or delete a file. Without the `sha` that was read, the file as it is now goes."""
    writes = params.operation == "put_file"
    if writes:
        needed(_TOOL, "put_file", input=params.input)
    sha = params.sha or await _sha(params, ctx, path)
    if not writes and sha is None:
        raise wrong(_TOOL, "path", "names no file")
    verb = "Delete" if not writes else "Update" if sha else "Create"
    body: dict[str, Any] = {"message": params.message or f"{verb} {params.path}"}
    if writes:
        data = (params.input or "").encode("utf-8", "surrogatepass")
        check_size(_TOOL, len(data))
        body["content"] = base64.b64encode(data).decode()
    body |= {"sha": sha} if sha else {}
    body |= {"branch": params.ref} if params.ref else {}
    method = "PUT" if writes else "DELETE"
    answer = _github.value(await _github.asked(ctx, params.timeout_ms, method, path, json=body))
    made = answer.get("content") or {}
    result = {
        "path": params.path,
        "sha": made.get("sha"),
        "commit": answer["commit"]["sha"],
        "url": made.get("html_url"),
    }
    return ToolResult(result, output=result["commit"])


async def _sha(params: GithubParameters, ctx: ToolContext, path: str) -> str | None:
    response = await _github.asked(
        ctx, params.timeout_ms, "GET", path, missing_ok=True, params=_ref(params)
    )
    answer = _github.value(response)
    if isinstance(answer, list):
        raise wrong(_TOOL, "path", "is a folder")
    found = answer.get("sha")
    return found if isinstance(found, str) else None


def _ref(params: GithubParameters) -> dict[str, str]:
    return {"ref": params.ref} if params.ref else {}


def _checked(path: str) -> str:
    """The path for a URL: no step of it may lead out of the repository's contents."""
    parts = path.strip("/").split("/") if path.strip("/") else []
    if any(part in ("", ".", "..") for part in parts) or len(path) > 4096:  # noqa: PLR2004
        raise wrong(_TOOL, "path", "must be a path inside the repository")
    return quote("/".join(parts), safe="/", errors="replace")
