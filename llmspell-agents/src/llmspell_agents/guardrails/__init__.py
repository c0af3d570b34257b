"""Guardrails of agents: what is checked where, the built-in checks, and what follows from them."""
