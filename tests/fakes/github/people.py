"""People who call the API themselves: with a token of their own, or without one."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from tests.fakes.github.replies import Incoming, Refused, Reply, Route
from tests.fakes.github.shapes import stamp

if TYPE_CHECKING:
    from tests.fakes.github.memory import Account, Project, Role
    from tests.fakes.github.world import World

NOBODY = "anonymous"
_MAY_WRITE = ("write", "maintain", "admin")


def add_token(world: World, login: str) -> str:
    """Give a person a token of their own."""
    text = f"ghp_{secrets.token_hex(18)}"
    world.personal[text] = world.account(login)
    return text


def check_visit(route: Route, project: Project | None, person: Account | None) -> None:
    """Raise Refused unless this person, or nobody, may do this."""
    if project is not None:
        role = None if person is None else project.role(person)
        if project.private and (role is None or role.name == "none"):
            raise Refused(404, "Not Found")
        is_reading = route.level == "read" and route.method == "GET"
        if is_reading or _may_write(role):
            return
        if person is not None:
            raise Refused(403, "Resource not accessible by personal access token")
    elif person is not None and route.template == "/user":
        return
    raise Refused(401, "Requires authentication")


def _may_write(role: Role | None) -> bool:
    return role is not None and role.name in _MAY_WRITE


async def get_user(world: World, call: Incoming) -> Reply:
    """``GET /user``."""
    created = stamp(world.app.created_at)
    more = {
        **dict.fromkeys(("name", "company", "blog", "location", "email", "hireable", "bio")),
        **dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0),
        "user_view_type": "public",
        "created_at": created,
        "updated_at": created,
    }
    return Reply(200, {**world.shapes.account(call.actor), **more})


ROUTES = (Route("GET", "/user", get_user, "metadata"),)
