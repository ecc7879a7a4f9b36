"""The scripted chat engine: grammars for stories, sales copy, editing and small talk."""

from deployments.chat.scripted.engine import Scripted

__all__ = ["Scripted"]
