"""The C library of eSpeak NG 1.52, one call at a time (speak_lib.h).

The library is one per process and carries state from call to call: the pitch flutter goes on where it stopped. So it
is loaded for each call and unloaded after it, which takes half a millisecond, and its breath noise is seeded with a
constant instead of the time of day: equal calls are equal.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from contracts.errors import EngineFailed, NotFound, Unavailable

RATE_HZ = 22_050
SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS
DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT: a missing folder is an error code
UTF8 = 1  # espeakCHARS_UTF8, and no espeakSSML: markup is text
WPM, PITCH, RANGE = 1, 3, 4  # espeakRATE, espeakPITCH, espeakRANGE

SEED = 1

LOCK = threading.Lock()
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class Prosody(NamedTuple):
    wpm: int
    pitch: int  # 0–100
    pitch_range: int  # 0–100


class Voice(ctypes.Structure):
    """espeak_VOICE."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),  # a priority byte and a tag with its NUL, repeated; then NUL
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


def synthesize(text: str, voice: str, prosody: Prosody) -> bytes:
    """Mono 16-bit little-endian PCM at RATE_HZ; empty where there is nothing to pronounce."""
    with loaded() as library:
        return said(library, text, voice, prosody)


def said(library: ctypes.CDLL, text: str, voice: str, prosody: Prosody) -> bytes:
    """The same from a library that stays loaded, where what was said before may change how it sounds."""
    blocks: list[bytes] = []

    def keep(samples: int | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            blocks.append(ctypes.string_at(samples, 2 * count))
        return 0

    content = text.encode("utf-8", "ignore") + b"\0"
    kept = CALLBACK(keep)
    library.espeak_SetSynthCallback(kept)
    if library.espeak_SetVoiceByName(voice.encode()):
        raise NotFound(f"No voice {voice!r}.", param="voice")
    for parameter, value in ((WPM, prosody.wpm), (PITCH, prosody.pitch), (RANGE, prosody.pitch_range)):
        library.espeak_SetParameter(parameter, value, 0)
    if library.espeak_Synth(content, ctypes.c_size_t(len(content)), 0, 0, 0, UTF8, None, None):
        raise EngineFailed("eSpeak NG could not say the text.")
    return b"".join(blocks)


def phonemes(library: ctypes.CDLL, text: str) -> str:
    """Names of the sounds that the voice would say that spoke last, with "|" or blanks between; a pause's is "_"."""
    content = ctypes.create_string_buffer(text.encode("utf-8", "ignore"))
    place, names = ctypes.c_void_p(ctypes.addressof(content)), []
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    while place.value:  # a clause at a time
        names.append(library.espeak_TextToPhonemes(ctypes.byref(place), UTF8, ord("|") << 8).decode())
    return " ".join(names)


def languages() -> list[str]:
    """The tags of the languages that the library has the dictionaries of, in alphabetical order."""
    import espeakng_loader

    data = Path(espeakng_loader.get_data_path())
    with loaded() as library:
        tags = {tag for voice in _listed(library, None) for tag in _tags(voice.languages)}
        tags = {tag for tag in tags if (data / f"{tag.partition('-')[0]}_dict").exists()}
        return sorted(tag for tag in tags if library.espeak_SetVoiceByName(tag.encode()) == 0)


def variants() -> frozenset[str]:
    """What may follow a language and "+"."""
    tag = ctypes.create_string_buffer(b"variant")
    with loaded() as library:
        wanted = Voice(languages=ctypes.addressof(tag))
        return frozenset(voice.identifier.decode().removeprefix("!v/") for voice in _listed(library, wanted))


def _listed(library: ctypes.CDLL, wanted: Voice | None) -> Iterator[Voice]:
    """The library's voices: its own memory, good until the next call."""
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(Voice))
    for voice in library.espeak_ListVoices(ctypes.byref(wanted) if wanted else None):
        if not voice:
            return
        yield voice.contents


def _tags(address: int) -> Iterator[str]:
    while found := ctypes.string_at(address):
        yield found[1:].decode()
        address += len(found) + 1


@contextmanager
def loaded() -> Iterator[ctypes.CDLL]:
    """The library, for one caller at a time; as new as in a process that has just begun."""
    import _ctypes

    import espeakng_loader

    with LOCK:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        try:
            if (
                library.espeak_Initialize(SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), DONT_EXIT)
                != RATE_HZ
            ):
                raise Unavailable("eSpeak NG did not find its data.")
            library.espeak_ng_SetRandSeed(ctypes.c_long(SEED))
            yield library
        finally:
            library.espeak_Terminate()
            _ctypes.dlclose(library._handle)
