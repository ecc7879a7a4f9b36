"""How this family answers: `{code, msg, data}`, with code 1, or 0 and no data."""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from contracts.errors import ServiceError

Data = TypeVar("Data")


class Envelope(BaseModel, Generic[Data]):
    code: int
    msg: str
    data: Data


def ok(msg: str, data: Data) -> Envelope[Data]:
    return Envelope(code=1, msg=msg, data=data)


def failed(error: ServiceError) -> dict[str, Any]:
    return {"code": 0, "msg": f"{error.param}：{error.message}" if error.param else error.message, "data": None}
