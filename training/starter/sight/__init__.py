"""The starter classifier and detector: how the scenes are made that teach them, and how they are taught."""
