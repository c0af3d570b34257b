from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import ValidationError
from llmspell_core.tool import ToolResult
from llmspell_tools.util.uuid_generator import UuidGenerator


def run(**params: Any) -> ToolResult:
    tool = UuidGenerator()
    result: ToolResult = asyncio.run(tool.run_tool(tool.validate(params), None))  # type: ignore[arg-type]
    return result


@pytest.mark.parametrize("version", ["v1", "v4", "v7", "V4", 4, "7"])
def test_versions_are_what_they_say(version: Any) -> None:
    result = run(version=version)
    made = uuid.UUID(result.output)
    assert f"v{made.version}" == result.result["version"]
    assert made.variant == uuid.RFC_4122
    assert result.result["uuid"] == result.result["id"] == result.text
    assert result.result["uuids"] == [result.output]
    assert result.result["format"] == "hyphenated"


def test_v1_does_not_tell_the_address_of_the_machine() -> None:
    made = uuid.UUID(run(version="v1").output)
    assert made.node >> 40 & 1
    assert made.node != uuid.UUID(run(version="v1").output).node


def test_v7_is_ordered() -> None:
    ids = run(version="v7", count=500).output
    later = run(version="v7").output
    assert ids == sorted(ids)
    assert len(set(ids)) == 500
    assert ids[-1][:13] <= later[:13]


@pytest.mark.parametrize(
    ("style", "check"),
    [
        ("simple", lambda s: len(s) == 32),
        ("compact", lambda s: len(s) == 32),
        ("urn", lambda s: s.startswith("urn:uuid:")),
        ("braced", lambda s: s[0] == "{"),
        ("uppercase", lambda s: s == s.upper()),
        ("standard", lambda s: s[8] == "-"),
    ],
)
def test_formats(style: str, check: Any) -> None:
    text = run(format=style).output
    assert check(text)
    assert uuid.UUID(text)


@given(st.text(max_size=40), st.text(max_size=20))
def test_deterministic_ids_depend_on_namespace_and_name_only(name: str, namespace: str) -> None:
    first = run(operation="deterministic", name=name, namespace=namespace or "dns").output
    assert run(version="v5", name=name, namespace=namespace or "dns").output == first
    assert (
        run(operation="deterministic", name=name + "x", namespace=namespace or "dns").output
        != first
    )


def test_the_known_namespaces_are_the_standard_ones() -> None:
    expected = str(uuid.uuid5(uuid.NAMESPACE_DNS, "example.com"))
    for namespace in ("dns", "DNS", str(uuid.NAMESPACE_DNS), None):
        params = {} if namespace is None else {"namespace": namespace}
        assert run(operation="deterministic", name="example.com", **params).output == expected


def test_component_and_custom_ids() -> None:
    assert run(operation="component_id", prefix="tool").output.startswith("tool_")
    short = run(operation="component_id", prefix="tool", short=True)
    assert len(short.output) == len("tool_") + 8
    assert short.result["id"] == short.result["uuid"] == short.output
    made = run(operation="custom", prefix="a", timestamp=True, suffix="z", short=True).output
    prefix, stamp, middle, suffix = made.split("_")
    assert (prefix, suffix, len(stamp), len(middle)) == ("a", "z", 14, 8)
    assert len(run(operation="custom", count=3).output) == 3


def test_validate() -> None:
    good = run(operation="validate", uuid="6BA7B810-9DAD-11D1-80B4-00C04FD430C8")
    assert good.result["valid"] is True
    assert good.result["version"] == "v1"
    bad = run(operation="validate", uuid="nope")
    assert bad.result == {"valid": False, "uuid": "nope"}
    assert bad.text == "invalid"
    assert run(operation="validate", input="nope").success


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"version": "v9"}, "version must be one of v1, v4, v5, v7"),
        ({"version": "v5"}, 'name is required for "v5"'),
        ({"operation": "deterministic"}, 'name is required for "deterministic"'),
        ({"operation": "validate"}, 'uuid is required for "validate"'),
        ({"count": 0}, "count"),
        ({"count": 100_000}, "count"),
        ({"format": "hexx"}, "format"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        run(**params)
