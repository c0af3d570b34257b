"""Templates: what agents are made from by name, over several levels."""
