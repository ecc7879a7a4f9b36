"""Text in which there is something to read."""

from pydantic import AfterValidator

from graphs.folding import fold
from graphs.split import readable


def _said(value: str) -> str:
    if not fold(value, blanks=False).text:
        raise ValueError("不能为空")
    return value


def _aloud(value: str) -> str:
    if not readable(value):
        raise ValueError("没有可以读出的文字")
    return value


Said, Aloud = AfterValidator(_said), AfterValidator(_aloud)
