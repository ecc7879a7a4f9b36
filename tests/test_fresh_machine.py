"""A fresh machine, as `make serve` starts it: the starter model is the default of every text and writes what the
documents ask for."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from contracts.livestream import Product
from graphs.facts import lost, missing
from graphs.lengths import wrong_length
from tests.conftest import Cluster, sign_up, start, stop
from tests.documented import examples
from tests.story import new_task, run

pytestmark = [pytest.mark.alone, pytest.mark.timeout(600)]
WRITER = "starter-lm"
IDEA = "新款智能降噪耳机，持久续航，价格288元"
TEXTS = [each for each in examples("live") if each["call"].startswith(("POST /api/product/", "POST /api/script/"))]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = start(tmp_path_factory.mktemp("fresh"), "serve_config.local.yaml")
    yield cluster
    stop(cluster)


@pytest.fixture(scope="module")
def user(machine: Cluster) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=machine.url, timeout=120) as client:
        sign_up(machine, client)
        yield client


def written(user: httpx.Client, path: str, body: dict[str, Any]) -> tuple[str, str]:
    """A text, and who wrote it in the default's place."""
    answer = user.post(path, json=body)
    assert answer.status_code == 200 and answer.json()["code"] == 1, answer.text
    data = answer.json()["data"]
    (text,) = (data[name] for name in ("scriptContent", "content", "refinedText") if name in data)
    return text, answer.headers.get("x-troupe-model", "")


@pytest.mark.parametrize("example", TEXTS, ids=lambda each: each["call"].rpartition("/")[2])
def test_the_documented_texts_are_written_by_the_starter_model(user: httpx.Client, example: dict[str, Any]) -> None:
    body, path = example["json"], example["call"].partition(" ")[2]
    text, instead = written(user, path, body)
    assert instead == "" and len(text) > 5, (text, instead)
    if "productName" in body:
        told = Product(name=body["productName"], features=body["features"], price=body["price"])
        assert not missing([*told.facts(), body["targetAudience"], body["promotion"]], body["price"], text), text
    if "content" in body:
        assert "今天卖耳机" in text, text


@pytest.mark.parametrize(
    "action",
    [
        "correct_grammar",
        "make_lively",
        "make_formal",
        "make_warm",
        "add_interaction",
        "set_length_50",
        "set_length_100",
    ],
)
def test_every_edit_keeps_what_it_must_whoever_wrote_it(user: httpx.Client, action: str) -> None:
    text, instead = written(user, "/api/script/refine", {"currentText": IDEA, "action": action, "step": 2})
    assert instead in ("", "scripted")
    wanted = action.removeprefix("set_length_")
    assert not (wrong_length(text, int(wanted)) if wanted.isdigit() else lost(IDEA, text)), text


def test_openai_clients_get_it_without_a_name(user: httpx.Client) -> None:
    asked = {"model": "", "messages": [{"role": "user", "content": "什么是机器学习？"}], "seed": 7}
    answer = user.post("/v1/chat/completions", json=asked).json()
    assert answer["model"] == WRITER and len(answer["choices"][0]["message"]["content"]) > 5, answer


def test_a_story_has_its_topic_and_its_hero(user: httpx.Client) -> None:
    task_id = new_task(user, topic="小狐狸学会分享", main_role="小狐狸", scene="森林")
    run(user, task_id, 1)
    story = user.get(f"/api/task/{task_id}/resource?segmentId=1")
    script = story.json()
    assert len(script["pages"]) == 2 and "小狐狸" in script["hero"] + script["pages"][0]["text"], script
    assert "分享" in script["title"] + "".join(page["text"] for page in script["pages"]), script
