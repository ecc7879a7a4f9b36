"""The documented examples, run in their order at the root and under the family's prefix."""

import re
import secrets
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, Cluster
from tests.documented import check, examples, filled
from tests.story import wait

EXAMPLES = examples("story")
DOCUMENT = (ROOT / "docs/api/story.md").read_text(encoding="utf-8")


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
        body = filled(example.get("json"), known)
        answer = client.request(method, prefix + filled(example.get("path", path), known), json=body)
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


def _learn(call: str, answer: httpx.Response, known: dict[str, Any], client: httpx.Client) -> None:
    """What later examples need of this answer."""
    if call == "POST /api/login":
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    if call.endswith("/new"):
        known["video" if "videogen" in call else "task"] = answer.json()["task_id"]
