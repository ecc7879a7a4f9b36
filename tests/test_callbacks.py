"""A job's end is told to the URL that was given with it: signed, again until it is heard, and to no inner address."""

import asyncio
import datetime
import json
import logging
import os
import socket
import ssl
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, func, select
from standardwebhooks import Webhook, WebhookVerificationError

from api.app import build
from api.callbacks import CallbackUrl
from api.models import Models
from api.state import Engines, State, make
from contracts.jobs import CallbackView, Job
from contracts.settings import ROOT, Settings
from jobs import callbacks, engine
from jobs.callbacks import Callbacks
from jobs.records import Records
from jobs.webhooks import secret_of
from store.database import Database
from store.tables import CallbackRow, JobRow
from tests.receiver import ENDLESS, HANG, MOVED, Receiver, free_port
from tests.waiting import eventually, soon

pytest_plugins = ["tests.places"]
OWNER, OTHER, KEY = "user:1", "user:2", "a key of sufficient length for a test"
INNER = ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "POLL_S", 0.02)
    monkeypatch.setattr(callbacks, "PAUSES_S", (0.1, 0.1, 0.1))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().open() as receiver:
        yield receiver


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """What sends to 127.0.0.1."""
    return Settings(var=tmp_path / "var", signing_key=KEY, callback_hosts=["127.0.0.0/8"])


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def tables(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('callbacks')}/troupe.db"
    else:
        url = request.getfixturevalue("new_postgres")()
    database = Database(url)
    database.migrate()
    yield database
    database.engine.dispose()


@pytest.fixture
def records(tables: Database) -> Records:
    """Of no jobs."""
    with tables.session() as session:
        session.execute(delete(JobRow))
    return Records(tables)


@asynccontextmanager
async def delivering(*senders: Callbacks) -> AsyncIterator[None]:
    loops = [asyncio.create_task(sender.deliver_forever()) for sender in senders]
    yield
    assert not any(loop.done() for loop in loops)
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)


def ended(records: Records, url: str, subject: str = "story/1", owner: str = OWNER) -> str:
    """The id of a job that has just been completed."""
    job = Job(id=uuid.uuid4().hex, kind="story.write", owner=owner, params={"secret": "kept"})
    records.create(job, subject, callback_url=url)
    records.start(job.id)
    records.complete(job.id, {"made": "kept"})
    return job.id


def callback_of(records: Records, job_id: str) -> CallbackView:
    callback = records.get(job_id, OWNER, OTHER).callback
    assert callback
    return callback


def state_of(records: Records, job_id: str) -> str:
    return callback_of(records, job_id).state


async def test_what_is_sent_is_signed(settings: Settings, records: Records, receiver: Receiver) -> None:
    job_id = ended(records, receiver.url("/hook?token=1"))
    async with delivering(Callbacks(settings, records.database)):
        await soon(lambda: state_of(records, job_id) == "delivered")
    ((path, headers, body),) = receiver.requests
    assert (path, headers["content-type"]) == ("/hook?token=1", "application/json")
    assert (headers["webhook-id"], headers["host"]) == (job_id, f"127.0.0.1:{receiver.port}")
    told = Webhook(secret_of(KEY, OWNER)).verify(body, headers)
    job = records.get(job_id, OWNER)
    assert told["type"] == "job.completed"
    assert datetime.datetime.fromisoformat(told["timestamp"]).timestamp() * 1000 == pytest.approx(job.finished_ms)
    assert told["data"]["callback"] == {"url": receiver.url("/hook?token=1"), "state": "waiting", "attempts": 1}
    assert b"kept" not in body
    for stranger in (secret_of(KEY, "user:2"), secret_of("another key", OWNER)):
        with pytest.raises(WebhookVerificationError):
            Webhook(stranger).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(KEY, OWNER)).verify(body + b" ", headers)


