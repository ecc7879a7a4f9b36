"""How fast is learnt, step by step."""

import math

WARM = 0.05  # of the steps, in which the learning rate rises


def rate(learning_rate: float, step: int, steps: int) -> float:
    """Rises linearly and falls along a cosine."""
    warm = max(1, round(steps * WARM))
    if step < warm:
        return learning_rate * (step + 1) / warm
    done = (step - warm) / max(1, steps - warm)
    return learning_rate * (1 + math.cos(math.pi * done)) / 2
