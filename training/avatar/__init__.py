"""Avatars from films of people: ER-NeRF and SyncTalk in one implementation of our own."""
