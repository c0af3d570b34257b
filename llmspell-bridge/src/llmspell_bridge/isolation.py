"""What keeps a worker from the rest of the machine here, and what the profile `high` needs."""

from __future__ import annotations

import importlib.util
import sys

from llmspell_core.errors import PolicyError


def describe() -> list[str]:
    """The layers that hold for a worker on this machine, as short words."""
    layers = ["process of its own"]
    if importlib.util.find_spec("resource") is not None:
        layers.append("resource limits")
    layers.append("no inherited files or environment")
    return layers


def require_sandbox(profile: str) -> None:
    """Raise when this machine has no operating-system sandbox for a worker."""
    raise PolicyError(
        f"the profile {profile} needs an operating-system sandbox, which workers on "
        f"{sys.platform} do not have",
        code="security.no_sandbox",
        hint="run it under medium, or in a container of its own",
    )
