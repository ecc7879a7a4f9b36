"""How this family fails: `{"error": {message, type, param, code}}`, as OpenAI's clients read it."""

from typing import Any

from contracts.errors import ContextLength, ServiceError

KINDS = {
    "unauthenticated": "authentication_error",
    "forbidden": "permission_error",
    "overloaded": "rate_limit_error",
    "internal": "server_error",
    "engine_failed": "server_error",
    "unavailable": "server_error",
    "deadline": "server_error",
    "cancelled": "server_error",
}
CODES = {"unauthenticated": "invalid_api_key", "overloaded": "rate_limit_exceeded", "not_found": "model_not_found"}
PARAMS = {  # by what engines call it
    "json_schema": "response_format",
    "recording": "file",
    "width": "size",
    "height": "size",
}


def failed(error: ServiceError) -> dict[str, Any]:
    told = {
        "message": error.message,
        "type": KINDS.get(error.code, "invalid_request_error"),
        "param": PARAMS.get(error.param or "", error.param),
        "code": _code(error),
    }
    return {"error": told}


def _code(error: ServiceError) -> str | None:
    if isinstance(error, ContextLength):
        return "context_length_exceeded"
    other = error.code == "not_found" and error.param != "model"  # for which OpenAI has no word
    return None if other else CODES.get(error.code)
