"""The video capability: protocol, engines, Serve deployment."""
