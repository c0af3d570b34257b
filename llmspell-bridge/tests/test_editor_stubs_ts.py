"""The TypeScript stubs: types, spellings, what gives a promise, what is in both files."""

from __future__ import annotations

import re

import pytest

from llmspell_bridge.manifests import load_manifests
from llmspell_bridge.stubs_ts import camel, ts_type, typescript

MANIFESTS = load_manifests()
TEXT = typescript(MANIFESTS)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("string | null", "string | null"),
        ("integer[]", "number[]"),
        ("(string | integer)[]", "(string | number)[]"),
        ("Record<string, any>", "Record<string, any>"),
        ('"text" | "integer"', '"text" | "integer"'),
        ("((...args: any[]) => any) | null", "((...args: any[]) => any) | null"),
        ("bytes", "Uint8Array"),
        ("AgentConfig | log_batch", "AgentConfig | LogBatch"),
    ],
)
def test_types_in_the_language_of_the_editor(written: str, shown: str) -> None:
    assert ts_type(written) == shown


def test_names_in_camel_case() -> None:
    assert [camel(one) for one in ("max_cost_usd", "a", "on_2_x", "get_state")] == [
        "maxCostUsd",
        "a",
        "on2X",
        "getState",
    ]


def body(name: str) -> str:
    match = re.search(
        rf"^  interface {name}\b[^\n]*\{{\n(.*?)^  \}}", TEXT, re.MULTILINE | re.DOTALL
    )
    assert match, name
    return match[1]


def test_every_global_and_method_is_there_in_both_spellings() -> None:
    for manifest in MANIFESTS.values():
        for name in (manifest["name"], *manifest["aliases"]):
            assert f"declare const {name}: " in TEXT or name == "JSON"
        if manifest["kind"] == "args":
            continue
        title = manifest["name"][:1].upper() + manifest["name"][1:]
        shown = body(f"{title}GlobalMethods")
        for method, spec in manifest["methods"].items():
            for name in () if spec["hidden"] else (method, camel(method), *spec["aliases"]):
                assert re.search(rf'^    "?{name}"?\(', shown, re.MULTILINE), f"{title}.{name}"


def test_host_methods_give_promises_and_guest_methods_answer_at_once() -> None:
    assert "    execute(name: any, params?: Record<string, any> | null): Promise<any>;" in TEXT
    assert "    sleep(ms: number): Promise<void>;" in body("AsyncGlobalMethods")
    assert "    info(message: any" in body("Logger") or "info(" in body("Logger")
    assert "Promise" not in body("LoggerGlobalMethods")
    assert "lines(): AsyncIterable<string>;" in body("StdinGlobalMethods")
    assert (
        "  interface Stream extends PromiseLike<AgentOutput>, AsyncIterable<StreamChunk> {" in TEXT
    )


def test_what_scripts_give_may_be_left_out_and_what_they_get_is_there() -> None:
    assert "    systemPrompt?: " in body("AgentConfig")
    assert "    system_prompt?: " in body("AgentConfig")
    assert "    toolCalls: ToolCall[];" in body("AgentOutput")


def test_no_name_is_declared_twice() -> None:
    names = re.findall(r"^  (?:interface|type) (\w+)", TEXT, re.MULTILINE)
    assert len(names) == len(set(names))
    for name in names:
        if re.search(rf"interface {name}\b", TEXT):
            members = re.findall(r'^    "?(\w+)"?\??[(:]', body(name), re.MULTILINE)
            assert len(members) == len(set(members)), name
