"""What no family documents: health, the cluster, the caller's jobs, what they made, webhooks, keys, labels."""

from api.cluster import health, jobs, keys, made, nodes, verify, webhooks
from api.family import STATUS, Family, detail

FAMILY = Family(
    name="cluster",
    prefixes=("",),
    routers=(
        health.router,
        nodes.router,
        jobs.router,
        made.router,
        webhooks.router,
        keys.router,
        verify.router,
    ),
    envelope=detail,
    status=STATUS,
)
