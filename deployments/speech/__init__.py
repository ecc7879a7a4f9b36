"""The speech capability: protocol, engines, Serve deployment."""
