"""What no family documents: health, the caller's jobs, and the check of a file's label."""

from api.cluster import health, jobs, verify
from api.family import STATUS, Family, detail

FAMILY = Family(
    name="cluster",
    prefixes=("",),
    routers=(health.router, jobs.router, verify.router),
    envelope=detail,
    status=STATUS,
)
