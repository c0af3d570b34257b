"""Run code blocks of the documentation, all in this process: JSON in on stdin, JSON out.

In: ``[{"where": "agents.md:12", "language": "lua", "source": "..."}, ...]``; out, for each block,
``{"where": ..., "printed": "...", "error": null}``. The only model is a server on this machine
that knows the questions of the documentation.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import re
import shlex
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: (a part of the question, the call to make first, the answer).
KNOWN: list[tuple[str, tuple[str, dict[str, Any]] | None, Any]] = [
    ("23 * 19", ("calculator", {"input": "23 * 19"}), "23 * 19 is 437."),
    ("kettles", ("stock", {"item": "kettles"}), "We have 7 kettles."),
    ("parcel", None, {"item": "parcel", "city": "Oslo"}),
    ("bill", ("transfer_to_billing", {"reason": "it is about a bill"}), "Your bill is paid."),
    ("my name is Ada", None, "Hello Ada."),
    ("my name?", None, "Your name is Ada."),
    ("Name the kettle", None, "Songkettle"),
]


def reply(body: dict[str, Any]) -> Any:
    """What the model answers to this request."""
    from llmspell_core.testing.openai_server import completion

    last = body["messages"][-1]
    asked = [one["content"] for one in body["messages"] if one["role"] == "user"][-1]
    offered = {one["function"]["name"] for one in body.get("tools") or ()}
    for part, call, answer in KNOWN:
        if part.lower() in str(asked).lower():
            if call and last["role"] == "user" and call[0] in offered:
                function = {"name": call[0], "arguments": json.dumps(call[1])}
                return completion(
                    tool_calls=[{"id": "call_1", "type": "function", "function": function}]
                )
            return answer if isinstance(answer, str) else json.dumps(answer)
    wanted = body.get("response_format", {}).get("json_schema", {}).get("schema")
    return json.dumps(fitting(wanted)) if wanted else "Yes."


def fitting(schema: dict[str, Any]) -> Any:
    """A value that fits a schema of the tools that ask a model."""
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        return {name: fitting(one) for name, one in schema["properties"].items()}
    if schema.get("type") == "array":
        return [fitting(schema["items"])]
    return 1 if schema.get("type") == "number" else "some words"


def stay_here(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook: nothing leaves this machine, not even a question for an address."""
    hosts = {"socket.getaddrinfo": args[:1], "socket.connect": args[1:2]}.get(event, ())
    for host in hosts:
        name = host[0] if isinstance(host, tuple) else host
        if name not in ("127.0.0.1", None):
            raise PermissionError(f"the documentation may not reach {name}")


@contextlib.contextmanager
def model() -> Iterator[str]:
    """A model service in a thread of its own; its address."""
    from llmspell_core.testing import FakeOpenAI

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = FakeOpenAI(reply)
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
    try:
        yield server.base_url
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def run_scripts(engine: str, blocks: list[dict[str, str]]) -> list[str | None]:
    """Each as a script of its own; what it prints goes to stdout."""
    from llmspell_bridge.engines import ScriptSource
    from llmspell_bridge.runtime import ScriptRuntime
    from llmspell_bridge.streams import CapturedStreams
    from llmspell_core.errors import LLMSpellError

    found: list[str | None] = []
    async with ScriptRuntime(engine=engine) as runtime:
        for block in blocks:
            streams = CapturedStreams(stdin="one\ntwo\n")
            error = None
            try:
                result = await runtime.run(
                    ScriptSource(block["source"], block["where"]), streams=streams
                )
                if result.unhandled:
                    error = str(result.unhandled[0])
            except LLMSpellError as failed:
                error = f"{failed.source}: {failed} [{failed.code}] {failed.hint or ''}"
            block["printed"] = streams.stdout
            found.append(error)
    return found


def run_python(block: dict[str, str]) -> str | None:
    """As a program of its own would run."""
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(compile(block["source"], block["where"], "exec"), {"__name__": "__main__"})
    except BaseException:  # noqa: BLE001 - a block may end in any way
        return traceback.format_exc()
    finally:
        block["printed"] = out.getvalue()
    return None


def run_command(block: dict[str, str]) -> str | None:
    """One command line after `llmspell`."""
    from click.testing import CliRunner

    from llmspell_cli.app import app
    from llmspell_cli.implicit import rewrite
    from llmspell_core.errors import LLMSpellError

    done = CliRunner().invoke(app, rewrite(words(block["source"])), prog_name="llmspell")
    block["printed"] = done.stdout
    if isinstance(done.exception, LLMSpellError):
        return f"{done.exception} [{done.exception.code}] {done.exception.hint or ''}"
    return None if done.exit_code == 0 else f"status {done.exit_code}: {done.output}"


def words(line: str) -> list[str]:
    """The words of a command line, in which bash's `$'a\\nb'` may stand."""

    def plain(match: re.Match[str]) -> str:
        text = re.sub(r"\\(.)", lambda one: "\n" if one[1] == "n" else one[1], match[1])
        return shlex.quote(text)

    return shlex.split(re.sub(r"\$'((?:[^'\\]|\\.)*)'", plain, line))


def main() -> None:
    """Run them all."""
    sys.addaudithook(stay_here)
    blocks: list[dict[str, str]] = json.load(sys.stdin)
    errors: dict[int, str | None] = {}
    Path("notes").mkdir(exist_ok=True)
    Path("notes/today.md").write_text("# Today\nBuy a kettle.\n", encoding="utf-8")
    with model() as base_url:
        os.environ["LLMSPELL_PROVIDERS__OPENAI__BASE_URL"] = base_url
        os.environ["LLMSPELL_DEFAULT__MODEL"] = "openai/gpt-4o-mini"
        for engine in ("lua", "js"):
            scripts = [block for block in blocks if block["language"] == engine]
            if scripts:
                found = asyncio.run(run_scripts(engine, scripts))
                errors.update(zip(map(id, scripts), found, strict=True))
        for block in blocks:
            if block["language"] == "python":
                errors[id(block)] = run_python(block)
            elif block["language"] == "console":
                errors[id(block)] = run_command(block)
    json.dump([{**block, "error": errors[id(block)]} for block in blocks], sys.stdout)


if __name__ == "__main__":
    main()
