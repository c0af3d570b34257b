"""Tests written as spells: the `Test` global, and how a file of them is run."""
