"""Voices that callers keep: found by name, their owners' own, replaced whole."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.errors import NotFound
from store.database import Database
from store.voices import UNSTATED, Voices

pytest_plugins = ["tests.places"]

ANN, BOB = ("anon-ann",), ("anon-bob",)


@pytest.fixture
def voices(database: Database) -> Voices:
    return Voices(database)


def test_what_is_kept_is_found_by_its_name(voices: Voices) -> None:
    voices.keep("anon-ann", "小美 1", "samples/a.wav", r"EchOfU\static\a.wav", " 本人同意 ")
    row = voices.find("小美 1", ANN)
    assert (row.name, row.sample, row.reference) == ("小美 1", "samples/a.wav", r"EchOfU\static\a.wav")
    assert (row.owner, row.consent, len(row.id)) == ("anon-ann", "本人同意", 32)


def test_consent_is_not_stated_unless_it_is(voices: Voices) -> None:
    for consent in ("", " "):
        voices.keep("anon-ann", "a", "samples/a.wav", "a.wav", consent)
        assert voices.find("a", ANN).consent == UNSTATED == "not stated"


def test_they_are_listed_newest_first_for_all_that_a_caller_is(voices: Voices) -> None:
    for name in "abc":
        voices.keep("anon-ann", name, f"samples/{name}.wav", "")
    voices.keep("anon-bob", "d", "samples/d.wav", "")
    voices.keep("anon-ann", "a", "samples/new.wav", "")
    assert [row.name for row in voices.all(ANN)] == ["a", "c", "b"]
    assert {row.name for row in voices.all(ANN + BOB)} == {"a", "b", "c", "d"}
    assert voices.all(("nobody",)) == voices.all(()) == []


def test_an_equal_name_replaces_ones_own_voice_and_nobody_elses(voices: Voices) -> None:
    voices.keep("anon-ann", "a", "samples/1.wav", "one.wav", "yes")
    voices.keep("anon-bob", "a", "samples/bob.wav", "bob.wav")
    voices.keep("anon-ann", "a", "samples/2.wav", "two.wav")
    [row] = voices.all(ANN)
    assert (row.sample, row.reference, row.consent) == ("samples/2.wav", "two.wav", UNSTATED)
    assert voices.find("a", BOB).sample == "samples/bob.wav"


@pytest.mark.parametrize("newest", ["cookie:1", "address:1"])
def test_of_equal_names_the_callers_own_is_meant(voices: Voices, newest: str) -> None:
    """Somebody else at the same address may have named a voice so, since."""
    owners = ("cookie:1", "address:1")
    for owner in (*(each for each in owners if each != newest), newest):
        voices.keep(owner, "a", f"{owner}.wav", "")
    assert voices.find("a", owners).sample == "cookie:1.wav"
    assert [row.sample for row in voices.all(owners)] == ["cookie:1.wav"]
    voices.delete("a", owners)
    assert voices.find("a", owners).sample == "address:1.wav"
    assert [row.sample for row in voices.all(owners)] == ["address:1.wav"]


@pytest.mark.parametrize("name", ["b", "A", "", "a ", "%", "x" * 5_000, "\0", "a\ud800", "' OR 1=1 --"])
def test_what_is_not_there_is_not_found(voices: Voices, name: str) -> None:
    voices.keep("anon-ann", "a", "samples/a.wav", "")
    with pytest.raises(NotFound, match="没有这个说话人") as refused:
        voices.find(name, ANN, param="speaker_id")
    assert refused.value.param == "speaker_id"
    with pytest.raises(NotFound):
        voices.delete(name, ANN)


def test_anothers_voice_is_not_found(voices: Voices) -> None:
    voices.keep("anon-ann", "a", "samples/a.wav", "")
    for ask in (voices.find, voices.delete):
        with pytest.raises(NotFound):
            ask("a", BOB)
    assert voices.find("a", ANN).sample == "samples/a.wav"


def test_what_is_deleted_is_gone_and_its_name_is_free(voices: Voices) -> None:
    voices.keep("anon-ann", "a", "samples/1.wav", "")
    assert voices.delete("a", ANN) == "samples/1.wav"
    assert voices.all(ANN) == []
    voices.keep("anon-ann", "a", "samples/2.wav", "")
    assert voices.find("a", ANN).sample == "samples/2.wav"


def test_of_many_at_once_one_stays(voices: Voices) -> None:
    samples = [f"samples/{number}.wav" for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda sample: voices.keep("anon-ann", "a", sample, ""), samples))
    [row] = voices.all(ANN)
    assert row.sample in samples
