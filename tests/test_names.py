"""A caller's path is a name inside the store, whatever is in it."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.errors import InvalidInput
from store.names import key_of

PIECES = st.sampled_from(
    ["a", "b.png", "..", ".", "", "/", "\\", "//", "./", "../", " ", "\t", "~", "C:", "é", "\ud800"]
)
PATHS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=8).map("".join), st.lists(PIECES).map("/".join))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("a/b.png", "a/b.png"),
        ("./a/b.png", "a/b.png"),
        ("/a/b.png", "a/b.png"),
        ("//a//b.png", "a/b.png"),
        ("a\\b.png", "a/b.png"),
        (" a/b.png\n", "a/b.png"),
        ("a/./b.png/", "a/b.png"),
        ("generated_stories/1/image/故事 一.png", "generated_stories/1/image/故事 一.png"),
        ("x" * 255 + "/" + "y" * 255, "x" * 255 + "/" + "y" * 255),
    ],
)
def test_a_path_names_a_key(name: str, key: str) -> None:
    assert key_of(name) == key


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "/",
        ".",
        "./",
        "..",
        "../a",
        "a/..",
        "a/../b",
        "a\\..\\..\\b",
        "..\\a",
        ".hidden",
        "a/.work/p1.png",
        "C:\\a",
        "file:///etc/passwd",
        "s3://bucket/a",
        "a\0b",
        "a\nb",
        "a/\x7f",
        "a\x85b",
        "a/\ud800",
        "a/ b",
        "a /b",
        "x" * 256,
        "字" * 86,
        "a/" * 200 + "b" * 200,
    ],
)
def test_what_is_no_name_of_the_store_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        key_of(name, "path")
    assert refused.value.param == "path"


@given(PATHS)
@example("/ a")
@example("a /")
@example("./ /a")
def test_a_key_is_its_own_name(name: str) -> None:
    try:
        key = key_of(name)
    except InvalidInput:
        return
    assert key_of(key) == key


@given(PATHS)
@example("a/b/../../../c")
def test_no_name_leaves_the_store(name: str) -> None:
    try:
        key = key_of(name)
    except InvalidInput:
        return
    root = Path("/var/artifacts")
    path = Path(f"{root}/{key}")
    assert path.is_relative_to(root) and path != root and ".." not in path.parts
    assert not any(part.startswith(".") for part in path.relative_to(root).parts)
    assert "\0" not in key and "\\" not in key and len(key.encode()) <= 512
