"""The sky of every page: a day goes by, longer stories take several, and weather comes and goes."""

from random import Random

from deployments.chat.scripted.places import Setting

_DAY = ("sunrise", "day", "sunset", "night")
_TURNS = {"": (2, 3), "sunrise": (4,), "night": (3,), "rainbow": (1,), "sunset": (2,)}


def skies(pages: int, turn: int, sky: str, setting: Setting, rng: Random) -> list[str]:
    """One sky a page; the page `turn` has `sky`, if that is given. Days and nights follow each other."""
    if setting.sort == "space":
        return ["night"] * pages
    start = 0 if pages > 3 or sky == "sunrise" else rng.choice((0, 1))
    end = rng.choice(_TURNS[sky]) + 4 * (max(0, pages - 3) // 7)
    steps = max(turn, 1)
    hours = [start + round((end - start) * min(index, turn) / steps) for index in range(pages)]
    if turn == 0:
        hours = [end] * pages
    for index in range(turn + 1, pages):
        hours[index] = end + (1 if end % 4 in (2, 3) and rng.random() < 0.5 else 0)
    marks = [_DAY[hour % 4] for hour in hours]
    if sky == "rainbow":
        marks[turn] = "rainbow"
        marks[turn + 1 :] = ["day"] * (pages - turn - 1)
        if turn > 0 and setting.outdoors:
            marks[turn - 1] = "rain"
    elif setting.outdoors and pages >= 6:
        _weather(marks, turn, setting, rng)
    return marks


def _weather(marks: list[str], turn: int, setting: Setting, rng: Random) -> None:
    """Now and then a page of rain with a rainbow behind it; on a snowfield, snow."""
    free = [index for index in range(3, turn) if marks[index] == "day"]
    if not free or rng.random() < 0.4 or setting.sort in ("sky", "desert"):
        return
    at = rng.choice(free)
    if setting.sort == "snow":
        marks[at] = "snow"
        return
    marks[at] = "rain"
    if at + 1 in free:
        marks[at + 1] = "rainbow"
