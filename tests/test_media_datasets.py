"""Datasets: brought, listed, used by their path, removed; what is none is refused and leaves nothing."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from api.paths import home
from store.listing import newest_under
from tests.media import picture, speech
from tests.trainings import PICTURES, ROWS, START, Trainer, Workshop, bring, packed, refused

pytest_plugins = ["tests.workshop"]


def names(trainer: Trainer) -> list[str]:
    return [each["name"] for each in trainer.http.get("/api/datasets").json()]


@pytest.mark.parametrize("prefix", ["", "/media"])
def test_a_dataset_is_kept_until_it_is_removed(trainer: Trainer, prefix: str) -> None:
    files = {"file": ("instruction_data.jsonl", ROWS)}
    answer = trainer.http.post(f"{prefix}/api/datasets", files=files)
    kept = {"name": "instruction_data.jsonl", "path": "/datasets/instruction_data.jsonl", "format": "jsonl"}
    assert answer.json() == kept | {"size_bytes": len(ROWS), "shared": False}
    assert trainer.http.get(f"{prefix}/api/datasets").json() == [answer.json()]
    removed = trainer.http.delete(f"{prefix}/api/datasets/instruction_data.jsonl")
    assert removed.json() == {"success": True, "name": "instruction_data.jsonl"}
    assert names(trainer) == []
    refused(trainer.http.delete(f"{prefix}/api/datasets/instruction_data.jsonl"), "name", 404)


def test_names(trainer: Trainer) -> None:
    told = [bring(trainer, "my data.zip", PICTURES).json() for _ in range(3)]
    assert [each["path"] for each in told] == [f"/datasets/my_data{suffix}" for suffix in ("", "_1", "_2")]
    assert {each["format"] for each in told} == {"zip"}
    for name, content, form, path in [
        ("a.zip", PICTURES, {"name": "花卉"}, "/datasets/花卉"),
        ("a.jsonl.zip", PICTURES, {}, "/datasets/a"),
        ("a.txt", ROWS, {"name": "b.jsonl"}, "/datasets/b.txt"),
        ("C:\\x\\..\\c.csv", ROWS, {}, "/datasets/c.csv"),
        ("../../d%2f.json", ROWS, {}, "/datasets/d_2f.json"),
        ("x.jsonl", ROWS, {"name": "..."}, "/datasets/dataset.jsonl"),
        ("zip-in-disguise.txt", PICTURES, {}, "/datasets/zip-in-disguise"),
    ]:
        answer = bring(trainer, name, content, **form)
        assert answer.status_code == 200, (name, answer.text)
        assert answer.json()["path"] == path
        assert path.removeprefix("/datasets/") in names(trainer)
    refused(bring(trainer, "x.zip", PICTURES, name="花卉"), "name", 400)


@pytest.mark.parametrize(
    "content",
    [
        "标题,内容\n耳机,主动降噪\n".encode("gbk"),
        "标题,内容\n".encode("utf-8-sig"),
        ("长" * 700_001).encode(),  # a character lies across what is read at once
        ("国" * 1_000_001).encode("gbk"),
    ],
)
def test_texts_in_the_encodings_of_windows_and_the_web(trainer: Trainer, content: bytes) -> None:
    assert bring(trainer, "a.csv", content).json()["size_bytes"] == len(content)


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("a.jsonl", b"", 422),
        ("a.jsonl", b" \n\t", 422),
        ("a.jsonl", b"\xff\xff\xff", 422),
        ("a.jsonl", "标题".encode("utf-16"), 422),
        ("a.jsonl", "标题".encode()[:-1], 422),
        ("a.txt", b"a\0b", 422),
        ("a.txt", picture(), 422),
        ("a.txt", speech(), 422),
        ("a.exe", b"MZ", 415),
        ("a", ROWS, 415),
        ("a.tar.gz", b"\x1f\x8b", 415),
        ("a.zip", ROWS, 422),
        ("a.zip", PICTURES[:-20], 422),
        ("a.zip", packed(), 422),
        ("a.zip", packed(**{"../../etc/passwd.txt": b"a"}), 422),
        ("a.zip", packed(**{"C:\\x.txt": b"a"}), 422),
        ("a.zip", packed(**{"a.exe": b"a"}), 415),
        ("a.zip", packed(**{"a.png": b"a"}), 415),
        ("a.zip", packed(**{"a.wav": speech()}), 415),
        ("a.zip", packed(**{"inner.zip": PICTURES}), 415),
        ("a.zip", packed(**{"a.txt": b"a" * (50 << 20)}), 413),
        ("a.zip", packed(**{f"{number}.txt": b"a" for number in range(20_001)}), 413),
    ],
)
def test_what_is_no_dataset(trainer: Trainer, name: str, content: bytes, status: int) -> None:
    refused(bring(trainer, name, content), "file", status)
    assert names(trainer) == []


def test_forms(trainer: Trainer) -> None:
    refused(trainer.http.post("/api/datasets"), "file")
    refused(trainer.http.post("/api/datasets", data={"file": "x"}), "file")
    refused(trainer.http.post("/api/datasets", json={"file": "x"}), "file")
    two = [("file", ("a.txt", ROWS)), ("file", ("b.txt", ROWS))]
    refused(trainer.http.post("/api/datasets", files=two), "file")
    refused(bring(trainer, "a.txt", ROWS, name="x" * 121), "name")
    refused(bring(trainer, "a.txt", b"x" * (201 << 20)), "", 413)
    assert names(trainer) == []


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fetc", "%2e%2e", "a%00b", "x%2500", "C:%5cx", "x" * 400])
def test_names_that_are_none(trainer: Trainer, name: str) -> None:
    assert trainer.http.delete(f"/api/datasets/{name}").status_code in (404, 405, 422)


def test_a_dataset_is_its_callers_alone(trainer: Trainer, workshop: Workshop) -> None:
    other = workshop.trainer()
    bring(trainer, "mine.jsonl", ROWS)
    assert names(other) == []
    refused(other.http.delete("/api/datasets/mine.jsonl"), "name", 404)
    assert names(trainer) == ["mine.jsonl"]


def test_who_shows_nothing_keeps_what_it_brought(workshop: Workshop) -> None:
    first, second = workshop.visitor("10.0.0.7"), workshop.visitor("10.0.0.7")
    for number, client in enumerate((first, first, second)):
        answer = client.post("/api/datasets", files={"file": (f"{number}.txt", ROWS)})
        assert answer.status_code == 200
    assert {each["name"] for each in first.get("/api/datasets").json()} == {"0.txt", "1.txt", "2.txt"}  # of the address
    second.post("/api/datasets", files={"file": ("its.txt", ROWS)})
    assert "its.txt" not in {each["name"] for each in first.get("/api/datasets").json()}


def test_what_is_trained_with_is_not_removed(trainer: Trainer) -> None:
    bring(trainer, "my_dataset.zip", PICTURES)
    job_id = trainer.running(dataset=f"{home(trainer.owner)}/datasets/my_dataset.zip")
    refused(trainer.http.delete("/api/datasets/my_dataset"), "name", 400)
    trainer.state.jobs.records.fail(job_id, "内存不足")
    assert trainer.http.delete("/api/datasets/my_dataset").status_code == 200


def test_what_another_at_the_address_trains_with_is_not_removed(workshop: Workshop) -> None:
    """Its first call had no cookie, so what it brought is everybody's at that address."""
    first, second = workshop.visitor("10.0.0.8"), workshop.visitor("10.0.0.8")
    first.post("/api/datasets", files={"file": ("shared.jsonl", ROWS)})
    (owner,) = {
        row.owner for row in newest_under(workshop.state.database, ["callers"]) if row.key.endswith("shared.jsonl")
    }
    their = Trainer(first, workshop.state, "", "cookie:another's")
    job_id = their.running(dataset=f"{home(owner)}/datasets/shared.jsonl")
    refused(second.delete("/api/datasets/shared.jsonl"), "name", 400)
    workshop.state.jobs.records.fail(job_id, "内存不足")
    assert second.delete("/api/datasets/shared.jsonl").status_code == 200


