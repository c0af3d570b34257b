"""`[security]`: the profile, and what is set over it. What is unset is the profile's."""

from __future__ import annotations

from llmspell_core.config.sections.base import Section, key, table


class Files(Section):
    """Files that tools and the gated io reach. Paths are relative to the file that names them."""

    read: list[str] | None = key(None, "folders and files that may be read")
    write: list[str] | None = key(None, "folders and files that may be written")
    deny: list[str] | None = key(None, "patterns that are refused whatever is allowed")
    max_bytes: int | None = key(None, "of one file", unit="bytes", least=0)


class Network(Section):
    """Hosts that tools reach."""

    allowed_hosts: list[str] | None = key(
        None,
        'hosts, `*.example.com:443`, addresses; "*" is every public one. '
        "Naming a private or loopback one allows it",
    )


class Processes(Section):
    """Programs that tools start."""

    allowed: list[str] | None = key(None, "names or absolute paths of programs")


class Environment(Section):
    """Environment variables that scripts and tools read."""

    allowed: list[str] | None = key(None, "names of variables")


class Modules(Section):
    """Modules that `require` and `import` load."""

    paths: list[str] | None = key(None, "folders they are looked for in")
    allow: list[str] | None = key(None, "names of modules")
    pins: str = key("llmspell.lock", "the file with their SHA-256")


class ToolRules(Section):
    """Tools that may be called."""

    allow: list[str] | None = key(
        None, "names or patterns; a name raises that tool above the profile's level"
    )
    deny: list[str] | None = key(None, "names or patterns")
    require_approval: list[str] | None = key(
        None,
        "names, marks (destructive, open_world) or levels (restricted, privileged): "
        "asked before a call that a model chose",
    )


class Limits(Section):
    """What a run may use. In `high` a value can only lower the profile's."""

    memory_mb: int | None = key(None, "of the script", unit="MiB", least=16)
    cpu_s: float | None = key(None, "processor time; 0: no limit", unit="s", least=0)
    wall_s: float | None = key(None, "time, without waiting; 0: no limit", unit="s", least=0)
    instructions: int | None = key(None, "of the engine; 0: no limit", least=0)
    host_calls: int | None = key(None, "calls from the script to the host", least=0)
    host_calls_per_s: int | None = key(None, "more of them wait", unit="a second", least=0)
    output_mb: int | None = key(None, "captured output", unit="MiB", least=0)
    tasks: int | None = key(None, "tasks at the same time", least=0)
    value_mb: int | None = key(None, "one value between script and host", unit="MiB", least=0)
    value_depth: int | None = key(None, "tables within tables of one value", least=0)
    state_mb: int | None = key(None, "state kept in one scope", unit="MiB", least=0)


class CustomProfile(Section):
    """A profile with a name: another one, and what is set over it."""

    base: str = key("medium", "the profile it starts from")
    stdlib_access: dict[str, list[str]] = key({}, "libraries beyond the base's, by language")
    files: Files = table(Files, "files")
    network: Network = table(Network, "hosts")
    processes: Processes = table(Processes, "programs")
    environment: Environment = table(Environment, "variables")
    modules: Modules = table(Modules, "modules")
    tools: ToolRules = table(ToolRules, "tools")
    limits: Limits = table(Limits, "limits")


class Security(Section):
    """What scripts and tools may do."""

    profile: str = key(
        "medium",
        "none, low, medium, high, a preset (development, testing, production, data_analysis), "
        "or the name of a custom profile",
    )
    enforce: bool = key(False, "whoever runs a command can only tighten")
    audit_log: str = key("", "a file for each decision, as JSON lines; empty: none")
    profiles: dict[str, CustomProfile] = key({}, "custom profiles by name")
    stdlib_access: dict[str, list[str]] = key({}, "libraries beyond the profile's, by language")
    files: Files = table(Files, "files")
    network: Network = table(Network, "hosts")
    processes: Processes = table(Processes, "programs")
    environment: Environment = table(Environment, "variables")
    modules: Modules = table(Modules, "modules")
    tools: ToolRules = table(ToolRules, "tools")
    limits: Limits = table(Limits, "limits")
