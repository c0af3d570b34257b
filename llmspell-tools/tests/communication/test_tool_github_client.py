from __future__ import annotations

import base64
from typing import Any

import pytest
from web_test_server import Answer, Call, Request, WebServer, using

from llmspell_core.errors import LLMSpellError
from llmspell_tools.communication.github_client import GithubClient

ISSUE = {
    "number": 7, "title": "A typo", "state": "open", "body": "In line 3.", "comments": 1,
    "user": {"login": "ada"}, "labels": [{"name": "docs"}], "assignees": [{"login": "bo"}],
    "html_url": "https://github.com/o/r/issues/7", "created_at": "2026-01-01T00:00:00Z",
    "closed_at": None, "node_id": "x",
}  # fmt: skip
PULL = {
    **ISSUE, "number": 8, "head": {"ref": "fix"}, "base": {"ref": "main"}, "merged": False,
}  # fmt: skip
FILE = {
    "type": "file", "encoding": "base64", "size": 6, "name": "a b.md", "path": "docs/a b.md",
    "content": base64.b64encode("héllo".encode()).decode(), "sha": "abc", "html_url": "https://g/",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "GITHUB", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)


def github(routes: dict[str, Any], work: Any, **own: Any) -> None:
    def settings(server: WebServer) -> dict[str, Any]:
        table = {"base_url": server.url + "/v3", "api_key": "test-token", "repo": "o/r", **own}
        return {"tools": {"github-client": table}}

    using(GithubClient, {f"/v3{path}": route for path, route in routes.items()}, work,
          settings=settings)  # fmt: skip


def test_issues_are_listed_read_made_and_changed() -> None:
    async def work(server: WebServer, call: Call) -> None:
        found = await call(operation="list_issues", labels=["docs", "easy"], assignees="bo")
        assert found.result["count"] == 1
        assert found.text == "#7 A typo"
        assert found.output[0]["labels"] == ["docs"]
        assert found.output[0]["assignees"] == ["bo"]
        first = server.requests[0]
        assert first.query == {
            "state": "open", "labels": "docs,easy", "assignee": "bo", "per_page": "30", "page": "1",
        }  # fmt: skip
        assert first.headers["authorization"] == "Bearer test-token"
        assert first.headers["accept"] == "application/vnd.github+json"
        assert first.headers["x-github-api-version"] == "2022-11-28"
        one = await call(operation="get_issue", number=7)
        assert (one.result["user"], one.result["is_pull"]) == ("ada", False)
        assert "closed_at" not in one.result
        await call(operation="create_issue", title="A typo", body="In line 3.", labels="docs")
        assert server.requests[2].json == {
            "title": "A typo", "labels": ["docs"], "body": "In line 3.",
        }  # fmt: skip
        await call(operation="update_issue", number=7, state="closed")
        assert (server.requests[3].method, server.requests[3].json) == (
            "PATCH", {"state": "closed"},
        )  # fmt: skip

    def issues(request: Request) -> Any:
        if request.method == "POST":
            return Answer(ISSUE, 201)
        return [ISSUE, {**ISSUE, "number": 8, "pull_request": {"url": "x"}}]

    github({"/repos/o/r/issues": issues, "/repos/o/r/issues/7": ISSUE}, work)


def test_comments() -> None:
    one = {"id": 1, "user": {"login": "bo"}, "body": "Yes.", "html_url": "https://g/"}

    async def work(server: WebServer, call: Call) -> None:
        made = await call(operation="add_comment", number=7, input="Yes.")
        assert made.result["user"] == "bo"
        assert server.requests[0].json == {"body": "Yes."}
        assert (await call(operation="list_comments", number=7)).output[0]["body"] == "Yes."

    github({"/repos/o/r/issues/7/comments": lambda r: one if r.method == "POST" else [one]}, work)


def test_pull_requests() -> None:
    async def work(server: WebServer, call: Call) -> None:
        assert (await call(operation="list_pulls", state="all")).output[0]["head"] == "fix"
        assert (await call(operation="get_pull_request", number=8)).result["is_pull"]
        await call(operation="create_pull", title="Fix", head="fix", input="So.")
        assert server.requests[2].json == {
            "title": "Fix", "head": "fix", "body": "So.", "base": "main",
        }  # fmt: skip
        merged = await call(operation="merge_pull", number=8, merge_method="squash")
        assert merged.output is True
        assert server.requests[3].json == {"merge_method": "squash"}

    routes = {
        "/repos/o/r/pulls": lambda r: PULL if r.method == "POST" else [PULL],
        "/repos/o/r/pulls/8": PULL,
        "/repos/o/r/pulls/8/merge": {"merged": True, "sha": "s", "message": "done"},
    }
    github(routes, work)


def test_files_are_read_and_listed() -> None:
    def large(request: Request) -> Any:
        if request.headers["accept"].startswith("application/vnd.github.raw"):
            return Answer(b"\x89PNG\0\xff", kind="application/octet-stream")
        return {"type": "file", "encoding": "none", "path": "big", "name": "big", "sha": "x"}

    async def work(server: WebServer, call: Call) -> None:
        text = await call(operation="get_file", path="docs/a b.md", ref="dev")
        assert (text.output, text.result["sha"], text.result["size"]) == ("héllo", "abc", 6)
        assert server.requests[0].path == "/v3/repos/o/r/contents/docs/a%20b.md"
        assert server.requests[0].query == {"ref": "dev"}
        big = await call(operation="get_file", path="big")
        assert base64.b64decode(big.output) == b"\x89PNG\0\xff"
        assert big.result["encoding"] == "base64"
        listed = await call(operation="list_files", path="docs")
        assert listed.text == "docs/a b.md\ndocs/x/"
        assert (await call(operation="list_files")).result["count"] == 1
        with pytest.raises(LLMSpellError, match="list_files lists a folder"):
            await call(operation="get_file", path="docs")

    folder = [FILE, {"type": "dir", "name": "x", "path": "docs/x"}]
    routes = {
        "/repos/o/r/contents/docs/a%20b.md": FILE,
        "/repos/o/r/contents/docs": folder,
        "/repos/o/r/contents/big": large,
        "/repos/o/r/contents": [FILE],
    }
    github(routes, work)


