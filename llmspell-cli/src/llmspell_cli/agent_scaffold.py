"""What `llmspell generate agent` fills its templates with: the base, its parameters, tools."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from llmspell_cli.scaffold import told, write

#: What stands for a value of a required parameter, by its type.
_SAMPLES: dict[str, Any] = {"number": 1, "integer": 1, "boolean": True, "array": [], "object": {}}
SAMPLE = "something"


def base_info(name: str) -> dict[str, Any]:
    """What is known of an installed template; a usage error names the nearest."""
    from llmspell_core import lifecycle
    from llmspell_core.errors import LLMSpellError
    from llmspell_core.extensions import Extensions
    from llmspell_core.runtime import Runtime

    installed = list(Extensions("agents"))

    async def main() -> dict[str, Any]:
        async with Runtime({}, init=lifecycle.SelectiveInit.custom("agents")) as runtime:
            found: dict[str, Any] = runtime.base.templates.get(name).info()
            return found

    try:
        return asyncio.run(main())
    except LLMSpellError as error:
        hint = error.hint or f"installed: {', '.join(installed)}"
        raise click.UsageError(f"--template: {error.message}\n{hint}") from None


def tool_names(given: str) -> list[str]:
    """The tools of `--tools a,b`, each of which must be installed."""
    from llmspell_core.errors import did_you_mean
    from llmspell_core.extensions import extension_names
    from llmspell_core.names import canonical

    names = [canonical(one.strip()) for one in given.split(",") if one.strip()]
    known = extension_names("tools")
    for name in names:
        if name not in known:
            near = did_you_mean(name, known) or "all tools: llmspell tool list"
            raise click.UsageError(f'--tools: unknown tool "{name}"\n{near}')
    return [*dict.fromkeys(names)]


def agent_values(base: Mapping[str, Any], tools: list[str], language: str) -> dict[str, str]:
    """`base`, `tools`, `required`, `values` and `params` in the syntax of a language."""
    properties = base["parameters"]["properties"]
    required = {name: _sample(properties[name]) for name in base["required_parameters"]}
    write = _lua if language == "lua" else _js if language == "js" else _python
    return {
        "base": str(base["name"]),
        "tools": write(tools),
        "required": write(required),
        "values": write({**required, "focus": "prices"}),
        "params": "".join(f" --param {name}={SAMPLE}" for name in required),
    }


def write_script_agent(values: dict[str, str], language: str, folder: Path, summary: str) -> None:
    """Write the agent as a spell module with its test; `values` are all but the language's."""
    name, given = values["name"], values["values"]
    file = f"{name}.{language}"
    if language == "js":
        lines = [
            f'import template from "./{file}";',
            f'const agent = await Agent.createFromTemplate("one", template, {given});',
            'console.log((await agent.execute("Hello")).text);',
        ]
    else:
        lines = [
            f'local agent = Agent.create_from_template("one", require("{name}"), {given})',
            'print(agent:execute("Hello").text)',
        ]
    values = values | {
        "summary": summary,
        "language": language,
        "file": file,
        "test_file": f"{name}_spell_test.{language}",
        "pin": name if language == "lua" else file,
        "use": "\n".join(lines),
    }
    place = folder / name
    written = write(place, [("script_agent", "common"), ("script_agent", language)], values)
    told(written, f"next:  cd {place} && llmspell test")


def _sample(spec: Mapping[str, Any]) -> Any:
    if "enum" in spec:
        return spec["enum"][0]
    return _SAMPLES.get(str(spec.get("type", "")), SAMPLE)


def _python(value: Any) -> str:
    """As ruff writes it: a list that does not fit into its line has an item a line."""
    if isinstance(value, dict):
        return repr(value).replace("'", '"')
    flat = f"[{', '.join(json.dumps(one) for one in value)}]"
    if len(f'    "tools_add": {flat},') <= 100:  # noqa: PLR2004 - the line of the project it writes
        return flat
    return "\n".join(["[", *(f"        {json.dumps(one)}," for one in value), "    ]"])


def _js(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key}: {json.dumps(one)}' for key, one in value.items())} }}"
    return json.dumps(value)


def _lua(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_lua(one)}' for key, one in value.items())} }}"
    if isinstance(value, list):
        return f"{{ {', '.join(map(json.dumps, value))} }}" if value else "{}"
    return json.dumps(value)
