"""What the tests of telemetry share: a collector, a scripted service, and the names by the book."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import completion
from llmspell_core.testing.otlp import OtlpCollector

CONVENTIONS: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent / "genai_conventions.toml").read_text(encoding="utf-8")
)


def called(name: str, **arguments: Any) -> dict[str, Any]:
    """An answer that calls a tool."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return completion(tool_calls=[{"id": "call_1", "type": "function", "function": function}])


@contextmanager
def rigged(
    folder: Path, *replies: Any, carrier: str = "low"
) -> Iterator[tuple[CommandLine, OtlpCollector, FakeOpenAI]]:
    """The command with a collector that it sends to, and a service that answers `replies`."""
    llmspell = CommandLine(folder)
    with ExitStack() as stack:
        collector = stack.enter_context(OtlpCollector())
        server = stack.enter_context(serving(FakeOpenAI(*replies)))
        llmspell.env |= {
            "LLMSPELL_SECURITY__PROFILE": carrier,
            "LLMSPELL_PROVIDERS__FAKE__BASE_URL": server.base_url,
            "LLMSPELL_DEFAULT__MODEL": "fake/m",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        }
        yield llmspell, collector, server


def check_names(collector: OtlpCollector, *, content: bool = False) -> None:
    """Every span, metric and event is one of the book's, with attributes of the book only."""
    for span in collector.spans:
        kind = span["name"].split(" ", 1)[0]
        rule, found = CONVENTIONS["spans"][kind], span["attributes"]
        allowed = {*rule["attributes"], *(rule["content"] if content else ())}
        assert found.keys() <= allowed, (span["name"], found.keys() - allowed)
        assert found.keys() >= set(rule["required"]), span
        assert not found.keys() & set(CONVENTIONS["deprecated"]["names"])
        assert span["kind"] == rule["kind"]
        (named_for,) = re.findall(r"\{(.+?)\}", rule["name"])
        assert span["name"] == f"{kind} {found[named_for]}"
        assert found.get("gen_ai.operation.name", kind) == kind
        assert ("error.type" in found) == span["failed"]
        assert span["schema_url"].endswith(f"/{CONVENTIONS['version']}")
        assert span["end"] >= span["start"]
    for name, points in collector.metrics.items():
        rule = CONVENTIONS["metrics"][name]
        for point in points:
            assert point["unit"] == rule["unit"]
            assert point["bounds"] == rule.get("bounds", point["bounds"])
            assert point["attributes"].keys() <= set(CONVENTIONS["metric_attributes"]["names"])
    assert {one["name"] for one in collector.logs} <= set(CONVENTIONS["events"]["names"])


def one_tree(collector: OtlpCollector) -> None:
    """All spans are one trace, and all but its root have a parent in it."""
    ids = {span["span_id"] for span in collector.spans}
    assert len({span["trace_id"] for span in collector.spans}) == 1
    assert [one["name"] for one in collector.spans if one["parent_id"] not in ids] == [
        one["name"] for one in collector.spans if not one["parent_id"]
    ]
    assert sum(not span["parent_id"] for span in collector.spans) == 1


Replies = Callable[[dict[str, Any]], Any]
