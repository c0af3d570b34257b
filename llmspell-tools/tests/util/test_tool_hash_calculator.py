from __future__ import annotations

import asyncio
import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.util.hash_calculator import HashCalculator


def run(**params: Any) -> ToolResult:
    tool = HashCalculator()
    result: ToolResult = asyncio.run(tool.run_tool(tool.validate(params), None))  # type: ignore[arg-type]
    return result


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512", "blake2b"])
def test_digests_are_those_of_hashlib(algorithm: str) -> None:
    text = "Grüße, 世界"
    expected = hashlib.new(algorithm, text.encode()).hexdigest()
    result = run(input=text, algorithm=algorithm)
    assert result.output == result.text == expected
    assert result.result == {"hash": expected, "algorithm": algorithm, "format": "hex"}
    assert run(operation="verify", input=text, algorithm=algorithm, expected_hash=expected).output


def test_blake3() -> None:
    expected = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
    assert run(input="abc", algorithm="BLAKE3").output == expected


@pytest.mark.parametrize("name", ["SHA-256", "sha_256", "Sha 256", "sha256"])
def test_case_and_hyphens_of_the_algorithm_do_not_count(name: str) -> None:
    assert run(input="abc", algorithm=name).result["algorithm"] == "sha256"


def test_bytes_and_formats() -> None:
    raw = bytes(range(256))
    expected = hashlib.sha256(raw).digest()
    assert run(input=raw.hex(), input_type="hex").output == expected.hex()
    encoded = base64.b64encode(raw).decode()
    made = run(input=encoded, input_type="base64", format="base64").output
    assert base64.b64decode(made) == expected
    verified = run(
        operation="verify",
        input=encoded,
        input_type="base64",
        expected_hash=made,
        expected_format="base64",
    )
    assert verified.result == {"verified": True, "algorithm": "sha256"}
    assert verified.output is True
    assert verified.text == "true"


def test_a_wrong_digest_is_no_error() -> None:
    assert run(operation="verify", input="a", expected_hash="00").output is False


def test_numbers_and_data_are_texts() -> None:
    assert run(data=12).output == hashlib.sha256(b"12").hexdigest()


@given(st.text())
def test_any_text_can_be_hashed(text: str) -> None:
    assert (
        run(input=text).output == hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, 'input is required for "hash"'),
        ({"input": {}}, "input must be a string, not a table"),
        ({"input": "a", "algorithm": "sha3"}, "algorithm must be one of"),
        ({"input": "xyz", "input_type": "hex"}, "input is not hex"),
        ({"input": "*", "input_type": "base64"}, "input is not base64"),
        ({"operation": "verify", "input": "a"}, "expected_hash is required"),
        ({"operation": "verify", "input": "a", "expected_hash": "zz"}, "expected_hash is not hex"),
        ({"operation": "calc", "input": "a"}, "operation must be one of hash, verify"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        run(**params)


def test_a_file_is_read_through_the_gate(tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(b"ab" * 3_000_000)

    async def main() -> None:
        settings = {"security": {"files": {"read": [str(tmp_path)]}}}
        async with Runtime(settings) as runtime:
            ctx = runtime.context()
            tool = ctx.overlay.tools.get("hash-calculator")
            result = await tool.call({"file": str(path)}, ctx)
            assert result.output == hashlib.sha256(path.read_bytes()).hexdigest()
            named = await tool.call({"input": str(path), "input_type": "file"}, ctx)
            assert named.output == result.output
            with pytest.raises(LLMSpellError) as caught:
                await tool.call({"file": "/etc/passwd"}, ctx)
            assert caught.value.code == "policy.file"

    asyncio.run(main())
