"""Modules of scripts: what a name means, what a script imports, and reading it through the gate."""
