"""Agents made of agents: one file for the parts, one for each strategy."""
