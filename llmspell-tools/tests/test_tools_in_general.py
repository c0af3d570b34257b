"""What holds for every built-in tool."""

from __future__ import annotations

import ast
import asyncio
import json
import os
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import llmspell_tools
from llmspell_core.errors import LLMSpellError
from llmspell_core.extensions import Extensions
from llmspell_core.provider import ModelRequest
from llmspell_core.runtime import Runtime
from llmspell_core.testing import ScriptedProvider
from llmspell_core.tool import Tool, ToolResult
from llmspell_tools._parameters import MAX_SIZE

SOURCE = Path(llmspell_tools.__file__).parent
CATEGORIES = {
    "ai", "communication", "data", "document", "fs", "media", "search", "system", "util", "web",
}  # fmt: skip
#: Pure computation, that can take its input from a file: the gate decides about that one.
MOSTLY_PURE = {"base64-encoder", "diff-calculator", "hash-calculator"}


@cache
def tools() -> dict[str, Tool]:
    found = {}
    for name, extension in Extensions("tools").items():
        if extension.distribution == "llmspell-tools":
            found[name] = extension.load()()
    return found


@pytest.mark.parametrize("name", sorted(tools()))
def test_a_tool_is_described_well_enough_for_a_model(name: str) -> None:
    tool = tools()[name]
    assert tool.name == name
    assert 20 < len(tool.description) < 300
    assert tool.category in CATEGORIES
    assert tool.examples
    assert tool.timeout_ms > 0
    schema = tool.schema()
    json.dumps(schema)
    for field, spec in schema["properties"].items():
        assert spec.get("description") or spec.get("title") or field == "max_matches_per_file", (
            field
        )
        assert "_" not in field[-1:], field
    reaches = tool.permissions
    if reaches.network or reaches.processes or (reaches.files and name not in MOSTLY_PURE):
        assert tool.security_level != "safe"


@pytest.mark.parametrize("name", sorted(tools()))
def test_other_names_are_known_without_importing_the_tool(name: str) -> None:
    target = Extensions("tools")[name].target
    known = {key for key, one in Extensions("tool_aliases").items() if one.target == target}
    assert known == set(tools()[name].aliases)


@pytest.mark.parametrize("name", sorted(tools()))
def test_the_examples_work(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/a.log").write_text("before\nerror: disk\nafter\n")
    tool = tools()[name]
    if tool.category == "media":
        _write_media(tmp_path / "media")
    if tool.category == "document":
        _write_documents(tmp_path / "documents")
    if name == "database-connector":
        _write_database(tmp_path / "data")

    async def main() -> None:
        security = {"files": {"read": ["."], "write": ["."]}, "network": {"allowed_hosts": []}}
        async with Runtime({"security": security, **MODEL, **SERVICES}) as runtime:
            runtime.add_provider(ScriptedProvider(default=_fitting))
            for params, shows in tool.examples:
                assert shows
                code = ""
                try:
                    result = await tool.call(dict(params), runtime.context())
                    assert isinstance(result.text, str)
                except LLMSpellError as error:
                    code = error.code
                assert code in ("", _refusal(tool))

    asyncio.run(main())


def _write_media(folder: Path) -> None:
    """A picture, a sound and a video, as the examples name them."""
    import wave

    import av
    from PIL import Image

    folder.mkdir()
    image = Image.new("RGB", (64, 48), "teal")
    image.save(folder / "photo.png")
    with wave.open(str(folder / "talk.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(16_000))
    with av.open(str(folder / "clip.mp4"), "w") as made:
        stream: Any = made.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(10):
            frame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))


def _write_database(folder: Path) -> None:
    import sqlite3

    folder.mkdir()
    connection = sqlite3.connect(folder / "shop.db")
    connection.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL)")
    connection.close()


def _write_documents(folder: Path) -> None:
    """A PDF of two pages."""
    import pypdf

    folder.mkdir()
    writer = pypdf.PdfWriter()
    for _ in range(2):
        writer.add_blank_page(100, 100)
    writer.write(folder / "report.pdf")


def _refusal(tool: Tool) -> str:
    """What the profile of the tests says to examples that reach beyond it, or ""."""
    if tool.security_level == "privileged":
        return "policy.tool"
    # The requests of the examples go to hosts that no test may reach.
    return "policy.network" if tool.permissions.network else ""


#: Services that tools need to be told of before they reach for the network.
SERVICES = {
    "tools": {
        "slack-sender": {"api_key": "xoxb-example"},
        "email-sender": {"smtp": {"host": "mail.example.com"}},
    }
}
#: The only model: it answers whatever fits the schema that it is asked with.
MODEL = {"default": {"model": "scripted/scripted-model"}}


def _fitting(request: ModelRequest) -> str:
    return json.dumps(_value(request.schema or {}))


