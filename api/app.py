"""The HTTP surface: every family at the root, as documented, and under a prefix of its own."""

import re

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api import cluster, errors, story
from api.limits import BodyLimit
from api.requests import RequestLog
from api.state import State
from contracts.settings import revision

FAMILIES = (cluster.FAMILY, story.FAMILY)


def build(state: State) -> FastAPI:
    app = FastAPI(
        title="Troupe",
        version=revision(),
        description="One cluster that writes, speaks, draws, films, listens, looks and performs.",
        generate_unique_id_function=_operation_id,
    )
    app.state.troupe = state
    for family in FAMILIES:
        family.include_in(app)
    errors.install(app, {family.name: family for family in FAMILIES})
    app.add_middleware(BodyLimit, root=app)
    app.add_middleware(RequestLog)
    return app


def _operation_id(route: APIRoute) -> str:
    """Unique although every route answers at two paths."""
    return f"{sorted(route.methods)[0].lower()}_{re.sub(r'[^0-9A-Za-z]+', '_', route.path).strip('_')}"
