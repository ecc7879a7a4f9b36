"""Whatever the OpenAPI document allows: no answer is a fault of ours."""

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case

from tests.conftest import Cluster
from tests.story import token_of

CASES = 8  # for each operation; the prefixes answer through the same routes
ENABLE = "请在集群配置的 models 中启用它"
ABSENT = {  # 503: no such model
    "/chat_system": "语音识别暂不可用",
    "/api/training/start": ENABLE,
    "/api/audio/transcribe": ENABLE,
    "/v1/audio/transcriptions": ENABLE,
    "/api/image-to-image/generate": ENABLE,
    "/api/image-recognition/classify": ENABLE,
    "/api/image-recognition/detect": ENABLE,
    "/api/face-recognition/detect": ENABLE,
    "/api/face-recognition/register": ENABLE,
    "/api/face-recognition/recognize": ENABLE,
    "/api/text-to-image/generate": ENABLE,
    "/api/tts/generate-cloned": ENABLE,
    "/api/videogen/{task_id}/execute": ENABLE,
}
RUN = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_no_answer_is_a_fault_of_ours(cluster: Cluster, user: httpx.Client) -> None:
    document = schemathesis.openapi.from_url(f"{cluster.url}/openapi.json")
    schema = document.exclude(path_regex="^/(story|live|media|human)/")
    shown = {"Authorization": f"Bearer {token_of(user)}"}
    asked = set()
    for operation in schema.get_all_operations():

        @RUN
        @given(case=operation.ok().as_strategy())
        def ask(case: Case) -> None:
            asked.add(case.path)
            answer = case.call(headers=shown)
            absent = case.path in ABSENT and ABSENT[case.path] in answer.text
            assert answer.status_code < 500 or (answer.status_code == 503 and absent), case.as_curl_command()

        ask()
    assert len(asked) > 20
