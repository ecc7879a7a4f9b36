"""Films by Runway's service, from the picture that they begin with: https://docs.dev.runwayml.com/api."""

import base64
import io
import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
import httpx
import numpy as np
import runwayml
from PIL import Image, ImageOps
from runwayml.types.task_retrieve_response import Failed, Running, Succeeded, TaskRetrieveResponse

from contracts.errors import Deadline, EngineFailed, InvalidInput, Overloaded, ServiceError, Unavailable
from contracts.model import Progress
from contracts.video import ClipRequest
from deployments.keys import secret
from deployments.upright import upright
from deployments.video import footage

RATIOS = ((1280, 720), (720, 1280), (1104, 832), (832, 1104), (960, 960), (1584, 672))  # of `gen4_turbo`, in pixels
SHORTEST_S = 2
LONGEST_PROMPT = 1_000  # UTF-16 code units
MOST_BYTES = 500 << 20
WAKE_S = 0.5  # how often one that waits can leave
RETRY_S = 5.0  # where the service does not say when to come back
RATE_HZ = 24  # of its films, where they do not tell
FILMED = 0.9  # of the progress, when the service is done


class Runway:
    """`model` of the service; the key is in the environment variable `key`, or in the file that `<key>_FILE` names.

    It films in six sizes and whole seconds: the nearest proportions and the next second are asked for, and cut.
    """

    def __init__(
        self,
        model: str = "gen4_turbo",
        key: str = "RUNWAYML_API_SECRET",
        base_url: str | None = None,
        longest_s: float = 10,
        poll_s: float = 5,
        timeout_s: float = 1_200,
    ) -> None:
        self.model, self.key, self.base_url = model, key, base_url
        self.longest_s, self.poll_s, self.timeout_s = longest_s, poll_s, timeout_s

    def load(self) -> None:
        """A key that is absent is told when it is needed: a cluster without it serves its other models."""

    def close(self) -> None:
        """Nothing is held between films."""

    def generate(self, request: ClipRequest, picture: Path | None, output: Path) -> Iterator[Progress]:
        """The service's progress; 1.0 once the whole film is at `output`. Closed early, it cancels there what it began.

        InvalidInput: no picture, too long a film or text. EngineFailed: the service refuses, or has not filmed it.
        """
        self._check(request)
        if picture is None:
            raise InvalidInput("这个模型只能按图片生成视频。", param="picture")
        source = output.with_name("runway.mp4")
        with our_errors(), self._client() as client:
            film = yield from self._filmed(client, request, picture)
            _download(film.output[0], source)
        yield Progress(fraction=FILMED)
        with _opened(source) as container:
            rate_hz = float(container.streams.video[0].average_rate or RATE_HZ)
            footage.write(_frames(container), rate_hz, request, output)
        source.unlink()
        yield Progress(fraction=1)

    def _check(self, request: ClipRequest) -> None:
        if request.duration_s > self.longest_s:
            raise InvalidInput(f"这个模型生成的视频最长 {self.longest_s:g} 秒。", param="duration")
        if len(request.prompt.encode("utf-16-le")) > 2 * LONGEST_PROMPT:
            raise InvalidInput(f"这个模型的描述最多 {LONGEST_PROMPT} 个字符。", param="prompt")

    def _client(self) -> runwayml.RunwayML:
        return runwayml.RunwayML(api_key=secret(self.key, self.model), base_url=self.base_url)

    def _filmed(
        self, client: runwayml.RunwayML, request: ClipRequest, picture: Path
    ) -> Generator[Progress, None, Succeeded]:
        width, height = _nearest(request)
        task = client.with_options(max_retries=0).image_to_video.create(  # a second try would be paid twice
            model=self.model,  # type: ignore[call-overload]  # operators may name a later one
            prompt_image=_data_uri(picture, (width, height)),
            ratio=f"{width}:{height}",
            duration=max(SHORTEST_S, math.ceil(request.duration_s)),
            seed=request.seed,
            **({"prompt_text": request.prompt} if request.prompt else {}),
        )
        ended = False
        try:
            found = yield from self._awaited(client, task.id)
            ended = True
        finally:
            if not ended:
                with suppress(runwayml.RunwayMLError):  # then it goes on there
                    client.tasks.delete(task.id)
        return _succeeded(found)

    def _awaited(self, client: runwayml.RunwayML, task_id: str) -> Generator[Progress, None, TaskRetrieveResponse]:
        """The task, once it has ended."""
        fraction, deadline = 0.0, time.monotonic() + self.timeout_s
        while time.monotonic() < deadline:
            task = client.tasks.retrieve(task_id)
            if task.status in ("SUCCEEDED", "FAILED", "CANCELLED"):
                return task
            if isinstance(task, Running):
                fraction = max(fraction, FILMED * task.progress)
            wake = time.monotonic() + self.poll_s
            while (left_s := wake - time.monotonic()) > 0:
                yield Progress(fraction=fraction)
                time.sleep(min(WAKE_S, left_s))
        raise Deadline("视频服务没有及时完成。")


