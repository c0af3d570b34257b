"""The tool `github-client`: issues, pull requests, files and searches of GitHub."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Names, Spelled, Text, needed, wrong
from llmspell_tools._service import documented, option
from llmspell_tools.communication import _github, _github_files

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_LONGEST = 65_536

Operation = Literal[
    "list_issues", "get_issue", "create_issue", "update_issue", "list_comments", "comment",
    "list_pulls", "get_pull", "create_pull", "merge_pull", "list_files", "get_file", "put_file",
    "delete_file", "search", "get_repository",
]  # fmt: skip


class GithubParameters(ToolParameters):
    """What to do, where."""

    aliases: ClassVar[dict[str, str]] = {
        "repository": "repo",
        "body": "input",
        "query": "input",
        "issue_number": "number",
        "branch": "ref",
        "commit_message": "message",
        "limit": "max_results",
    }

    operation: Annotated[
        Operation,
        Spelled(
            create_comment="comment",
            add_comment="comment",
            list_pull_requests="list_pulls",
            get_pull_request="get_pull",
            create_pull_request="create_pull",
            merge_pull_request="merge_pull",
            read_file="get_file",
            write_file="put_file",
            get_repo="get_repository",
        ),
    ] = Field("search", description="What to do")
    repo: str | None = Field(
        None, description="owner/name; else the one of [tools.github-client]; not for search"
    )
    input: Text | None = Field(
        None,
        description="create, update, comment: the body; put_file: the content; search: the query",
    )
    number: int | None = Field(None, ge=1, description="Of the issue or pull request")
    title: Text | None = Field(None, max_length=256, description="create, update: the title")
    state: Annotated[Literal["open", "closed", "all"], Spelled()] | None = Field(
        None, description="list: which (open); update_issue: open or closed"
    )
    labels: Names | None = Field(None, description="list: only with these; create, update: set")
    assignees: Names | None = Field(None, description="create, update: who; list: the first")
    head: str | None = Field(None, description="create_pull: the branch with the changes")
    base: str | None = Field(None, description="create_pull: the branch to merge into (main)")
    merge_method: Literal["merge", "squash", "rebase"] = Field("merge", description="merge_pull")
    path: str | None = Field(None, description="*_file, list_files: the path in the repository")
    ref: str | None = Field(None, description="Files: a branch, tag or commit; the default branch")
    message: Text | None = Field(None, description="put_file, delete_file: of the commit")
    sha: str | None = Field(None, description="put_file, delete_file: of the file as it was read")
    search_type: Literal["issues", "code", "repositories", "users"] = Field(
        "repositories", description="search: what"
    )
    max_results: int = Field(30, ge=1, le=100, description="list, search: how many a page")
    page: int = Field(1, ge=1, le=1000, description="list, search: which page")
    timeout_ms: float = Field(30_000, gt=0, le=120_000, description="In milliseconds")


class GithubClient(Tool):
    """Works with repositories on GitHub."""

    name = "github-client"
    description = (
        "Reads and writes issues, comments, pull requests and files of a GitHub repository, and "
        "searches issues, code, repositories and users."
    )
    category = "communication"
    security_level = "restricted"
    permissions = Permissions(
        network="api.github.com, or base_url of [tools.github-client]",
        secrets=("github_token", "github", "gh_token"),
    )
    destructive = True
    open_world = True
    Parameters = GithubParameters
    timeout_ms = 300_000
    examples = (
        (
            {"operation": "search", "search_type": "repositories", "input": "lua language:python"},
            "repositories",
        ),
        (
            {"operation": "create_issue", "repo": "octocat/hello-world", "title": "A typo",
             "input": "In line 3.", "labels": ["docs"]},
            "number and url of the issue",
        ),
        (
            {"operation": "get_file", "repo": "octocat/hello-world", "path": "README.md"},
            "the text of the file",
        ),
    )  # fmt: skip

    async def run_tool(self, params: GithubParameters, ctx: ToolContext) -> ToolResult:
        if params.operation == "search":
            return await _Call(params, ctx, "").search()
        repo = params.repo or option(ctx, "", "repo", "") or None
        needed(self.name, params.operation, repo=repo)
        if not _REPOSITORY.fullmatch(str(repo)) or {".", ".."} & {*str(repo).split("/")}:
            raise wrong(self.name, "repo", 'must be like "owner/name"')
        call = _Call(params, ctx, f"/repos/{repo}")
        if params.operation.endswith(("_file", "_files")):
            with documented("github"):
                return await _github_files.run(params, ctx, call.place)
        work: Callable[[], Awaitable[ToolResult]] = getattr(call, params.operation)
        return await work()


class _Call:
    """One call; a method for each operation. `place` is the path of the repository."""

    def __init__(self, params: GithubParameters, ctx: ToolContext, place: str) -> None:
        self.params = params
        self.ctx = ctx
        self.place = place

    async def search(self) -> ToolResult:
        needed("github-client", "search", input=self.params.input or None)
        kind = self.params.search_type
        form = {
            "issues": _github.issue,
            "code": _github.entry,
            "repositories": _github.repository,
            "users": _github.user,
        }[kind]
        answer = await self._ask("GET", f"/search/{kind}", params=self._page(q=self.params.input))
        with documented("github"):
            found = [form(one) for one in answer["items"]]
            result = {"results": found, "count": len(found), "total": answer.get("total_count")}
        return ToolResult(result, output=found)

    async def list_issues(self) -> ToolResult:
        return await self._list("issues")

    async def list_pulls(self) -> ToolResult:
        return await self._list("pulls")

    async def get_issue(self) -> ToolResult:
        return self._one(await self._ask("GET", self._numbered("issues")))

    async def get_pull(self) -> ToolResult:
        return self._one(await self._ask("GET", self._numbered("pulls")))

    async def get_repository(self) -> ToolResult:
        answer = await self._ask("GET", self.place)
        with documented("github"):
            return ToolResult(_github.repository(answer))

    async def create_issue(self) -> ToolResult:
        needed("github-client", "create_issue", title=self.params.title or None)
        body = self._given("title", "labels", "assignees")
        return self._one(await self._ask("POST", f"{self.place}/issues", json=body))

    async def update_issue(self) -> ToolResult:
        if self.params.state == "all":
            raise wrong("github-client", "state", "must be open or closed for update_issue")
        body = self._given("title", "state", "labels", "assignees")
        if not body:
            raise wrong("github-client", "input", "must be given, or title, state, labels …")
        return self._one(await self._ask("PATCH", self._numbered("issues"), json=body))

    async def list_comments(self) -> ToolResult:
        answer = await self._ask("GET", self._numbered("issues") + "/comments", params=self._page())
        with documented("github"):
            found = [_github.comment(one) for one in answer]
        return ToolResult({"comments": found, "count": len(found)}, output=found)

    async def comment(self) -> ToolResult:
        path = self._numbered("issues") + "/comments"
        needed("github-client", "comment", input=self.params.input or None)
        answer = await self._ask("POST", path, json=self._given())
        with documented("github"):
            return ToolResult(_github.comment(answer))

    async def create_pull(self) -> ToolResult:
        params = self.params
        needed("github-client", "create_pull", title=params.title or None, head=params.head)
        body = {**self._given("title", "head"), "base": params.base or "main"}
        return self._one(await self._ask("POST", f"{self.place}/pulls", json=body))

    async def merge_pull(self) -> ToolResult:
        params = self.params
        body = {"merge_method": params.merge_method, **self._given(body="")}
        if params.message is not None:
            body["commit_message"] = params.message
        answer = await self._ask("PUT", self._numbered("pulls") + "/merge", json=body)
        with documented("github"):
            result = {name: answer.get(name) for name in ("merged", "sha", "message")}
        return ToolResult(result, output=result["merged"])

    async def _list(self, kind: str) -> ToolResult:
        params = self.params
        query = self._page(state=params.state or "open")
        if kind == "issues":
            query |= {"labels": ",".join(params.labels)} if params.labels else {}
            query |= {"assignee": params.assignees[0]} if params.assignees else {}
        answer = await self._ask("GET", f"{self.place}/{kind}", params=query)
        with documented("github"):
            found = [_github.issue(one) for one in answer]
        # GitHub counts pull requests as issues.
        found = [one for one in found if kind == "pulls" or not one["is_pull"]]
        lines = [f"#{one['number']} {one['title']}" for one in found]
        return ToolResult({kind: found, "count": len(found)}, output=found, text="\n".join(lines))

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        response = await _github.asked(self.ctx, self.params.timeout_ms, method, path, **more)
        return _github.value(response)

    def _one(self, answer: Any) -> ToolResult:
        with documented("github"):
            return ToolResult(_github.issue(answer))

    def _numbered(self, kind: str) -> str:
        needed("github-client", self.params.operation, number=self.params.number)
        return f"{self.place}/{kind}/{self.params.number}"

    def _page(self, **more: Any) -> dict[str, Any]:
        return {**more, "per_page": self.params.max_results, "page": self.params.page}

    def _given(self, *names: str, body: str = "body") -> dict[str, Any]:
        """The parameters of these names that were given, and the input as the body."""
        found = {name: getattr(self.params, name) for name in names}
        if body and self.params.input is not None:
            if len(self.params.input) > _LONGEST:
                raise wrong("github-client", "input", f"is longer than {_LONGEST} characters")
            found[body] = self.params.input
        return {name: value for name, value in found.items() if value is not None}
