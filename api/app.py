"""The HTTP surface: every family at the root, as documented, and under a prefix of its own."""

import re

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline

from api import cluster, errors, human, live, media, openai, story
from api.door import Door
from api.headers import SecurityHeaders
from api.limits import BodyLimit
from api.requests import RequestLog
from api.state import State
from contracts.settings import revision

FAMILIES = (cluster.FAMILY, openai.FAMILY, story.FAMILY, live.FAMILY, live.FILES, *human.FAMILIES, media.FAMILY)


def build(state: State) -> FastAPI:
    app = FastAPIOffline(
        title="Troupe",
        version=revision(),
        redoc_url=None,
        description="One cluster that writes, speaks, draws, films, listens, looks and performs.",
        generate_unique_id_function=_operation_id,
    )
    app.state.troupe = state
    for family in FAMILIES:
        family.include_in(app)
    errors.install(app, {family.name: family for family in FAMILIES})
    app.add_middleware(BodyLimit, root=app)
    app.add_middleware(Door, root=app)
    app.add_middleware(errors.Faults, root=app)
    app.add_middleware(SecurityHeaders)
    if origins := state.settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_credentials="*" not in origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=[
                "Content-Disposition",
                "Content-Range",
                "Retry-After",
                "X-AIGC-Label",
                "X-Request-ID",
                "X-Troupe-Model",
            ],
        )
    app.add_middleware(RequestLog)
    return app


def _operation_id(route: APIRoute) -> str:
    """Unique although every route answers at two paths, and two families at some."""
    family = f"{route.tags[0]}_" if getattr(route, "claims", None) and route.tags else ""
    return f"{family}{sorted(route.methods)[0].lower()}_{re.sub(r'[^0-9A-Za-z]+', '_', route.path).strip('_')}"
