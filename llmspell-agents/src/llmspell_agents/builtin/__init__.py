"""The built-in agents, one file each: plain data, offered by entry points like a plugin's."""
