"""Datasets for language models: every form is read, and what is wrong in one is told with its file and line."""

import io
import json
import os
import random
import tempfile
import tracemalloc
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.chat import Message
from contracts.errors import InvalidInput, ServiceError, TooLarge
from store.rows import LONGEST_LINE
from store.samples import Checked, Sample, check_brought, laid_at, samples

ASKED, ANSWERED = "介绍这款耳机", "家人们，看过来！"
ROW = {"instruction": ASKED, "input": "降噪", "output": ANSWERED}
CHAT = {"messages": [{"role": "user", "content": ASKED}, {"role": "assistant", "content": ANSWERED, "id": 7}]}
OTHER = {"instruction": "你好", "output": "欢迎来到直播间"}
CSV = f"instruction,output\n{ASKED},{ANSWERED}\n你好,欢迎\n"


def lines(*values: object) -> str:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def read(folder: Path, name: str, content: bytes | str) -> list[Sample]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [placed.sample for placed in samples(laid_at(path))]


def brought(content: bytes | Path, name: str, param: str = "file") -> Checked:
    """Checked as a caller's."""
    with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as file:
        return check_brought(file, name, param)


def packed(files: Mapping[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def said(*turns: str) -> Sample:
    roles = ("user", "assistant") * len(turns)
    return Sample(messages=[Message(role=role, content=turn) for role, turn in zip(roles, turns, strict=False)])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", lines(ROW, CHAT), [said(f"{ASKED}\n降噪", ANSWERED), said(ASKED, ANSWERED)]),
        ("a.jsonl", "\n" + lines({"text": ANSWERED}) + "  \r\n", [Sample(text=ANSWERED)]),
        (
            "a.json",
            json.dumps([ROW, CHAT], ensure_ascii=False),
            [said(f"{ASKED}\n降噪", ANSWERED), said(ASKED, ANSWERED)],
        ),
        ("a.json", json.dumps(CHAT, ensure_ascii=False, indent=2), [said(ASKED, ANSWERED)]),
        ("a.JSON", lines(OTHER, CHAT), [said("你好", "欢迎来到直播间"), said(ASKED, ANSWERED)]),
        ("a.csv", CSV, [said(ASKED, ANSWERED), said("你好", "欢迎")]),
        ("a.csv", f'Text \n"{ASKED}\n{ANSWERED}"\n', [Sample(text=f"{ASKED}\n{ANSWERED}")]),
        ("a.txt", f"{ASKED}\n\n{ANSWERED}", [Sample(text=ASKED), Sample(text=ANSWERED)]),
    ],
)
def test_every_form_is_read(tmp_path: Path, name: str, content: str, expected: list[Sample], encoding: str) -> None:
    assert read(tmp_path, name, content.encode(encoding)) == expected


def test_a_zip_holds_several_files(tmp_path: Path) -> None:
    archive = packed({"样本/b.csv": CSV.encode("gbk"), "样本/a.jsonl": lines(CHAT), "__MACOSX/x": b"\0"})
    assert read(tmp_path, "any.zip", archive) == [said(ASKED, ANSWERED), said(ASKED, ANSWERED), said("你好", "欢迎")]


BROKEN = [
    ("a.jsonl", "{", "a.jsonl 第 1 行"),
    ("a.jsonl", lines(ROW) + "nonsense\n", "a.jsonl 第 2 行"),
    ("a.jsonl", "[" * 100_000, "第 1 行"),
    ("a.jsonl", '{"text": ' + "1" * 5_000 + "}", "第 1 行"),
    ("a.jsonl", lines(ROW, "words"), "第 2 行"),
    ("a.jsonl", lines({"prompt": ASKED}), "messages"),
    ("a.jsonl", lines({"instruction": ASKED}), "output"),
    ("a.jsonl", lines({"instruction": ASKED, "output": " "}), "output"),
    ("a.jsonl", lines({"instruction": ASKED, "output": 8}), "output"),
    ("a.jsonl", lines({"instruction": ASKED, "output": "x", "input": []}), "input"),
    ("a.jsonl", lines({"text": ""}), "text"),
    ("a.jsonl", lines(ROW) + '{"text": "\\ud800"}\n', "第 2 行：含有无效字符"),
    ("a.jsonl", '{"instruction": "\\udc00", "output": "x"}', "无效字符"),
    ("a.jsonl", '{"text": NaN}', "text"),
    ("a.jsonl", lines({"messages": []}), "assistant"),
    ("a.jsonl", lines({"messages": "words"}), "messages"),
    ("a.jsonl", lines({"messages": 8}), "messages"),
    ("a.jsonl", lines({"messages": CHAT["messages"][:1]}), "assistant"),
    ("a.jsonl", lines({"messages": [{"role": "robot", "content": "x"}]}), "role"),
    ("a.jsonl", lines({"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": "x"}]}), "空"),
    ("a.json", json.dumps([ROW, {"text": ""}]), "第 2 条"),
    ("a.json", "[\n{},\n}", "第 3 行"),
    ("a.csv", "question,answer\nx,y\n", "第 2 行"),
    ("a.csv", "instruction,output\nx,y\nx\n", "第 3 行"),
    ("a.csv", "instruction,output\nx,y,z\n", "第 2 行"),
    ("a.csv", 'instruction,output\nx,"y\n', "a.csv 第 2 行"),
]


