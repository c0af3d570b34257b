"""Tools for the web, all through the network gate."""
