"""Agents that watch a market and its competitors."""