async def test_every_end_has_its_name(settings: Settings, records: Records, receiver: Receiver) -> None:
    ids = {}
    for end in ("failed", "cancelled"):
        job = Job(id=uuid.uuid4().hex, kind="k", owner=OWNER, params={})
        records.create(job, "s", callback_url=receiver.url(f"/{end}"))
        ids[f"/{end}"] = job.id
    records.fail(ids["/failed"], "没有成功")
    records.cancel(ids["/cancelled"])
    async with delivering(Callbacks(settings, records.database)):
        await soon(lambda: len(receiver.requests) == 2)
    told = {path: json.loads(body) for path, _, body in receiver.requests}
    assert {path: each["type"] for path, each in told.items()} == {p: f"job.{p[1:]}" for p in ids}
    assert told["/failed"]["data"]["error"] == "没有成功"


def test_a_job_that_goes_on_is_not_told_of(settings: Settings, records: Records, receiver: Receiver) -> None:
    sender, job = Callbacks(settings, records.database), Job(id="j", kind="k", owner=OWNER, params={})
    records.create(job, "s", callback_url=receiver.url())
    assert sender._due({}) == []
    records.start("j")
    assert sender._due({}) == []
    records.cancel("j")
    assert sender._due({}) == []  # its worker has not let go of it
    records.let_go("j")
    assert [(due.job_id, owner) for due, owner in sender._due({})] == [("j", OWNER)]


@pytest.mark.parametrize("status", [500, 404, MOVED])
async def test_tried_again_until_it_is_taken(
    settings: Settings, records: Records, receiver: Receiver, status: int
) -> None:
    receiver.answers["/hook"] = [status, status, 204]
    job_id = ended(records, receiver.url("/hook"))
    async with delivering(Callbacks(settings, records.database)):
        await soon(lambda: state_of(records, job_id) == "delivered")
    assert callback_of(records, job_id).attempts == 3
    assert receiver.paths() == ["/hook"] * 3  # and a redirect is not followed
    assert {headers["webhook-id"] for _, headers, _ in receiver.requests} == {job_id}
    assert not any("cookie" in headers for _, headers, _ in receiver.requests)


async def test_a_receiver_may_be_away(settings: Settings, records: Records) -> None:
    receiver = Receiver(port=free_port())
    job_id = ended(records, receiver.url())
    async with delivering(Callbacks(settings, records.database)):
        await soon(lambda: callback_of(records, job_id).attempts > 0)
        with receiver.open():
            await soon(lambda: state_of(records, job_id) == "delivered")
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(("status", "tries"), [(500, 4), (410, 1)])
async def test_given_up(settings: Settings, records: Records, receiver: Receiver, status: int, tries: int) -> None:
    receiver.answers["/"] = [status]
    job_id = ended(records, receiver.url())
    async with delivering(Callbacks(settings, records.database)):
        await soon(lambda: state_of(records, job_id) == "given_up")
    assert (callback_of(records, job_id).attempts, len(receiver.requests)) == (tries, tries)


async def test_two_workers_tell_once(settings: Settings, records: Records, receiver: Receiver) -> None:
    ids = [ended(records, receiver.url()) for _ in range(6)]
    async with delivering(Callbacks(settings, records.database), Callbacks(settings, records.database)):
        await soon(lambda: all(job.callback.state == "delivered" for job in records.newest([OWNER], 99, 2**60)))
    assert sorted(headers["webhook-id"] for _, headers, _ in receiver.requests) == sorted(ids)


async def test_what_a_crash_cut_short_is_sent(
    settings: Settings, records: Records, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "HELD_S", 0.3)
    job_id = ended(records, receiver.url())
    crashed, other = Callbacks(settings, records.database), Callbacks(settings, records.database)
    ((due, _),) = crashed._due({})
    assert crashed._claim(due)
    assert other._due({}) == [] and other._claim(due) is None
    async with delivering(other):
        await soon(lambda: state_of(records, job_id) == "delivered")
    assert callback_of(records, job_id).attempts == 2
    crashed._note(due, "given_up")  # it was only slow: what it says now is not taken
    assert state_of(records, job_id) == "delivered"


