"""The provider for every OpenAI-compatible service, and the services known by name."""
