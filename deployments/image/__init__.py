"""The image capability: protocol, engines, Serve deployment."""
