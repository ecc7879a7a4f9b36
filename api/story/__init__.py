"""The story maker: accounts, tasks in five segments, videogen, downloads, notifications."""

from api.family import STATUS, Family, detail
from api.story import accounts, notifications, resources, tasks, videogen

FAMILY = Family(
    name="story",
    prefixes=("", "/story"),
    routers=(accounts.router, tasks.router, videogen.router, resources.router, notifications.router),
    envelope=detail,
    status=STATUS,
)
