"""The classification capability: protocol, engines, Serve deployment."""
