"""Chinese numbers, dates, times, prices, percentages and units as words, by WeTextProcessing's grammars (`wetext`)."""

import re
from functools import cache
from typing import Any

THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")  # of 1,288; the grammars take a comma for a pause
DIGIT = re.compile(r"\d")


def read_out(text: str) -> str:
    """A Chinese phrase of a few hundred characters as it is said. Foreign words stay, and all that holds no digit."""
    if not DIGIT.search(text):
        return text
    said: str = _grammar().normalize(THOUSANDS.sub("", text))
    return said.replace('\\"', '"').replace("\\\\", "\\")  # as its tokens escape them


@cache
def _grammar() -> Any:
    """A quarter of a second and 30 MB, when the first number comes."""
    from wetext import Normalizer

    return Normalizer(lang="zh", operator="tn")
