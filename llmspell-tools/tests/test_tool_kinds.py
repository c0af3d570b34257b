from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.errors import LLMSpellError, NotFoundError, ToolFailed, ValidationError
from llmspell_core.testing import scripted_runtime
from llmspell_tools.factory import create_tool
from llmspell_tools.globals.tool import ToolGlobal


def within(
    work: Callable[[ToolGlobal], Awaitable[None]], *replies: str, security: Any = None
) -> None:
    async def main() -> None:
        settings = {"security": security or {}}
        async with scripted_runtime(*replies, settings=settings) as (runtime, _):
            await work(ToolGlobal(runtime.context(overlay=runtime.base.child())))
            await runtime.policy.close()

    asyncio.run(main())


def test_an_http_api_is_a_tool() -> None:
    requests: list[tuple[str, bytes]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        sizes = [x for x in head.split("\r\n") if x.lower().startswith("content-length")]
        length = int(sizes[0].split(": ")[1]) if sizes else 0
        requests.append((head, await reader.readexactly(length)))
        body = b'{"ok": true}'
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(body), body)
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def work(tools: ToolGlobal) -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            get = tools.from_template(
                "http_api",
                {
                    "name": "item",
                    "base_url": url,
                    "path": "/items/{id}",
                    "headers": {"X-U": "{{user}}"},
                },
            )
            assert get.get_schema()["required"] == ["id", "user"]
            result = await get.execute({"id": "a/../b c", "user": "ada"})
            assert result.output == {"ok": True}
            assert requests[0][0].startswith("GET /items/a%2F..%2Fb%20c HTTP")
            assert "x-u: ada" in requests[0][0].lower()
            await get.execute({"id": "..", "user": "x"})
            assert requests[1][0].startswith("GET /items/%2E%2E HTTP")
            post = tools.from_template(
                "http-api",
                {
                    "name": "make",
                    "url": url,
                    "method": "POST",
                    "parameters": {"name": "string", "n": "integer?"},
                    "auth": {"type": "bearer", "token": "t"},
                },
            )
            await post.execute({"name": "tea", "n": 2})
            assert json.loads(requests[2][1]) == {"name": "tea", "n": 2}
            assert "authorization: bearer t" in requests[2][0].lower()
            body = tools.from_template(
                "http_api",
                {"name": "b", "url": url, "method": "POST", "body": {"n": "{{n}}", "t": "<{{t}}>"},
                 "parameters": {"n": "integer", "t": "string"}},
            )  # fmt: skip
            await body.execute({"n": 3, "t": "x"})
            assert json.loads(requests[3][1]) == {"n": 3, "t": "<x>"}
            search = tools.from_template(
                "http_api", {"name": "s", "url": url, "parameters": {"q": "string"}}
            )
            await search.execute({"q": "a b"})
            assert requests[4][0].startswith("GET /?q=a+b HTTP")
            with pytest.raises(ValidationError, match="id is required"):
                await get.execute({"user": "x"})

    within(work, security={"network": {"allowed_hosts": ["127.0.0.1"]}})


