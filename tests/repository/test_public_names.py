"""The names that packages export can be imported, in every order."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

PACKAGES = [
    "llmspell",
    "llmspell_agents",
    "llmspell_core",
    "llmspell_core.testing",
    "llmspell_workflows",
]
BEFORE = """
import importlib, importlib.util, sys
package = importlib.import_module(sys.argv[1])
for inner in ("globals", "tool", "workflow"):
    if importlib.util.find_spec(f"{package.__name__}.{inner}"):
        importlib.import_module(f"{package.__name__}.{inner}")
print(*(name for name in package.__all__ if getattr(package, name, None) is None))
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_is_there_and_sorted(package: str) -> None:
    module = importlib.import_module(package)
    assert sorted(module.__all__) == module.__all__
    assert all(getattr(module, name) is not None for name in module.__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_names_are_found_after_submodules_were_imported(package: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEFORE, package], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")
