"""A script engine in a process of its own: its main program, and the host's side of it."""
