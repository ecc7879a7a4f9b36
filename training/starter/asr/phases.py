"""What the windows of a training are like while it goes on: short ones first, Whisper's own half minutes last."""

from typing import NamedTuple


class Phase(NamedTuple):
    """`until`: the part of the run after which the next one begins. All shares are 0 to 1."""

    until: float
    longest_s: float  # of a window
    windows: int  # that are sorted by length together
    meaningless: float  # share of texts without a meaning
    clauses: float  # share of the others that are cut at a comma
    ctc: float  # weight of the encoder's own loss
    frames: int = 9000  # of a batch
    silent: float = 0.03  # share of windows in which nobody speaks
    whole: bool = False  # padded to 3,000 frames, as faster-whisper does


PHASES = (
    Phase(until=0.12, longest_s=2.0, windows=192, meaningless=0.6, clauses=1.0, ctc=0.5),
    Phase(until=0.35, longest_s=3.5, windows=128, meaningless=0.5, clauses=0.8, ctc=0.5),
    Phase(until=0.55, longest_s=6.0, windows=96, meaningless=0.35, clauses=0.5, ctc=0.4),
    Phase(until=0.75, longest_s=12.0, windows=48, meaningless=0.2, clauses=0.3, ctc=0.3),
    Phase(
        1.0, longest_s=30.0, windows=16, meaningless=0.1, clauses=0.3, ctc=0.3, frames=12_000, silent=0.1, whole=True
    ),
)


def at(part: float) -> int:
    """The number of the phase at a part of the run."""
    return next((number for number, phase in enumerate(PHASES) if part < phase.until), len(PHASES) - 1)
