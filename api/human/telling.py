"""An answer in the words of `/ws/converse`: JSON, and after `audio` and `frame` a binary message."""

from typing import Any

from api.human.outbox import Message as Sent
from contracts.chat import Message
from contracts.errors import ServiceError
from graphs.chat import Frame, Heard, Piece, Said, Sentence


class Telling:
    """Of one turn (1, 2 …); it remembers what was said."""

    def __init__(self, turn: int) -> None:
        self.turn = turn
        self._heard, self._texts, self._sounding = "", list[str](), 0
        self._end_s = 0.0

    def of(self, piece: Heard | Piece) -> tuple[Sent, ...]:
        match piece:
            case Heard():
                self._heard = piece.text
                return (self._word("heard", text=piece.text, language=piece.language),)
            case Sentence():
                self._texts.append(piece.text)
                return (self._word("text", sentence=piece.number, text=piece.text, start_s=_time(piece.start_s)),)
            case Said():
                return self._sound(piece)
            case Frame():
                told = {"media_type": "image/jpeg", "size_bytes": len(piece.jpeg), "start_s": _time(piece.start_s)}
                return self._word("frame", **told), piece.jpeg

    def done(self) -> dict[str, Any]:
        return self._word("done", text="".join(self._texts).strip(), duration_s=_time(self._end_s))

    def said(self) -> list[Message]:
        """The question and what was heard of the answer, to the sentence; nothing when that is none."""
        if not self._sounding:
            return []
        answer = "".join(self._texts[: self._sounding]).strip()
        return [Message(role="user", content=self._heard), Message(role="assistant", content=answer)]

    def _sound(self, piece: Said) -> tuple[Sent, ...]:
        self._sounding, self._end_s = piece.number + 1, piece.start_s + piece.sound.duration_s
        told = {
            "sentence": piece.number,
            "sample_rate": piece.sound.rate_hz,
            "size_bytes": len(piece.sound.pcm),
            "start_s": _time(piece.start_s),
            "duration_s": _time(piece.sound.duration_s),
        }
        return self._word("audio", **told), piece.sound.pcm

    def _word(self, kind: str, **told: Any) -> dict[str, Any]:
        return {"type": kind, "turn": self.turn, **told}


def refusal(error: ServiceError, turn: int = 0) -> dict[str, Any]:
    """What is wrong: with the answer of a turn, else with what was sent last."""
    told = {"type": "error", "code": error.code, "message": error.message}
    more = {"turn": turn, "param": error.param, "retry_after_s": error.retry_after_s}
    return told | {name: value for name, value in more.items() if value}


def _time(seconds: float) -> float:
    """To the microsecond."""
    return round(seconds, 6)