async def test_a_receiver_that_never_answers_holds_up_nobody(
    settings: Settings, records: Records, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "TIMEOUT_S", 3.0)
    receiver.answers |= {"/hang": [HANG], "/endless": [ENDLESS]}
    hanging = [ended(records, receiver.url("/hang")) for _ in range(callbacks.AT_ONCE + 1)]
    others = [ended(records, receiver.url(path), owner=OTHER) for path in ("/", "/endless", "/")]
    async with delivering(Callbacks(settings, records.database)):
        await soon(lambda: all(state_of(records, job_id) == "delivered" for job_id in others), within_s=2.5)
        await soon(lambda: receiver.paths().count("/hang") == callbacks.AT_ONCE_EACH)
        assert {state_of(records, job_id) for job_id in hanging} == {"waiting"}
    assert receiver.paths().count("/hang") == callbacks.AT_ONCE_EACH


async def test_what_takes_too_long_is_tried_again(
    settings: Settings, records: Records, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "TIMEOUT_S", 0.2)
    receiver.answers["/"] = [HANG, 204]
    job_id = ended(records, receiver.url())
    async with delivering(Callbacks(settings, records.database)):
        await soon(lambda: state_of(records, job_id) == "delivered")
    assert callback_of(records, job_id).attempts == 2


async def test_a_database_may_be_away(settings: Settings, database_url: str, receiver: Receiver) -> None:
    database = Database(database_url)
    async with delivering(Callbacks(settings, database)):
        await asyncio.to_thread(database.migrate)
        job_id = await asyncio.to_thread(ended, Records(database), receiver.url())
        await soon(lambda: state_of(Records(database), job_id) == "delivered")
    database.engine.dispose()


def test_a_worker_tells_of_what_it_has_done(settings: Settings, state: State, receiver: Receiver) -> None:
    engine.migrate(settings)
    jobs, job = state.jobs, Job(id=uuid.uuid4().hex, kind="plain", owner=OWNER, params={"folder": str(settings.var)})
    jobs.submit(job, "test/1", callback_url=receiver.url())
    environment = {"VAR": str(settings.var), "SIGNING_KEY": KEY, "CALLBACK_HOSTS": '["127.0.0.1"]'}
    command = [sys.executable, "-W", "error", "-m", "tests.worker_process"]
    mine = os.environ | {f"TROUPE_{name}": value for name, value in environment.items()}
    with subprocess.Popen(command, cwd=ROOT, env=mine, stdin=subprocess.PIPE) as worker:
        eventually(lambda: state_of(jobs.records, job.id) == "delivered")
        worker.communicate(timeout=20)  # its standard input ends, and so does it
    ((_, headers, body),) = receiver.requests
    assert Webhook(secret_of(KEY, OWNER)).verify(body, headers)["data"]["state"] == "completed"
    jobs._client.destroy()


def test_a_callback_goes_with_its_job(records: Records) -> None:
    ended(records, "http://example.com/")
    records.delete_subject("story/1")
    with records.database.session() as session:
        assert session.scalar(select(func.count()).select_from(CallbackRow)) == 0


async def test_inner_addresses_are_not_reached(
    settings: Settings, records: Records, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "troupe.jobs")
    strict = settings.model_copy(update={"callback_hosts": []})
    ids = [ended(records, receiver.url(host=host)) for host in INNER]
    ids += [ended(records, url) for url in ("file:///etc/passwd", "http://u:p@example.com/", "nonsense")]
    async with delivering(Callbacks(strict, records.database)):
        await soon(lambda: all(state_of(records, job_id) == "given_up" for job_id in ids))
    assert receiver.requests == []
    assert [line.message for line in caplog.records] == ["callback refused"] * len(ids)


