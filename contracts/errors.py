"""Every failure a caller can see, once. Families of the API translate these; nothing else is translated."""

from typing import ClassVar


class ServiceError(Exception):
    """A failure with a stable code. All arguments go to `Exception`, so that it survives pickling."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, param: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, param, retry_after_s)
        self.message, self.param, self.retry_after_s = message, param, retry_after_s

    def __str__(self) -> str:
        return self.message


class InvalidInput(ServiceError):
    code = "invalid_input"


class ContextLength(InvalidInput):
    """A conversation that leaves the model no room for an answer."""


class Unauthenticated(ServiceError):
    code = "unauthenticated"


class Forbidden(ServiceError):
    code = "forbidden"


class NotFound(ServiceError):
    code = "not_found"


class MethodNotAllowed(ServiceError):
    code = "method_not_allowed"


class Conflict(ServiceError):
    code = "conflict"


class TooLarge(ServiceError):
    code = "too_large"


class UnsupportedMedia(ServiceError):
    code = "unsupported_media"


class Overloaded(ServiceError):
    """Too much was asked at once; `retry_after_s` says when to come back."""

    code = "overloaded"
    retryable = True


class Cancelled(ServiceError):
    code = "cancelled"


class EngineFailed(ServiceError):
    """A model ran and did not give what it must."""

    code = "engine_failed"


class Unavailable(ServiceError):
    """A model, key or part of the cluster that the call needs is absent for now."""

    code = "unavailable"
    retryable = True


class Deadline(ServiceError):
    code = "deadline"
    retryable = True


def error_of(code: str, message: str, param: str | None = None) -> ServiceError:
    """The failure that a code names; for those that had to be written down as data."""
    kinds = {kind.code: kind for kind in ServiceError.__subclasses__()}
    return kinds.get(code, ServiceError)(message, param)
