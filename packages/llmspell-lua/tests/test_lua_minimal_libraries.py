"""The libraries of the profile `high`: an `os` that tells the time, and the standard streams."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_bridge.worker.testing import CARRIERS, engine_host
from llmspell_core.errors import ScriptError

MINIMAL = ["base", "string", "table", "math", "utf8", "coroutine", "os.minimal", "io.streams"]
NAMES = """
local found = {}
for name in pairs(LIBRARY) do found[#found + 1] = name end
table.sort(found)
return table.concat(found, " ")
"""

each_carrier = pytest.mark.parametrize("carrier", CARRIERS)


def run(source: str, carrier: str, libraries: list[str] = MINIMAL) -> Any:
    async def main() -> Any:
        async with engine_host(
            "llmspell_lua.guest",
            carrier,
            requires=("lupa", "llmspell_lua"),
            libraries=libraries,
            env={"HOME": "/home/ada"},
            isolation="sandbox",
        ) as host:
            return await asyncio.wait_for(host.run(source), 30)

    return asyncio.run(main())


@each_carrier
def test_os_has_the_time_the_exit_and_what_the_policy_names(carrier: str) -> None:
    assert run(NAMES.replace("LIBRARY", "os"), carrier) == "clock date exit getenv time"
    full = [*MINIMAL, "os"]
    assert run(NAMES.replace("LIBRARY", "os"), carrier, full) == (
        "clock date difftime exit getenv time"
    )
    assert run("return os.getenv('HOME')", carrier, full) == "/home/ada"


@each_carrier
def test_io_has_the_standard_streams_only(carrier: str) -> None:
    assert run(NAMES.replace("LIBRARY", "io"), carrier) == (
        "flush lines read stderr stdin stdout type write"
    )
    assert run("io.write('a', 1) return io.type(io.stdout)", carrier) == "file"
    with pytest.raises(ScriptError) as caught:
        run("for line in io.lines('/etc/passwd') do end", carrier)
    assert caught.value.code == "policy.denied"


@each_carrier
def test_nothing_loads_files_or_modules(carrier: str) -> None:
    absent = "return tostring(dofile) .. tostring(loadfile) .. tostring(package) .. tostring(debug)"
    assert run(absent, carrier) == "nil" * 4
    with pytest.raises(ScriptError) as caught:
        run("require('os')", carrier)
    assert caught.value.code == "module.denied"
