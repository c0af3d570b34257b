"""A policy as data for scripts, and in words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_core.security.limits import LimitsPolicy
from llmspell_core.security.roots import most_bytes, open_roots

if TYPE_CHECKING:
    from llmspell_core.security.policy import Policy
    from llmspell_core.security.profile import SecurityProfile

_PLACES = {
    "process": "in this process",
    "worker": "in a worker process",
    "sandbox": "in a sandboxed worker",
}
_WORDS = {
    "$temp": "temp",
    "$output": "./output",
    "$project": "the project",
    "$cwd": ".",
    "*": "everything",
}


def permissions(policy: Policy) -> dict[str, Any]:
    """What is allowed, as data; paths are absolute."""
    profile = policy.profile
    rules = policy.file_rules
    roots = open_roots(rules[0])
    return {
        "profile": profile.name,
        "files": {
            "read": roots["read"],
            "write": roots["write"],
            "deny": [*_joined(profile, lambda one: one.files.deny)],
            "max_bytes": most_bytes(rules),
        },
        "network": {
            "mode": profile.network.mode,
            "allowed_hosts": [*profile.network.allowed_hosts] if _lists(profile) else ["*"],
        },
        "processes": [*profile.processes],
        "environment": [*profile.environment],
        "modules": {"mode": profile.modules.mode, "allow": [*profile.modules.allow]},
        "tools": profile.tools.model_dump(mode="json"),
        "libraries": {language: [*names] for language, names in profile.libraries.items()},
        "state_scopes": [*profile.state_scopes],
    }


def explain(policy: Policy) -> dict[str, Any]:
    """`permissions` with the limits, and `summary`: one line of words for each row.

    A policy inside another one shows the inner one's rows; `within` names the outer ones.
    """
    profile = policy.profile
    return {
        **permissions(policy),
        "base": profile.base,
        "within": [one.name for one in profile.chain()][1:],
        "isolation": profile.isolation,
        "limits": profile.limits.model_dump(),
        "summary": {
            "runs": _PLACES[profile.isolation],
            "files": _files_text(profile),
            "denied": ", ".join(_joined(profile, lambda one: one.files.deny)) or "nothing",
            "network": _network_text(profile),
            "processes": _list_text(profile.processes),
            "environment": _list_text(profile.environment, " "),
            "modules": _modules_text(profile),
            "tools": _tools_text(profile),
            "limits": limits_text(profile.limits),
        },
    }


def limits_text(limits: LimitsPolicy) -> str:
    """`256 MiB, 60 s CPU, 5 min, 100,000 host calls`."""
    parts = [
        f"{limits.memory_mb} MiB" if limits.memory_mb else "",
        f"{limits.cpu_s:g} s CPU" if limits.cpu_s else "",
        _duration(limits.wall_s) if limits.wall_s else "",
        f"{limits.instructions:,} instructions" if limits.instructions else "",
        f"{limits.host_calls:,} host calls" if limits.host_calls else "",
    ]
    return ", ".join(part for part in parts if part) or "none"


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"  # noqa: PLR2004


def _files_text(profile: SecurityProfile) -> str:
    read = [_word(entry) for entry in profile.files.read if entry not in profile.files.write]
    write = [_word(entry) for entry in profile.files.write]
    if "everything" in write:
        return "everything"
    return f"read {', '.join(read) or 'none'}; write {', '.join(write) or 'none'}"


def _word(entry: str) -> str:
    return _WORDS.get(entry, entry)


def _network_text(profile: SecurityProfile) -> str:
    mode, hosts = profile.network.mode, profile.network.allowed_hosts
    if mode == "all":
        return "everything"
    if mode == "none" or not hosts:
        return "none"
    named = [host for host in hosts if host != "*"]
    private = "never other loopback, private or link-local addresses"
    if "*" not in hosts:
        return f"{', '.join(named)} (tools); {private}"
    also = f" and {', '.join(named)}" if named else ""
    return f"any public host{also} (tools); {private if named else private.replace('other ', '')}"


def _list_text(entries: tuple[str, ...], separator: str = ", ") -> str:
    return "everything" if "*" in entries else separator.join(entries) or "none"


def _modules_text(profile: SecurityProfile) -> str:
    if profile.modules.mode == "all":
        return "everything on the path"
    return ", ".join(profile.modules.allow) or "none"


def _tools_text(profile: SecurityProfile) -> str:
    rules = profile.tools
    parts = [f"up to {rules.max_level}"]
    if "*" not in rules.allow:
        parts.insert(0, ", ".join(rules.allow) or "none")
    if rules.deny:
        parts.append(f"not {', '.join(rules.deny)}")
    asked = [*rules.confirm_levels, *rules.require_approval]
    if asked:
        parts.append(f"asked first: {', '.join(asked)}")
    return "; ".join(parts)


def _lists(profile: SecurityProfile) -> bool:
    return profile.network.mode != "all"


def _joined(profile: SecurityProfile, pick: Any) -> dict[str, None]:
    return dict.fromkeys(entry for one in profile.chain() for entry in pick(one))
