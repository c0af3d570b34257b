"""What a policy allows, as data and as a page: `llmspell security explain` and `profiles`."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from llmspell_cli.script_names import names_in

if TYPE_CHECKING:
    from llmspell_bridge.engines import ScriptSource
    from llmspell_core.config.sources import Loaded
    from llmspell_core.security.policy import Policy
    from llmspell_core.security.profile import SecurityProfile

#: So many refused tools are named; the rest is a number.
NAMED = 3
WIDTH, INDENT = 100, " " * 13


def policy_facts(loaded: Loaded, source: ScriptSource) -> dict[str, Any]:
    """Everything that the page shows, as data."""
    from llmspell_bridge.engines import engine_name
    from llmspell_bridge.manifests import load_manifests
    from llmspell_core.security.policy import Policy
    from llmspell_core.security.select import profile_for

    profile = profile_for(loaded)
    policy = Policy(profile, project=loaded.project, cwd=loaded.cwd)
    allowed, refused = _tools(policy)
    engine = engine_name(source, None, loaded.settings.scripts.default_engine)
    language = "lua" if engine == "lua" else "js"
    names, tools = names_in(source.text, language, load_manifests(), {*allowed, *refused})
    facts = policy.explain()
    facts["tools"] = {**facts["tools"], "may_be_called": allowed, "refused": refused}
    return {
        "script": source.name,
        "engine": engine,
        "set_by": loaded.origin("security.profile"),
        "override": loaded.override._asdict() if loaded.override else None,
        "place": _place(profile),
        "models": _models(loaded),
        **facts,
        "names": {"globals": names, "tools": tools},
    }


def page(facts: dict[str, Any]) -> Iterator[str]:
    """The lines for people."""
    summary = facts["summary"]
    yield f"{facts['script']} runs under profile {_profile(facts)}, {facts['place']}"
    if facts["override"]:
        use = facts["override"]
        reason = use["reason"] or "no reason given"
        yield f"  override   {use['pattern']} ({use['where']}): {reason}"
    yield f"  files      {summary['files']}"
    yield from wrap(
        f"denied {summary['denied']}",
        width=WIDTH,
        initial_indent=INDENT,
        subsequent_indent=INDENT,
        break_on_hyphens=False,
    )
    yield f"  network    {summary['network']}; models: {', '.join(facts['models'])}"
    yield (
        f"  processes  {summary['processes']}        environment  {summary['environment']}"
        f"        modules  {summary['modules']}"
    )
    yield f"  tools      {_tools_text(facts['tools'], summary['tools'])}"
    yield f"  limits     {summary['limits']}"
    names = facts["names"]
    tools = [f'Tool("{name}")' for name in names["tools"]]
    # The tools stand for the global that reaches them.
    others = [name for name in names["globals"] if name != "Tool" or not tools]
    yield f"it names: {', '.join([*others, *tools]) or 'none of the globals'}"
    denied = [name for name in names["tools"] if name in facts["tools"]["refused"]]
    if denied:
        yield f"it names tools that it may not call: {', '.join(denied)}"


def profile_rows(loaded: Loaded) -> list[dict[str, Any]]:
    """One row a profile: the built-in ones, presets, and those of the settings."""
    from llmspell_core.security.builder import profile_from_settings
    from llmspell_core.security.policy import Policy
    from llmspell_core.security.presets import PROFILES
    from llmspell_core.security.select import profile_for

    tables = loaded.security_tables or [{}]
    own = [name for table in tables for name in table.get("profiles") or {}]
    in_force = profile_for(loaded).name
    rows = []
    for name in dict.fromkeys([*PROFILES, *own]):
        profile = profile_from_settings(
            {"profile": name, "profiles": tables[-1].get("profiles") or {}}
        )
        made = Policy(profile, project=loaded.project, cwd=loaded.cwd).explain()
        rows.append(
            {
                "name": name,
                "base": profile.base,
                "in_force": name == in_force,
                "isolation": profile.isolation,
                **made["summary"],
            }
        )
    return rows


def _profile(facts: dict[str, Any]) -> str:
    within = f", within {', '.join(facts['within'])}" if facts["within"] else ""
    return f"{facts['profile']} ({facts['set_by']}{within})"


def _place(profile: SecurityProfile) -> str:
    if profile.isolation == "process":
        return "in this process"
    from llmspell_bridge.isolation import layers

    lacking = [one.text for one in layers() if one.missing]
    if not lacking:
        return "in a sandboxed worker"
    if profile.isolation == "sandbox":
        return f"in a sandboxed worker, which cannot be had here: no {', no '.join(lacking)}"
    return f"in a worker without {', '.join(lacking)}"


def _tools(policy: Policy) -> tuple[list[str], list[str]]:
    """The installed tools that may be called, and those that may not."""
    from llmspell_core.extensions import Extensions

    allowed: list[str] = []
    refused: list[str] = []
    found, _ = Extensions("tools").load_all()
    for name, tool in found.items():
        made = tool() if isinstance(tool, type) else tool
        (allowed if policy.allows_tool(made) else refused).append(name)
    return allowed, refused


def _tools_text(tools: dict[str, Any], rules: str) -> str:
    allowed, refused = tools["may_be_called"], tools["refused"]
    text = f"{len(allowed)} of {len(allowed) + len(refused)} ({rules})"
    if not refused:
        return text
    more = f" and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
    return f"{text}; off: {', '.join(refused[:NAMED])}{more}"


def _models(loaded: Loaded) -> list[str]:
    """The providers that a model's name may begin with without further configuration."""
    default = loaded.settings.default.model.partition("/")[0]
    return [*dict.fromkeys([default, *loaded.settings.providers])]
