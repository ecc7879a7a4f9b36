"""Sizes that models can work at."""


def fitted(size: tuple[int, int], least: int, most: int, step: int) -> tuple[int, int]:
    """A size of about these proportions, as large if it may be: sides are multiples of `step`, from `least` to `most`.

    `least` and `most` are such multiples too. What is too long for its width loses its proportions.
    """
    scale = min(most / max(size), max(1.0, least / min(size)))
    width, height = (min(most, max(least, step * round(side * scale / step))) for side in size)
    return width, height
