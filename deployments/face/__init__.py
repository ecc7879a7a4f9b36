"""The face capability: protocol, engines, Serve deployment."""
