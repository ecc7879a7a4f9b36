"""Recordings that callers bring to be written down: sounds, and films for what is said in them."""

from contracts.errors import InvalidInput
from contracts.media import Kind, Media
from contracts.transcription import LONGEST_S, SHORTEST_S

KINDS: tuple[Kind, ...] = ("audio", "video")


def check_recording(media: Media, param: str) -> None:
    """Refuse a silent film, and what is too short or too long."""
    duration_s = media.duration_s or 0.0
    if media.kind == "video" and not media.sample_rate:
        raise InvalidInput("视频里没有声音。", param=param)
    if duration_s < SHORTEST_S:
        raise InvalidInput(f"录音太短，至少要 {SHORTEST_S:g} 秒。", param=param)
    if duration_s > LONGEST_S:
        raise InvalidInput(f"录音太长，最多 {LONGEST_S // 60} 分钟。", param=param)
