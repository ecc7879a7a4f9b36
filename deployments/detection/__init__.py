"""The detection capability: protocol, engines, Serve deployment."""