def test_who_removes_and_who_brings_take_turns(trainer: Trainer) -> None:
    """Else the file that is brought goes with the one that is removed, and stays in the list."""
    bring(trainer, "mine.jsonl", ROWS)
    with ThreadPoolExecutor(1) as beside:
        with trainer.state.database.lock(f"{home(trainer.owner)}/datasets/mine.jsonl"):  # as who brings one has it
            removing = beside.submit(trainer.http.delete, "/api/datasets/mine.jsonl")
            with pytest.raises(TimeoutError):
                removing.result(timeout=1)
        assert removing.result().status_code == 200


def test_a_name_that_is_taken_costs_no_copy(trainer: Trainer) -> None:
    """Of hundreds under one name, each would be copied and hashed again for every one that came before."""
    bring(trainer, "many.jsonl", ROWS)
    with ThreadPoolExecutor(1) as beside, trainer.state.database.lock(f"{home(trainer.owner)}/datasets/many.jsonl"):
        answer = beside.submit(bring, trainer, "x.jsonl", ROWS, name="many")  # only who writes asks for the lock
        refused(answer.result(timeout=5), "name", 400)


def start(trainer: Trainer, path: str) -> httpx.Response:
    return trainer.http.post("/api/training/start", json=START | {"dataset_path": path})


def test_operators_lay_datasets_for_everybody(workshop: Workshop, tmp_path: Path) -> None:
    shared = workshop.state.settings.var / "artifacts" / "datasets"
    for number, name in enumerate(("rose/1", "rose/2", "tulip/1", "tulip/2")):
        (shared / "flowers" / name).parent.mkdir(parents=True, exist_ok=True)
        (shared / "flowers" / f"{name}.png").write_bytes(picture(width=20 + number))
    (shared / "animals.zip").write_bytes(PICTURES)
    (shared / "rows.jsonl").write_bytes(ROWS)
    (shared / ".hidden").write_bytes(ROWS)
    trainer = workshop.trainer()
    told = {each["path"]: (each["format"], each["shared"]) for each in trainer.http.get("/api/datasets").json()}
    formats = {"flowers": "folder", "animals": "zip", "rows.jsonl": "jsonl"}
    assert told == {f"/datasets/{name}": (form, True) for name, form in formats.items()}
    for name in ("flowers", "animals", "animals.zip"):
        begun = start(trainer, f"/datasets/{name}")
        assert begun.status_code == 200, begun.text
        trainer.http.post(f"/api/training/stop/{begun.json()['task_id']}")
    refused(start(trainer, "/datasets/rows.jsonl"), "dataset_path")
    (shared / "flowers" / "lily").mkdir()
    refused(start(trainer, "/datasets/flowers"), "类别文件夹是空的：lily")
    for name in (".hidden", "nothing", "flowers/nothing", "rows.jsonl/x"):
        assert start(trainer, f"/datasets/{name}").status_code in (404, 422)
    refused(trainer.http.delete("/api/datasets/flowers"), "name", 404)
