"""The version, written by `scripts/bump.py`: `--version` reads no metadata."""

VERSION = "0.1.0"
