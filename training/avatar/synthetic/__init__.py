"""People who do not exist, drawn by a program that shares nothing with the trainer: each frame's truth is known."""

from training.avatar.synthetic.film import Take, shoot, write_film

__all__ = ["Take", "shoot", "write_film"]
