"""Tools that search collections: scholarly works."""
