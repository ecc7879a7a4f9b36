"""Live commerce: scripts, copywriting, speech in a given voice, one-click training."""

from api.family import STATUS, Family
from api.live import files, scripts, speech, training, writing
from api.live.envelope import failed

# Its clients look at `code`; what proxies and browsers act upon keeps its status.
KEPT = {"unauthenticated", "method_not_allowed", "too_large", "overloaded", "internal"}
PREFIXES = ("", "/live")

FAMILY = Family(
    name="live",
    prefixes=PREFIXES,
    routers=(scripts.router, writing.router, speech.router, training.router),
    envelope=failed,
    status={code: status if code in KEPT or status > 500 else 200 for code, status in STATUS.items()},
)
# A player that asks for a file looks at the status.
FILES = Family(name="live-files", prefixes=PREFIXES, routers=(files.router,), envelope=failed, status=STATUS)
