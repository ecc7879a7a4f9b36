"""A FastAPI application as a user would write it without a cluster: the base of the ingress benchmark."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Alive(BaseModel):
    status: str = "ok"


@app.get("/healthz")
async def healthz() -> Alive:
    return Alive()
