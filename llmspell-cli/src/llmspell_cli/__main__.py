"""Entry of the ``llmspell`` command; answers the cheap question before importing click."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from llmspell_cli.version import VERSION

        sys.stdout.write(f"llmspell {VERSION}\n")
        return 0
    import gc

    # A start makes very many objects that live to the end. Looking for garbage among them, while
    # they are made and once more at the end, would be a fifth of all that a short run costs.
    gc.set_threshold(50_000, 10, 10)
    from llmspell_cli.app import run
    from llmspell_cli.ending import leave

    code = run(sys.argv[1:])
    gc.freeze()
    return leave(code)


if __name__ == "__main__":
    sys.exit(main())
