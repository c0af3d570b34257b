"""Where the audit log of a profile goes that asks for one and names no file."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.runtime import Runtime


def _decide(settings: dict[str, Any]) -> None:
    async def main() -> None:
        async with Runtime(settings) as runtime:
            runtime.policy.audit.record("tools", "calculator", "allow", "tools")

    asyncio.run(main())


@pytest.mark.parametrize("named", [False, True])
def test_production_audits_into_the_data_directory_unless_a_file_is_named(
    tmp_path: Path, named: bool
) -> None:
    security = {"profile": "production"}
    if named:
        security["audit_log"] = str(tmp_path / "named.jsonl")
    _decide({"security": security, "system": {"data_dir": str(tmp_path / "data")}})
    usual = tmp_path / "data" / "audit.jsonl"
    path = tmp_path / "named.jsonl" if named else usual
    assert json.loads(path.read_text(encoding="utf-8"))["target"] == "calculator"
    assert usual.exists() != named


def test_other_profiles_write_none(tmp_path: Path) -> None:
    _decide({"security": {"profile": "medium"}, "system": {"data_dir": str(tmp_path / "data")}})
    assert not (tmp_path / "data" / "audit.jsonl").exists()
