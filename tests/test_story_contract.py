"""The documented examples, run in their order at the root and under the family's prefix."""

import re
import secrets
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.conftest import ROOT, Cluster
from tests.story import wait

EXAMPLES = yaml.safe_load((Path(__file__).parent / "contract/story.yaml").read_text(encoding="utf-8"))
DOCUMENT = (ROOT / "docs/contracts/story.md").read_text(encoding="utf-8")
TYPES = {"string": str, "number": int}


def documented() -> set[str]:
    """METHOD and path of every route that the document names, without query."""
    found = re.findall(r"- (GET|POST|DELETE) (/api/[\w/{}]+)", DOCUMENT)
    return {f"{method} {path}" for method, path in found}


def test_every_documented_route_has_an_example() -> None:
    assert len(documented()) == 13
    assert documented() == {example["call"] for example in EXAMPLES}


@pytest.mark.parametrize("prefix", ["", "/story"])
def test_documented_examples(cluster: Cluster, client: httpx.Client, prefix: str) -> None:
    known: dict[str, Any] = {"name": f"contract-{secrets.token_hex(4)}"}
    for example in EXAMPLES:
        method, _, path = example["call"].partition(" ")
        body = {key: _filled(value, known) for key, value in example.get("json", {}).items()} or None
        answer = client.request(method, prefix + _filled(example.get("path", path), known), json=body)
        assert answer.status_code == example.get("status", 200), f"{example['call']}: {answer.text}"
        if "media_type" in example:
            assert answer.headers["content-type"] == example["media_type"]
            assert answer.headers["content-disposition"].startswith("attachment")
        else:
            check(answer.json(), example["answer"], example["call"])
        if cookie := example.get("cookie"):
            assert cookie in answer.cookies
        _learn(example["call"], answer, known, client)
        if example.get("waits"):
            assert wait(client, answer.json()["celery_task_id"])[-1]["state"] == "completed"


def check(value: Any, wanted: Any, call: str) -> None:
    """Every documented field, with its type or its value; and no others."""
    if isinstance(wanted, list):
        assert isinstance(value, list) and value, call
        for item in value:
            check(item, wanted[0], call)
    elif isinstance(wanted, dict):
        assert value.keys() == wanted.keys(), call
        for name, kind in wanted.items():
            check(value[name], kind, f"{call} {name}")
    elif wanted in TYPES:
        assert type(value) is TYPES[wanted], call
    else:
        assert value == wanted, call


def _filled(text: Any, known: dict[str, Any]) -> Any:
    return re.sub(r"\{(\w+)\}", lambda name: str(known[name[1]]), text) if isinstance(text, str) else text


def _learn(call: str, answer: httpx.Response, known: dict[str, Any], client: httpx.Client) -> None:
    """What later examples need of this answer."""
    if call == "POST /api/login":
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    if call.endswith("/new"):
        known["video" if "videogen" in call else "task"] = answer.json()["task_id"]
