"""The program of a compute helper: reads calls from stdin, answers on stdout, as JSON frames.

It is started by its path with `python -I -S`, so that nothing is on `sys.path` but what the
host names, and imports only what a call needs. Where there is a sandbox it can read only there,
and reach nothing else. A frame is 4 bytes of length, little-endian, and JSON.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

_MIB = 1024 * 1024
_CPU_MARGIN_S = 2


def main() -> None:
    """Answer calls until stdin ends or the host kills us."""
    source, target = _channel()
    _forbid()
    functions: dict[str, Callable[..., Any]] = {}
    sandboxed = False
    while (request := read_frame(source)) is not None:
        name = request["function"]
        try:
            if not sandboxed:
                sandboxed = True
                _sandbox(request["paths"])
            if name not in functions:
                functions[name] = _load(name, request["paths"])
            answer = {"ready": True} if "args" not in request else _call(functions[name], request)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the host hears of it
            answer = {"error": _describe(error)}
        target.write(_encode(answer))
        target.flush()


def read_frame(source: BinaryIO) -> Any:
    """The next frame, or None at the end."""
    header = source.read(4)
    if len(header) < 4:  # noqa: PLR2004
        return None
    size = struct.unpack("<I", header)[0]
    data = source.read(size)
    return json.loads(data) if len(data) == size else None


def frame(value: Any) -> bytes:
    """A value as a frame."""
    data = json.dumps(value, separators=(",", ":")).encode("ascii")
    return struct.pack("<I", len(data)) + data


def _channel() -> tuple[BinaryIO, BinaryIO]:
    """Our own descriptors, so that what a function prints does not reach the host."""
    source = os.fdopen(os.dup(0), "rb")
    target = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    os.close(nothing)
    return source, target


def _forbid() -> None:
    """What no pure function needs: files that grow, core dumps."""
    try:
        import resource
    except ImportError:
        return
    for name, value in (("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", 0)):
        resource.setrlimit(getattr(resource, name), (value, value))


def _sandbox(paths: list[str]) -> None:
    """Before anything of the function is imported: what it may read is known now."""
    from importlib.util import module_from_spec, spec_from_file_location

    place = os.path.splitext(os.path.abspath(__file__))[0] + "_sandbox.py"  # noqa: PTH100, PTH122 - pathlib is slow to import
    spec = spec_from_file_location("_llmspell_helper_sandbox", place)
    if spec is None or spec.loader is None:
        raise ImportError(place)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.enter(paths)


def _limit(memory_mb: int, seconds: float) -> None:
    """Soft limits for one call: the host's kill is the real one, this one outlives the host."""
    try:
        import resource
    except ImportError:
        return
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + _CPU_MARGIN_S, hard))
    if memory_mb and sys.platform == "linux":
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb * _MIB, hard))


def _load(name: str, paths: list[str]) -> Callable[..., Any]:
    import importlib

    sys.path.extend(path for path in paths if path not in sys.path)
    module, _, attribute = name.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if not callable(found):
        raise TypeError(f"{name} is not a function")
    return found  # type: ignore[no-any-return]


def _call(function: Callable[..., Any], request: dict[str, Any]) -> dict[str, Any]:
    _limit(request["memory_mb"], request["seconds"])
    try:
        return {"result": function(*request["args"])}
    except MemoryError:
        return {"memory": True}


def _encode(answer: dict[str, Any]) -> bytes:
    try:
        return frame(answer)
    except MemoryError:
        return frame({"memory": True})
    except (TypeError, ValueError, RecursionError) as error:
        return frame({"error": {"type": "TypeError", "message": f"the result is no JSON: {error}"}})


def _describe(error: BaseException) -> dict[str, Any]:
    data: dict[str, Any] = {"type": type(error).__name__, "message": str(error)[:2000]}
    to_dict = getattr(error, "to_dict", None)
    if to_dict is not None:
        data["data"] = to_dict()
        data["kinds"] = [kind.__name__ for kind in type(error).__mro__]
    return data


if __name__ == "__main__":
    main()