def _value(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        return {name: _value(one) for name, one in schema["properties"].items()}
    if schema.get("type") == "array":
        return [_value(schema["items"])]
    return 1 if schema.get("type") == "number" else "some words"


def test_exact_examples_are_exact() -> None:
    exact = 0
    for name in ("calculator", "text-manipulator", "datetime-handler", "hash-calculator"):
        tool = tools()[name]
        for params, shows in tool.examples:
            result = asyncio.run(tool.run_tool(tool.validate(params), None))  # type: ignore[arg-type]
            exact += result.text == shows
    assert exact >= 14


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=4)
    | st.sampled_from(
        ["read", "ls", "evaluate", "1 + x", "a", "md5", "v7", "days", "{", "[1]", "."]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def parameters(tool: Tool) -> st.SearchStrategy[dict[str, Any]]:
    schema = tool.schema()
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, spec in schema["properties"].items():
        likely = [st.sampled_from(values) for values in _enums(spec, schema)]
        fields[name] = st.one_of(*likely, VALUES) if likely else VALUES
    aliases = getattr(tool.Parameters, "aliases", {})
    extra = dict.fromkeys([*aliases, "options", "text", "data", "timeout", "nonsense"], VALUES)
    required = {name: fields[name] for name in schema.get("required", [])}
    optional = {**{k: v for k, v in fields.items() if k not in required}, **extra}
    few = st.fixed_dictionaries(
        required, optional={k: optional[k] for k in list(fields) if k in optional}
    )
    return few | st.dictionaries(st.sampled_from([*fields, *extra]), VALUES, max_size=5)


def _enums(spec: Any, schema: dict[str, Any]) -> Iterator[list[Any]]:
    if isinstance(spec, dict):
        if "enum" in spec:
            yield spec["enum"]
        for one in spec.get("anyOf", []):
            yield from _enums(one, schema)


#: Errors of what a call may meet: its own mistakes, limits, the policy, files that are not there.
KNOWN = (
    "input.",
    "tool.",
    "limit.",
    "archive.",
    "policy.",
    "process.",
    "file.",
    "template.",
    "network.",
    "compute.",
    "provider.",
    "timeout",
)


@pytest.mark.parametrize("name", sorted(tools()))
def test_whatever_the_parameters_only_results_and_known_errors_come_out(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tool = tools()[name]
    folder = tmp_path_factory.mktemp("fuzz")
    security = {
        "files": {"read": [str(folder)], "write": [str(folder)]},
        "network": {"allowed_hosts": []},
    }
    with asyncio.Runner() as runner:
        runtime = runner.run(Runtime({"security": security, **MODEL}).__aenter__())
        runtime.add_provider(ScriptedProvider(default=_fitting))

        async def call(params: dict[str, Any]) -> tuple[ToolResult | None, str]:
            try:
                return await tool.run_tool(
                    tool.validate(params), runtime.context().for_tool(tool)
                ), ""
            except LLMSpellError as error:
                assert error.message  # noqa: PT017
                return None, error.code

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        @given(parameters(tool))
        def fuzz(params: dict[str, Any]) -> None:
            if name == "http-requester":
                # Names would be asked of a resolver; addresses are refused before any packet.
                for key in ("input", "url", "text", "data", "options"):
                    params.pop(key, None)
                params["input"] = "http://127.0.0.1:9/"
            result, code = runner.run(call(params))
            if result is None:
                assert code.startswith(KNOWN), code
            else:
                assert isinstance(ToolResult.of(result).text, str)

        try:
            fuzz()
        finally:
            runner.run(runtime.__aexit__(None, None, None))


#: Modules and functions that open files, sockets or processes without asking the gates.
FORBIDDEN = {
    "socket", "subprocess", "urllib.request", "http.client", "ftplib", "smtplib", "ctypes", "httpx",
    "requests", "shutil", "tempfile", "pickle", "marshal", "multiprocessing", "pathlib", "os", "io",
    "glob", "sqlite3", "importlib.resources",
}  # fmt: skip
#: In memory, in a helper process, behind an authorizer that refuses all but reading.
EXCEPTIONS = {
    "data/_sql.py": {"sqlite3"},
    # A file that the gate let through, behind an authorizer as well.
    "communication/_sqlite.py": {"sqlite3"},
}
CALLS = {"open", "eval", "exec", "compile", "__import__", "input", "breakpoint"}


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.relative_to(SOURCE))
)
def test_no_module_opens_anything_but_through_the_gates(path: Path) -> None:
    forbidden = FORBIDDEN - EXCEPTIONS.get(path.relative_to(SOURCE).as_posix(), set())
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {node.module or ""}
            # Files in memory reach nothing; the module has `open` as well.
            if {alias.name for alias in node.names} <= {"BytesIO", "StringIO"}:
                names -= {"io"}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in CALLS, f"line {node.lineno}: {node.func.id}(...)"
            continue
        else:
            continue
        assert not names & forbidden, f"line {node.lineno}: {names & forbidden}"


def test_importing_a_tool_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    modules = [
        f"llmspell_tools.{p.relative_to(SOURCE).with_suffix('')}".replace("/", ".")
        for p in SOURCE.rglob("*.py")
    ]
    heavy = {
        "httpx", "jinja2", "jsonschema", "jq", "re2", "dateutil", "sqlite3", "blake3", "psutil",
        "charset_normalizer", "watchfiles", "tldextract", "py3langid", "numpy", "backports",
        "PIL", "av", "sqlalchemy", "aiosqlite", "asyncpg", "aiomysql",
    }  # fmt: skip
    code = f"import sys\nfor m in {modules!r}: __import__(m)\nprint({heavy!r} & sys.modules.keys())"
    # Coverage imports modules of its own into each process that it measures.
    env = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env
    )
    assert done.stdout.strip() == "set()"


def test_every_module_of_the_package_can_be_imported() -> None:
    for path in SOURCE.rglob("*.py"):
        import_module(".".join(["llmspell_tools", *path.relative_to(SOURCE).with_suffix("").parts]))


def test_what_is_too_large_is_refused() -> None:
    huge = "x" * (MAX_SIZE + 1)

    async def main() -> None:
        async with Runtime({}) as runtime:
            for name, params in (
                ("text-manipulator", {"operation": "trim", "input": huge}),
                ("hash-calculator", {"input": huge}),
                ("json-processor", {"input": huge}),
                ("template-creator", {"input": huge}),
                ("file-operations", {"operation": "write", "path": "output/x", "input": huge}),
                ("calculator", {"input": huge}),
            ):
                with pytest.raises(LLMSpellError) as caught:
                    await tools()[name].call(params, runtime.context())
                assert caught.value.code in ("limit.value", "input.invalid")

    asyncio.run(main())
