"""Zips of strangers: what is fine is unpacked, what is not leaves nothing."""

import io
import stat
import struct
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import InvalidInput, ServiceError, TooLarge, UnsupportedMedia
from store.zips import Entry, extract, name_of
from tests.media import picture

TEXT, MIB = {".txt"}, 1 << 20
Change = Callable[[zipfile.ZipInfo], None]


def zipped(*names: str, content: bytes = b"hello", change: Change | None = None, how: int = 8) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.compress_type = how
            if change:
                change(info)
            archive.writestr(info, content)
    return file.getvalue()


def unpacked(
    content: bytes, folder: Path | None, most_files: int = 10, most_bytes: int = MIB, suffixes: set[str] = TEXT
) -> list[Entry]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        return extract(file, folder, most_files=most_files, most_bytes=most_bytes, suffixes=suffixes, param="samples")


def assert_refused(content: bytes, folder: Path, error: type[ServiceError], words: str, **bounds: int) -> None:
    for target in (folder / "out", None):
        with pytest.raises(ServiceError, match=words) as refused:
            unpacked(content, target, **bounds)
        assert type(refused.value) is error and refused.value.param == "samples"
    assert list(folder.iterdir()) == []


def test_files_and_folders_are_unpacked(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.mkdir("猫")
        for name in ("猫/一.txt", "a/b/c.TXT", "__MACOSX/a/._c.txt", ".DS_Store", "a/.DS_Store", "Thumbs.db"):
            archive.writestr(name, name)
    entries = unpacked(file.getvalue(), tmp_path / "out")
    assert [entry.name for entry in entries] == ["猫/一.txt", "a/b/c.TXT"]
    assert [(tmp_path / "out" / entry.name).read_text() for entry in entries] == ["猫/一.txt", "a/b/c.TXT"]
    assert entries[0].size_bytes == len("猫/一.txt".encode())
    assert len([path for path in (tmp_path / "out").rglob("*") if path.is_file()]) == 2
    assert unpacked(file.getvalue(), None) == entries


@pytest.mark.parametrize(
    "name",
    [
        *("../x.txt", "a/../../x.txt", "a/..", "/etc/x.txt", "//x/y.txt", "./x.txt", "a/./x.txt", "a//x.txt"),
        *("C:/x.txt", "c:x.txt", "x.txt:stream", "a\\b.txt", "..\\x.txt", " /x.txt", "a /x.txt", "a\nb.txt"),
        *("字" * 90 + ".txt", "/".join(["a" * 60] * 10) + ".txt"),
    ],
)
def test_names_that_lead_away_are_refused(name: str, tmp_path: Path) -> None:
    assert_refused(zipped("a.txt", name), tmp_path, InvalidInput, "路径")


@pytest.mark.parametrize(
    "names",
    [
        ("a.txt", "a.txt"),
        ("a.txt", "A.TXT"),
        ("straße.txt", "STRASSE.txt"),
        ("é.txt", "e\u0301.txt"),
        ("b.txt", "B.txt/c.txt"),
        ("x.txt/y.txt", "x.txt"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_are_one_on_some_system_are_refused(names: tuple[str, ...], tmp_path: Path) -> None:
    assert_refused(zipped(*names), tmp_path, InvalidInput, "重名")


def mode(kind: int) -> Change:
    return lambda info: setattr(info, "external_attr", (kind | 0o644) << 16)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind: int, tmp_path: Path) -> None:
    assert_refused(zipped("a.txt", content=b"/etc/passwd", change=mode(kind)), tmp_path, InvalidInput, "链接或设备")


def patched(content: bytes, local: int, central: int, value: bytes) -> bytes:
    """With a field of the first entry's headers changed, in its own and in the directory's."""
    changed, directory = bytearray(content), content.index(b"PK\1\2")
    changed[local : local + len(value)] = value
    changed[directory + central : directory + central + len(value)] = value
    return bytes(changed)


def placed(offset: int) -> bytes:
    """With a file that lies there, as far as the directory tells."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", b"hello")
        archive.filelist[0].header_offset = offset
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", InvalidInput, "不是可读的 zip"),
        (b"PK\3\4 and no more", InvalidInput, "不是可读的 zip"),
        (zipped("a.txt")[:-30], InvalidInput, "不是可读的 zip"),
        (placed(1 << 63), InvalidInput, "不是可读的 zip"),
        (placed(1 << 62), InvalidInput, "不是可读的 zip"),
        (zipped(), InvalidInput, "空"),
        (zipped(".DS_Store"), InvalidInput, "空"),
        (patched(zipped("a.txt"), 6, 8, b"\1\0"), InvalidInput, "加密"),
        (patched(zipped("a.txt"), 8, 10, struct.pack("<H", 99)), UnsupportedMedia, "压缩方式"),
        (zipped("a.txt", how=zipfile.ZIP_BZIP2), UnsupportedMedia, "压缩方式"),
        (zipped("a.txt", how=zipfile.ZIP_LZMA), UnsupportedMedia, "压缩方式"),
        (zipped("a.txt").replace(b"a.txt", b"b.txt", 1), InvalidInput, "不是可读的 zip"),
        (patched(zipped("a.txt"), 14, 16, b"\0\0\0\0"), InvalidInput, "不是可读的 zip"),
        (zipped("a.exe"), UnsupportedMedia, "不支持的文件"),
        (zipped("a"), UnsupportedMedia, "不支持的文件"),
        (zipped("a.txt", content=zipped("b.txt")), UnsupportedMedia, "不符"),
        (zipped("a.txt", content=picture()), UnsupportedMedia, "不符"),
        (zipped("b.zip", content=zipped("b.txt")), UnsupportedMedia, "不支持的文件"),
        (zipped(*(f"{number}.txt" for number in range(11))), TooLarge, "10 个"),
        (zipped(*(f"{number}.txt" for number in range(5)), content=b"0123456789" * 25_000), TooLarge, "1 MB"),
    ],
)
def test_what_is_not_a_plain_zip_of_the_kind_is_refused(
    content: bytes, error: type[ServiceError], words: str, tmp_path: Path
) -> None:
    assert_refused(content, tmp_path, error, words)


def test_pictures_are_pictures(tmp_path: Path) -> None:
    named = {"a.png": picture(), "b.jpg": picture("WEBP")}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in named.items():
            archive.writestr(name, content)
    taken = unpacked(file.getvalue(), tmp_path / "out", suffixes={".png", ".jpg"})
    assert {entry.name: (tmp_path / "out" / entry.name).read_bytes() for entry in taken} == named
    for content in (b"<html></html>", zipped("b.png"), b""):
        with pytest.raises(UnsupportedMedia, match="不符"):
            unpacked(zipped("a.png", content=content), tmp_path / "second", suffixes={".png"})


def test_a_bomb_is_refused_though_its_size_is_allowed(tmp_path: Path) -> None:
    assert_refused(zipped("a.txt", content=b" " * (8 * MIB)), tmp_path, TooLarge, "解压后", most_bytes=100 * MIB)


def test_what_a_header_says_of_a_size_is_not_believed(tmp_path: Path) -> None:
    """It claims to be small, and goes on."""
    content = zipped("a.txt", content=bytes(range(1, 256)) * 40_000)
    assert_refused(patched(content, 22, 24, struct.pack("<I", 100)), tmp_path, InvalidInput, "损坏")


def test_a_directory_of_very_many_files_is_not_taken_into_memory(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(6000):
            archive.writestr(f"{number}.txt", b"")
    assert_refused(file.getvalue(), tmp_path, TooLarge, "过多")


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_chinese_names_without_the_flag_are_read(encoding: str, tmp_path: Path) -> None:
    """As a Chinese Windows writes them; the second bytes of 乗 and 誠 are backslashes."""
    name = "训练样本/第一条乗誠.txt"
    raw = name.encode(encoding)
    placeholder = "x" * (len(raw) - 4) + ".txt"
    content = zipped(placeholder).replace(placeholder.encode(), raw)
    assert [entry.name for entry in unpacked(content, tmp_path / "out")] == [name]


def test_names_in_no_known_encoding_are_refused(tmp_path: Path) -> None:
    assert_refused(zipped("xx.txt").replace(b"xx.txt", b"\xff\xff.txt"), tmp_path, InvalidInput, "编码")
    flagged = zipped("字.txt").replace("字".encode(), b"\xff\xfe\xfd")
    assert_refused(flagged, tmp_path, InvalidInput, "不是可读的 zip")


def test_a_refusal_midway_leaves_nothing(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("a/1.txt", "a/2.txt", "b/3.txt"):
            archive.writestr(name, "fine")
        archive.writestr("c.txt", b"\0\0")
    assert_refused(file.getvalue(), tmp_path, UnsupportedMedia, "c.txt")


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        unpacked(zipped("a.txt"), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("./\\:~ "), min_size=1, max_size=40))
def test_a_name_is_refused_or_stays_in_its_folder(name: str) -> None:
    info = zipfile.ZipInfo("x")
    info.orig_filename, info.flag_bits = name, 0x800
    try:
        kept = name_of(info)
    except InvalidInput:
        return
    path = Path("/folder") / kept
    assert path.is_relative_to("/folder") and ".." not in path.parts and "\\" not in kept
    assert kept == unicodedata.normalize("NFC", name).removesuffix("/")
    info.orig_filename = kept
    assert name_of(info) == kept


@given(st.binary(min_size=1, max_size=40))
def test_any_bytes_for_a_name_are_read_or_refused(raw: bytes) -> None:
    info = zipfile.ZipInfo("x")
    info.orig_filename, info.flag_bits = raw.decode("cp437"), 0
    try:
        assert name_of(info)
    except InvalidInput:
        return
