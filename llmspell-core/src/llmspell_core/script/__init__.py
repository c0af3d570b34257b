"""Scripts: the protocol between host and engine, and how a component declares what they see."""
