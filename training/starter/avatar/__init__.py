"""The starter avatars: people who do not exist, one for each of the documented models."""
