"""Reading JSON that others have written."""

from __future__ import annotations

import json
from typing import Any


def read_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises `ValueError` for whatever cannot be read, also for what is nested too deep, which
    `json.loads` tells by a `RecursionError`.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
