"""The transcription capability: protocol, engines, Serve deployment."""
