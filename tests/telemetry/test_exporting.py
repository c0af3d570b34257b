"""Export that fails, content that is asked for, and that nothing else is ever contacted."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from telemetry_rig import called, check_names, rigged

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.otlp import OtlpCollector

pytest.importorskip("opentelemetry.sdk")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
ASKS = """
local clerk = Agent.new{ name = "clerk", system_prompt = "Be short.", tools = { "calculator" } }
print(clerk:execute("The code is " .. "sk-abcdefghijklmnopqrstuvwxyz123456").text)
"""
#: Notes every address that the process turns to, and lets none but this machine's own through.
GUARD = """
import os, sys

def guard(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[-1]
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1"):
            refuse(event, address)
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0].decode() if isinstance(args[0], bytes) else args[0]
        if host not in (None, "", "127.0.0.1", "::1", "localhost"):
            refuse(event, host)

def refuse(event, address):
    with open(os.environ["CONTACTED"], "a", encoding="utf-8") as file:
        file.write(f"{event} {address}\\n")
    raise OSError(f"{address} is not this machine")

sys.addaudithook(guard)
"""


def asks(body: dict[str, Any]) -> Any:
    if body["messages"][-1]["role"] == "tool":
        return "It is 42."
    return called("calculator", input="6*7")


def run_with(folder: Path, **env: str) -> OtlpCollector:
    with rigged(folder, asks) as (llmspell, collector, _):
        llmspell.env |= env
        llmspell.write("x.lua", ASKS)
        done = llmspell("run", "x.lua")
        assert (done.code, done.out, done.err) == (0, "It is 42.\n", "")
    return collector


def test_no_content_is_captured_by_default(tmp_path: Path) -> None:
    collector = run_with(tmp_path)
    check_names(collector)
    assert collector.logs == []
    everything = json.dumps([collector.spans, collector.metrics, collector.resources])
    for text in ("Be short", "The code is", "6*7", "It is 42", "sk-abc"):
        assert text not in everything


def test_content_on_spans_is_redacted(tmp_path: Path) -> None:
    collector = run_with(tmp_path, **{CAPTURE: "SPAN_ONLY"})
    check_names(collector, content=True)
    assert collector.logs == []
    chats = sorted((s for s in collector.spans if s["kind"] == "client"), key=lambda s: s["start"])
    found = chats[0]["attributes"]
    assert json.loads(found["gen_ai.system_instructions"])[0]["content"].startswith("Be short.")
    (asked,) = json.loads(found["gen_ai.input.messages"])
    assert asked["parts"][0]["content"] == "The code is ***"
    (answer,) = json.loads(found["gen_ai.output.messages"])
    assert answer["parts"][0]["arguments"] == {"input": "6*7"}
    assert json.loads(found["gen_ai.tool.definitions"])[0]["name"] == "calculator"
    tool = collector.one("execute_tool calculator")["attributes"]
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"input": "6*7"}
    assert "42" in tool["gen_ai.tool.call.result"]
    assert "sk-abc" not in json.dumps(collector.spans)


def test_content_in_events_leaves_the_spans_alone(tmp_path: Path) -> None:
    collector = run_with(tmp_path, LLMSPELL_TELEMETRY__CONTENT="events")
    check_names(collector)
    first, second = collector.logs
    assert first["name"] == "gen_ai.client.inference.operation.details"
    assert "The code is ***" in first["attributes"]["gen_ai.input.messages"]
    assert "It is 42." in second["attributes"]["gen_ai.output.messages"]
    assert {first["span_id"], second["span_id"]} == {
        one["span_id"] for one in collector.spans if one["kind"] == "client"
    }


def test_an_address_and_headers_of_the_user(tmp_path: Path) -> None:
    with OtlpCollector() as other:
        collector = run_with(
            tmp_path,
            LLMSPELL_TELEMETRY__ENDPOINT=other.endpoint,
            OTEL_EXPORTER_OTLP_HEADERS="x-team=kettles",
            OTEL_SERVICE_NAME="shop",
            OTEL_TRACES_SAMPLER="always_off",
        )
    assert (collector.spans, collector.metrics) == ([], {})
    assert other.spans == []
    assert other.metrics["gen_ai.client.token.usage"]
    assert other.headers[0]["x-team"] == "kettles"


def test_the_console_prints_to_standard_error(tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    llmspell.env |= {"LLMSPELL_SYSTEM__TELEMETRY": "console", "OTEL_METRICS_EXPORTER": "none"}
    done = llmspell("eval", "print(Tool.execute('calculator', { input = '6*7' }).text)")
    assert (done.code, done.out) == (0, "42\n")
    names = [json.loads(line)["name"] for line in done.lines]
    assert names == ["execute_tool calculator", "script eval"]


@pytest.mark.parametrize("trouble", ["refused", "error", "hangs"])
def test_an_export_that_fails_neither_fails_nor_holds_up_a_run(
    trouble: str, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}"
    llmspell = CommandLine(tmp_path)
    source = "for i = 1, 50 do Tool.execute('calculator', { input = '6*7' }) end print('done')"
    delay, status = (60, 200) if trouble == "hangs" else (0, 400)
    with OtlpCollector(answer=status, delay_s=delay) as collector:
        address = closed if trouble == "refused" else collector.endpoint
        llmspell.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = address
        llmspell("eval", "print(1)", env={"OTEL_SDK_DISABLED": "true"})
        began = time.monotonic()
        plain = llmspell("eval", source, env={"OTEL_SDK_DISABLED": "true"})
        between = time.monotonic()
        done = llmspell("eval", source)
        ended = time.monotonic()
    assert (plain.code, plain.err) == (0, "")
    assert (done.code, done.out) == (0, "done\n")
    # Once, and by us: the library would say it again with every batch.
    assert done.err.count("\n") == 1, done.err
    assert "telemetry" in done.err
    # Two seconds for what is still to be sent; the rest is the library's own start.
    assert ended - between < (between - began) + 2 + 15


def test_without_the_extra_it_is_said_how_to_install_it(tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    (llmspell.site / "sitecustomize.py").write_text(
        "import sys\nsys.modules['opentelemetry'] = None\n", encoding="utf-8"
    )
    done = llmspell("eval", "print(1)", env={"LLMSPELL_SYSTEM__TELEMETRY": "console"})
    assert done.code != 0
    assert "pip install 'llmspell[otel]'" in done.err
    # The variable may be there for other programs: they are not to break this one.
    other = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    done = llmspell("eval", "print(1)", env=other)
    assert (done.code, done.out) == (0, "1\n")
    assert "llmspell[otel]" in done.err


def test_nothing_of_opentelemetry_is_imported_when_it_is_off(tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    (llmspell.site / "sitecustomize.py").write_text(
        "import atexit, sys\n"
        "ours = lambda: [name for name in sys.modules if name.startswith('opentelemetry')]\n"
        "atexit.register(lambda: print(*ours(), end=''))\n",
        encoding="utf-8",
    )
    llmspell.write("x.lua", "Tool.execute('calculator', { input = '1' })")
    done = llmspell("run", "x.lua")
    assert (done.code, done.out, done.err) == (0, "", "")


def watched(llmspell: CommandLine) -> Path:
    """Have the command note all it turns to; the file that has it."""
    (llmspell.site / "sitecustomize.py").write_text(GUARD, encoding="utf-8")
    contacted = llmspell.home / "contacted"
    contacted.touch()
    llmspell.env["CONTACTED"] = str(contacted)
    return contacted


def test_the_guard_of_these_tests_notices_a_connection(tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    contacted = watched(llmspell)
    for host in ("93.184.215.14", "nowhere.example"):
        done = llmspell("eval", f"Tool.execute('http-requester', {{ url = 'http://{host}/' }})")
        assert done.code != 0
        assert host in contacted.read_text(encoding="utf-8")


def replies(body: dict[str, Any]) -> Any:
    """Something that lets every example go on."""
    if "response_format" in body:
        return '{"item": "parcel", "city": "Oslo", "deadline": "friday"}'
    last, tools = body["messages"][-1], body.get("tools") or []
    names = [one["function"]["name"] for one in tools]
    if last["role"] != "tool" and "calculator" in names:
        return called("calculator", input="6*7")
    return "So it is."


#: Each of them has a twin in JavaScript that does the same.
SPELLS = sorted([*EXAMPLES.glob("*.lua"), *EXAMPLES.glob("agents/*.lua")])


@pytest.mark.parametrize("telemetry", ["off", "on"])
def test_no_example_contacts_anything_but_what_the_user_named(
    telemetry: str, tmp_path: Path
) -> None:
    llmspell = CommandLine(tmp_path)
    contacted = watched(llmspell)
    with OtlpCollector() as collector, serving(FakeOpenAI(replies)) as server:
        llmspell.env |= {
            "LLMSPELL_SECURITY__PROFILE": "low",
            "LLMSPELL_PROVIDERS__FAKE__BASE_URL": server.base_url,
            "LLMSPELL_DEFAULT__MODEL": "fake/m",
        }
        if telemetry == "on":
            llmspell.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.endpoint
        for spell in SPELLS if telemetry == "off" else SPELLS[::4]:
            llmspell(spell, stdin='{"city": "oslo"}\n')
            assert contacted.read_text(encoding="utf-8") == "", spell
        for words in (["tool", "list"], ["providers", "list"], ["models", "list"], ["doctor"]):
            llmspell(*words)
            assert contacted.read_text(encoding="utf-8") == "", words
    assert bool(collector.spans) == (telemetry == "on")
    if telemetry == "on":
        check_names(collector)
