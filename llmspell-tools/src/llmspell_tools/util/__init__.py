"""Tools that compute and format: no files, no network."""
