"""How this family answers a failure: `{status: error, message}`, lists with their empty list."""

from collections.abc import Callable
from typing import Any

from api.family import STATUS
from contracts.errors import ServiceError

AS_INVALID = ("invalid_input", "conflict", "too_large", "unsupported_media", "cancelled")
DOCUMENTED = STATUS | dict.fromkeys(AS_INVALID, 400)
# v2's client shows the message of a form only when the status is 200; what proxies and browsers act upon keeps its own.
SHOWN = DOCUMENTED | dict.fromkeys((*AS_INVALID, "not_found", "forbidden"), 200)


def failed(error: ServiceError) -> dict[str, Any]:
    return {"status": "error", "message": f"{error.param}：{error.message}" if error.param else error.message}


def failed_list(name: str) -> Callable[[ServiceError], dict[str, Any]]:
    """The failure of a list: its field is there, and empty."""
    return lambda error: failed(error) | {name: [], "total_count": 0}
