"""The scripted chat engine: grammars for stories, sales copy, editing and small talk, and the corpus they make."""

from deployments.chat.scripted.corpus import corpus
from deployments.chat.scripted.engine import Scripted

__all__ = ["Scripted", "corpus"]
