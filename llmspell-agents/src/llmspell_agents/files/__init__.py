"""Agent files: `*.agent.yaml`, `.toml`, `.json` and `.md`, which are data and nothing else."""
