"""Text in which there is something to read."""

from pydantic import AfterValidator

from graphs.folding import fold


def _said(value: str) -> str:
    if not fold(value, blanks=False).text:
        raise ValueError("不能为空")
    return value


Said = AfterValidator(_said)