def test_a_file_processor_is_a_tool(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one two")

    async def work(tools: ToolGlobal) -> None:
        made = tools.from_template(
            "file_processor",
            {
                "name": "upper",
                "process": lambda text, params: text.upper() * params.get("times", 1),
                "parameters": {"times": "integer?"},
            },
        )
        path = str(tmp_path / "a.txt")
        assert (await made.execute({"path": path})).output == "ONE TWO"
        target = str(tmp_path / "b.txt")
        written = await made.execute({"path": path, "target_path": target, "times": 2})
        assert written.result == {"path": path, "target_path": target, "bytes": 14}
        assert Path(target).read_text() == "ONE TWOONE TWO"
        with pytest.raises(ValidationError, match="path is required"):
            await made.execute({})
        with pytest.raises(LLMSpellError) as caught:
            await made.execute({"path": "/etc/passwd"})
        assert caught.value.code == "policy.file"
        assert made.component.security_level == "restricted"

    folder = str(tmp_path)
    within(work, security={"files": {"read": [folder], "write": [folder]}})


def test_a_command_is_a_tool() -> None:
    program = (
        "import sys; print(sys.argv[1:], sys.stdin.read()); sys.exit(int(sys.argv[1] == 'bad'))"
    )
    cfg = {
        "name": "py",
        "executable": sys.executable,
        "arguments": ["-c", program, "{{what}}", "--flag={{what}}"],
        "input": "in {{what}}",
    }

    async def work(tools: ToolGlobal) -> None:
        made = tools.from_template("command", cfg)
        result = await made.execute({"what": "a b; $(x)"})
        assert result.output.strip() == "['a b; $(x)', '--flag=a b; $(x)'] in a b; $(x)"
        assert result.result.keys() == {"stdout", "stderr", "exit_code", "timed_out", "duration_ms"}
        with pytest.raises(ToolFailed, match="exit code 1") as caught:
            await made.execute({"what": "bad"})
        assert caught.value.details["exit_code"] == 1
        with pytest.raises(ValidationError, match="would be read as an option"):
            await made.execute({"what": "--help"})
        slow = tools.from_template(
            "command",
            {"name": "slow", "executable": sys.executable, "timeout_ms": 300,
             "arguments": ["-c", "import time; time.sleep(30)"]},
        )  # fmt: skip
        with pytest.raises(LLMSpellError) as timed_out:
            await slow.execute({})
        assert timed_out.value.code == "tool.timeout"

    security = {"processes": {"allowed": [sys.executable]}, "tools": {"allow": ["*", "py", "slow"]}}
    within(work, security=security)


def test_a_command_needs_a_policy_that_lets_it() -> None:
    async def work(tools: ToolGlobal) -> None:
        made = tools.from_template("command", {"name": "py", "executable": sys.executable})
        with pytest.raises(LLMSpellError) as caught:
            await made.execute({})
        assert caught.value.code == "policy.tool"

    within(work)


def test_a_prompt_is_a_tool() -> None:
    async def work(tools: ToolGlobal) -> None:
        made = tools.from_template(
            "llm",
            {"name": "haiku", "prompt": "A haiku on {{topic}}", "system_prompt": "Be {{mood}}"},
        )
        assert made.get_schema()["required"] == ["mood", "topic"]
        result = await made.execute({"topic": "rain", "mood": "brief"})
        assert result.output == result.text == "Drops fall."
        structured = tools.from_template(
            "llm", {"name": "s", "prompt": "x", "output_schema": {"type": "object"}}
        )
        assert (await structured.execute({})).output == {"a": 1}
        with pytest.raises(ToolFailed, match="did not answer with JSON"):
            await structured.execute({})

    within(work, "Drops fall.", '{"a": 1}', "no json")


def test_mistakes_in_a_description() -> None:
    async def work(tools: ToolGlobal) -> None:
        with pytest.raises(NotFoundError) as caught:
            tools.from_template("htp_api", {})
        assert caught.value.hint == 'did you mean "http_api"?'
        with pytest.raises(ValidationError, match="name is required; url is required"):
            tools.from_template("http_api", {})
        with pytest.raises(ValidationError, match='did you mean "prompt"'):
            tools.from_template("llm", {"name": "x", "promt": "y"})
        with pytest.raises(ValidationError, match="process must be a function"):
            tools.from_template("file_processor", {"name": "x", "process": "y"})

    within(work)


def test_tools_are_made_from_data() -> None:
    async def work(tools: ToolGlobal) -> None:
        ctx = tools.ctx
        assert (await create_tool("calculator", ctx)).name == "calculator"
        assert (await ctx.create("tool", {"tool": "calculator"})).name == "calculator"
        assert (await create_tool(tools.get("calculator"), ctx)).name == "calculator"
        made = await ctx.create("tool", {"name": "n", "execute": lambda p: 7})
        assert (await made.call({}, ctx)).output == 7
        assert not tools.exists("n")
        piped = await create_tool({"name": "p", "pipe": ["calculator", lambda n: n + 1]}, ctx)
        assert (await piped.call({"input": "1"}, ctx)).output == 2
        side = await create_tool({"parallel": {"a": "calculator"}}, ctx)
        assert (await side.call({"input": "1"}, ctx)).output == {"a": 1}
        asked = await create_tool({"template": "llm", "name": "x", "prompt": "hi"}, ctx)
        assert (await asked.call({}, ctx)).output == "hello"
        for spec in ({"name": "x"}, 3, {}):
            with pytest.raises(ValidationError):
                await create_tool(spec, ctx)

    within(work, "hello")