async def test_a_name_is_looked_up_once(
    settings: Settings, records: Records, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server may say one thing to who checks, and another to who connects."""
    lookup, answers = socket.getaddrinfo, ["127.0.0.1", "10.0.0.1"]

    def rebound(host: Any, *args: Any, **options: Any) -> Any:
        return lookup(answers.pop(0) if host in (b"rebound.example", "rebound.example") else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    job_id = ended(records, receiver.url(host="rebound.example"))
    async with delivering(Callbacks(settings, records.database)):
        await soon(lambda: state_of(records, job_id) == "delivered")
    assert answers == ["10.0.0.1"]
    assert receiver.requests[0][1]["host"] == f"rebound.example:{receiver.port}"


async def test_a_certificate_is_checked_for_the_name(
    settings: Settings, records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate(tmp_path, "localhost"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    with Receiver().open(tls) as receiver:
        named, other = (ended(records, receiver.url(host=host, scheme="https")) for host in ("localhost", "127.0.0.1"))
        async with delivering(Callbacks(settings, records.database)):
            await soon(lambda: state_of(records, named) == "delivered")
            await soon(lambda: state_of(records, other) == "given_up")
    assert [headers["webhook-id"] for _, headers, _ in receiver.requests] == [named]


def certificate(folder: Path, name: str) -> Path:
    """A file with a certificate for that name, signed by itself, and its key."""
    key, called = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]),
    )
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(called).issuer_name(called).public_key(key.public_key())
    made = made.not_valid_before(now).not_valid_after(now + datetime.timedelta(hours=1))
    made = made.serial_number(x509.random_serial_number()).add_extension(
        x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def state(settings: Settings) -> Iterator[State]:
    state = make(settings, Models([], {}, fallback=False), Engines())
    state.database.migrate()
    yield state
    state.database.engine.dispose()


@pytest.fixture
async def user(state: State) -> AsyncIterator[httpx.AsyncClient]:
    """User 1 of an ingress without a cluster; it has one more route, `/probe`, which takes a callback."""
    user_id, app = state.accounts.register("somebody", "a long password"), build(state)

    @app.post("/probe")
    def probe(callback_url: CallbackUrl) -> str:
        return callback_url

    headers = {"Authorization": f"Bearer {state.tokens.issue(user_id)}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers) as client:
        yield client


async def test_the_owner_reads_the_secret_and_the_state(
    settings: Settings, state: State, user: httpx.AsyncClient, receiver: Receiver
) -> None:
    records = state.jobs.records
    plain, job_id = ended(records, ""), ended(records, receiver.url())
    async with delivering(Callbacks(settings, records.database)):
        await soon(lambda: state_of(records, job_id) == "delivered")
    secret = (await user.get("/v1/webhooks/secret")).json()["secret"]
    (_, headers, body) = receiver.requests[0]
    told, job = Webhook(secret).verify(body, headers), (await user.get(f"/v1/jobs/{job_id}")).json()
    assert job["callback"] == {"url": receiver.url(), "state": "delivered", "attempts": 1}
    assert told["data"] | {"callback": job["callback"]} == job
    assert (await user.get(f"/v1/jobs/{plain}")).json()["callback"] is None
    assert {each["id"]: each for each in (await user.get("/v1/jobs")).json()["data"]}[job_id] == job


async def test_everybody_has_a_secret_of_their_own(state: State, user: httpx.AsyncClient) -> None:
    key = {"Authorization": "", "X-API-Key": state.keys.create("tested", "user")[1]}
    secrets = [(await user.get("/v1/webhooks/secret", headers=shown)).json()["secret"] for shown in ({}, key)]
    assert all(secret.startswith("whsec_") for secret in secrets) and len(set(secrets)) == 2


async def test_nobody_in_particular_has_neither_secret_nor_callback(user: httpx.AsyncClient) -> None:
    """The owner that stands for an address is everybody's behind it."""
    url = {"callback_url": "https://example.com/hook"}
    del user.headers["Authorization"]
    for _ in range(2):  # without a cookie, and with one
        assert (await user.get("/v1/webhooks/secret")).status_code == 401
        answer = await user.post("/probe", params=url)
        assert (answer.status_code, "callback_url" in answer.json()["detail"]) == (401, True)
    assert user.cookies and (await user.post("/probe")).json() == ""


@pytest.mark.parametrize("url", ["ftp://example.com/", "https://u:p@example.com/", f"http://h/{'x' * 2048}"])
async def test_odd_urls_are_refused(user: httpx.AsyncClient, url: str) -> None:
    answer = await user.post("/probe", params={"callback_url": url})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("callback_url: ")


async def test_a_callback_may_be_asked_for(user: httpx.AsyncClient) -> None:
    url = "https://example.com/hook?a=b"
    assert (await user.post("/probe", params={"callback_url": url})).json() == url
    assert (await user.post("/probe")).json() == ""
