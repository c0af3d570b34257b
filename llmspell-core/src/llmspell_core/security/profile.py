"""`SecurityProfile`: what a script and the tools it starts may reach, as plain data.

    SecurityProfile.medium()
    SecurityProfile.custom("reports", base="medium").allow_read("data").build()

File entries are paths, relative ones to the project, or one of the words `$project`, `$cwd`,
`$output` (`./output` of the working directory), `$temp` and `*` (everything).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from llmspell_core.errors import NotFoundError, did_you_mean
from llmspell_core.records import Record, key
from llmspell_core.security.limits import LimitsPolicy, tightest_limits

if TYPE_CHECKING:
    from llmspell_core.security.builder import ProfileBuilder

Isolation = Literal["process", "worker", "sandbox"]
NetworkMode = Literal["all", "public", "listed", "none"]
ModuleMode = Literal["all", "listed", "none"]
Level = Literal["safe", "restricted", "privileged"]

ISOLATION: tuple[Isolation, ...] = ("process", "worker", "sandbox")
LEVELS: tuple[Level, ...] = ("safe", "restricted", "privileged")
MAX_FILE_BYTES = 104_857_600

#: What no profile but `none` may read or write, whatever else is allowed. The last ones are
#: llmspell's own: a script that can write them widens its next run.
BUILTIN_DENY = (
    ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".config/gcloud", ".netrc", ".npmrc", ".pypirc",
    "*.pem", "*.key", "id_*", ".env*", ".git",
    "llmspell.toml", "llmspell.*.toml", "llmspell.yaml", "llmspell.yml", "llmspell.json",
    "llmspell.lock",
)  # fmt: skip


class FilesPolicy(Record):
    """Which files tools and scripts may open; what may be written may be read."""

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    deny: tuple[str, ...] = BUILTIN_DENY
    max_bytes: int = key(MAX_FILE_BYTES, "largest file read or written", least=0)


class NetworkPolicy(Record):
    """Which hosts may be reached.

    `public` and `listed` both go by `allowed_hosts` and never reach an address that is not
    public, unless the list names it.
    """

    mode: NetworkMode = "public"
    allowed_hosts: tuple[str, ...] = ("*",)


class ModulesPolicy(Record):
    """Which modules `require` and `import` may load."""

    mode: ModuleMode = "none"
    paths: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    pins: str = "llmspell.lock"


class ToolsPolicy(Record):
    """Which tools may be called; entries are globs over `name` and `category/name`."""

    allow: tuple[str, ...] = ("*",)
    deny: tuple[str, ...] = ()
    #: Names, marks (`destructive`, `open_world`) or levels, asked when a model chose the call.
    require_approval: tuple[str, ...] = ()
    max_level: Level = "restricted"
    #: Levels that a person confirms, whoever chose the call.
    confirm_levels: tuple[Level, ...] = ()


class SecurityProfile(Record):
    """One complete policy. `within` is an enclosing one that must allow everything as well."""

    name: str
    base: str = ""
    isolation: Isolation = "worker"
    #: Engine language -> library names; `*` is all.
    libraries: dict[str, tuple[str, ...]] = key({}, "by language; `*` is all")
    files: FilesPolicy = FilesPolicy()
    network: NetworkPolicy = NetworkPolicy()
    #: Executables by name or absolute path; `*` is all.
    processes: tuple[str, ...] = ()
    #: Names of environment variables, globs allowed; `*` alone also lifts the masking.
    environment: tuple[str, ...] = ()
    modules: ModulesPolicy = ModulesPolicy()
    tools: ToolsPolicy = ToolsPolicy()
    limits: LimitsPolicy = LimitsPolicy()
    #: Beside a script's own; `*` is any.
    state_scopes: tuple[str, ...] = ()
    #: Whoever runs the command may only tighten it; every decision is recorded.
    enforce: bool = False
    audit: bool = False
    within: SecurityProfile | None = None

    def chain(self) -> Iterator[SecurityProfile]:
        """This profile and those around it: an action must be allowed by each."""
        current: SecurityProfile | None = self
        while current is not None:
            yield current
            current = current.within

    @classmethod
    def named(cls, name: str) -> SecurityProfile:
        """A profile or preset by its name, or `security.unknown_profile` naming the nearest."""
        from llmspell_core.security.presets import PROFILES

        try:
            return PROFILES[name.replace("-", "_")]()
        except KeyError:
            known = [*PROFILES]
            raise NotFoundError(
                f'unknown security profile "{name}"',
                code="security.unknown_profile",
                hint=did_you_mean(name, known) or f"one of {', '.join(known)}",
            ) from None

    @classmethod
    def none(cls) -> SecurityProfile:
        """No restrictions: for code you wrote yourself."""
        return cls.named("none")

    @classmethod
    def low(cls) -> SecurityProfile:
        """The project, public hosts, processes after confirmation."""
        return cls.named("low")

    @classmethod
    def medium(cls) -> SecurityProfile:
        """The default: reads the project, writes `./output`, public hosts, no processes."""
        return cls.named("medium")

    @classmethod
    def high(cls) -> SecurityProfile:
        """For code by strangers: only what is configured, in an OS sandbox."""
        return cls.named("high")

    @classmethod
    def development(cls) -> SecurityProfile:
        """`low` with loopback, common developer commands and long limits."""
        return cls.named("development")

    @classmethod
    def testing(cls) -> SecurityProfile:
        """`medium` with no network but loopback, 60 seconds."""
        return cls.named("testing")

    @classmethod
    def production(cls) -> SecurityProfile:
        """`medium` with listed hosts, approvals and an audit log."""
        return cls.named("production")

    @classmethod
    def data_analysis(cls) -> SecurityProfile:
        """`medium` without network, with memory and time for data."""
        return cls.named("data_analysis")

    @classmethod
    def custom(cls, name: str, base: str | SecurityProfile = "medium") -> ProfileBuilder:
        """Start a profile of your own from a base; end with `.build()`."""
        from llmspell_core.security.builder import ProfileBuilder

        return ProfileBuilder(name, cls.named(base) if isinstance(base, str) else base)


def tightest(a: SecurityProfile, b: SecurityProfile) -> SecurityProfile:
    """The intersection: what both allow, the smaller limits, the stronger isolation."""
    if a == b or b in a.chain():
        return a
    outer = b if b.within is None else tightest(b, b.within)
    return a.model_copy(
        update={
            "isolation": max(a.isolation, b.isolation, key=ISOLATION.index),
            "libraries": _common_libraries(a.libraries, b.libraries),
            "limits": tightest_limits(a.limits, b.limits),
            "state_scopes": common(a.state_scopes, b.state_scopes),
            "enforce": a.enforce or b.enforce,
            "audit": a.audit or b.audit,
            "within": outer if a.within is None else tightest(a.within, outer),
        }
    )


def common(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    """The names in both lists, where `*` is every name."""
    if "*" in a:
        return b
    return a if "*" in b else tuple(name for name in a if name in b)


def _common_libraries(
    a: dict[str, tuple[str, ...]], b: dict[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for language in [*a, *(name for name in b if name not in a)]:
        default_a, default_b = a.get("*", ()), b.get("*", ())
        found[language] = common(a.get(language, default_a), b.get(language, default_b))
    return found


def merged(profile: SecurityProfile, changes: dict[str, Any], /, **top: Any) -> SecurityProfile:
    """A profile with changed fields: nested tables merge key by key, lists replace."""
    data: dict[str, Any] = profile.model_dump(exclude=("within",))
    for name, value in changes.items():
        own = data.get(name)
        nested = isinstance(own, dict) and isinstance(value, dict)
        data[name] = {**(own or {}), **value} if nested else value
    return SecurityProfile.model_validate({**data, **top, "within": profile.within})
