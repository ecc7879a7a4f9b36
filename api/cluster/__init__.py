"""What no family documents: health, the cluster, jobs, their callbacks' secret, API keys, the check of labels."""

from api.cluster import health, jobs, keys, nodes, verify, webhooks
from api.family import STATUS, Family, detail

FAMILY = Family(
    name="cluster",
    prefixes=("",),
    routers=(health.router, nodes.router, jobs.router, webhooks.router, keys.router, verify.router),
    envelope=detail,
    status=STATUS,
)
