"""What people are told."""

import re


def in_chinese(words: str) -> bool:
    """There is Chinese in it, and no English sentence; names may stand in it."""
    return bool(re.search(r"[\u4e00-\u9fff]", words)) and not re.search("[a-z]+ [a-z]+", words)
