"""What a callback says and how it is signed: the Standard Webhooks specification, https://www.standardwebhooks.com."""

import base64
import hmac
from datetime import UTC, datetime

from standardwebhooks import Webhook

from contracts.jobs import JobAnswer
from contracts.model import Contract


class JobEnded(Contract):
    type: str  # "job.completed", "job.failed", "job.cancelled"
    timestamp: datetime
    data: JobAnswer


def secret_of(signing_key: str, owner: str) -> str:
    """What an owner verifies signatures with; derived, so that nothing more is kept."""
    derived = hmac.digest(signing_key.encode(), f"webhooks:{owner}".encode(), "sha256")
    return f"whsec_{base64.b64encode(derived).decode()}"


def message(job: JobAnswer, ended_ms: int, secret: str) -> tuple[str, dict[str, str]]:
    """Body and headers. Every try has the same id, by which a receiver knows what it has had."""
    ended = datetime.fromtimestamp(ended_ms / 1000, UTC)
    body = JobEnded(type=f"job.{job.state}", timestamp=ended, data=job).model_dump_json()
    now = datetime.now(UTC)
    signature = Webhook(secret).sign(job.id, now, body)
    signed = {"webhook-id": job.id, "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
    return body, signed | {"content-type": "application/json"}