def test_files_are_written_and_deleted_by_commits() -> None:
    def contents(request: Request) -> Any:
        if request.method == "GET":
            return FILE if request.path.endswith("/old") else Answer({"message": "no"}, 404)
        made = {"sha": "new", "html_url": "https://g/"} if request.method == "PUT" else None
        return {"content": made, "commit": {"sha": "c0ffee"}}

    async def work(server: WebServer, call: Call) -> None:
        made = await call(operation="put_file", path="new", input="tea", ref="dev")
        assert made.output == "c0ffee"
        assert server.requests[1].json == {
            "message": "Create new", "content": "dGVh", "branch": "dev",
        }  # fmt: skip
        await call(operation="write_file", path="old", input="tea", message="Tea")
        assert server.requests[3].json == {"message": "Tea", "content": "dGVh", "sha": "abc"}
        await call(operation="put_file", path="old", input="tea", sha="seen")
        assert server.requests[4].json["sha"] == "seen"
        await call(operation="delete_file", path="old")
        assert (server.requests[6].method, server.requests[6].json) == (
            "DELETE", {"message": "Delete old", "sha": "abc"},
        )  # fmt: skip
        with pytest.raises(LLMSpellError, match="names no file"):
            await call(operation="delete_file", path="gone")

    github({f"/repos/o/r/contents/{name}": contents for name in ("new", "old", "gone")}, work)


@pytest.mark.parametrize(
    ("kind", "item", "name", "value"),
    [
        ("repositories", {"full_name": "o/r", "stargazers_count": 3}, "stars", 3),
        ("issues", ISSUE, "number", 7),
        ("code", {**FILE, "repository": {"full_name": "o/r"}}, "repository", "o/r"),
        ("users", {"login": "ada", "type": "User"}, "login", "ada"),
    ],
)
def test_searches(kind: str, item: Any, name: str, value: Any) -> None:
    async def work(server: WebServer, call: Call) -> None:
        result = await call(query="tea", search_type=kind, limit=5)
        assert (result.result["total"], result.output[0][name]) == (90, value)
        assert server.requests[0].query == {"q": "tea", "per_page": "5", "page": "1"}

    github({f"/search/{kind}": {"total_count": 90, "items": [item]}}, work)


def test_a_repository() -> None:
    async def work(server: WebServer, call: Call) -> None:
        assert (await call(operation="get_repo", repo="x/y")).result["full_name"] == "x/y"
        assert "authorization" not in server.requests[0].headers

    github({"/repos/x/y": {"full_name": "x/y"}}, work, api_key="")


@pytest.mark.parametrize(
    ("answer", "message", "hint"),
    [
        (Answer({"message": "Not Found"}, 404), "HTTP 404: Not Found", "the token must"),
        (
            Answer({"message": "Validation Failed", "errors": [{"field": "title", "code": "x"}]},
                   422),
            "Validation Failed; title: x",
            "",
        ),
        (
            Answer({"message": "slow"}, 403, {"x-ratelimit-remaining": "0",
                                              "x-ratelimit-reset": "17"}),
            "slow",
            "ends at 17",
        ),
        (Answer("<html>down", 502), "HTTP 502: <html>down", ""),
        ("<html>", "did not answer with JSON", ""),
        ([7], "did not answer in the form", ""),
    ],
)  # fmt: skip
def test_what_github_refuses_is_an_error(answer: Any, message: str, hint: str) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(operation="get_issue", number=7)
        assert message in caught.value.message
        assert hint in (caught.value.hint or "")

    github({"/repos/o/r/issues/7": answer}, work)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"operation": "get_issue"}, "number is required"),
        ({"operation": "get_issue", "repo": "../x"}, 'repo must be like "owner/name"'),
        ({"operation": "get_issue", "repo": "a/b?c"}, "repo must be like"),
        ({"operation": "create_issue"}, "title is required"),
        ({"operation": "update_issue", "number": 7}, "input must be given"),
        ({"operation": "update_issue", "number": 7, "state": "all"}, "state must be open"),
        ({"operation": "comment", "number": 7}, "input is required"),
        ({"operation": "create_pull", "title": "x"}, "head is required"),
        ({"operation": "get_file"}, "path is required"),
        ({"operation": "get_file", "path": "a/../../b"}, "path must be a path inside"),
        ({"operation": "put_file", "path": "a"}, "input is required"),
        ({"operation": "search"}, "input is required"),
        ({"operation": "fork"}, "operation must be one of"),
        ({"operation": "create_issue", "title": "x", "input": "y" * 70_000}, "input is longer"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    async def work(server: WebServer, call: Call) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(**params)
        assert caught.value.code == "input.invalid"
        assert message in caught.value.message
        assert not server.requests

    github({}, work)
