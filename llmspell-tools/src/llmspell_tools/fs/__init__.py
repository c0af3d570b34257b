"""Tools for files, all through the file gate."""
