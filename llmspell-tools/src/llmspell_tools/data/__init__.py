"""Tools for structured data."""
