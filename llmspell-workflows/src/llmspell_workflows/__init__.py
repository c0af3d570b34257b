"""Workflows over the tools, agents and functions of llmspell."""
