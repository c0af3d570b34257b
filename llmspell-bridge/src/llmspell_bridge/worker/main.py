"""The worker's program: ``python -I -S -E main.py FD GUEST_MODULE PATH...``.

It is compiled at each start, so it is short. The packages of ours are entered as bare folders:
their `__init__` modules are for the host and would import what a worker has no use for.
"""

import sys

if sys.platform == "win32":  # `os` itself would be a twentieth of the start
    from nt import stat
else:
    from posix import stat


def _enter_packages(names: tuple[str, ...], folders: tuple[str, ...]) -> None:
    for name in names:
        for folder in folders:
            place = f"{folder}/{name}"
            try:
                stat(place)
            except OSError:
                continue
            module = type(sys)(name)
            module.__path__ = [place]
            sys.modules[name] = module
            break


def main(descriptor: str, guest: str, *folders: str) -> None:
    """Serve the host at the other end of an inherited socket."""
    sys.path.extend(folders)
    _enter_packages(("llmspell_bridge", "llmspell_core", guest.partition(".")[0]), folders)
    from llmspell_bridge.worker.limits import block_interrupts, die_with_parent

    block_interrupts()
    die_with_parent()
    from _socket import socket

    from llmspell_bridge.worker.loop import serve

    __import__(guest)
    serve(socket(fileno=int(descriptor)), sys.modules[guest])


main(*sys.argv[1:])
