"""What no family documents: health, the caller's jobs, what they made, their callbacks' secret, keys, labels."""

from api.cluster import health, jobs, keys, made, verify, webhooks
from api.family import STATUS, Family, detail

FAMILY = Family(
    name="cluster",
    prefixes=("",),
    routers=(health.router, jobs.router, made.router, webhooks.router, keys.router, verify.router),
    envelope=detail,
    status=STATUS,
)
