"""Tools for the machine: processes, environment, services, all through the gates."""