def _succeeded(task: TaskRetrieveResponse) -> Succeeded:
    if isinstance(task, Succeeded) and task.output:
        return task
    code = (task.failure_code or "" if isinstance(task, Failed) else task.status)[:60]
    if code.startswith("SAFETY"):
        raise EngineFailed(f"图片或描述没有通过视频服务的内容审核（{code}），请换一种。")
    raise EngineFailed(f"视频服务没有生成视频（{code or 'FAILED'}）。")


def _nearest(request: ClipRequest) -> tuple[int, int]:
    wanted = math.log(request.width / request.height)
    return min(RATIOS, key=lambda size: abs(math.log(size[0] / size[1]) - wanted))


def _data_uri(picture: Path, size: tuple[int, int]) -> str:
    """As large as the film, which the service takes in the call itself."""
    file = io.BytesIO()
    ImageOps.fit(upright(picture.read_bytes()), size, Image.Resampling.LANCZOS).save(file, "JPEG", quality=95)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def _download(url: str, path: Path) -> None:
    size = 0
    with httpx.stream("GET", url, follow_redirects=True, timeout=60) as answer, path.open("wb") as file:
        answer.raise_for_status()
        for block in answer.iter_bytes():
            file.write(block)
            if (size := size + len(block)) > MOST_BYTES:
                raise EngineFailed("视频服务给出的文件过大。")


def _opened(path: Path) -> av.container.InputContainer:
    try:
        container = av.open(path)
    except av.FFmpegError as error:
        raise _no_film() from error
    if container.streams.video:
        return container
    container.close()
    raise _no_film()


def _frames(container: av.container.InputContainer) -> Iterator[footage.Pixels]:
    try:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    except av.FFmpegError as error:
        raise _no_film() from error


def _no_film() -> EngineFailed:
    return EngineFailed("视频服务给出的不是视频。")


@contextmanager
def our_errors() -> Iterator[None]:
    """What the packages raise, as ours. What a service says is not passed on: it may quote keys and accounts."""
    try:
        yield
    except runwayml.APIStatusError as error:
        raise _of_status(error) from error
    except (runwayml.APITimeoutError, httpx.TimeoutException) as error:
        raise Deadline("视频服务没有及时回答。") from error
    except (runwayml.APIConnectionError, httpx.HTTPError) as error:
        raise Unavailable("连接不上视频服务，请稍后再试。", retry_after_s=RETRY_S) from error
    except runwayml.RunwayMLError as error:
        raise EngineFailed("视频服务没有生成视频。") from error


def _of_status(error: runwayml.APIStatusError) -> ServiceError:
    if error.status_code == 429:
        return Overloaded("视频服务繁忙或额度已用完，请稍后再试。", retry_after_s=RETRY_S)
    if error.status_code in (401, 403):
        return Unavailable("视频服务不接受所配置的密钥。")
    if error.status_code >= 500:
        return Unavailable("视频服务暂不可用，请稍后再试。", retry_after_s=RETRY_S)
    return EngineFailed(f"视频服务拒绝了请求（{error.status_code}）。")
