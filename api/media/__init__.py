"""The multimedia platform: pictures, films, recognition, faces, sound, training."""

from api.family import STATUS, Family, detail

FAMILY = Family(
    name="media",
    prefixes=("", "/media"),
    routers=(),
    envelope=detail,
    status=STATUS | {"conflict": 400, "cancelled": 400},  # the document knows no 409
)
