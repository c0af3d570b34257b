"""The profiles and presets by name, as tables.

Made when first asked for: a run needs one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from llmspell_core.security.limits import LimitsPolicy
from llmspell_core.security.profile import (
    FilesPolicy,
    ModulesPolicy,
    NetworkPolicy,
    SecurityProfile,
    ToolsPolicy,
    merged,
)

_LUA = ("base", "string", "table", "math", "utf8", "coroutine")
_SHARED_SCOPES = ("global", "session", "user")
LOOPBACK = ("localhost", "127.0.0.0/8", "::1")


@cache
def _none() -> SecurityProfile:
    return SecurityProfile(
        name="none",
        isolation="process",
        libraries={"*": ("*",), "lua": ("*",), "js": ("*",)},
        files=FilesPolicy(read=("*",), write=("*",), deny=(), max_bytes=0),
        network=NetworkPolicy(mode="all"),
        processes=("*",),
        environment=("*",),
        modules=ModulesPolicy(mode="all"),
        tools=ToolsPolicy(max_level="privileged"),
        state_scopes=("*",),
    )


@cache
def _low() -> SecurityProfile:
    return SecurityProfile(
        name="low",
        isolation="process",
        # `os` has time, date, clock, difftime, getenv (gated) and exit; `io` and `dofile` (with
        # `loadfile`) go through the file gate.
        libraries={
            "lua": (*_LUA, "os", "io", "dofile"),
            "js": ("console", "timers", "TextEncoder", "URL"),
        },
        files=FilesPolicy(
            read=("$project", "$cwd", "$output", "$temp"), write=("$project", "$output", "$temp")
        ),
        network=NetworkPolicy(mode="public"),
        processes=(),
        environment=("HOME", "LANG", "TZ", "USER", "PATH"),
        modules=ModulesPolicy(mode="listed"),
        tools=ToolsPolicy(max_level="privileged", confirm_levels=("privileged",)),
        limits=LimitsPolicy(
            memory_mb=1024,
            wall_s=600,
            host_calls=1_000_000,
            host_calls_per_s=20_000,
            output_mb=256,
            tasks=10_000,
            value_mb=64,
            value_depth=64,
            state_mb=1024,
        ),
        state_scopes=_SHARED_SCOPES,
    )


@cache
def _medium() -> SecurityProfile:
    return SecurityProfile(
        name="medium",
        isolation="worker",
        libraries=_low().libraries,
        files=FilesPolicy(
            read=("$project", "$cwd", "$output", "$temp"), write=("$output", "$temp")
        ),
        network=NetworkPolicy(mode="public"),
        processes=(),
        environment=("HOME", "LANG", "TZ", "USER"),
        # Nothing until [security.modules] names and pins it.
        modules=ModulesPolicy(mode="listed"),
        tools=ToolsPolicy(max_level="restricted"),
        limits=LimitsPolicy(
            memory_mb=256,
            cpu_s=60,
            wall_s=300,
            host_calls=100_000,
            host_calls_per_s=5000,
            output_mb=64,
            tasks=1000,
            value_mb=16,
            value_depth=64,
            state_mb=256,
        ),
        state_scopes=_SHARED_SCOPES,
    )


@cache
def _high() -> SecurityProfile:
    return SecurityProfile(
        name="high",
        isolation="sandbox",
        # `os.minimal` has time, date, clock, exit and getenv, which knows nothing here;
        # `io.streams` the standard streams only.
        libraries={"lua": (*_LUA, "os.minimal", "io.streams"), "js": ("console",)},
        files=FilesPolicy(),
        network=NetworkPolicy(mode="listed", allowed_hosts=()),
        tools=ToolsPolicy(max_level="safe"),
        limits=LimitsPolicy(
            memory_mb=64,
            cpu_s=10,
            wall_s=30,
            host_calls=10_000,
            host_calls_per_s=500,
            output_mb=8,
            tasks=100,
            value_mb=1,
            value_depth=32,
            state_mb=64,
        ),
    )


_DEVELOPER_COMMANDS = (
    "cargo", "cat", "cp", "curl", "date", "diff", "echo", "env", "find", "gcc", "git", "go", "grep",
    "head", "hatch", "ls", "make", "mkdir", "mv", "node", "npm", "pip", "pwd", "pytest", "python",
    "python3", "rg", "rm", "ruff", "sed", "sort", "tail", "tar", "touch", "tox", "uname", "uv",
    "wc", "which",
)  # fmt: skip


@cache
def _development() -> SecurityProfile:
    return merged(
        _low(),
        {
            "network": {"allowed_hosts": ("*", *LOOPBACK)},
            "processes": _DEVELOPER_COMMANDS,
            "limits": {"wall_s": 3600, "memory_mb": 2048},
        },
        name="development",
        base="low",
    )


@cache
def _testing() -> SecurityProfile:
    return merged(
        _medium(),
        {"network": {"mode": "listed", "allowed_hosts": LOOPBACK}, "limits": {"wall_s": 60}},
        name="testing",
        base="medium",
    )


@cache
def _production() -> SecurityProfile:
    return merged(
        _medium(),
        {
            "network": {"mode": "listed", "allowed_hosts": ()},
            "tools": {"require_approval": ("destructive", "privileged")},
        },
        name="production",
        base="medium",
        audit=True,
        enforce=True,
    )


@cache
def _data_analysis() -> SecurityProfile:
    return merged(
        _medium(),
        {
            "network": {"mode": "none", "allowed_hosts": ()},
            "tools": {"allow": ("data/*", "document/*", "fs/*", "media/*", "util/*")},
            "limits": {"memory_mb": 2048, "wall_s": 600, "cpu_s": 600},
        },
        name="data_analysis",
        base="medium",
    )


#: Name -> what makes it, always the same object.
PROFILES: dict[str, Callable[[], SecurityProfile]] = {
    "none": _none,
    "low": _low,
    "medium": _medium,
    "high": _high,
    "development": _development,
    "testing": _testing,
    "production": _production,
    "data_analysis": _data_analysis,
}
