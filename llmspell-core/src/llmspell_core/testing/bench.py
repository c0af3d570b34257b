"""`ToolBench`: a place to try a tool: a profile, a folder, recorded answers, and what it used.

    async with ToolBench(profile="medium", network=network, secrets={"weather": "k"}) as bench:
        result = await bench.call(Weather(), city="Oslo")
        assert result.output == 7
        bench.assert_used(hosts=["api.example.com"], secrets=["weather"])

The tool runs through the Runner under the real policy and its gates. Nothing of the user's
configuration, keys and state is seen, and no packet leaves.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from llmspell_core.approval import ApprovalAnswer, ApprovalRequest
from llmspell_core.config.sources import load
from llmspell_core.runtime import Runtime
from llmspell_core.security.audit import AuditLog
from llmspell_core.security.policy import Policy
from llmspell_core.testing.network import RecordedNetwork
from llmspell_core.testing.scripted import Reply, ScriptedProvider

if TYPE_CHECKING:
    from httpcore import AsyncNetworkBackend

    from llmspell_core.events import Event
    from llmspell_core.testing.clock import FakeClock
    from llmspell_core.tool import Tool, ToolResult


@dataclass(frozen=True, slots=True)
class Used:
    """What calls reached for, sorted: with leave, or `denied` (`network api.example.com`).

    Files are relative to the bench's folder where they lie in it: `read data.csv`.
    """

    files: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


class ToolBench:
    """Use it as an async context manager, and `call` tools on it.

    Args:
        profile: the security profile
        security: further `[security]` settings, such as `{"files": {"write": ["out"]}}`
        settings: other settings as data
        folder: the working directory of the tools; an empty one of its own by default
        network: the answers; without it every request fails
        clock: a `FakeClock`, entered with the bench
        secrets: what `ctx.secret` finds
        replies: what the only model answers, in order
        approve: whether calls that must be approved are
    """

    def __init__(
        self,
        *,
        profile: str = "medium",
        security: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        folder: Path | None = None,
        network: RecordedNetwork | None = None,
        clock: FakeClock | None = None,
        secrets: Mapping[str, str] | None = None,
        replies: Iterable[Reply] = (),
        default_reply: Reply = None,
        approve: bool = False,
    ) -> None:
        self.network = network or RecordedNetwork()
        self.clock = clock
        self.model = ScriptedProvider(*replies, default=default_reply)
        self.asked: list[ApprovalRequest] = []
        self.events: list[Event] = []
        self._folder = folder
        self._approve = approve
        self._given = {
            "default": {"model": f"{self.model.name}/{self.model.default_model}"},
            "state": {"backend": "memory"},
            **(settings or {}),
            "security": {"profile": profile, **(security or {})},
        }
        self._lines = _Lines()
        self._secrets = _Secrets(dict(secrets or {}))
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            folder = self._folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self.folder = folder.resolve()
            if self.clock is not None:
                stack.enter_context(self.clock)
            # Relative paths of the settings begin in the folder.
            loaded = load(data=self._given, cwd=self.folder)
            self.runtime = await stack.enter_async_context(Runtime(loaded, approver=self))
            self.runtime.policy = self._policy(self.runtime.policy)
            self.runtime.add_provider(self.model)
            # Where it is looked up the first time.
            self.runtime.__dict__["secrets"] = self._secrets
            self.runtime.base.events.subscribe("tool.progress", self.events.append)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def _policy(self, opened: Policy) -> Policy:
        audit = AuditLog(None, redactor=self.runtime.redactor)
        # A path, so that the gates report; the lines are kept instead of written.
        audit.path, audit._file = Path(os.devnull), cast("Any", self._lines)
        return Policy(
            opened.profile,
            project=self.folder,
            cwd=self.folder,
            audit=audit,
            redactor=self.runtime.redactor,
            resolver=self.network.resolve,
            connector=cast("AsyncNetworkBackend", self.network),
        )

    async def ask(self, request: ApprovalRequest) -> ApprovalAnswer:
        """The bench approves calls itself; they are kept in `asked`."""
        self.asked.append(request)
        return ApprovalAnswer("approve" if self._approve else "deny")

    async def call(
        self,
        tool: Tool,
        params: dict[str, Any] | None = None,
        /,
        *,
        chosen_by_model: bool = False,
        **fields: Any,
    ) -> ToolResult:
        """Call a tool with these parameters, as a script does; a failure is raised.

        Args:
            tool: the tool
            params: its parameters, `fields` beside them
            chosen_by_model: as a model does: the policy may ask first
            fields: parameters by name
        """
        if self.clock is not None:
            self.clock.shown_to(getattr(tool, "function", type(tool)).__module__)
        ctx = self.runtime.context(overlay=self.runtime.base.child())
        try:
            return await self.runtime.runner.run_tool(
                tool, {**(params or {}), **fields}, ctx, chosen_by_model=chosen_by_model
            )
        finally:
            await ctx.overlay.close()
            await self.runtime.base.events.drain()

    @property
    def used(self) -> Used:
        """What all calls so far reached for."""
        found: dict[str, set[str]] = {name: set() for name in Used.__slots__}
        for one in self._lines.read():
            self._sort_in(found, one)
        found["hosts"] |= {_host(one.headers["host"]) for one in self.network.requests}
        found["secrets"] = set(self._secrets.asked)
        return Used(**{name: tuple(sorted(values)) for name, values in found.items()})

    def forget(self) -> None:
        """Forget what was used so far."""
        self._lines.clear()
        self._secrets.asked.clear()
        self.network.requests.clear()

    def assert_used(
        self,
        *,
        files: Iterable[str] = (),
        hosts: Iterable[str] = (),
        processes: Iterable[str] = (),
        environment: Iterable[str] = (),
        secrets: Iterable[str] = (),
    ) -> None:
        """Fail unless calls have used exactly these, and were refused nothing.

        Args:
            files: as `read data.csv`, `write out/x.txt`
            hosts: names without port
            processes: names of programs
            environment: names of variables
            secrets: names of secrets
        """
        wanted = Used(
            *(tuple(sorted(one)) for one in (files, hosts, processes, environment, secrets))
        )
        if self.used != wanted:
            raise AssertionError(f"used {self.used}\nbut expected {wanted}")

    def assert_declared(self, tool: Tool) -> None:
        """Fail where calls have used what the tool's `permissions` do not declare."""
        declared, used = tool.permissions, self.used
        kinds = {
            "files": (used.files, declared.files),
            "network": (used.hosts, declared.network),
            "processes": (used.processes, declared.processes),
            "environment": (used.environment, declared.environment),
        }
        if used.processes:
            # A program begins in a folder, and with the few variables that the policy names.
            del kinds["files"], kinds["environment"]
        missing = [
            f"{kind}: {found}" for kind, (found, said) in kinds.items() if found and not said
        ]
        if missing:
            raise AssertionError(f"{tool.name} does not declare {'; '.join(missing)}")

    def _sort_in(self, found: dict[str, set[str]], one: dict[str, Any]) -> None:
        gate, target = str(one["gate"]), str(one["target"])
        if gate.startswith("files."):
            target = f"{gate.removeprefix('files.')} {self._relative(target)}"
        elif gate == "network":
            target = _host(target)
        elif gate == "process":
            target = Path(target).name
        names = {"files": "files", "network": "hosts", "process": "processes", "env": "environment"}
        kind = names.get(gate.partition(".")[0])
        if one["verdict"] == "deny":
            found["denied"].add(f"{gate.partition('.')[0]} {target}")
        elif kind is not None:
            found[kind].add(target)

    def _relative(self, path: str) -> str:
        whole = Path(path)
        if whole.is_relative_to(self.folder):
            return whole.relative_to(self.folder).as_posix()
        return path


def _host(text: str) -> str:
    head, colon, tail = text.rpartition(":")
    return head.strip("[]") if colon and tail.isdigit() else text


class _Lines:
    """The audit log's file, in memory."""

    def __init__(self) -> None:
        self._all: list[str] = []

    def write(self, line: str) -> None:
        self._all.append(line)

    def read(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._all]

    def clear(self) -> None:
        self._all.clear()

    def close(self) -> None:
        """Nothing is open."""


class _Secrets:
    """The secrets of the bench, in place of those of the user."""

    def __init__(self, given: dict[str, str]) -> None:
        self._given = given
        self.asked: list[str] = []

    def get(self, name: str) -> str | None:
        self.asked.append(name)
        return self._given.get(name)
