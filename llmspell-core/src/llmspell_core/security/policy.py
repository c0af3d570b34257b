"""`Policy`: a profile in force in one place: its gates, and the decision about tools."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from llmspell_core.errors import PolicyError
from llmspell_core.security.audit import AuditLog
from llmspell_core.security.env import EnvGate
from llmspell_core.security.limits import LimitsPolicy
from llmspell_core.security.profile import LEVELS, SecurityProfile, tightest
from llmspell_core.security.redact import Redactor

if TYPE_CHECKING:
    from httpcore import AsyncNetworkBackend

    from llmspell_core.security.files import FileGate
    from llmspell_core.security.http import HttpGate
    from llmspell_core.security.modules import ModuleGate
    from llmspell_core.security.net import NetGate, Resolver
    from llmspell_core.security.process import ProcessGate
    from llmspell_core.security.profile import FilesPolicy
    from llmspell_core.security.roots import Layer
    from llmspell_core.tool import Tool

MARKS = ("destructive", "open_world")
#: How many tools' refusals a policy remembers.
MAX_KEPT = 1000


#: Who wants a person to be asked about a call.
Asker = Literal["tool", "policy"]


class Policy:
    """What one run may do.

    Args:
        profile: the rules.
        project: the folder of `llmspell.toml`; relative entries begin here.
        cwd: the working directory; relative paths of tools begin here.
        audit: where decisions are written.
        redactor: what it knows is never handed out by the gate to variables.
        readable: paths named on the command line: readable whatever the profile's roots are.
        protected: files and directories of llmspell itself, denied by all profiles but `none`;
            the usual ones when None.
        resolver: how names become addresses; for tests.
        connector: how connections are made; for tests.
    """

    def __init__(
        self,
        profile: SecurityProfile,
        *,
        project: Path,
        cwd: Path,
        audit: AuditLog | None = None,
        redactor: Redactor | None = None,
        readable: Sequence[str] = (),
        protected: Sequence[Path] | None = None,
        resolver: Resolver | None = None,
        connector: AsyncNetworkBackend | None = None,
    ) -> None:
        self.profile = profile
        self.project = project
        self.cwd = cwd
        self.audit = audit or AuditLog(None)
        self.redactor = redactor or Redactor()
        self._readable = tuple(readable)
        self._protected = protected
        self._resolver = resolver
        self._connector = connector
        self._chain = tuple(profile.chain())
        self._refused: dict[tuple[Any, ...], tuple[str, ...]] = {}
        #: Runs and tools of them that a person approved once and for all, shared with what is
        #: narrowed from here.
        self._approved: set[tuple[str, str, Asker]] = set()
        #: The policy whose network gates this one shares, made when one of both needs them.
        self._network_of: Policy | None = None

    @property
    def limits(self) -> LimitsPolicy:
        """The limits in force."""
        return self.profile.limits

    @cached_property
    def files(self) -> FileGate:
        """The gate to files."""
        from llmspell_core.security.files import FileGate

        return FileGate(self.file_rules, cwd=self.cwd, audit=self._auditing())

    @cached_property
    def file_rules(self) -> list[Layer]:
        """The rules of that gate, one for each profile of the chain."""
        return self._layers([profile.files for profile in self._chain], self._readable)

    @cached_property
    def _module_files(self) -> FileGate:
        """Where modules are read: beside what may be read, in the folders configured for them."""
        from llmspell_core.security.files import FileGate

        rules = [
            profile.files.model_copy(update={"read": (*profile.files.read, *profile.modules.paths)})
            for profile in self._chain
        ]
        return FileGate(self._layers(rules, ()), cwd=self.cwd)

    def _layers(self, rules: Sequence[FilesPolicy], extra: Sequence[str]) -> list[Layer]:
        from llmspell_core.security.roots import layer_of

        protected = [os.path.realpath(path) for path in self._own_places()]
        return [
            layer_of(one, project=self.project, cwd=self.cwd, extra=extra, protected=protected)
            for one in rules
        ]

    @cached_property
    def net(self) -> NetGate:
        """The gate to hosts and addresses, below HTTP."""
        from llmspell_core.security.net import NetGate

        if self._network_of is not None:
            return self._network_of.net
        layers = [profile.network for profile in self._chain]
        return NetGate(layers, resolver=self._resolver, audit=self._auditing())

    @cached_property
    def http(self) -> HttpGate:
        """The gate for HTTP."""
        from llmspell_core.security.http import HttpGate

        if self._network_of is not None:
            return self._network_of.http
        return HttpGate(self.net, connector=self._connector)

    @cached_property
    def process(self) -> ProcessGate:
        """The gate to other programs."""
        from llmspell_core.security.process import ProcessGate

        layers = tuple(profile.processes for profile in self._chain)
        return ProcessGate(layers, files=self.files, env=self.env, audit=self._auditing())

    @cached_property
    def env(self) -> EnvGate:
        """The gate to environment variables."""
        layers = tuple(profile.environment for profile in self._chain)
        return EnvGate(layers, redactor=self.redactor, audit=self._auditing())

    @cached_property
    def modules(self) -> ModuleGate:
        """The gate to modules."""
        from llmspell_core.security.modules import ModuleGate

        return ModuleGate(
            tuple(profile.modules for profile in self._chain),
            files=self._module_files,
            project=self.project,
            cwd=self.cwd,
            audit=self._auditing(),
            profile=self.profile.name,
        )

    def check_tool(
        self, tool: Tool, *, chosen_by_model: bool, wanted: bool | None = None, run_id: str = ""
    ) -> Literal["allow", "ask"]:
        """Whether a tool may be called at once, or a person must be asked first.

        Args:
            tool: the tool
            chosen_by_model: whether a model has made the call
            wanted: whether the tool wants to be asked about; left out, by its `requires_approval`
            run_id: the run, for what a person has approved in it for good

        Raises:
            PolicyError: `policy.tool`: the profile refuses it.
        """
        asked = ""
        for profile, rule in zip(self._chain, self._refusals(tool), strict=True):
            if rule:
                self.audit.record("tools", tool.name, "deny", rule)
                raise _denied(tool, profile, rule)
            asked = asked or _question(profile, tool, chosen_by_model)
        by: Asker = "policy" if asked else "tool"
        if not asked and (bool(tool.requires_approval) if wanted is None else wanted):
            asked = "requires_approval"
        if asked and self._approved & {(run_id, tool.name, by), (run_id, tool.name, "policy")}:
            asked = ""
        self.audit.record("tools", tool.name, "ask" if asked else "allow", asked or "tools")
        return "ask" if asked else "allow"

    def asks_about(self, tool: Tool, *, chosen_by_model: bool) -> str:
        """The rule by which the policy itself wants a person to be asked, or ""."""
        rules = (_question(profile, tool, chosen_by_model) for profile in self._chain)
        return next(filter(None, rules), "")

    def always(self, tool: Tool, run_id: str = "", by: Asker = "policy") -> None:
        """Somebody answered "always": the run is not asked about the tool again.

        Who answered where the tool asks (`by`) has not answered where the policy does.
        """
        self._approved.add((run_id, tool.name, by))

    def allows_tool(self, tool: Tool) -> bool:
        """Whether the tool may be called at all, asked or not; leaves no audit record."""
        return not any(self._refusals(tool))

    def _refusals(self, tool: Tool) -> tuple[str, ...]:
        """By which rule each profile refuses a tool; matching the names takes longer than most."""
        key = (tool.name, tool.aliases, tool.category, tool.security_level)
        found = self._refused.get(key)
        if found is None:
            if len(self._refused) >= MAX_KEPT:
                self._refused.clear()
            found = tuple(_refusal(profile, tool) for profile in self._chain)
            self._refused[key] = found
        return found

    def allows_scope(self, scope: str) -> bool:
        """Whether scripts may use a state scope beside their own (`global`, `user`, ...)."""
        scopes = self.profile.state_scopes
        return "*" in scopes or scope.split(":", 1)[0] in scopes

    def narrow(self, **security: Any) -> Policy:
        """This policy and the restrictions of an agent or a call; it never widens.

        Args:
            security: any of `tools` (names, or `{allow, deny, require_approval}`),
                `allowed_hosts`, `network`, `files` (`{read, write, deny, max_bytes}`),
                `processes`, `environment`, `modules`, `limits`, `profile`.
        """
        from llmspell_core.security.narrow import narrower

        layer = narrower(security)
        return self.with_profile(tightest(layer, self.profile))

    def with_profile(self, profile: SecurityProfile) -> Policy:
        """The same place, files and log under another profile; gates that stay equal are shared."""
        made = Policy(
            profile,
            project=self.project,
            cwd=self.cwd,
            audit=self.audit,
            redactor=self.redactor,
            readable=self._readable,
            protected=self._protected,
            resolver=self._resolver,
            connector=self._connector,
        )
        made._approved = self._approved
        before = [p.network for p in self._chain]
        after = [p.network for p in made._chain if p.network.mode != "all"]
        if after == [network for network in before if network.mode != "all"]:
            made._network_of = self
        return made

    def bound(self, *, readable: Sequence[str] = (), **who: Any) -> Policy:
        """The same policy whose audit records name the run, the script and its SHA-256.

        Args:
            readable: further paths named on the command line.
            who: `run`, `script`, `sha256`.
        """
        made = self.with_profile(self.profile)
        made.audit = self.audit.bound(**who)
        made._readable = (*self._readable, *readable)
        made._approved = set()
        if self.audit.path is not None:
            # Its own network gates, whose records name the run.
            made._network_of = None
        return made

    def permissions(self) -> dict[str, Any]:
        """What is allowed, as data: `Security.permissions` of scripts."""
        from llmspell_core.security.explain import permissions

        return permissions(self)

    def explain(self) -> dict[str, Any]:
        """What is allowed, as data and in words: `llmspell security explain`."""
        from llmspell_core.security.explain import explain

        return explain(self)

    async def close(self) -> None:
        """Close connections; the audit log stays open for others."""
        http = self.__dict__.get("http")
        if http is not None and self._network_of is None:
            await http.close()

    def _auditing(self) -> AuditLog | None:
        return self.audit if self.audit.path is not None else None

    def _own_places(self) -> Sequence[Path]:
        audit = [self.audit.path] if self.audit.path is not None else []
        if self._protected is not None:
            return [*self._protected, *audit]
        from llmspell_core.config.directories import data_dir, system_config_file, user_config_dir

        return [user_config_dir(), data_dir(), system_config_file().parent, *audit]


def _refusal(profile: SecurityProfile, tool: Tool) -> str:
    """The rule by which a profile refuses a tool, or ""."""
    rules = profile.tools
    if _listed(tool, rules.deny):
        return "tools.deny"
    if not _listed(tool, rules.allow):
        return "tools.allow"
    above = LEVELS.index(tool.security_level) > LEVELS.index(rules.max_level)
    return "tools.max_level" if above and not _named(tool, rules.allow) else ""


def _question(profile: SecurityProfile, tool: Tool, chosen_by_model: bool) -> str:
    """The rule by which a person must be asked, or ""."""
    rules = profile.tools
    if tool.security_level in rules.confirm_levels:
        trusted = not chosen_by_model and _named(tool, rules.allow)
        if not trusted:
            return "tools.confirm_levels"
    if not chosen_by_model:
        return ""
    marks = [mark for mark in MARKS if getattr(tool, mark)]
    for entry in rules.require_approval:
        if entry in marks or entry == tool.security_level or _listed(tool, (entry,)):
            return "tools.require_approval"
    return ""


def _names(tool: Tool) -> tuple[str, ...]:
    return tool.name, *tool.aliases


def _plain(name: str) -> str:
    return name.replace("_", "-")


def _listed(tool: Tool, entries: Sequence[str]) -> bool:
    for entry in entries:
        glob = _plain(entry)
        if any(fnmatchcase(_plain(name), glob) for name in _names(tool)):
            return True
        if fnmatchcase(f"{_plain(tool.category)}/{_plain(tool.name)}", glob):
            return True
    return False


def _named(tool: Tool, entries: Sequence[str]) -> bool:
    """Whether a list names this very tool, not by a glob."""
    return any(_plain(entry) == _plain(name) for entry in entries for name in _names(tool))


def _denied(tool: Tool, profile: SecurityProfile, rule: str) -> PolicyError:
    if rule == "tools.max_level":
        text = (
            f'tool "{tool.name}" is {tool.security_level}, and profile {profile.name} allows '
            f"{profile.tools.max_level} ones at most"
        )
        hint = f'[security.tools] allow = ["*", "{tool.name}"] raises this tool'
    else:
        text = f'tool "{tool.name}" is not allowed under profile {profile.name}'
        hint = f"[security.tools] {rule.removeprefix('tools.')} decides this"
        if profile.name == "narrowed":
            text = f'tool "{tool.name}" is not allowed here'
            hint = "the security of the agent, or of the call, decides this"
    details = {"tool": tool.name, "rule": rule}
    return PolicyError(text, code="policy.tool", hint=hint, details=details)
