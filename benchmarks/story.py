"""How long a film takes against how long it plays, on a warm local cluster.

python -m benchmarks.story
"""

import time
from pathlib import Path

import av
import httpx

from benchmarks.cluster import machine, served
from cli.demo import ask, download, follow, sign_in

TOPICS = ("小狐狸学会分享", "A little rabbit learns to be brave")
ROUNDS = 2  # the first warms every model up


def main() -> None:
    with served("serve_config.local.yaml") as url, httpx.Client(base_url=url, timeout=600) as client:
        sign_in(client)
        print(machine())
        print("| topic | " + " | ".join(SEGMENTS) + " | film | plays | ratio |\n|---|" + "---|" * (len(SEGMENTS) + 3))
        for turn in range(ROUNDS):
            for topic in TOPICS:
                seconds, plays = tell(client, topic)
                total = sum(seconds)
                cells = [f"{each:.1f}" for each in seconds]
                if turn:
                    print(f"| {topic} | " + " | ".join(cells) + f" | {total:.1f} | {plays:.1f} | {total / plays:.2f} |")


SEGMENTS = ("Story", "Image", "Split", "Speech", "Video")


def tell(client: httpx.Client, topic: str) -> tuple[list[float], float]:
    """Seconds of each segment, from its request to its end, and of the film."""
    task_id = ask(client, "POST", "/api/task/new", json={"topic": topic})["task_id"]
    seconds = []
    for segment in range(1, 6):
        started = time.perf_counter()
        job = ask(client, "POST", f"/api/task/{task_id}/execute/{segment}")["celery_task_id"]
        follow(client, job, lambda _: None)
        seconds.append(time.perf_counter() - started)
    return seconds, playing_s(download(client, task_id, Path("var/benchmarks")))


def playing_s(path: Path) -> float:
    with av.open(str(path)) as film:
        return float(film.duration or 0) / av.time_base


if __name__ == "__main__":
    main()
