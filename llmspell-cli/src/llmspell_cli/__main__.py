"""Entry of the ``llmspell`` command; answers the cheap question before importing click."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from llmspell_cli.version import VERSION

        sys.stdout.write(f"llmspell {VERSION}\n")
        return 0
    from llmspell_cli.app import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