@pytest.mark.parametrize(("name", "content", "told"), BROKEN)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, name: str, content: str, told: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(tmp_path, name, content)
    assert told in refusal.value.message


@pytest.mark.parametrize("broken", [b'{"text": "half', b"\xff\xfe\n", b'{"text": "\xe4\xbd"}\n'])
def test_one_broken_line_among_ten_thousand(broken: bytes) -> None:
    good = lines(*(OTHER | {"id": random.random()} for _ in range(10_000))).encode()
    at = good.index(b"\n", len(good) // 2) + 1
    content = good[:at] + broken.removesuffix(b"\n") + b"\n" + good[at:]
    line = good[:at].count(b"\n") + 1
    archive = packed({"first.jsonl": lines(ROW), "second.jsonl": content})
    with pytest.raises(InvalidInput) as refusal:
        brought(archive, "any.zip", "dataset_path")
    assert f"second.jsonl 第 {line} 行" in refusal.value.message and refusal.value.param == "dataset_path"


@pytest.mark.parametrize("name", ["a.jsonl", "a.txt", "a.csv", "a.json"])
def test_a_line_of_a_gigabyte_takes_no_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / "brought"
    path.write_bytes(lines(ROW).encode() if name == "a.jsonl" else b"text\n")
    os.truncate(path, 1 << 30)  # sparse
    tracemalloc.start()
    with pytest.raises((InvalidInput, TooLarge)) as refusal:
        brought(path, name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (100 if name == "a.json" else 8) * LONGEST_LINE
    assert name in refusal.value.message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", b""),
        ("a.jsonl", b"\n \n"),
        ("a.json", b"[]"),
        ("a.csv", b"instruction,output\n"),
        ("a.txt", b"one line\n"),
        ("a.jsonl", lines(ROW, ROW, ROW).encode()),
        ("a.zip", packed({"a.jsonl": b""})),
    ],
)
def test_fewer_than_two_different_samples_are_refused(name: str, content: bytes) -> None:
    with pytest.raises(InvalidInput) as refusal:
        brought(content, name, "trainingSamples")
    assert "至少需要两条" in refusal.value.message and refusal.value.param == "trainingSamples"


@pytest.mark.parametrize(
    "archive",
    [packed({"a.jsonl": b"0" * (300 << 20)}), packed({"a.png": b"x"}), packed({"../a.jsonl": b"{}"}), b"PK"],
)
def test_archives_that_are_bombs_or_hold_anything_else(archive: bytes) -> None:
    with pytest.raises(ServiceError) as refusal:
        brought(archive, "a.zip")
    assert refusal.value.code in ("too_large", "unsupported_media", "invalid_input")


def test_the_same_samples_have_one_hash_however_they_are_packed() -> None:
    found = brought(lines(CHAT, OTHER).encode(), "a.jsonl")
    assert found == brought(packed({"x.jsonl": lines(CHAT, OTHER)}), "a.zip") and found.count == 2
    assert brought(lines(OTHER, CHAT).encode(), "a.jsonl").sha256 != found.sha256


def test_a_zip_is_read_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert brought(packed({"a.jsonl": lines(CHAT, OTHER), "b.txt": "一\n二\n"}), "a.zip").count == 4


@given(content=st.binary(max_size=200), name=st.sampled_from(["a.jsonl", "a.json", "a.csv", "a.txt", "a.zip"]))
def test_no_content_breaks_the_reader(content: bytes, name: str) -> None:
    with suppress(ServiceError):
        assert brought(content, name).count >= 2
