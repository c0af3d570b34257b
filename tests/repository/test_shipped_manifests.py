"""Each package ships the manifest of its script globals as its declarations are now."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_shipped_manifests_are_those_of_the_declarations() -> None:
    command = [sys.executable, str(ROOT / "scripts/manifests.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}run:  python scripts/manifests.py"


def test_every_global_of_ours_is_in_a_shipped_manifest() -> None:
    import tomllib

    for path in [*ROOT.glob("llmspell-*/pyproject.toml"), *ROOT.glob("packages/*/pyproject.toml")]:
        points = tomllib.loads(path.read_text(encoding="utf-8"))["project"].get("entry-points", {})
        targets: dict[str, str] = points.get("llmspell.globals", {})
        for name, target in targets.items():
            package = target.partition(":")[0].partition(".")[0]
            file = path.parent / "src" / package / "script_manifest.json"
            assert name in json.loads(file.read_text(encoding="utf-8"))["globals"]
