"""The chat capability: protocol, engines, Serve deployment."""
