from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.util.base64_encoder import Base64Encoder


def run(**params: Any) -> ToolResult:
    tool = Base64Encoder()
    result: ToolResult = asyncio.run(tool.run_tool(tool.validate(params), None))  # type: ignore[arg-type]
    return result


def test_encoding_gives_the_text_in_all_its_places() -> None:
    result = run(operation="encode", input="Grüße")
    assert result.output == result.text == base64.b64encode("Grüße".encode()).decode()
    assert result.result == {
        "output": result.text,
        "encoded": result.text,
        "variant": "standard",
        "size": 12,
    }


def test_decoding_gives_text_where_it_is_text_and_hex_where_it_is_not() -> None:
    result = run(operation="decode", input="R3LDvMOfZQ==")
    assert result.result == {
        "output": "Grüße",
        "decoded": "Grüße",
        "variant": "standard",
        "size": 7,
        "encoding": "utf-8",
    }
    binary = run(operation="decode", input="/w==")
    assert (binary.output, binary.result["encoding"]) == ("ff", "hex")
    forced = run(operation="decode", input="YWJj", binary_input=True)
    assert (forced.output, forced.result["encoding"]) == ("616263", "hex")


@pytest.mark.parametrize(
    ("variant", "made"),
    [
        ("standard", "+/8="),
        ("url_safe", "-_8="),
        ("URL_SAFE", "-_8="),
        ("urlsafe", "-_8="),
        ("standard_no_pad", "+/8"),
        ("url-safe-no-pad", "-_8"),
    ],
)
def test_variants(variant: str, made: str) -> None:
    assert run(input="fbff", binary_input=True, variant=variant).output == made
    # What was encoded by one variant is read whatever variant is named: there is one reading.
    for other in ("standard", "url_safe"):
        assert run(operation="decode", input=made, variant=other).output == "fbff"


def test_lines_and_missing_padding_are_read() -> None:
    assert run(operation="decode", input=" SGVs\r\nbG8\n").output == "Hello"


def test_numbers_are_texts_and_text_is_a_name_of_input() -> None:
    assert run(text=12).output == "MTI="


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    encoded = run(input=text).output
    decoded = run(operation="decode", input=encoded)
    if decoded.result["encoding"] == "utf-8":
        assert decoded.output == text
    else:
        assert bytes.fromhex(decoded.output) == text.encode("utf-8", "surrogatepass")


@given(st.binary(max_size=64), st.sampled_from(["standard", "url_safe_no_pad"]))
def test_any_bytes_come_back(data: bytes, variant: str) -> None:
    encoded = run(input=data.hex(), binary_input=True, variant=variant).output
    assert run(operation="decode", input=encoded, binary_input=True).output == data.hex()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, 'input is required for "encode"'),
        ({"operation": "decode"}, 'input is required for "decode"'),
        ({"input": {}}, "input must be a string, not a table"),
        ({"operation": "decode", "input": "a"}, "input is no base64: it has a length"),
        ({"operation": "decode", "input": "YQ==="}, "input is no base64: it has a length"),
        ({"operation": "decode", "input": "YW=j"}, "input is no base64: it has a character"),
        ({"operation": "decode", "input": "YW*j"}, "input is no base64: it has a character"),
        ({"operation": "decode", "input": "YWü"}, "input is no base64: it has a character at 3"),
        ({"input": "xyz", "binary_input": True}, "input is not hex"),
        ({"operation": "encipher", "input": "a"}, "operation must be one of encode, decode"),
        ({"input": "a", "variant": "base32"}, "variant must be one of standard"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        run(**params)


def test_files_are_read_and_written_through_the_gate(tmp_path: Path) -> None:
    data = bytes(range(256)) * 300
    source, encoded, back = (tmp_path / name for name in ("a.bin", "a.b64", "b.bin"))
    source.write_bytes(data)

    async def main() -> None:
        settings = {"security": {"files": {"read": [str(tmp_path)], "write": [str(tmp_path)]}}}
        async with Runtime(settings) as runtime:
            ctx = runtime.context()
            tool = ctx.overlay.tools.get("base64-encoder")
            shown = await tool.call({"input_file": str(source)}, ctx)
            assert shown.output == base64.b64encode(data).decode()
            wrote = await tool.call({"input_file": str(source), "output_file": str(encoded)}, ctx)
            assert wrote.result["output_file"] == wrote.output == str(encoded)
            assert wrote.text == f"wrote {encoded.stat().st_size} bytes to {encoded}"
            await tool.call(
                {"operation": "decode", "file": str(encoded), "output_file": str(back)}, ctx
            )
            assert back.read_bytes() == data
            for params in ({"input_file": "/etc/passwd"}, {"input": "a", "output_file": "/x"}):
                with pytest.raises(LLMSpellError) as caught:
                    await tool.call(params, ctx)
                assert caught.value.code == "policy.file"

    asyncio.run(main())
